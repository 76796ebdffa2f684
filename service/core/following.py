"""How far each command has come: requested, sent with its orders, read back from the drives."""

from collections.abc import Callable
from functools import partial

from service.core.changing import replace
from service.core.effects import CommandChanged, Effect
from service.core.model import CommandState
from service.core.state import CommandRecord, Drive, State

OPEN = frozenset({CommandState.REQUESTED, CommandState.SENT, CommandState.UNKNOWN})


def settled(state: State) -> tuple[State, list[Effect]]:
    """Move every sent command on by the outcome of its orders, before any newer order is given."""
    return _moved_on(state, partial(_settled, state))


def follow(before: State, state: State) -> tuple[State, list[Effect]]:
    """Move every command on by the orders of this pass: sent, or overtaken by a newer one.

    Commands and drives as they were have followed already.
    """
    drives_are_same = state.heater is before.heater and state.pump is before.pump
    if drives_are_same and state.commands is before.commands:
        return state, []
    return _moved_on(state, lambda record: _settled(state, _sent(before, state, record)))


def changed(state: State, record: CommandRecord) -> CommandChanged:
    """The message of a command whose state has changed."""
    return CommandChanged(
        at=state.now,
        key=record.key,
        name=record.name,
        state=record.state,
        requested=record.requested,
        granted=record.granted,
        limited_by=record.limited_by,
        reason=record.reason,
    )


def _moved_on(
    state: State, move: Callable[[CommandRecord], CommandRecord]
) -> tuple[State, list[Effect]]:
    if OPEN.isdisjoint([record.state for record in state.commands]):
        return state, []
    moved = tuple(move(record) for record in state.commands)
    effects: list[Effect] = [
        changed(state, record)
        for record, was in zip(moved, state.commands, strict=True)
        if record.state is not was.state
    ]
    return replace(state, commands=moved), effects


def _sent(before: State, state: State, record: CommandRecord) -> CommandRecord:
    """A requested command waits for the orders that this pass has issued for its drives."""
    if record.state is not CommandState.REQUESTED:
        return record
    orders = []
    for name in record.waits:
        drive, was = _drive(state, name), _drive(before, name)
        pending = drive.outcome is CommandState.REQUESTED
        if drive.order != was.order or pending:
            orders.append(f"{name}:{drive.order}")
    if orders:
        return replace(record, state=CommandState.SENT, waits=tuple(orders))
    reason = state.session.heat.waits_for if state.session and "heater" in record.waits else ""
    reason = f"kept; heat waits: {reason}" if reason and record.granted is not None else ""
    return replace(record, state=CommandState.CONFIRMED, waits=(), reason=reason)


def _settled(state: State, record: CommandRecord) -> CommandRecord:
    if record.state not in (CommandState.SENT, CommandState.UNKNOWN) or not record.waits:
        return record
    outcomes = [_outcome(state, *wait.split(":")) for wait in record.waits]
    if all(outcome is CommandState.CONFIRMED for outcome, _ in outcomes):
        return replace(record, state=CommandState.CONFIRMED, reason="")
    if record.state is CommandState.UNKNOWN:
        return record
    for worst in (CommandState.UNKNOWN, CommandState.REFUSED):
        for outcome, reason in outcomes:
            if outcome is worst:
                return replace(record, state=worst, reason=reason)
    return record


def _outcome(state: State, name: str, order: str) -> tuple[CommandState, str]:
    """What became of one order; an off that was unknown may still be confirmed by repetition."""
    drive = _drive(state, name)
    if drive.order != int(order):
        return CommandState.REFUSED, f"overtaken by a newer order to the {name}"
    return drive.outcome, drive.reason


def _drive(state: State, name: str) -> Drive:
    return state.heater if name == "heater" else state.pump
