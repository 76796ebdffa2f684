"""MasterFlex (Avantor) peristaltic pump drives with a USB serial port.

Source: the maker's own open client masterflex-serial (message.py, protocol.py). A command is
answered by `*` (done), `#` (invalid) or `~` (not in serial mode), a question by its value, each
with CR LF. Serial mode (`RE1`) comes first and whatever else ends it. The drive does not tell its
ml per revolution: flow is speed by the site file's `ml_per_rev`, never measured.
"""

import math
import re
from dataclasses import dataclass

from drivers.classes import Done, Identity, Input, Measured, Polled, Serial
from drivers.dialogue import Ask, BadReply, Dialogue, Refused, Reply, Tell
from drivers.frames import arrived, line_of_text, text_of
from drivers.settings import Settings
from service.core.model import CommandState, DeviceClass, DriveStatus, Instant, Unit, Validity

ANSWER_S = 0.2
AFTER_ANSWER_S = 0.005
AFTER_STOP_S = 0.05  # time for the first stop's answer, which is not waited for
SETTLE_S, SETTLE_TRIES = 0.1, 5
RPM_TOLERANCE = 0.02
STATE = re.compile(r"([1-8]),([01]),([01])")
RPM = re.compile(r"\d{1,4}(?:\.\d{1,2})?")
DIRECTIONS = ("cw", "ccw")
TURN = {"cw": "J", "ccw": "K"}
UNKNOWN_ML = "the pump does not tell its ml per revolution; set ml_per_rev in the site file"
LOCAL = "the pump is not in serial mode; look whether somebody works at its screen"


