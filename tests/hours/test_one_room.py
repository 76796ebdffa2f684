"""Two rooms of chance, one disturbed and one not; `make campaign` plays as many as asked."""

import pytest

from tests.hours.play import play

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("seed", [1, 4])
def test_a_room_of_chance_breaks_nothing_and_proves_its_record(seed: int) -> None:
    assert play(seed, 0.3).hours > 0
