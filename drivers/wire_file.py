"""Recorded traffic of a serial line, one JSON object per line of text.

The first line says whose traffic it is and may be missing:
`{"wire": 1, "driver": "julabo", "port": "/dev/ttyUSB0", "settings": {"baud": 9600}}`
Every other line is one chunk, in the order of the wire:
`{"at_ns": 81230000000, "sent": true, "hex": "56455253494f4e0d"}`
`at_ns` counts monotonic nanoseconds, `sent` is false for what was read, `hex` holds its bytes.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drivers.line import Traffic
from service.core.model import Instant

VERSION = 1


class WireFileError(Exception):
    """A recording that cannot be read or written; the text names the file and the line."""


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    wire: Literal[1]
    driver: str
    port: str = ""
    settings: dict[str, Any] = {}


class _Chunk(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    at_ns: int
    sent: bool
    hex: Annotated[str, Field(pattern=r"^([0-9a-fA-F]{2} ?)+$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A whole file; `driver` is empty where the file does not say whose traffic it is."""

    driver: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    traffic: tuple[Traffic, ...] = ()


class Recorder:
    """Writes a line's traffic into a new file while it happens; without a path it keeps nothing.

    Raises `WireFileError` where the file is there already or cannot be written.
    """

    def __init__(
        self, path: Path | None, driver: str, port: str, settings: Mapping[str, object]
    ) -> None:
        self._last: Instant | None = None
        self._file = None
        if path is None:
            return
        try:
            self._file = path.open("x", encoding="ascii")
        except OSError as error:
            raise WireFileError(f"{path} cannot be written ({error.strerror})") from None
        print(_head_text(driver, port, settings), file=self._file, flush=True)

    def take(self, traffic: Sequence[Traffic]) -> None:
        """Write what was not yet written of the line's kept traffic."""
        if self._file is None:
            return
        for one in traffic:
            if self._last is None or one.at > self._last:
                print(_chunk_text(one), file=self._file)
                self._last = one.at
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()


def recording_text(
    driver: str, port: str, settings: Mapping[str, object], traffic: Iterable[Traffic]
) -> str:
    """A whole recording of this traffic, as `read_recording` reads it from a file."""
    lines = (_head_text(driver, port, settings), *map(_chunk_text, traffic))
    return "\n".join(lines) + "\n"


def read_recording(path: Path) -> Recording:
    """Read a recorded file; raises `WireFileError` naming the line that is wrong."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise WireFileError(f"{path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise WireFileError(f"{path} is not text; wanted is one JSON object per line") from None
    head, traffic = None, []
    for number, line in enumerate(lines, start=1):
        try:
            if number == 1 and '"wire"' in line:
                head = _Head.model_validate_json(line)
            elif line.strip():
                traffic.append(_traffic(_Chunk.model_validate_json(line)))
        except ValidationError as error:
            raise WireFileError(_wrong(path, number, error)) from None
    if head is None:
        return Recording(traffic=tuple(traffic))
    return Recording(driver=head.driver, settings=head.settings, traffic=tuple(traffic))


def _head_text(driver: str, port: str, settings: Mapping[str, object]) -> str:
    return json.dumps({"wire": VERSION, "driver": driver, "port": port, "settings": settings})


def _chunk_text(one: Traffic) -> str:
    return json.dumps({"at_ns": one.at.mono_ns, "sent": one.sent, "hex": one.data.hex()})


def _traffic(chunk: _Chunk) -> Traffic:
    # The file does not say the time of day; a replay only counts from its first chunk.
    at = Instant(mono_ns=chunk.at_ns, utc_ns=chunk.at_ns)
    return Traffic(at=at, sent=chunk.sent, data=bytes.fromhex(chunk.hex))


def _wrong(path: Path, number: int, error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "the line"
    return (
        f'{path}:{number}: {where}: {first["msg"]}; wanted is {{"at_ns": 1, "sent": true, '
        '"hex": "0d"}'
    )
