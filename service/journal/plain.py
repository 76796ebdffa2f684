"""Rows as they are: their kinds, times and lengths in columns, their bodies one after the other."""

from collections.abc import Iterator, Sequence

import numpy as np

from service.core.model import Instant
from service.journal import columns
from service.journal.rows import Body, JournalError, Row
from service.journal.sections import Sections

SECTIONS = 5
"""How many sections a table has."""

Kinds = list[tuple[str, int]]
"""Kind and schema version, by the number that stands for them in a table."""


def kinds_of(rows: Sequence[Row]) -> Kinds:
    """The kinds that a table of these rows needs."""
    return sorted({(row.kind, row.schema) for row in rows})


def pack(rows: Sequence[Row], bodies: Sequence[bytes]) -> list[bytes]:
    """The sections of a table of rows whose bodies are told as `bodies`."""
    numbers = {kind: number for number, kind in enumerate(kinds_of(rows))}
    mono_ns = np.array([row.at.mono_ns for row in rows], np.int64)
    utc_ns = np.array([row.at.utc_ns for row in rows], np.int64)
    return [
        columns.pack(np.array([numbers[row.kind, row.schema] for row in rows], np.int64)),
        columns.pack(mono_ns),
        columns.pack(utc_ns - mono_ns),
        columns.pack(np.array([len(body) for body in bodies], np.int64)),
        b"".join(bodies),
    ]


def unpack(parts: Sections, first: int, kinds: Sequence[Sequence]) -> Iterator[Body]:
    """The rows of a table that starts at section `first`, given the kinds of its numbers.

    Raises JournalError when it is damaged.
    """
    try:
        of, mono_ns, ahead_ns, lengths = (columns.unpack(parts[first + i])[0][0] for i in range(4))
        bodies = parts[first + 4]
        told = [(kind, schema) for kind, schema in kinds]
        start = 0
        for number, mono, utc, end in zip(
            of.tolist(),
            mono_ns.tolist(),
            (mono_ns + ahead_ns).tolist(),
            np.cumsum(lengths).tolist(),
            strict=True,
        ):
            yield (*told[number], Instant(mono_ns=mono, utc_ns=utc), bodies[start:end])
            start = end
    except (ValueError, IndexError, TypeError) as error:
        raise JournalError("A chunk of the journal is damaged: its parts differ.") from error
