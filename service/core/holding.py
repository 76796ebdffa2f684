"""The one control holder: a perfusionist who may move things; taken, handed over, given back.

Who moves the heat or the pump while nobody has control takes it with that. Stop, heater off, abort
and facts need no control.
"""

from service.core.asked import Done, Refusal, recorded, text_arg
from service.core.authority import NEEDS_CONTROL
from service.core.changing import replace
from service.core.effects import Effect
from service.core.events import Command
from service.core.state import Holder, State


def claimed(state: State, command: Command) -> tuple[State, tuple[Effect, ...]]:
    """The state in which this command's person has control, where it needs that.

    Refused, with who has it, when somebody else does.
    """
    if command.name not in NEEDS_CONTROL or _has(state, command.by.user):
        return state, ()
    if state.holder is not None:
        raise Refusal(_held_by(state.holder))
    return _taken(state, command, "Control taken")


def take_control(state: State, command: Command) -> Done:
    """Take control: when it is free or offered; from another person only with a reason."""
    holder = state.holder
    if holder is None:
        text = "Control taken"
    elif holder.user == command.by.user:
        return Done(state=state)
    elif holder.offered_to.casefold() == command.by.user.casefold():
        text = f"Control handed over by {holder.user}"
    elif command.reason.strip():
        text = f"Control taken from {holder.user}"
    else:
        raise Refusal(_held_by(holder))
    state, effects = _taken(state, command, text)
    return Done(state=state, effects=effects)


def hand_over(state: State, command: Command) -> Done:
    """Offer control to another person, who has it as soon as he or she takes it."""
    holder, to = _own(state, command), text_arg(command, "to")
    if to.casefold() == holder.user.casefold():
        raise Refusal(f"{holder.user} has control already: name the person who shall take it")
    fact = recorded(state, command, "control", f"Control offered to {to}")
    return Done(state=replace(state, holder=replace(holder, offered_to=to)), effects=(fact,))


def release_control(state: State, command: Command) -> Done:
    """Give control back: nobody has it until the next person acts."""
    _own(state, command)
    fact = recorded(state, command, "control", "Control given back: nobody has it")
    return Done(state=replace(state, holder=None), effects=(fact,))


def _has(state: State, user: str) -> bool:
    return state.holder is not None and state.holder.user == user


def _own(state: State, command: Command) -> Holder:
    holder = state.holder
    if holder is None or holder.user != command.by.user:
        raise Refusal(_held_by(holder) if holder else "nobody has control: take it first")
    return holder


def _held_by(holder: Holder) -> str:
    return f"{holder.user} has control: ask {holder.user} to hand it over, or take it with a reason"


def _taken(state: State, command: Command, text: str) -> tuple[State, tuple[Effect, ...]]:
    by = command.by
    holder = Holder(user=by.user, station=by.station, since=state.now)
    at = f"{text} at {by.station}" if by.station else text
    return replace(state, holder=holder), (recorded(state, command, "control", at),)
