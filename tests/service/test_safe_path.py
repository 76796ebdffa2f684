"""What the supervisor does to heater, pump and contactors when the control process is gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.safe_path import SafePath
from service.site import load_site
from service.site_text import demo_site
from simulator.serve import RoomServer
from tests.whole_site import whole

RUNNING = """
[start]
pump_rpm = 75.0
heater_on = true
bath_set_c = 42.0
[instrument.switches]
[instrument.scale]
"""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[RoomServer]:
    """A room whose heater and pump run, with their contactors closed."""
    scenario = tmp_path / "room.toml"
    scenario.write_text(RUNNING, encoding="utf-8")
    with RoomServer(tmp_path / "ports", scenario, speed=10.0) as server:
        yield server


@pytest.fixture
def safe_path(room: RoomServer, tmp_path: Path) -> SafePath:
    text = demo_site(room.directory, database="sqlite:///none.db", listen="127.0.0.1:0")
    site = tmp_path / "site.toml"
    site.write_text(whole(text), encoding="utf-8")
    return SafePath(load_site(site))


async def test_contactors_are_left_alone_where_the_heater_confirms_that_it_is_off(
    room: RoomServer, safe_path: SafePath
) -> None:
    said = await safe_path.make_safe(pump_ml_min=400.0, within_s=5.0)
    assert sorted(said) == [
        "supervisor: heater off: confirmed",
        "supervisor: pump not above 400 ml/min: confirmed",
    ]
    assert not room.room.heater.heating
    assert room.room.pump.ml_min == pytest.approx(400.0, rel=0.01)
    assert room.room.switches.describe()["closed"] == [True, True]


async def test_contactors_are_opened_where_the_heater_does_not_confirm_in_time(
    room: RoomServer, safe_path: SafePath
) -> None:
    room.room.act({"do": "fault", "device": "heater", "fault": "silent"}, 0.0)
    said = await safe_path.make_safe(pump_ml_min=None, within_s=1.0)
    assert said == [
        "supervisor: heater off: no answer",
        "supervisor: contactors open: confirmed",
    ]
    assert room.room.switches.describe()["closed"] == [False, False]
