"""Measurements as packed rows: a frame of twelve channels takes about 65 bytes.

A packed frame is big-endian: layout number (u16), flags (u8), one entry per channel of the layout,
then the drive's status and the number of errors (u16, at most 65 535) if there are any. An entry is
a code (u8), the value and the reason where the code says so. A value is a whole number of
thousandths (i32) where that gives back exactly the same float, else the float itself (f64). The
time stands in the row.
"""

import math
import struct
from typing import Any

from service.core.events import Frame
from service.core.model import DriveStatus, Instant, Reading, Unit, Validity
from service.journal.rows import JournalError, Layout

VALIDITIES = (
    Validity.VALID,
    Validity.QUESTIONABLE,
    Validity.INVALID,
    Validity.OVERFLOW,
    Validity.UNDERFLOW,
    Validity.NOT_AVAILABLE,
)
"""Validity by its code in packed frames; the order is part of the format."""

_VALIDITY, _THOUSANDTHS, _FLOAT, _REASON = 0x07, 0x10, 0x20, 0x40
_STATUS, _ERRORS = 0x01, 0x02
_TRUTHS = (None, False, True)
_TEXT_MAX_BYTES = _ERRORS_MAX = 0xFFFF
_THOUSANDTHS_MAX = 2_147_483


def layout_of(frame: Frame) -> tuple[str, tuple[tuple[str, Unit], ...]]:
    """What makes two frames share one layout: device, channels and units, in their order."""
    return frame.device, tuple((r.channel, r.unit) for r in frame.readings)


def pack_frame(frame: Frame, layout_id: int) -> bytes:
    """The frame without its names and time; JournalError for NaN, infinity or endless text."""
    flags = _STATUS * (frame.status is not None) | _ERRORS * (frame.errors > 0)
    parts = [struct.pack(">HB", layout_id, flags)]
    parts += [_pack_reading(reading) for reading in frame.readings]
    if frame.status is not None:
        parts.append(_pack_status(frame.status))
    if frame.errors:
        parts.append(struct.pack(">H", min(frame.errors, _ERRORS_MAX)))
    return b"".join(parts)


def unpack_frame(body: bytes, layout: Layout, at: Instant) -> Frame:
    """The frame that `pack_frame` was given; JournalError when the body is damaged."""
    cursor = _Cursor(body)
    _, flags = cursor.take(">HB")
    readings = tuple(_unpack_reading(cursor, name, unit) for name, unit in layout.channels)
    status = _unpack_status(cursor) if flags & _STATUS else None
    errors = cursor.take(">H")[0] if flags & _ERRORS else 0
    cursor.end()
    return Frame(at=at, device=layout.device, readings=readings, status=status, errors=errors)


def layout_id_of(body: bytes) -> int:
    """The number of the layout that a packed frame follows."""
    return int(_Cursor(body).take(">H")[0])


def _pack_reading(reading: Reading) -> bytes:
    code = VALIDITIES.index(reading.validity)
    value_code, value = _pack_value(reading.value)
    if not reading.reason:
        return struct.pack(">B", code | value_code) + value
    return struct.pack(">B", code | value_code | _REASON) + value + _pack_text(reading.reason)


def _unpack_reading(cursor: "_Cursor", channel: str, unit: Unit) -> Reading:
    (code,) = cursor.take(">B")
    if code & _VALIDITY >= len(VALIDITIES):
        raise JournalError(f"A packed frame is damaged: there is no validity code {code}.")
    return Reading(
        channel=channel,
        value=_unpack_value(cursor, code),
        unit=unit,
        validity=VALIDITIES[code & _VALIDITY],
        reason=cursor.text() if code & _REASON else "",
    )


def _pack_value(value: float | None) -> tuple[int, bytes]:
    if value is None:
        return 0, b""
    if not math.isfinite(value):
        raise JournalError(f"The journal refuses {value}: an unknown value is None.")
    if abs(value) < _THOUSANDTHS_MAX:
        thousandths = round(value * 1000)
        # The texts are compared because -0.0 equals 0.0 but is not the same float.
        if repr(thousandths / 1000) == repr(float(value)):
            return _THOUSANDTHS, struct.pack(">i", thousandths)
    return _FLOAT, struct.pack(">d", value)


def _unpack_value(cursor: "_Cursor", code: int) -> float | None:
    if code & _THOUSANDTHS:
        return float(cursor.take(">i")[0] / 1000)
    return float(cursor.take(">d")[0]) if code & _FLOAT else None


def _pack_status(status: DriveStatus) -> bytes:
    truths = _TRUTHS.index(status.running), _TRUTHS.index(status.remote)
    setpoint_code, setpoint = _pack_value(status.setpoint)
    head = struct.pack(">BBB", *truths, setpoint_code)
    return head + setpoint + _pack_text(status.fault)


def _unpack_status(cursor: "_Cursor") -> DriveStatus:
    running, remote, code = cursor.take(">BBB")
    if max(running, remote) >= len(_TRUTHS):
        raise JournalError("A packed frame is damaged: its drive's status is none.")
    return DriveStatus(
        running=_TRUTHS[running],
        remote=_TRUTHS[remote],
        setpoint=_unpack_value(cursor, code),
        fault=cursor.text(),
    )


def _pack_text(text: str) -> bytes:
    utf8 = text.encode()
    if len(utf8) > _TEXT_MAX_BYTES:
        raise JournalError(f"A reason of {len(utf8)} bytes is too long for the journal.")
    return struct.pack(">H", len(utf8)) + utf8


class _Cursor:
    """Walks through a packed body and refuses one that is too short or too long."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._offset = 0

    def take(self, form: str) -> tuple[Any, ...]:
        try:
            values = struct.unpack_from(form, self._body, self._offset)
        except struct.error as error:
            raise JournalError("A packed frame is damaged: it ends too early.") from error
        self._offset += struct.calcsize(form)
        return values

    def text(self) -> str:
        (size,) = self.take(">H")
        try:
            return self.take(f"{size}s")[0].decode()
        except UnicodeDecodeError as error:
            raise JournalError("A packed frame is damaged: a reason is not text.") from error

    def end(self) -> None:
        if self._offset != len(self._body):
            raise JournalError("A packed frame is damaged: something follows its last channel.")
