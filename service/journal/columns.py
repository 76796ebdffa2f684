"""Whole numbers in columns, as few bytes as their changes need, exact in both directions.

A packed matrix is little-endian: rows (u32), columns (u16), bytes per change (u8); per column its
first value (i64) and the greatest common divisor of its changes (i64); then the changes from row to
row divided by that, column after column, the least significant byte of all of them first.
"""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.journal.rows import JournalError

Whole = NDArray[np.int64]
_HEAD = struct.Struct("<IHB")
_WIDTHS = (1, 2, 4, 8)


def pack(values: NDArray[Any]) -> bytes:
    """The bytes of a matrix of whole numbers, or of a single column of them."""
    matrix = np.atleast_2d(values.astype(np.int64).T)
    columns, rows = matrix.shape
    if not rows:
        return _HEAD.pack(0, columns, 1)
    changes = np.diff(matrix, axis=1)
    divisors = (
        np.maximum(np.gcd.reduce(changes, axis=1), 1) if rows > 1 else np.ones_like(matrix[:, 0])
    )
    changes //= divisors[:, None]
    width = _width(changes)
    small = changes.astype(f"<i{width}", order="C")
    planes = (
        np.frombuffer(small.tobytes(), np.uint8)
        .reshape(columns, rows - 1, width)
        .transpose(2, 0, 1)
    )
    starts = np.stack([matrix[:, 0], divisors]).astype("<i8")
    return _HEAD.pack(rows, columns, width) + starts.tobytes() + planes.tobytes()


def _width(changes: Whole) -> int:
    if not changes.size:
        return 1
    low, high = int(changes.min()), int(changes.max())
    return next(w for w in _WIDTHS if -(1 << 8 * w - 1) <= low and high < 1 << 8 * w - 1)


def unpack(data: bytes, offset: int = 0, of: type = np.int64) -> tuple[NDArray[Any], int]:
    """The matrix of numbers `of` a type, one line per column, and the place behind it.

    Raises JournalError when it is damaged.
    """
    try:
        rows, columns, width = _HEAD.unpack_from(data, offset)
        offset += _HEAD.size
        if not rows:
            return np.empty((columns, 0), of), offset
        starts = np.frombuffer(data, "<i8", 2 * columns, offset).reshape(2, columns, 1)
        offset += starts.nbytes
        count = (rows - 1) * columns * width
        planes = np.frombuffer(data, np.uint8, count, offset).reshape(width, columns, rows - 1)
        if width > 1:
            planes = np.ascontiguousarray(planes.transpose(1, 2, 0))
        changes = planes.view(f"<i{width}").reshape(columns, rows - 1)
    except (struct.error, ValueError, TypeError) as error:
        raise JournalError("A chunk of the journal is damaged: its columns end early.") from error
    matrix: NDArray[Any] = np.empty((columns, rows), of)
    matrix[:, 0] = 0
    changes.cumsum(axis=1, dtype=of, out=matrix[:, 1:])
    starts = starts.astype(of)
    matrix *= starts[1]
    matrix += starts[0]
    return matrix, offset + count
