"""One blob out of a few: deflated together behind a small JSON head that says what they are."""

import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from service.journal.rows import JournalError

_LENGTH = struct.Struct("<I")
_LEVEL = 6


def join(head: dict[str, Any], sections: Sequence[bytes]) -> bytes:
    """The blob of a head and its sections."""
    described = head | {"sections": [len(section) for section in sections]}
    text = json.dumps(described, separators=(",", ":"), sort_keys=True).encode()
    return zlib.compress(b"".join((_LENGTH.pack(len(text)), text, *sections)), _LEVEL)


def split(blob: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """What `join` was given; JournalError when the blob is damaged."""
    try:
        data = zlib.decompress(blob)
        (length,) = _LENGTH.unpack_from(data)
        start = _LENGTH.size + length
        head = json.loads(data[_LENGTH.size : start])
        sections = []
        for size in head["sections"]:
            sections.append(data[start : start + size])
            start += size
    except (zlib.error, struct.error, ValueError, KeyError, TypeError) as error:
        raise JournalError(f"A chunk of the journal is damaged: {error}.") from error
    return head, sections
