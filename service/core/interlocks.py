"""The event x response matrix at work: what an active alarm keeps off until a person resumes.

Interlocks only ever take away: nothing here starts a pump, raises its speed or adds heat.
"""

from collections.abc import Mapping

from protocols.schema import HeatResponse, PumpResponse, Response, ResumedBy, ReturnResponse
from service.core import channels
from service.core.alarm_table import RULES
from service.core.alarms import is_raised
from service.core.changing import replace
from service.core.effects import ControllerChanged, Effect, Recorded
from service.core.model import Controller, DeviceClass
from service.core.state import Block, Session, State

HEAT_ONLY = Response(
    heat=HeatResponse.OFF,
    pump=PumpResponse.ON,
    returns=ReturnResponse.ON,
    resumed_by=ResumedBy.PERSON,
)
SLOW_THEN_STOP = replace(HEAT_ONLY, pump=PumpResponse.MINIMUM_THEN_STOP)
OWN_ROWS: Mapping[str, Response] = {
    "core_hold": replace(HEAT_ONLY, resumed_by=ResumedBy.SURGEON),
    "pump_stopped": replace(HEAT_ONLY, pump=PumpResponse.STOP),
    "heater_stopped": HEAT_ONLY,
    "heats_unasked": HEAT_ONLY,
    "switches_stopped": replace(HEAT_ONLY, pump=PumpResponse.STOP),
    "cut_out": HEAT_ONLY,
    "probe_bias": HEAT_ONLY,
    "heater_not_off": SLOW_THEN_STOP,
    "flow_high": SLOW_THEN_STOP,
    "still_hot": SLOW_THEN_STOP,
}
"""Responses of this service's own conditions, beside the protocol's matrix."""

EVENTS: Mapping[str, str] = {rule.id: rule.event for rule in RULES if rule.event}
"""The event that each alarm sets off."""

SELF_STOPPED: Mapping[str, DeviceClass] = {
    "pump_stopped": DeviceClass.PUMP,
    "heater_stopped": DeviceClass.HEATER,
}
"""Events whose block keeps the device off itself: a resume asks for its fault, not for its stop."""

CONTACTORS_OPEN = "switches_stopped"
"""Opened contactors: only closing them again tells whether they stay closed."""


def respond(state: State) -> tuple[State, list[Effect]]:
    """Add a block for every event whose alarm is active; carry delayed pump stops out."""
    session = state.session
    if session is None or not (state.alarms or session.blocks or session.overridden):
        return state, []
    active = _active(state, session)
    stands = tuple(cause for cause in session.overridden if cause in active)
    if stands != session.overridden:
        session = replace(session, overridden=stands)
        state = replace(state, session=session)
    blocks = dict(session.blocks)
    for event in active:
        if event not in blocks and event not in session.overridden:
            blocks[event] = _block(state, session, event, active[event])
    for cause, block in blocks.items():
        blocks[cause] = _carried_on(state, session, block, still=cause in active)
    if blocks == session.blocks:
        return state, []
    return _with_blocks(state, session, blocks)


def standing(state: State, session: Session) -> list[Block]:
    """The blocks whose cause a resume would meet again."""
    active = _active(state, session)
    return [
        block
        for cause, block in session.blocks.items()
        if cause != CONTACTORS_OPEN
        and (_faulty(state, SELF_STOPPED[cause]) if cause in SELF_STOPPED else cause in active)
    ]


MAY_OVERRIDE: Mapping[str, tuple[str, ...]] = {
    "core_hold": ("surgeon", "anesthesia"),
    "patient_unstable": ("surgeon",),
}
"""Events after which these people together may go on although the cause is still there."""


