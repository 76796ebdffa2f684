"""Reads the packed frames of schema version 1; none are written any more.

Big-endian: layout number (u16), flags (u8), one entry per channel of the layout, then the drive's
status if there is one. An entry is a code (u8), the value and the reason where the code says so.
"""

from service.core.events import Frame
from service.core.model import DriveStatus, Instant, Reading, Unit
from service.journal.packing import (
    ERRORS,
    REASON,
    STATUS,
    TRUTHS,
    Cursor,
    take_value,
    validity_of,
)
from service.journal.rows import JournalError, Layout


def unpack_frame(body: bytes, layout: Layout, at: Instant) -> Frame:
    """The frame that was packed; JournalError when the body is damaged."""
    cursor = Cursor(body)
    _, flags = cursor.take(">HB")
    readings = tuple(_reading(cursor, name, unit) for name, unit in layout.channels)
    status = _status(cursor) if flags & STATUS else None
    errors = cursor.take(">H")[0] if flags & ERRORS else 0
    cursor.end()
    return Frame(at=at, device=layout.device, readings=readings, status=status, errors=errors)


def _reading(cursor: Cursor, channel: str, unit: Unit) -> Reading:
    (code,) = cursor.take(">B")
    return Reading(
        channel=channel,
        value=take_value(cursor, code),
        unit=unit,
        validity=validity_of(code),
        reason=cursor.text() if code & REASON else "",
    )


def _status(cursor: Cursor) -> DriveStatus:
    running, remote, code = cursor.take(">BBB")
    if max(running, remote) >= len(TRUTHS):
        raise JournalError("A packed frame is damaged: its drive's status is none.")
    return DriveStatus(
        running=TRUTHS[running],
        remote=TRUTHS[remote],
        setpoint=take_value(cursor, code),
        fault=cursor.text(),
    )
