"""The measured part of a chunk: frames and ticks as columns.

Rows that differ only in their time and in values that are whole thousandths form a stream: its
head and rest are kept once, its times and values as columns. Rows that are like no others are kept
as they are. A list says for each row which stream it is the next of.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.core.model import Instant
from service.journal import columns, plain, sections
from service.journal.frames import split_frame
from service.journal.rows import FRAME, TICK, Body, Row

_STREAM_ROWS_MIN = 4
_SINGLE = 255
"""Stands in the list for a row that belongs to no stream."""

_COLUMNAR_FROM_SCHEMA = 2

Key = tuple[str, int, bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Rows of one kind that share head and rest.

    `places` counts the chunk's measurements; `mono_ns` and `utc_ns` are one per row, `values` has
    one line of thousandths per value.
    """

    kind: str
    schema: int
    head: bytes
    rest: bytes
    places: NDArray[np.int64]
    mono_ns: NDArray[np.int64]
    utc_ns: NDArray[np.int64]
    values: NDArray[np.int32]

    def bodies(self) -> Iterator[tuple[int, Body]]:
        """Every row with its place."""
        whole = self.values.T.astype(">i4").tobytes()
        size = 4 * len(self.values)
        times = zip(self.places.tolist(), self.mono_ns.tolist(), self.utc_ns.tolist(), strict=True)
        for number, (place, mono_ns, utc_ns) in enumerate(times):
            body = self.head + whole[number * size : (number + 1) * size] + self.rest
            yield place, (self.kind, self.schema, Instant(mono_ns=mono_ns, utc_ns=utc_ns), body)


Measurements = tuple[list[Stream], list[tuple[int, Body]]]
"""The streams, and the rows that belong to none, with their places."""


Wanted = Callable[[str, bytes], bool]
"""Chooses streams by their kind and head."""


def pack(rows: list[Row]) -> bytes:
    """The blob of these frames and ticks."""
    grouped: dict[Key, list[tuple[Row, bytes]]] = {}
    for row in rows:
        if _is_columnar(row):
            head, values, rest = split_frame(row.body) if row.kind == FRAME else (b"", b"", b"")
            grouped.setdefault((row.kind, row.schema, head, rest), []).append((row, values))
    large = [key for key, members in grouped.items() if len(members) >= _STREAM_ROWS_MIN]
    large.sort(key=lambda key: -len(grouped[key]))
    keys = large[:_SINGLE]
    which = {row.n: number for number, key in enumerate(keys) for row, _ in grouped[key]}
    single = [row for row in rows if row.n not in which]
    parts = [bytes(which.get(row.n, _SINGLE) for row in rows)]
    parts += [_columns(grouped[key]) for key in keys]
    if single:
        parts += plain.pack(single, [row.body for row in single])
    streams = [[kind, schema, head.hex(), rest.hex()] for kind, schema, head, rest in keys]
    return sections.join({"streams": streams, "single": plain.kinds_of(single)}, parts)


def _is_columnar(row: Row) -> bool:
    return row.kind == TICK or row.schema >= _COLUMNAR_FROM_SCHEMA


def _columns(members: list[tuple[Row, bytes]]) -> bytes:
    """The times of a stream (monotonic, and UTC less that) and its values."""
    times = np.array([(row.at.mono_ns, row.at.utc_ns - row.at.mono_ns) for row, _ in members])
    values = np.frombuffer(b"".join(values for _, values in members), ">i4")
    return columns.pack(times) + columns.pack(values.reshape(len(members), -1))


def unpack(blob: bytes, wanted: Wanted = lambda *_: True) -> Measurements:
    """What `pack` was given, as the streams that are wanted and all single rows.

    Raises JournalError when the blob is damaged.
    """
    parts = sections.Sections(blob)
    number = np.frombuffer(parts[0], np.uint8)
    streams = [
        _stream(key, parts[1 + of], np.flatnonzero(number == of))
        for of, key in enumerate(parts.head["streams"])
        if wanted(key[0], bytes.fromhex(key[2]))
    ]
    if not parts.head["single"]:
        return streams, []
    places = np.flatnonzero(number == _SINGLE).tolist()
    rows = plain.unpack(parts, 1 + len(parts.head["streams"]), parts.head["single"])
    return streams, list(zip(places, rows, strict=True))


def _stream(key: list, part: bytes, places: NDArray[np.int64]) -> Stream:
    kind, schema, head, rest = key
    (mono_ns, ahead_ns), end = columns.unpack(part)
    values, _ = columns.unpack(part, end, np.int32)
    return Stream(
        kind=kind,
        schema=schema,
        head=bytes.fromhex(head),
        rest=bytes.fromhex(rest),
        places=places,
        mono_ns=mono_ns,
        utc_ns=mono_ns + ahead_ns,
        values=values,
    )
