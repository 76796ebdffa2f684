"""The hash chain: every row's SHA-256 covers the row before it, so that no change goes unseen."""

import hashlib
import struct

from service.core.model import Instant

GENESIS = bytes(32)
"""What stands before a chain's first row."""


def digest(
    previous: bytes, *, chain: str, n: int, kind: str, schema: int, at: Instant, body: bytes
) -> bytes:
    """SHA-256 over the row and the digest of the row before it (both 32 bytes).

    Numbers are big-endian with a fixed size and texts and the body carry their length in bytes,
    so that no two different rows feed the same bytes to the hash.
    """
    chain_utf8, kind_utf8 = chain.encode(), kind.encode()
    head = struct.pack(
        f">I{len(chain_utf8)}sqI{len(kind_utf8)}sqqqI",
        *(len(chain_utf8), chain_utf8, n),
        *(len(kind_utf8), kind_utf8, schema),
        *(at.mono_ns, at.utc_ns, len(body)),
    )
    return hashlib.sha256(previous + head + body).digest()
