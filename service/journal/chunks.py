"""Chunks: a minute of a chain's rows, compressed, that unpack to the same bytes and digests.

The digests themselves are left out: they follow from the rows and the digest before them. The
chunk keeps the last one, and a sum over everything that it holds, so that a change of any byte is
found even where it would change no row.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

from service.journal import measured, spoken
from service.journal.chain import digest
from service.journal.codec import STATE
from service.journal.rows import PACKED, Body, Chunk, Entry, JournalError, Row

LAYOUT = 1
"""The version of how chunks are laid out. Chunks are never changed, only read by their version."""

CLOSING = "SessionClosed"
"""The kind of row that closes a session's record."""

BodyOf = Callable[[int], bytes]


def pack(rows: list[Row], previous: bytes, base: spoken.Base | None) -> Chunk:
    """The chunk of consecutive rows of one chain.

    `previous` is the digest of the row before them, `base` the state to tell differences from.

    Raises JournalError when it would not unpack to exactly these rows.
    """
    first, last = rows[0], rows[-1]
    states = [row.n for row in rows if row.kind == STATE]
    used = base if states and _is_like(rows, base) else None
    chunk = Chunk(
        chain=first.chain,
        first_n=first.n,
        last_n=last.n,
        layout=LAYOUT,
        digest=last.digest,
        state_n=max(states, default=None),
        base_n=None if used is None else used[0],
        closes=any(row.kind == CLOSING for row in rows),
        spoken=spoken.pack([row for row in rows if row.kind not in PACKED], first.n, used),
        measured=measured.pack([row for row in rows if row.kind in PACKED]),
        sum=b"",
    )
    chunk = replace(chunk, sum=sum_of(chunk))
    if rows != unpack(chunk, previous, lambda _: base[1] if base else b""):
        raise JournalError(f"{chunk.where} cannot be packed without a change.")
    return chunk


def _is_like(rows: list[Row], base: spoken.Base | None) -> bool:
    """True when the newest state is told in half its length as a difference from `base`."""
    if base is None:
        return False
    body = next(row.body for row in reversed(rows) if row.kind == STATE)
    return 2 * len(spoken.difference(base, body)) < len(body)


def unpack(chunk: Chunk, previous: bytes, body_of: BodyOf) -> list[Row]:
    """The rows of a chunk that follows the row with the digest `previous`.

    `body_of(n)` gives the body of an earlier state. Raises JournalError when anything in the chunk
    is not as it was written; its digests then do not lead to its own.
    """
    rows: list[Row] = []
    for n, (kind, schema, at, body) in enumerate(_bodies(chunk, body_of), chunk.first_n):
        previous = digest(
            previous, chain=chunk.chain, n=n, kind=kind, schema=schema, at=at, body=body
        )
        rows.append(
            Row(
                chain=chunk.chain,
                n=n,
                kind=kind,
                schema=schema,
                at=at,
                body=body,
                digest=previous,
            )
        )
    if previous != chunk.digest:
        raise JournalError(f"{chunk.where}: they, or the row before them, are not as written.")
    return rows


def _bodies(chunk: Chunk, body_of: BodyOf) -> list[Body]:
    _check(chunk)
    count = chunk.last_n - chunk.first_n + 1
    bodies = dict(spoken.unpack(chunk.spoken, body_of))
    rest = [offset for offset in range(count) if offset not in bodies]
    streams, single = measured.unpack(chunk.measured)
    placed = chain(single, *(stream.bodies() for stream in streams))
    bodies.update((rest[place], row) for place, row in placed)
    if sorted(bodies) != list(range(count)):
        raise JournalError(f"{chunk.where}: the chunk does not hold all of them.")
    return [bodies[offset] for offset in range(count)]


def entries(chunk: Chunk, body_of: BodyOf, wanted: Callable[[str], bool]) -> Iterator[Entry]:
    """The rows that are not measurements and whose kind is wanted; JournalError as `unpack`."""
    _check(chunk)
    for offset, (kind, schema, at, body) in spoken.unpack(chunk.spoken, body_of, wanted):
        n = chunk.first_n + offset
        yield Entry(chain=chunk.chain, n=n, kind=kind, schema=schema, at=at, body=body)


def measurements(chunk: Chunk, wanted: measured.Wanted) -> measured.Measurements:
    """The measurements as columns, and those that are in none; JournalError as `unpack`."""
    _check(chunk)
    return measured.unpack(chunk.measured, wanted)


def _check(chunk: Chunk) -> None:
    if chunk.layout != LAYOUT:
        raise JournalError(
            f"{chunk.where} are kept in layout {chunk.layout}; this program reads layout {LAYOUT}."
            " Open the record with the version of hipec-monitor that wrote it."
        )
    if chunk.sum != sum_of(chunk):
        raise JournalError(f"{chunk.where}: the chunk that holds them was altered.")


def sum_of(chunk: Chunk) -> bytes:
    """SHA-256 over all that a chunk holds."""
    about = (
        *(chunk.chain, chunk.first_n, chunk.last_n, chunk.layout, chunk.digest.hex()),
        *(chunk.state_n, chunk.base_n, chunk.closes, len(chunk.spoken)),
    )
    text = json.dumps(about, separators=(",", ":")).encode()
    return hashlib.sha256(text + chunk.spoken + chunk.measured).digest()
