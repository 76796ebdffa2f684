"""Ten thousand disturbed frames per codec, by the generator of the campaign's million."""

import pytest

from tests.contract.fuzz import fuzzed
from tests.contract.pairs import PAIRS

pytestmark = pytest.mark.integration

FRAMES, SEED = 10_000, 1


@pytest.mark.parametrize("name", PAIRS)
def test_ten_thousand_disturbed_frames_crash_nothing_and_pass_no_more_than_the_bound(
    name: str,
) -> None:
    found = fuzzed(name, FRAMES, SEED)
    assert found.told.total() >= FRAMES
    found.check()
