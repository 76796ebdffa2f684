"""Every command of a person: carried out, or refused with a reason, once for each key.

Facts (notes, volumes, a drug that was given) are never refused because of the session's state;
only actuators are.
"""

from collections.abc import Mapping

from service.core import actuators, holding, requests, spoken, treatment
from service.core.asked import Handler, Refusal
from service.core.authority import refusal
from service.core.changing import replace
from service.core.effects import CommandChanged, Effect
from service.core.events import Command, Rejected
from service.core.following import changed
from service.core.model import CommandState
from service.core.state import CommandRecord, State
from service.core.trust import comparison

KEPT_COMMANDS = 100


def handle(state: State, command: Command) -> tuple[State, list[Effect]]:
    """Carry out one command, or refuse it with a reason; a key is executed once only."""
    if any(record.key == command.key for record in state.commands):
        return state, []
    try:
        if why := refusal(command.name, command.by):
            raise Refusal(why)
        held, taken = holding.claimed(state, command)
        done = HANDLERS[command.name](held, command)
    except Refusal as refused:
        record = _record(command, CommandState.REFUSED, reason=str(refused))
        return _kept(state, record), [changed(state, record)]
    record = _record(
        command,
        CommandState.REQUESTED,
        requested=done.requested,
        granted=done.granted,
        limited_by=done.limited_by,
        waits=done.drives,
    )
    return _kept(done.state, record), [*taken, *done.effects, changed(state, record)]


def reject(state: State, event: Rejected) -> CommandChanged:
    """Put on record a request that never became a command; its key may still be used."""
    return CommandChanged(
        at=state.now,
        key=event.key,
        name=event.name,
        state=CommandState.REFUSED,
        reason=event.reason,
    )


def _kept(state: State, record: CommandRecord) -> State:
    return replace(state, commands=(record, *state.commands)[:KEPT_COMMANDS])


def _record(
    command: Command,
    state: CommandState,
    *,
    requested: float | None = None,
    granted: float | None = None,
    limited_by: str = "",
    reason: str = "",
    waits: tuple[str, ...] = (),
) -> CommandRecord:
    return CommandRecord(
        key=command.key,
        name=command.name,
        state=state,
        at=command.at,
        requested=requested,
        granted=granted,
        limited_by=limited_by,
        reason=reason,
        waits=waits,
    )


HANDLERS: Mapping[str, Handler] = {
    "open_session": treatment.open_session,
    "close_session": treatment.close_session,
    "confirm_checklist": treatment.confirm_checklist,
    "compare_probes": comparison.compare_probes,
    "start_phase": treatment.start_phase,
    "confirm_drug": treatment.confirm_drug,
    "confirm_reminder": treatment.confirm_reminder,
    "set_controller": actuators.set_controller,
    "set_inflow": actuators.set_inflow,
    "set_flow": actuators.set_flow,
    "stop": actuators.stop,
    "heater_off": actuators.heater_off,
    "pause": actuators.pause,
    "resume": actuators.resume,
    "abort": actuators.abort,
    "patient_unstable": actuators.patient_unstable,
    "acknowledge": spoken.acknowledge,
    "pause_audio": spoken.pause_audio,
    "note": spoken.note,
    "volume": spoken.volume,
    "enter_core": spoken.enter_core,
    "request": requests.request,
    "answer": requests.answer,
    "cooling": requests.cooling,
    "confirm_blood_test": requests.confirm_blood_test,
    "seen": spoken.seen,
    "take_control": holding.take_control,
    "hand_over": holding.hand_over,
    "release_control": holding.release_control,
}
