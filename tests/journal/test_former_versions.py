"""What earlier versions wrote is read, verified and continued by this one; its rows stay the same.

`stored/layout-1.sqlite3` was written by the first layout: one table of rows of schema version 1.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.core.events import Frame
from service.core.session import step
from service.journal.codec import CODEC
from service.journal.replay import recover, unfinished
from service.journal.rows import Row
from service.journal.sealing import Unsealer
from service.journal.store import Store, open_reading, open_writing
from service.journal.verify import verify_chain
from service.records.sessions import show_session
from tests.journal.material import frame, tick, writing

STORED = Path(__file__).parent / "stored" / "layout-1.sqlite3"
SESSION = "20260921T141324Z-or-1"


@pytest.fixture
def former(path: Path, url: str) -> Iterator[Store]:
    shutil.copy(STORED, path)
    store = open_writing(url)
    yield store
    store.close()


def raw_rows() -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{STORED}?mode=ro&immutable=1", uri=True) as connection:
        rows = connection.execute("SELECT * FROM rows WHERE chain = ? ORDER BY n", (SESSION,))
        found = rows.fetchall()
    connection.close()
    return found


def as_stored(row: Row) -> tuple[object, ...]:
    head = (row.chain, row.n, row.kind, row.schema)
    return (*head, row.at.mono_ns, row.at.utc_ns, row.body, row.digest)


@pytest.mark.requirement("RC-131")
def test_rows_of_the_first_layout_are_read_verified_and_never_migrated(former: Store) -> None:
    rows = list(former.rows(SESSION))
    assert [as_stored(row) for row in rows] == raw_rows()
    assert {row.schema for row in rows} == {1}
    assert verify_chain(former, SESSION).findings == []
    assert unfinished(former) == [SESSION]
    opener = Unsealer(CODEC)
    frames = [item for item in map(opener.open, rows) if isinstance(item, Frame)]
    pelvis = [r for f in frames for r in f.readings if r.channel == "pelvis"]
    assert {44.3, 43.0, 42.8, None} <= {reading.value for reading in pelvis}


def test_a_session_of_the_first_layout_can_be_told_and_recovered(former: Store, url: str) -> None:
    told = show_session(url, SESSION)[1]
    assert "43 °C “everywhere”" in told
    state = recover(former, SESSION, step)
    assert state.session is not None
    assert state.session.id == SESSION


def test_a_chain_of_the_first_layout_goes_on_in_this_one(former: Store) -> None:
    before = list(former.rows(SESSION))
    with writing(former, compact_s=0) as (writer, _):
        for n in range(120):
            writer.append(SESSION, [frame(n, 42.0)])
        writer.append(SESSION, [tick(0)])
    rows = list(former.rows(SESSION))
    assert rows[: len(before)] == before
    assert {row.schema for row in rows[len(before) :]} == {2}
    former.compact(SESSION)
    assert list(former.rows(SESSION)) == rows
    assert verify_chain(former, SESSION).findings == []


def test_a_file_of_the_first_layout_is_read_without_being_changed(path: Path, url: str) -> None:
    shutil.copy(STORED, path)
    reader = open_reading(url)
    assert [as_stored(row) for row in reader.rows(SESSION)] == raw_rows()
    assert verify_chain(reader, SESSION).findings == []
    reader.close()
    assert path.read_bytes() == STORED.read_bytes()


def test_a_journal_that_was_migrated_twice_is_the_same(former: Store, url: str) -> None:
    former.close()
    again = open_writing(url)
    assert verify_chain(again, SESSION).findings == []
    again.close()
