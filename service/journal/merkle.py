"""The Merkle tree of RFC 6962 (section 2.1) over a chain's rows, one entry per row.

Only the roots of the complete subtrees are kept, so that a row costs two hashes and a tree of a
million rows twenty of them.
"""

import hashlib
from collections.abc import Iterable

from service.journal.rows import JournalError

HASH_BYTES = 32


class Tree:
    """A tree that entries are added to at its end; `frontier` is all of it that is kept."""

    def __init__(self, size: int = 0, frontier: Iterable[bytes] = ()) -> None:
        """A tree of `size` entries that goes on from its frontier; JournalError if it has none."""
        self.size = size
        self._peaks = list(frontier)
        if len(self._peaks) != size.bit_count() or any(len(p) != HASH_BYTES for p in self._peaks):
            raise JournalError(f"These are not the subtrees of a tree of {size} rows.")

    @property
    def frontier(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, the largest first."""
        return tuple(self._peaks)

    def add(self, entry: bytes) -> None:
        """Puts one more entry at the end."""
        node = hashlib.sha256(b"\x00" + entry).digest()
        left = self.size
        while left & 1:
            node = _node(self._peaks.pop(), node)
            left >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The tree head: 32 bytes that depend on every entry and on their order."""
        if not self._peaks:
            return hashlib.sha256().digest()
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = _node(peak, root)
        return root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
