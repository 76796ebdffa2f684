"""The documents' pictures from a real demo room: `python -m tests.e2e.take_pictures`."""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.room import client_of, demo_room

FOLDER = Path(__file__).parents[2] / "docs" / "images"
SPEED = 20.0


def main() -> int:
    """A treatment in its twentieth minute, then the same with an alarm."""
    browser_path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with demo_room(SPEED) as room, client_of(room) as client, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(room.address)
        client.until(lambda s: s["channels"]["inflow"]["value"], 15, "values")
        client.command("open_session", protocol="closed-mmc-90", height_cm=170, weight_kg=70)
        client.until(lambda s: s["phase"] == "setup", 5, "open")
        for phase in ("prime", "fill", "heat_up", "drug_addition"):
            client.start(phase, within_s=150)
        client.command("confirm_drug", fraction=1)
        client.command("set_controller", mode="automatic")
        client.until(lambda s: s["clocks"]["elapsed_s"] > 1200, 90, "twenty minutes")
        client.until(lambda s: not s["alarms"], 30, "quiet")
        page.wait_for_timeout(1500)
        page.screenshot(path=FOLDER / "live-page.png")
        room.fault("sites", "offset", input=6, value=3.0)
        client.until(lambda s: any(a["id"] == "site_ceiling" for a in s["alarms"]), 10, "alarm")
        page.wait_for_timeout(1500)
        page.screenshot(path=FOLDER / "live-page-alarm.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
