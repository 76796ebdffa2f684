"""From what the session wants to orders for the drives, with leases and numbered outcomes.

Off is repeated under its own number until it is confirmed; a drive found running again after that
is ordered off again. A run order is never repeated blindly: it is renewed under its own number, and
a new number means a new decision.
"""

from collections.abc import Mapping

from service.core import channels
from service.core.changing import replace
from service.core.effects import (
    ContactorDrop,
    ContactorHold,
    Effect,
    HeaterOff,
    HeaterRun,
    PumpRun,
    PumpStop,
)
from service.core.events import Outcome
from service.core.model import CommandState, DeviceClass, DriveStatus, LinkState, Phase
from service.core.state import Drive, Heat, Session, Side, State

HEATER_LEASE_S = 15.0
PUMP_LEASE_S = 30.0
RENEW_S = 5.0
REPEAT_OFF_S = 5.0
BATH_STEP_C = 0.1
BATH_INTERVAL_S = 2.0
"""Real seconds. The pump's lease is the longest that it may turn unwatched; the bath set-point
moves in steps that the slow heater line (250 ms quiet after each write) can follow."""

SAME_SHARE = 0.01
SAME_C = 0.06
"""A set-point read back within this of the order is the order: share of a flow, °C of a bath."""

CLOSED = 1.0
CONTACTOR_LEASE_S = 6.0
CONTACTOR_RENEW_S = 2.0
"""Real seconds: a core that no longer renews lets the contactors open; a dead process does not even
feed their own watchdog."""

OPENS_CONTACTOR = frozenset(
    {"stop_or_abort", "heater_not_off", "heats_unasked", "switches_stopped"}
)
"""Interlocks that take the power away: what was ordered off and is not proven off, and a stop."""

CLASSES: Mapping[str, DeviceClass] = {
    "heater": DeviceClass.HEATER,
    "pump": DeviceClass.PUMP,
    "contactor": DeviceClass.SWITCHES,
}

FAILED = (CommandState.UNKNOWN, CommandState.REFUSED)
PUMPING = frozenset(
    {Phase.PRIME, Phase.FILL, Phase.HEAT_UP, Phase.DRUG_ADDITION, Phase.PERFUSE, Phase.RINSE}
)
POWERED = PUMPING | {Phase.DRAIN}


def issue(state: State) -> tuple[State, list[Effect]]:
    """Order what has changed since the last orders: first whatever makes safe."""
    heater, heater_effects = _heater(state)
    pump, pump_effects = _pump(state)
    contactor, contactor_effects = _contactor(state)
    effects = [*heater_effects, *pump_effects, *contactor_effects]
    if not effects:
        return state, []
    return replace(state, heater=heater, pump=pump, contactor=contactor), effects


def decided_anew(state: State) -> State:
    """A person decides: a drive that was held, or whose last order failed, is ordered anew."""
    heater, pump, contactor = state.heater, state.pump, state.contactor
    if heater.outcome in FAILED:
        heater = replace(heater, ordered=None)
    if pump.held or pump.outcome in FAILED:
        pump = replace(pump, held=False, ordered=None)
    if contactor.outcome in FAILED:
        contactor = replace(contactor, wanted=None)
    return replace(state, heater=heater, pump=pump, contactor=contactor)


def off_anew(state: State, *, pump: bool) -> State:
    """A person orders off: it is ordered and read back even where it should be off already."""
    state = replace(state, heater=_off_anew(state.heater))
    return replace(state, pump=_off_anew(state.pump)) if pump else state


def _off_anew(drive: Drive) -> Drive:
    under_way = drive.wanted is None and drive.outcome is CommandState.REQUESTED
    return drive if under_way else replace(drive, touched=True, ordered=None)


def settle(state: State, outcome: Outcome) -> State:
    """Note what became of an order; those of older orders and repetitions say nothing new."""
    drive = _named(state)[outcome.drive]
    if outcome.order != drive.order or outcome.state is drive.outcome:
        return state
    drive = replace(drive, outcome=outcome.state, reason=outcome.reason, settled=outcome.at)
    return _with(state, outcome.drive, drive)


