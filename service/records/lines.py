"""One row of a chain as one line of JSON that carries its exact bytes, and back.

A JSON body stands in its line as it is; keys keep their order and numbers their text, so that the
very bytes that were hashed come back. A packed body stands in base64, with its meaning beside it.
"""

import base64
import binascii
import json
from typing import Any

from service.core.events import Frame
from service.core.model import Instant, Mode
from service.journal.rows import JournalError, Row
from service.records.times import utc_text

_INT64 = 1 << 63


def line_of(row: Row, mode: Mode, frame: Frame | None) -> str:
    """The line of a row of a session of this mode; `frame` is what a packed row holds."""
    line: dict[str, Any] = {
        "n": row.n,
        "kind": row.kind,
        "utc": utc_text(row.at.utc_ns),
        "mode": mode.value,
        "chain": row.chain,
        "schema": row.schema,
        "at_mono_ns": row.at.mono_ns,
        "at_utc_ns": row.at.utc_ns,
        "hash": row.digest.hex(),
    }
    plain = _plain(row.body)
    if plain is None:
        line["body_base64"] = base64.b64encode(row.body).decode()
    else:
        line["body"] = plain
    if frame is not None:
        line["frame"] = _meaning(frame)
    return _text(line)


def row_of(text: str) -> Row:
    """The row of a line; JournalError when the line is not one that `line_of` wrote."""
    try:
        line = json.loads(text)
        packed = line.get("body_base64")
        body = _text(line["body"]).encode() if packed is None else base64.b64decode(packed)
        at = Instant(mono_ns=_int64(line["at_mono_ns"]), utc_ns=_int64(line["at_utc_ns"]))
        return Row(
            chain=str(line["chain"]),
            n=_int64(line["n"]),
            kind=str(line["kind"]),
            schema=_int64(line["schema"]),
            at=at,
            body=body,
            digest=bytes.fromhex(line["hash"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise JournalError(f"it is not a row of a record ({error})") from error


def _plain(body: bytes) -> Any:
    """A JSON body as an object that gives back the same bytes; None for anything else."""
    try:
        plain = json.loads(body)
        return plain if _text(plain).encode() == body else None
    except ValueError:
        return None


def _text(plain: object) -> str:
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


def _int64(value: object) -> int:
    if type(value) is not int or not -_INT64 <= value < _INT64:
        raise ValueError(f"{value!r} is no whole number of 64 bits")
    return value


def _meaning(frame: Frame) -> dict[str, Any]:
    status = frame.status
    return {
        "device": frame.device,
        "readings": [
            {
                "channel": reading.channel,
                "value": reading.value,
                "unit": reading.unit.value,
                "validity": reading.validity.value,
                "reason": reading.reason,
            }
            for reading in frame.readings
        ],
        "status": None
        if status is None
        else {
            "running": status.running,
            "setpoint": status.setpoint,
            "remote": status.remote,
            "fault": status.fault,
        },
    }
