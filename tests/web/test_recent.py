"""The last three hours for a page that is loaded in the middle of them."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from service.web.recent import MOST_ROWS, Recent
from service.web.row_file import RowFile

S = 1_000_000_000


def recent(speed: float = 1.0, boot: str = "b") -> Recent:
    found = Recent()
    found.heard(told(speed, boot))
    return found


def told(speed: float = 1.0, boot: str = "b") -> dict[str, Any]:
    state = {"speed": speed, "channels": {"pelvis": {"gone_s": 12.0}, "core": {"gone_s": 3.0}}}
    return {"type": "snapshot", "boot": boot, "state": state}


def frame(at_s: float, value: float | None = 42.5, name: str = "pelvis") -> dict[str, Any]:
    validity = "invalid" if value is None else "valid"
    channels = {name: {"value": value, "validity": validity}}
    return {"type": "frame", "at_ns": round(at_s * S), "channels": channels}


def test_nothing_is_known_before_the_first_message() -> None:
    assert Recent().columns(600, 5) == ([], {})


def test_readings_stand_on_one_grid_of_treatment_time() -> None:
    found = recent()
    for second in range(0, 20, 2):
        found.heard(frame(second, 42.0 + second / 10))
    assert found.columns(600, 5) == ([0, 5, 10, 15], {"pelvis": [42.4, 42.8, 43.4, 43.8]})


def test_twenty_times_as_fast_a_room_is_kept_in_treatment_time() -> None:
    found = recent(speed=20.0)
    for real_s in (1.0, 1.25, 1.5):
        found.heard(frame(real_s))
    assert found.columns(600, 5)[0] == [20, 25, 30]


@pytest.mark.requirement("RC-161")
def test_an_invalid_reading_and_a_long_silence_are_gaps() -> None:
    found = recent()
    for second, value in ((0, 42.0), (5, None), (10, 42.2), (40, 42.4)):
        found.heard(frame(second, value))
        found.heard(frame(second + 1, 37.0, "core"))
    for second in range(15, 40, 5):
        found.heard(frame(second, 37.0, "core"))
    pelvis = found.columns(600, 5)[1]["pelvis"]
    assert pelvis == [42.0, None, 42.2, None, None, None, None, None, 42.4]


def test_a_silence_within_the_channels_own_limit_is_bridged() -> None:
    found = recent()
    for second, value in ((0, 42.0), (15, 43.5)):
        found.heard(frame(second, value))
    found.heard(frame(5, 40.0, "core"))
    assert found.columns(600, 5)[1]["pelvis"] == [42.0, 42.5, 43.0, 43.5]


def test_only_the_last_three_hours_are_kept_and_a_coarser_step_thins_them() -> None:
    found = recent()
    for second in range(0, 14_400, 5):
        found.heard(frame(second))
    assert len(found.columns(99_999, 5)[0]) == 2160
    times, columns = found.columns(600, 30)
    assert len(times) == 20
    assert columns["pelvis"] == [42.5] * 20


def test_after_a_restart_of_the_host_the_clock_begins_anew() -> None:
    found = recent()
    found.heard(frame(100))
    found.heard(told(boot="b2"))
    assert found.columns(600, 5) == ([], {})


def test_a_frame_that_comes_much_too_late_is_left_out() -> None:
    found = recent()
    for second in range(0, 60, 5):
        found.heard(frame(second, 42.0))
    found.heard(frame(5, 50.0))
    assert 50.0 not in found.columns(600, 5)[1]["pelvis"]


def told_all(path: Path, seconds: Iterable[float], speed: float = 1.0, boot: str = "b") -> Recent:
    """What a web process with its file there has heard, until it is ended."""
    file = RowFile(path)
    found = Recent(file)
    found.heard(told(speed, boot))
    for second in seconds:
        found.heard(frame(second, 42.0 + second / 1000))
    file.close()
    return found


@pytest.mark.requirement("RC-161")
def test_the_web_process_that_comes_next_knows_what_the_one_before_had_heard(
    tmp_path: Path,
) -> None:
    path = tmp_path / "recent.jsonl"
    told_all(path, range(0, 100, 5))
    found = told_all(path, range(200, 220, 5))
    times, columns = found.columns(9999, 5)
    assert times == list(range(0, 220, 5))
    assert columns["pelvis"][:19] == [round(42.0 + second / 1000, 2) for second in range(0, 95, 5)]
    assert columns["pelvis"][19:40] == [None] * 21, "the time of the restart is a gap"
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("speed", "boot"), [(1.0, "b2"), (20.0, "b")])
def test_what_counts_in_another_boot_or_speed_is_not_taken_over(
    tmp_path: Path, speed: float, boot: str
) -> None:
    path = tmp_path / "recent.jsonl"
    told_all(path, range(0, 100, 5))
    assert told_all(path, (), speed, boot).columns(9999, 5) == ([], {})
    assert told_all(path, ()).columns(9999, 5) == ([], {})


def test_a_line_that_was_cut_when_the_process_died_costs_that_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "recent.jsonl"
    told_all(path, range(0, 30, 5))
    text = path.read_text()
    path.write_text(text[:-10])
    assert told_all(path, ()).columns(9999, 5)[0] == [0, 5, 10, 15]


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "recent.jsonl"
    told_all(path, range(0, 11 * MOST_ROWS, 5))
    assert len(path.read_text().splitlines()) <= 2 * MOST_ROWS + 1


def test_where_nothing_can_be_written_it_is_said_once_and_the_page_has_its_history(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = told_all(tmp_path / "missing" / "recent.jsonl", range(0, 30, 5))
    assert found.columns(9999, 5)[0] == [0, 5, 10, 15, 20, 25]
    assert caplog.text.count("not kept for a restart") == 1
