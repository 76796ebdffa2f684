"""The spoken part of a chunk: every row that is not in columns, and which row each one is.

A body's own time is left out where it is the row's. A state is kept as its difference from an
earlier one, which is most of it.
"""

import json
from collections.abc import Callable, Iterator

import numpy as np

from service.core.model import Instant
from service.journal import columns, patch, sections
from service.journal.codec import STATE, canonical_json
from service.journal.rows import Body, JournalError, Row

_AS_IS, _WITHOUT_TIME, _DIFFERENCE = range(3)
_CUT = b'"at":@'
"""Stands for the row's time. No JSON holds it, as an @ follows no colon."""

Base = tuple[int, bytes]
"""The number and body of the state that others are told as differences from."""


def pack(rows: list[Row], first_n: int, base: Base | None) -> bytes:
    """The blob of these rows; `base` is None where states are to be kept whole."""
    kinds = sorted({(row.kind, row.schema) for row in rows})
    told = [_shortened(row, base) for row in rows]
    mono_ns = np.array([row.at.mono_ns for row in rows], np.int64)
    utc_ns = np.array([row.at.utc_ns for row in rows], np.int64)
    head = {"kinds": kinds, "base": None if base is None else base[0]}
    parts = (
        columns.pack(np.array([row.n - first_n for row in rows], np.int64)),
        columns.pack(mono_ns),
        columns.pack(utc_ns - mono_ns),
        columns.pack(np.array([len(body) for _, body in told], np.int64)),
        columns.pack(np.array([kinds.index((row.kind, row.schema)) for row in rows], np.int64)),
        bytes(how for how, _ in told),
        b"".join(body for _, body in told),
    )
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


class Spoken:
    """The spoken part of one chunk, opened; JournalError when it is damaged."""

    def __init__(self, blob: bytes) -> None:
        self._head, parts = sections.split(blob)
        try:
            *numbers, hows, self._bodies = parts
            (self.offsets, mono_ns, ahead_ns, lengths, kinds) = (
                columns.unpack(part)[0][0] for part in numbers
            )
            self._times = mono_ns.tolist(), (mono_ns + ahead_ns).tolist()
            self._ends = np.cumsum(lengths).tolist()
            self._kinds = [tuple(self._head["kinds"][kind]) for kind in kinds.tolist()]
            self._hows = hows
            self.base_n: int | None = self._head["base"]
        except (ValueError, IndexError, KeyError) as error:
            raise JournalError("A chunk of the journal is damaged: its parts differ.") from error

    def rows(
        self, base: Callable[[int], bytes], wanted: Callable[[str], bool]
    ) -> Iterator[tuple[int, Body]]:
        """The rows of the wanted kinds, with their offsets; `base` gives a state's body."""
        start = 0
        for place, (offset, end) in enumerate(zip(self.offsets.tolist(), self._ends, strict=True)):
            kind, schema = self._kinds[place]
            if wanted(kind):
                at = Instant(mono_ns=self._times[0][place], utc_ns=self._times[1][place])
                body = self._whole(self._hows[place], self._bodies[start:end], at, base)
                yield offset, (kind, schema, at, body)
            start = end

    def _whole(self, how: int, body: bytes, at: Instant, base: Callable[[int], bytes]) -> bytes:
        if how == _WITHOUT_TIME:
            return body.replace(_CUT, _time(at), 1)
        if how == _DIFFERENCE and self.base_n is not None:
            return canonical_json(patch.apply(json.loads(base(self.base_n)), json.loads(body)))
        return body
