"""Whoever changes the record is found out."""

from pathlib import Path

import pytest

from service.journal.store import Store
from service.journal.verify import verify_chain
from tests.journal.material import SESSION, falsify, frame, record_toy_session, tick

EVENTS = [tick(1), frame(2, 42.5, None), tick(3)]


@pytest.fixture(autouse=True)
def recorded(store: Store) -> None:
    record_toy_session(store, EVENTS)


def test_an_untouched_record_has_no_findings(store: Store) -> None:
    assert verify_chain(store, SESSION).findings == []
    assert verify_chain(store, "room").findings == []


@pytest.mark.requirement("RC-103")
def test_a_change_of_any_single_byte_of_any_row_is_found(store: Store, path: Path) -> None:
    falsify(path, "SELECT 1")
    update = "UPDATE rows SET body = ? WHERE chain = ? AND n = ?"
    for row in list(store.rows(SESSION)):
        for place in range(len(row.body)):
            altered = bytearray(row.body)
            altered[place] ^= 1
            falsify(path, update, bytes(altered), SESSION, row.n)
            assert f"Row {row.n} of {SESSION}" in verify_chain(store, SESSION).findings[0]
        falsify(path, update, row.body, SESSION, row.n)
    assert verify_chain(store, SESSION).findings == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("at_utc_ns = at_utc_ns + 1", "not as it was written"),
        ("at_mono_ns = at_mono_ns + 1", "not as it was written"),
        ("kind = 'HeaterOff'", "not as it was written"),
        ("schema = 3", "schema version 3 is newer"),
        ("hash = zeroblob(32)", "not as it was written"),
        ("body = body || x'00'", "a column does not hold what the journal wrote"),
        ("chain = 'room', n = 99", "rows 3 to 3 are missing"),
    ],
)
def test_a_change_of_any_column_is_found(store: Store, path: Path, change: str, says: str) -> None:
    falsify(path, f"UPDATE rows SET {change} WHERE chain = '{SESSION}' AND n = 3")
    assert says in "\n".join(verify_chain(store, SESSION).findings)


def test_a_row_that_was_taken_out_is_found(store: Store, path: Path) -> None:
    falsify(path, f"DELETE FROM rows WHERE chain = '{SESSION}' AND n = 4")
    assert "rows 4 to 4 are missing" in verify_chain(store, SESSION).findings[0]


def test_two_rows_that_were_swapped_are_found(store: Store, path: Path) -> None:
    swap = "UPDATE rows SET n = CASE n WHEN 3 THEN -4 ELSE -3 END WHERE chain = ? AND n IN (3, 4)"
    falsify(path, swap, SESSION)
    falsify(path, "UPDATE rows SET n = -n WHERE n < 0")
    assert len(verify_chain(store, SESSION).findings) >= 2


def test_a_session_under_another_rooms_record_is_found(store: Store, path: Path) -> None:
    falsify(path, "UPDATE rows SET hash = zeroblob(32) WHERE chain = 'room' AND n = 1")
    assert (
        "row 1 of the room's chain is not the one it names"
        in verify_chain(store, SESSION).findings[0]
    )


def test_a_record_without_its_beginning_is_found(store: Store, path: Path) -> None:
    falsify(path, f"DELETE FROM rows WHERE chain = '{SESSION}' AND n = 0")
    assert "rows 0 to 0 are missing" in verify_chain(store, SESSION).findings[0]


def test_a_chain_that_is_not_there_is_named(store: Store) -> None:
    assert verify_chain(store, "nobody").findings == [f"There is no chain nobody in {store.where}."]
