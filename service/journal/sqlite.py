"""What the journal asks of SQLite in particular: whose file it is, and how it keeps its word."""

import contextlib
import fcntl
import os
import sqlite3
import struct
from pathlib import Path
from typing import IO
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from service.journal.rows import JournalError

APPLICATION_ID = 0x48495043
"""Marks a database file as ours ("HIPC", bytes 68-71 of the file; sqlite.org/fileformat2)."""

PAGE_BYTES = 1024
"""Small pages: a tick changes two of them, and a chunk leaves half of one empty."""

LOG_PAGES = 4_000
"""How long the write-ahead log grows before it is copied into the database."""

BUSY_S = 0.25
"""How long a write waits for another program's lock before it counts as trouble."""


def database_path(url: str) -> Path:
    """The database file of a `sqlite:///…` URL; JournalError for any other URL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = URL.create("file", database=url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise JournalError(
            f"The journal cannot use the database {parsed.render_as_string()}: this version keeps"
            ' its record in an SQLite file. Write database = "sqlite:///hipec.db" in the site'
            " file, with the path that you want."
        )
    return Path(parsed.database or "")


def check_application(path: Path) -> None:
    """JournalError when the file is not a journal of ours; only reads, and only its header."""
    try:
        with path.open("rb") as file:
            header = file.read(72)
    except FileNotFoundError:
        return
    except OSError as error:
        raise JournalError(f"The database {path} cannot be read: {error.strerror}.") from error
    marker = struct.unpack(">I", header[68:72])[0] if len(header) == 72 else None
    if header and marker != APPLICATION_ID:
        raise JournalError(
            f"The database {path} belongs to another application and was left as it is."
            " Name another file as `database` in the site file."
        )


def mark(path: Path) -> None:
    """Marks a new database file as ours, before a write-ahead log could hide the mark."""
    if path.exists() and path.stat().st_size:
        return
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def writing_engine(path: Path) -> Engine:
    """An engine whose every connection writes ahead (WAL) and syncs each commit (FULL)."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_S}
    )
    event.listen(engine, "connect", _be_durable)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def reading_engine(path: Path) -> Engine:
    """An engine that can only read, beside a service that writes."""
    file = f"file:{quote(str(path.absolute()))}"
    engine = create_engine(URL.create("sqlite", database=file, query={"mode": "ro", "uri": "true"}))
    event.listen(engine, "connect", _begin_ourselves)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def settle(engine: Engine, path: Path) -> None:
    """Makes durable what is visible; JournalError while another program prevents it.

    After a failed fsync rows may be seen and yet not be on the disk, and a later fsync would not
    say so. Copying the write-ahead log into the database writes and syncs them anew; the emptied
    log must be on the disk too, lest a part of the old one be replayed after a power cut.
    """
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise JournalError("another program holds it")
        _sync(path.with_name(path.name + "-wal"))
    finally:
        connection.close()


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def lock(path: Path) -> IO[str]:
    """Holds the database for this process until the file is closed; JournalError when it is held.

    The lock is a file beside the database and ends with the process, whatever ends that.
    """
    beside = path.with_name(path.name + ".lock")
    try:
        file = beside.open("a+", encoding="utf-8")
    except OSError as error:
        raise JournalError(
            f"The journal cannot be kept in {path.parent}: {error.strerror}."
            " Check that the folder exists and that the service may write there."
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        owner = file.read().strip()
        file.close()
        raise JournalError(
            f"Another service (process {owner}) already writes the journal {path}."
            " End it, or give this room a database of its own."
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _begin_ourselves(connection: sqlite3.Connection, _record: object) -> None:
    # Python's sqlite3 would begin only at the first change: reads would not be of one moment.
    connection.isolation_level = None


def _be_durable(connection: sqlite3.Connection, record: object) -> None:
    _begin_ourselves(connection, record)
    settings = ("journal_mode = WAL", "synchronous = FULL", f"wal_autocheckpoint = {LOG_PAGES}")
    for setting in settings:
        connection.execute(f"PRAGMA {setting}").close()
