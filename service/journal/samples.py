"""A session's measurements as arrays, read from the columns that its chunks keep."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from service.core.model import Instant, Unit
from service.journal import measured
from service.journal.codec import CODEC
from service.journal.frames import codes_of, layout_id_of
from service.journal.packing import THOUSANDTHS, VALIDITIES
from service.journal.rows import FRAME, Body, JournalError, Layout
from service.journal.sealing import FRAME_READERS
from service.journal.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """All frames of one device with the same channels, in the order of the record.

    `values` has one line per channel, in the channel's unit and NaN where there is none;
    `validity` has the same shape and holds places in `packing.VALIDITIES`.
    """

    layout: Layout
    mono_ns: NDArray[np.int64]
    utc_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    validity: NDArray[np.uint8]

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the channels, one per line of `values`."""
        return tuple(name for name, _ in self.layout.channels)

    @property
    def units(self) -> tuple[Unit, ...]:
        """The units of the channels."""
        return tuple(unit for _, unit in self.layout.channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Frames of one layout that differ only in their time and in some channels' thousandths.

    `body` is the packed body of one of them; `order` says where they stand in the record.
    """

    schema: int
    body: bytes
    order: NDArray[np.int64]
    mono_ns: NDArray[np.int64]
    utc_ns: NDArray[np.int64]
    lines: list[int]
    thousandths: NDArray[np.int32]


def read_samples(store: Store, chain: str, devices: Collection[str] | None = None) -> list[Samples]:
    """The measurements of a chain (of these devices, or all), one entry per list of channels.

    Raises JournalError where they are not as the journal wrote them.
    """
    layouts = _Layouts(store, chain)

    @cache
    def wanted(kind: str, body: bytes) -> bool:
        return kind == FRAME and (devices is None or layouts[layout_id_of(body)].device in devices)

    by_layout: dict[int, list[_Piece]] = {}
    for piece in _pieces(store, chain, wanted):
        by_layout.setdefault(layout_id_of(piece.body), []).append(piece)
    return [_joined(layouts[number], by_layout[number]) for number in sorted(by_layout)]


class _Layouts:
    """The layouts of a chain, read as far as they are needed: most stand at its beginning."""

    def __init__(self, store: Store, chain: str) -> None:
        self._entries = store.spoken(chain, [Layout.__name__])
        self._known: dict[int, Layout] = {}

    def __getitem__(self, number: int) -> Layout:
        while number not in self._known:
            entry = next(self._entries, None)
            if entry is None:
                raise JournalError("A packed frame names a layout that no row holds.")
            layout: Layout = CODEC.decode(Layout, entry.body, entry.schema)
            self._known[layout.id] = layout
        return self._known[number]


def _pieces(store: Store, chain: str, wanted: measured.Wanted) -> Iterator[_Piece]:
    for number, (streams, single) in enumerate(store.measurements(chain, wanted)):
        start = number << 32
        yield from (_of_stream(stream, start) for stream in streams)
        for place, row in single:
            if wanted(row[0], row[3]):
                yield _of_single(row, start + place)


def _of_stream(stream: measured.Stream, start: int) -> _Piece:
    lines = [line for line, code in enumerate(codes_of(stream.head)) if code & THOUSANDTHS]
    return _Piece(
        schema=stream.schema,
        body=stream.head + bytes(4 * len(stream.values)) + stream.rest,
        order=stream.places + start,
        mono_ns=stream.mono_ns,
        utc_ns=stream.utc_ns,
        lines=lines,
        thousandths=stream.values[: len(lines)],
    )


def _of_single(row: Body, place: int) -> _Piece:
    _, schema, at, body = row
    return _Piece(
        schema=schema,
        body=body,
        order=np.array([place]),
        mono_ns=np.array([at.mono_ns]),
        utc_ns=np.array([at.utc_ns]),
        lines=[],
        thousandths=np.empty((0, 1), np.int32),
    )


def _joined(layout: Layout, pieces: list[_Piece]) -> Samples:
    alike: dict[tuple[int, bytes], list[_Piece]] = {}
    for piece in pieces:
        alike.setdefault((piece.schema, piece.body), []).append(piece)
    order = _concatenated([[p.order for p in group] for group in alike.values()])
    values = np.empty((len(layout.channels), len(order)))
    validity = np.empty(values.shape, np.uint8)
    start = 0
    for group in alike.values():
        lines, first = group[0].lines, start
        value, valid = _constants(layout, group[0])
        for piece in group:
            end = start + len(piece.order)
            if len(lines) == len(values):
                np.divide(piece.thousandths, 1000, out=values[:, start:end])
            else:
                values[:, start:end] = value
                values[lines, start:end] = piece.thousandths / 1000
            start = end
        validity[:, first:start] = valid
    mono_ns = _concatenated([[p.mono_ns for p in group] for group in alike.values()])
    utc_ns = _concatenated([[p.utc_ns for p in group] for group in alike.values()])
    if len(alike) > 1:
        by = np.argsort(order)
        mono_ns, utc_ns, values, validity = mono_ns[by], utc_ns[by], values[:, by], validity[:, by]
    return Samples(layout=layout, mono_ns=mono_ns, utc_ns=utc_ns, values=values, validity=validity)


def _concatenated(groups: list[list[NDArray[np.int64]]]) -> NDArray[np.int64]:
    return np.concatenate([part for group in groups for part in group])


def _constants(layout: Layout, piece: _Piece) -> tuple[NDArray, NDArray]:
    """Value and validity of every channel as the piece's body has them, one line per channel."""
    at = Instant(mono_ns=0, utc_ns=0)
    readings = FRAME_READERS[piece.schema](piece.body, layout, at).readings
    values = [np.nan if reading.value is None else reading.value for reading in readings]
    validity = [VALIDITIES.index(reading.validity) for reading in readings]
    return np.array(values)[:, None], np.array(validity, np.uint8)[:, None]
