"""Watson-Marlow 505, 520, 620 and 720 peristaltic pumps, and the 323 as a dialect of them.

Manuals: 323Du p. 27, 505Di p. 6, 505Du p. 15, 520DuN p. 76, 620DuN p. 82, 720DuN p. 77. Nothing but
`RS` and `RT` is answered and there is no error reply: success is what `RS` reads back. The long
status carries ml per revolution and a count of tacho pulses; the 323 has neither, so its
`ml_per_rev` comes from the site file. Flow is calculated from it, never measured.
"""

import math
import re
from dataclasses import dataclass

from drivers.classes import Done, Identity, Input, Measured, Polled, Serial
from drivers.dialogue import Ask, BadReply, Dialogue, Framer, NoReply, Reply, Tell
from drivers.frames import LONGEST_LINE, arrived
from drivers.settings import Settings
from service.core.model import CommandState, DeviceClass, DriveStatus, Instant, Unit, Validity

NUMBER = r"\d{1,9}(?:\.\d{1,6})?"
LONG = re.compile(
    rf"(?P<model>\w+) +(?P<ml>{NUMBER}) +\S.*? +(?P<rpm>{NUMBER}) +(?P<dir>CW|CCW)"
    r" +P/N +(?P<number>\d{1,2}) +(?P<tacho>\d{1,12}) +(?P<run>[01]) *!"
)
SHORT = re.compile(rf"(?P<model>\w+) +(?P<rpm>{NUMBER}) +(?P<dir>CW|CCW) +(?P<run>[01]) *!")
COUNT = re.compile(r"(\d{1,12}) *!?")
COUNT_END = re.compile(rb"(?:^|[\r\n!])[^A-Za-z\r\n!]+[\r\n!]")
FASTEST_RPM = 1000.0
"""No pump of these families turns faster (323: 400 rpm, 720: 360 rpm): beyond it is rubbish."""
QUIET_S = 0.015  # 10 ms are asked for
SETTLE_S = 0.1
SETTLE_TRIES = 5
TACHO_PATIENCE_S = 2.0
RPM_TOLERANCE = 0.6
ML_PER_REV_TOLERANCE = 0.02
UNPROVEN = "the tacho has never counted: look whether the pump head turns"
UNKNOWN_ML = "the pump does not tell its ml per revolution; set ml_per_rev in the site file"


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpState:
    """What `RS` says. `rpm` is the speed set; the short form leaves the other figures None."""

    model: str
    rpm: float
    direction: str
    running: bool
    ml_per_rev: float | None = None
    pump_number: int | None = None
    tacho: int | None = None


def frame_status(data: bytes) -> int | None:
    """Frame a status: everything up to and with `!`."""
    end = data.find(b"!")
    if end < 0 and len(data) > LONGEST_LINE:
        raise BadReply(f"{arrived(data)} arrived without the ! that ends a status")
    return end + 1 if end >= 0 else None


def decode_status(data: bytes) -> PumpState:
    """Read a framed status of either form; raises `BadReply` where it is neither.

    What stands before the last line end is the late echo of earlier commands.
    """
    text = re.split(r"[\r\n]", data.decode("latin-1").strip("\r\n"))[-1].strip(" ")
    found = LONG.fullmatch(text) or SHORT.fullmatch(text)
    if found is None or not text.isascii():
        raise BadReply(f"{arrived(data)} arrived, which is no status of a Watson-Marlow pump")
    part = found.groupdict()
    state = PumpState(
        model=part["model"],
        rpm=float(part["rpm"]),
        direction=part["dir"],
        running=part["run"] == "1",
        ml_per_rev=float(part["ml"]) if "ml" in part else None,
        pump_number=int(part["number"]) if "number" in part else None,
        tacho=int(part["tacho"]) if "tacho" in part else None,
    )
    if state.rpm > FASTEST_RPM or state.ml_per_rev == 0:
        raise BadReply(f"{arrived(data)} arrived, which no pump of this family can mean")
    return state


def frame_count(data: bytes) -> int | None:
    """Frame the tacho count that `RT` gives, up to `!` or a line end, behind echoes of commands."""
    found = COUNT_END.search(data)
    return found.end() if found else None


def decode_count(data: bytes) -> int:
    """Read a framed tacho count."""
    text = re.split(r"[\r\n]", data.decode("latin-1").strip("\r\n "))[-1]
    found = COUNT.fullmatch(text)
    if found is None:
        raise BadReply(f"{arrived(data)} arrived instead of a tacho count")
    return int(found[1])


