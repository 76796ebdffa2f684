"""Measurements as packed rows: a frame of twelve channels takes 64 bytes.

A packed frame (schema version 2) is big-endian: layout number (u16), flags (u8), number of channels
(u8); where there is a drive's status, its two truths and its set-point's code (u8 each); one code
(u8) per channel; all values that are whole thousandths (i32); all other values (f64); all reasons;
the status's fault; the number of errors (u16, at most 65 535) if there are any. The time stands in
the row. Values of equal frames stand at equal places, so that many frames become columns.
"""

import struct
from functools import lru_cache
from math import copysign, isfinite

from service.core.events import Frame
from service.core.model import DriveStatus, Instant, Reading, Unit, Validity
from service.journal.packing import (
    ERRORS,
    FLOAT,
    REASON,
    STATUS,
    THOUSANDTHS,
    TRUTHS,
    VALIDITIES,
    Cursor,
    validity_of,
)
from service.journal.rows import JournalError, Layout

_TEXT_MAX_BYTES = _ERRORS_MAX = 0xFFFF
_WHOLE_MAX = 2_147_483
_HEAD_BYTES, _STATUS_BYTES = 4, 3
_CODES = {validity: code for code, validity in enumerate(VALIDITIES)}
_VALID = _CODES[Validity.VALID]


def layout_of(frame: Frame) -> tuple[str, tuple[tuple[str, Unit], ...]]:
    """What makes two frames share one layout: device, channels and units, in their order."""
    return frame.device, tuple([(r.channel, r.unit) for r in frame.readings])


def layout_id_of(body: bytes) -> int:
    """The number of the layout that a packed frame follows, in every version."""
    return int(Cursor(body).take(">H")[0])


def pack_frame(frame: Frame, layout_id: int) -> bytes:
    """The frame without its names and time; JournalError for NaN, infinity or endless text."""
    whole: list[int] = []
    other: list[float] = []
    texts: list[str] = []
    status = frame.status
    codes = bytearray()
    for reading in frame.readings:
        value, valid = reading.value, reading.validity is Validity.VALID
        code = _VALID if valid else _CODES[reading.validity]
        if value is not None:
            # As `_put` does it, without the call: twelve readings ten times a second.
            thousandths = round(value * 1000) if -_WHOLE_MAX < value < _WHOLE_MAX else 0
            if thousandths and thousandths / 1000 == value:
                whole.append(thousandths)
                code |= THOUSANDTHS
            else:
                code |= _put(value, whole, other)
        if reading.reason:
            code |= REASON
            texts.append(reading.reason)
        codes.append(code)
    flags = STATUS * (status is not None) | ERRORS * (frame.errors > 0)
    head = struct.pack(">HBB", layout_id, flags, len(codes))
    if status is not None:
        code = 0 if status.setpoint is None else _put(status.setpoint, whole, other)
        head += bytes((TRUTHS.index(status.running), TRUTHS.index(status.remote), code))
        texts.append(status.fault)
    values = struct.pack(f">{len(whole)}i{len(other)}d", *whole, *other)
    errors = struct.pack(">H", min(frame.errors, _ERRORS_MAX)) if frame.errors else b""
    return b"".join((head, codes, values, *map(_text, texts), errors))


def split_frame(body: bytes) -> tuple[bytes, bytes, bytes]:
    """A packed frame as what precedes, what are and what follows its whole thousandths."""
    start = _HEAD_BYTES + body[3] + (_STATUS_BYTES if body[2] & STATUS else 0)
    head = body[:start]
    end = start + 4 * _whole_values(head)
    return head, body[start:end], body[end:]


@lru_cache(maxsize=256)
def _whole_values(head: bytes) -> int:
    return sum(1 for code in _codes(head) if code & THOUSANDTHS)


def codes_of(head: bytes) -> bytes:
    """The channels' codes in what `split_frame` calls a frame's head."""
    return head[-head[3] :] if head[3] else b""


def _codes(head: bytes) -> bytes:
    """The codes in the order of their values: the channels', then the set-point's."""
    return codes_of(head) + (head[6:7] if head[2] & STATUS else b"")


def unpack_frame(body: bytes, layout: Layout, at: Instant) -> Frame:
    """The frame that `pack_frame` was given; JournalError when the body is damaged."""
    cursor = Cursor(body)
    _, flags, count = cursor.take(">HBB")
    truths = cursor.take(">BBB") if flags & STATUS else None
    codes = cursor.take(f">{count}B")
    if count != len(layout.channels):
        raise JournalError("A packed frame is damaged: it has other channels than its layout.")
    valued = codes if truths is None else (*codes, truths[2])
    values = _values(cursor, valued)
    readings = tuple(
        Reading(
            channel=channel,
            value=value,
            unit=unit,
            validity=validity_of(code),
            reason=cursor.text() if code & REASON else "",
        )
        for (channel, unit), code, value in zip(layout.channels, codes, values, strict=False)
    )
    status = None if truths is None else _status(cursor, truths, values[-1])
    errors = cursor.take(">H")[0] if flags & ERRORS else 0
    cursor.end()
    return Frame(at=at, device=layout.device, readings=readings, status=status, errors=errors)


def _values(cursor: Cursor, codes: tuple[int, ...]) -> list[float | None]:
    whole = iter(cursor.take(f">{sum(1 for code in codes if code & THOUSANDTHS)}i"))
    other = iter(cursor.take(f">{sum(1 for code in codes if code & FLOAT)}d"))

    def value(code: int) -> float | None:
        if code & THOUSANDTHS:
            return float(next(whole) / 1000)
        return float(next(other)) if code & FLOAT else None

    return [value(code) for code in codes]


def _status(cursor: Cursor, truths: tuple[int, ...], setpoint: float | None) -> DriveStatus:
    running, remote, _ = truths
    if max(running, remote) >= len(TRUTHS):
        raise JournalError("A packed frame is damaged: its drive's status is none.")
    return DriveStatus(
        running=TRUTHS[running], remote=TRUTHS[remote], setpoint=setpoint, fault=cursor.text()
    )


def _put(value: float, whole: list[int], other: list[float]) -> int:
    """Adds the value where it comes back exactly; the code that says where that is."""
    if abs(value) < _WHOLE_MAX:
        thousandths = round(value * 1000)
        # -0.0 equals 0.0 but is not the same float.
        if thousandths / 1000 == value and (thousandths or copysign(1, value) > 0):
            whole.append(thousandths)
            return THOUSANDTHS
    if not isfinite(value):
        raise JournalError(f"The journal refuses {value}: an unknown value is None.")
    other.append(value)
    return FLOAT


def _text(text: str) -> bytes:
    utf8 = text.encode()
    if len(utf8) > _TEXT_MAX_BYTES:
        raise JournalError(f"A reason of {len(utf8)} bytes is too long for the journal.")
    return struct.pack(">H", len(utf8)) + utf8
