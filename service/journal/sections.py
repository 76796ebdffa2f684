"""One blob out of a few: each deflated by itself, behind a small JSON head that says what they are.

Little-endian: the length of the head (u16), the deflated head, then the sections. The head's member
"sections" has the length of each; a negative one was not deflated, because that would not help.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from service.journal.rows import JournalError

_LENGTH = struct.Struct("<H")
_LEVEL = 6
_WAYS = ((zlib.Z_FILTERED, 3), (zlib.Z_FILTERED, 5), (zlib.Z_DEFAULT_STRATEGY, 8))
"""Strategy and memory level of zlib's deflate: small blocks, each with a code of its own, fit
columns whose scatter changes, large ones fit words. The smallest result is kept; any inflate reads
them all."""


def join(head: dict[str, Any], sections: Sequence[bytes]) -> bytes:
    """The blob of a head and its sections."""
    kept = [min(section, *_deflated(section), key=len) for section in sections]
    lengths = [
        -len(small) if small is section else len(small)
        for small, section in zip(kept, sections, strict=True)
    ]
    text = json.dumps(head | {"sections": lengths}, separators=(",", ":"), sort_keys=True)
    told = zlib.compress(text.encode(), _LEVEL)
    return b"".join((_LENGTH.pack(len(told)), told, *kept))


def _deflated(section: bytes) -> Iterator[bytes]:
    for strategy, memory in _WAYS:
        deflating = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, memory, strategy)
        yield deflating.compress(section) + deflating.flush()


class Sections:
    """What `join` was given, each section inflated when it is asked for.

    Raises JournalError where the blob is damaged.
    """

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        try:
            (length,) = _LENGTH.unpack_from(blob)
            start = _LENGTH.size + length
            self.head: dict[str, Any] = json.loads(zlib.decompress(blob[_LENGTH.size : start]))
            self._places = []
            for size in self.head["sections"]:
                self._places.append((start, start + abs(size), size > 0))
                start += abs(size)
        except (zlib.error, struct.error, ValueError, KeyError, TypeError) as error:
            raise JournalError(f"A chunk of the journal is damaged: {error}.") from error

    def __getitem__(self, number: int) -> bytes:
        """The section of this number."""
        try:
            start, end, is_deflated = self._places[number]
            section = self._blob[start:end]
            return zlib.decompress(section) if is_deflated else section
        except (zlib.error, IndexError) as error:
            raise JournalError(f"A chunk of the journal is damaged: {error}.") from error
