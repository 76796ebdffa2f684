"""The proof that the core did what the record says: its events once more, and every effect."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from service.core.model import Instant
from service.journal.codec import CODEC, STATE, Codec
from service.journal.core_version import core_version
from service.journal.rows import JournalError, Lost, Row, Unencodable
from service.journal.sealing import Unsealer

Step = Callable[[Any, Any], tuple[Any, Iterable[Any]]]
"""The core: `step(state, event) -> (state, effects)`."""

HOLES = (Lost.__name__, Unencodable.__name__)
"""Kinds that stand where an event is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where a replay left the record: the row of the event, and the effect on either side.

    An empty text means that there is no such effect on that side. `same_core` is False where the
    record was made by another version of the core, which may have decided otherwise.
    """

    n: int
    at: Instant
    event: str
    recorded: str
    replayed: str
    same_core: bool


def compare(rows: Iterable[Row], step: Step, codec: Codec = CODEC) -> Iterator[Difference]:
    """Every effect and kept state in which this core differs from a session's record.

    Byte for byte where the record was made by this very core, else by what the bytes mean. Raises
    JournalError when the record cannot be read.
    """
    replayed = _Replay(step, codec)
    for row in rows:
        yield from replayed.row(row)
    yield from replayed.settle()
    if replayed.state is None:
        raise JournalError(
            "This record does not begin with a state, so it cannot be replayed. Check the id with"
            " `hipec sessions list`."
        )


class _Replay:
    """Steps the core through a record, one pass behind it: effects follow their event."""

    def __init__(self, step: Step, codec: Codec) -> None:
        self.state: Any = None
        self._step = step
        self._codec = codec
        self._unsealer = Unsealer(codec)
        self._event: tuple[Row, Any] | None = None
        self._effects: list[Row] = []

    def row(self, row: Row) -> Iterator[Difference]:
        """Takes the next row; what it shows of the pass before it."""
        if row.kind in self._codec.effects:
            self._effects.append(row)
            return
        item = self._unsealer.open(row)
        if row.kind in self._codec.events:
            yield from self.settle()
            self._event = row, item
        elif row.kind == STATE:
            yield from self.settle()
            yield from self._kept(row, item)
        elif row.kind in HOLES:
            yield from self.settle()
            yield self._difference(row, _text(row.kind, row.body), "")

    def settle(self) -> Iterator[Difference]:
        """Ends the pass whose effects were read: the core's own beside them."""
        recorded, self._effects = self._effects, []
        event, self._event = self._event, None
        effects: Iterable[Any] = ()
        if event is not None and self.state is not None:
            try:
                self.state, effects = self._step(self.state, event[1])
            except Exception as error:  # another version's event may be one it never expected
                text = f"the core fails on it: {type(error).__name__}: {error}"
                yield self._difference(event[0], "", text)
        if not recorded and not effects:
            return
        row = event[0] if event is not None else recorded[0]
        again = [(self._codec.kind(effect), self._codec.encode(effect)) for effect in effects]
        then = [(each.kind, self._meant(each)) for each in recorded]
        for a, b in zip_longest(then, again):
            if a != b:
                yield self._difference(row, _text(*(a or ())), _text(*(b or ())))

    def _kept(self, row: Row, recorded: Any) -> Iterator[Difference]:
        if self.state is None:
            self.state = recorded
            return
        now, then = self._codec.encode(self.state), self._meant(row)
        if now != then:
            yield self._difference(row, *_unlike(then, now))

    def _same_core(self) -> bool:
        return bool(getattr(self.state, "core", "") == core_version())

    def _meant(self, row: Row) -> bytes:
        """The body as it stands, or, from another core, as this program would write the same."""
        if self._same_core():
            return row.body
        return self._codec.encode(self._codec.decode(row.kind, row.body, row.schema))

    def _difference(self, row: Row, then: str, now: str) -> Difference:
        return Difference(
            n=row.n,
            at=row.at,
            event=row.kind,
            recorded=then,
            replayed=now,
            same_core=self._same_core(),
        )


def _unlike(then: bytes, now: bytes) -> tuple[str, str]:
    """The fields of two states that are not the same, on either side."""
    sides = json.loads(then), json.loads(now)
    names = sorted(sides[0].keys() | sides[1].keys())
    unlike = [name for name in names if sides[0].get(name) != sides[1].get(name)]
    return tuple(  # type: ignore[return-value]
        f"{STATE} " + json.dumps({name: side.get(name) for name in unlike}) for side in sides
    )


def _text(kind: str = "", body: bytes = b"") -> str:
    return f"{kind} {body.decode(errors='replace')}".strip()
