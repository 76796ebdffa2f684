"""How long alarms took, measured from the record: reading to decision, to sending, to display.

The delays that an alarm system has to disclose, as they were and not as they were promised.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.core.alarms import ANNOUNCES
from service.core.effects import AlarmChanged
from service.core.events import Sent, Shown
from service.core.model import Instant, Priority
from service.core.thermal import percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One part of the way of an alarm, over all alarms of a priority (real seconds)."""

    name: str
    count: int
    p50_s: float
    p99_s: float
    max_s: float


@dataclass(slots=True, kw_only=True)
class _Announced:
    """One announcement on its way."""

    alarm: AlarmChanged
    sent: Instant | None = None
    shown: dict[str, Shown] = field(default_factory=dict)


STAGES = ("reading to decision", "decision to sending", "sending to display")


def delays(items: Iterable[Any]) -> dict[Priority, list[Stage]]:
    """Per priority each stage for which there is any figure, from a record's events and effects.

    Several displays count each by itself. An alarm without a reading of its own (a lost link) has
    no first stage. Waiting that the rule itself asks for is part of the first stage.
    """
    announced = _announced(items)
    found: dict[Priority, list[Stage]] = {}
    for priority in reversed(Priority):
        own = [entry for entry in announced if entry.alarm.priority is priority]
        stages = [
            _stage(name, sorted(seconds))
            for name, seconds in zip(STAGES, _seconds(own), strict=True)
            if seconds
        ]
        if stages:
            found[priority] = stages
    return found


def displays(items: Iterable[Any]) -> dict[str, list[Stage]]:
    """Per display: from an alarm's sending to its confirmation, and what the display says itself.

    Its own figure is from the message's arrival to its paint, by the browser's clock.
    """
    by_display: dict[str, tuple[list[float], list[float]]] = {}
    for entry in _announced(items):
        for name, shown in entry.shown.items():
            confirmed_s, painted_s = by_display.setdefault(name, ([], []))
            if entry.sent is not None:
                confirmed_s.append(shown.at.seconds_since(entry.sent))
            if shown.latency_ms is not None:
                painted_s.append(shown.latency_ms / 1e3)
    return {
        name: [_stage(stage, sorted(s)) for stage, s in zip(AT_DISPLAY, found, strict=True) if s]
        for name, found in sorted(by_display.items())
    }


AT_DISPLAY = ("sending to confirmation", "arrival to paint, by its own clock")


def lines(items: Iterable[Any]) -> list[str]:
    """The delays as sentences for a person: by priority, then by display."""
    said = list(items)
    by_priority = [(str(name), stages) for name, stages in delays(said).items()]
    by_display = [(f"at {name}", stages) for name, stages in displays(said).items()]
    return [
        f"{name}, {stage.name}: p50 {stage.p50_s:.3f} s, p99 {stage.p99_s:.3f} s, "
        f"max {stage.max_s:.3f} s ({stage.count} measured)"
        for name, stages in (*by_priority, *by_display)
        for stage in stages
    ]


def _announced(items: Iterable[Any]) -> list[_Announced]:
    """Every announcement with what the record says of its way; numbers begin anew at each boot."""
    found: list[_Announced] = []
    waiting: dict[tuple[str, str], _Announced] = {}
    by_number: dict[int, _Announced] = {}
    for item in items:
        match item:
            case AlarmChanged(event=event) if event in ANNOUNCES:
                entry = _Announced(alarm=item)
                found.append(entry)
                waiting[item.occurrence, event] = entry
            case Sent():
                if (key := (item.occurrence, item.event)) in waiting:
                    by_number[item.seq] = waiting.pop(key)
                    by_number[item.seq].sent = item.at
            case Shown(seq=seq) if seq in by_number:
                by_number[seq].shown.setdefault(item.display, item)
    return found


def _seconds(announced: Sequence[_Announced]) -> Iterator[list[float]]:
    onsets = [e.alarm for e in announced if e.alarm.event == "onset"]
    yield [a.at.seconds_since(a.sampled) for a in onsets if a.sampled is not None]
    yield [e.sent.seconds_since(e.alarm.at) for e in announced if e.sent is not None]
    yield [
        shown.at.seconds_since(entry.sent)
        for entry in announced
        if entry.sent is not None
        for shown in entry.shown.values()
    ]


def _stage(name: str, ordered: Sequence[float]) -> Stage:
    return Stage(
        name=name,
        count=len(ordered),
        p50_s=percentile(ordered, 0.5),
        p99_s=percentile(ordered, 0.99),
        max_s=ordered[-1],
    )
