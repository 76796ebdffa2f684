"""MasterFlex peristaltic pump drive, USB serial interface (the maker's client masterflex-serial):
`*` done, `#` invalid, `~` not in serial mode; a question gives its value; each with CR LF."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from simulator.devices.instrument import Fault, Instrument, Send, SerialLine
from simulator.devices.text_line import CommandBuffer

DONE, INVALID, LOCAL = "*", "#", "~"
ADDRESSED = re.compile(r"([1-8])(.*)", re.S)
SPEED = re.compile(r"R(\d{6})")
PERCENT = re.compile(r"S(\d{5})")
QUESTIONS = ("RC", "R", "S", ":", "#", "RB", "E")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveSettings:
    """One drive with its head and tube. Not known from the client, hence settings: think time,
    whether questions are answered out of serial mode, decimals of a speed, state at power-up.

    `calibration_error` is the true ml/rev against `ml_per_rev`: 0.05 delivers 5 % more.
    """

    model: str = "MFLX78002-00"
    interface_version: int = 2
    address: int = 1
    ml_per_rev: float = 15.84
    min_rpm: float = 0.1
    max_rpm: float = 600.0
    reply_end: str = "\r\n"
    think_s: float = 0.002
    tells_out_of_serial_mode: bool = False
    rpm_decimals: int = 2
    ramp_s: float = 1.0
    calibration_error: float = 0.0
    power_up_rpm: float = 60.0


class PumpDrive(Instrument):
    """The drive, its ramp, its counted volume, and the flow that its rotation would deliver."""

    title = "MasterFlex pump drive"
    serial = SerialLine(baud=115200)
    has_address = True
    fault_names = frozenset({"refuses", "stuck", "stall", "local_mode", "keypad_stop"})

    def __init__(self, settings: DriveSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or DriveSettings()
        self._commands = CommandBuffer()
        self.power_up()

    def power_up(self) -> None:
        """Stopped, clockwise, out of serial mode, counted volume at zero."""
        self.serial_mode = self.running = False
        self.clockwise = True
        self.set_rpm = self.settings.power_up_rpm
        self.rpm = self._turned = 0.0
        self._shown: dict[str, str] = {}
        self._commands.clear()

    @property
    def ml_min(self) -> float:
        """Flow that the rotation would deliver in ml/min, negative while it turns backwards."""
        return self.rpm * self.settings.ml_per_rev * (1.0 + self.settings.calibration_error)

    def start(self, rpm: float) -> None:
        """Set the room up with the pump already running at this speed, in serial mode."""
        self.set_rpm, self.serial_mode = min(rpm, self.settings.max_rpm), True
        self.running = rpm >= self.settings.min_rpm
        self.rpm = self.set_rpm if self.running else 0.0

    def sample(self, dt_s: float) -> None:
        """Ramp towards the set speed (0 to full in `ramp_s`) and count what the motor turned."""
        target = (self.set_rpm if self.clockwise else -self.set_rpm) if self.running else 0.0
        step = self.settings.max_rpm / self.settings.ramp_s * dt_s
        before = self.rpm
        stalled = self.faults.has("stall")
        self.rpm = 0.0 if stalled else max(before - step, min(before + step, target))
        self._turned += 0.0 if stalled else abs(before + self.rpm) / 2.0 * dt_s / 60.0

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Answer each command that names this drive's address."""
        sends = []
        for command in self._commands.feed(data, now_s, sent_s):
            found = ADDRESSED.fullmatch(command.text.strip())
            if found and int(found[1]) == self.settings.address:
                reply = self._answer(found[2]) + self.settings.reply_end
                sends.append(Send(reply.encode("latin-1"), self.settings.think_s))
        return sends

    def on_fault(self, fault: Fault) -> None:
        """Somebody at the screen stops the drive or takes it out of serial mode."""
        if fault.name == "keypad_stop":
            self.running = False
        elif fault.name == "local_mode":
            self.serial_mode = False
        elif fault.name == "stuck":
            self._shown = {question: self._tell(question) for question in QUESTIONS}

    def with_other_unit(self, reply: bytes) -> bytes:
        """The state of the next address; other answers carry none."""
        address = self.settings.address
        if reply.startswith(f"{address},".encode()):
            return f"{address % 8 + 1}".encode() + reply[1:]
        return reply

    def describe(self) -> Mapping[str, object]:
        """Run state, serial mode, set and true speed in rpm, counted ml, delivered ml/min."""
        return {
            "running": self.running,
            "serial_mode": self.serial_mode,
            "clockwise": self.clockwise,
            "set_rpm": round(self.set_rpm, 2),
            "rpm": round(self.rpm, 2),
            "counted_ml": round(self._turned * self.settings.ml_per_rev, 1),
            "ml_min": round(self.ml_min, 1),
        }

    def _answer(self, text: str) -> str:
        if text in ("RE1", "RE0"):
            return self._enter(text == "RE1")
        if text in QUESTIONS:
            told = self.serial_mode or self.settings.tells_out_of_serial_mode
            return self._tell(text) if told else LOCAL
        if not self._is_known(text):
            return INVALID
        if not self.serial_mode:
            return LOCAL
        return INVALID if self.faults.has("refuses") else self._obey(text)

    def _enter(self, wanted: bool) -> str:
        if wanted and self.faults.has("local_mode"):
            return LOCAL
        self.serial_mode = wanted
        return DONE

    def _is_known(self, text: str) -> bool:
        return text in tuple("HIJKW") or bool(SPEED.fullmatch(text) or PERCENT.fullmatch(text))

    def _obey(self, text: str) -> str:
        if text in ("H", "I"):
            self.running = text == "H"
        elif text in ("J", "K"):
            self.clockwise = text == "J"
        elif text == "W":
            self._turned = 0.0
        elif found := SPEED.fullmatch(text):
            return self._set_speed(int(found[1]) / 100.0)
        elif found := PERCENT.fullmatch(text):
            return self._set_speed(int(found[1]) / 1000.0 * self.settings.max_rpm)
        return DONE

    def _set_speed(self, rpm: float) -> str:
        if not self.settings.min_rpm <= rpm <= self.settings.max_rpm:
            return INVALID
        self.set_rpm = rpm
        return DONE

    def _tell(self, question: str) -> str:
        if self.faults.has("stuck") and self._shown:
            return self._shown[question]
        device = self.settings
        match question:
            case "RC":
                return f"{device.address},{int(self.running)},{int(not self.clockwise)}"
            case "R":
                return f"{self.set_rpm:.{device.rpm_decimals}f}"
            case "S":
                return f"{self.set_rpm / device.max_rpm * 100:.1f}"
            case ":":
                return f"{self._turned * device.ml_per_rev:.1f} mL"
            case "RB":
                return f"{self._turned:.2f}"
            case "E":
                return "+" if self.running else "-"
            case _:
                return f"{device.model} {device.interface_version}"
