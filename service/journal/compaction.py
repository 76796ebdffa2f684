"""When the rows of a chain are moved into a chunk: each minute, and when its session is closed."""

import logging
import time
from collections import Counter
from collections.abc import Sequence

from service.journal.chunks import CLOSING
from service.journal.rows import JournalError, Row
from service.journal.store import Store

COMPACT_S = 60.0
"""How long rows stay as they are before they are moved into a chunk."""

ROWS_MIN, ROWS_MAX = 100, 5_000
"""A chain with fewer new rows waits longer; one with more does not wait."""

log = logging.getLogger(__name__)


class Compaction:
    """Counts what was appended to each chain, and compacts those that are due."""

    def __init__(self, store: Store, every_s: float = COMPACT_S) -> None:
        self._store = store
        self._every_s = every_s
        self._next_s = time.monotonic() + every_s
        self._rows: Counter[str] = Counter()
        self._closed: set[str] = set()
        self._given_up: set[str] = set()

    def appended(self, rows: Sequence[Row]) -> None:
        """Takes note of rows that are on the disk."""
        self._rows.update(row.chain for row in rows)
        self._closed.update(row.chain for row in rows if row.kind == CLOSING)

    def run(self) -> None:
        """Stores one chunk of each chain that is due; SQLAlchemyError when the disk fails.

        A chain whose rows cannot be packed is left as it is: it is durable and readable.
        """
        is_time = time.monotonic() >= self._next_s
        if is_time:
            self._next_s = time.monotonic() + self._every_s
        for chain in [chain for chain in self._rows if self._is_due(chain, is_time)]:
            try:
                self._rows[chain] -= self._store.compact(chain)
            except JournalError as error:
                log.error("%s They stay as they were written.", error)
                self._given_up.add(chain)
            if self._rows[chain] <= 0:
                del self._rows[chain]
                if chain in self._closed:
                    self._closed.remove(chain)
                    self._store.tidy()

    def _is_due(self, chain: str, is_time: bool) -> bool:
        if chain in self._given_up:
            return False
        count = self._rows[chain]
        return chain in self._closed or count >= ROWS_MAX or (is_time and count >= ROWS_MIN)
