"""What waits in memory while the disk takes nothing: bytes of a pass, and how many hours that is.

    python benchmarks/journal_waiting.py [PASSES]

Another program holds the database; passes as a room makes them (a frame of six to twelve readings
or a tick, now and then an order and what it confirmed) are appended, and the process's memory is
looked at before and after. The writer's thread has made rows of them by then.
"""

import random
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from service.core.effects import HeaterRun
from service.core.events import Frame, Tick
from service.core.model import Instant, Reading, Unit, Validity
from service.journal.store import open_writing
from service.journal.writer import CAPACITY_PASSES, Writer

PASSES_PER_S = {"tick": 10, "frame": 28}
"""A room of six instruments as the example site polls them."""


def memory_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def one(n: int, chance: random.Random) -> list[object]:
    at = Instant(mono_ns=n * 26_000_000, utc_ns=n * 26_000_000)
    if n % 38 < PASSES_PER_S["tick"]:
        return [Tick(at=at)]
    readings = tuple(
        Reading(
            channel=f"site_{channel}",
            value=round(chance.uniform(36.0, 46.0), 2),
            unit=Unit.DEG_C,
            validity=Validity.VALID,
        )
        for channel in range(chance.choice((1, 2, 6)))
    )
    order = [HeaterRun(order=n, bath_c=44.0, lease_s=3.0)] if n % 40 == 0 else []
    return [Frame(at=at, device="sites", readings=readings), *order]


def main() -> None:
    passes = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hipec.db"
        store = open_writing(f"sqlite:///{path}")
        writer = Writer(store, on_durable=lambda _: None, on_trouble=lambda _: None)
        writer.append("session", one(0, chance))
        time.sleep(0.5)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        before = memory_bytes()
        for n in range(passes):
            writer.append("session", one(n, chance))
        while writer._unsealed or writer._inbox.qsize():
            time.sleep(0.1)
        each = (memory_bytes() - before) / passes
        other.execute("ROLLBACK")
        other.close()
        left = writer.close(600)
        store.close()
    hours = CAPACITY_PASSES / sum(PASSES_PER_S.values()) / 3600
    print(f"journal: {passes} passes wait, {each:.0f} bytes each; {left} not written afterwards")
    print(
        f"  {CAPACITY_PASSES} passes take {CAPACITY_PASSES * each / 1e6:.0f} MB and last"
        f" {hours:.1f} h in a room of {sum(PASSES_PER_S.values())} passes a second"
    )


if __name__ == "__main__":
    main()
