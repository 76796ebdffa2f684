"""Watson-Marlow 520Du and 323Du pump drives, RS-232/RS-485 control codes (520DuN manual p. 76,
323Du manual p. 27, 505Di manual p. 6): no checksum, no acknowledgement, silence for errors."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.devices.instrument import Fault, Instrument, Send, SerialLine
from simulator.devices.text_line import Command, CommandBuffer

COMMAND = re.compile(r"(#|\d{1,2})(SP|SI|SD|GO|ST|RR|RL|RC|RS|RT|TC|ZY|DO|CA|CH|W)(.*)", re.S)
REPLIES = frozenset({"RS", "RT", "ZY"})
TACHO_ROLL_OVER = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpSettings:
    """One drive with its head and tube. Not in the manuals, hence settings: what ends RT and ZY
    replies, a CR after each reply, how a speed beyond the limits is taken, the state at power-up.

    `calibration_error` is the true ml/rev against the reported one: 0.05 delivers 5 % more.
    """

    model: str = "520Du"
    number: int = 1
    long_status: bool = True
    ml_per_rev: float = 15.84
    head: str = "520R"
    tube: str = "9.6MM"
    min_rpm: float = 0.1
    max_rpm: float = 220.0
    rpm_digits: int = 1
    pulses_per_rev: int = 10982
    echo: bool = False
    reply_end: str = " !\r"
    quiet_s: float = 0.010
    think_s: float = 0.005
    clamps_speed: bool = True
    ramp_s: float = 1.0
    calibration_error: float = 0.0
    power_up_rpm: float = 60.0

    @classmethod
    def dialect_323(cls, **changes: object) -> "PumpSettings":
        """The 323Du: short status, whole rpm from 3 to 400, echo on as shipped."""
        made: dict[str, object] = {
            "model": "323Du",
            "long_status": False,
            "min_rpm": 3.0,
            "max_rpm": 400.0,
            "rpm_digits": 0,
            "echo": True,
            "head": "313D",
            "ml_per_rev": 2.4,
        }
        return cls(**(made | changes))  # type: ignore[arg-type]


class PeristalticPump(Instrument):
    """The drive, its ramp, its tachometer, and the flow that its rotation would deliver."""

    title = "Watson-Marlow peristaltic pump"
    serial = SerialLine(baud=9600, stop_bits=2)
    has_address = True
    fault_names = frozenset({"refuses", "stuck", "stall", "local_mode", "keypad_stop"})

    def __init__(self, settings: PumpSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or PumpSettings()
        self.title = f"Watson-Marlow {self.settings.model} peristaltic pump"
        self._commands = CommandBuffer()
        self._handlers: dict[str, Callable[[str], None]] = {
            "SP": self._set_speed,
            "SI": lambda _: self._limit(self.set_rpm + 1.0),
            "SD": lambda _: self._limit(self.set_rpm - 1.0),
            "GO": lambda _: self._run(True),
            "ST": lambda _: self._run(False),
            "RR": lambda _: self._turn(True),
            "RL": lambda _: self._turn(False),
            "RC": lambda _: self._turn(not self.clockwise),
            "TC": lambda _: self._zero_tacho(),
            "DO": self._dose,
        }
        self.power_up()

    def power_up(self) -> None:
        """Stopped, clockwise, tachometer at zero, the speed that the settings give."""
        self.running = False
        self.clockwise = True
        self.set_rpm = self.settings.power_up_rpm
        self.rpm = 0.0
        self._pulses = 0.0
        self._dose_left: float | None = None
        self._quiet_until_s = float("-inf")
        self._shown: tuple[str, str, str] | None = None
        self._commands.clear()

    @property
    def ml_min(self) -> float:
        """Flow that the rotation would deliver in ml/min, negative while it turns backwards."""
        true_ml_per_rev = self.settings.ml_per_rev * (1.0 + self.settings.calibration_error)
        return self.rpm * true_ml_per_rev

    @property
    def tacho(self) -> int:
        """Tachometer pulses since the count was cleared."""
        return int(self._pulses) % TACHO_ROLL_OVER

    def start(self, rpm: float) -> None:
        """Set the room up with the pump already running at this speed."""
        self._limit(rpm)
        self.running = self.set_rpm > 0.0
        self.rpm = self.set_rpm if self.running else 0.0

    def sample(self, dt_s: float) -> None:
        """Ramp towards the set speed (0 to full in `ramp_s`) and count the pulses of the turn."""
        stalled = self.faults.has("stall")
        target = (self.set_rpm if self.clockwise else -self.set_rpm) if self.running else 0.0
        step = self.settings.max_rpm / self.settings.ramp_s * dt_s
        before = self.rpm
        self.rpm = 0.0 if stalled else max(before - step, min(before + step, target))
        turned = abs(before + self.rpm) / 2.0 * dt_s / 60.0 * self.settings.pulses_per_rev
        self._pulses += 0.0 if stalled else turned
        if self._dose_left is not None:
            self._dose_left -= turned
            if self._dose_left <= 0.0:
                self._run(False)

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Do what complete commands ask; only RS, RT and ZY answer."""
        sends = [Send(data)] if self.settings.echo else []
        for command in self._commands.feed(data, now_s, sent_s):
            if reply := self._obey(command):
                sends.append(Send(reply.encode("latin-1"), self.settings.think_s))
        return sends

    def on_fault(self, fault: Fault) -> None:
        """Somebody at the drive: stops it at the keypad, or takes it out of remote control."""
        if fault.name == "keypad_stop":
            self._run(False)
        if fault.name == "stuck":
            self._shown = self._replies()

    def with_other_unit(self, reply: bytes) -> bytes:
        """A long status with the next pump number; other replies carry no number."""
        mine = f" P/N {self.settings.number} ".encode()
        return reply.replace(mine, f" P/N {self.settings.number + 1} ".encode())

    def describe(self) -> Mapping[str, object]:
        """Run state, set and true speed in rpm, tachometer, delivered ml/min."""
        return {
            "running": self.running,
            "clockwise": self.clockwise,
            "set_rpm": round(self.set_rpm, 2),
            "rpm": round(self.rpm, 2),
            "tacho": self.tacho,
            "ml_min": round(self.ml_min, 1),
        }

    def _obey(self, command: Command) -> str:
        """Do one command and give its reply; nothing for what came too soon or is not known."""
        if command.sent_s < self._quiet_until_s:
            return ""
        self._quiet_until_s = command.sent_s + self.settings.quiet_s
        match = COMMAND.fullmatch(command.text)
        if match is None or not self._is_for_me(match[1]):
            return ""
        name, argument = match[2], match[3].strip()
        if name in REPLIES:
            return "" if match[1] == "#" else self._replies()[("RS", "RT", "ZY").index(name)]
        if name in self._handlers and not self._is_local():
            self._handlers[name](argument)
        return ""

    def _is_for_me(self, number: str) -> bool:
        return number == "#" or int(number) == self.settings.number

    def _is_local(self) -> bool:
        return self.faults.has("refuses") or self.faults.has("local_mode")

    def _replies(self) -> tuple[str, str, str]:
        """Replies to RS, RT and ZY."""
        if self.faults.has("stuck") and self._shown:
            return self._shown
        end = self.settings.reply_end
        return self._status() + end, f"{self.tacho}{end}", f"{int(self.running)}{end}"

    def _status(self) -> str:
        rpm = f"{self.set_rpm:.{self.settings.rpm_digits}f}"
        turn, run, device = "CW" if self.clockwise else "CCW", int(self.running), self.settings
        if not device.long_status:
            return f"{device.model} {rpm} {turn} {run}"
        return (
            f"{device.model} {device.ml_per_rev:.2f} {device.head} {device.tube} {rpm} {turn}"
            f" P/N {device.number} {self.tacho} {run}"
        )

    def _set_speed(self, argument: str) -> None:
        if re.fullmatch(r"\d{1,3}(\.\d*)?", argument):
            self._limit(float(argument))

    def _limit(self, rpm: float) -> None:
        """Take a speed: below the slowest is standing still, above the fastest is the fastest."""
        device = self.settings
        if not device.clamps_speed and not device.min_rpm <= rpm <= device.max_rpm:
            return
        limited = 0.0 if rpm < device.min_rpm else min(rpm, device.max_rpm)
        self.set_rpm = round(limited, device.rpm_digits)

    def _run(self, running: bool) -> None:
        self.running = running
        self._dose_left = None

    def _turn(self, clockwise: bool) -> None:
        self.clockwise = clockwise

    def _zero_tacho(self) -> None:
        self._pulses = 0.0

    def _dose(self, argument: str) -> None:
        if re.fullmatch(r"\d{1,10}(,\d{1,5})?", argument):
            self._run(True)
            self._dose_left = float(argument.split(",")[0])
