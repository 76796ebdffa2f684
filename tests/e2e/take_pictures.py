"""The documents' pictures from a real demo room: `python -m tests.e2e.take_pictures`."""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.room import Client, DemoRoom, client_of, demo_room

FOLDER = Path(__file__).parents[2] / "docs" / "images"
SPEED = 20.0
SIZES = {"": (1920, 1080), "-laptop": (1366, 768), "-phone": (390, 844)}


def main() -> int:
    """A treatment from set-up to its summary, with an alarm and a lost module on the way."""
    browser_path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with demo_room(SPEED) as room, client_of(room) as client, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(room.address)
        client.until(lambda s: s["channels"]["inflow"]["value"], 15, "values")
        take(page, "set-up")
        treat(client)
        take(page, "live-page")
        take(page, "live-page-phone", "-phone")
        choose_theme(page, "light")
        take(page, "live-page-light", "-laptop")
        choose_theme(page, "dark")
        others(room, browser)
        go_wrong(room, client, page)
        finish(client)
        take(page, "summary")
        browser.close()
    return 0


def others(room: DemoRoom, browser: Browser) -> None:
    """The other pages of the room, each in a browser context of its own."""
    for name, path in (("anesthesia", "/anesthesia"), ("wall", "/wall")):
        page = browser.new_context().new_page()
        page.goto(room.address + path)
        take(page, name)
        if name == "anesthesia":
            take(page, "anesthesia-phone", "-phone")
        page.context.close()


def take(page: Page, name: str, size: str = "") -> None:
    """One picture, after the page had time to draw itself at this size."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(2000)
    page.screenshot(path=FOLDER / f"{name}.png")
    page.set_viewport_size({"width": 1920, "height": 1080})


def choose_theme(page: Page, name: str) -> None:
    """Press the theme's button until it is this one, as a person would."""
    while page.evaluate("document.documentElement.dataset.theme") != name:
        page.locator("#theme").click()


def treat(client: Client) -> None:
    """From opening to the twentieth minute of perfusion."""
    client.command("open_session", protocol="closed-mmc-90", height_cm=170, weight_kg=70)
    client.until(lambda s: s["phase"] == "setup", 5, "open")
    client.start("prime")
    client.start("fill", within_s=150)
    client.command("volume", kind="prime", ml=3000)
    client.start("heat_up")
    client.start("drug_addition", within_s=150)
    client.command("confirm_drug", fraction=1)
    client.command("set_controller", mode="automatic")
    client.until(lambda s: s["clocks"]["elapsed_s"] > 1200, 120, "twenty minutes")
    client.until(lambda s: not s["alarms"], 30, "quiet")


def go_wrong(room: DemoRoom, client: Client, page: Page) -> None:
    """A site above its ceiling; then the module of the sites is lost."""
    room.fault("sites", "offset", input=6, value=3.0)
    client.until(lambda s: any(a["id"] == "site_ceiling" for a in s["alarms"]), 10, "alarm")
    take(page, "live-page-alarm")
    room.simulate(do="clear", device="sites")
    room.fault("sites", "silent")
    client.until(lambda s: s["figures"]["sites_mean_c"] is None, 30, "no number is left")
    take(page, "live-page-lost")
    room.simulate(do="clear", device="sites")
    client.until(lambda s: s["devices"]["sites"]["link"] == "live", 20, "back")


def finish(client: Client) -> None:
    """Abort, drain, resume, rinse: the shortest way to a summary."""
    client.command("abort")
    for alarm in client.state["alarms"]:
        client.post("acknowledge", occurrence=alarm["occurrence"])
    for phase in ("drain", "rinse", "complete"):
        client.checklist(phase)
        if phase == "rinse":
            client.command("resume")
        client.command("start_phase", phase=phase, reason="treatment was ended early")
        client.until(lambda s: s["phase"] == phase, 10, phase)  # noqa: B023
    client.command("volume", kind="drained", ml=2900)


if __name__ == "__main__":
    sys.exit(main())
