"""The journal only grows, belongs to one service, and leaves other people's databases alone."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from service.journal.rows import JournalError
from service.journal.sqlite import Sqlite
from service.journal.store import Store, open_reading, open_writing
from tests.journal.material import SESSION, frame, record_toy_session, tick, writing


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE rows SET body = x'00' WHERE n = 1",
        "DELETE FROM rows WHERE n = 1",
        "INSERT OR REPLACE INTO rows SELECT * FROM rows WHERE n = 1",
        "INSERT INTO rows SELECT chain, n + 100, kind, schema, 0, 0, body, hash FROM rows",
    ],
    ids=["update", "delete", "replace", "leave a gap"],
)
def test_the_database_itself_refuses_to_change_the_record(
    store: Store, path: Path, sql: str
) -> None:
    record_toy_session(store, [tick(1), tick(2)])
    before = list(store.rows(SESSION))
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(sql)
    connection.close()
    assert list(store.rows(SESSION)) == before


@pytest.mark.requirement("RC-132")
def test_rows_are_on_the_disk_before_they_are_called_durable(path: Path) -> None:
    with Sqlite(make_url(f"sqlite:///{path}")).writing_engine().connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "2 is FULL"


@pytest.mark.requirement("RC-134")
def test_a_second_service_on_the_same_database_is_refused(store: Store, url: str) -> None:
    with pytest.raises(JournalError, match=r"Another service.*already writes"):
        open_writing(url)


def test_the_database_is_free_again_when_the_service_has_ended(url: str) -> None:
    open_writing(url).close()
    open_writing(url).close()


def test_others_may_read_while_the_service_writes(store: Store, url: str) -> None:
    reader = open_reading(url)
    with writing(store) as (writer, news):
        assert news.wait_durable(writer.append("room", [tick(1)]))
        assert [row.kind for row in reader.rows("room")] == ["Opening", "Tick"]
    reader.close()


def test_a_reader_cannot_write(store: Store, url: str) -> None:
    record_toy_session(store, [tick(1)])
    reader = open_reading(url)
    *_, row = store.rows(SESSION)
    with pytest.raises(JournalError, match="opened only to read it"):
        reader.append([replace(row, n=row.n + 1)])
    reader.close()


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
def test_the_database_of_another_application_is_refused_and_not_touched(
    path: Path, url: str, journal_mode: str
) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode = {journal_mode}")
    connection.execute("CREATE TABLE rows (chain TEXT)")
    connection.close()
    before = path.read_bytes()
    for opening in (open_writing, open_reading):
        with pytest.raises(JournalError, match="belongs to another application"):
            opening(url)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.requirement("RC-134")
def test_a_file_that_is_no_database_is_refused_and_not_touched(path: Path, url: str) -> None:
    path.write_text("a letter")
    with pytest.raises(JournalError, match="belongs to another application"):
        open_writing(url)
    assert path.read_text() == "a letter"


@pytest.mark.requirement("RC-134")
def test_a_journal_of_a_newer_version_is_refused_and_not_touched(path: Path, url: str) -> None:
    open_writing(url).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '4' WHERE name = 'schema'")
    connection.close()
    before = path.read_bytes()
    for opening in (open_writing, open_reading):
        with pytest.raises(JournalError, match=r"newer version \(layout 4, this program knows 3\)"):
            opening(url)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "wrong", ["sqlite://", "sqlite:///:memory:", "mysql://room@db/hipec", "hipec.db"]
)
def test_a_database_that_no_journal_can_use_is_refused(wrong: str) -> None:
    with pytest.raises(JournalError, match=r"sqlite:///hipec\.db"):
        open_writing(wrong)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="Check that the folder exists"):
        open_writing(f"sqlite:///{tmp_path}/nowhere/hipec.db")


def test_a_missing_journal_is_not_made_by_reading_it(path: Path, url: str) -> None:
    with pytest.raises(JournalError, match="There is no journal at"):
        open_reading(url)
    assert not path.exists()


def test_a_journal_that_is_closed_is_one_file_without_free_pages(path: Path, url: str) -> None:
    store = open_writing(url)
    record_toy_session(store, [frame(n, 42.0 + n / 100) for n in range(2_000)])
    reader = open_reading(url)
    assert reader.chains() == [SESSION, "room"]
    assert store.compact(SESSION) > 2_000
    reader.close()
    store.close()
    left = {file.name for file in path.parent.iterdir()} - {f"{path.name}.lock"}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
    assert left == {path.name}, "what was in the log is in the file"
