"""The session's clocks: treatment with its three accounts, drug contact, gate, volume pumped.

Treatment seconds are real seconds times the room's speed. Nothing is integrated over a gap: a
stretch in which the core was not asked, or the deciding figure was not known, is unobserved.
"""

from service.core import channels
from service.core.changing import replace
from service.core.effects import Effect, Recorded
from service.core.model import Phase, Role
from service.core.state import Clocks, Session, Side, State

LAST_MINUTES_S = 300.0
"""So long before its end the treatment says that it is nearly over."""

GAP_S = 1.0
"""A pass that comes later than this after the one before (real seconds) leaves a gap."""


def advance(state: State, dt_real_s: float) -> tuple[State, list[Effect]]:
    """Move every clock of the session by this real time (`treat_s` has moved already)."""
    session = state.session
    if session is None or dt_real_s <= 0:
        return state, []
    dt_s = dt_real_s * state.room.speed
    gap = dt_real_s > GAP_S
    clocks = _treatment(state, session, session.clocks, dt_s, gap)
    held_s, pumped_ml = _gate_held_s(state, session, dt_s, gap), _pumped_ml(state, dt_s, gap)
    if held_s != clocks.gate_held_s or pumped_ml:
        clocks = replace(clocks, gate_held_s=held_s, pumped_ml=clocks.pumped_ml + pumped_ml)
    if clocks is session.clocks:
        return state, []
    clocks, effects = _ended(state, session, clocks)
    effects += _nearly_over(state, session, clocks)
    return replace(state, session=replace(session, clocks=clocks)), effects


def started(session: Session, late_s: float = 0.0) -> Session:
    """The treatment clock starts (at drug-in, or at perfusion where there is no drug).

    Drug-in that is told `late_s` treatment seconds late is counted from then, unobserved.
    """
    unobserved_s = session.clocks.unobserved_s + late_s
    return replace(session, clocks=replace(session.clocks, running=True, unobserved_s=unobserved_s))


def gate_value(state: State, session: Session) -> float | None:
    """The figure that the drug gate looks at now (°C)."""
    gate = session.protocol.gate
    return channels.statistic(channels.valid_values(state, Role(gate.role)), gate.statistic)


def gate_is_open(session: Session) -> bool:
    """True when the gate's threshold has been held long enough."""
    return session.clocks.gate_held_s >= session.protocol.gate.hold_s


def ends_on_elapsed(session: Session) -> bool:
    """Whether all time counts towards the end of the treatment, not only that in the band."""
    return session.protocol.clock.ends_on == "elapsed"


def left_s(session: Session) -> float:
    """Treatment seconds left, limited by the cap of a clock that ends on in-band time."""
    return _left_s(session, session.clocks)


def _left_s(session: Session, clocks: Clocks) -> float:
    counted = clocks.elapsed_s if ends_on_elapsed(session) else clocks.in_band_s
    return max(0.0, min(session.duration_s - counted, _cap_left_s(session, clocks)))


def _cap_left_s(session: Session, clocks: Clocks) -> float:
    """Treatment seconds up to the cap, which ends a treatment that never gets into its band."""
    return 60.0 * session.protocol.clock.cap_min - clocks.elapsed_s


def contact_s(state: State, session: Session) -> float | None:
    """Drug contact so far: from the first drug-in to drained; it never pauses."""
    clocks = session.clocks
    if clocks.contact_from_s is None:
        return None
    until = state.treat_s if clocks.contact_until_s is None else clocks.contact_until_s
    return until - clocks.contact_from_s


def _treatment(state: State, session: Session, clocks: Clocks, dt_s: float, gap: bool) -> Clocks:
    """Book this time to one of the three accounts; never more than the clock has left.

    After a gap all of it is booked: the clock was over before anybody could look.
    """
    if not clocks.running or clocks.ended or is_halted(session):
        return clocks
    target = session.protocol.target
    value = channels.statistic(channels.valid_values(state, Role(target.role)), target.statistic)
    if gap:
        return replace(clocks, unobserved_s=clocks.unobserved_s + dt_s)
    inside = value is not None and target.low_c <= value <= target.high_c
    counts = inside or ends_on_elapsed(session)
    dt_s = min(dt_s, left_s(session) if counts else max(0.0, _cap_left_s(session, clocks)))
    if value is None:
        return replace(clocks, unobserved_s=clocks.unobserved_s + dt_s)
    if inside:
        return replace(clocks, in_band_s=clocks.in_band_s + dt_s)
    return replace(clocks, out_of_band_s=clocks.out_of_band_s + dt_s)


def is_halted(session: Session) -> bool:
    """Whether the treatment clock stands still: in a pause or after an abort, where the protocol
    says that a pause stops it."""
    paused = session.side in (Side.PAUSE, Side.ABORT)
    return paused and session.protocol.clock.pause_stops_clock


def _gate_held_s(state: State, session: Session, dt_s: float, gap: bool) -> float:
    if session.phase is not Phase.HEAT_UP:
        return session.clocks.gate_held_s if session.phase is Phase.DRUG_ADDITION else 0.0
    value = gate_value(state, session)
    if gap or value is None or value < session.protocol.gate.threshold_c:
        return 0.0
    return session.clocks.gate_held_s + dt_s


def _pumped_ml(state: State, dt_s: float, gap: bool) -> float:
    flow = channels.heat_flow_ml_min(state)
    return 0.0 if gap or flow is None else flow * dt_s / 60.0


def _ended(state: State, session: Session, clocks: Clocks) -> tuple[Clocks, list[Effect]]:
    over = _left_s(session, clocks) <= 0.0
    if clocks.ended or not clocks.running or not over:
        return clocks, []
    text = f"Treatment clock ended after {clocks.elapsed_s / 60:.1f} min: heat off, drain"
    effect = Recorded(at=state.now, kind="clock", text=text)
    return replace(clocks, ended=True, running=False, ended_s=state.treat_s), [effect]


def _nearly_over(state: State, session: Session, clocks: Clocks) -> list[Effect]:
    """One line in the record, and on the pages, when five minutes are left."""
    if (
        not clocks.running
        or _left_s(session, clocks) > LAST_MINUTES_S
        or left_s(session) <= LAST_MINUTES_S
    ):
        return []
    return [Recorded(at=state.now, kind="timer", text="Five minutes of treatment left")]
