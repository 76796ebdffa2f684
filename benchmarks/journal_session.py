"""A 90-minute session with twelve channels at 10 Hz: its size, and how fast it is read again.

    python benchmarks/journal_session.py [MINUTES]

A virtual treatment runs through the real core: 10 ticks and 10 frames of the thermometer a second,
a frame a second of each other instrument, the core's state every 2,500 passes. Stamps scatter as
those of a computer do, readings by 0.015 °C before they are rounded to 0.01 °C. Rows are moved into
chunks each minute, as the writer does it. "On disk" is the whole folder once the journal is closed,
times are of the processor (median of nine).
"""

import random
import statistics
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from protocols.loader import load_all
from service.control.process import KEPT_STATE_PASSES
from service.core.events import Event, Frame, Tick
from service.core.model import Instant
from service.core.session import step
from service.journal.codec import CODEC
from service.journal.replay import recover
from service.journal.rows import Row
from service.journal.samples import read_samples
from service.journal.sealing import Sealer
from service.journal.store import Store, open_reading, open_writing
from service.journal.verify import verify_chain
from service.virtual.session import Setup, VirtualSession

CHAIN, SEED = "session", 2
HZ, SCATTER_C = 10, 0.015
LATE_NS, READ_NS = 300_000, (60, 400)
MEGABYTE = 1_000_000


class RecordedSession(VirtualSession):
    """A virtual treatment that is recorded as the control process does it."""

    def __init__(self, setup: Setup, store: Store) -> None:
        self._store = store
        self._sealer = Sealer(CODEC, CHAIN)
        self._rows: list[Row] = []
        self._chance = random.Random(SEED)
        self._past_s = 0.0
        self._kept_at = -KEPT_STATE_PASSES
        self.kinds: Counter[str] = Counter()
        super().__init__(setup)

    @property
    def now(self) -> Instant:
        """The moment as two clocks tell it that are read one after the other."""
        exact = super().now
        late_ns = round(self._past_s * 1e9 + abs(self._chance.gauss(0, LATE_NS)))
        ahead_ns = self._chance.randint(*READ_NS)
        us = 1000
        return Instant(
            mono_ns=(exact.mono_ns + late_ns) // us * us,
            utc_ns=(exact.utc_ns + late_ns + ahead_ns) // us * us,
        )

    def feed(self, event: Event) -> None:
        """As the virtual session does it, and kept."""
        waiting = deque([event])
        while waiting:
            event = waiting.popleft()
            if isinstance(event, Frame):
                event = self._scattered(event)
            before = self.state
            self.state, effects = step(before, event)
            if self.state.session is not None:
                opening = [] if before.session else [CODEC.canonical(before)]
                self._keep([*opening, event, *effects])
                if self.state.processed - self._kept_at >= KEPT_STATE_PASSES:
                    self._kept_at = self.state.processed
                    self._keep([self.state])
            for effect in effects:
                waiting += self.instruments.order(effect, self.now, self.now_s)

    def second(self) -> None:
        """As the virtual session does it, with nine more ticks and frames of the thermometer."""
        super().second()
        for tenth in range(1, HZ):
            self._past_s = tenth / HZ
            for frame in self.instruments.frames(self.plant, self.now, self.now_s):
                if isinstance(frame, Frame) and frame.device == "thermometer":
                    self.feed(frame)
            self.feed(Tick(at=self.now))
        self._past_s = 0.0
        if self.now_s % 60 == 0 and self.state.session is not None:
            self.commit()
            self._store.compact(CHAIN)

    def commit(self) -> None:
        """Write what was kept since the last time."""
        if self._rows:
            self._store.append(self._rows)
        self._rows = []

    def _keep(self, items: list[object]) -> None:
        for item in items:
            rows = self._sealer.seal(item, self.now)
            self.kinds.update(row.kind for row in rows)
            self._rows += rows

    def _scattered(self, frame: Frame) -> Frame:
        readings = tuple(
            replace(reading, value=round(reading.value + self._chance.gauss(0, SCATTER_C), 2))
            if frame.device == "thermometer" and reading.value is not None
            else reading
            for reading in frame.readings
        )
        return replace(frame, at=self.now, readings=readings)


def record(store: Store, minutes: int) -> Counter[str]:
    protocol = load_all()["closed-mmc-90"]
    session = RecordedSession(Setup(protocol=protocol), store)
    session.run_until(60.0 * minutes + 61)
    session.commit()
    return session.kinds


def median_ms(work: Callable[[], object], rounds: int = 9) -> float:
    """The median time of the processor in a few runs (ms)."""
    taken_ms = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        taken_ms.append((time.process_time() - started) * 1e3)
    return statistics.median(taken_ms)


def main() -> None:
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 90
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hipec.db"
        store = open_writing(f"sqlite:///{path}")
        kinds = record(store, minutes)
        store.close()
        print(f"journal: a session of {minutes} minutes, 12 channels at {HZ} Hz, seed {SEED}")
        print("  rows: " + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
        on_disk = sum(file.stat().st_size for file in Path(folder).iterdir())
        print(f"  on disk {on_disk / MEGABYTE:.2f} MB")
        reader = open_reading(f"sqlite:///{path}")
        (samples,) = read_samples(reader, CHAIN, ["thermometer"])
        twelve_ms = median_ms(lambda: read_samples(reader, CHAIN, ["thermometer"]))
        all_ms = median_ms(lambda: read_samples(reader, CHAIN))
        print(f"  read into numpy: {samples.values.shape} in {twelve_ms:.1f} ms")
        print(f"  with the other instruments {all_ms:.1f} ms")
        recovery_ms = median_ms(lambda: recover(reader, CHAIN, step), 3)
        verified_s = median_ms(lambda: verify_chain(reader, CHAIN), 1) / 1e3
        print(f"  recovery of the core's state {recovery_ms:.0f} ms")
        print(f"  chain verified in {verified_s:.1f} s")
        reader.close()


if __name__ == "__main__":
    main()
