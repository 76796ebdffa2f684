"""The journal's tables, and the only code that reads or writes them.

Rows are appended and never changed; triggers in the database refuse anything else. One process
writes, held by a lock; any number read.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from service.core.model import Instant
from service.journal import sqlite
from service.journal.codec import SCHEMA
from service.journal.rows import JournalError, Row

APPLICATION = "hipec-monitor"

_metadata = MetaData()
_meta = Table(
    "meta",
    _metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)
_rows = Table(
    "rows",
    _metadata,
    Column("chain", String, primary_key=True),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("schema", Integer, nullable=False),
    Column("at_mono_ns", BigInteger, nullable=False),
    Column("at_utc_ns", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
_TYPES = [str, int, str, int, int, int, bytes, bytes]
_SPOKEN = text("kind NOT IN ('Frame', 'Tick')")
Index("rows_spoken", _rows.c.chain, _rows.c.n, sqlite_where=_SPOKEN, postgresql_where=_SPOKEN)

_INSERT = insert(_rows)
_HEAD = select(_rows).order_by(_rows.c.n.desc()).limit(1)


class Store:
    """One journal database. `open_writing` and `open_reading` make it."""

    def __init__(self, engine: Engine, where: str, lock: IO[str] | None = None) -> None:
        self.where = where
        self._engine = engine
        self._lock = lock
        self._writing: Connection | None = None

    def append(self, rows: Sequence[Row]) -> None:
        """Writes the rows in one transaction; they are on the disk when this returns.

        Raises SQLAlchemyError when the disk fails; whether they are there is then unknown until
        `disconnect` and `settle` have succeeded.
        """
        if self._writing is None:
            self._writing = self._engine.connect()
        with self._writing.begin():
            self._writing.execute(_INSERT, [_columns(row) for row in rows])

    def settle(self) -> None:
        """Makes durable what is visible; JournalError while another program prevents it.

        After a failed fsync the rows may be seen and yet not be on the disk; copying the
        write-ahead log into the database writes and syncs them anew.
        """
        with self._engine.connect() as connection:
            busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(FULL)").one()
        if busy:
            raise JournalError("another program holds it")

    def disconnect(self) -> None:
        """Drops every connection, so that the next use of the database starts anew."""
        connection, self._writing = self._writing, None
        if connection is not None:
            connection.close()
        self._engine.dispose()

    def head(self, chain: str) -> Row | None:
        """The newest row of a chain, None when it has none."""
        with self._engine.connect() as connection:
            found = connection.execute(_HEAD.where(_rows.c.chain == chain)).first()
        return None if found is None else _row(found)

    def rows(self, chain: str, *, spoken: bool = False, after: int = -1) -> Iterator[Row]:
        """The rows of a chain in their order; `spoken` leaves out frames and ticks.

        Raises JournalError at a row whose columns hold another type than the journal's.
        """
        query = select(_rows).where(_rows.c.chain == chain, _rows.c.n > after).order_by(_rows.c.n)
        if spoken:
            query = query.where(_SPOKEN)
        with self._engine.connect() as connection:
            for found in connection.execute(query):
                yield _row(found)

    def chains(self) -> list[str]:
        """The names of all chains, sorted."""
        names: list[str] = []
        with self._engine.connect() as connection:
            while name := connection.scalar(
                select(func.min(_rows.c.chain)).where(_rows.c.chain > (names or [""])[-1])
            ):
                names.append(name)
        return names

    def close(self) -> None:
        """Gives the database free for another service."""
        self.disconnect()
        if self._lock is not None:
            self._lock.close()


def open_writing(url: str) -> Store:
    """Opens or makes the journal of a room and holds it; JournalError says why it cannot.

    A database of another application or of a newer version is refused and not touched.
    """
    path = sqlite.database_path(url)
    sqlite.check_application(path)
    lock = sqlite.lock(path)
    try:
        sqlite.mark(path)
        _check_schema(path)
        engine = sqlite.writing_engine(path)
        with engine.begin() as connection:
            _create(connection)
    except (SQLAlchemyError, sqlite3.Error) as error:
        lock.close()
        raise JournalError(f"The journal {path} cannot be written: {_cause(error)}.") from error
    except JournalError:
        lock.close()
        raise
    return Store(engine, str(path), lock)


def open_reading(url: str) -> Store:
    """Opens a journal only to read it, also while a service writes it; JournalError as above."""
    path = sqlite.database_path(url)
    if not path.exists():
        raise JournalError(f"There is no journal at {path}. Check `database` in the site file.")
    sqlite.check_application(path)
    try:
        _check_schema(path)
    except SQLAlchemyError as error:
        raise JournalError(f"The journal {path} cannot be read: {_cause(error)}.") from error
    return Store(sqlite.reading_engine(path), str(path))


def _check_schema(path: Path) -> None:
    engine = sqlite.reading_engine(path)
    with engine.connect() as connection:
        known = inspect(connection).has_table(_meta.name)
        query = select(_meta.c.value).where(_meta.c.name == "schema")
        schema = int(connection.scalar(query) or SCHEMA) if known else SCHEMA
    engine.dispose()
    if schema > SCHEMA:
        raise JournalError(
            f"The journal {path} was written by a newer version (schema {schema}, this program"
            f" knows {SCHEMA}) and was left as it is. Install the newer hipec-monitor again."
        )


def _create(connection: Connection) -> None:
    _metadata.create_all(connection)
    for trigger in sqlite.TRIGGERS:
        connection.exec_driver_sql(trigger)
    if connection.scalar(select(func.count()).select_from(_meta)) == 0:
        marks = {"application": APPLICATION, "schema": str(SCHEMA)}
        connection.execute(insert(_meta), [{"name": k, "value": v} for k, v in marks.items()])


def _columns(row: Row) -> dict[str, object]:
    return {
        "chain": row.chain,
        "n": row.n,
        "kind": row.kind,
        "schema": row.schema,
        "at_mono_ns": row.at.mono_ns,
        "at_utc_ns": row.at.utc_ns,
        "body": row.body,
        "hash": row.digest,
    }


def _row(found) -> Row:
    if [type(value) for value in found] != _TYPES:
        raise JournalError(
            f"Row {found.n} of {found.chain}: a column does not hold what the journal wrote."
        )
    chain, n, kind, schema, mono_ns, utc_ns, body, digest = found
    at = Instant(mono_ns=mono_ns, utc_ns=utc_ns)
    return Row(chain=chain, n=n, kind=kind, schema=schema, at=at, body=body, digest=digest)


def _cause(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error)