def heard(state: State, device: str, status: DriveStatus) -> State:
    """A drive's own word answers the question that an unknown outcome leaves."""
    unknown = CommandState.UNKNOWN
    if unknown not in (state.heater.outcome, state.pump.outcome, state.contactor.outcome):
        return state
    for name, drive in _named(state).items():
        own = device == channels.drive_device(state, CLASSES[name])
        if own and drive.outcome is unknown and _is_as_wanted(name, drive, status):
            drive = replace(drive, outcome=CommandState.CONFIRMED, settled=state.now)
            return _with(state, name, drive)
    return state


def _is_as_wanted(name: str, drive: Drive, status: DriveStatus) -> bool:
    if drive.wanted is None or status.running is not True:
        return drive.wanted is None and status.running is False
    if status.setpoint is None:
        return drive.wanted == CLOSED
    same = SAME_C if name == "heater" else SAME_SHARE * drive.wanted
    return abs(status.setpoint - drive.wanted) <= same


def _with(state: State, name: str, drive: Drive) -> State:
    match name:
        case "heater":
            return replace(state, heater=drive)
        case "pump":
            return replace(state, pump=drive)
    return replace(state, contactor=drive)


def _named(state: State) -> Mapping[str, Drive]:
    return {"heater": state.heater, "pump": state.pump, "contactor": state.contactor}


def wanted_flow_ml_min(session: Session) -> tuple[float | None, str]:
    """The flow that the pump may run at now, None is stop, and what lowered it."""
    blocks = session.blocks.values()
    if stops := [block.text for block in blocks if block.pump]:
        return None, "; ".join(stops)
    if session.side in (Side.PAUSE, Side.ABORT):
        return None, f"session is in {session.side}"
    if session.phase not in PUMPING:
        return None, f"no flow in phase {session.phase}"
    if session.flow_ml_min is None:
        return None, "no flow set"
    if slow := [block.text for block in blocks if block.pump_minimum]:
        least = session.protocol.perfusate.flow_min_ml_min
        return min(session.flow_ml_min, least), "; ".join(slow)
    return session.flow_ml_min, ""


def safe_pump_ml_min(state: State) -> float | None:
    """What the supervisor may leave the pump at if this process dies: None keeps it as it is,
    0 stops it, another value is the highest flow allowed."""
    if state.session is None:
        return None
    wanted = state.pump.wanted
    if wanted is None:
        return 0.0
    return min(wanted, state.session.protocol.perfusate.flow_ml_min)


def _heater(state: State) -> tuple[Drive, list[Effect]]:
    drive, session = state.heater, state.session
    wanted = session.heat.bath_c if session else None
    if wanted is None:
        if not _needs_off(state, drive, channels.runs(state, DeviceClass.HEATER)):
            return drive, []
        drive = _switched_off(state, drive)
        reason = session.heat.waits_for if session else "no session is open"
        return drive, [HeaterOff(order=drive.order, reason=reason)]
    if _may_move(state, drive, wanted):
        drive = _ordered(state, drive, wanted)
    elif not _renewal_due(state, drive):
        return drive, []
    drive = replace(drive, renewed_ns=state.now.mono_ns)
    bath_c = wanted if drive.wanted is None else drive.wanted
    return drive, [_run(drive.order, bath_c, session.heat)] if session else []


def _run(order: int, bath_c: float, heat: Heat) -> HeaterRun:
    """The order with what was asked, what was granted and which limit cut it."""
    return HeaterRun(
        order=order,
        bath_c=bath_c,
        lease_s=HEATER_LEASE_S,
        asked_c=None if heat.asked_c is None else round(heat.asked_c, 2),
        granted_c=None if heat.granted_c is None else round(heat.granted_c, 2),
        limited_by=heat.limited_by,
    )


def _may_move(state: State, drive: Drive, wanted: float) -> bool:
    """A new bath set-point: at once from off, else in steps, once the last one is settled."""
    if drive.wanted is None or drive.ordered is None:
        return True
    settled = drive.outcome in (CommandState.CONFIRMED, CommandState.REFUSED)
    waited_s = state.now.seconds_since(drive.ordered)
    moved = abs(round(wanted, 1) - drive.wanted) >= BATH_STEP_C / 2
    return moved and settled and waited_s >= BATH_INTERVAL_S


