"""What goes wrong in the room is on the page within 3 s, and the heater is off where it must be."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import WARM
from tests.e2e.room import Client, DemoRoom, client_of, demo_room

ON_PAGE_MS = 3000
AGE_LIMIT_S = 3.0


@pytest.fixture(scope="module")
def room() -> Iterator[DemoRoom]:
    with demo_room(1.0, WARM) as room:
        yield room


@pytest.fixture(scope="module")
def client(room: DemoRoom) -> Iterator[Client]:
    with client_of(room) as client:
        yield client


@pytest.fixture(scope="module")
def heat_up(client: Client) -> Client:
    return client.to_heat_up()


@pytest.fixture
def page(room: DemoRoom, heat_up: Client, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.goto(room.address)
    heating(room, heat_up)
    yield page
    room.simulate(do="clear")
    room.simulate(do="plant", set={"inflow_clamped": False})
    page.close()


def heating(room: DemoRoom, client: Client) -> None:
    """Bring the room back to heating: links live, alarms acknowledged, a person has resumed."""
    client.until(
        lambda s: all(d["link"] == "live" for d in s["devices"].values()), 15, "all links live"
    )
    deadline = time.monotonic() + 30
    while not (client.state["heat"]["on"] and room.heater_runs()):
        assert time.monotonic() < deadline, client.state["heat"]
        for alarm in client.state["alarms"]:
            client.post("acknowledge", occurrence=alarm["occurrence"])
        client.post("resume", reason="test goes on", second="Second Name")
        time.sleep(0.5)
    client.until(lambda s: not s["alarms"], 60, "no alarm is left")


def heater_is_off(room: DemoRoom, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while room.heater_runs():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def alarm(page: Page, alarm_id: str) -> None:
    """The alarm is in the page's list, and the banner shows something."""
    row = page.locator(f'[data-alarm-id="{alarm_id}"]:visible').first
    expect(row).to_be_visible(timeout=ON_PAGE_MS)
    expect(page.get_by_test_id("alarm-text")).not_to_have_text("No alarms")


@pytest.mark.requirement("RC-003", "RC-106")
def test_a_site_above_its_ceiling_alarms_and_switches_the_heater_off(
    room: DemoRoom, client: Client, page: Page
) -> None:
    room.fault("sites", "offset", input=6, value=4.0)
    client.first(
        lambda m: (
            m["type"] == "frame"
            and m["device"] == "sites"
            and (m["channels"]["pelvis"]["value"] or 0) >= 44.0
        ),
        5,
        "first reading at the ceiling",
    )
    alarm(page, "site_ceiling")
    assert heater_is_off(room, 3.0)


@pytest.mark.requirement("RC-008", "RC-106")
def test_a_clamped_line_alarms_and_stops_pump_and_heater(
    room: DemoRoom, client: Client, page: Page
) -> None:
    room.simulate(do="plant", set={"inflow_clamped": True})
    alarm(page, "line_pressure_high")
    client.until(lambda s: s["devices"]["pump"]["running"] is False, 3, "pump stopped")
    assert heater_is_off(room, 3.0)


@pytest.mark.requirement("RC-013", "RC-106")
def test_a_pulled_site_cable_alarms_and_switches_the_heater_off(
    room: DemoRoom, client: Client, page: Page
) -> None:
    room.fault("sites", "unplug")
    alarm(page, "link_lost")
    assert heater_is_off(room, AGE_LIMIT_S + 2)


@pytest.mark.requirement("RC-012", "RC-105", "RC-106")
def test_a_silent_circuit_module_alarms_and_switches_the_heater_off(
    room: DemoRoom, client: Client, page: Page
) -> None:
    room.fault("circuit", "deaf")
    alarm(page, "link_lost")
    expect(page.get_by_test_id("value-inflow")).to_have_attribute("data-age", "gone", timeout=4000)
    assert heater_is_off(room, AGE_LIMIT_S + 2)


@pytest.mark.requirement("RC-013", "RC-106")
def test_the_pulled_heater_cable_alarms_and_the_heater_is_off_once_it_is_back(
    room: DemoRoom, client: Client, page: Page
) -> None:
    room.fault("heater", "unplug")
    alarm(page, "drive_link_lost")
    client.until(lambda s: "Heat stays off" in s["heat"]["waits_for"], 20, "the gap is latched")
    room.simulate(do="clear", device="heater")
    assert heater_is_off(room, 15.0)
    client.until(lambda s: s["devices"]["heater"]["running"] is False, 10, "read back as stopped")
