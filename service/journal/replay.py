"""What the record is for after a crash: the state that the room was in."""

from collections.abc import Iterator
from typing import Any

from service.journal.codec import CODEC, STATE, Codec
from service.journal.comparing import Step
from service.journal.rows import ROOM, JournalError, Layout
from service.journal.sealing import Unsealer
from service.journal.store import Store


def recover(store: Store, session: str, step: Step, codec: Codec = CODEC) -> Any:
    """The core's state after the last recorded event of a session, from its newest snapshot on.

    Raises JournalError when the record cannot be read.
    """
    state, events = _opened(store, session, codec, from_n=store.newest_state(session) or 0)
    for event in events:
        state, _ = step(state, event)
    return state


def opened_with(store: Store, session: str, codec: Codec = CODEC) -> Any:
    """The core's state with which a session's record begins. Raises JournalError."""
    return _opened(store, session, codec)[0]


def unfinished(store: Store) -> list[str]:
    """The sessions whose record was never closed, in the order of their names."""
    closed = store.closed()
    return [chain for chain in store.chains() if chain != ROOM and chain not in closed]


def _opened(store: Store, session: str, codec: Codec, from_n: int = 0) -> tuple[Any, Iterator[Any]]:
    """The first state from row `from_n` on, and the events that follow it."""
    unsealer = Unsealer(codec)
    for entry in store.spoken(session, [Layout.__name__]):
        if entry.n < from_n:
            unsealer.open(entry)
    rows = store.rows(session, after=from_n - 1)
    for row in rows:
        if row.kind == STATE:
            opened = ((each.kind, unsealer.open(each)) for each in rows)
            return unsealer.open(row), (item for kind, item in opened if kind in codec.events)
        if row.kind in codec.events:
            break
    raise JournalError(
        f"The record of session {session} in {store.where} does not begin with a state, so it"
        " cannot be replayed. Check the id with `hipec sessions list`."
    )
