"""Whether an event's stamp can be believed, and whether the wall clock was moved.

Readings have their own check (`trust/frames.py`): one that cannot be of its time is not used.
"""

from service.core.events import Event, Frame, Started, Tick
from service.core.state import State, Stepped

STEP_NS = 10**9
"""A wall clock that moves by more than this at once was set, not slewed."""

AHEAD_S = 5.0
"""Ticks come ten times a second: only they and a start may move time by more than this at once."""


def objection(state: State, event: Event) -> str:
    """Why the stamp of this event moves no clock; empty when it is believed."""
    ahead_s = event.at.seconds_since(state.now)
    if ahead_s > AHEAD_S and not isinstance(event, Tick | Started | Frame):
        return f"stamped {ahead_s:.0f} s in the future"
    return ""


def wall_clock_step(state: State, event: Event) -> Stepped | None:
    """The move of the wall clock against the monotonic one since the event before, if it is one."""
    before_ns = state.now.utc_ns - state.now.mono_ns
    by_ns = event.at.utc_ns - event.at.mono_ns - before_ns
    if abs(by_ns) <= STEP_NS or isinstance(event, Started):
        return None
    return Stepped(at=event.at, by_s=by_ns / 1e9)
