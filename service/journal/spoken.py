"""The spoken part of a chunk: what was said in words, and which of its rows said it.

A body's own time is left out where it is the row's. A state is kept as its difference from an
earlier one, which leaves little of it.
"""

import json
from collections.abc import Callable, Iterator

import numpy as np

from service.core.model import Instant
from service.journal import columns, patch, plain, sections
from service.journal.codec import STATE, canonical_json
from service.journal.rows import Body, JournalError, Row

_AS_IS, _WITHOUT_TIME, _DIFFERENCE = range(3)
_CUT = b'"at":@'
"""Stands for the row's time. No JSON holds it, as no @ follows a colon there."""

Base = tuple[int, bytes]
"""The number and body of the state that others are told as differences from."""


def pack(rows: list[Row], first_n: int, base: Base | None) -> bytes:
    """The blob of these rows; `base` is None where states are to be kept whole."""
    told = [_shortened(row, base) for row in rows]
    head = {"kinds": plain.kinds_of(rows), "base": None if base is None else base[0]}
    parts = [
        columns.pack(np.array([row.n - first_n for row in rows], np.int64)),
        bytes(how for how, _ in told),
        *plain.pack(rows, [body for _, body in told]),
    ]
    return sections.join(head, parts)


def _shortened(row: Row, base: Base | None) -> tuple[int, bytes]:
    if row.kind == STATE and base is not None:
        return _DIFFERENCE, difference(base, row.body)
    cut = row.body.replace(_time(row.at), _CUT, 1)
    return (_AS_IS, row.body) if cut == row.body else (_WITHOUT_TIME, cut)


def difference(base: Base, body: bytes) -> bytes:
    """What turns one state's body into another's."""
    return canonical_json(patch.difference(json.loads(base[1]), json.loads(body)))


def _time(at: Instant) -> bytes:
    return b'"at":{"mono_ns":%d,"utc_ns":%d}' % (at.mono_ns, at.utc_ns)


def unpack(
    blob: bytes,
    base: Callable[[int], bytes],
    wanted: Callable[[str], bool] = lambda _: True,
) -> Iterator[tuple[int, Body]]:
    """The rows of the wanted kinds, with their offsets; `base` gives a state's body.

    Raises JournalError when the blob is damaged.
    """
    parts = sections.Sections(blob)
    if not any(wanted(kind) for kind, _ in parts.head["kinds"]):
        return
    places = columns.unpack(parts[0])[0][0].tolist()
    rows = plain.unpack(parts, 2, parts.head["kinds"])
    for offset, how, row in zip(places, parts[1], rows, strict=True):
        kind, schema, at, body = row
        if not wanted(kind):
            continue
        if how == _WITHOUT_TIME:
            body = body.replace(_CUT, _time(at), 1)
        elif how == _DIFFERENCE:
            body = canonical_json(
                patch.apply(json.loads(base(parts.head["base"])), json.loads(body))
            )
        elif how != _AS_IS:
            raise JournalError(f"A chunk of the journal is damaged: there is no way {how} to tell.")
        yield offset, (kind, schema, at, body)
