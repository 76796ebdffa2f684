"""Julabo heating circulators (CORIO, MAGIO, DYNEO, F, FL, FP, ME, MA, LC families), RS-232.

Manuals: F38-ME p. 63, FL601 p. 39, SC2500 p. 42, LC 6 p. 46, Magnum 91 p. 65-66, MA-12 p. 44.
IN commands answer one line; OUT commands answer nothing and want 250 ms. A rejected OUT shows
only in the next `STATUS`, once: after each OUT the status is asked first, then the value read back.
After a power cut in remote mode the device stands still: status 02, and nothing restarts it.
"""

import math
import re

from drivers.classes import Done, Identity, Input, Measured, Polled, Serial
from drivers.dialogue import Ask, BadReply, Dialogue, NoReply, Refused, Tell
from drivers.frames import arrived, line_of_text, text_of
from drivers.settings import Settings
from service.core.model import CommandState, DeviceClass, DriveStatus, Unit, Validity

AFTER_OUT_S = 0.26  # 250 ms are asked for
AFTER_IN_S = 0.02  # 10 ms are asked for; the LF behind the CR that ends a reply takes 2 of them
SETPOINT_TOLERANCE_C = 0.06
"""Some families keep the set-point to 0.1 °C only."""
NUMBER = re.compile(r"[+-]?\d{1,4}(?:\.\d{1,20})?")
NO_VALUE = re.compile(r"[-.]{2,}")
STATUS = re.compile(r"(-?\d{1,4})(?:\D.*)?")
MANUAL, RUNNING = (0, 1), (1, 3)
SET_TO_REMOTE = "set the heater to remote"
REJECTIONS = {
    -8: "the heater does not know the command; look which model it is",
    -9: f"the heater does not take the command in this mode; {SET_TO_REMOTE}",
    -10: "the value is too small for the heater",
    -11: "the value is too large for the heater; look at its working range",
    -13: "the value is outside the limits set at the heater; correct them there",
}
ALARMS = {
    -1: "low level alarm: fill the bath",
    -3: "bath above the high warning limit",
    -4: "bath below the low warning limit",
    -5: "working sensor broken or shorted",
    -6: "working and safety sensor differ too much",
    -14: "bath above its excess temperature protection",
    -15: "external sensor missing or broken",
    -33: "safety sensor missing or broken",
    -40: "early warning: level low, fill the bath",
    -41: "early warning: level high",
    -143: "bath above the alarm limit",
    -144: "bath below the alarm limit",
    -1501: "watchdog of the heater: no set-point came in time",
}
IN_WORDS = " (status in words: its alarms are not seen)"
BATH, POWER, EXTERNAL, SAFETY = "IN_PV_00", "IN_PV_01", "IN_PV_02", "IN_PV_03"
EXCESS, SETPOINT, MODE = "IN_PV_04", "IN_SP_00", "IN_MODE_05"


def decode_number(data: bytes) -> float:
    """Read a framed number; raises `BadReply` where the line is none."""
    text = text_of(data)
    if not NUMBER.fullmatch(text):
        raise BadReply(f"{arrived(data)} arrived instead of a number")
    return float(text)


def measured_of(data: bytes, number: int) -> Measured:
    """Read a framed number as the value of input `number`; dashes are a sensor without one."""
    if NO_VALUE.fullmatch(text_of(data)):
        reason = "the heater has no value for this sensor"
        return Measured(input=number, value=None, validity=Validity.INVALID, reason=reason)
    return Measured(input=number, value=round(decode_number(data), 2))


def decode_mode(data: bytes) -> bool:
    """Read whether the device runs: a framed 1 or 0 and nothing else."""
    text = text_of(data)
    if text not in ("0", "1"):
        raise BadReply(f"{arrived(data)} arrived instead of 0 or 1")
    return text == "1"


def decode_status(data: bytes) -> int:
    """Read the number that a status starts with; the text behind it differs by model."""
    found = STATUS.fullmatch(text_of(data))
    if not found:
        raise BadReply(f"{arrived(data)} arrived instead of a status")
    return int(found[1])


