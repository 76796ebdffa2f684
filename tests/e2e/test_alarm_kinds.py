"""Each kind of alarm as a page shows, sounds and lists it: low, medium, technical, high, latched,
acknowledged, escalated. One room; each test goes on where the one before it ended."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import WARM
from tests.e2e.page_checks import SLOW_MS
from tests.e2e.room import Client, DemoRoom, client_of, demo_room

ESCALATES_MS = 120_000
"""Twice the minute after which a medium alarm that nobody acknowledged becomes a high one."""

TIME = r"\d\d:\d\d:\d\d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a priority is on the page: a mark in words, a colour, and how its lamp flashes."""

    mark: str
    colour: str
    signal: str
    flash: str


KINDS = {
    "low": Kind(mark="!", colour="rgb(28, 198, 214)", signal="steady", flash="0s"),
    "medium": Kind(mark="!!", colour="rgb(242, 200, 0)", signal="flash", flash="1.667s"),
    "high": Kind(mark="!!!", colour="rgb(174, 0, 16)", signal="flash", flash="0.5s"),
}


@pytest.fixture(scope="module")
def room() -> Iterator[DemoRoom]:
    with demo_room(1.0, WARM) as room:
        yield room


@pytest.fixture(scope="module")
def heat_up(room: DemoRoom) -> Iterator[Client]:
    with client_of(room) as client:
        yield client.to_heat_up()


@pytest.fixture(scope="module")
def page(room: DemoRoom, heat_up: Client, browser: Browser) -> Iterator[Page]:
    """The perfusionist's page at its station, its sound heard, its list of alarms open."""
    page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    page.set_default_timeout(SLOW_MS)
    page.goto(room.address)
    page.get_by_test_id("audio-test").click()
    page.get_by_test_id("audio-yes").click()
    expect(page.get_by_test_id("audio")).to_have_attribute("data-state", "ready", timeout=SLOW_MS)
    page.locator("#tab-alarms").click()
    yield page
    page.context.close()


def row(page: Page, alarm_id: str) -> Locator:
    return page.locator(f'#alarm-list [data-alarm-id="{alarm_id}"]').first


def is_listed(page: Page, alarm_id: str, priority: str) -> None:
    """The list says the mark, since when, and what to do."""
    found = row(page, alarm_id)
    expect(found.locator("b")).to_have_text(
        re.compile(rf"^{KINDS[priority].mark} \w"), timeout=SLOW_MS
    )
    expect(found.locator("small")).to_have_text(re.compile(TIME))
    expect(found.locator("span").first).not_to_be_empty()


def calls(page: Page, alarm_id: str, priority: str) -> None:
    """The alarm stands in the banner as its priority has it, sounds, and is in the list."""
    banner, lamp, kind = page.locator("#banner"), page.locator("#alarm-mark"), KINDS[priority]
    expect(banner).to_have_attribute("data-alarm-id", alarm_id, timeout=SLOW_MS)
    expect(banner).to_have_attribute("data-priority", priority, timeout=SLOW_MS)
    expect(banner).to_have_attribute("data-signal", kind.signal)
    expect(banner).to_have_css("background-color", kind.colour)
    expect(lamp).to_have_text(kind.mark)
    expect(lamp).to_have_attribute("aria-label", f"{priority.capitalize()} priority")
    expect(lamp).to_have_css("animation-duration", kind.flash)
    expect(page.locator("#audio")).to_have_attribute("data-sounds", alarm_id, timeout=SLOW_MS)
    is_listed(page, alarm_id, priority)


def test_a_low_alarm_stands_steady_in_its_colour(
    room: DemoRoom, heat_up: Client, page: Page
) -> None:
    room.fault("sites", "open", input=1)
    calls(page, "site_lost", "low")


@pytest.mark.requirement("RC-171")
def test_a_medium_alarm_takes_the_banner_and_the_sound_from_a_low_one_which_stays_listed(
    heat_up: Client, page: Page
) -> None:
    heat_up.command("enter_core", c=39.2)
    calls(page, "core_warm", "medium")
    is_listed(page, "site_lost", "low")
    expect(page.locator("#alarm-others")).to_contain_text("! ")


def test_a_technical_alarm_says_which_instrument_and_goes_by_itself_when_that_is_back(
    room: DemoRoom, heat_up: Client, page: Page
) -> None:
    room.fault("flow", "unplug")
    is_listed(page, "link_lost", "medium")
    room.simulate(do="clear", device="flow")
    expect(row(page, "link_lost")).to_have_count(0, timeout=SLOW_MS)
    over = page.locator("#past-list li", has_text="!! ").first
    expect(over).to_have_text(re.compile(rf"{TIME}–{TIME} !! "), timeout=SLOW_MS)


@pytest.mark.requirement("RC-171")
def test_a_high_alarm_calls_until_it_is_acknowledged_also_when_its_cause_is_over(
    room: DemoRoom, heat_up: Client, page: Page
) -> None:
    room.simulate(do="clear", device="sites")
    room.fault("sites", "offset", input=6, value=4.0)
    calls(page, "site_ceiling", "high")
    room.simulate(do="clear", device="sites")
    expect(page.locator("#alarm-limit")).to_contain_text("over, not yet", timeout=SLOW_MS)
    calls(page, "site_ceiling", "high")
    row(page, "site_ceiling").get_by_role("button", name="Acknowledge").click()
    expect(row(page, "site_ceiling")).to_have_count(0, timeout=SLOW_MS)
    over = page.locator("#past-list li", has_text="!!! ").first
    expect(over).to_have_text(re.compile(rf"{TIME}–{TIME} !!! "), timeout=SLOW_MS)


@pytest.mark.requirement("RC-171")
def test_a_medium_alarm_that_nobody_acknowledges_becomes_a_high_one_and_acknowledging_never_hides(
    heat_up: Client, page: Page
) -> None:
    banner = page.locator("#banner")
    expect(banner).to_have_attribute("data-alarm-id", "core_warm", timeout=SLOW_MS)
    expect(banner).to_have_attribute("data-priority", "high", timeout=ESCALATES_MS)
    calls(page, "core_warm", "high")
    row(page, "core_warm").get_by_role("button", name="Acknowledge").click()
    expect(banner).to_have_attribute("data-signal", "quiet", timeout=SLOW_MS)
    expect(banner).to_have_attribute("data-alarm-id", "core_warm")
    expect(page.locator("#alarm-limit")).to_contain_text("acknowledged")
    expect(page.locator("#audio")).not_to_have_attribute("data-sounds", "core_warm")
    is_listed(page, "core_warm", "high")
