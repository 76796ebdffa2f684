"""Copies of the signed checkpoints in a file elsewhere: what shows that a record was cut short.

A memory stick may be pulled and a network folder may hang, so a thread of its own writes them.
"""

import json
import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from service.core.model import Instant
from service.journal.codec import CODEC
from service.journal.rows import Checkpoint, CopyElsewhere

KEPT_LINES = 10_000
"""How many copies wait for a place that cannot be written: a week at one a minute."""

RETRY_S, HANGS_S = 30.0, 45.0


def line_of(checkpoint: bytes, public: str) -> str:
    """One line of the file: the checkpoint as the record holds it, and the key to check it with."""
    return f'{{"checkpoint":{checkpoint.decode()},"public":{json.dumps(public)}}}\n'


class Elsewhere:
    """Appends checkpoints to a file, in order; what could not be written is tried again.

    `tell` is given a `CopyElsewhere` when the place stops working and when it works again. It is
    called in a thread of its own, or in that of `keep`, and must return at once.
    """

    def __init__(
        self,
        path: Path,
        tell: Callable[[CopyElsewhere], object],
        *,
        retry_s: float = RETRY_S,
        hangs_s: float = HANGS_S,
    ) -> None:
        self._path = path
        self._tell = tell
        self._retry_s = retry_s
        self._hangs_s = hangs_s
        self._lines: deque[tuple[Instant, str]] = deque(maxlen=KEPT_LINES)
        self._changed = threading.Condition()
        self._works = True
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="elsewhere", daemon=True)
        self._thread.start()

    def keep(self, checkpoint: Checkpoint, public: str) -> None:
        """Takes one more copy; returns at once. One that has waited for long means a hang."""
        with self._changed:
            oldest = self._lines[0][0] if self._lines else checkpoint.at
            hangs = checkpoint.at.seconds_since(oldest) > self._hangs_s
            self._lines.append((checkpoint.at, line_of(CODEC.encode(checkpoint), public)))
            self._changed.notify()
        if hangs:
            self._say(checkpoint.at, works=False, reason="it does not answer")

    def close(self, timeout_s: float = 2.0) -> int:
        """Ends the thread; how many copies could not be written."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)
        return len(self._lines)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closing)
                if not self._lines:
                    return
                at, line = self._lines[0]
            try:
                self._append(line)
            except OSError as error:
                self._say(at, works=False, reason=error.strerror or str(error))
                with self._changed:
                    if self._changed.wait_for(lambda: self._closing, self._retry_s):
                        return
                continue
            with self._changed:
                self._lines.popleft()
            self._say(at, works=True)

    def _append(self, line: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def _say(self, at: Instant, *, works: bool, reason: str = "") -> None:
        with self._changed:
            told, self._works = works != self._works, works
        if told:
            self._tell(CopyElsewhere(at=at, path=str(self._path), works=works, reason=reason))
