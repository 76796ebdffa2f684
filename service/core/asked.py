"""What a command says, and how a handler answers: accepted with what it moves, or refused."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from service.core.effects import Effect, Recorded
from service.core.events import Command
from service.core.state import Session, State


class Refusal(Exception):
    """A command is refused; the text tells the person why and what would help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An accepted command: the new state, what to record, and which drives it may move."""

    state: State
    effects: tuple[Effect, ...] = ()
    requested: float | None = None
    granted: float | None = None
    limited_by: str = ""
    drives: tuple[str, ...] = ()


Handler = Callable[[State, Command], Done]


def who(command: Command) -> str:
    """The person (or the station) that gave a command, with the second name where there is one."""
    name = command.by.user or command.by.station or command.by.role
    return f"{name} and {command.second}" if command.second else name


def recorded(state: State, command: Command, kind: str, text: str) -> Recorded:
    """A line for the record: who, what, and the reason that was given."""
    said = f"{text} ({command.reason})" if command.reason else text
    return Recorded(at=state.now, kind=kind, text=said, by=who(command))


def second_name(command: Command) -> str:
    """The name of the second person; empty when there is none but the one who commands."""
    second = command.second.strip()
    first = (command.by.user or command.by.station).strip()
    return "" if second.casefold() == first.casefold() else second


def session_of(state: State) -> Session:
    """The open session; refused when there is none."""
    if state.session is None:
        raise Refusal("no session is open: open one first")
    return state.session


def number_arg(command: Command, name: str, low: float, high: float) -> float:
    """A number between two limits; refused with what is allowed."""
    value = command.args.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refusal(f"{name} must be a number")
    if not low <= value <= high:
        raise Refusal(f"{name} {value:g} is outside {low:g} to {high:g}")
    return float(value)


def optional_arg(command: Command, name: str, low: float, high: float) -> float | None:
    """As `number_arg`, or None when it was not given."""
    return None if command.args.get(name) is None else number_arg(command, name, low, high)


def text_arg(command: Command, name: str) -> str:
    """A text that says something; refused when it is missing."""
    value = command.args.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refusal(f"{name} must be given")
    return value.strip()
