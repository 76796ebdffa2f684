"""Julabo heating circulator, RS-232 command set (Magnum 91 manual p. 65-69, SC 2500 p. 42, CORIO CD
p. 39): IN commands answer, OUT commands never do, an error shows once in the next `status`."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.devices.instrument import Fault, Instrument, Send, SerialLine
from simulator.devices.probe import OPEN, SHORT, Probe, Source
from simulator.devices.text_line import Command, CommandBuffer

MESSAGES = {
    -1: "LOW LEVEL ALARM",
    -3: "EXCESS TEMPERATURE WARNING",
    -4: "LOW TEMPERATURE WARNING",
    -5: "WORKING SENSOR ALARM",
    -6: "SENSOR DIFFERENCE ALARM",
    -8: "INVALID COMMAND",
    -9: "COMMAND NOT ALLOWED IN CURRENT OPERATING MODE",
    -10: "VALUE TOO SMALL",
    -11: "VALUE TOO LARGE",
    -13: "VALUE EXCEEDS TEMPERATURE LIMITS",
    -14: "EXCESS TEMPERATURE PROTECTOR ALARM",
    -15: "EXTERNAL SENSOR ALARM",
    -33: "SAFETY SENSOR ALARM",
    -40: "NIVEAU LEVEL WARNING",
    -1501: "WATCHDOG ALARM",
}
WARNINGS = frozenset({-3, -4, -40})
SAFETY_SENSOR, BATH_SENSOR = 2, 1
MODE = {(False, False): "00 MANUAL STOP", (False, True): "01 MANUAL START"}
MODE |= {(True, False): "02 REMOTE STOP", (True, True): "03 REMOTE START"}
VALUE = re.compile(r"[+-]?\d+(\.\d*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class CirculatorSettings:
    """How the circulator is set up. The manuals differ by family or are silent, hence settings:
    end of a reply, text for a missing external sensor, think time, what power-up leaves.

    Temperatures in °C. A command is lost when its host wrote it sooner than `after_out_s` after
    the host wrote an OUT, or than `after_in_s` after the last byte of an IN reply.
    """

    version: str = "JULABO MAGIO MS Vers. 1.09"
    reply_end: str = "\r\n"
    after_out_s: float = 0.250
    after_in_s: float = 0.010
    think_s: float = 0.010
    lowest_c: float = -20.0
    highest_c: float = 200.0
    low_limit_c: float = 5.0
    high_limit_c: float = 60.0
    excess_c: float = 65.0
    power_up_c: float = 25.0
    remote: bool = True
    external_missing: str = "---.--"
    watchdog_s: float = 0.0


class Circulator(Instrument):
    """The circulator's controls; the plant heats the bath while `heating` towards `set_c`."""

    title = "Julabo heating circulator"
    serial = SerialLine(baud=4800, data_bits=7, parity="E")
    fault_names = frozenset(
        {"refuses", "stuck", "alarm", "local_mode", "open", "short", "offset", "drift"}
    )
    inputs = (BATH_SENSOR, SAFETY_SENSOR)

    def __init__(
        self,
        bath_c: Source,
        percent: Source,
        settings: CirculatorSettings | None = None,
        *,
        external_c: Source | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings or CirculatorSettings()
        self._bath = Probe(bath_c, faults=self.faults, number=BATH_SENSOR)
        self._safety = Probe(bath_c, faults=self.faults, number=SAFETY_SENSOR)
        self._percent, self._external_c = percent, external_c
        self._commands = CommandBuffer(seven_bit=True)
        self._remote = self.settings.remote
        self.excess_c = self.settings.excess_c
        self._in = self._in_table()
        self.power_up()
        self.sample(0.0)

    def power_up(self) -> None:
        """Stopped, set-point and limits back at their defaults; no autostart."""
        self.running = False
        self.set_c = self.settings.power_up_c
        self.limits_c = {"03": self.settings.high_limit_c, "04": self.settings.low_limit_c}
        self.alarm: int | None = None
        self._errors: deque[int] = deque(maxlen=1)
        self._quiet_until_s = float("-inf")
        self._set_at_s: float | None = None
        self._commands.clear()

    @property
    def heating(self) -> bool:
        """True while the circulator runs and no alarm has tripped it."""
        return self.running and self.alarm is None

    def start(self, set_c: float) -> None:
        """Set the room up with the circulator already running towards this bath temperature."""
        self.set_c, self.running = set_c, True

    def sample(self, dt_s: float) -> None:
        """Measure, and trip on excess temperature or a broken sensor."""
        if self.faults.has("stuck"):
            return
        self.bath_c, self.safety_c = self._bath.read(dt_s), self._safety.read(dt_s)
        self.percent = self._percent()
        alarm = self.faults.get("alarm")
        if alarm:
            self._trip(int(alarm.value or -1))
        elif self.safety_c in (OPEN, SHORT):
            self._trip(-33)
        elif self.bath_c in (OPEN, SHORT):
            self._trip(-5)
        elif self.safety_c > self.excess_c:
            self._trip(-14)

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Answer IN commands, obey OUT commands in silence, lose what comes too soon."""
        sends = []
        for command in self._commands.feed(data, now_s, sent_s):
            if command.sent_s < self._quiet_until_s:
                continue
            reply = self._obey(command)
            if reply is None:
                self._quiet_until_s = command.sent_s + self.settings.after_out_s
                continue
            sends.append(Send((reply + self.settings.reply_end).encode(), self.settings.think_s))
            wire_s = len(sends[-1].data) * byte_s + self.settings.think_s
            self._quiet_until_s = command.at_s + wire_s + self.settings.after_in_s
        return sends

    def on_fault(self, fault: Fault) -> None:
        """An alarm acts at once; it stays until acknowledged or power-cycled at the device."""
        if fault.name == "alarm":
            self._trip(int(fault.value or -1))

    def on_clear(self, name: str | None) -> None:
        """The alarm is acknowledged at the keypad; the circulator stays stopped."""
        if name in (None, "alarm"):
            self.alarm = None

    def describe(self) -> Mapping[str, object]:
        """Run state, mode, alarm, set-point and limits in °C."""
        return {
            "running": self.running,
            "heating": self.heating,
            "remote": self._in_remote(),
            "set_c": self.set_c,
            "excess_c": self.excess_c,
            "alarm": self.alarm,
        }

    def _obey(self, command: Command) -> str | None:
        """The reply to an IN command, None for everything that is answered by silence."""
        name, _, value = command.text.strip().lower().partition(" ")
        if name in self._in and not value:
            return self._in[name]()
        if name == "out_mode_05":
            self._out(value.strip(), self._out_mode)
        elif name == "out_sp_00":
            self._out(value.strip(), lambda number: self._out_setpoint(number, command.at_s))
        elif name in ("out_sp_03", "out_sp_04"):
            self._out(value.strip(), lambda number: self._out_limit(name[-2:], number))
        elif name:
            self._error(-8)
        return None

    def _in_table(self) -> dict[str, Callable[[], str]]:
        return {
            "version": lambda: self.settings.version,
            "status": self._status,
            "in_pv_00": lambda: self._shown(self.bath_c),
            "in_pv_01": lambda: f"{self.percent:.1f}",
            "in_pv_02": self._external,
            "in_pv_03": lambda: self._shown(self.safety_c),
            "in_pv_04": lambda: f"{self.excess_c:.2f}",
            "in_sp_00": lambda: f"{self.set_c:.2f}",
            "in_sp_03": lambda: f"{self.limits_c['03']:.2f}",
            "in_sp_04": lambda: f"{self.limits_c['04']:.2f}",
            "in_mode_04": lambda: "0",
            "in_mode_05": lambda: str(int(self.running)),
        }

    def _status(self) -> str:
        """A command's error once, then a standing alarm, then the mode."""
        error = self._errors.popleft() if self._errors else (self.alarm or self._warning())
        if error is not None:
            return f"{error:03d} {MESSAGES.get(error, 'ALARM')}"
        return MODE[self._in_remote(), self.running]

    def _warning(self) -> int | None:
        if not self.running or self.bath_c in (OPEN, SHORT):
            return None
        if self.bath_c > self.limits_c["03"]:
            return -3
        return -4 if self.bath_c < self.limits_c["04"] else None

    def _out(self, value: str, act: Callable[[float], None]) -> None:
        if not self._in_remote() or self.faults.has("refuses"):
            self._error(-9)
        elif not VALUE.fullmatch(value):
            self._error(-8)
        else:
            act(float(value))

    def _out_mode(self, number: float) -> None:
        if number not in (0.0, 1.0):
            self._error(-10 if number < 0.0 else -11)
        elif number == 1.0 and self.alarm is not None:
            self._error(-9)
        else:
            self.running = number == 1.0

    def _out_setpoint(self, number: float, now_s: float) -> None:
        if number < self.settings.lowest_c or number > self.settings.highest_c:
            self._error(-10 if number < self.settings.lowest_c else -11)
        elif not self.limits_c["04"] <= number <= self.limits_c["03"]:
            self._error(-13)
        else:
            self.set_c, self._set_at_s = round(number, 2), now_s

    def _out_limit(self, which: str, number: float) -> None:
        if self.settings.lowest_c <= number <= self.settings.highest_c:
            self.limits_c[which] = number
        else:
            self._error(-10 if number < self.settings.lowest_c else -11)

    def tick(self, now_s: float) -> list[Send]:
        """Stop when the set-point watchdog is in use and was not fed; never speaks unasked."""
        fed_s, limit_s = self._set_at_s, self.settings.watchdog_s
        if limit_s and self.running and fed_s is not None and now_s - fed_s > limit_s:
            self._trip(-1501)
        return []

    def _trip(self, alarm: int) -> None:
        if alarm in WARNINGS:
            self._error(alarm)
        elif self.alarm is None:
            self.alarm, self.running = alarm, False

    def _error(self, number: int) -> None:
        self._errors.append(number)

    def _in_remote(self) -> bool:
        return self._remote and not self.faults.has("local_mode")

    def _external(self) -> str:
        if self._external_c is None:
            return self.settings.external_missing
        return f"{self._external_c():.2f}"

    def _shown(self, value_c: float) -> str:
        return self.settings.external_missing if value_c in (OPEN, SHORT) else f"{value_c:.2f}"
