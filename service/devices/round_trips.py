"""How long an instrument takes to answer, beside what the wire alone takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from drivers.line import Line, Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """From the writing of a question to the last byte of its answer, in s.

    `wire_s` is what question and answer need at the line's baud rate. Of an instrument that
    speaks unasked, `took_s` is the time from one message to the next.
    """

    took_s: float
    wire_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Many trips in ms; `beyond_wire` is what instrument and computer take in each of them."""

    count: int
    p50_ms: float
    max_ms: float
    wire_p50_ms: float
    beyond_wire_p50_ms: float


def trips(line: Line) -> list[Trip]:
    """Every answered question that the line remembers."""
    found = []
    asked: Traffic | None = None
    heard: list[Traffic] = []
    for chunk in (*line.traffic(), None):
        if chunk is not None and not chunk.sent:
            heard.append(chunk)
            continue
        if asked is not None and heard:
            size = len(asked.data) + sum(len(one.data) for one in heard)
            took_s = heard[-1].at.seconds_since(asked.at)
            found.append(Trip(took_s=took_s, wire_s=line.wire_s(size)))
        asked, heard = chunk, []
    return found


def pushed(line: Line, message_at_s: Sequence[float]) -> list[Trip]:
    """The gaps between messages that came unasked at these seconds."""
    heard = sum(len(one.data) for one in line.traffic() if not one.sent)
    wire_s = line.wire_s(heard) / max(len(message_at_s), 1)
    return [Trip(took_s=late - early, wire_s=wire_s) for early, late in pairwise(message_at_s)]


def times(found: Sequence[Trip]) -> Times | None:
    """The middle and the longest trip; None without any."""
    if not found:
        return None
    return Times(
        count=len(found),
        p50_ms=round(1e3 * median(trip.took_s for trip in found), 2),
        max_ms=round(1e3 * max(trip.took_s for trip in found), 2),
        wire_p50_ms=round(1e3 * median(trip.wire_s for trip in found), 2),
        beyond_wire_p50_ms=round(1e3 * median(trip.took_s - trip.wire_s for trip in found), 2),
    )
