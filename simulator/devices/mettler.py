"""A scale that speaks MT-SICS level 0 and 1, under the reservoir (Mettler-Toledo MT-SICS reference
manual; operating instructions JS p. 30, AL-IC p. 72)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.devices.instrument import Instrument, Send, SerialLine
from simulator.devices.probe import OPEN, SHORT, Probe, Source
from simulator.devices.text_line import CommandBuffer

PAN = 1
UNITS = {"g": 1.0, "kg": 1000.0, "lb": 453.592, "PCS": 5.0}
"""Grams in each unit that can be chosen at the scale; pieces weigh 5 g."""
CONTINUES = frozenset({"Z", "ZI", "T", "TI", "TA", "TAC", "I2", "I3", "I4"})
"""Commands that leave a repeated output going."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleSettings:
    """How the scale is set up. Masses in g. Not certain from the manuals, hence settings: times,
    whether power-on takes a new zero, and level (0: the tare commands are unknown)."""

    serial_number: str = "0123456789"
    model: str = "JS6002 6200.00 g"
    unit: str = "g"
    decimals: int = 2
    capacity_g: float = 12_000.0
    underload_g: float = -20.0
    vessel_g: float = 600.0
    tared: bool = True
    zero_at_power_on: bool = False
    level: int = 1
    resting_g: float = 0.5
    rest_s: float = 1.0
    patience_s: float = 2.0
    repeat_s: float = 0.1
    think_s: float = 0.010


class Scale(Instrument):
    """Weighs `content_g` (the mass of the fluid in g) and the vessel that holds it.

    An offset in g is what leans on the pan (negative: lifts it), a drift is in g per minute.
    """

    title = "Mettler-Toledo scale, MT-SICS"
    serial = SerialLine(baud=9600)
    fault_names = frozenset({"refuses", "stuck", "offset", "drift"})
    inputs = (PAN,)

    def __init__(self, content_g: Source, settings: ScaleSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or ScaleSettings()
        self._probe = Probe(content_g, faults=self.faults, number=PAN)
        self._commands = CommandBuffer()
        self._acts = self._table()
        self._zero_g = 0.0
        self._still_s = self.settings.rest_s
        self._tare_g = self.settings.vessel_g if self.settings.tared else 0.0
        self._load_g = self._resting_g = self._weigh(0.0)
        self._greet = False
        self._repeat_at_s: float | None = None

    @property
    def net_g(self) -> float:
        """What the display shows, in g: load less zero and tare."""
        return self._load_g - self._zero_g - self._tare_g

    @property
    def rests(self) -> bool:
        """True once the load has kept still for as long as the scale wants."""
        return self._still_s >= self.settings.rest_s - 1e-9

    def power_up(self) -> None:
        """The tare is lost, and the scale will say its serial number."""
        self._tare_g = 0.0
        self._zero_g = self._load_g if self.settings.zero_at_power_on else self._zero_g
        self._repeat_at_s = None
        self._greet = True
        self._commands.clear()

    def sample(self, dt_s: float) -> None:
        """Weigh; the load rests once it has stayed within `resting_g` for `rest_s`."""
        self._load_g = self._weigh(dt_s)
        self._still_s += dt_s
        if abs(self._load_g - self._resting_g) > self.settings.resting_g:
            self._resting_g, self._still_s = self._load_g, 0.0

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Answer each line; upper case only, everything unknown is a syntax error."""
        sends = []
        for command in self._commands.feed(data, now_s, sent_s):
            if command.text not in CONTINUES:
                self._repeat_at_s = None
            if command.text == "SIR":
                self._repeat_at_s = now_s + self.settings.repeat_s
            waits = command.text in ("S", "T", "Z") and not self.rests
            delay_s = self.settings.patience_s if waits else self.settings.think_s
            sends.append(self._line(self._obey(command.text), delay_s))
        return sends

    def tick(self, now_s: float) -> list[Send]:
        """The serial number once after power-on; then weights while they are repeated."""
        sends = []
        if self._greet:
            self._greet = False
            sends.append(self._line(self._number()))
        if self._repeat_at_s is not None and now_s >= self._repeat_at_s:
            self._repeat_at_s = now_s + self.settings.repeat_s
            sends.append(self._line(self._weight()))
        return sends

    def due_s(self) -> float | None:
        """At once after power-on, else when the next repeated weight is due."""
        return 0.0 if self._greet else self._repeat_at_s

    def describe(self) -> Mapping[str, object]:
        """Load, tare and net in g, and whether the load rests."""
        return {
            "load_g": round(self._load_g, 1),
            "tare_g": round(self._tare_g, 1),
            "net_g": round(self.net_g, 1),
            "rests": self.rests,
        }

    def _table(self) -> dict[str, Callable[[], str]]:
        level_0 = {
            "@": self._reset,
            "I2": lambda: f'I2 A "{self.settings.model}"',
            "I3": lambda: 'I3 A "1.10 11.2.33.44"',
            "I4": self._number,
            "S": lambda: self._weight() if self.rests else "S I",
            "SI": self._weight,
            "SIR": self._weight,
            "Z": lambda: self._zero("Z A") if self.rests else "Z I",
            "ZI": lambda: self._zero(f"ZI {self._state()}"),
        }
        level_1 = {
            "T": lambda: self._tare("T") if self.rests else "T I",
            "TI": lambda: self._tare("TI"),
            "TA": lambda: f"TA A {self._shown(self._tare_g)}",
            "TAC": self._clear_tare,
        }
        return level_0 | (level_1 if self.settings.level else {})

    def _obey(self, text: str) -> str:
        name = text.partition(" ")[0]
        if name not in self._acts:
            return "ES"
        if text != name:
            return f"{name} L"
        if self.faults.has("refuses") and name not in ("@", "I4"):
            return f"{'S' if name in ('SI', 'SIR') else name} I"
        return self._acts[name]()

    def _weight(self) -> str:
        on_pan_g = self._load_g - self._zero_g
        if on_pan_g > self.settings.capacity_g:
            return "S +"
        if on_pan_g < self.settings.underload_g:
            return "S -"
        return f"S {self._state()} {self._shown(self.net_g)}"

    def _state(self) -> str:
        return "S" if self.rests else "D"

    def _shown(self, mass_g: float) -> str:
        unit = self.settings.unit
        return f"{mass_g / UNITS[unit]:10.{self.settings.decimals}f} {unit}"

    def _number(self) -> str:
        return f'I4 A "{self.settings.serial_number}"'

    def _reset(self) -> str:
        self._tare_g = 0.0
        return self._number()

    def _zero(self, answer: str) -> str:
        self._zero_g, self._tare_g = self._load_g, 0.0
        return answer

    def _tare(self, name: str) -> str:
        self._tare_g = self._load_g - self._zero_g
        return f"{name} {self._state()} {self._shown(self._tare_g)}"

    def _clear_tare(self) -> str:
        self._tare_g = 0.0
        return "TAC A"

    def _weigh(self, dt_s: float) -> float:
        """The load in g with the vessel; a lead of the load cell cannot break here."""
        content_g = self._probe.read(dt_s)
        return content_g + self.settings.vessel_g if content_g not in (OPEN, SHORT) else 0.0

    def _line(self, text: str, delay_s: float = 0.0) -> Send:
        return Send(f"{text}\r\n".encode("ascii"), delay_s)
