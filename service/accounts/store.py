"""The database of accounts: short transactions beside the journal's one writer."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from service.accounts.people import AccountsError
from service.journal import migrations
from service.journal.database import database_of
from service.journal.rows import JournalError, cause


class AccountStore:
    """The accounts in the database of one room. May be used from several threads."""

    def __init__(self, url: str) -> None:
        """Open them, or make their tables where the journal has none yet.

        Raises AccountsError when the database cannot be used.
        """
        database = database_of(url)
        self.where = database.where
        try:
            self._engine = database.accounts_engine()
            if not (database.exists() and self._has_tables()):
                from service.journal.store import open_writing  # slow to load, and seldom needed

                open_writing(url).close()
        except JournalError as error:
            raise AccountsError(str(error)) from error

    def _has_tables(self) -> bool:
        with self.transaction(reads=True) as db:
            return migrations.is_newest(db)

    @contextmanager
    def transaction(self, *, reads: bool = False) -> Iterator[Connection]:
        """One transaction; one that only `reads` waits for no writer.

        Raises Unusable when the database cannot be used now.
        """
        try:
            with self._engine.connect().execution_options(reads=reads) as db, db.begin():
                yield db
        except SQLAlchemyError as error:
            raise Unusable(
                f"The accounts in {self.where} cannot be used now ({cause(error)}); treatment goes"
                " on. Try again."
            ) from error

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


class Unusable(AccountsError):
    """The database does not answer or takes nothing, for now."""
