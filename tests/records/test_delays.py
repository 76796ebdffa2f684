"""The delays of alarms, measured from the rows of a record."""

from typing import Any

import pytest

from service.core.effects import AlarmChanged
from service.core.events import Sent, Shown
from service.core.model import Instant, Presence, Priority
from service.records.delays import delays, displays, lines


def at(second: float) -> Instant:
    return Instant(mono_ns=round(second * 1e9), utc_ns=10**18 + round(second * 1e9))


def alarm(
    second: float, occurrence: str, *, event: str = "onset", sampled: float | None = None
) -> AlarmChanged:
    return AlarmChanged(
        at=at(second),
        id="inflow_high",
        source="inflow",
        occurrence=occurrence,
        event=event,
        priority=Priority.HIGH,
        presence=Presence.ON,
        text="Inflow 46.2 °C",
        do="Heater is off",
        value=46.2,
        limit=46.0,
        sampled=None if sampled is None else at(sampled),
    )


def sent(second: float, seq: int, occurrence: str, event: str = "onset") -> Sent:
    return Sent(at=at(second), seq=seq, occurrence=occurrence, event=event, durable=True)


@pytest.mark.requirement("RC-061")
def test_each_stage_of_an_alarm_is_told_from_what_was_recorded() -> None:
    items: list[Any] = []
    for number in range(100):
        start = 10.0 * number
        items += [
            alarm(start + 0.02, f"b-{number}", sampled=start),
            sent(start + 0.03, number, f"b-{number}"),
            Shown(at=at(start + 0.08), display="anesthesia", seq=number),
            Shown(at=at(start + 0.06), display="perfusion", seq=number),
            Shown(at=at(start + 5.0), display="perfusion", seq=number),
        ]
    items += [alarm(2000.0, "b-100", sampled=1999.0), sent(2000.2, 100, "b-100")]
    decided, left, drawn = delays(items)[Priority.HIGH]
    assert (decided.count, left.count, drawn.count) == (101, 101, 200)
    assert (decided.p50_s, decided.max_s) == pytest.approx((0.02, 1.0))
    assert left.max_s == pytest.approx(0.2)
    assert (drawn.p50_s, drawn.max_s) == pytest.approx((0.04, 0.05), abs=1e-6)
    assert lines(items)[0] == (
        "high, reading to decision: p50 0.020 s, p99 0.020 s, max 1.000 s (101 measured)"
    )


@pytest.mark.requirement("RC-171")
def test_each_display_has_its_own_figures_and_says_how_long_its_paint_took() -> None:
    items: list[Any] = [alarm(1.0, "b-1"), sent(1.01, 1, "b-1")]
    for name, after_s, latency_ms in (("perfusion", 0.02, 4.0), ("anesthesia", 0.09, 30.0)):
        shown_at = at(1.01 + after_s)
        items.append(Shown(at=shown_at, display=name, seq=1, latency_ms=latency_ms))
    found = displays(items)
    assert list(found) == ["anesthesia", "perfusion"]
    confirmed, painted = found["anesthesia"]
    assert (confirmed.max_s, painted.max_s) == pytest.approx((0.09, 0.03))
    assert lines(items)[-1] == (
        "at perfusion, arrival to paint, by its own clock: p50 0.004 s, p99 0.004 s, "
        "max 0.004 s (1 measured)"
    )


def test_numbers_that_begin_anew_after_a_restart_are_not_mixed_up() -> None:
    items = [
        alarm(1.0, "a-1"),
        sent(1.1, 7, "a-1"),
        alarm(50.0, "b-1"),
        sent(50.3, 7, "b-1"),
        Shown(at=at(50.5), display="perfusion", seq=7),
    ]
    left, drawn = delays(items)[Priority.HIGH]
    assert (left.count, drawn.count) == (2, 1)
    assert drawn.max_s == pytest.approx(0.2)


def test_a_record_without_alarms_has_no_delays() -> None:
    cleared = alarm(3.0, "a-1", event="cleared")
    assert lines([cleared, sent(3.1, 1, "a-1", "cleared")]) == []
