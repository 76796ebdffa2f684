"""Two perfusionists, each on a page of their own, press the same button at the same moment."""

import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.page_checks import SLOW_MS
from tests.e2e.room import Client, DemoRoom, hipec

FIRST, SECOND = "demo perfusionist", "P. Second"
PASSWORD = "four quiet green boats"
PRESS = """([id, atMs]) => new Promise((pressed) => setTimeout(() => {
  document.getElementById(id).click();
  pressed();
}, atMs - Date.now()))"""
SOON_MS = 700


def run(room: DemoRoom, *words: str, typed: str = "") -> str:
    process = hipec(*words, "--site", str(room.site), stdin=subprocess.PIPE)
    out, errors = process.communicate(typed, timeout=60)
    assert process.returncode == 0, errors
    return out


@pytest.fixture(scope="module")
def pages(room: DemoRoom, client: Client, browser: Browser) -> Iterator[dict[str, Page]]:
    """A page for each of the two, both at the room's station, and neither has control."""
    run(room, "users", "add", SECOND, "--role", "perfusionist", typed=f"{PASSWORD}\n")
    found = {}
    for name in (FIRST, SECOND):
        page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
        page.set_default_timeout(SLOW_MS)
        page.goto(room.address)
        found[name] = page
    page.locator("#tab-note").click()
    page.locator("#sign").click()
    expect(page.locator("#sign")).to_have_text("Sign in", timeout=SLOW_MS)
    page.goto(f"{room.address}/signin")
    page.get_by_label("Name").fill(SECOND)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    for name, page in found.items():
        expect(page.get_by_test_id("who")).to_contain_text(name, timeout=SLOW_MS)
        expect(page.get_by_test_id("start-treatment")).to_be_enabled(timeout=SLOW_MS)
    yield found
    for page in found.values():
        page.context.close()


def make_free(client: Client) -> None:
    """No treatment is open and nobody has control."""
    client.command("take_control", reason="the test makes the room free")
    if client.state["session"] is not None:
        client.command("close_session")
    client.command("release_control")
    client.until(lambda s: s["session"] is s["control"]["holder"] is None, 30, "free")


def at_once(pages: dict[str, Page], button: str) -> None:
    """Press a button on both pages in the same millisecond of the wall clock."""
    at_ms = next(iter(pages.values())).evaluate("Date.now()") + SOON_MS
    for page in pages.values():
        page.evaluate(f"asked => {{ void ({PRESS})(asked); }}", [button, at_ms])


def winner(client: Client, pages: dict[str, Page]) -> str:
    """Who has control now; the page says so on both."""
    client.until(lambda s: s["control"]["holder"] in pages, 30, "one of them has control")
    name: str = client.state["control"]["holder"]
    for page in pages.values():
        expect(page.get_by_test_id("who")).to_contain_text(name, timeout=SLOW_MS)
    return name


@pytest.mark.requirement("RC-150", "RC-164")
def test_of_two_who_press_at_once_one_wins_the_other_reads_why_and_the_record_has_both(
    room: DemoRoom, client: Client, pages: dict[str, Page]
) -> None:
    make_free(client)
    at_once(pages, "setup-start")
    client.until(lambda s: s["phase"] == "setup", 30, "one treatment is open")
    session = client.state["session"]
    opened_by = winner(client, pages)
    for name, page in pages.items():
        page.locator("#tab-note").click()
        has_it = str(name == opened_by).lower()
        expect(page.get_by_test_id("who")).to_have_attribute("data-holder", has_it, timeout=SLOW_MS)
    pages[opened_by].locator("#release-control").click()
    client.until(lambda s: s["control"]["holder"] is None, 30, "nobody has control")
    at_once(pages, "take-control")
    taken_by = winner(client, pages)
    (refused,) = set(pages) - {taken_by}
    why = f"{taken_by} has control: ask {taken_by} to hand it over, or take it with a reason"
    expect(pages[refused].locator("#message-control")).to_contain_text(why, timeout=SLOW_MS)
    expect(pages[taken_by].locator("#message-control")).not_to_contain_text("has control")
    make_free(client)
    record = run(room, "sessions", "show", session)
    for command, first in (("open_session", opened_by), ("take_control", taken_by)):
        (other,) = set(pages) - {first}
        assert re.search(rf"{command}.* by {first}; confirmed", record), record
        assert re.search(rf"{command}.* by {other}; refused .*{first} has control", record), record