def _pump(state: State) -> tuple[Drive, list[Effect]]:
    drive, session = state.pump, state.session
    wanted, why = wanted_flow_ml_min(session) if session else (None, "no session is open")
    if wanted is None:
        runs = channels.runs(state, DeviceClass.PUMP)
        if not _pump_is_ours(state) or not _needs_off(state, drive, runs):
            return drive, []
        drive = _switched_off(state, drive)
        return drive, [PumpStop(order=drive.order, reason=why)]
    if drive.held:
        return drive, []
    if drive.wanted is None and not _can_start(state, DeviceClass.PUMP):
        return drive, []
    if drive.wanted != wanted or drive.ordered is None:
        drive = _ordered(state, drive, wanted)
    elif not _renewal_due(state, drive):
        return drive, []
    drive = replace(drive, renewed_ns=state.now.mono_ns)
    return drive, [
        PumpRun(
            order=drive.order,
            flow_ml_min=wanted,
            lease_s=PUMP_LEASE_S,
            asked_ml_min=session.flow_ml_min if session else None,
            limited_by=why,
        )
    ]


def _contactor(state: State) -> tuple[Drive, list[Effect]]:
    """Closed while a session may need heater or pump and nothing takes power away, else open."""
    drive, session = state.contactor, state.session
    if channels.drive_device(state, DeviceClass.SWITCHES) is None:
        return drive, []
    why = "no session is open" if session is None else _opens_contactor(session)
    if why:
        runs = channels.runs(state, DeviceClass.SWITCHES)
        if not drive.touched or not _needs_off(state, drive, runs):
            return drive, []
        drive = _switched_off(state, drive)
        return drive, [ContactorDrop(order=drive.order, reason=why)]
    if drive.wanted is None:
        drive = _ordered(state, drive, CLOSED)
    elif _since_renewed_s(state, drive) < CONTACTOR_RENEW_S:
        return drive, []
    drive = replace(drive, renewed_ns=state.now.mono_ns)
    return drive, [ContactorHold(order=drive.order, lease_s=CONTACTOR_LEASE_S)]


def _opens_contactor(session: Session) -> str:
    """Why the contactors must be open now ("" when they may be closed)."""
    opening = [block.text for cause, block in session.blocks.items() if cause in OPENS_CONTACTOR]
    if opening:
        return "; ".join(opening)
    return "" if session.phase in POWERED else f"nothing needs power in {session.phase}"


def _can_start(state: State, drive: DeviceClass) -> bool:
    """A standing drive is ordered to run once it has power and can hear the order."""
    name = channels.device_of_class(state, drive)
    link = state.links.get(name) if name else None
    return channels.powered(state) and link is not None and link.state is LinkState.LIVE


def _pump_is_ours(state: State) -> bool:
    """A pump that circulates by hand during set-up is left alone until something asks for off."""
    session = state.session
    if state.pump.touched or session is None:
        return state.pump.touched
    blocked = any(block.pump for block in session.blocks.values())
    return session.phase is not Phase.SETUP or session.side is not Side.NONE or blocked


def _needs_off(state: State, drive: Drive, runs: bool | None) -> bool:
    """Off is due: not ordered yet, not proven yet, or undone at the device."""
    if drive.touched and (drive.wanted is not None or drive.ordered is None):
        return True
    unproven = drive.outcome is not CommandState.CONFIRMED and runs is not False
    undone = runs is True and state.session is not None
    waited = drive.ordered is None or _since_renewed_s(state, drive) >= REPEAT_OFF_S
    return (unproven or undone) and waited


def _switched_off(state: State, drive: Drive) -> Drive:
    """Off, under the number that it has been waiting with, and waiting since the first order."""
    already = drive.wanted is None and drive.ordered is not None
    if already and drive.outcome is not CommandState.CONFIRMED:
        return replace(drive, renewed_ns=state.now.mono_ns)
    off = _ordered(state, drive, None)
    return replace(off, ordered=drive.ordered) if already else off


def _ordered(state: State, drive: Drive, wanted: float | None) -> Drive:
    return Drive(
        touched=True,
        wanted=None if wanted is None else round(wanted, 1),
        order=drive.order + 1,
        ordered=state.now,
        renewed_ns=state.now.mono_ns,
        outcome=CommandState.REQUESTED,
    )


def _renewal_due(state: State, drive: Drive) -> bool:
    return _since_renewed_s(state, drive) >= RENEW_S


def _since_renewed_s(state: State, drive: Drive) -> float:
    return (state.now.mono_ns - drive.renewed_ns) / 1e9
