"""LAUDA circulation thermostat, RS-232/RS-485 command set (PRO P 10 manual p. 45-51, Ecoline E 200
p. 10-11, LOOP p. 30-31): each command is answered, a write by OK or ERR_n, before the next one."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.devices.instrument import Fault, Instrument, Send, SerialLine
from simulator.devices.probe import OPEN, SHORT, Probe, Source
from simulator.devices.text_line import Command, CommandBuffer

TYPED = re.compile(r"-?(\d{1,4}(\.\d{0,2})?|\.\d{1,2})")
ADDRESSED = re.compile(r"A(\d{3})[_ ](.*)", re.S)
WRITES = ("OUT_SP_00", "OUT_SP_01", "OUT_SP_04", "OUT_SP_05")
LONGEST = 64
BATH_SENSOR, EXTERNAL_SENSOR = 1, 2
ENTRY, COMMAND, SYNTAX, ILLEGAL, LIMITS, NO_SENSOR = 2, 3, 5, 6, 32, 33


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermostatSettings:
    """How the thermostat is set up. The manuals differ by family or are silent, hence settings:
    meaning of the digits of STAT, command of the external sensor, leading zeros, think time.

    Temperatures in °C. `address` None is RS-232. `overtemperature_digit` and `error_digit` count
    from 1. With `autostart` a thermostat that ran goes on after a power cut.
    """

    model: str = "P10"
    version: str = "1.23"
    address: int | None = None
    reply_end: str = "\r\n"
    think_s: float = 0.010
    width: int = 0
    external_command: str = "IN_PV_03"
    error_digit: int = 1
    overtemperature_digit: int = 4
    pump_steps: int = 8
    lowest_c: float = -30.0
    highest_c: float = 200.0
    low_limit_c: float = 5.0
    high_limit_c: float = 60.0
    excess_c: float = 65.0
    first_c: float = 20.0
    tells_stand_by: bool = True
    autostart: bool = False


class Thermostat(Instrument):
    """The thermostat's controls; the plant heats the bath while `heating` towards `set_c`."""

    title = "LAUDA circulation thermostat"
    serial = SerialLine(baud=9600)
    fault_names = frozenset(
        {"refuses", "stuck", "alarm", "keypad_stop", "open", "short", "offset", "drift"}
    )
    inputs = (BATH_SENSOR, EXTERNAL_SENSOR)

    def __init__(
        self,
        bath_c: Source,
        settings: ThermostatSettings | None = None,
        *,
        external_c: Source | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings or ThermostatSettings()
        self.has_address = self.settings.address is not None
        self._bath = Probe(bath_c, faults=self.faults, number=BATH_SENSOR)
        self._external = Probe(external_c, faults=self.faults, number=EXTERNAL_SENSOR)
        self._commands = CommandBuffer()
        self.set_c, self.running, self.pump_step = self.settings.first_c, False, 1
        self.low_c, self.high_c = self.settings.low_limit_c, self.settings.high_limit_c
        self._questions = self._table()
        self.power_up()
        self.sample(0.0)

    def power_up(self) -> None:
        """Set-point and limits are kept; it stands by unless `autostart` is set."""
        self.running = self.running and self.settings.autostart
        self.alarm_digit: int | None = None
        self._busy_until_s = float("-inf")
        self._commands.clear()

    @property
    def heating(self) -> bool:
        """True while it is on and no fault has switched it off."""
        return self.running and self.alarm_digit is None

    def start(self, set_c: float) -> None:
        """Set the room up with the thermostat already running towards this bath temperature."""
        self.set_c, self.running = set_c, True

    def sample(self, dt_s: float) -> None:
        """Measure, and switch off on overtemperature or a broken sensor."""
        if self.faults.has("stuck"):
            return
        self.bath_c, self.external_c = self._bath.read(dt_s), self._external.read(dt_s)
        if self.bath_c in (OPEN, SHORT):
            self._trip(self.settings.error_digit)
        elif self.bath_c > self.settings.excess_c:
            self._trip(self.settings.overtemperature_digit)

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Answer each command; one that its host wrote before the last reply was out is lost."""
        sends = []
        for command in self._commands.feed(data, now_s, sent_s):
            if command.sent_s < self._busy_until_s or not (reply := self._answer(command)):
                continue
            send = Send((reply + self.settings.reply_end).encode("latin-1"), self.settings.think_s)
            self._busy_until_s = command.at_s + send.delay_s + len(send.data) * byte_s
            sends.append(send)
        return sends

    def on_fault(self, fault: Fault) -> None:
        """An alarm switches off and stands; at the keypad somebody switches to stand-by."""
        if fault.name == "alarm":
            self._trip(int(fault.value or self.settings.error_digit))
        elif fault.name == "keypad_stop":
            self.running = False

    def on_clear(self, name: str | None) -> None:
        """The alarm is acknowledged at the keypad; the thermostat stays in stand-by."""
        if name in (None, "alarm"):
            self.alarm_digit = None

    def with_other_unit(self, reply: bytes) -> bytes:
        """The reply from the next address of the line."""
        address = self.settings.address or 0
        return reply.replace(f"A{address:03d}".encode(), f"A{address + 1:03d}".encode(), 1)

    def describe(self) -> Mapping[str, object]:
        """Run state, fault digit, set-point and limits in °C."""
        return {
            "running": self.running,
            "heating": self.heating,
            "set_c": self.set_c,
            "low_c": self.low_c,
            "high_c": self.high_c,
            "excess_c": self.settings.excess_c,
            "alarm_digit": self.alarm_digit,
        }

    def _answer(self, command: Command) -> str:
        """The reply to one command; nothing where another address is meant."""
        text, address, head = command.text.strip(), self.settings.address, ""
        if address is not None:
            addressed = ADDRESSED.fullmatch(text)
            if addressed is None or int(addressed[1]) != address:
                return ""
            text, head = addressed[2], f"A{address:03d}_"
        return head + self._obey(text.replace(" ", "_"))

    def _obey(self, text: str) -> str:
        if len(text) > LONGEST:
            return _error(ENTRY)
        if text in self._questions:
            return self._questions[text]()
        name, value = text[:9], text[10:]
        if text in ("START", "STOP"):
            return self._switch(text == "START")
        if name not in WRITES or text[9:10] != "_":
            return _error(COMMAND)
        if not TYPED.fullmatch(value):
            return _error(SYNTAX)
        return self._write(name, float(value))

    def _table(self) -> dict[str, Callable[[], str]]:
        table: dict[str, Callable[[], str]] = {
            "TYPE": lambda: self.settings.model,
            "VERSION": lambda: self.settings.version,
            "STATUS": lambda: "0" if self.alarm_digit is None else "-1",
            "STAT": lambda: "".join(str(int(n == self.alarm_digit)) for n in range(1, 8)),
            "IN_PV_00": lambda: self._measured(self.bath_c, 2),
            "IN_PV_10": lambda: self._measured(self.bath_c, 3),
            self.settings.external_command: lambda: self._measured(self.external_c, 2),
            "IN_SP_00": lambda: self._shown(self.set_c),
            "IN_SP_01": lambda: str(self.pump_step),
            "IN_SP_03": lambda: self._shown(self.settings.excess_c),
            "IN_SP_04": lambda: self._shown(self.high_c),
            "IN_SP_05": lambda: self._shown(self.low_c),
            "IN_MODE_00": lambda: "0",
        }
        if self.settings.tells_stand_by:
            table["IN_MODE_02"] = lambda: str(int(not self.running))
        return table

    def _switch(self, on: bool) -> str:
        if self.faults.has("refuses") or (on and self.alarm_digit is not None):
            return _error(ILLEGAL)
        self.running = on
        return "OK"

    def _write(self, name: str, number: float) -> str:
        settings = self.settings
        if self.faults.has("refuses"):
            return _error(ILLEGAL)
        if name == "OUT_SP_01":
            if number not in range(1, settings.pump_steps + 1):
                return _error(ILLEGAL)
            self.pump_step = int(number)
            return "OK"
        if name == "OUT_SP_00":
            if not max(self.low_c, settings.lowest_c) <= number <= self.high_c:
                return _error(ILLEGAL)
            self.set_c = number
            return "OK"
        low_c, high_c = (self.low_c, number) if name == "OUT_SP_04" else (number, self.high_c)
        if high_c <= low_c:
            return _error(LIMITS)
        if not (settings.lowest_c <= low_c and high_c <= settings.highest_c):
            return _error(ILLEGAL)
        self.low_c, self.high_c = low_c, high_c
        return "OK"

    def _trip(self, digit: int) -> None:
        if self.alarm_digit is None:
            self.alarm_digit, self.running = digit, False

    def _measured(self, value_c: float, decimals: int) -> str:
        if value_c in (OPEN, SHORT):
            return _error(NO_SENSOR)
        return self._shown(value_c, decimals)

    def _shown(self, value_c: float, decimals: int = 2) -> str:
        """Fixed decimals, with leading zeros up to `width` digits before the point."""
        sign, places = "-" if value_c < 0 else "", self.settings.width
        return f"{sign}{abs(value_c):0{places + 1 + decimals if places else 0}.{decimals}f}"


def _error(number: int) -> str:
    return f"ERR_{number}"
