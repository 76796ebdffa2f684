"""What one browser page costs: from the last byte on the pty to the number that a person reads.

(a) Byte on a flow meter's pty → text in the DOM (and painted) of one headless Chromium, through
the whole service, beside raw TCP in the same run. (b) A treatment of 90 minutes, hastened, on the
perfusionist's page: heap, nodes and listeners at five points after a forced collection, then what
an update of the curve costs the main thread with everything loaded.

    PYTHONPATH=. python benchmarks/page.py [--seconds 20] [--parts ab]
"""

import argparse
import asyncio
import multiprocessing
import os
import shutil
import statistics
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from feeding import PERIOD_S, floor, web_process
from hastened import MINUTES, Hastened
from live_path import Meter, percentile, start_service
from playwright.async_api import Browser, CDPSession, Page, async_playwright
from reading import Figures, figures, listen

FLOW_LINE = rb"^\S+ \S+ \S+ \S+ +(\d+)"
FLOW_STEP, LEAST_FLOW = 10, 1000
"""ml/min: the page shows two decimals of a litre."""

UPDATES = 60
POINTS = 5
WATCH = """() => {
  const shown = document.getElementById("value-flow");
  window.seen = [];
  new MutationObserver(() => {
    const one = [Math.round(1000 * parseFloat(shown.textContent)), performance.now(), null];
    window.seen.push(one);
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => (one[2] = performance.now());
      after.port2.postMessage(0);
    });
  }).observe(shown, { childList: true, characterData: true, subtree: true });
}"""
KEEP_TIMERS = """
window.timers = {};
const every = window.setInterval;
window.setInterval = (call, ms) => {
  window.timers[call.name] = call;
  return every(call, ms);
};
"""
UPDATE = """async ([count, drawn]) => {
  const took = [];
  for (let at = 0; at < count; at += 1) {
    await new Promise(requestAnimationFrame);
    const from = performance.now();
    if (drawn) window.timers.drawPictures();
    await Promise.resolve();
    took.push(performance.now() - from);
  }
  return took;
}"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless browser, as the tests start it."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


async def open_page(browser: Browser, address: str, token: str) -> tuple[Page, CDPSession]:
    """The perfusionist's page, and a line to its renderer."""
    context = await browser.new_context(viewport={"width": 1920, "height": 1080})
    await context.add_cookies([{"name": "hipec", "value": token, "url": address}])
    page = await context.new_page()
    await page.add_init_script(KEEP_TIMERS)
    await page.goto(address)
    line = await context.new_cdp_session(page)
    await line.send("Performance.enable")
    return page, line


async def metrics(line: CDPSession) -> dict[str, float]:
    """The renderer's own figures: bytes, counts, monotonic seconds."""
    found = await line.send("Performance.getMetrics")
    return {one["name"]: one["value"] for one in found["metrics"]}


async def byte_to_number(browser: Browser, folder: Path, seconds: float) -> None:
    """(a): the service and the floor, each with a flow meter of its own, in turn."""
    meters = [Meter(), Meter()]
    service, live, token = start_service(folder, meters[0], "perfusionist")
    address = live.replace("ws", "http", 1).removesuffix("/api/live")
    said: list[dict[int, float]] = [{}, {}]
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    with open(meters[1].path, "rb") as bare_line, floor(bare_line.fileno()) as (bare, bare_port):
        try:
            page, line = await open_page(browser, address, token)
            await speak(meters, [{}, {}], range(20))
            await page.wait_for_function("document.getElementById('value-flow').textContent > '0'")
            await page.evaluate(WATCH)
            speaking = asyncio.create_task(
                speak(meters, said, range(20, 60 + int(seconds / PERIOD_S)))
            )
            asked = (bare_port, "", FLOW_LINE, 1, seconds, bare.pid)
            heard = await asyncio.get_running_loop().run_in_executor(pool, listen, *asked)
            await speaking
            began_s = (await metrics(line))["NavigationStart"]
            seen = await page.evaluate("window.seen")
        finally:
            service.terminate()
            service.wait()
    in_dom = {flow: began_s + at_ms / 1000 for flow, at_ms, _ in seen}
    painted = {flow: began_s + at_ms / 1000 for flow, _, at_ms in seen if at_ms is not None}
    print(f"| a: byte on the pty -> number in the DOM | {delays(in_dom, said[0])}"
          f" | painted: {delays(painted, said[0])}"
          f" | beside it, raw TCP: {figures(heard, said[1], 1)} | wanted: p50 <= 15 ms |",
          flush=True)  # fmt: skip


async def speak(meters: list[Meter], said: list[dict[int, float]], numbers: range) -> None:
    """Each meter says another flow ten times a second, in turn."""
    for number in numbers:
        flow = LEAST_FLOW + FLOW_STEP * number
        for meter, when in zip(meters, said, strict=True):
            when[flow] = meter.say(flow)
            await asyncio.sleep(PERIOD_S / len(meters))


def delays(came: dict[int, float], said: dict[int, float]) -> Figures:
    """Of what was said: how long it took, and how many the page never showed."""
    took = [1000 * (came[flow] - at) for flow, at in said.items() if flow in came]
    return Figures(percentile(took, 0.5), percentile(took, 0.99), len(said) - len(took), 0.0)


async def treatment(browser: Browser, folder: Path) -> None:
    """(b): the page through 90 minutes, then what its curve costs."""
    async with web_process(folder, Hastened) as web:
        page, line = await open_page(browser, f"http://127.0.0.1:{web.port}", web.token)
        feeder: Any = web.feeder
        await page.wait_for_function("document.getElementById('value-sites').textContent > '0'")
        for point in range(POINTS):
            until = MINUTES * (point + 1) // POINTS
            await feeder.go_on(until)
            print(await memory(line, until), flush=True)
        await page.click("[data-span-min='120']")
        for hidden in await page.locator(".bar [aria-pressed='false']").all():
            await hidden.click()
        print(await curve(page, line), flush=True)


async def memory(line: CDPSession, minute: int) -> str:
    """What the page holds after a forced collection."""
    await asyncio.sleep(1.5)
    await line.send("HeapProfiler.collectGarbage")
    now = await metrics(line)
    return (
        f"| b: page after {minute} min of treatment | heap {now['JSHeapUsedSize'] / 1e6:.2f} MB, "
        f"{now['Nodes']:.0f} nodes, {now['JSEventListeners']:.0f} listeners | wanted: flat |"
    )


async def curve(page: Page, line: CDPSession) -> str:
    """Script time of an update, and all that it makes the main thread do (beside empty frames)."""
    whole_ms = []
    await line.send("Performance.disable")
    await line.send("Performance.enable", {"timeDomain": "threadTicks"})
    for drawn in (False, True):
        before = (await metrics(line))["TaskDuration"]
        took = await page.evaluate(UPDATE, [UPDATES, drawn])
        whole_ms.append(1000 * ((await metrics(line))["TaskDuration"] - before) / UPDATES)
    return (
        f"| b: curve update, 12 series, {MINUTES} min | script p50 {statistics.median(took):.1f} "
        f"p99 {percentile(took, 0.99):.1f} ms, main thread {whole_ms[1] - whole_ms[0]:.1f} ms "
        f"(a frame without it {whole_ms[0]:.1f}) | wanted: <= 5 ms |"
    )


async def main(seconds: float, parts: str) -> None:
    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        async with chromium() as browser:
            if "a" in parts:
                await byte_to_number(browser, Path(name), seconds)
            if "b" in parts:
                await treatment(browser, Path(name))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--parts", default="ab")
    asked = parser.parse_args()
    asyncio.run(main(asked.seconds, asked.parts))
