"""Every write, sync, change of length, read and opening of the journal's files fails in turn.

python -m pytest tests/campaign/test_failing_disk.py -s
"""

from pathlib import Path

import pytest

from tests.journal.failing_disk import CAMPAIGN, in_turn

PASSES = 24


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize(("call", "error"), CAMPAIGN)
def test_every_call_fails_in_turn(tmp_path: Path, call: str, error: str, times: int) -> None:
    endings = list(in_turn(tmp_path, call, error, PASSES, times))
    refused = sum(1 for ending in endings if ending.refused)
    alarmed = sum(1 for ending in endings if ending.troubles)
    print(
        f"\n{len(endings)} times {times} {call} failed with {error}: {refused} refused to start,"
        f" {alarmed} alarms, 0 rows lost"
    )
    assert all(ending.troubles[-1] is None for ending in endings if ending.troubles)
