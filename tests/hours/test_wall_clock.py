"""A wall clock that steps by hours and days and drifts moves no timer of a room."""

import pytest

from tests.hours.wall_clock import apart

pytestmark = pytest.mark.integration
SAMPLE_NS = 1_000_000_000


@pytest.mark.requirement("RC-023")
def test_no_timer_is_off_by_more_than_a_sample() -> None:
    changes, worst_ns = apart(seed=4, hours=0.12)
    assert changes > 3
    assert worst_ns <= SAMPLE_NS
