"""The patient's core over the last half hour, its ladder and what is to come of it; and what people
read by hand from other monitors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocols.schema import Limits
from service.core import channels
from service.core.changing import replace
from service.core.model import Channel
from service.core.outlook import CORE, HORIZONS_S, Ahead
from service.core.state import CoreAbove, Session, State

SAMPLE_S = 60.0
BY_HAND_S = 300.0
"""An entry by hand counts for alarms so long (treatment seconds), for automatic never."""

COUNTED_EVERY_S = 10.0
RATE_OVER_S, RATE_FROM_S = 600.0, 180.0
"""The rate is that of the last ten minutes; of less than three it would be noise."""

LONGEST_AHEAD_S = 3600.0
"""A forecast is drawn on as a straight line so far, no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """When the core reaches a step of its ladder, as a range (treatment seconds from now).

    `to_s` is None where it may stay below.
    """

    limit_c: float
    from_s: float
    to_s: float | None


def ladder_c(limits: Limits) -> tuple[float, float, float]:
    """The steps that are counted: shown only, medium, high (°C)."""
    return limits.core_shown_c, limits.core_medium_c, limits.core_high_c


def deciding(state: State, session: Session) -> Channel | None:
    """The deciding core channel with the highest valid value; the first one when none has any."""
    found = channels.deciding_core(state, session.protocol)
    return max(found, key=lambda c: channels.valid_value(state, c) or 0.0, default=None)


def core_c(state: State, session: Session) -> float | None:
    """The highest valid deciding core temperature (°C)."""
    deciding = channels.deciding_core(state, session.protocol)
    values = [channels.valid_value(state, channel) for channel in deciding]
    return max((value for value in values if value is not None), default=None)


def remembered(state: State, session: Session) -> State:
    """Keep the core once a minute, as far back as its rise is looked at, and count its ladder."""
    counted = session.core_above
    if counted is None or state.treat_s - counted.at_s >= COUNTED_EVERY_S:
        session = replace(session, core_above=_counted(state, session))
        state = replace(state, session=session)
    window = state.core_window
    if window and state.treat_s - window[-1][0] < SAMPLE_S:
        return state
    value = core_c(state, session)
    if value is None:
        return state
    oldest_s = state.treat_s - session.limits.core_rise_s
    kept = tuple(entry for entry in window if entry[0] >= oldest_s)
    return replace(state, core_window=(*kept, (state.treat_s, value)))


def _counted(state: State, session: Session) -> CoreAbove:
    """The time since the last count, for each step at or above which the core is now.

    A gap counts for nothing, and so does a core that is not known.
    """
    before, value, steps = session.core_above, core_c(state, session), ladder_c(session.limits)
    above_s = (0.0,) * len(steps) if before is None else before.above_s
    passed_s = 0.0 if before is None else state.treat_s - before.at_s
    if value is not None and passed_s <= 3 * COUNTED_EVERY_S * max(1.0, state.room.speed):
        pairs = zip(steps, above_s, strict=True)
        above_s = tuple(s + passed_s if value >= step_c else s for step_c, s in pairs)
    return CoreAbove(at_s=state.treat_s, above_s=above_s)


def risen_c(state: State, value_c: float) -> float:
    """By how much the core has risen from its lowest within the window (°C)."""
    return value_c - min((kept_c for _, kept_c in state.core_window), default=value_c)


def rate_c_per_10_min(state: State, session: Session) -> float | None:
    """The slope of the last ten minutes by least squares; None while they are too short."""
    value = core_c(state, session)
    if value is None:
        return None
    oldest_s = state.treat_s - RATE_OVER_S
    points = [entry for entry in state.core_window if entry[0] >= oldest_s]
    points.append((state.treat_s, value))
    if points[-1][0] - points[0][0] < RATE_FROM_S:
        return None
    mean_s = sum(at_s for at_s, _ in points) / len(points)
    mean_c = sum(at_c for _, at_c in points) / len(points)
    spread = sum((at_s - mean_s) ** 2 for at_s, _ in points)
    slope = sum((at_s - mean_s) * (at_c - mean_c) for at_s, at_c in points) / spread
    return round(600.0 * slope, 2)


def reaches(state: State, session: Session) -> Iterator[Reach]:
    """When the forecast reaches medium and high, for each that it may reach within an hour.

    The range is that of the forecast; beyond ten minutes both its edges go on as straight lines.
    """
    seen, value = session.foresight, core_c(state, session)
    ahead = seen.outlook.ahead.get(CORE) if seen is not None else None
    if seen is None or ahead is None or value is None:
        return
    since_s = state.treat_s - seen.outlook.at_s
    for limit_c in ladder_c(session.limits)[1:]:
        if value >= limit_c:
            continue
        first_s = _reached_s(value, ahead, limit_c, +1.0)
        last_s = _reached_s(value, ahead, limit_c, -1.0)
        if first_s is not None:
            to_s = None if last_s is None else max(0.0, last_s - since_s)
            yield Reach(limit_c=limit_c, from_s=max(0.0, first_s - since_s), to_s=to_s)


def _reached_s(value_c: float, ahead: Sequence[Ahead], limit_c: float, edge: float) -> float | None:
    """When the upper (+1) or lower (-1) edge of the forecast comes to the limit."""
    edges = (one.value_c + edge * one.within_c for one in ahead)
    points = [(0.0, value_c), *zip(HORIZONS_S, edges, strict=True)]
    (before_s, before_c), (last_s, last_c) = points[0], points[-1]
    for at_s, at_c in points[1:]:
        if at_c >= limit_c:
            return before_s + (limit_c - before_c) / (at_c - before_c) * (at_s - before_s)
        before_s, before_c = at_s, at_c
    per_s = (last_c - value_c) / last_s
    if per_s <= 0.0:
        return None
    at_s = last_s + (limit_c - last_c) / per_s
    return at_s if at_s <= LONGEST_AHEAD_S else None