class NotInSerialMode(Refused):
    """The drive answered `~`: it has been switched on again, or somebody works at its screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpState:
    """What `RC` says: whether the motor turns, and its direction, "cw" or "ccw"."""

    running: bool
    direction: str


def decode_answer(data: bytes) -> str:
    """The text of a framed answer; raises `Refused` for `#` and `NotInSerialMode` for `~`."""
    text = text_of(data)
    if text == "~":
        raise NotInSerialMode(LOCAL)
    if text == "#":
        raise Refused("the pump calls the command or its value invalid; look at its fastest speed")
    return text


def decode_done(data: bytes) -> None:
    """Read the answer to a command; raises `BadReply` where it is no answer to one."""
    if decode_answer(data) != "*":
        raise BadReply(f"{arrived(data)} arrived instead of *, # or ~")


def decode_state(data: bytes, address: int) -> PumpState:
    """Read the state of the pump at `address`: address, running, direction."""
    found = STATE.fullmatch(decode_answer(data))
    if not found:
        raise BadReply(f"{arrived(data)} arrived instead of address, running and direction")
    if int(found[1]) != address:
        raise BadReply(f"pump {found[1]} answered instead of pump {address}")
    return PumpState(running=found[2] == "1", direction=DIRECTIONS[int(found[3])])


def decode_rpm(data: bytes) -> float:
    """Read the speed that is set, in rpm."""
    text = decode_answer(data)
    if not RPM.fullmatch(text):
        raise BadReply(f"{arrived(data)} arrived instead of a speed")
    return float(text)


class MasterFlex:
    """Driver of one drive.

    Settings: `ml_per_rev` of head and tube (without it the pump is read and stopped, never run);
    `address` 1-8; `direction` "cw" or "ccw", in which it pushes towards the patient; `max_rpm`,
    the fastest speed of drive and head.
    """

    name = "masterflex"
    device_class = DeviceClass.PUMP
    inputs: tuple[Input, ...] = (
        Input(number=1, unit=Unit.ML_MIN, resolution=1.0, name="flow (calculated)"),
        Input(number=2, unit=Unit.RPM, resolution=0.01, name="speed"),
    )
    manual = "MasterFlex serial communication; the maker's client masterflex-serial, protocol.py"
    revision = "client c7c0b4d of 2026-07-16; none stated for the manual"
    stop_bound_s = 0.35
    pushes = False
    terminator = b"\r"
    quiet_s = 0.05

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=115200))
        self._address = settings.whole("address", 1, 1, 8)
        self.addresses = (self._address,)
        self._ml_per_rev = settings.number("ml_per_rev", None, 0.01, 1000)
        self._direction = settings.choice("direction", "cw", DIRECTIONS)
        self._max_rpm = settings.number("max_rpm", 600.0, 1.0, 9999.0) or 0.0
        settings.finish()

    def identify(self) -> Dialogue[Identity]:
        """Switch serial mode on, without which nothing is answered, and ask for the model."""
        decode_done((yield self._question("RE1")).data)
        model, _, version = decode_answer((yield self._question("#")).data).partition(" ")
        return Identity(model=f"MasterFlex {model}", firmware=version)

    def poll(self) -> Dialogue[Polled]:
        """Read run state and speed; a drive out of serial mode has no values and is not remote."""
        reply = yield self._question("RC")
        try:
            state = decode_state(reply.data, self._address)
            rpm = decode_rpm((yield self._question("R")).data)
        except NotInSerialMode as local:
            status = DriveStatus(running=None, setpoint=None, remote=False, fault=str(local))
            return Polled(at=reply.at, measured=_unknown(str(local)), status=status)
        status = DriveStatus(
            running=state.running,
            setpoint=None if self._ml_per_rev is None else round(rpm * self._ml_per_rev),
            remote=True,
            fault=self._fault(state),
        )
        return Polled(at=reply.at, measured=self._measured(state, rpm), status=status)

    def run(self, flow_ml_min: float) -> Dialogue[Done]:
        """Set direction and speed, start, and read all back; the value is the flow that results."""
        if not (math.isfinite(flow_ml_min) and flow_ml_min > 0):
            return _refused(f"{flow_ml_min} ml/min is not a flow to run at; use stop")
        if self._ml_per_rev is None:
            return _refused(UNKNOWN_ML)
        rpm = round(flow_ml_min / self._ml_per_rev, 2)
        if not 0 < rpm <= self._max_rpm:
            return _refused(
                f"{flow_ml_min:g} ml/min would be {rpm:g} rpm with {self._ml_per_rev:g} ml/rev, "
                f"the pump turns at most {self._max_rpm:g} rpm"
            )
        state, _ = yield from self._state()
        if state.running and state.direction != self._direction:
            return _refused(self._fault(state))
        if state.direction != self._direction:
            yield from self._order(TURN[self._direction])
        yield from self._set_speed(rpm)
        if not state.running:
            yield from self._order("H")
        return (yield from self._settled(rpm, self._ml_per_rev, running=True))

    def lower(self, flow_ml_min: float) -> Dialogue[Done]:
        """Slow down to this flow; a pump that stands or is slower is left as it is."""
        if self._ml_per_rev is None:
            return _refused(UNKNOWN_ML)
        rpm = round(max(flow_ml_min, 0.0) / self._ml_per_rev, 2)
        state, _ = yield from self._state()
        now_rpm = decode_rpm((yield from self._ask("R")).data)
        if not state.running or now_rpm <= rpm:
            flow = float(round(now_rpm * self._ml_per_rev)) if state.running else None
            return Done(state=CommandState.CONFIRMED, value=flow)
        yield from self._set_speed(rpm)
        return (yield from self._settled(rpm, self._ml_per_rev, running=None))

    def off(self) -> Dialogue[Done]:
        """Stop, and read back that the motor stands, whatever it answered.

        The first stop is told: a question would wait until the line is quiet.
        """
        yield Tell(tx=self._message("I"), quiet_s=AFTER_STOP_S)
        said = ""
        try:
            yield from self._order("I")
        except Refused as refused:
            said = f" ({refused})"
        for _ in range(SETTLE_TRIES):
            state, _ = yield from self._state(SETTLE_S)
            if not state.running:
                return Done(state=CommandState.CONFIRMED)
        return _refused(f"the pump says that it still runs; stop it at its screen{said}")

    def _settled(self, rpm: float, ml_per_rev: float, running: bool | None) -> Dialogue[Done]:
        for _ in range(SETTLE_TRIES):
            state, _ = yield from self._state()
            now_rpm = decode_rpm((yield from self._ask("R", SETTLE_S)).data)
            ways = state.direction == self._direction or running is None
            if abs(now_rpm - rpm) <= RPM_TOLERANCE and running in (None, state.running) and ways:
                value = float(round(now_rpm * ml_per_rev))
                return Done(state=CommandState.CONFIRMED, value=value)
        shown = f"{now_rpm:g} rpm {state.direction}, {'running' if state.running else 'stopped'}"
        return _refused(f"the pump shows {shown} instead of {rpm:g} rpm {self._direction}")

    def _fault(self, state: PumpState) -> str:
        if state.running and state.direction != self._direction:
            return (
                f"the pump turns {state.direction}, the site file says {self._direction}: stop it "
                "and look which way the tube is laid"
            )
        return "" if self._ml_per_rev else UNKNOWN_ML

    def _measured(self, state: PumpState, set_rpm: float) -> tuple[Measured, ...]:
        """Flow and speed, negative while the pump turns the other way."""
        ways = 1 if state.direction == self._direction else -1
        rpm = ways * set_rpm if state.running else 0.0
        if self._ml_per_rev is None:
            return _unknown(UNKNOWN_ML)[0], Measured(input=2, value=rpm)
        return Measured(input=1, value=float(round(rpm * self._ml_per_rev))), Measured(
            input=2, value=rpm
        )

    def _set_speed(self, rpm: float) -> Dialogue[None]:
        yield from self._order(f"R{round(rpm * 100):06d}")

    def _order(self, command: str) -> Dialogue[None]:
        decode_done((yield from self._ask(command)).data)

    def _state(self, quiet_s: float = AFTER_ANSWER_S) -> Dialogue[tuple[PumpState, Instant]]:
        reply = yield from self._ask("RC", quiet_s)
        return decode_state(reply.data, self._address), reply.at

    def _ask(self, command: str, quiet_s: float = AFTER_ANSWER_S) -> Dialogue[Reply]:
        """Ask for an order's sake: a drive out of serial mode is put back into it, once."""
        reply = yield self._question(command, quiet_s)
        if text_of(reply.data) == "~":
            decode_done((yield self._question("RE1")).data)
            reply = yield self._question(command, quiet_s)
        return reply

    def _question(self, command: str, quiet_s: float = AFTER_ANSWER_S) -> Ask:
        tx = self._message(command)
        return Ask(tx=tx, reply=line_of_text, timeout_s=ANSWER_S, quiet_s=quiet_s)

    def _message(self, command: str) -> bytes:
        return f"{self._address}{command}\r".encode()


def _unknown(reason: str) -> tuple[Measured, Measured]:
    absent = Validity.NOT_AVAILABLE
    flow = Measured(input=1, value=None, validity=absent, reason=reason)
    return flow, Measured(input=2, value=None, validity=absent, reason=reason)


def _refused(reason: str) -> Done:
    return Done(state=CommandState.REFUSED, reason=reason)
