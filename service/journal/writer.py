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

from service.core.events import Frame, Tick
from service.core.model import Instant
from service.journal.codec import CODEC, Codec
from service.journal.compaction import COMPACT_S, Compaction
from service.journal.rows import ROOM, Layout, Lost, Opening, Row, cause
from service.journal.sealing import Sealer, Unsealer
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


class Writer:
    """Appends to the chains of one store from a thread of its own.

    `on_durable(ticket)` is called when that ticket and all before it are on the disk.
    `on_trouble(reason)` is called when the journal cannot be written, and with None when it can
    again. Both are called in the writer's thread and must return at once.
    """

    def __init__(
        self,
        store: Store,
        *,
        on_durable: OnDurable,
        on_trouble: OnTrouble,
        codec: Codec = CODEC,
        capacity_passes: int = CAPACITY_PASSES,
        compact_s: float = COMPACT_S,
    ) -> None:
        self._store = store
        self._codec = codec
        self._on_durable = on_durable
        self._on_trouble = on_trouble
        self._capacity_passes = capacity_passes
        self._inbox: SimpleQueue[_Pass | None] = SimpleQueue()
        self._taking = threading.Lock()
        self._ticket = 0
        self._durable = 0
        self._lost_passes = 0
        self._unsealed: deque[_Pass] = deque()
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

    def close(self, timeout_s: float = 5.0) -> int:
        """Writes what waits and ends the thread; returns how many passes could not be written."""
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

    def _take(self, received: _Pass | None) -> None:
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
        self._compaction.appended(rows)
        for _ in range(taken):
            self._durable, _rows = self._sealed.popleft()
        self._tell(self._on_durable, self._durable)

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
            rows = self._rows_of(taken.chain, taken.items)
            self._unsealed.popleft()
            self._sealed.append((taken.ticket, rows))

    def _rows_of(self, chain: str, items: Sequence[object]) -> list[Row]:
        sealer = self._sealer(chain)
        if sealer.head is None:
            items = (self._opening(chain), *items)
        at = next(filter(None, map(_time_of, items)), _UNTIMED)
        return [row for item in items for row in sealer.seal(item, at)]

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
            self._sealers[chain] = Sealer(self._codec, chain, head, layouts)
        return self._sealers[chain]

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
