"""What a chain is made of: its rows, and the few kinds of row that the journal itself adds."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.core.events import Frame, Tick
from service.core.model import Instant, Unit

ROOM = "room"
"""The chain of the room itself; every other chain is a session and is named by its id."""

FRAME, TICK = Frame.__name__, Tick.__name__
PACKED = (FRAME, TICK)
"""The kinds whose bodies are packed; all others are canonical JSON."""


class JournalError(Exception):
    """The journal cannot be used or read; the text says what, where and what to do next."""


def cause(error: Exception) -> str:
    """What the database or the system itself said, in one line."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


class Damaged(JournalError):
    """Rows that are not as the journal wrote them, and the digest with which the chain goes on."""

    def __init__(self, says: str, *, first_n: int, last_n: int, digest: bytes) -> None:
        super().__init__(says)
        self.first_n, self.last_n, self.digest = first_n, last_n, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a row says and where; `n` counts from 0, `schema` is the version of how it says it."""

    chain: str
    n: int
    kind: str
    schema: int
    at: Instant
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Entry):
    """One row of a chain, with the SHA-256 that chains it to the row before it (32 bytes)."""

    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The rows `first_n` to `last_n` of a chain; `digest` is the last one's.

    `state_n` is the newest state among them, `base_n` the earlier state that theirs are told as
    differences from, `closes` whether the session's closing is among them.
    """

    chain: str
    first_n: int
    last_n: int
    layout: int
    digest: bytes
    state_n: int | None
    base_n: int | None
    closes: bool
    spoken: bytes
    measured: bytes
    sum: bytes

    @property
    def where(self) -> str:
        """How messages name it."""
        return f"Rows {self.first_n} to {self.last_n} of {self.chain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a chain ends: the number and digest of its newest row."""

    n: int
    digest: bytes


Body = tuple[str, int, Instant, bytes]
"""The part of a row that does not depend on its place: kind, schema, time, body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The first row of every chain. A session's holds the room chain's newest row of that time.

    `room_n` is None and `room_hash` (hexadecimal) empty in the room's own chain, and where the
    room had no row yet.
    """

    chain: str
    room_n: int | None = None
    room_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The channels and units of one device's frames, so that a frame carries only its values."""

    id: int
    device: str
    channels: tuple[tuple[str, Unit], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """So many frames and ticks were not kept, because the memory for unwritten rows was full."""

    passes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unencodable:
    """Something that the journal could not encode, kept as text so that the record goes on."""

    kind: str
    error: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The chain's first `size` rows, signed: the root of their tree and the last one's digest.

    Hexadecimal throughout. `frontier` holds the tree's complete subtrees, from which it goes on;
    `key` says which key signed, and `signature` is Ed25519 over all the rest.
    """

    at: Instant
    chain: str
    size: int
    root: str
    head: str
    frontier: tuple[str, ...]
    key: str
    signature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """Here a checkpoint was due and there was nothing to sign it with."""

    at: Instant
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInUse:
    """From this row of the room's chain on, the journal is signed with this key.

    `replaces` is the key before it. After a rotation that key signed this one (`by_old`); after a
    loss it could not, and `reason` says what happened. `by_new` is always there.
    """

    at: Instant
    key: str
    public: str
    replaces: str = ""
    reason: str = ""
    by_old: str = ""
    by_new: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSealed:
    """The room's chain says of a session how it ended: its rows, their root, the last digest."""

    at: Instant
    session: str
    size: int
    root: str
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyElsewhere:
    """The copies of checkpoints that are kept elsewhere cannot be written, or can be again."""

    at: Instant
    path: str
    works: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who came in, was kept out, or changed who may come in; `what` is a word of `AccessKind`.

    `who` is the account or station that it is about, `by` the one who did it, `address` where the
    request came from.
    """

    at: Instant
    what: str
    who: str
    by: str = ""
    station: str = ""
    address: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting of the site file that differs from the start before; empty where it is none."""

    key: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """What the site file says, at the first start and at each whose file says something else."""

    at: Instant
    settings: Mapping[str, str]
    changes: tuple[Change, ...]


JOURNAL_KINDS: tuple[type, ...] = (
    *(Opening, Layout, Lost, Unencodable),
    *(Checkpoint, Unsigned, KeyInUse, SessionSealed, CopyElsewhere, Access, Configured),
)
