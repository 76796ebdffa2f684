"""What the record is for: the state after a crash, and the proof that the core did what it says."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from service.journal.chain import GENESIS, digest
from service.journal.codec import CODEC, SCHEMA, STATE, Codec
from service.journal.rows import (
    ROOM,
    Damaged,
    JournalError,
    Layout,
    Lost,
    Opening,
    Row,
    Unencodable,
)
from service.journal.sealing import Unsealer
from service.journal.store import Store

Step = Callable[[Any, Any], tuple[Any, Iterable[Any]]]
"""The core: `step(state, event) -> (state, effects)`."""

_HOLES = (Lost.__name__, Unencodable.__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where a replay left the record: the row of the event, and the effect on either side.

    An empty text means that there is no such effect on that side.
    """

    n: int
    event: str
    recorded: str
    replayed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """One recorded pass of the core; `event` is None where the record has a hole."""

    row: Row
    event: Any
    effects: list[tuple[str, bytes]]


def recover(store: Store, session: str, step: Step, codec: Codec = CODEC) -> Any:
    """The core's state after the last recorded event of a session, from its newest snapshot on.

    Raises JournalError when the record cannot be read.
    """
    state, passes = _opened(store, session, codec, from_n=store.newest_state(session) or 0)
    for recorded in passes:
        if recorded.event is not None:
            state, _ = step(state, recorded.event)
    return state


def replay(store: Store, session: str, step: Step, codec: Codec = CODEC) -> list[Difference]:
    """Every effect in which this core differs, byte for byte, from the one that was recorded.

    Raises JournalError when the record cannot be read.
    """
    state, passes = _opened(store, session, codec)
    found: list[Difference] = []
    for recorded in passes:
        if recorded.event is None:
            found.append(_difference(recorded, _text(recorded.row.kind, recorded.row.body), ""))
            continue
        state, effects = step(state, recorded.event)
        again = [(codec.kind(effect), codec.encode(effect)) for effect in effects]
        pairs = zip_longest(recorded.effects, again)
        found += [
            _difference(recorded, _text(*(a or ())), _text(*(b or ()))) for a, b in pairs if a != b
        ]
    return found


def unfinished(store: Store) -> list[str]:
    """The sessions whose record was never closed, in the order of their names."""
    closed = store.closed()
    return [chain for chain in store.chains() if chain != ROOM and chain not in closed]


def verify_chain(store: Store, chain: str) -> list[str]:
    """What was altered in a chain, as sentences; none when every row is as it was written.

    Rows cut off at the end leave no trace in the chain itself.
    """
    found: list[str] = []
    previous, expected_n = GENESIS, 0
    for piece in store.pieces(chain):
        if isinstance(piece, Damaged):
            found.append(str(piece))
            previous, expected_n = piece.digest, piece.last_n + 1
            continue
        for row in piece:
            found += _row_findings(store, row, previous, expected_n)
            previous, expected_n = row.digest, row.n + 1
    return found if expected_n else [f"There is no chain {chain} in {store.where}."]


def _row_findings(store: Store, row: Row, previous: bytes, expected_n: int) -> Iterator[str]:
    where = f"Row {row.n} of {row.chain} ({row.kind})"
    if row.n != expected_n:
        yield f"{where}: rows {expected_n} to {row.n - 1} are missing."
    if row.digest != _digest(previous, row):
        yield f"{where}: it, or the row before it, is not as it was written."
    if row.schema > SCHEMA:
        yield f"{where}: its schema version {row.schema} is newer than this program."
    if row.n == 0:
        yield from _opening_findings(store, row)


def _opening_findings(store: Store, row: Row) -> list[str]:
    where = f"Row 0 of {row.chain}"
    if row.kind != Opening.__name__:
        return [f"{where}: it is not the opening of a chain."]
    try:
        opening: Opening = CODEC.decode(row.kind, row.body, row.schema)
    except JournalError as error:
        return [f"{where}: {error}"]
    if opening.chain != row.chain:
        return [f"{where}: it opens the chain {opening.chain}."]
    if opening.room_n is None:
        return []
    room = next(store.rows(ROOM, after=opening.room_n - 1), None)
    if room is None or (room.n, room.digest.hex()) != (opening.room_n, opening.room_hash):
        return [f"{where}: row {opening.room_n} of the room's chain is not the one it names."]
    return []


def _digest(previous: bytes, row: Row) -> bytes:
    return digest(
        previous,
        chain=row.chain,
        n=row.n,
        kind=row.kind,
        schema=row.schema,
        at=row.at,
        body=row.body,
    )


def _opened(
    store: Store, session: str, codec: Codec, from_n: int = 0
) -> tuple[Any, Iterator[_Pass]]:
    """The first state from row `from_n` on, and the passes that follow it."""
    unsealer = Unsealer(codec)
    for entry in store.spoken(session, [Layout.__name__]):
        if entry.n < from_n:
            unsealer.open(entry)
    rows = store.rows(session, after=from_n - 1)
    for row in rows:
        if row.kind == STATE:
            return unsealer.open(row), _passes(rows, unsealer, codec)
        if row.kind in codec.events:
            break
    raise JournalError(
        f"The record of session {session} in {store.where} does not begin with a state, so it"
        " cannot be replayed. Check the id with `hipec sessions list`."
    )


def _passes(rows: Iterator[Row], unsealer: Unsealer, codec: Codec) -> Iterator[_Pass]:
    current: _Pass | None = None
    for row in rows:
        item = unsealer.open(row)
        if row.kind in codec.effects and current is not None:
            current.effects.append((row.kind, row.body))
        if row.kind in codec.events or row.kind in _HOLES:
            if current is not None:
                yield current
            event = None if row.kind in _HOLES else item
            current = _Pass(row=row, event=event, effects=[])
    if current is not None:
        yield current


def _difference(recorded: _Pass, then: str, now: str) -> Difference:
    return Difference(n=recorded.row.n, event=recorded.row.kind, recorded=then, replayed=now)


def _text(kind: str = "", body: bytes = b"") -> str:
    return f"{kind} {body.decode()}".strip()
