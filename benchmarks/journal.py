"""A durable tick of twelve samples against append + fdatasync, in turns in the same run.

    python benchmarks/journal.py [ROUNDS] [FOLDER]

Median of five runs, each of which ticks and syncs in turns. The tick goes the whole way: handed to
the writer thread, packed, hashed, committed with synchronous=FULL, and reported as durable. The
floor appends as many bytes as the row's body, its hash and its numbers have, and calls fdatasync.
FOLDER is where both write; its disk is measured.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from service.core.events import Frame
from service.core.model import Instant, Reading, Unit, Validity
from service.journal.store import open_writing
from service.journal.writer import Writer

CHANNELS = 12
ROW_BYTES = 150
RUNS = 5
SEED = 2


def frame(n: int, chance: random.Random) -> Frame:
    at = Instant(mono_ns=n * 10**8, utc_ns=n * 10**8)
    readings = tuple(
        Reading(
            channel=f"site_{channel}",
            value=round(chance.uniform(36.0, 46.0), 2),
            unit=Unit.DEG_C,
            validity=Validity.VALID,
        )
        for channel in range(CHANNELS)
    )
    return Frame(at=at, device="sites", readings=readings)


def durable_tick(folder: Path) -> tuple[Callable[[Frame], None], Callable[[], None]]:
    store = open_writing(f"sqlite:///{folder}/journal.db")
    durable: SimpleQueue[int] = SimpleQueue()
    writer = Writer(store, on_durable=durable.put, on_trouble=sys.exit)

    def tick(given: Frame) -> None:
        writer.append("session", [given])
        durable.get()

    def close() -> None:
        writer.close()
        store.close()

    return tick, close


def measure(rounds: int, folder: Path) -> tuple[list[float], list[float]]:
    chance = random.Random(SEED)
    tick, close = durable_tick(folder)
    floor = os.open(folder / "floor", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    ticks_us, floors_us = [], []
    for n in range(rounds):
        given = frame(n, chance)
        started = time.perf_counter_ns()
        tick(given)
        between = time.perf_counter_ns()
        os.write(floor, bytes(ROW_BYTES))
        os.fdatasync(floor)
        ticks_us.append((between - started) / 1e3)
        floors_us.append((time.perf_counter_ns() - between) / 1e3)
    close()
    os.close(floor)
    return ticks_us, floors_us


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
    where = sys.argv[2] if len(sys.argv) > 2 else None
    runs = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(dir=where) as folder:
            runs.append(measure(rounds, Path(folder)))
    print(f"journal: {RUNS} runs of {rounds} durable ticks of {CHANNELS} samples, seed {SEED}")
    for name, at in (("p50", 49), ("p99", 98)):
        found = [[statistics.quantiles(values, n=100)[at] for values in run] for run in runs]
        tick_us, floor_us, ratio = (
            statistics.median(values)
            for values in zip(*((tick, floor, tick / floor) for tick, floor in found), strict=True)
        )
        print(f"  {name}  tick {tick_us:.0f} µs, floor {floor_us:.0f} µs, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
