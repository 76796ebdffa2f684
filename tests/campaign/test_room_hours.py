"""Virtual room-hours of random faults and commands, as many as asked.

HOURS=1000 SEED=1 python -m pytest tests/campaign/test_room_hours.py -s
One seed again: python -m tests.hours 2 SEED 1
"""

import os

from tests.hours.play import played_hours

HOURS = float(os.environ.get("HOURS", "20"))
SEED = int(os.environ.get("SEED", "1"))
PROCESSES = os.cpu_count() or 1


def test_room_hours() -> None:
    tally = played_hours(HOURS, SEED, PROCESSES)
    print(f"\n{tally}")
    assert sum(room.hours for room in tally.rooms) >= HOURS
