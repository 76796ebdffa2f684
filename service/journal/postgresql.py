"""What the journal asks of PostgreSQL in particular: whose database it is, one writer, its word."""

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from service.journal import tables
from service.journal.rows import JournalError, cause

APPLICATION = "hipec-monitor"
LOCK = 0x48495043
"""The advisory lock of the one service that writes; it is of the database and of a connection."""

CONNECT_S = 3
SILENT_MS = 3_000
"""A server that acknowledges nothing for so long is taken for gone."""

_SETTINGS = (
    "synchronous_commit = on",
    "lock_timeout = '250ms'",
    "tcp_keepalives_idle = 5",
    "tcp_keepalives_interval = 2",
    "tcp_keepalives_count = 3",
)
_WORD = ("fsync", "full_page_writes")
"""What the server itself must have switched on, or nothing that it confirms is certain."""


class Postgresql:
    """A journal in a PostgreSQL database of its own."""

    begin, mark = "SET TRANSACTION READ WRITE", "%s"

    def __init__(self, url: URL) -> None:
        self._url = url
        self.where = url.render_as_string(hide_password=True)

    def exists(self) -> bool:
        """Whether there is a database that could be read; what is wrong with it, `check` says."""
        return True

    def check(self) -> None:
        """JournalError when the database cannot be reached or is not a journal of ours."""
        engine = self.reading_engine(tables.LAYOUT)
        try:
            with engine.connect() as connection:
                names = inspect(connection).get_table_names()
                ours = tables.meta.name in names and _application(connection) == APPLICATION
        except SQLAlchemyError as error:
            raise JournalError(
                f"The database {self.where} cannot be used: {cause(error)}. Check `database` in"
                " the site file, and that the server runs and lets this service in."
            ) from error
        finally:
            engine.dispose()
        if names and not ours:
            raise JournalError(
                f"The database {self.where} belongs to another application and was left as it is."
                " Name a database of its own as `database` in the site file."
            )

    def hold(self) -> None:
        """Nothing yet: every writing connection holds the database, and refuses a second one."""

    def release(self) -> None:
        """Nothing more: the lock ends with its connection."""

    def prepare(self) -> None:
        """Nothing: an empty database is ours as soon as it has our tables."""

    def writing_engine(self) -> Engine:
        """An engine with one connection, which holds the database for this service."""
        engine = self._engine(pool_size=1, max_overflow=0)
        event.listen(engine, "connect", self._be_the_writer)
        return engine

    def accounts_engine(self) -> Engine:
        """An engine for the accounts, beside the one connection that writes the journal."""
        return self._engine(pool_size=2, max_overflow=2, pool_pre_ping=True)

    def reading_engine(self, layout: int) -> Engine:
        """An engine that can only read; a transaction sees the database of one moment."""
        del layout
        return self._engine(
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
        )

    def tidy(self, engine: Engine) -> None:
        """Nothing: the server uses again what rows took, by its own autovacuum."""

    def settle(self, engine: Engine) -> None:
        """Connects anew; what it then sees is durable, as the server stops when a sync fails."""
        engine.connect().close()

    def _engine(self, **options) -> Engine:
        connect = {"connect_timeout": CONNECT_S, "tcp_user_timeout": SILENT_MS}
        return create_engine(self._url, connect_args=connect, **options)

    def _be_the_writer(self, connection, _record: object) -> None:
        connection.autocommit = True
        for setting in _SETTINGS:
            connection.execute(f"SET {setting}")
        try:
            self._check_word(connection)
            self._lock(connection)
        except JournalError:
            connection.close()
            raise
        connection.autocommit = False

    def _check_word(self, connection) -> None:
        for word in _WORD:
            if connection.execute(f"SHOW {word}").fetchone() != ("on",):
                raise JournalError(
                    f"The server of {self.where} runs with {word} = off, so that what it confirms"
                    f" may be lost in a power cut. Set {word} = on in its postgresql.conf."
                )

    def _lock(self, connection) -> None:
        if connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone() != (True,):
            raise JournalError(
                f"Another service already writes the journal {self.where}."
                " End it, or give this room a database of its own."
            )


def _application(connection: Connection) -> str | None:
    name = tables.meta.c.name
    found: str | None = connection.scalar(select(tables.meta.c.value).where(name == "application"))
    return found
