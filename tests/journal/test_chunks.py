"""Rows that were moved into a chunk are the same rows, and nothing else can take a row away."""

import sqlite3
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.effects import Recorded, SessionClosed
from service.core.events import Frame, Tick
from service.journal import chunks
from service.journal.chain import GENESIS
from service.journal.codec import CODEC
from service.journal.comparing import compare
from service.journal.replay import recover, unfinished
from service.journal.rows import Entry, JournalError, Row
from service.journal.sealing import Sealer
from service.journal.store import Store
from service.journal.verify import verify_chain
from tests.journal.material import (
    SESSION,
    at,
    falsify,
    frame,
    record_toy_session,
    tick,
    toy_state,
    toy_step,
    writing,
)
from tests.journal.test_frames import FRAMES

MINUTE = [event for n in range(60) for event in (tick(n), frame(n + 0.3, 42.0 + n / 100, None))]


def entries(rows: list[Row]) -> list[Entry]:
    names = [field.name for field in fields(Entry)]
    return [Entry(**{name: getattr(row, name) for name in names}) for row in rows]


def sealed(items: list[object]) -> list[Row]:
    sealer = Sealer(CODEC, SESSION)
    return [row for item in items for row in sealer.seal(item, at(0))]


def no_state(_: int) -> bytes:
    raise AssertionError("no state is told from another here")


@pytest.mark.requirement("RC-130")
@settings(deadline=None, max_examples=50)
@given(items=st.lists(FRAMES | st.just(tick(3)) | st.just(toy_state()), min_size=1, max_size=20))
def test_a_chunk_unpacks_to_the_same_bytes_and_hashes(items: list[object]) -> None:
    rows = sealed([*items, *items, *items, *items])
    chunk = chunks.pack(rows, GENESIS, None)
    assert chunks.unpack(chunk, GENESIS, no_state) == rows


def test_a_minute_of_measurements_is_compressed_into_columns() -> None:
    rows = sealed(list(MINUTE))
    chunk = chunks.pack(rows, GENESIS, None)
    assert len(chunk.measured) < 4 * len(rows)


@pytest.fixture
def compacted(store: Store) -> list[Row]:
    """The rows of a session as they were before they were moved into chunks."""
    record_toy_session(store, list(MINUTE))
    rows = list(store.rows(SESSION))
    assert store.compact(SESSION) == len(rows)
    return rows


@pytest.mark.requirement("RC-130")
def test_nothing_changes_when_rows_are_moved_into_a_chunk(
    store: Store, path: Path, compacted: list[Row]
) -> None:
    with sqlite3.connect(path) as connection:
        assert connection.execute(
            f"SELECT count(*) FROM rows WHERE chain = '{SESSION}'"
        ).fetchone() == (0,)
    connection.close()
    assert list(store.rows(SESSION)) == compacted
    assert list(store.rows(SESSION, after=7)) == compacted[8:]
    head = store.head(SESSION)
    assert head is not None
    assert (head.n, head.digest) == (compacted[-1].n, compacted[-1].digest)
    words = [entry for entry in entries(compacted) if entry.kind not in ("Frame", "Tick")]
    assert list(store.spoken(SESSION)) == words
    assert list(store.spoken(SESSION, ["State"], after=0)) == [
        w for w in words if w.kind == "State"
    ]
    assert verify_chain(store, SESSION).findings == []
    assert list(compare(store.rows(SESSION), toy_step)) == []
    assert recover(store, SESSION, toy_step).processed == len(MINUTE)


def test_a_chain_goes_on_behind_its_chunk(store: Store, compacted: list[Row]) -> None:
    with writing(store) as (writer, _):
        writer.append(SESSION, [frame(61, 43.0, None), Recorded(at=at(61), kind="note", text="on")])
    rows = list(store.rows(SESSION))
    assert rows[: len(compacted)] == compacted
    assert [row.kind for row in rows[len(compacted) :]] == ["Frame", "Recorded"]
    store.compact(SESSION)
    assert list(store.rows(SESSION)) == rows
    assert verify_chain(store, SESSION).findings == []


