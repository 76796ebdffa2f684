"""kill -9 of each process at random instants of live treatments.

TIMES=1000 SEED=1 python -m pytest tests/campaign/test_kills.py -s
"""

import os
import time

import pytest

from tests.e2e.kills import PROCESSES, killed

TIMES = int(os.environ.get("TIMES", "30"))
SEED = int(os.environ.get("SEED", "1"))


@pytest.mark.parametrize("process", PROCESSES)
def test_kills(process: str) -> None:
    began = time.monotonic()
    [tally] = killed([process], TIMES, SEED)
    print(f"\n{tally}; {(time.monotonic() - began) / TIMES:.1f} s for each kill")
    assert len(tally.back_s) == TIMES
