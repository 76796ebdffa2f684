"""The perfusionist's page in heat-up: the forecast, nothing cut, a lost module."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page_checks import SIZES_PX, SLOW_MS, cut, page, serious
from tests.e2e.room import Client, DemoRoom

__all__ = ["page"]


@pytest.mark.requirement("RC-160", "RC-163")
def test_in_heat_up_nothing_is_cut_and_a_set_point_is_foretold_before_it_is_sent(
    heat_up: Client, page: Page
) -> None:
    expect(page.get_by_test_id("outlook")).to_contain_text("In 10 min", timeout=SLOW_MS)
    with page.expect_response("**/api/v1/history") as told:
        page.reload()
    assert told.value.ok
    deadline = time.monotonic() + SLOW_MS / 1000
    while len(heat_up.get("/api/v1/history").json()["times_s"]) < 2:
        assert time.monotonic() < deadline, "nothing is kept for a page that comes anew"
        page.wait_for_timeout(500)
    before = heat_up.state["heat"]["requested_c"]
    page.locator("#inflow-down").click()
    expect(page.get_by_test_id("what-if")).to_contain_text("If set", timeout=SLOW_MS)
    assert heat_up.state["heat"]["requested_c"] == before, "asking sets nothing"
    page.locator("#inflow-set").press("Escape")
    expect(page.get_by_test_id("what-if")).to_be_empty()
    sizes = page.evaluate(SIZES_PX)
    assert sizes["small"] == [], "everything is at least 16 px on the room's screen"
    assert len(sizes["digits"]) == 4 and min(sizes["digits"]) >= 64
    assert min(sizes["labels"]) >= 24
    for tab in ("checks", "drug", "volumes", "log"):
        page.locator(f"#tab-{tab}").click()
        assert serious(page) == [], tab
    assert cut(page) == {}
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert serious(page) == []


@pytest.mark.requirement("RC-163")
def test_with_a_lost_module_and_its_alarms_nothing_is_cut(
    room: DemoRoom, heat_up: Client, page: Page
) -> None:
    room.fault("sites", "unplug")
    heat_up.until(lambda s: any(a["id"] == "link_lost" for a in s["alarms"]), 30, "the alarm")
    expect(page.get_by_test_id("alarm-text")).not_to_have_text("No alarms", timeout=SLOW_MS)
    expect(page.get_by_test_id("value-sites")).to_have_text("–", timeout=SLOW_MS)
    assert cut(page) == {}
    assert serious(page) == []
    room.simulate(do="clear", device="sites")
