"""An export read back: its rows, and whether every file still says the same as they do."""

import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from service.journal.codec import CODEC
from service.journal.room_facts import KeyRing
from service.journal.rows import JournalError, KeyInUse, Row
from service.journal.sealing import Unsealer
from service.journal.signing import key_findings
from service.journal.verify import Verdict
from service.records import stand_alone
from service.records.export import (
    COPIES,
    CSV,
    EVENTS,
    KEYS,
    MANIFEST,
    PARQUET,
    Origin,
    frame_of,
    origin_of,
)
from service.records.lines import line_of, row_of
from service.records.samples import Sample, csv_lines, samples_of, schema, table


class Exported:
    """The folder of one exported session. JournalError says why it cannot be read."""

    def __init__(self, given: Path) -> None:
        """`given` is the folder, or any file in it."""
        self.folder = given if given.is_dir() else given.parent
        names = (stand_alone.SIMULATED, "")
        prefixes = [name for name in names if (self.folder / f"{name}{EVENTS}").is_file()]
        if not prefixes:
            raise JournalError(
                f"There is no exported session at {given}. Give the folder that"
                " `hipec sessions export` made."
            )
        self._prefix = prefixes[0]
        self.findings: list[str] = []

    def path(self, name: str) -> Path:
        """Where a file of the export lies."""
        return self.folder / f"{self._prefix}{name}"

    def rows(self) -> Iterator[Row]:
        """The rows in the order of their lines; JournalError at a line that is none."""
        try:
            with self.path(EVENTS).open(encoding="utf-8", newline="\n") as file:
                for number, line in enumerate(file, 1):
                    yield self._row(number, line)
        except (OSError, UnicodeDecodeError) as error:
            raise JournalError(f"{self.path(EVENTS)} cannot be read: {error}.") from error

    def _row(self, number: int, line: str) -> Row:
        where = f"Line {number} of {self.path(EVENTS)}"
        if not line.endswith("\n"):
            raise JournalError(f"{where}: the file was cut off here, in the middle of a line.")
        try:
            return row_of(line)
        except JournalError as error:
            raise JournalError(f"{where}: {error}.") from error

    def keys(self) -> KeyRing:
        """The room's keys, as the export names them; what is wrong with them is a finding."""
        found: list[tuple[int, KeyInUse]] = []
        for entry in self._json(KEYS).get("keys", []):
            try:
                body = json.dumps(entry["in_use"]).encode()
                in_use: KeyInUse = CODEC.decode(KeyInUse.__name__, body)
                before = found[-1][1] if found else None
                wrong = [f"{self.path(KEYS)}: {w}." for w in key_findings(body, in_use, before)]
                self.findings += wrong
                found.append((int(entry["room_row"]), in_use))
            except (JournalError, ValueError, KeyError, TypeError) as error:
                self.findings.append(f"{self.path(KEYS)}: a key cannot be read: {error}.")
        return KeyRing(found)

    def compare(self, verdict: Verdict) -> None:
        """Looks whether every file says what the rows say; what does not is a finding."""
        self._manifest(verdict)
        try:
            origin = origin_of(self.rows())
            self._events(origin)
            self._samples(verdict.chain, origin)
        except JournalError as error:
            self.findings.append(str(error))

    def _manifest(self, verdict: Verdict) -> None:
        manifest = self._json(MANIFEST)
        if not manifest:
            return
        if self.path(MANIFEST).read_text(encoding="utf-8") != stand_alone.pretty(manifest):
            self.findings.append(f"{self.path(MANIFEST)} is not written as the program writes it.")
        simulated = self._prefix != ""
        says = {
            "format": stand_alone.FORMAT,
            "session": verdict.chain,
            "simulated": simulated,
            "rows": verdict.size,
            "closed": verdict.closed,
            "root": verdict.root,
            "head": verdict.head,
        }
        wrong = [name for name, value in says.items() if manifest.get(name) != value]
        says_of = f"{self.path(MANIFEST)}: what the rows say is not what it says of"
        self.findings += [f"{says_of} {name}." for name in wrong]
        listed = manifest.get("files")
        self._files(listed if isinstance(listed, dict) else {})

    def _files(self, listed: dict[str, Any]) -> None:
        own = self.path(MANIFEST).name
        there = {path.name for path in self.folder.iterdir()} - {own}
        for name in sorted(there | listed.keys()):
            path = self.folder / name
            if name not in listed:
                self.findings.append(f"The file {name} is not in the manifest.")
            elif not path.is_file():
                self.findings.append(f"The file {name} is missing.")
            elif listed[name] != stand_alone.summary(path):
                self.findings.append(f"The file {name} is not as it was written.")

    def _events(self, origin: Origin) -> None:
        """Whether what stands beside the bodies (time, mode, the meaning of frames) is theirs."""
        unsealer, copies = Unsealer(CODEC), 0
        with self.path(EVENTS).open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                row = self._row(number, line)
                if line_of(row, origin.mode, frame_of(unsealer, row)) + "\n" != line:
                    where = f"Line {number} of {self.path(EVENTS)} (row {row.n}, {row.kind})"
                    self.findings.append(f"{where}: it does not say what its row holds.")
                copies += row.kind == "Checkpoint"
        kept = self.path(COPIES)
        if not kept.is_file() or len(kept.read_bytes().splitlines()) != copies:
            self.findings.append(f"{kept} does not hold the {copies} checkpoints of the record.")

    def _samples(self, session: str, origin: Origin) -> None:
        """Whether both tables hold the measurements of the rows, and nothing else."""
        samples: list[Sample] = []
        unsealer = Unsealer(CODEC)
        for row in self.rows():
            if frame := frame_of(unsealer, row):
                samples += samples_of(frame, origin.channels, origin.mode)
        try:
            text, written = "".join(csv_lines(samples)), self.path(CSV).read_bytes().decode()
            if text != written:
                pairs = enumerate(zip_longest(text.split("\n"), written.split("\n")), 1)
                line = next(number for number, (a, b) in pairs if a != b)
                self.findings.append(f"Line {line} of {self.path(CSV)} is not that of the rows.")
            of = schema(session, origin.mode)
            found = pq.read_table(self.path(PARQUET))
            if not table(samples, of).cast(found.schema).equals(found):
                self.findings.append(f"{self.path(PARQUET)} does not hold the samples of the rows.")
        except (OSError, ValueError, pa.ArrowException) as error:
            self.findings.append(f"The samples cannot be read: {error}.")

    def _json(self, name: str) -> dict[str, Any]:
        try:
            plain = json.loads(self.path(name).read_text(encoding="utf-8"))
            if isinstance(plain, dict):
                return plain
            error: Exception = ValueError("it holds no table")
        except (OSError, ValueError) as problem:
            error = problem
        self.findings.append(f"{self.path(name)} cannot be read: {error}.")
        return {}
