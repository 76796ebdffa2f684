"""Which database a URL names. What only one kind of database needs is in a file of its own."""

from typing import Protocol

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError

from service.journal.postgresql import Postgresql
from service.journal.rows import JournalError
from service.journal.sqlite import Sqlite


class Database(Protocol):
    """What the store needs of a kind of database beyond SQL."""

    where: str
    """How messages name it, without a password."""

    begin: str
    """How its driver begins a transaction that writes."""

    mark: str
    """How its driver marks the place of a value."""

    def exists(self) -> bool:
        """Whether there is a database that could be read."""

    def check(self) -> None:
        """JournalError when it is not a journal of ours; reads only."""

    def hold(self) -> None:
        """Keeps other services from writing it; JournalError when one does."""

    def release(self) -> None:
        """Gives it free for another service."""

    def prepare(self) -> None:
        """Makes a new database recognisable as ours."""

    def writing_engine(self) -> Engine:
        """An engine whose commits are on the disk when they return."""

    def accounts_engine(self) -> Engine:
        """An engine for short transactions on the accounts, beside the one writer."""

    def reading_engine(self, layout: int) -> Engine:
        """An engine that can only read, whose transactions see one moment."""

    def tidy(self, engine: Engine) -> None:
        """Gives back the room that nothing needs any more, when a session's record was closed."""

    def settle(self, engine: Engine) -> None:
        """Makes durable what is visible after a write has failed; JournalError if it cannot."""


def database_of(url: str) -> Database:
    """The database of a `sqlite:///…` or `postgresql+psycopg://…` URL, else JournalError."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = make_url("unknown://")
    if parsed.drivername == "postgresql+psycopg":
        return Postgresql(parsed)
    if parsed.get_backend_name() == "sqlite":
        return Sqlite(parsed)
    raise JournalError(
        f'The journal cannot use the database {url}. Write database = "sqlite:///hipec.db" or'
        ' "postgresql+psycopg://USER@HOST/NAME" in the site file.'
    )
