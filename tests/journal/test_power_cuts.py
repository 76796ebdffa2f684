"""A power cut at any moment of writing loses nothing that was called durable."""

from pathlib import Path

import pytest

from tests.journal.power import Tally, cut, record

pytestmark = pytest.mark.integration
PASSES, CUTS, SEED = 150, 50, 1


@pytest.mark.requirement("RC-132")
def test_no_power_cut_loses_a_row_that_was_called_durable(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "FULL")
    assert (tally.whole, tally.lost, tally.corrupt) == (CUTS, 0, 0), str(tally)


def test_these_cuts_find_a_journal_that_does_not_sync(tmp_path: Path) -> None:
    tally = tally_of(tmp_path, "OFF")
    assert tally.lost + tally.corrupt > CUTS // 4, str(tally)


def tally_of(tmp_path: Path, synchronous: str) -> Tally:
    folder, work = tmp_path / "recorded", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    return cut(folder, record(folder, PASSES, synchronous), CUTS, SEED, work)
