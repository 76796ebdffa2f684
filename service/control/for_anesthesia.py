"""The parts of a snapshot that anesthesia's page needs: the core's course, requests, displays."""

from typing import Any

from service.control.labels import utc
from service.core import core_course
from service.core.requests import KINDS
from service.core.state import Request, Session, State

Json = dict[str, Any]


def parts(state: State) -> Json:
    """What is said of them now; nothing of a treatment without a session."""
    session = state.session
    return {
        "requests": [] if session is None else [_request(state, r) for r in session.requests],
        "cooling": None if session is None else _cooling(session),
        "core": None if session is None else _core(state, session),
        "displays": [
            {
                "name": name,
                "role": display.role,
                "present": display.present,
                "audible": display.audible,
                "armed": display.armed,
                "reason": display.reason,
            }
            for name, display in state.displays.items()
        ],
    }


def _request(state: State, asked: Request) -> Json:
    until = asked.answered or state.now
    return {
        "number": asked.number,
        "kind": asked.kind,
        "text": KINDS[asked.kind],
        "at_utc": utc(asked.at.utc_ns),
        "by": asked.by,
        "waits_s": round(until.seconds_since(asked.at), 1),
        "accepted": asked.accepted,
        "answered_utc": utc(asked.answered.utc_ns) if asked.answered else None,
        "answered_by": asked.answered_by,
        "reason": asked.reason,
    }


def _cooling(session: Session) -> Json | None:
    cooling = session.cooling
    if cooling is None:
        return None
    return {"on": cooling.on, "at_utc": utc(cooling.at.utc_ns), "by": cooling.by}


def _core(state: State, session: Session) -> Json:
    channel = core_course.deciding(state, session)
    by_hand = session.core_by_hand
    if by_hand is not None and state.treat_s - by_hand.at_s > core_course.BY_HAND_S:
        by_hand = None
    return {
        "channel": channel.id if channel else None,
        "rate_c_per_10_min": core_course.rate_c_per_10_min(state, session),
        "steps": _steps(state, session),
        "by_hand_c": by_hand.value_c if by_hand else None,
        "by_hand_site": by_hand.site if by_hand else "",
    }


def _steps(state: State, session: Session) -> list[Json]:
    steps_c = core_course.ladder_c(session.limits)
    counted = session.core_above
    above_s = (0.0,) * len(steps_c) if counted is None else counted.above_s
    reached = {reach.limit_c: reach for reach in core_course.reaches(state, session)}
    return [
        {
            "limit_c": limit_c,
            "above_min": round(seconds / 60.0, 1),
            "from_s": reached[limit_c].from_s if limit_c in reached else None,
            "to_s": reached[limit_c].to_s if limit_c in reached else None,
        }
        for limit_c, seconds in zip(steps_c, above_s, strict=True)
    ]
