"""What the journal asks of SQLite in particular: whose file it is, and how it keeps its word."""

import contextlib
import fcntl
import os
import sqlite3
import struct
from pathlib import Path
from typing import IO
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event

from service.journal import tables
from service.journal.rows import JournalError

APPLICATION_ID = 0x48495043
"""Marks a database file as ours ("HIPC", bytes 68-71 of the file; sqlite.org/fileformat2)."""

PAGE_BYTES = 1024
"""Small pages: a tick changes two of them, and a chunk leaves half of one empty."""

SETTINGS = {"journal_mode": "WAL", "synchronous": "FULL", "wal_autocheckpoint": "1000"}
"""Of every writing connection: each commit is synced. After about 1,000 pages the log starts
again at its beginning, where a sync need not make the file longer."""

BUSY_S = 0.25
"""How long a write waits for another program's lock before it counts as trouble."""


class Sqlite:
    """A journal in an SQLite file."""

    begin, mark = "BEGIN IMMEDIATE", "?"

    def __init__(self, url: URL) -> None:
        """JournalError for a URL that names no file."""
        if url.database in (None, "", ":memory:"):
            raise JournalError(
                'The journal needs a file. Write database = "sqlite:///hipec.db" in the site file,'
                " with the path that you want."
            )
        self._path = Path(url.database or "")
        self._lock: IO[str] | None = None
        self.where = str(self._path)

    def exists(self) -> bool:
        """Whether there is a database that could be read."""
        return self._path.exists()

    def check(self) -> None:
        """JournalError when the file is not a journal of ours; only reads, and only its header."""
        try:
            with self._path.open("rb") as file:
                header = file.read(72)
        except FileNotFoundError:
            return
        except OSError as error:
            raise JournalError(f"{self.where} cannot be read: {error.strerror}.") from error
        marker = struct.unpack(">I", header[68:72])[0] if len(header) == 72 else None
        if header and marker != APPLICATION_ID:
            raise JournalError(
                f"The database {self.where} belongs to another application and was left as it is."
                " Name another file as `database` in the site file."
            )

    def hold(self) -> None:
        """Holds the database for this process until `release`; JournalError when it is held.

        The lock is a file beside the database and ends with the process, whatever ends that.
        """
        file = self._lock_file()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            owner = file.read().strip()
            file.close()
            raise JournalError(
                f"Another service (process {owner}) already writes the journal {self.where}."
                " End it, or give this room a database of its own."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._lock = file

    def _lock_file(self) -> IO[str]:
        try:
            return self._path.with_name(self._path.name + ".lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise JournalError(
                f"The journal cannot be kept in {self._path.parent}: {error.strerror}."
                " Check that the folder exists and that the service may write there."
            ) from error

    def release(self) -> None:
        """Gives the database free for another service."""
        if self._lock is not None:
            self._lock.close()

    def prepare(self) -> None:
        """Marks a new database file as ours, before a write-ahead log could hide the mark."""
        if self._path.exists() and self._path.stat().st_size:
            return
        with contextlib.closing(sqlite3.connect(self._path)) as connection:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def writing_engine(self) -> Engine:
        """An engine whose every connection writes ahead (WAL) and syncs each commit (FULL)."""
        engine = create_engine(
            URL.create("sqlite", database=str(self._path)), connect_args={"timeout": BUSY_S}
        )
        event.listen(engine, "connect", _be_durable)
        event.listen(engine, "begin", lambda begun: begun.exec_driver_sql(self.begin))
        return engine

    def accounts_engine(self) -> Engine:
        """An engine for the accounts: its commits are on the disk with the next row's."""
        self.check()
        engine = create_engine(
            URL.create("sqlite", database=str(self._path)), connect_args={"timeout": BUSY_S}
        )
        event.listen(engine, "connect", _begin_ourselves)
        event.listen(engine, "connect", _be_brief)
        event.listen(engine, "begin", self._begin_account)
        return engine

    def _begin_account(self, begun: Connection) -> None:
        reads = begun.get_execution_options().get("reads")
        begun.exec_driver_sql("BEGIN" if reads else self.begin)

    def reading_engine(self, layout: int) -> Engine:
        """An engine that can only read, beside a service that writes."""
        file = f"file:{quote(str(self._path.absolute()))}"
        engine = create_engine(
            URL.create("sqlite", database=file, query={"mode": "ro", "uri": "true"})
        )
        event.listen(engine, "connect", _begin_ourselves)
        event.listen(engine, "begin", lambda begun: begun.exec_driver_sql("BEGIN"))
        if layout < tables.CHUNKED:
            # What the former layout does not have is read as empty.
            event.listen(engine, "connect", _without_chunks)
        return engine

    def settle(self, engine: Engine) -> None:
        """Makes durable what is visible; JournalError while another program prevents it.

        After a failed fsync rows may be seen and yet not be on the disk, and a later fsync would
        not say so. Copying the write-ahead log into the database writes and syncs them anew; the
        emptied log must be on the disk too, lest a part of it be replayed after a power cut.
        """
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise JournalError("another program holds it")
            _sync(self._path.with_name(self._path.name + "-wal"))
        finally:
            connection.close()

    def tidy(self, engine: Engine) -> None:
        """Gives the file system back what the newest rows took before they went into chunks, and
        empties the write-ahead log as far as no reader needs it."""
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            # Each step of this statement gives one page back, and `execute` takes only the first.
            cursor.executescript("PRAGMA incremental_vacuum")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _begin_ourselves(connection: sqlite3.Connection, _record: object) -> None:
    # Python's sqlite3 would begin only at the first change: reads would not be of one moment.
    connection.isolation_level = None


def _be_durable(connection: sqlite3.Connection, record: object) -> None:
    _begin_ourselves(connection, record)
    for name, value in SETTINGS.items():
        connection.execute(f"PRAGMA {name} = {value}").close()


def _be_brief(connection: sqlite3.Connection, _record: object) -> None:
    # Not synced: the journal's own commits must never wait for the disk because of a sign-in.
    connection.execute("PRAGMA synchronous = NORMAL").close()


def _without_chunks(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute(tables.EMPTY_CHUNKS).close()
