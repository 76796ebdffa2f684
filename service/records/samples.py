"""A session's measurements as tables: one row per channel and reading, as CSV and as Parquet."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from service.core.events import Frame
from service.core.model import Channel, Mode
from service.records.times import utc_text

COLUMNS = (
    *("utc", "mono_ns", "device", "channel", "site", "role"),
    *("value", "unit", "validity", "mode", "reason"),
)
"""`utc` labels, `mono_ns` decides; `value` is in `unit` and empty (null) where there is none."""

BATCH_ROWS = 50_000
_WORD = pa.dictionary(pa.int32(), pa.string())
_TYPES = {
    "utc": pa.timestamp("ns", tz="UTC"),
    "mono_ns": pa.int64(),
    "value": pa.float64(),
    "reason": pa.string(),
}
Sample = tuple[int, int, str, str, str, str, float | None, str, str, str, str]


def samples_of(frame: Frame, channels: Mapping[str, Channel], mode: Mode) -> Iterator[Sample]:
    """The samples of one frame, in the order of the columns (`utc` in nanoseconds)."""
    for reading in frame.readings:
        channel = channels.get(reading.channel)
        yield (
            frame.at.utc_ns,
            frame.at.mono_ns,
            frame.device,
            reading.channel,
            channel.site if channel else "",
            channel.role.value if channel else "",
            reading.value,
            reading.unit.value,
            reading.validity.value,
            mode.value,
            reading.reason,
        )


def csv_lines(samples: Iterable[Sample]) -> Iterator[str]:
    """The samples as CSV (RFC 4180), a value as the shortest text that gives it back."""
    line = _Line()
    writer = csv.writer(line)
    writer.writerow(COLUMNS)
    yield line.text
    for utc_ns, *rest in samples:
        writer.writerow((utc_text(utc_ns), *rest))
        yield line.text


class _Line:
    """What a csv.writer writes to: keeps its newest line."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


class ParquetSamples:
    """Writes samples as Parquet; mode and session stand in the file's metadata too."""

    def __init__(self, path: Path, *, session: str, mode: Mode) -> None:
        self.schema = schema(session, mode)
        self._writer = pq.ParquetWriter(path, self.schema, compression="zstd")
        self._batch: list[Sample] = []

    def add(self, samples: Iterable[Sample]) -> None:
        """Takes more samples; many are written at a time."""
        self._batch += samples
        if len(self._batch) >= BATCH_ROWS:
            self._write()

    def close(self) -> None:
        """Writes what is left; the file is complete then."""
        self._write()
        self._writer.close()

    def _write(self) -> None:
        if self._batch:
            self._writer.write_table(table(self._batch, self.schema))
            self._batch = []


def schema(session: str, mode: Mode) -> pa.Schema:
    """The columns and what the file says of itself."""
    metadata = {"session": session, "mode": mode.value, "simulated": str(mode is not Mode.REAL)}
    fields = [pa.field(name, _TYPES.get(name, _WORD)) for name in COLUMNS]
    return pa.schema(fields, metadata=metadata)


def table(samples: list[Sample], of: pa.Schema) -> pa.Table:
    """Samples as columns."""
    columns: list[Any] = list(zip(*samples, strict=True)) or [()] * len(COLUMNS)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, of, strict=True)]
    return pa.Table.from_arrays(arrays, schema=of)
