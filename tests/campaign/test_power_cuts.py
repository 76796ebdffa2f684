"""Ten thousand power cuts on the real journal, beside settings that promise less.

python -m pytest tests/campaign/test_power_cuts.py -s      (CUTS=n SEED=n for others)
"""

import os
from pathlib import Path

import pytest

from tests.journal.power import cut, record

CUTS = int(os.environ.get("CUTS", "10000"))
SEED = int(os.environ.get("SEED", "1"))
PASSES = 400


@pytest.mark.parametrize(("synchronous", "share"), [("FULL", 1), ("NORMAL", 5), ("OFF", 5)])
def test_power_cuts(tmp_path: Path, synchronous: str, share: int) -> None:
    folder, work = tmp_path / "recorded", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    tally = cut(folder, record(folder, PASSES, synchronous), CUTS // share, SEED, work)
    print(f"\nsynchronous = {synchronous}, seed {SEED}: {tally}")
    if synchronous == "FULL":
        assert tally.whole == tally.cuts, str(tally)
    else:
        assert tally.lost + tally.corrupt > 0, "these cuts find nothing"
