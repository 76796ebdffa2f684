"""One blob out of a few: each deflated by itself, behind a small JSON head that says what they are.

Little-endian: the length of the head (u16), the deflated head, then the sections. The head's member
"sections" has the length of each; a negative one was not deflated, because that would not help.
"""

import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from service.journal.rows import JournalError

_LENGTH = struct.Struct("<H")
_LEVEL = 6


def join(head: dict[str, Any], sections: Sequence[bytes]) -> bytes:
    """The blob of a head and its sections."""
    kept = [min(section, zlib.compress(section, _LEVEL), key=len) for section in sections]
    lengths = [
        -len(small) if small is section else len(small)
        for small, section in zip(kept, sections, strict=True)
    ]
    text = json.dumps(head | {"sections": lengths}, separators=(",", ":"), sort_keys=True)
    told = zlib.compress(text.encode(), _LEVEL)
    return b"".join((_LENGTH.pack(len(told)), told, *kept))


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
