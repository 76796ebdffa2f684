"""The last three hours of every channel, for a page that is loaded in the middle of them.

The web process keeps what passes through it, thinned to one reading per step of treatment time,
and leaves it in a file for the web process that comes after it.
"""

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

from service.web.row_file import Row, RowFile

STEP_S = 5.0
KEPT_S = 3 * 3600.0
"""Treatment seconds: from set-up to the summary, as long as a page keeps its curve."""

MOST_ROWS = round(KEPT_S / STEP_S)

LATE_STEPS = 4
"""A frame that arrives later than frames of this many newer steps is left out."""


class Recent:
    """What was valid, when: `heard` takes live messages in, `columns` gives them out."""

    def __init__(self, file: RowFile | None = None) -> None:
        self._file = file
        self._added = 0
        self._rows: deque[Row] = deque(maxlen=MOST_ROWS)
        self._boot = ""
        self._speed = 1.0
        self._gone_s: dict[str, float] = {}

    @property
    def boot(self) -> str:
        """The boot that the times count in, empty before the first snapshot."""
        return self._boot

    def heard(self, message: dict[str, Any]) -> None:
        """Take one live message in: snapshots tell the speed, frames the readings."""
        if message.get("type") == "snapshot":
            self._about(message)
        elif message.get("type") == "frame" and self._boot:
            self._take(message)

    def _about(self, message: dict[str, Any]) -> None:
        state = message.get("state", {})
        boot, speed = str(message.get("boot")), float(state.get("speed", 1.0))
        if (boot, speed) != (self._boot, self._speed):
            self._boot, self._speed = boot, speed
            self._rows.clear()
            if self._file is not None:
                self._rows.extend(self._file.read(self._about_file))
                self._begin_file(self._file)
        self._gone_s = {
            name: float(channel.get("gone_s", 0.0))
            for name, channel in state.get("channels", {}).items()
        }

    @property
    def _about_file(self) -> str:
        return json.dumps({"boot": self._boot, "speed": self._speed, "step_s": STEP_S})

    def _begin_file(self, file: RowFile) -> None:
        file.begin(self._about_file, [(slot, dict(row)) for slot, row in self._rows])
        self._added = 0

    def _keep(self, file: RowFile) -> None:
        """Put the newest row into the file; it is written anew when half of it is too old."""
        if self._added < MOST_ROWS:
            file.add(self._rows[-1])
            self._added += 1
        else:
            self._begin_file(file)

    def _take(self, message: dict[str, Any]) -> None:
        slot = int(message["at_ns"] / 1e9 * self._speed / STEP_S)
        if (row := self._row(slot)) is None:
            return
        for name, reading in message["channels"].items():
            row[name] = reading["value"] if reading["validity"] == "valid" else None

    def _row(self, slot: int) -> dict[str, float | None] | None:
        """The row of this step, a new one at the end; None for what comes too late."""
        if not self._rows or slot > self._rows[-1][0]:
            if self._rows and self._file is not None:
                self._keep(self._file)
            self._rows.append((slot, {}))
        newest = (self._rows[-at] for at in range(1, min(LATE_STEPS, len(self._rows)) + 1))
        return next((row for known, row in newest if known == slot), None)

    def columns(self, for_s: float, step_s: float) -> tuple[list[float], dict[str, list[Any]]]:
        """Times (treatment seconds) of the last `for_s`, and each channel's values at them.

        None is a gap: nothing valid for longer than the channel's own limit. What is shorter is
        bridged by a straight line.
        """
        if not self._rows:
            return [], {}
        stride = max(1, round(step_s / STEP_S))
        last = self._rows[-1][0]
        first = max(self._rows[0][0], last - round(for_s / STEP_S))
        slots = range(first + -first % stride, last + 1, stride)
        names = dict.fromkeys(name for _, row in self._rows for name in row)
        columns = {name: self._column(name, slots) for name in names}
        return [slot * STEP_S for slot in slots], columns

    def _column(self, name: str, slots: range) -> list[float | None]:
        values: dict[int, float | None] = {}
        before: tuple[int, float | None] = (slots.start, None)
        for at, value in self._readings(name, slots.start):
            since, last = before
            if value is not None and last is not None and self._joins(name, at - since):
                for between in range(since + 1, at):
                    values[between] = last + (value - last) * (between - since) / (at - since)
            values[at] = value
            before = at, value
        return [_rounded(values.get(slot)) for slot in slots]

    def _readings(self, name: str, from_slot: int) -> Iterator[tuple[int, float | None]]:
        rows = ((at, row) for at, row in self._rows if at >= from_slot and name in row)
        return ((at, row[name]) for at, row in rows)

    def _joins(self, name: str, steps: int) -> bool:
        return (steps - 1) * STEP_S <= self._gone_s.get(name, 0.0) * self._speed


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
