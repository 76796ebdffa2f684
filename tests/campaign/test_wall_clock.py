"""The wall clock steps by an hour and a day and drifts in whole treatments; no timer notices.

HOURS=1 SEED=4 python -m pytest tests/campaign/test_wall_clock.py -s
"""

import os

import pytest

from tests.hours.wall_clock import apart

HOURS = float(os.environ.get("HOURS", "1"))
SEED = int(os.environ.get("SEED", "1"))
SAMPLE_NS = 1_000_000_000


@pytest.mark.parametrize("seed", range(SEED, SEED + 4))
def test_wall_clock(seed: int) -> None:
    changes, worst_ns = apart(seed, HOURS)
    print(f"\nseed {seed}, {HOURS:g} h: {changes} changes, at most {worst_ns / 1e6:g} ms apart")
    assert worst_ns <= SAMPLE_NS
