"""The network between the pages and the room is cut, silent or slow: each end knows within 3 s."""

import re
import subprocess
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from service.site_text import demo_site
from tests.e2e.conftest import WARM
from tests.e2e.network import Network, Way
from tests.e2e.page_checks import SLOW_MS
from tests.e2e.room import Client, ServedRoom, client_of, hipec, simulated

KNOWN_WITHIN_S = 3.0
BUSY_S = 2.0
"""So much later a machine may draw that runs the browser, the room and its patient at once."""

LATE_S = 3.3
"""Later than a page counts as live, sooner than it gives a connection up as half-open."""

SINCE_LOST = """() => {
  const banner = document.getElementById("banner");
  globalThis.lostAt = 0;
  new MutationObserver(() => {
    if (!globalThis.lostAt && banner.dataset.alarmId === "no_connection")
      globalThis.lostAt = performance.timeOrigin + performance.now();
  }).observe(banner, { attributes: true });
}"""


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as network:
        yield network


@pytest.fixture(scope="module")
def room(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedRoom]:
    """A room whose pages may be opened at the network's address, and at no other."""
    folder = tmp_path_factory.mktemp("room")
    ports, site = folder / "ports", folder / "site.toml"
    listen = 'listen = "127.0.0.1:0"'
    text = demo_site(ports, database=f"sqlite:///{folder / 'hipec.db'}", listen="127.0.0.1:0")
    assert listen in text
    site.write_text(text.replace(listen, f'{listen}\norigins = ["{network.address}"]'))
    with simulated(ports, WARM):
        served = ServedRoom(site, ports)
        network.target = served.address
        try:
            yield served
        finally:
            served.close()


@pytest.fixture(scope="module")
def heat_up(room: ServedRoom) -> Iterator[Client]:
    """A program on the room's own computer, which no network can part from it."""
    with client_of(room) as client:
        yield client.to_heat_up()


@pytest.fixture(scope="module")
def page(network: Network, room: ServedRoom, heat_up: Client, browser: Browser) -> Iterator[Page]:
    """The perfusionist's page at its enrolled station, with sound."""
    page = opened(browser, network.address)
    page.get_by_test_id("audio-test").click()
    page.get_by_test_id("audio-yes").click()
    expect(page.get_by_test_id("audio")).to_have_attribute("data-state", "ready", timeout=SLOW_MS)
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def elsewhere(network: Network, room: ServedRoom, page: Page, browser: Browser) -> Iterator[Page]:
    """A perfusionist's page somewhere else, on a screen that is nobody's station."""
    site = ("--site", str(room.site))
    run("users", "add", *site, "P. Away", "--role", "perfusionist", "--no-password")
    link = run("users", "link", *site, "P. Away").split()[-1]
    other = opened(browser, link)
    yield other
    other.context.close()


def run(*words: str) -> str:
    process = hipec(*words, stdin=subprocess.PIPE)
    out, errors = process.communicate("", timeout=60)
    assert process.returncode == 0, errors
    return out


