"""A page as an alarm display: it is heard, watched both ways, and answers anesthesia."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import WARM
from tests.e2e.room import Client, DemoRoom, client_of, demo_room, hipec

WAIT_MS = 30_000


SIZES = ((1920, 1080), (1366, 768), (1024, 768), (390, 844))
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def room() -> Iterator[DemoRoom]:
    with demo_room(1.0, WARM) as room:
        yield room


@pytest.fixture(scope="module")
def heat_up(room: DemoRoom) -> Iterator[Client]:
    with client_of(room) as client:
        yield client.to_heat_up()


@pytest.fixture(scope="module")
def page(room: DemoRoom, heat_up: Client, browser: Browser) -> Page:
    """The perfusionist's page."""
    page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    page.goto(room.address)
    return page


@pytest.fixture(scope="module")
def theirs(room: DemoRoom, page: Page, browser: Browser) -> Page:
    """Anesthesia's page, at their own station."""
    theirs = browser.new_context().new_page()
    theirs.goto(f"{room.address}/anesthesia")
    expect(theirs.get_by_test_id("reliance")).to_contain_text("anesthesia", timeout=WAIT_MS)
    return theirs


@pytest.mark.requirement("RC-170")
def test_sound_is_ready_when_a_person_has_confirmed_to_hear_the_test_tone(
    page: Page, heat_up: Client
) -> None:
    audio = page.get_by_test_id("audio")
    expect(audio).to_have_attribute("data-state", "off", timeout=WAIT_MS)
    page.get_by_test_id("audio-test").click()
    expect(audio).to_have_attribute("data-state", "asking", timeout=WAIT_MS)
    page.get_by_test_id("audio-yes").click()
    expect(audio).to_have_attribute("data-state", "ready", timeout=WAIT_MS)
    heat_up.until(lambda s: [d["audible"] for d in s["displays"]] == [True], 30, "told to the room")


@pytest.mark.requirement("RC-167")
def test_a_request_stands_on_the_perfusionists_page_until_it_is_declined_with_a_reason(
    page: Page, room: DemoRoom
) -> None:
    with client_of(room, "anesthesia") as anesthesia:
        anesthesia.until(lambda s: s["session"], 30, "the session")
        anesthesia.command("request", kind="reduce_heat")
        asked = page.get_by_test_id("request-reduce_heat")
        expect(asked).to_contain_text("Anesthesia asks: reduce heat", timeout=WAIT_MS)
        decline = asked.get_by_role("button").nth(1)
        decline.click()
        decline.click()
        expect(asked).to_contain_text("Write why", timeout=WAIT_MS)
        asked.get_by_role("textbox").fill("drug is going in")
        decline.click()
        expect(asked).to_have_count(0, timeout=WAIT_MS)
        state = anesthesia.until(lambda s: s["requests"][-1]["accepted"] is False, 30, "declined")
        assert state["requests"][-1]["reason"] == "drug is going in"


def test_anesthesia_asks_cools_and_sees_with_one_touch_each(
    theirs: Page, page: Page, heat_up: Client
) -> None:
    theirs.get_by_test_id("ask-lower_pressure").click(timeout=WAIT_MS)
    asked = page.get_by_test_id("request-lower_pressure")
    expect(asked).to_be_visible(timeout=WAIT_MS)
    asked.get_by_role("button").first.click()
    expect(theirs.locator("#asked-lower_pressure")).to_contain_text("accepted", timeout=WAIT_MS)
    theirs.get_by_test_id("cooling-on").click()
    expect(theirs.get_by_test_id("cooling-words")).to_contain_text("on since", timeout=WAIT_MS)
    heat_up.command("enter_core", c=39.2)
    expect(theirs.get_by_test_id("alarm-text")).to_contain_text("39.2", timeout=WAIT_MS)
    theirs.get_by_test_id("seen").click()
    heat_up.until(
        lambda s: any(a["id"] == "core_warm" and a["seen_by"] for a in s["alarms"]), 30, "seen"
    )
    heat_up.command("enter_core", c=37.2)
    expect(theirs.get_by_test_id("value-core")).to_have_text(re.compile(r"^3\d\.\d$"))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_anesthesias_page_is_one_screen_without_scrolling(
    theirs: Page, width: int, height: int
) -> None:
    theirs.set_viewport_size({"width": width, "height": height})
    hidden = theirs.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll("main, .panel, footer")]
        .filter((one) => one.scrollHeight > one.clientHeight + 2
          || one.scrollWidth > one.clientWidth + 2).map((one) => one.className || one.tagName)"""
    )
    assert not hidden


@pytest.mark.parametrize("name", ["anesthesia", "wall"])
def test_the_pages_have_no_serious_fault_of_access(
    room: DemoRoom, browser: Browser, name: str
) -> None:
    other = browser.new_context().new_page()
    other.goto(f"{room.address}/{name}")
    expect(other.get_by_test_id("connection")).to_have_text("Live", timeout=WAIT_MS)
    other.evaluate(AXE.read_text("utf-8"))
    found = other.evaluate("axe.run()")["violations"]
    other.close()
    assert not [one["id"] for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.requirement("RC-169", "RC-177")
def test_when_the_way_between_page_and_room_hangs_both_say_so_and_find_each_other_again(
    page: Page, room: DemoRoom, heat_up: Client
) -> None:
    banner = page.get_by_test_id("alarm-banner")
    web = room.pid("service.web")
    os.kill(web, signal.SIGSTOP)
    try:
        expect(banner).to_have_attribute("data-alarm-id", "no_connection", timeout=WAIT_MS)
        expect(page.get_by_test_id("audio")).to_have_attribute("data-sounds", "lost")
        page.wait_for_function("from => performance.now() > from + 6000", arg=now_ms(page))
    finally:
        os.kill(web, signal.SIGCONT)
    heat_up.first(
        lambda m: m.get("event") == "onset" and m["id"] == "display_lost", 30, "the room knew"
    )
    heat_up.until(
        lambda s: all(d["present"] for d in s["displays"]) and s["displays"], 30, "back again"
    )
    expect(page.get_by_test_id("connection")).to_have_text("Live", timeout=WAIT_MS)
    expect(page.get_by_test_id("away")).to_contain_text("was away", timeout=WAIT_MS)


def now_ms(page: Page) -> float:
    """The page's own clock."""
    found: float = page.evaluate("performance.now()")
    return found


@pytest.mark.requirement("RC-171")
def test_a_high_alarm_flashes_at_two_hertz_and_the_record_tells_how_long_each_display_took(
    page: Page, room: DemoRoom, heat_up: Client
) -> None:
    session = heat_up.state["session"]

    def told() -> str:
        process = hipec("sessions", "show", session, "--site", str(room.site))
        return process.communicate(timeout=60)[0]

    heat_up.command("enter_core", c=39.6)
    heat_up.until(lambda s: any(a["id"] == "core_high" for a in s["alarms"]), 30, "the alarm")
    lamp = page.locator("#alarm-mark")
    expect(page.get_by_test_id("alarm-banner")).to_have_attribute(
        "data-alarm-id", "core_high", timeout=WAIT_MS
    )
    expect(lamp).to_have_text("!!!")
    expect(lamp).to_have_css("animation-duration", "0.5s")
    heat_up.until(lambda _: "arrival to paint, by its own clock" in told(), 60, "in the record")
