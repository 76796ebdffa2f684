"""One kill of each process of a treating room; `make campaign` does many at random instants."""

import pytest

from tests.e2e.kills import PROCESSES, killed


@pytest.mark.requirement("RC-146")
def test_a_killed_process_loses_nothing_and_brings_no_heat_back() -> None:
    tallies = killed(PROCESSES, 1, seed=1, phase="prime")
    assert [len(tally.back_s) for tally in tallies] == [1, 1, 1]
