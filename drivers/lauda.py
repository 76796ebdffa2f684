"""LAUDA heating circulators that can be switched to stand-by (PRO, ECO, LOOP, Proline, XT).

Manuals: PRO P 10 p. 45-51, LOOP p. 30-31, ECO Gold RE 1050 p. 70, Ecoline E 200 p. 10-11, MC 250
p. 43. Every write is answered, `OK` or `ERR_n`; success is read back all the same. A host waits for
the reply before it sends again. Numbers have two decimals (`IN_PV_10`: three). What a digit of
`STAT` and an `IN_PV` number mean differs by family, hence they are settings. An Ecoline E 200 has
no `IN_MODE_02`, so nobody could read back that it stopped: it is refused.
"""

import math
import re

from drivers.classes import Done, Identity, Input, Measured, Polled, Serial
from drivers.dialogue import Ask, BadReply, Dialogue, Refused, Reply, Tell
from drivers.frames import arrived, line_of_text, text_of
from drivers.settings import Settings
from service.core.model import CommandState, DeviceClass, DriveStatus, Unit, Validity

ANSWER_S = 0.3
AFTER_ANSWER_S = 0.005  # the LF behind the CR that ends a reply takes 1 ms
AFTER_STOP_S = 0.1  # time for the first stop's answer, which is not waited for
SETTLE_S, SETTLE_TRIES = 0.1, 3
SETPOINT_TOLERANCE_C = 0.006
NUMBER = re.compile(r"-?\d{1,3}\.\d{2,3}")
FLAG = re.compile(r"0{0,2}([01])(?:\.00)?")
STATUS = re.compile(r"(0|-1)(?:\.00)?")
DIGITS = re.compile(r"[0-9]{5,7}")
ERROR = re.compile(r"ERR_(\d{1,2})")
ERRORS = {
    2: "it does not understand the entry; look at baud rate and cable",
    3: "it does not know the command; look which model it is",
    5: "the value is written as it cannot read it",
    6: "the value is not allowed; look at its working range and limits",
    8: "the module or value is not there",
    31: "its set-point comes from the analogue input; switch that off at the heater",
    32: "its upper temperature limit is not above the lower one; correct them there",
    33: "the external temperature sensor is missing",
    34: "the analogue value is missing",
    35: "its safe mode was not set up",
    36: "its own programme is running; end it at the heater",
    37: "its own programme cannot be started",
    38: "it is in safe mode; leave that at the heater",
}
FAULT_DIGITS = {
    "pro": (
        "error",
        "alarm",
        "warning",
        "overtemperature",
        "low level: fill the bath",
        "high level",
        "external temperature missing",
    ),
    "ecoline": (
        "error",
        "pump fault",
        "low level: fill the bath",
        "overtemperature",
        "",
        "external temperature missing",
        "analogue input fault",
    ),
}
BATH, FINE_BATH, SETPOINT, STAND_BY = "IN_PV_00", "IN_PV_10", "IN_SP_00", "IN_MODE_02"


class Rejected(Refused):
    """The heater answered `ERR_n`; the text says what it means."""


def content(data: bytes, prefix: str) -> str:
    """The text of a framed reply without the address; raises `Rejected` where it is an error."""
    text = text_of(data)
    if not text.startswith(prefix):
        raise BadReply(f"{arrived(data)} arrived, which is not from the heater at {prefix[:-1]}")
    text = text.removeprefix(prefix)
    if found := ERROR.fullmatch(text):
        meaning = ERRORS.get(int(found[1]), "look it up in its manual")
        raise Rejected(f"the heater answers {text}: {meaning}")
    return text


def decode_number(text: str) -> float:
    """Read a number of two or three decimals; raises `BadReply` where the text is none."""
    if not NUMBER.fullmatch(text):
        raise BadReply(f'"{text}" arrived instead of a number with two decimals')
    return float(text)


def decode_running(text: str) -> bool:
    """Read stand-by: 0 is on, 1 is off."""
    found = FLAG.fullmatch(text)
    if not found:
        raise BadReply(f'"{text}" arrived instead of 0 or 1')
    return found[1] == "0"


def decode_faulty(text: str) -> bool:
    """Read the status: 0 is none, -1 is a fault."""
    found = STATUS.fullmatch(text)
    if not found:
        raise BadReply(f'"{text}" arrived instead of the status 0 or -1')
    return found[1] == "-1"


def decode_fault(text: str, names: tuple[str, ...]) -> str:
    """What the digits of `STAT` say, in words where `names` has them for this family."""
    if not DIGITS.fullmatch(text):
        raise BadReply(f'"{text}" arrived instead of the digits of STAT')
    set_ = [name for digit, name in zip(text, names, strict=False) if digit != "0" and name]
    return f"the heater reports {', '.join(set_) or 'a fault'} (STAT {text})"


