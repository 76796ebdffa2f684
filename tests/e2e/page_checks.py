"""What must hold for every page at every size: nothing cut, Stop at hand, usable by everybody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.room import DemoRoom

SIZES = {"room": (1920, 1080), "laptop": (1366, 768), "old": (1024, 768), "phone": (390, 844)}
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SLOW_MS = 30_000

CUT = """() => {
  const found = [];
  const alive = (e) => {
    const r = e.getBoundingClientRect();
    return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== 'hidden';
  };
  for (const e of document.body.querySelectorAll('*')) {
    if (!alive(e) || e.closest('svg, .uplot')) continue;
    const s = getComputedStyle(e), name = `${e.tagName}#${e.id}.${e.className}`;
    const clips = [s.overflowX, s.overflowY].some((one) => one === 'hidden' || one === 'clip');
    const over = e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;
    if (clips && over && e.tagName !== 'CANVAS') found.push(`cut: ${name} ${e.textContent}`);
    if (e.getBoundingClientRect().right > innerWidth + 1) found.push(`too wide: ${name}`);
  }
  for (const id of ['stop', 'heat-off']) {
    const r = document.getElementById(id).getBoundingClientRect();
    const hit = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
    if (hit?.id !== id || r.height < 48) found.push(`not at hand: ${id}`);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(room: DemoRoom, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.set_default_timeout(SLOW_MS)
    page.goto(room.address)
    yield page
    page.close()


def cut(page: Page) -> dict[str, list[str]]:
    """What is cut or out of reach, by size of the screen."""
    found = {}
    for name, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(600)
        found[name] = page.evaluate(CUT)
    page.set_viewport_size({"width": 1920, "height": 1080})
    return {name: problems for name, problems in found.items() if problems}


SIZES_PX = """() => {
  const size = (e) => parseFloat(getComputedStyle(e).fontSize);
  const texts = [...document.querySelectorAll('body *')].filter((e) =>
    e.checkVisibility() && !e.matches('.sign, title') &&
    [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()));
  const draw = document.createElement('canvas').getContext('2d');
  const cap = (e) => {
    const s = getComputedStyle(e);
    draw.font = `${s.fontWeight} ${s.fontSize} ${s.fontFamily}`;
    return draw.measureText('0').actualBoundingBoxAscent;
  };
  return {
    small: texts.filter((e) => size(e) < 16).map((e) => `${e.tagName}#${e.id} ${size(e)}`),
    digits: [...document.querySelectorAll('.digits')].map(cap),
    labels: [...document.querySelectorAll('.number h2')].map(size),
  };
}"""


def serious(page: Page) -> list[tuple[str, Any]]:
    """What axe finds that keeps somebody from using the page."""
    page.evaluate(f"{AXE.read_text()}; undefined")
    violations = page.evaluate("axe.run().then((found) => found.violations)")
    return [
        (one["id"], [node["target"] for node in one["nodes"]])
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]