def opened(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    page.set_default_timeout(SLOW_MS)
    page.goto(url)
    expect(page.get_by_test_id("connection")).to_have_text("Live", timeout=SLOW_MS)
    return page


def is_well(page: Page, client: Client) -> None:
    """Page and room hear each other, and nothing is left of the time before."""
    client.until(
        lambda s: (
            [d["present"] for d in s["displays"]] == [True]
            and all(a["id"] != "display_lost" for a in s["alarms"])
        ),
        60,
        "the display is there",
    )
    expect(page.get_by_test_id("connection")).to_have_text("Live", timeout=SLOW_MS)


def set_mode(client: Client) -> re.Pattern[str]:
    """The room is told the other of two modes; what the page has to say then."""
    mode = "advisory" if client.state["controller"] == "manual" else "manual"
    client.command("set_controller", mode=mode)
    client.until(lambda s: s["controller"] == mode, 30, mode)
    return re.compile(mode, re.IGNORECASE)


@pytest.mark.requirement("RC-169", "RC-177")
@pytest.mark.parametrize("way", [Way.CUT, Way.SILENT])
def test_a_cut_or_silent_network_is_known_at_both_ends_within_three_seconds_and_heals_by_itself(
    network: Network, heat_up: Client, page: Page, elsewhere: Page, way: Way
) -> None:
    is_well(page, heat_up)
    page.evaluate(SINCE_LOST)
    before = heat_up.messages[-1][1]["seq"]
    broken_at, broken_utc = time.monotonic(), time.time()
    network.turn(way)
    try:
        banner = page.get_by_test_id("alarm-banner")
        expect(banner).to_have_attribute("data-alarm-id", "no_connection", timeout=SLOW_MS)
        expect(banner).to_have_attribute("data-priority", "high")
        expect(page.get_by_test_id("audio")).to_have_attribute(
            "data-sounds", "lost", timeout=SLOW_MS
        )
        expect(page.get_by_test_id("value-sites")).to_have_text("–", timeout=SLOW_MS)
        known_at = heat_up.first(
            lambda m: (
                m["type"] == "alarm"
                and m["id"] == "display_lost"
                and m["event"] == "onset"
                and m["seq"] > before
            ),
            30,
            "the room knows that its display is lost",
        )
        expect(elsewhere.get_by_test_id("alarm-banner")).to_have_attribute(
            "data-alarm-id", "no_connection", timeout=SLOW_MS
        )
        expect(elsewhere.get_by_test_id("reliance")).to_contain_text("INFORMATION ONLY")
        expect(elsewhere.get_by_test_id("audio")).to_have_attribute("data-sounds", "")
        assert known_at - broken_at <= KNOWN_WITHIN_S + BUSY_S
        assert page.evaluate("lostAt") / 1000 - broken_utc <= KNOWN_WITHIN_S + BUSY_S
        mode = set_mode(heat_up)
        page.wait_for_function(
            "ms => performance.timeOrigin + performance.now() > lostAt + ms", arg=3000
        )
    finally:
        network.turn(Way.OPEN)
    is_well(page, heat_up)
    expect(page.get_by_test_id("away")).to_contain_text("was away", timeout=SLOW_MS)
    expect(page.get_by_test_id("controller")).to_contain_text(mode, timeout=SLOW_MS)


@pytest.mark.requirement("RC-169")
def test_half_a_second_each_way_is_slow_and_no_loss(
    network: Network, heat_up: Client, page: Page
) -> None:
    is_well(page, heat_up)
    network.turn(Way.OPEN, delay_s=0.5)
    try:
        mode = set_mode(heat_up)
        expect(page.get_by_test_id("controller")).to_contain_text(mode, timeout=SLOW_MS)
        since = len(heat_up.messages)
        heat_up.until(
            lambda _: sum(m["type"] == "heartbeat" for _, m in heat_up.messages[since:]) >= 5,
            30,
            "five heartbeats",
        )
        told = [m for _, m in heat_up.messages[since:] if m.get("id") == "display_lost"]
        assert told == []
        expect(page.get_by_test_id("connection")).to_have_text("Live")
    finally:
        network.turn(Way.OPEN)


@pytest.mark.requirement("RC-225")
def test_news_that_come_three_seconds_late_are_no_live_news_at_either_end(
    network: Network, heat_up: Client, page: Page
) -> None:
    is_well(page, heat_up)
    before = heat_up.messages[-1][1]["seq"]
    network.turn(Way.OPEN, delay_s=LATE_S)
    try:
        banner = page.get_by_test_id("alarm-banner")
        expect(banner).to_have_attribute("data-alarm-id", "no_connection", timeout=SLOW_MS)
        since = len(heat_up.messages)
        heat_up.until(
            lambda _: sum(m["type"] == "heartbeat" for _, m in heat_up.messages[since:]) >= 4,
            30,
            "late news have come",
        )
        expect(banner).to_have_attribute("data-alarm-id", "no_connection")
        heat_up.first(
            lambda m: m.get("event") == "onset" and m["id"] == "display_lost" and m["seq"] > before,
            30,
            "the room knows that its display shows nothing live",
        )
    finally:
        network.turn(Way.OPEN)
    is_well(page, heat_up)
