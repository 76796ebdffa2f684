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
        blocks[cause] = _carried_on(state, block, still=cause in active)
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


def _active(state: State, session: Session) -> dict[str, str]:
    """The events whose condition holds (alarm active or acknowledged), each with its text."""
    raised = [alarm for alarm in state.alarms.values() if is_raised(alarm)]
    found = {EVENTS[alarm.id]: alarm.text for alarm in raised if alarm.id in EVENTS}
    ceiling = session.blocks.get("temperature_ceiling")
    off_s = 0.0 if ceiling is None else state.treat_s - ceiling.since_s
    hot = any(alarm.id == "inflow_high" for alarm in raised)
    if hot and off_s > session.limits.inflow_still_high_s:
        found["still_hot"] = "Inflow still above its ceiling with the heater off"
    return found


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
        if session.blocks.get(cause) != block
    ]
    heat = session.heat
    if heat.controller is Controller.AUTOMATIC and any(b.heat for b in blocks.values()):
        heat = replace(heat, controller=Controller.FALLBACK)
        reason = "; ".join(block.text for block in blocks.values() if block.heat)
        effects.append(ControllerChanged(at=state.now, to=Controller.FALLBACK, reason=reason))
    return replace(state, session=replace(session, blocks=blocks, heat=heat)), effects


def _block(state: State, session: Session, event: str, text: str) -> Block:
    row = OWN_ROWS.get(event) or session.protocol.matrix[event]
    limits = session.limits
    own = event in ("heater_not_off", "still_hot")
    wait_s = limits.inflow_still_high_s if own else limits.no_flow_check_s
    minimum = row.pump is PumpResponse.MINIMUM_THEN_STOP
    later = minimum or row.pump is PumpResponse.CHECK_THEN_STOP
    return Block(
        cause=event,
        text=text,
        heat=row.heat is HeatResponse.OFF,
        pump=row.pump is PumpResponse.STOP,
        since_s=state.treat_s,
        pump_minimum=minimum,
        pump_stop_after_s=state.treat_s + wait_s if later else None,
        surgeon=row.resumed_by is ResumedBy.SURGEON,
    )


def _carried_on(state: State, block: Block, *, still: bool) -> Block:
    due = block.pump_stop_after_s
    if due is None or block.pump or state.treat_s < due:
        return block
    if not still:
        return replace(block, pump_stop_after_s=None)
    return replace(block, pump=True, pump_stop_after_s=None, text=f"{block.text}; pump stopped")
