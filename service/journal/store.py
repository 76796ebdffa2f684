"""One journal database: the only code that writes its tables.

Rows are appended, later moved into chunks, and never changed; triggers in the database refuse
anything else. One process writes, held by a lock; any number read.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from service.journal import chunks, migrations, reading, tables
from service.journal.chain import GENESIS
from service.journal.database import Database, database_of
from service.journal.measured import Measurements, Wanted
from service.journal.rows import Damaged, Entry, Head, JournalError, Row, cause

CHUNK_ROWS = 10_000
"""No chunk holds more rows than this."""

_INSERT_CHUNK = insert(tables.chunks)


class Store:
    """One journal database. `open_writing` and `open_reading` make it."""

    def __init__(
        self,
        database: Database,
        reading_engine: Engine,
        writing_engine: Engine | None = None,
    ) -> None:
        self.where = database.where
        self._database = database
        self._reading_engine = reading_engine
        self._writing_engine = writing_engine
        self._insert = tables.insert_rows(database.mark)
        self._writing: Connection | None = None
        self._cursor: Any = None

    def append(self, rows: Sequence[Row]) -> None:
        """Writes the rows in one transaction; they are on the disk when this returns.

        Raises the driver's error when the disk fails; whether they are there is then unknown until
        `disconnect` and `settle` have succeeded.
        """
        # Through one cursor of the driver's own: a commit is awaited ten times a second.
        cursor = self._appending()
        try:
            cursor.execute(self._database.begin)
            if len(rows) == 1:
                cursor.execute(self._insert, tables.columns_of_row(rows[0]))
            else:
                cursor.executemany(self._insert, [tables.columns_of_row(row) for row in rows])
            cursor.connection.commit()
        except BaseException:
            cursor.connection.rollback()
            raise

    def compact(self, chain: str) -> int:
        """Moves the oldest rows of a chain into a chunk, in one transaction; how many they were.

        Raises JournalError when the chunk would not give the same rows back, and changes nothing;
        SQLAlchemyError as `append`.
        """
        connection = self._connected()
        query = select(tables.rows).where(tables.rows.c.chain == chain).order_by(tables.rows.c.n)
        with connection.begin():
            rows = [tables.row_of(row) for row in connection.execute(query.limit(CHUNK_ROWS))]
            if rows:
                before = reading.chunked_head(connection, chain)
                previous = GENESIS if before is None else before.digest
                chunk = chunks.pack(rows, previous, reading.base(connection, chain))
                connection.execute(_INSERT_CHUNK, tables.columns_of_chunk(chunk))
                held = (tables.rows.c.chain == chain) & (tables.rows.c.n <= chunk.last_n)
                connection.execute(delete(tables.rows).where(held))
        return len(rows)

    def settle(self) -> None:
        """Makes durable what is visible; JournalError while another program prevents it."""
        if self._writing_engine is None:
            raise JournalError(f"The journal {self.where} was opened only to read it.")
        self._database.settle(self._writing_engine)

    def tidy(self) -> None:
        """Gives the file system back what the database does not need any more.

        Raises the driver's error when the disk fails; nothing that was written is at risk.
        """
        if self._writing_engine is not None:
            self._database.tidy(self._writing_engine)

    def disconnect(self) -> None:
        """Drops every connection, so that the next use of the database starts anew."""
        # Readers first: the last connection of SQLite puts away the log, and only a writer can.
        self._reading_engine.dispose()
        connection, self._writing, self._cursor = self._writing, None, None
        if connection is not None:
            connection.close()
        if self._writing_engine is not None:
            self._writing_engine.dispose()

    def head(self, chain: str) -> Head | None:
        """Where a chain ends, None when it has no row."""
        with self._transaction() as connection:
            return reading.head(connection, chain)

    def rows(self, chain: str, *, after: int = -1) -> Iterator[Row]:
        """The rows of a chain in their order, from row `after` + 1 on.

        Raises JournalError where they are not as the journal wrote them.
        """
        for piece in self.pieces(chain, after=after):
            if isinstance(piece, Damaged):
                raise piece
            yield from (row for row in piece if row.n > after)

    def pieces(self, chain: str, *, after: int = -1) -> Iterator[list[Row] | Damaged]:
        """The rows of a chain in their order: each chunk's together, then later ones one by one.

        Begins with the chunk that holds row `after` + 1. In the place of what is not as the
        journal wrote it stands an error that says so.
        """
        with self._transaction() as connection:
            yield from reading.pieces(connection, chain, after)

    def spoken(
        self, chain: str, kinds: Collection[str] | None = None, *, after: int = -1
    ) -> Iterator[Entry]:
        """What a chain says in words (no frames, no ticks), of these kinds or all of them.

        Raises JournalError where it is not as the journal wrote it.
        """
        with self._transaction() as connection:
            yield from reading.spoken(connection, chain, kinds, after)

    def measurements(self, chain: str, wanted: Wanted) -> Iterator[Measurements]:
        """The streams of frames and ticks that are wanted, as columns, in pieces in their order.

        Raises JournalError where they are not as the journal wrote them.
        """
        with self._transaction() as connection:
            yield from reading.measurements(connection, chain, wanted)

    def newest_state(self, chain: str) -> int | None:
        """The number of the newest row of a chain that holds the core's state."""
        with self._transaction() as connection:
            return reading.newest_state(connection, chain)

    def chains(self) -> list[str]:
        """The names of all chains, sorted."""
        with self._transaction() as connection:
            return reading.chains(connection)

    def closed(self) -> set[str]:
        """The names of the sessions whose record was closed."""
        with self._transaction() as connection:
            return reading.closed(connection)

    def close(self) -> None:
        """Gives the database free for another service, as small as it can be."""
        with suppress(SQLAlchemyError, sqlite3.Error):
            self.tidy()
        self.disconnect()
        self._database.release()

    def _connected(self) -> Connection:
        if self._writing_engine is None:
            raise JournalError(f"The journal {self.where} was opened only to read it.")
        if self._writing is None:
            self._writing = self._writing_engine.connect()
        return self._writing

    def _appending(self) -> Any:
        if self._cursor is None:
            raw = self._connected().connection.dbapi_connection
            assert raw is not None, "the pool gave a connection that is closed"
            self._cursor = raw.cursor()
        return self._cursor

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._reading_engine.connect() as connection, connection.begin():
            yield connection


