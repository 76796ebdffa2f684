"""Whether an event's stamp can be believed: readings come in order and not from the future."""

from dataclasses import replace

from service.core import channels
from service.core.effects import Effect, Recorded
from service.core.events import Event, Frame, Started, Tick
from service.core.state import State, Stepped

STEP_NS = 10**9
"""A wall clock that moves by more than this at once was set, not slewed."""

AHEAD_S = 5.0
"""Ticks come ten times a second: only they and a start may move time by more than this at once."""


def objection(state: State, event: Event) -> str:
    """Why the stamp of this event is not believed; empty when it is."""
    ahead_s = event.at.seconds_since(state.now)
    if ahead_s > AHEAD_S and not isinstance(event, Tick | Started):
        return f"stamped {ahead_s:.0f} s in the future"
    if ahead_s >= 0 or not isinstance(event, Frame):
        return ""
    last = [
        sample.at
        for channel in channels.of_device(state, event.device)
        if (sample := state.samples.get(channel.id))
    ]
    return "older than the reading before it" if any(at > event.at for at in last) else ""


def wall_clock_step(state: State, event: Event) -> Stepped | None:
    """The move of the wall clock against the monotonic one since the event before, if it is one."""
    if isinstance(event, Started):
        return None
    before_ns = state.now.utc_ns - state.now.mono_ns
    by_ns = event.at.utc_ns - event.at.mono_ns - before_ns
    return Stepped(at=event.at, by_s=by_ns / 1e9) if abs(by_ns) > STEP_NS else None


def refused(state: State, frame: Frame, why: str) -> tuple[State, list[Effect]]:
    """A frame that is not believed changes nothing; the first one in a row is put on record."""
    state = replace(state, processed=state.processed + 1)
    if frame.device in state.untimely:
        return state, []
    text = f"{frame.device.capitalize()}: reading refused, {why}"
    fact = Recorded(at=state.now, kind="bad_input", text=text)
    return replace(state, untimely=(*state.untimely, frame.device)), [fact]
