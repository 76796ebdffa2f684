"""The patient's core over the last half hour, and what people read by hand from other monitors."""

from service.core import channels
from service.core.changing import replace
from service.core.state import Session, State

SAMPLE_S = 60.0
BY_HAND_S = 300.0
"""An entry by hand counts for alarms so long (treatment seconds), for automatic never."""


def core_c(state: State, session: Session) -> float | None:
    """The highest valid deciding core temperature (°C)."""
    deciding = channels.deciding_core(state, session.protocol)
    values = [channels.valid_value(state, channel) for channel in deciding]
    return max((value for value in values if value is not None), default=None)


def remembered(state: State, session: Session) -> State:
    """Keep the core once a minute, as far back as its rise is looked at."""
    window = state.core_window
    if window and state.treat_s - window[-1][0] < SAMPLE_S:
        return state
    value = core_c(state, session)
    if value is None:
        return state
    oldest_s = state.treat_s - session.limits.core_rise_s
    kept = tuple(entry for entry in window if entry[0] >= oldest_s)
    return replace(state, core_window=(*kept, (state.treat_s, value)))


def risen_c(state: State, value_c: float) -> float:
    """By how much the core has risen from its lowest within the window (°C)."""
    return value_c - min((kept_c for _, kept_c in state.core_window), default=value_c)
