"""ICP DAS and Advantech temperature modules in ASCII: I-7018, tM-TH8 in DCON mode, ADAM-4018+
(I-7018 manual p. 24-25, M-7084 p. 27-28, tM-TH8 A1.1 p. 36; ADAM-4000 manual p. 5-4 to 5-14)."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulator.devices import ysi_2252
from simulator.devices.instrument import Instrument, Send, SerialLine
from simulator.devices.probe import OPEN, PROBE_FAULTS, SHORT, Probe, Source
from simulator.devices.text_line import CommandBuffer

ENGINEERING, OHM, USES_SUM = 0x00, 0x03, 0x40
WORDS = re.compile(r"([#$%@~])([0-9A-F]{2})(.*)")
SPACES = " " * 7


@dataclass(frozen=True, slots=True, kw_only=True)
class AsciiModuleSettings:
    """How the module is set up. Not told by the manuals for every module, hence settings: the
    texts of a value out of range and the type code. `disabled` names channels from 1."""

    address: int = 1
    checksum: bool = False
    channels: int = 8
    disabled: frozenset[int] = frozenset()
    ohm: bool = False
    name: str = "7018"
    type_code: int = 0x20
    over: str = "+9999.9"
    under: str = "-9999.9"
    scan_s: float = 1.0
    think_s: float = 0.002


class AsciiModule(Instrument):
    """Up to sixteen inputs, measured once per scan, in °C or as the resistance of YSI-400 probes.

    An open lead is the over-range text. A short is no resistance, and under range in °C.
    """

    title = "DCON / ADAM temperature module, ASCII"
    serial = SerialLine(baud=9600)
    fault_names = PROBE_FAULTS | {"refuses"}

    def __init__(
        self, sources: Sequence[Source | None], settings: AsciiModuleSettings | None = None
    ) -> None:
        super().__init__()
        self.settings = settings or AsciiModuleSettings()
        self.has_checksum = self.settings.checksum
        self.inputs = tuple(range(1, self.settings.channels + 1))
        padded = [*sources, *[None] * (self.settings.channels - len(sources))]
        self._probes = [
            Probe(source, faults=self.faults, number=number)
            for number, source in enumerate(padded, start=1)
        ]
        self._commands = CommandBuffer()
        self.power_up()
        self._scan(0.0)

    def power_up(self) -> None:
        """Settings stay; a command that had begun is forgotten."""
        self._commands.clear()
        self._since_scan_s = 0.0

    def sample(self, dt_s: float) -> None:
        """Convert all inputs once the scan period has passed."""
        self._since_scan_s += dt_s
        if self._since_scan_s >= self.settings.scan_s - 1e-9:
            self._scan(self._since_scan_s)
            self._since_scan_s = 0.0

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Answer what is addressed here; silence for bad syntax, bad sums and other addresses."""
        sends = []
        for command in self._commands.feed(data, now_s, sent_s):
            reply = self._answer(command.text)
            if reply:
                tail = _sum(reply) if self.settings.checksum else ""
                sends.append(Send(f"{reply}{tail}\r".encode("ascii"), self.settings.think_s))
        return sends

    def with_wrong_checksum(self, reply: bytes) -> bytes:
        """The reply with a sum that is one too high."""
        wrong = (int(reply[-3:-1], 16) + 1) & 0xFF
        return reply[:-3] + f"{wrong:02X}\r".encode("ascii")

    def describe(self) -> Mapping[str, object]:
        """What each input reads in °C, None for a broken lead."""
        read_c = [round(each, 2) if math.isfinite(each) else None for each in self._read_c]
        return {"address": self.settings.address, "inputs_c": read_c}

    def _answer(self, text: str) -> str:
        if self.settings.checksum:
            text, given = text[:-2], text[-2:]
            if _sum(text) != given:
                return ""
        words = WORDS.fullmatch(text)
        if words is None or int(words[2], 16) != self.settings.address:
            return ""
        lead, address, rest = words.groups()
        known = None if self.faults.has("refuses") else self._known(lead, rest)
        if known is None:
            return f"?{address}"
        return f">{known}" if lead == "#" else f"!{address}{known}"

    def _known(self, lead: str, rest: str) -> str | None:
        """What follows the head of the reply; None for a command that the module has not."""
        if lead == "#" and rest == "":
            return "".join(self._text(number) for number in self.inputs)
        if lead == "#" and re.fullmatch("[0-9A-F]", rest):
            number = int(rest, 16) + 1
            return self._text(number) if number in self.inputs else None
        return self._told().get(rest) if lead == "$" else None

    def _told(self) -> dict[str, str]:
        setup = self.settings
        flags = (OHM if setup.ohm else ENGINEERING) | (USES_SUM if setup.checksum else 0)
        enabled = sum(1 << number - 1 for number in self.inputs if number not in setup.disabled)
        broken = sum(
            1 << number - 1
            for number, value in zip(self.inputs, self._read_c, strict=True)
            if value in (OPEN, SHORT) and number not in setup.disabled
        )
        return {
            "2": f"{setup.type_code:02X}06{flags:02X}",
            "6": f"{enabled:02X}",
            "B": f"{broken:02X}",
            "M": setup.name,
        }

    def _text(self, number: int) -> str:
        """One input in seven characters: sign, five digits and a point."""
        value_c = self._read_c[number - 1]
        if number in self.settings.disabled:
            return SPACES
        if value_c == OPEN:
            return self.settings.over
        if not self.settings.ohm:
            return self.settings.under if value_c == SHORT else f"{value_c:+07.2f}"
        ohm = 0.0 if value_c == SHORT else ysi_2252.ohm(value_c)
        return f"{ohm:+07.1f}" if ohm < 9999.9 else f"{ohm:+06.0f}."

    def _scan(self, dt_s: float) -> None:
        self._read_c = [probe.read(dt_s) for probe in self._probes]


def _sum(text: str) -> str:
    return f"{sum(text.encode('latin-1')) % 256:02X}"