class Lauda:
    """Driver of one circulator.

    Settings: `address` 0-127 (RS-485: each message starts with `A015_`; leave out for RS-232);
    `fine` (true: bath to 0.001 °C by `IN_PV_10`); `external`, the command that tells the external
    sensor ("IN_PV_03" PRO, ECO; "IN_PV_01" Ecoline), makes it input 2; `stat`, "pro" or "ecoline",
    the order of the fault digits; `separator`, "_" or " ".
    """

    name = "lauda"
    device_class = DeviceClass.HEATER
    manual = "LAUDA PRO P 10 p. 45-51; LOOP p. 30-31; ECO Gold RE 1050 p. 70; Ecoline E 200 p. 11"
    revision = "none stated; copies seen: easymanua.ls e-215-t, manualshive.com 3834611"
    stop_bound_s = 0.45
    pushes = False
    terminator = b"\r"
    quiet_s = 0.1

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=9600))
        address = settings.whole("address", 0, 0, 127)
        self._prefix = f"A{address:03d}_" if "address" in given else ""
        self.addresses = (address,) if "address" in given else ()
        self._bath = FINE_BATH if settings.flag("fine") else BATH
        self._external = settings.choice("external", "", ("", "IN_PV_01", "IN_PV_03"))
        self._fault_names = FAULT_DIGITS[settings.choice("stat", "pro", tuple(FAULT_DIGITS))]
        self._separator = settings.choice("separator", "_", ("_", " "))
        settings.finish()
        finest_c = 0.001 if self._bath == FINE_BATH else 0.01
        bath = Input(number=1, unit=Unit.DEG_C, resolution=finest_c, name="bath")
        outside = Input(number=2, unit=Unit.DEG_C, resolution=0.01, name="external sensor")
        self.inputs: tuple[Input, ...] = (bath, *((outside,) if self._external else ()))

    def identify(self) -> Dialogue[Identity]:
        """Ask for the type, and whether it can tell that it stands by."""
        kind, _ = yield from self._ask("TYPE")
        try:
            yield from self._running()
        except Rejected:
            raise Refused(
                f'this heater ("{kind}") does not tell whether it runs (IN_MODE_02), so that it '
                "cannot be driven from here"
            ) from None
        return Identity(model=f"LAUDA {kind}")

    def poll(self) -> Dialogue[Polled]:
        """Read temperatures, set-point, stand-by, status and, with a fault, which one."""
        bath, reply = yield from self._measure(self._bath, 1)
        measured = [bath]
        if self._external:
            measured.append((yield from self._measure(self._external, 2))[0])
        setpoint, _ = yield from self._ask(SETPOINT)
        drive = DriveStatus(
            running=(yield from self._running()),
            setpoint=decode_number(setpoint),
            fault=(yield from self._fault()),
        )
        return Polled(at=reply.at, measured=tuple(measured), status=drive)

    def run(self, bath_c: float) -> Dialogue[Done]:
        """Set the bath's set-point, start, and read back both; refused while there is a fault."""
        if not (math.isfinite(bath_c) and 0 < bath_c < 100):
            return _refused(f"{bath_c} °C is not a bath temperature")
        fault = yield from self._fault()
        if fault:
            return _refused(fault)
        yield from self._order(f"OUT_SP_00_{bath_c:.2f}")
        if not (yield from self._running()):
            yield from self._order("START")
        if not (yield from self._settled(running=True)):
            return _refused("the heater did not start; look at its display")
        setpoint_c = decode_number((yield from self._ask(SETPOINT))[0])
        if abs(setpoint_c - round(bath_c, 2)) > SETPOINT_TOLERANCE_C:
            return _refused(f"the heater keeps its set-point of {setpoint_c:.2f} °C")
        return Done(state=CommandState.CONFIRMED, value=setpoint_c)

    def off(self) -> Dialogue[Done]:
        """Switch to stand-by, and read back that it stands by, whatever it answered.

        The first stop is told: a question would wait until the line is quiet.
        """
        yield Tell(tx=self._message("STOP"), quiet_s=AFTER_STOP_S)
        said = ""
        try:
            yield from self._order("STOP")
        except Rejected as rejected:
            said = f" ({rejected})"
        if (yield from self._settled(running=False)):
            return Done(state=CommandState.CONFIRMED)
        return _refused(f"the heater still runs; stop it by hand{said}")

    def _settled(self, running: bool) -> Dialogue[bool]:
        for _ in range(SETTLE_TRIES):
            if (yield from self._running(SETTLE_S)) == running:
                return True
        return False

    def _running(self, quiet_s: float = AFTER_ANSWER_S) -> Dialogue[bool]:
        return decode_running((yield from self._ask(STAND_BY, quiet_s))[0])

    def _fault(self) -> Dialogue[str]:
        if not decode_faulty((yield from self._ask("STATUS"))[0]):
            return ""
        return decode_fault((yield from self._ask("STAT"))[0], self._fault_names)

    def _measure(self, command: str, number: int) -> Dialogue[tuple[Measured, Reply]]:
        reply = yield self._question(command)
        try:
            value = decode_number(content(reply.data, self._prefix))
        except Rejected as rejected:
            none = Validity.INVALID
            return Measured(input=number, value=None, validity=none, reason=str(rejected)), reply
        return Measured(input=number, value=value), reply

    def _order(self, command: str) -> Dialogue[None]:
        text, _ = yield from self._ask(command)
        if text != "OK":
            raise BadReply(f'"{text}" arrived instead of OK or ERR')

    def _ask(self, command: str, quiet_s: float = AFTER_ANSWER_S) -> Dialogue[tuple[str, Reply]]:
        reply = yield self._question(command, quiet_s)
        return content(reply.data, self._prefix), reply

    def _question(self, command: str, quiet_s: float = AFTER_ANSWER_S) -> Ask:
        tx = self._message(command)
        return Ask(tx=tx, reply=line_of_text, timeout_s=ANSWER_S, quiet_s=quiet_s)

    def _message(self, command: str) -> bytes:
        return f"{self._prefix}{command}\r".replace("_", self._separator).encode()


def _refused(reason: str) -> Done:
    return Done(state=CommandState.REFUSED, reason=reason)
