"""What packed frames of every version are made of: codes, values and texts."""

import struct
from typing import Any

from service.core.model import Validity
from service.journal.rows import JournalError

VALIDITIES = (
    Validity.VALID,
    Validity.QUESTIONABLE,
    Validity.INVALID,
    Validity.OVERFLOW,
    Validity.UNDERFLOW,
    Validity.NOT_AVAILABLE,
)
"""Validity by its code in packed frames; the order is part of the format."""

VALIDITY, THOUSANDTHS, FLOAT, REASON = 0x07, 0x10, 0x20, 0x40
"""The bits of a reading's code: its validity, how its value is written if any, has it a reason."""

STATUS, ERRORS = 0x01, 0x02
"""The flags of a frame that holds its drive's status, and of one that came after errors."""

TRUTHS = (None, False, True)


class Cursor:
    """Walks through a packed body and refuses one that is too short or too long."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._offset = 0

    def take(self, form: str) -> tuple[Any, ...]:
        """The next values, by a format of `struct`."""
        try:
            values = struct.unpack_from(form, self._body, self._offset)
        except struct.error as error:
            raise JournalError("A packed frame is damaged: it ends too early.") from error
        self._offset += struct.calcsize(form)
        return values

    def text(self) -> str:
        """The next text, which follows its length."""
        (size,) = self.take(">H")
        try:
            return self.take(f"{size}s")[0].decode()
        except UnicodeDecodeError as error:
            raise JournalError("A packed frame is damaged: a reason is not text.") from error

    def end(self) -> None:
        """JournalError when something is left."""
        if self._offset != len(self._body):
            raise JournalError("A packed frame is damaged: something follows its last channel.")


def validity_of(code: int) -> Validity:
    """The validity that a reading's code holds."""
    if code & VALIDITY >= len(VALIDITIES):
        raise JournalError(f"A packed frame is damaged: there is no validity code {code}.")
    return VALIDITIES[code & VALIDITY]


def take_value(cursor: Cursor, code: int) -> float | None:
    """The value that stands at the cursor, if the code says that there is one."""
    if code & THOUSANDTHS:
        return float(cursor.take(">i")[0] / 1000)
    return float(cursor.take(">d")[0]) if code & FLOAT else None