class Julabo:
    """Driver of one circulator.

    Settings: `external` (true: input 4 is the external sensor), `excess_temperature_max_c`
    (the heater is not run while its excess temperature protection is set higher than this).
    """

    name = "julabo"
    device_class = DeviceClass.HEATER
    manual = "Julabo F38-ME p. 63; LC 6 p. 46; Magnum 91 p. 65-66; CORIO/MAGIO/DYNEO chapter 11"
    revision = "none stated; copies seen: azmanual.com 563161, 563283, 563267"
    stop_bound_s = 0.45
    pushes = False
    terminator = b"\r"
    quiet_s = AFTER_OUT_S

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=4800, bytesize=7, parity="E"))
        self._excess_max_c = settings.number("excess_temperature_max_c", None, 0.0, 200.0)
        external = settings.flag("external")
        settings.finish()
        bath = Input(number=1, unit=Unit.DEG_C, resolution=0.01, name="bath")
        power = Input(number=2, unit=Unit.PERCENT, resolution=1.0, name="heating power")
        safety = Input(number=3, unit=Unit.DEG_C, resolution=0.1, name="safety sensor")
        outside = Input(number=4, unit=Unit.DEG_C, resolution=0.01, name="external sensor")
        self.inputs: tuple[Input, ...] = (bath, power, safety, *((outside,) if external else ()))
        self._optional = {POWER: 2, SAFETY: 3} | ({EXTERNAL: 4} if external else {})
        self._told: set[str] = set()
        self._excess_c: float | None = None
        self._in_words = False

    def identify(self) -> Dialogue[Identity]:
        """Ask who is there, then once for everything that not every model tells."""
        version = text_of((yield _ask("VERSION")).data)
        if "JULABO" not in version.upper():
            raise Refused(f'this is not a Julabo heater: "{version}" answered; look at the cable')
        self._told = set()
        for command in self._optional:
            if (yield from _optional(command)) is not None:
                self._told.add(command)
        self._excess_c = yield from _optional(EXCESS)
        # An unknown command has left an error behind; whoever drives next must not meet it.
        self._in_words = text_of((yield _ask("STATUS")).data)[0].isalpha()
        return Identity(model=version + IN_WORDS * self._in_words)

    def poll(self) -> Dialogue[Polled]:
        """Read temperatures, power, set-point, run mode and status."""
        reply = yield _ask(BATH)  # the temperature that matters stamps the poll
        measured = [measured_of(reply.data, 1)]
        for command, number in self._optional.items():
            measured.append((yield from self._measure(command, number)))
        setpoint_c = decode_number((yield _ask(SETPOINT)).data)
        mode = yield _ask(MODE)
        status = yield from self._status()
        drive = DriveStatus(
            running=decode_mode(mode.data) or status in RUNNING,
            setpoint=round(setpoint_c, 2),
            remote=None if status is None or status < 0 else status not in MANUAL,
            fault=_alarm(status) or self._excess_fault(),
        )
        return Polled(at=reply.at, measured=tuple(measured), status=drive)

    def run(self, bath_c: float) -> Dialogue[Done]:
        """Set the bath's set-point, start, and read back both; refused unless in remote mode."""
        why_not = self._excess_fault()
        if not (math.isfinite(bath_c) and 0 < bath_c < 100):
            why_not = f"{bath_c} °C is not a bath temperature"
        status = yield from self._status()
        if status in REJECTIONS:  # a leftover of somebody else's command, told just once
            status = yield from self._status()
        why_not = why_not or (SET_TO_REMOTE if status in MANUAL else _alarm(status))
        if why_not:
            return _refused(why_not)
        yield Tell(tx=f"OUT_SP_00 {bath_c:.2f}\r".encode(), quiet_s=AFTER_OUT_S)
        status = yield from self._status()
        if status is None or (status >= 0 and status not in RUNNING):
            yield Tell(tx=b"OUT_MODE_05 1\r", quiet_s=AFTER_OUT_S)
            status = yield from self._status()
        if status is not None and status < 0:
            return _refused(_why(status))
        return (yield from self._read_back(bath_c))

    def off(self) -> Dialogue[Done]:
        """Stop the device, and read back by mode and status that it stands."""
        yield Tell(tx=b"OUT_MODE_05 0\r", quiet_s=AFTER_OUT_S)
        status = yield from self._status()
        runs = decode_mode((yield _ask(MODE)).data)
        if not runs and status not in RUNNING:
            return Done(state=CommandState.CONFIRMED)
        if status in MANUAL:
            return _refused(f"the heater runs in manual mode; stop it at its keys, {SET_TO_REMOTE}")
        said = f" ({_why(status)})" if status is not None and status < 0 else ""
        return _refused(f"the heater still runs; stop it by hand{said}")

    def _status(self) -> Dialogue[int | None]:
        """The number of the status; None from a device that puts it in words alone.

        Such a device is driven by what set-point and run mode read back.
        """
        reply = yield _ask("STATUS")
        try:
            return decode_status(reply.data)
        except BadReply:
            if not self._in_words:
                raise
            return None

    def _read_back(self, bath_c: float) -> Dialogue[Done]:
        setpoint_c = decode_number((yield _ask(SETPOINT)).data)
        if not decode_mode((yield _ask(MODE)).data):
            return _refused("the heater did not start; look at its display")
        if abs(setpoint_c - bath_c) > SETPOINT_TOLERANCE_C:
            return _refused(f"the heater keeps its set-point of {setpoint_c:.2f} °C")
        return Done(state=CommandState.CONFIRMED, value=round(setpoint_c, 2))

    def _measure(self, command: str, number: int) -> Dialogue[Measured]:
        if command not in self._told:
            absent = Validity.NOT_AVAILABLE
            return Measured(input=number, value=None, validity=absent, reason="not told")
        return measured_of((yield _ask(command)).data, number)

    def _excess_fault(self) -> str:
        if self._excess_c is None or self._excess_max_c is None:
            return ""
        if self._excess_c <= self._excess_max_c:
            return ""
        return (
            f"the excess temperature protection is set to {self._excess_c:g} °C; turn it down to "
            f"{self._excess_max_c:g} °C or lower and connect the heater again"
        )


def _ask(command: str) -> Ask:
    return Ask(tx=f"{command}\r".encode(), reply=line_of_text, timeout_s=0.3, quiet_s=AFTER_IN_S)


def _optional(command: str) -> Dialogue[float | None]:
    """A number that not every model tells; silence, or words twice, mean that this one does not."""
    for _ in range(2):
        try:
            return decode_number((yield _ask(command)).data)
        except NoReply:
            return None
        except BadReply:
            continue
    return None


def _alarm(status: int | None) -> str:
    """The fault that a status means, empty for none; a rejected command is no fault."""
    return "" if status is None or status >= 0 or status in REJECTIONS else _why(status)


def _why(status: int) -> str:
    known = REJECTIONS | ALARMS
    return known.get(status, f"the heater reports status {status}; look it up in its manual")


def _refused(reason: str) -> Done:
    return Done(state=CommandState.REFUSED, reason=reason)
