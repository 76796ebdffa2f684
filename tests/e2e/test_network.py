"""The network between a page and the room hangs half open, drags, or is cut."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.bad_network import BadNetwork, bad_network
from tests.e2e.page_checks import SLOW_MS
from tests.e2e.room import Client, DemoRoom

SAYS_SO_MS = 3000
BUSY_MS = 1500
"""What a busy machine may add to a page's own clock."""

NUMBER = re.compile(r"^\d\d\.\d$")
WATCH = """() => {
  window.fromMs = performance.now();
  window.saidMs = null;
  const banner = document.getElementById("banner");
  const look = () => {
    if (banner.dataset.alarmId === "no_connection") window.saidMs ??= performance.now();
  };
  new MutationObserver(look).observe(banner, { attributes: true });
}"""


@pytest.fixture(scope="module")
def network(room: DemoRoom) -> Iterator[BadNetwork]:
    place = urlsplit(room.address)
    assert place.hostname and place.port
    with bad_network((place.hostname, place.port)) as network:
        yield network


@pytest.fixture(scope="module")
def page(room: DemoRoom, heat_up: Client, network: BadNetwork, browser: Browser) -> Iterator[Page]:
    way = {"server": network.address, "bypass": "<-loopback>"}
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, proxy=way)
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    page.goto(room.address)
    yield page
    context.close()


def is_live(page: Page) -> None:
    expect(page.get_by_test_id("connection")).to_have_text("Live", timeout=SLOW_MS)
    expect(page.get_by_test_id("value-inflow")).to_have_text(NUMBER, timeout=SLOW_MS)


@pytest.mark.requirement("RC-105", "RC-177")
@pytest.mark.parametrize("mood", ["hangs", "cut"])
def test_a_page_that_is_cut_off_says_so_within_three_seconds_and_shows_no_old_number(
    page: Page, network: BadNetwork, mood: str
) -> None:
    is_live(page)
    page.evaluate(WATCH)
    network.turn("hangs" if mood == "hangs" else "cut")
    banner = page.get_by_test_id("alarm-banner")
    expect(banner).to_have_attribute("data-alarm-id", "no_connection", timeout=SLOW_MS)
    assert page.evaluate("saidMs - fromMs") < SAYS_SO_MS + BUSY_MS
    expect(page.get_by_test_id("value-inflow")).to_have_attribute(
        "data-age", "gone", timeout=SLOW_MS
    )
    expect(page.get_by_test_id("value-inflow")).to_have_text("–")
    expect(page.locator("#next-action")).to_be_disabled()
    page.wait_for_function("performance.now() > fromMs + 6000")
    network.turn("well")
    is_live(page)
    expect(banner).not_to_have_attribute("data-alarm-id", "no_connection", timeout=SLOW_MS)
    expect(page.get_by_test_id("away")).to_contain_text("was away", timeout=SLOW_MS)


def test_a_network_that_drags_delays_the_page_and_does_not_cut_it_off(
    page: Page, network: BadNetwork
) -> None:
    is_live(page)
    page.evaluate(WATCH)
    network.turn("drags")
    page.wait_for_function("performance.now() > fromMs + 5000")
    assert page.evaluate("saidMs") is None
    expect(page.get_by_test_id("value-inflow")).to_have_text(NUMBER)
    network.turn("well")
    is_live(page)
