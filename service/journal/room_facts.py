"""What the room's own chain says that the proof of a session needs: its keys, and how it ended."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from service.journal.codec import CODEC
from service.journal.rows import (
    ROOM,
    Entry,
    JournalError,
    KeyInUse,
    Opening,
    SessionSealed,
)
from service.journal.signing import key_findings
from service.journal.store import Store

_KINDS = (KeyInUse.__name__, SessionSealed.__name__)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that a room's chain put into use, each with the number of its row there."""

    rows: Sequence[tuple[int, KeyInUse]] = ()

    def signers(self, opening: Opening | None, n: int) -> Mapping[str, str]:
        """The public keys that may sign row `n` of a chain that begins with `opening`.

        In the room's chain the key in use at that row, in a session's every key that was not
        replaced before the session began.
        """
        rows = self.rows
        if opening is not None and opening.chain == ROOM:
            rows = [entry for entry in rows if entry[0] < n][-1:]
        elif opening is not None and opening.room_n is not None:
            ends = [at for at, _ in rows[1:]] + [opening.room_n + 1]
            rows = [each for each, end in zip(rows, ends, strict=False) if end > opening.room_n]
        return {in_use.key: in_use.public for _, in_use in rows}


@dataclass(slots=True)
class RoomFacts:
    """The room's keys, the sessions that were closed, and what of it cannot be believed."""

    keys: KeyRing = field(default_factory=KeyRing)
    sealed: dict[str, SessionSealed] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


def room_facts(store: Store) -> RoomFacts:
    """Reads the room's chain for its facts; it does not look at hashes and signatures of rows."""
    facts = RoomFacts()
    keys: list[tuple[int, KeyInUse]] = []
    try:
        for row in store.spoken(ROOM, _KINDS):
            try:
                item = _fact(row)
            except JournalError as error:
                facts.findings.append(f"Row {row.n} of {row.chain}: {error}")
                continue
            if isinstance(item, KeyInUse):
                facts.findings += _key_findings(row, item, keys[-1][1] if keys else None)
                keys.append((row.n, item))
            else:
                facts.sealed[item.session] = item
    except JournalError as error:
        facts.findings.append(str(error))
    facts.keys = KeyRing(keys)
    return facts


def _fact(row: Entry) -> KeyInUse | SessionSealed:
    fact: KeyInUse | SessionSealed = CODEC.decode(row.kind, row.body, row.schema)
    return fact


def _key_findings(row: Entry, in_use: KeyInUse, before: KeyInUse | None) -> Iterator[str]:
    try:
        found = list(key_findings(row.body, in_use, before))
    except ValueError as error:
        found = [f"the key cannot be read: {error}"]
    return (f"Row {row.n} of {row.chain} ({row.kind}): {text}." for text in found)
