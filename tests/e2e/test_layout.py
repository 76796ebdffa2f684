"""Where each part of a page stands at each size, compared with where it is meant to stand.

`layout.json` holds the boxes as shares of the screen; `python -m tests.e2e.test_layout` writes them
anew from a room of its own, for a person to look at in the difference.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.conftest import WARM
from tests.e2e.page_checks import SIZES, SLOW_MS
from tests.e2e.room import Client, DemoRoom, client_of, demo_room

STORED = Path(__file__).with_name("layout.json")
TOLERANCE = 0.04
"""Share of the screen: other fonts move a box by a line, not by its place."""

TRIES = 20
"""A page that has just been opened draws its parts as their data comes."""

REGIONS = {
    "/": {
        "banner": "#banner",
        "mode": "#mode-mark",
        "room": ".room",
        "phases": ".phases",
        "not guarded": ".guarded",
        "numbers": ".numbers",
        "details": "#details",
        "bars": "#bars",
        "curve": "#curve-panel",
        "heat": ".heat",
        "clocks": "#clocks",
        "abdomen": "#abdomen",
        "tabs": ".tasks",
        "stop": "#stop",
        "heat off": "#heat-off",
    },
    "/anesthesia": {
        "banner": "#banner",
        "core": ".heart",
        "glance": ".glance",
        "plan": ".plan",
        "course": ".course",
        "drug": ".panel.drug",
        "requests": ".team",
        "cooling": ".panel.cooling",
    },
    "/wall": {"banner": "#banner", "phase": "#phase", "sites": ".wide"},
    "/qa": {
        "ways": "#one nav",
        "temperatures": "#curve-temperature",
        "pressures": "#curve-pressure",
        "flows": "#curve-flow",
    },
}
BOXES = """(regions) => Object.fromEntries(Object.entries(regions).map(([name, place]) => {
  const r = document.querySelector(place)?.getBoundingClientRect();
  return [name, r ? [r.x + scrollX, r.y + scrollY, r.width, r.height] : null];
}))"""
Boxes = dict[str, list[float]]


def show(page: Page, address: str, path: str, session: str) -> None:
    """Open one of the pages, that of the records on this session, and wait until it is drawn."""
    if path == "/qa":
        page.goto(f"{address}/qa#{session}")
        expect(page.locator("#curve-flow canvas")).to_be_visible(timeout=SLOW_MS)
    else:
        page.goto(address + path)
        expect(page.get_by_test_id("connection")).to_have_text("Live", timeout=SLOW_MS)


def boxes(page: Page, path: str, size: str) -> Boxes:
    """The boxes of a page's parts as shares of the screen's width and height."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(600)
    found = page.evaluate(BOXES, REGIONS[path])
    missing = [name for name, box in found.items() if box is None]
    assert not missing, f"{path} has no {missing}"
    whole = (width, height, width, height)
    return {
        name: [round(one / of, 3) for one, of in zip(box, whole, strict=True)]
        for name, box in found.items()
    }


def overlapping(found: Boxes) -> list[tuple[str, str]]:
    """Parts that cover each other; Stop and Heat off stand above a phone's page on purpose."""
    fixed = {"banner", "stop", "heat off"}
    pairs = []
    for (one, (x, y, w, h)), (two, (a, b, c, d)) in combinations(found.items(), 2):
        wide, high = min(x + w, a + c) - max(x, a), min(y + h, b + d) - max(y, b)
        if wide > 0.005 and high > 0.005 and not {one, two} & fixed:
            pairs.append((one, two))
    return pairs


def misplaced(found: Boxes, meant: Boxes, size: str) -> list[str]:
    """Parts that stand elsewhere; on a phone, which scrolls, what counts is the width and order."""
    if size == "phone":
        order = sorted(found, key=lambda name: found[name][1])
        told = [] if order == sorted(meant, key=lambda name: meant[name][1]) else [f"{order}"]
        places = (0, 2)
    else:
        told, places = [], (0, 1, 2, 3)
    return told + [
        f"{name}: {found[name]}, meant {meant[name]}"
        for name in meant
        if any(abs(found[name][at] - meant[name][at]) > TOLERANCE for at in places)
    ]


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    page = browser.new_context().new_page()
    page.set_default_timeout(SLOW_MS)
    yield page
    page.context.close()


@pytest.mark.requirement("RC-163")
@pytest.mark.parametrize("path", REGIONS)
def test_every_part_stands_in_its_place_at_every_size_and_covers_no_other(
    room: DemoRoom, heat_up: Client, tab: Page, path: str
) -> None:
    tab.context.clear_cookies()
    show(tab, room.address, path, heat_up.state["session"])
    meant = json.loads(STORED.read_text())[path]
    for size in SIZES:
        found, tries = boxes(tab, path, size), 0
        while misplaced(found, meant[size], size) and tries < TRIES:
            found, tries = boxes(tab, path, size), tries + 1
        assert misplaced(found, meant[size], size) == [], size
        assert overlapping(found) == [], size


def as_text(told: dict[str, dict[str, Boxes]]) -> str:
    """One line per page and size, so that a difference can be read."""
    pages = []
    for path, sizes in told.items():
        lines = ",\n".join(f'  "{size}": {json.dumps(found)}' for size, found in sizes.items())
        pages.append(f' "{path}": {{\n{lines}\n }}')
    return "{\n" + ",\n".join(pages) + "\n}\n"


def main() -> int:
    """Write the boxes of a demo room in heat-up."""
    with demo_room(1.0, WARM) as room, client_of(room) as client, sync_playwright() as playwright:
        client.to_heat_up()
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_page()
        told = {}
        for path in REGIONS:
            page.context.clear_cookies()
            show(page, room.address, path, client.state["session"])
            told[path] = {size: boxes(page, path, size) for size in SIZES}
            for size in SIZES:
                print(path, size, overlapping(told[path][size]))
        STORED.write_text(as_text(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