def test_states_are_told_as_differences_from_an_earlier_one(store: Store) -> None:
    state = toy_state()
    with writing(store) as (writer, _):
        for minute in range(5):
            state = replace(state, processed=minute, now=at(60 * minute))
            assert writer.append(SESSION, [state, tick(minute)])
    before = list(store.rows(SESSION))
    with writing(store) as (writer, news):
        for minute in range(5, 10):
            state = replace(state, processed=minute, now=at(60 * minute))
            assert news.wait_durable(writer.append(SESSION, [state, tick(minute)]))
            before = list(store.rows(SESSION))
            store.compact(SESSION)
            assert list(store.rows(SESSION)) == before
    assert store.newest_state(SESSION) == before[-2].n
    assert verify_chain(store, SESSION).findings == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE chunks SET spoken = x'00'",
        "DELETE FROM chunks",
        "INSERT OR REPLACE INTO chunks SELECT * FROM chunks",
        "INSERT INTO chunks SELECT 'room', 5, 0, layout, hash, NULL, NULL, 0, sum, spoken, measured"
        " FROM chunks",
        "INSERT INTO rows SELECT chain, 0, kind, schema, 0, 0, body, hash FROM rows",
        f"INSERT INTO rows VALUES ('{SESSION}', 0, 'Tick', 2, 0, 0, x'', x'')",
    ],
    ids=["update", "delete", "replace", "chunk without rows", "row again", "row in a chunk"],
)
@pytest.mark.usefixtures("compacted")
def test_the_database_itself_refuses_to_change_a_chunk(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(sql)
    connection.close()


@pytest.mark.requirement("RC-103")
def test_a_change_of_any_single_byte_of_a_chunk_is_found(
    store: Store, path: Path, compacted: list[Row]
) -> None:
    falsify(path, "SELECT 1")
    last_n = compacted[-1].n
    connection = sqlite3.connect(path)
    for column in ("spoken", "measured", "sum", "hash"):
        (blob,) = connection.execute(f"SELECT {column} FROM chunks").fetchone()
        for place in range(0, len(blob), 1 + len(blob) // 60):
            altered = bytearray(blob)
            altered[place] ^= 1
            connection.execute(f"UPDATE chunks SET {column} = ?", (bytes(altered),))
            connection.commit()
            assert f"Rows 0 to {last_n} of {SESSION}" in verify_chain(store, SESSION).findings[0]
        connection.execute(f"UPDATE chunks SET {column} = ?", (blob,))
        connection.commit()
    connection.close()
    assert verify_chain(store, SESSION).findings == []


@pytest.mark.parametrize(
    "change",
    ["layout = 2", "first_n = 1", "last_n = last_n + 1", "state_n = NULL", "closes = 1"],
)
def test_a_change_of_any_number_of_a_chunk_is_found(
    store: Store, path: Path, compacted: list[Row], change: str
) -> None:
    assert compacted
    falsify(path, f"UPDATE chunks SET {change}")
    assert verify_chain(store, SESSION).findings != []
    with pytest.raises(JournalError):
        list(store.rows(SESSION))


def test_a_closed_session_is_compacted_at_once_and_is_not_unfinished(
    store: Store, path: Path
) -> None:
    with writing(store) as (writer, _):
        writer.append(SESSION, [toy_state(), tick(1)])
        writer.append("20260102T100000Z", [toy_state(), tick(2)])
        closing = SessionClosed(at=at(3), session=SESSION, by="perfusionist")
        writer.append(SESSION, [tick(3), closing])
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT chain, closes FROM chunks").fetchall() == [(SESSION, 1)]
    connection.close()
    assert unfinished(store) == ["20260102T100000Z"]
    kinds = [row.kind for row in store.rows(SESSION)]
    assert kinds == ["Opening", "State", "Tick", "Tick", "SessionClosed"]


def test_the_writer_compacts_what_it_has_written(store: Store, path: Path) -> None:
    with writing(store, compact_s=0) as (writer, news):
        for event in MINUTE:
            last = writer.append(SESSION, [event])
        assert news.wait_durable(last)
        writer.append(SESSION, [tick(61)])
    with sqlite3.connect(path) as connection:
        (chunked,) = connection.execute("SELECT max(last_n) FROM chunks").fetchone()
    connection.close()
    assert chunked >= 100
    items = [type(row) for row in store.rows(SESSION)]
    assert len(items) == len(MINUTE) + 3
    assert verify_chain(store, SESSION).findings == []
    assert {Frame.__name__, Tick.__name__} <= {row.kind for row in store.rows(SESSION)}
