"""The recent readings as a file beside the control socket, for the web process that comes next.

One line of JSON per step, after a first line that says what the steps count in. Written by a thread
of its own, so that a slow disk delays no page; what cannot be written is only missing afterwards.
"""

import json
import logging
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

Row = tuple[int, dict[str, float | None]]

log = logging.getLogger(__name__)


class RowFile:
    """The file at `path`; nothing here raises when it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "recent readings")
        self._failed = False

    def read(self, about: str) -> list[Row]:
        """The rows that were kept under the same words, none where there are none."""
        try:
            first, *lines = self._path.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return []
        return [row for line in lines if (row := _row(line))] if first == about else []

    def begin(self, about: str, rows: Iterable[Row]) -> None:
        """Keep these rows and nothing of before."""
        lines = [about, *map(json.dumps, rows)]
        self._thread.submit(self._write, lines, anew=True)

    def add(self, row: Row) -> None:
        """Keep one row more."""
        self._thread.submit(self._write, [json.dumps(row)], anew=False)

    def close(self) -> None:
        """Wait until all that was given is written."""
        self._thread.shutdown()

    def _write(self, lines: list[str], *, anew: bool) -> None:
        path = self._path.with_suffix(".new") if anew else self._path
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if anew else os.O_APPEND)
        try:
            with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))
            if anew:
                path.replace(self._path)
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.warning("recent readings are not kept for a restart: %s: %s", path, error)
            self._failed = True


def _row(line: str) -> Row | None:
    """None for a line that was being written when the process died."""
    try:
        slot, values = json.loads(line)
    except ValueError:
        return None
    return slot, values