def open_writing(url: str) -> Store:
    """Opens or makes the journal of a room and holds it; JournalError says why it cannot.

    A database of another application or of a newer version is refused and not touched.
    """
    database = database_of(url)
    database.check()
    database.hold()
    try:
        database.prepare()
        _layout(database)
        engine = database.writing_engine()
        with engine.begin() as connection:
            migrations.upgrade(connection)
    except (SQLAlchemyError, sqlite3.Error) as error:
        database.release()
        raise JournalError(
            f"The journal {database.where} cannot be written: {cause(error)}."
        ) from error
    except JournalError:
        database.release()
        raise
    return Store(database, database.reading_engine(tables.LAYOUT), engine)


def open_reading(url: str) -> Store:
    """Opens a journal only to read it, also while a service writes it; JournalError as above."""
    database = database_of(url)
    if not database.exists():
        raise JournalError(
            f"There is no journal at {database.where}. Check `database` in the site file."
        )
    database.check()
    try:
        layout = _layout(database)
    except SQLAlchemyError as error:
        raise JournalError(
            f"The journal {database.where} cannot be read: {cause(error)}."
        ) from error
    return Store(database, database.reading_engine(layout))


def _layout(database: Database) -> int:
    """The layout of the tables, 0 where there are none; JournalError for a newer one."""
    engine = database.reading_engine(tables.LAYOUT)
    with engine.connect() as connection:
        known = inspect(connection).has_table(tables.meta.name)
        query = select(tables.meta.c.value).where(tables.meta.c.name == "schema")
        layout = int(connection.scalar(query) or 0) if known else 0
    engine.dispose()
    if layout > tables.LAYOUT:
        raise JournalError(
            f"The journal {database.where} was written by a newer version (layout {layout}, this"
            f" program knows {tables.LAYOUT}) and was left as it is."
            " Install the newer hipec-monitor again."
        )
    return layout
