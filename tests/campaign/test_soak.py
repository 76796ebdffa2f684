"""Eight accelerated hours and a real one: memory, descriptors and tick lateness stay flat.

HOURS=8 SPEED=20 python -m pytest tests/campaign/test_soak.py -s
"""

import os

import pytest

from tests.e2e.soak import soak

HOURS, SPEED = os.environ.get("HOURS"), os.environ.get("SPEED")
RUNS = [(float(HOURS), float(SPEED or 20))] if HOURS else [(8.0, 20.0), (1.0, 1.0)]
GROWS_MB, MORE_DESCRIPTORS, SLOWER = 15.0, 2.0, 3.0


@pytest.mark.parametrize(("hours", "speed"), RUNS)
def test_soak(hours: float, speed: float) -> None:
    soaked = soak(hours, speed)
    print(f"\n{soaked.told()}")
    for name, course in soaked.courses.items():
        (early_mb, late_mb), (early, late) = course.memory_mb, course.descriptors
        assert late_mb - early_mb < GROWS_MB, name
        assert late - early < MORE_DESCRIPTORS, name
    assert soaked.late_ms[1] < max(SLOWER * soaked.early_ms[1], 20.0)
