"""The record gives back the core's state, and shows every effect that is not the core's."""

from dataclasses import replace
from pathlib import Path

import pytest

from service.core.effects import HeaterOff
from service.core.state import State
from service.journal.comparing import compare
from service.journal.replay import recover, unfinished
from service.journal.rows import JournalError
from service.journal.store import Store
from tests.journal.material import (
    SESSION,
    falsify,
    frame,
    record_toy_session,
    tick,
    toy_state,
    toy_step,
    writing,
)

EVENTS = [frame(1, 42.5, None), tick(2), frame(3, 46.5), tick(4)]


def other_step(state: State, event: object) -> tuple[State, list[object]]:
    """A later version of the core that waits for one degree more before it is too hot."""
    if isinstance(event, type(EVENTS[0])):
        cooler = [replace(r, value=r.value and r.value - 1) for r in event.readings]
        event = replace(event, readings=tuple(cooler))
    return toy_step(state, event)  # type: ignore[arg-type]


def test_the_same_core_gives_the_same_effects_byte_for_byte(store: Store) -> None:
    record_toy_session(store, EVENTS)
    assert list(compare(store.rows(SESSION), toy_step)) == []


def test_the_state_after_a_crash_is_the_fold_of_the_record(store: Store) -> None:
    record_toy_session(store, EVENTS)
    state = toy_state()
    for event in EVENTS:
        state, _ = toy_step(state, event)
    assert recover(store, SESSION, toy_step) == state


def test_another_version_of_the_core_lists_its_differences(store: Store) -> None:
    record_toy_session(store, EVENTS)
    first, second = list(compare(store.rows(SESSION), other_step))
    assert (first.event, first.recorded) == ("Frame", 'HeaterOff {"order":3,"reason":"too hot"}')
    assert first.replayed == (
        'HeaterRun {"asked_c":null,"bath_c":44.3,"granted_c":null,"lease_s":3.0,"limited_by":"",'
        '"order":3}'
    )
    assert (second.recorded, second.replayed[:8]) == ("", "Recorded")


def test_an_effect_that_was_added_to_the_record_is_a_difference(store: Store) -> None:
    with writing(store) as (writer, _):
        added = HeaterOff(order=9, reason="never happened")
        writer.append(SESSION, [toy_state(), tick(1), added])
    (difference,) = list(compare(store.rows(SESSION), toy_step))
    assert "never happened" in difference.recorded
    assert difference.replayed == ""


def test_a_hole_in_the_record_is_a_difference_and_does_not_stop_recovery(store: Store) -> None:
    with writing(store) as (writer, _):
        writer.append(SESSION, [toy_state(), tick(1)])
        writer.append(SESSION, ["no event"])
        writer.append(SESSION, [tick(2)])
    (difference,) = list(compare(store.rows(SESSION), toy_step))
    assert difference.event == "Unencodable"
    assert recover(store, SESSION, toy_step).processed == 2


@pytest.mark.parametrize("session", ["nobody", "stateless"])
def test_a_session_without_its_first_state_cannot_be_replayed(store: Store, session: str) -> None:
    with writing(store) as (writer, _):
        writer.append("stateless", [tick(1)])
    with pytest.raises(JournalError, match="does not begin with a state"):
        recover(store, session, toy_step)


def test_a_damaged_row_is_named_instead_of_read(store: Store, path: Path) -> None:
    record_toy_session(store, EVENTS)
    falsify(path, "UPDATE rows SET body = x'0000' WHERE kind = 'Frame'")
    with pytest.raises(JournalError, match=rf"Row 3 of {SESSION}: .* damaged"):
        list(compare(store.rows(SESSION), toy_step))


def test_a_session_that_was_never_closed_is_found_after_a_restart(store: Store) -> None:
    record_toy_session(store, EVENTS)
    assert unfinished(store) == [SESSION]