class Rotation:
    """Proof that the pump turns: its tacho must count while it says that it runs.

    A tacho that was never seen counting proves nothing either way: not every pump has one that
    does, and a pump that never turned is told by the flow meter.
    """

    def __init__(self, *, counts: bool = False) -> None:
        self.counts = counts
        self._count: int | None = None
        self._since: Instant | None = None

    def stands(self, state: PumpState, count: int | None, at: Instant) -> bool:
        """True once the count stood still for 2 s and for one revolution that was due."""
        self.counts |= None not in (count, self._count) and count != self._count
        if not state.running or count is None or count != self._count or self._since is None:
            self._count, self._since = count, at
            return False
        stood_s = at.seconds_since(self._since)
        return stood_s > TACHO_PATIENCE_S and stood_s * state.rpm / 60 >= 1


class WatsonMarlow:
    """Driver of one pump.

    Settings: `address` 1-32; `ml_per_rev` (needed by the 323, checked against what others report);
    `separator`, "" or " ", between `SP` and the number.
    """

    name = "watson_marlow"
    device_class = DeviceClass.PUMP
    inputs: tuple[Input, ...] = (
        Input(number=1, unit=Unit.ML_MIN, resolution=1.0, name="flow (calculated)"),
        Input(number=2, unit=Unit.RPM, resolution=0.1, name="speed"),
    )
    manual = "Watson-Marlow 323Du p. 27; 505Du p. 15; 520DuN p. 76; 620DuN p. 82; 720DuN p. 77"
    revision = "none stated; copies seen: manualshive.com 876375 (323), easymanua.ls"
    stop_bound_s = 0.45
    pushes = False
    terminator = b"\r"
    quiet_s = QUIET_S

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=9600, stopbits=2))
        self._number = settings.whole("address", 1, 1, 32)
        self.addresses = (self._number,)
        self._set_ml_per_rev = settings.number("ml_per_rev", None, 0.01, 1000)
        self._separator = settings.choice("separator", "", ("", " "))
        settings.finish()
        self._counts = False
        self._rotation = Rotation()

    def identify(self) -> Dialogue[Identity]:
        """Read the status, and find out whether a pump of the short form counts its tacho."""
        state, _ = yield from self._status()
        self._rotation = Rotation(counts=self._rotation.counts)
        self._counts = False
        if state.tacho is None:
            try:
                decode_count((yield self._ask("RT", frame_count)).data)
                self._counts = True
            except (NoReply, BadReply):
                self._counts = False
        return Identity(model=f"Watson-Marlow {state.model}")

    def poll(self) -> Dialogue[Polled]:
        """Read speed, run flag and tacho count; flow is speed by ml per revolution."""
        state, at = yield from self._status()
        count = state.tacho
        if self._counts:
            count = decode_count((yield self._ask("RT", frame_count)).data)
        stands = self._rotation.stands(state, count, at)
        stuck = stands and self._rotation.counts
        ml_per_rev, fault = self._ml_per_rev(state)
        if stuck:
            fault = "running but the tacho does not count: look whether the pump head turns"
        return Polled(
            at=at,
            measured=_measured(state, ml_per_rev, stuck, unproven=stands and not stuck),
            status=DriveStatus(
                running=state.running,
                setpoint=round(state.rpm * ml_per_rev) if ml_per_rev else None,
                fault=fault,
            ),
        )

    def run(self, flow_ml_min: float) -> Dialogue[Done]:
        """Set the speed, start, and read back both; the value is the flow that results."""
        if not (math.isfinite(flow_ml_min) and flow_ml_min > 0):
            return _refused(f"{flow_ml_min} ml/min is not a flow to run at; use stop")
        state, _ = yield from self._status()
        ml_per_rev, fault = self._ml_per_rev(state)
        if ml_per_rev is None or fault:
            return _refused(fault)
        rpm = self._rpm(flow_ml_min, ml_per_rev, state)
        if not 0 < rpm <= FASTEST_RPM:
            return _refused(f"{flow_ml_min:g} ml/min would be {rpm:g} rpm with {ml_per_rev} ml/rev")
        yield self._set_speed(rpm)
        yield self._tell("GO")
        return (yield from self._settled(rpm, ml_per_rev, running=True))

    def lower(self, flow_ml_min: float) -> Dialogue[Done]:
        """Slow down to this flow; a pump that stands or is slower is left as it is."""
        state, _ = yield from self._status()
        ml_per_rev = state.ml_per_rev or self._set_ml_per_rev
        if ml_per_rev is None:
            return _refused(UNKNOWN_ML)
        rpm = self._rpm(max(flow_ml_min, 0.0), ml_per_rev, state)
        if not state.running or state.rpm <= rpm:
            flow = float(round(state.rpm * ml_per_rev)) if state.running else None
            return Done(state=CommandState.CONFIRMED, value=flow)
        yield self._set_speed(rpm)
        return (yield from self._settled(rpm, ml_per_rev, running=None))

    def off(self) -> Dialogue[Done]:
        """Stop, and read back that the run flag is down."""
        yield self._tell("ST")
        for _ in range(SETTLE_TRIES):
            state, _ = yield from self._status(settle_s=SETTLE_S)
            if not state.running:
                return Done(state=CommandState.CONFIRMED)
        return _refused("the pump says that it still runs; stop it at its keys")

    def _settled(self, rpm: float, ml_per_rev: float, running: bool | None) -> Dialogue[Done]:
        for _ in range(SETTLE_TRIES):
            state, _ = yield from self._status(settle_s=SETTLE_S)
            right_speed = abs(state.rpm - rpm) <= max(RPM_TOLERANCE, rpm / 100)
            if right_speed and running in (None, state.running):
                flow = float(round(state.rpm * ml_per_rev))
                return Done(state=CommandState.CONFIRMED, value=flow)
        shown = f"{state.rpm:g} rpm, {'running' if state.running else 'stopped'}"
        return _refused(
            f"the pump shows {shown} instead of {rpm:g} rpm; look whether it is set to remote and "
            "whether its head can turn this fast"
        )

    def _ml_per_rev(self, state: PumpState) -> tuple[float | None, str]:
        """Millilitres per revolution, and what is wrong with it for driving the pump."""
        told, wanted = state.ml_per_rev, self._set_ml_per_rev
        if told is None:
            return wanted, "" if wanted else UNKNOWN_ML
        if wanted is not None and abs(told - wanted) > ML_PER_REV_TOLERANCE * wanted:
            return told, (
                f"the pump is set to {told:g} ml per revolution, the site file says {wanted:g}; "
                "look which tube is in the head and correct the other"
            )
        return told, ""

    def _rpm(self, flow_ml_min: float, ml_per_rev: float, state: PumpState) -> float:
        """Speed for a flow, as fine as the pump takes it: the 323 turns at whole rpm."""
        return round(flow_ml_min / ml_per_rev, 0 if state.ml_per_rev is None else 1)

    def _status(self, settle_s: float = QUIET_S) -> Dialogue[tuple[PumpState, Instant]]:
        reply: Reply = yield Ask(
            tx=f"{self._number}RS\r".encode(), reply=frame_status, quiet_s=settle_s
        )
        state = decode_status(reply.data)
        if state.pump_number not in (None, self._number):
            raise BadReply(f"pump {state.pump_number} answered instead of pump {self._number}")
        return state, reply.at

    def _ask(self, command: str, reply: Framer) -> Ask:
        return Ask(tx=f"{self._number}{command}\r".encode(), reply=reply, quiet_s=QUIET_S)

    def _tell(self, command: str) -> Tell:
        return Tell(tx=f"{self._number}{command}\r".encode(), quiet_s=QUIET_S)

    def _set_speed(self, rpm: float) -> Tell:
        return self._tell(f"SP{self._separator}{rpm:.1f}".removesuffix(".0"))


def _measured(
    state: PumpState, ml_per_rev: float | None, stuck: bool, *, unproven: bool
) -> tuple[Measured, Measured]:
    rpm = state.rpm if state.running else 0.0
    doubt, sure = Validity.QUESTIONABLE, Validity.VALID
    validity, reason = (doubt, "the tacho does not count") if stuck else (sure, "")
    speed = Measured(
        input=2,
        value=round(rpm, 1),
        validity=doubt if unproven else validity,
        reason=UNPROVEN if unproven else reason,
    )
    if ml_per_rev is None:
        absent = Validity.NOT_AVAILABLE
        return Measured(input=1, value=None, validity=absent, reason=UNKNOWN_ML), speed
    flow = float(round(rpm * ml_per_rev))
    return Measured(input=1, value=flow, validity=validity, reason=reason), speed


def _refused(reason: str) -> Done:
    return Done(state=CommandState.REFUSED, reason=reason)
