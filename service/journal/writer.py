"""The writer thread: takes what the control process did, and says when it is on the disk.

Nothing here makes the control process wait. All that is queued becomes one transaction. When the
disk fails the rows stay in memory, in order, and are written when it works again.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from service.core.effects import SessionClosed
from service.core.events import Frame, Tick
from service.core.model import Instant
from service.journal.codec import CODEC, Codec
from service.journal.compaction import COMPACT_S, Compaction
from service.journal.merkle import Tree
from service.journal.rows import (
    ROOM,
    Checkpoint,
    JournalError,
    Layout,
    Lost,
    Opening,
    Row,
    SessionSealed,
    cause,
)
from service.journal.sealing import Sealer, Unsealer
from service.journal.signing import Signer
from service.journal.store import Store

CAPACITY_PASSES = 500_000
"""How many passes of the core may wait for the disk: three hours at 40 a second, at most 1 GB."""

RETRY_FIRST_S, RETRY_LONGEST_S = 0.1, 5.0
COMMIT_ROWS = 5_000
"""A transaction takes no more than this many rows and the rest of their pass."""

_UNTIMED = Instant(mono_ns=0, utc_ns=0)

OnDurable = Callable[[int], None]
OnTrouble = Callable[[str | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """What one pass of the core gave to the record: an event and its effects."""

    ticket: int
    chain: str
    items: Sequence[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """All chains that have grown are to be signed; `at` is None at the end of the writer."""

    at: Instant | None


class Writer:
    """Appends to the chains of one store from a thread of its own.

    `on_durable(ticket)` is called when that ticket and all before it are on the disk.
    `on_trouble(reason)` is called when the journal cannot be written, and with None when it can
    again. Both are called in the writer's thread and must return at once. With a `signer` each
    chain is signed at its end, when the writer closes and whenever `checkpoint` is called.
    """

    def __init__(
        self,
        store: Store,
        *,
        on_durable: OnDurable,
        on_trouble: OnTrouble,
        signer: Signer | None = None,
        codec: Codec = CODEC,
        capacity_passes: int = CAPACITY_PASSES,
        compact_s: float = COMPACT_S,
    ) -> None:
        self._store = store
        self._codec = codec
        self._on_durable = on_durable
        self._on_trouble = on_trouble
        self._signer = signer
        self._newest = _UNTIMED
        self._newest_ticket = 0
        self._capacity_passes = capacity_passes
        self._inbox: SimpleQueue[_Pass | _Due | None] = SimpleQueue()
        self._taking = threading.Lock()
        self._ticket = 0
        self._durable = 0
        self._lost_passes = 0
        self._unsealed: deque[_Pass | _Due] = deque()
        self._sealed: deque[tuple[int, list[Row]]] = deque()
        self._sealers: dict[str, Sealer] = {}
        self._compaction = Compaction(store, compact_s)
        self._trouble = ""
        self._retry_s = RETRY_FIRST_S
        self._closing = False
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many passes are not yet durable."""
        return self._ticket - self._durable

    def append(self, chain: str, items: Sequence[object]) -> int:
        """Takes one pass for the record: an event, then its effects; returns its ticket at once.

        The first item that has a time stamps those that have none. A session's first pass begins
        with the core's state. Never raises. When the memory is full, single frames and ticks are
        not kept, which the next row says.
        """
        with self._taking:
            kept = tuple(items)
            if not kept:
                return self._ticket
            if self.waiting >= self._capacity_passes and _is_measurement(kept):
                self._lost_passes += 1
                return self._ticket
            if self._lost_passes:
                kept = (Lost(passes=self._lost_passes), *kept)
                self._lost_passes = 0
            self._ticket += 1
            self._inbox.put(_Pass(ticket=self._ticket, chain=chain, items=kept))
            return self._ticket

    def checkpoint(self, at: Instant) -> None:
        """Signs every chain that has grown since it was last signed; returns at once."""
        self._inbox.put(_Due(at=at))

    def close(self, timeout_s: float = 5.0) -> int:
        """Writes and signs what waits and ends the thread; how many passes were not written."""
        self._inbox.put(_Due(at=None))
        self._inbox.put(None)
        self._thread.join(timeout_s)
        self._abandoned.set()
        return self.waiting

    def _run(self) -> None:
        while not self._abandoned.is_set():
            self._receive()
            try:
                self._write()
            except Exception as error:  # whatever the disk does, the rows stay and are tried again
                self._troubled(error)
                continue
            if self._closing:
                return

    def _receive(self) -> None:
        """Takes what was appended: waits for something, or in trouble until it is time to retry."""
        if not self._trouble:
            self._take(self._inbox.get())
        until = time.monotonic() + self._retry_s
        while self._trouble and (left_s := until - time.monotonic()) > 0:
            if self._closing:
                self._abandoned.wait(RETRY_FIRST_S)
                return
            with contextlib.suppress(Empty):
                self._take(self._inbox.get(timeout=left_s))
        for _ in range(self._inbox.qsize()):
            self._take(self._inbox.get_nowait())

    def _take(self, received: _Pass | _Due | None) -> None:
        if received is None:
            self._closing = True
        else:
            self._unsealed.append(received)

    def _write(self) -> None:
        if self._trouble:
            self._store.disconnect()
        self._seal()
        if self._trouble:
            self._store.settle()
            self._drop_written()
        while self._sealed:
            self._commit()
        self._compaction.run()
        if self._trouble:
            self._trouble, self._retry_s = "", RETRY_FIRST_S
            self._tell(self._on_trouble, None)

    def _commit(self) -> None:
        rows: list[Row] = []
        taken = 0
        while taken < len(self._sealed) and len(rows) < COMMIT_ROWS:
            rows += self._sealed[taken][1]
            taken += 1
        self._store.append(rows)
        for _ in range(taken):
            self._durable, _rows = self._sealed.popleft()
        self._tell(self._on_durable, self._durable)
        self._compaction.appended(rows)

    def _drop_written(self) -> None:
        """Forgets what a transaction wrote although it was reported as failed."""
        heads = {chain: self._store.head(chain) for chain in self._sealers}
        while self._sealed and (last := self._sealed[0][1][-1]):
            head = heads[last.chain]
            if head is None or head.n < last.n:
                return
            self._durable, _ = self._sealed.popleft()
            self._tell(self._on_durable, self._durable)

    def _seal(self) -> None:
        """Makes rows of what was taken, once, so that a retry writes the very same rows."""
        while self._unsealed:
            taken = self._unsealed[0]
            if isinstance(taken, _Due):
                ticket, rows = self._newest_ticket, self._signed(taken.at or self._newest)
            else:
                ticket, rows = taken.ticket, self._rows_of(taken.chain, taken.items)
            self._unsealed.popleft()
            self._newest_ticket = ticket
            if rows:
                self._sealed.append((ticket, rows))

    def _signed(self, at: Instant) -> list[Row]:
        if self._signer is None:
            return []
        return [row for s in self._sealers.values() for row in s.sign(self._signer, at)]

    def _rows_of(self, chain: str, items: Sequence[object]) -> list[Row]:
        sealer = self._sealer(chain)
        ends = any(isinstance(item, SessionClosed) for item in items)
        # Before the first row is made: a disk that fails here must not leave half a pass behind.
        room = self._sealer(ROOM) if ends else None
        if sealer.head is None:
            items = (self._opening(chain), *items)
        self._newest = at = next(filter(None, map(_time_of, items)), _UNTIMED)
        rows = [row for item in items for row in sealer.seal(item, at)]
        return rows if room is None else [*rows, *self._end(chain, room, at)]

    def _end(self, chain: str, room: Sealer, at: Instant) -> list[Row]:
        """Signs a session that was closed, and has the room's chain say how it ended."""
        sealer = self._sealers[chain]
        if self._signer is None or sealer.head is None:
            return []
        rows = sealer.sign(self._signer, at)
        sealed = SessionSealed(
            at=at,
            session=chain,
            size=sealer.tree.size,
            root=sealer.tree.root().hex(),
            head=sealer.head.digest.hex(),
        )
        if room.head is None:
            rows += room.seal(self._opening(ROOM), at)
        return [*rows, *room.seal(sealed, at), *room.sign(self._signer, at)]

    def _opening(self, chain: str) -> Opening:
        room = None if chain == ROOM else self._sealer(ROOM).head
        if room is None:
            return Opening(chain=chain)
        return Opening(chain=chain, room_n=room.n, room_hash=room.digest.hex())

    def _sealer(self, chain: str) -> Sealer:
        if chain not in self._sealers:
            head = self._store.head(chain)
            opener = Unsealer(self._codec)
            layouts = map(opener.open, self._store.spoken(chain, [Layout.__name__]))
            signed = [opener.open(e) for e in self._store.spoken(chain, [Checkpoint.__name__])]
            tree = self._tree(chain, signed)
            ends = head is not None and bool(signed) and signed[-1].size == head.n
            self._sealers[chain] = Sealer(self._codec, chain, head, layouts, tree, signed=ends)
        return self._sealers[chain]

    def _tree(self, chain: str, checkpoints: Sequence[Checkpoint]) -> Tree:
        """The tree over a chain's rows, from its newest checkpoint on where that has one."""
        tree = Tree()
        if checkpoints:
            newest = checkpoints[-1]
            with contextlib.suppress(JournalError, ValueError):
                tree = Tree(newest.size, map(bytes.fromhex, newest.frontier))
        for row in self._store.rows(chain, after=tree.size - 1):
            tree.add(row.digest)
        return tree

    def _troubled(self, error: Exception) -> None:
        trouble = (
            f"The journal {self._store.where} cannot be written ({cause(error)}). The record is"
            " kept in memory until it can. Check the disk, and do not switch this computer off."
        )
        self._retry_s = min(2 * self._retry_s, RETRY_LONGEST_S) if self._trouble else RETRY_FIRST_S
        if trouble != self._trouble:
            self._trouble = trouble
            self._tell(self._on_trouble, trouble)

    def _tell(self, listener: Callable[..., None], said: int | str | None) -> None:
        # A listener's event loop may be closed before the writer is.
        with contextlib.suppress(RuntimeError):
            listener(said)


def _time_of(item: object) -> Instant | None:
    """When an event or effect was, or what a state calls now; None for what has no time."""
    at: Instant | None = getattr(item, "at", None) or getattr(item, "now", None)
    return at


def _is_measurement(items: Sequence[object]) -> bool:
    return all(isinstance(item, Frame | Tick) for item in items)
