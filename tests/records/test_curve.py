"""The curves of a recorded session: thinned to the highest reading, gaps stay gaps."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from service.journal.rows import ROOM, JournalError
from service.records.curve import MOST_POINTS, _thinned, curve
from service.records.sessions import session_lines

STORED = Path(__file__).parents[1] / "data" / "sessions" / "faults.tar.xz"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("stored")
    with tarfile.open(STORED) as packed:
        packed.extract("hipec.db", folder, filter="data")
    return f"sqlite:///{folder / 'hipec.db'}"


def test_a_step_shows_its_highest_reading_and_a_gap_stays_one() -> None:
    times = np.array([0.5, 1.5, 2.5, 3.5, 30.5, 31.5])
    values = np.array([42.0, 42.5, 43.6, 42.1, 41.0, 41.2])
    valid = np.array([True, True, True, True, True, True])
    column = _thinned(times, values, valid, np.arange(0.0, 34.0, 2.0), 2.0, 3.0)
    assert column[:2].tolist() == [42.5, 43.6], "a peak between two points of the grid is shown"
    assert np.isnan(column[3:15]).all()
    assert column[15] == 41.2


def test_an_invalid_reading_breaks_the_line_between_its_neighbours() -> None:
    times = np.array([0.0, 1.0, 2.0])
    values = np.array([42.0, 99.0, 42.0])
    grid = np.array([0.0, 0.5, 1.0, 1.5, 2.0])
    kept = _thinned(times, values, np.array([True, True, True]), grid, 0.5, 3.0)
    cut = _thinned(times, values, np.array([True, False, True]), grid, 0.5, 3.0)
    assert kept[2] == 99.0 and not np.isnan(kept).any()
    assert np.isnan(cut[1:4]).all() and (cut[0], cut[4]) == (42.0, 42.0)


def test_a_recorded_session_has_its_curves_band_events_and_dose(url: str) -> None:
    (line,) = session_lines(url)[2]
    found = curve(url, line[0])
    assert found["simulated"] and found["target"] == {"low_c": 42.5, "high_c": 43.5}
    assert 2 < len(found["times_s"]) <= MOST_POINTS + 2
    assert all(len(one["values"]) == len(found["times_s"]) for one in found["channels"])
    assert {"degC", "mmHg", "ml/min"} <= {one["unit"] for one in found["channels"]}
    sites = [one["values"] for one in found["channels"] if one["role"] == "site"]
    assert any(value is not None for value in sites[0]), "there are readings"
    kinds = {event["kind"] for event in found["events"]}
    assert "phase" in kinds and any(kind.startswith("alarm_") for kind in kinds)
    if found["dose"]:
        assert all(0 <= one["coverage"] <= 1 for one in found["dose"]["courses"])


def test_the_rooms_own_chain_has_no_curve(url: str) -> None:
    with pytest.raises(JournalError, match="no session room"):
        curve(url, ROOM)
