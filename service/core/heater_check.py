"""Does the heater do what it is told: does it gain with heat asked for, and hold off without?

Both as integrals over what the bath (else the exchanger, else the inflow) did and what the
perfusate took from it, so that a slow failure adds up and one odd reading does not.
"""

from functools import partial

from service.core import channels
from service.core.balance import PERFUSATE_J_ML_K
from service.core.changing import replace
from service.core.estimate import LONGEST_GAP_S, STEP_S
from service.core.model import CommandState, DeviceClass, Role
from service.core.state import HeaterCheck, Session, State

LEAST_W = 500.0
"""Less than half of what a bench circulator gives (1.2-1.4 kW)."""

FALLS_C_PER_S = 0.2 / 60.0
"""A bath that falls faster than this with heat asked for has failed, whatever it has to carry."""

ASKED_C = 0.75
"""Heat is asked for, or surely not, this far below or above the set-point (°C)."""

CERTAIN_SHARE = 0.3
"""Of the heat that the perfusate takes, how much a bath of any size must show in its own fall."""

SETTLES_S = 60.0
LIMIT_C = 0.6


def advance(state: State) -> State:
    """Add up what the last ten treatment seconds showed."""
    session = state.session
    if session is None:
        return state
    before = session.heater_check
    if before is not None and state.treat_s - before.at_s < STEP_S:
        return state
    found = _reading(state)
    if found is None:
        return state
    role, value = found
    after = _added(state, session, before, role, value)
    return replace(state, session=replace(session, heater_check=after))


def _reading(state: State) -> tuple[Role, float] | None:
    for role in (Role.BATH, Role.EXCHANGER, Role.INFLOW):
        if (value := _believed_c(state, role)) is not None:
            return role, value
    return None


def _believed_c(state: State, role: Role) -> float | None:
    """The highest reading of the role, doubted ones included: nothing here raises heat."""
    seen = [channels.believed(state, channel) for channel in channels.of_role(state, role)]
    return max((s.value for s in seen if s is not None and s.value is not None), default=None)


def _added(
    state: State, session: Session, before: HeaterCheck | None, role: Role, value: float
) -> HeaterCheck:
    now = HeaterCheck(at_s=state.treat_s, role=role, value_c=value)
    if before is None:
        return now
    dt_s = state.treat_s - before.at_s
    if (
        before.role is not role
        or dt_s > LONGEST_GAP_S
        or not _settled(state)
        or _jumps(state, role)
    ):
        return replace(now, short_c=before.short_c, excess_c=before.excess_c)
    rose_c = value - before.value_c
    bath_j_k = 1000.0 * session.protocol.trust.bath_kj_k
    carried_c = _carried_w(state) * dt_s / bath_j_k
    below_c = _below_set_c(state, session, role, value)
    short_c = excess_c = 0.0
    if below_c is not None and below_c > ASKED_C and _is_doubted(state, role):
        short_c = before.short_c
    elif below_c is not None and below_c > ASKED_C:
        tells = role is Role.BATH and not any(map(partial(_is_doubted, state), TAKES))
        gains_c = LEAST_W * dt_s / bath_j_k - carried_c if tells else -1.0
        due_c = max(-FALLS_C_PER_S * dt_s, gains_c)
        short_c = max(0.0, before.short_c + due_c - rose_c)
    elif role is not Role.BATH:
        excess_c = before.excess_c
    elif below_c is None or below_c < -ASKED_C:
        held_c = carried_c * (CERTAIN_SHARE if carried_c > 0 else 1.5)
        excess_c = max(0.0, before.excess_c + rose_c + held_c)
    return replace(now, short_c=short_c, excess_c=excess_c)


def _settled(state: State) -> bool:
    """The heater has had time to do what it was last told, and says that it does it."""
    drive = state.heater
    since = drive.settled
    runs = channels.runs(state, DeviceClass.HEATER)
    if drive.wanted is None:
        waited = since is None or state.now.seconds_since(since) * state.room.speed > SETTLES_S
        return waited and runs is not True
    return drive.outcome is CommandState.CONFIRMED and runs is not False


def _below_set_c(state: State, session: Session, role: Role, value: float) -> float | None:
    """How far the reading is below what it should be; None while no heat is asked for."""
    if state.heater.wanted is None:
        return None
    wanted = state.heater.wanted if role is Role.BATH else session.heat.granted_c
    return None if wanted is None else wanted - value


TAKES = (Role.EXCHANGER, Role.RESERVOIR)
"""What tells how much the perfusate takes."""


def _is_doubted(state: State, role: Role) -> bool:
    """It is read, and not to be believed: nobody is told that the heater fails for its sake."""
    return _believed_c(state, role) is not None and not channels.valid_values(state, role)


def _jumps(state: State, role: Role) -> bool:
    """The newest reading cannot be, or has jumped there: it adds nothing to either sum."""
    suspects = state.trust.suspects
    seen = (suspects.get(channel.id) for channel in channels.of_role(state, role))
    return any(suspect is not None and suspect.readings & 1 for suspect in seen)


def _carried_w(state: State) -> float:
    """What the perfusate takes from the exchanger now (W); 0 when that is not known."""
    outlet, inlet = _believed_c(state, Role.EXCHANGER), _believed_c(state, Role.RESERVOIR)
    flow = channels.heat_flow_ml_min(state)
    if outlet is None or inlet is None or not flow:
        return 0.0
    return flow / 60.0 * PERFUSATE_J_ML_K * (outlet - inlet)
