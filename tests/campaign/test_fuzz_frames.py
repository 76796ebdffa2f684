"""A million disturbed frames per codec: no crash, and no wrong value beyond the check sum's bound.

The frames are those of `tests/contract/fuzz.py`, of which `make test` reads ten thousand per codec.
`FRAMES` and `SEED` in the environment change how many and which.
"""

import os

import pytest

from tests.contract.fuzz import fuzzed
from tests.contract.pairs import PAIRS

FRAMES = int(os.environ.get("FRAMES", "1000000"))
SEED = int(os.environ.get("SEED", "1"))
COMMAND = ".venv/bin/python -m pytest tests/campaign/test_fuzz_frames.py"


@pytest.mark.parametrize("name", PAIRS)
def test_no_wrong_value_beyond_the_bound_of_the_check_sum(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = fuzzed(name, FRAMES, SEED)
    with capsys.disabled():
        print(f"\n{name}: {found.told.total()} disturbed frames, 0 crashes, {found.wrong} wrong")
        print("  " + ", ".join(f"{kind} {count}" for kind, count in sorted(found.told.items())))
        print(f"  check sum: {found.check_sum.name}")
        print(f'  again: FRAMES={FRAMES} SEED={SEED} {COMMAND} -k "{" and ".join(name.split())}"')
    found.check()
