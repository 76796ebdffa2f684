"""People and stations in a running room: signing in, control, and the chain that holds it all."""

import subprocess
from itertools import count

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.page_checks import serious
from tests.e2e.room import Client, DemoRoom, Json, hipec

GOOD = "four quiet green boats"
NUMBERS = count(1)
"""A test that is tried again finds names that are still free."""


def run(room: DemoRoom, *words: str, typed: str = "") -> str:
    process = hipec(*words[:2], "--site", str(room.site), *words[2:], stdin=subprocess.PIPE)
    out, errors = process.communicate(typed, timeout=60)
    assert process.returncode == 0, errors
    return out


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.requirement("RC-155")
def test_an_administrator_makes_an_account_that_signs_in_while_the_room_runs(
    room: DemoRoom, client: Client, browser: Browser
) -> None:
    chief, new = f"Chief {next(NUMBERS)}", f"P. {next(NUMBERS)}"
    run(room, "users", "add", chief, "--role", "admin", typed=f"{GOOD}\n")
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(30_000)
    refused: list[str] = []
    page.on("pageerror", lambda error: refused.append(str(error)))
    page.goto(f"{room.address}/signin")
    assert serious(page) == []
    sign_in(page, chief, "")
    expect(page.locator("#password-message")).to_contain_text("Write your password")
    sign_in(page, chief, "not this one at all")
    expect(page.locator("#password-message")).to_contain_text("wrong", timeout=30_000)
    expect(page.get_by_label("Name")).to_have_value(chief)
    sign_in(page, chief, GOOD)
    page.wait_for_url("**/admin")
    page.locator("#new-person [name=name]").fill(new)
    page.locator("#new-person [name=password]").fill("short")
    page.get_by_role("button", name="Add account").click()
    expect(page.locator("#new-person-message")).to_contain_text("12 characters", timeout=30_000)
    page.locator("#new-person [name=password]").fill("five loud red trains")
    page.get_by_role("button", name="Add account").click()
    expect(page.locator("#people")).to_contain_text(new, timeout=30_000)
    assert serious(page) == []
    assert refused == []
    context.close()
    told = run(room, "sessions", "verify", "room")
    assert "GOOD: nothing was altered" in told


@pytest.mark.requirement("RC-150")
@pytest.mark.requirement("RC-151")
def test_two_perfusionists_at_one_room_and_only_one_has_control(
    room: DemoRoom, client: Client
) -> None:
    name = f"P. {next(NUMBERS)}"
    run(room, "users", "add", name, "--role", "perfusionist", "--no-password")
    token = run(room, "users", "token", name, "--station", "perfusion").strip()
    client.command("take_control")
    client.until(lambda s: s["control"]["holder"] == "demo perfusionist", 10, "control")
    with httpx.Client(base_url=room.address, timeout=30) as other:
        other.headers["Authorization"] = f"Bearer {token}"

        def give(name: str, **body: object) -> httpx.Response:
            key = {"Idempotency-Key": f"other-{name}-{len(body)}"}
            json = {"name": name, "args": {}} | body
            return other.post("/api/session/commands", json=json, headers=key)

        opening = give("open_session", args={"protocol": "closed-mmc-90"})
        assert opening.status_code == 409
        assert "demo perfusionist has control" in opening.json()["reason"]
        assert give("heater_off").status_code == 202
        assert give("take_control", reason="relieves").status_code == 202
        client.until(lambda s: s["control"]["holder"] == name, 10, "control")
        assert give("hand_over", args={"to": "demo perfusionist"}).status_code == 202
    client.command("take_control")
    client.until(lambda s: s["control"]["holder"] == "demo perfusionist", 10, "control")


def test_a_one_time_link_of_the_demo_opens_the_page_of_its_role_once(room: DemoRoom) -> None:
    with httpx.Client(base_url=room.address, timeout=30) as browser:
        first = browser.get(room.links["qa"])
        again = httpx.get(room.links["qa"], timeout=30)
    assert (first.status_code, first.headers["location"]) == (303, "/qa")
    assert again.status_code == 401


@pytest.mark.requirement("RC-151")
def test_whoever_signs_out_leaves_a_station_that_shows_on_and_can_still_switch_the_heat_off(
    room: DemoRoom, client: Client, browser: Browser
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(room.address)
    expect(page.locator("#sign")).to_have_text("Sign out", timeout=30_000)
    page.locator("#sign").dispatch_event("click")
    expect(page.locator("#sign")).to_have_text("Sign in", timeout=30_000)
    expect(page.get_by_test_id("who")).to_contain_text("Nobody", timeout=30_000)
    given = {m["key"] for _, m in client.messages if m["type"] == "command"}

    def is_heat_off(message: Json) -> bool:
        ours = message["type"] == "command" and message["key"] not in given
        return ours and message["name"] == "heater_off" and message["state"] != "refused"

    page.locator("#heat-off").click()
    client.first(is_heat_off, 30, "heat off by the station itself")
    context.close()
