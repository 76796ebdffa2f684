"""The measured part of a chunk: frames and ticks as columns.

Rows that differ only in their time and in values that are whole thousandths form a stream: its
head and rest are kept once, its times and values as columns. A list says which stream each row
belongs to.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.core.model import Instant
from service.journal import columns, sections
from service.journal.frames import split_frame
from service.journal.rows import FRAME, TICK, Body, Row

_STREAM_ROWS_MIN, _STREAMS_MAX = 4, 255
_COLUMNAR_FROM_SCHEMA = 2

Key = tuple[str, int, bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Rows of one kind that share head and rest.

    `offsets` counts from the chunk's first row; `mono_ns` and `utc_ns` are one per row, `values`
    one line of thousandths per value.
    """

    kind: str
    schema: int
    head: bytes
    rest: bytes
    offsets: NDArray[np.int64]
    mono_ns: NDArray[np.int64]
    utc_ns: NDArray[np.int64]
    values: NDArray[np.int64]


def pack(rows: list[Row]) -> tuple[bytes, list[Row]]:
    """The blob of all rows that form streams, and the rows that do not."""
    grouped: dict[Key, list[tuple[Row, bytes]]] = {}
    for row in rows:
        if _is_columnar(row):
            head, values, rest = split_frame(row.body) if row.kind == FRAME else (b"", b"", b"")
            grouped.setdefault((row.kind, row.schema, head, rest), []).append((row, values))
    large = sorted(
        (key for key, members in grouped.items() if len(members) >= _STREAM_ROWS_MIN),
        key=lambda key: -len(grouped[key]),
    )
    streams = {key: grouped[key] for key in large[:_STREAMS_MAX]}
    which = {row.n: number for number, key in enumerate(streams) for row, _ in streams[key]}
    order = bytes(which[row.n] for row in rows if row.n in which)
    parts = [order]
    for members in streams.values():
        parts += _columns([row for row, _ in members], [values for _, values in members])
    told = [[kind, schema, head.hex(), rest.hex()] for kind, schema, head, rest in streams]
    return sections.join({"streams": told}, parts), [row for row in rows if row.n not in which]


def _is_columnar(row: Row) -> bool:
    return row.kind == TICK or (row.kind == FRAME and row.schema >= _COLUMNAR_FROM_SCHEMA)


def _columns(rows: list[Row], values: list[bytes]) -> Iterator[bytes]:
    mono_ns = np.array([row.at.mono_ns for row in rows], np.int64)
    utc_ns = np.array([row.at.utc_ns for row in rows], np.int64)
    whole = np.frombuffer(b"".join(values), ">i4").reshape(len(rows), -1)
    yield columns.pack(mono_ns)
    yield columns.pack(utc_ns - mono_ns)
    yield columns.pack(whole)


def streams(blob: bytes, others: NDArray[np.int64], kind: str | None = None) -> list[Stream]:
    """The streams of a blob (of one kind if named); `others` are the offsets of all other rows."""
    told, (order, *parts) = sections.split(blob)
    number = np.frombuffer(order, np.uint8)
    offsets = np.delete(np.arange(len(number) + len(others)), others)
    found = []
    for place, (of, schema, head, rest) in enumerate(told["streams"]):
        if kind in (None, of):
            ((mono_ns,), _), ((ahead_ns,), _), (values, _) = (
                columns.unpack(part) for part in parts[3 * place : 3 * place + 3]
            )
            found.append(
                Stream(
                    kind=of,
                    schema=schema,
                    head=bytes.fromhex(head),
                    rest=bytes.fromhex(rest),
                    offsets=offsets[number == place],
                    mono_ns=mono_ns,
                    utc_ns=mono_ns + ahead_ns,
                    values=values,
                )
            )
    return found


def unpack(blob: bytes, others: NDArray[np.int64]) -> Iterator[tuple[int, Body]]:
    """Every row of a blob with its offset, one stream after the other."""
    for stream in streams(blob, others):
        whole = stream.values.T.astype(">i4").tobytes()
        size = 4 * len(stream.values)
        times = zip(
            stream.offsets.tolist(), stream.mono_ns.tolist(), stream.utc_ns.tolist(), strict=True
        )
        for place, (offset, mono_ns, utc_ns) in enumerate(times):
            values = whole[place * size : (place + 1) * size]
            at = Instant(mono_ns=mono_ns, utc_ns=utc_ns)
            yield offset, (stream.kind, stream.schema, at, stream.head + values + stream.rest)
