"""Frames on the control socket: a 4-byte big-endian length and that many bytes of UTF-8 JSON."""

import asyncio
import json
import struct
from collections.abc import Mapping
from typing import Any

MAX_MESSAGE_BYTES = 1 << 20
"""No message is longer: a snapshot of a full room is about 30 kB."""

_LENGTH = struct.Struct(">I")


class WireError(ValueError):
    """The other end of the socket does not speak this protocol; the connection must be closed."""


def pack(message: Mapping[str, Any]) -> bytes:
    """One message as a frame. Raises ValueError when it holds NaN or infinity or is too long."""
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    payload = text.encode()
    if len(payload) > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {len(payload)} bytes is over {MAX_MESSAGE_BYTES}")
    return _LENGTH.pack(len(payload)) + payload


def parse(text: str) -> dict[str, Any]:
    """The JSON object that `text` is. Raises WireError for anything else."""
    try:
        message = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from error
    if not isinstance(message, dict):
        raise WireError(f"not a JSON object but {type(message).__name__}")
    return message


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


async def read_text(reader: asyncio.StreamReader) -> str | None:
    """The next message as JSON text, None when the other end closed between two messages.

    Raises WireError for a frame that is cut short, too long or not UTF-8.
    """
    try:
        head = await reader.readexactly(_LENGTH.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise WireError("the connection ended within a length") from error
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MAX_MESSAGE_BYTES:
        raise WireError(f"a message of {length} bytes is over {MAX_MESSAGE_BYTES}")
    try:
        return (await reader.readexactly(length)).decode()
    except (asyncio.IncompleteReadError, UnicodeDecodeError) as error:
        raise WireError(f"a message of {length} bytes is broken: {error}") from error


async def read_message(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next message, None at the end; raises WireError as `read_text` and `parse` do."""
    text = await read_text(reader)
    return None if text is None else parse(text)


async def write_message(writer: asyncio.StreamWriter, message: Mapping[str, Any]) -> None:
    """Send one message and wait until the other end takes it."""
    writer.write(pack(message))
    await writer.drain()