def to_resume(state: State, session: Session) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The standing causes that a resume overrides, and the roles whose names it needs."""
    overridden = tuple(b.cause for b in standing(state, session) if b.cause in MAY_OVERRIDE)
    roles = [role for cause in overridden for role in MAY_OVERRIDE[cause]]
    stopped = session.heat.controller is Controller.STOPPED
    after_stop = session.protocol.matrix["stop_or_abort"].resumed_by is ResumedBy.SURGEON
    own = any(b.surgeon and b.cause not in MAY_OVERRIDE for b in session.blocks.values())
    if own or (stopped and after_stop):
        roles.append("surgeon")
    return overridden, tuple(dict.fromkeys(roles))


def _active(state: State, session: Session) -> dict[str, str]:
    """The events whose condition holds (alarm active or acknowledged), each with its text."""
    raised = [alarm for alarm in state.alarms.values() if is_raised(alarm)]
    return {EVENTS[alarm.id]: alarm.text for alarm in raised if alarm.id in EVENTS}


def _faulty(state: State, device_class: DeviceClass) -> bool:
    name = channels.drive_device(state, device_class)
    status = state.statuses.get(name) if name else None
    return status is not None and bool(status.drive.fault)


def block_for_lost_needs(state: State, text: str) -> Block:
    """The latched block after a gap in what heat needs that lasted too long to clear itself."""
    return Block(cause="needs_lost", text=text, heat=True, pump=False, since_s=state.treat_s)


def add_block(state: State, block: Block) -> tuple[State, list[Effect]]:
    """Latch one block by its cause."""
    session = state.session
    if session is None or block.cause in session.blocks:
        return state, []
    return _with_blocks(state, session, {**session.blocks, block.cause: block})


def declare(state: State, session: Session, event: str, text: str) -> tuple[State, list[Effect]]:
    """A person says that an event of the matrix has happened: its row acts at once."""
    return add_block(state, _block(state, session, event, text))


def _with_blocks(
    state: State, session: Session, blocks: Mapping[str, Block]
) -> tuple[State, list[Effect]]:
    effects: list[Effect] = [
        Recorded(at=state.now, kind="interlock", text=block.text, data={"cause": cause})
        for cause, block in blocks.items()
        if _does(session.blocks.get(cause)) != _does(block)
    ]
    heat = session.heat
    if heat.controller is Controller.AUTOMATIC and any(b.heat for b in blocks.values()):
        heat = replace(heat, controller=Controller.FALLBACK)
        reason = "; ".join(block.text for block in blocks.values() if block.heat)
        effects.append(ControllerChanged(at=state.now, to=Controller.FALLBACK, reason=reason))
    return replace(state, session=replace(session, blocks=blocks, heat=heat)), effects


def _does(block: Block | None) -> tuple[object, ...]:
    """What the record says of a block; how long a check has gone on is none of its lines."""
    return () if block is None else (block.text, block.heat, block.pump, block.pump_minimum)


def _row(session: Session, event: str) -> Response | None:
    """What the event does: its row of this service or of the protocol; None for what has none."""
    return OWN_ROWS.get(event) or session.protocol.matrix.get(event)


CHECKS = (PumpResponse.CHECK_THEN_STOP, PumpResponse.MINIMUM_THEN_STOP)
"""Responses that leave the pump on for a time while somebody looks, and then stop it."""

SLOWLY = frozenset({"heater_not_off", "still_hot"})
"""Events after which the pump is left on for as long as a hot bath takes, not only for a check."""


def _check_s(session: Session, event: str) -> float:
    limits = session.limits
    return limits.inflow_still_high_s if event in SLOWLY else limits.no_flow_check_s


def _block(state: State, session: Session, event: str, text: str) -> Block:
    row = OWN_ROWS.get(event) or session.protocol.matrix[event]
    return Block(
        cause=event,
        text=text,
        heat=row.heat is HeatResponse.OFF,
        pump=row.pump is PumpResponse.STOP,
        since_s=state.treat_s,
        pump_minimum=row.pump is PumpResponse.MINIMUM_THEN_STOP,
        surgeon=row.resumed_by is ResumedBy.SURGEON,
    )


def _carried_on(state: State, session: Session, block: Block, *, still: bool) -> Block:
    """The pump of an event that leaves it on for a check: stopped when the time is over.

    Each new onset starts the check anew. A cause that comes back before it was away for as long as
    a check takes has no new one: one good reading must not keep a pump on that moves nothing.
    """
    row = _row(session, block.cause)
    if block.pump or row is None or row.pump not in CHECKS:
        return block
    due_s, away_s, check_s = block.pump_stop_after_s, block.away_s, _check_s(session, block.cause)
    if still and due_s is None:
        return replace(block, pump_stop_after_s=state.treat_s + check_s)
    if still and due_s is not None and state.treat_s >= due_s:
        return replace(block, pump=True, pump_stop_after_s=None, text=f"{block.text}; pump stopped")
    if still:
        return block if away_s is None else replace(block, away_s=None)
    if due_s is None:
        return block
    if away_s is None:
        return replace(block, away_s=state.treat_s)
    if state.treat_s - away_s >= check_s:
        return replace(block, pump_stop_after_s=None, away_s=None)
    return block
