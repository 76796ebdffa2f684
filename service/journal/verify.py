"""Whether a chain is as it was written: its hashes, its tree, its signatures, its end."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from struct import error as StructError
from typing import Any

from service.journal.chain import GENESIS, digest
from service.journal.codec import CODEC, SCHEMA, canonical_json
from service.journal.keys import is_signed, statement
from service.journal.merkle import Tree
from service.journal.room_facts import KeyRing, room_facts
from service.journal.rows import (
    ROOM,
    Checkpoint,
    Damaged,
    Head,
    JournalError,
    Opening,
    Row,
    Unsigned,
)
from service.journal.store import Store

CLOSED = "SessionClosed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is known from elsewhere of a chain: the root over its first `size` rows, and whence."""

    size: int
    root: str
    source: str


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What was found of one chain. `findings` are sentences and empty when nothing is wrong.

    `signed` counts the rows under the newest good signature, `keys` are those that signed.
    """

    chain: str
    findings: list[str] = field(default_factory=list)
    size: int = 0
    root: str = ""
    head: str = ""
    signed: int = 0
    closed: bool = False
    keys: set[str] = field(default_factory=set)


def where(row: Row) -> str:
    """A row's number, chain, kind and time, for a person."""
    try:
        time = datetime.fromtimestamp(row.at.utc_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        time = "at no possible time"
    return f"Row {row.n} of {row.chain} ({row.kind}, {time} UTC)"


def verify_rows(
    rows: Iterable[Row | Damaged], chain: str, *, keys: KeyRing, expected: Iterable[Expected] = ()
) -> Verdict:
    """Every row of a chain against the one before it, its tree against every signature.

    `expected` is what somebody else kept: it alone shows rows that were cut off at the end.
    """
    check = _Check(chain, keys, expected)
    try:
        for row in rows:
            if isinstance(row, Damaged):
                check.damaged(row)
            else:
                check.row(row)
    except JournalError as error:
        check.verdict.findings.append(str(error))
    return check.end()


class _Check:
    """Walks along a chain once; keeps its end and its tree.

    The tree is None after rows that cannot be read, until a signed checkpoint brings it back.
    """

    def __init__(self, chain: str, keys: KeyRing, expected: Iterable[Expected]) -> None:
        self.verdict = Verdict(chain=chain)
        self._keys = keys
        self._expected: dict[int, list[Expected]] = defaultdict(list)
        for each in expected:
            self._expected[each.size].append(each)
        self._tree: Tree | None = Tree()
        self._head: Head | None = None
        self._last = ""
        self._opening: Opening | None = None
        self._closed_n: int | None = None

    def damaged(self, piece: Damaged) -> None:
        """Steps over rows that cannot be read."""
        self.verdict.findings.append(str(piece))
        self._head, self._tree = Head(n=piece.last_n, digest=piece.digest), None
        self._last = f"Row {piece.last_n} of {self.verdict.chain}"

    def row(self, row: Row) -> None:
        """Looks at the next row."""
        for text in self._row(row):
            self.verdict.findings.append(f"{where(row)}: {text}.")
        self._head, self._last = Head(n=row.n, digest=row.digest), where(row)
        if self._tree is None:
            return
        self._tree.add(row.digest)
        for known in self._expected.pop(self._tree.size, []):
            if known.root != self._tree.root().hex():
                self.verdict.findings.append(
                    f"{where(row)}: the rows up to here are not those of {known.source}."
                )

    def _row(self, row: Row) -> Iterator[str]:
        expected_n, previous = 0, GENESIS
        if self._head is not None:
            expected_n, previous = self._head.n + 1, self._head.digest
        if row.n > expected_n:
            yield f"rows {expected_n} to {row.n - 1} are missing"
        elif row.n < expected_n:
            yield f"it stands where row {expected_n} should"
        if row.chain != self.verdict.chain:
            yield f"it does not belong to the chain {self.verdict.chain}"
        if row.digest != _digest(previous, row):
            yield "it, or the row before it, is not as it was written"
        if row.schema > SCHEMA:
            yield f"its schema version {row.schema} is newer than this program"
        elif looks := _LOOKS.get(row.kind):
            try:
                yield from looks(self, row)
            except (JournalError, ValueError, TypeError) as error:
                yield f"it cannot be read: {error}"
        if expected_n == 0 and row.kind != Opening.__name__:
            yield "it is not the opening of a chain"

    def _opens(self, row: Row) -> Iterator[str]:
        opening: Opening = CODEC.decode(row.kind, row.body, row.schema)
        if self._head is not None:
            yield "a chain opens only once"
        elif opening.chain != row.chain:
            yield f"it opens the chain {opening.chain}"
        else:
            self._opening = opening

    def _closes(self, row: Row) -> Iterator[str]:
        if self._closed_n is not None:
            yield "the session was closed before"
        self._closed_n = row.n

    def _unsigned(self, row: Row) -> Iterator[str]:
        unsigned: Unsigned = CODEC.decode(row.kind, row.body, row.schema)
        yield f"what came before it could not be signed then: {unsigned.reason}"

    def _signs(self, row: Row) -> Iterator[str]:
        found: Checkpoint = CODEC.decode(row.kind, row.body, row.schema)
        if row.body != canonical_json(json.loads(row.body)):
            yield "it is not written as the journal writes"
        public = self._keys.signers(self._opening, row.n).get(found.key)
        if public is None:
            yield f"it is signed with key {found.key}, which this room did not use then"
            return
        if not is_signed(public, found.signature, statement(row.kind, row.body)):
            yield f"its signature is not that of key {found.key}"
            return
        if self._tree is None:
            self._tree = Tree(found.size, map(bytes.fromhex, found.frontier))
        if wrong := self._unlike(row, found):
            first = self.verdict.signed
            fields = ", ".join(wrong)
            yield f"what it signed is not what stands in rows {first} to {row.n - 1} ({fields})"
            return
        self.verdict.signed = row.n
        self.verdict.keys.add(found.key)

    def _unlike(self, row: Row, found: Checkpoint) -> list[str]:
        """The fields in which a checkpoint is not what the rows before it amount to."""
        tree, head = self._tree or Tree(), self._head
        stands = {
            "at": row.at,
            "chain": row.chain,
            "size": tree.size,
            "root": tree.root().hex(),
            "head": head.digest.hex() if head else "",
            "frontier": tuple(peak.hex() for peak in tree.frontier),
        }
        return [name for name, value in stands.items() if getattr(found, name) != value]

    def end(self) -> Verdict:
        """What can be said when there are no more rows."""
        verdict, head = self.verdict, self._head
        if head is None:
            verdict.findings.append(f"There is no row of {verdict.chain}.")
            return verdict
        verdict.size, verdict.closed = head.n + 1, self._closed_n is not None
        verdict.root = self._tree.root().hex() if self._tree else ""
        verdict.head = head.digest.hex()
        for known in sorted(size for size in self._expected if size > verdict.size):
            source = self._expected[known][0].source
            verdict.findings.append(
                f"{self._last}: the record ends here, but {source} counts {known} rows:"
                f" rows {verdict.size} to {known - 1} were cut off."
            )
        if verdict.closed and verdict.signed != head.n:
            verdict.findings.append(
                f"{self._last}: the session was closed, but no signed checkpoint ends its record."
            )
        return verdict


_LOOKS: Mapping[str, Any] = {
    Opening.__name__: _Check._opens,
    CLOSED: _Check._closes,
    Unsigned.__name__: _Check._unsigned,
    Checkpoint.__name__: _Check._signs,
}


def verify_chain(store: Store, chain: str, expected: Sequence[Expected] = ()) -> Verdict:
    """A chain of a journal, also against what the room's own chain says of it."""
    there = store.chains()
    if chain not in there:
        found = f"There is no chain {chain} in {store.where}."
        return Verdict(chain=chain, findings=[found])
    facts = room_facts(store)
    known, sealed = list(expected), facts.sealed.get(chain)
    if sealed is not None:
        source = "the room's chain"
        known.append(Expected(size=sealed.size, root=sealed.root, source=source))
    verdict = verify_rows(_pieces(store, chain), chain, keys=facts.keys, expected=known)
    if chain == ROOM:
        gone = [session for session in facts.sealed if session not in there]
        verdict.findings += [text for text in facts.findings if text not in verdict.findings]
        verdict.findings += [f"The session {s} was closed, and its chain is missing." for s in gone]
        return verdict
    if sealed is not None and not verdict.closed:
        text = f"The room's chain says that session {chain} was closed; its record does not end so."
        verdict.findings.append(text)
    verdict.findings += _link_findings(store, chain)
    return verdict


def _pieces(store: Store, chain: str) -> Iterator[Row | Damaged]:
    for piece in store.pieces(chain):
        if isinstance(piece, Damaged):
            yield piece
        else:
            yield from piece


def _link_findings(store: Store, session: str) -> list[str]:
    """Whether the room's chain holds the row that a session's opening names."""
    try:
        row = next(store.rows(session))
        opening = CODEC.decode(row.kind, row.body, row.schema)
        if not isinstance(opening, Opening) or opening.room_n is None:
            return []
        room = next(store.rows(ROOM, after=opening.room_n - 1), None)
    except JournalError:  # that row is a finding already
        return []
    if room is not None and (room.n, room.digest.hex()) == (opening.room_n, opening.room_hash):
        return []
    return [f"{where(row)}: row {opening.room_n} of the room's chain is not the one it names."]


def _digest(previous: bytes, row: Row) -> bytes:
    fields = {"chain": row.chain, "n": row.n, "kind": row.kind, "schema": row.schema}
    try:
        return digest(previous, **fields, at=row.at, body=row.body)  # type: ignore[arg-type]
    except (StructError, UnicodeEncodeError):  # no row that the journal wrote
        return b""
