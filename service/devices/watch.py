"""`hipec devices watch`: every reading on a line of its own, over pulled cables, until Ctrl-C."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from drivers.classes import Polled
from drivers.line import Line
from drivers.link import Link
from drivers.orders import OnDone
from drivers.wire_file import Recorder
from service.core.model import Instant, LinkState
from service.devices import readings
from service.devices.bench import Bench, BenchError, ended, now, opened

Say = Callable[[str], None]


async def watch(bench: Bench, poll_hz: float, as_json: bool, say: Say) -> None:
    """Say what the instrument reads until told to end. Raises `BenchError` where it is not there
    at first; later it is waited for."""

    def polled(found: Polled) -> None:
        say(_polled_line(bench, found, as_json))

    def linked(state: LinkState, reason: str, identity: str) -> None:
        say(_link_line(state, reason or identity, as_json))

    end = ended()
    async with (
        opened(bench) as (line, recorder),
        live(bench, line, recorder, poll_hz, polled, linked, lambda *_: None),
    ):
        await end.wait()


@contextlib.asynccontextmanager
async def live(
    bench: Bench,
    line: Line,
    recorder: Recorder,
    poll_hz: float,
    on_frame: Callable[[Polled], None],
    on_link: Callable[[LinkState, str, str], None],
    on_done: OnDone,
) -> AsyncIterator[Link]:
    """The instrument's link once it is live; raises `BenchError` where it cannot become so."""
    # What the link tells is said on the terminal already.
    log = logging.getLogger("drivers.link")
    usual = log.level
    log.setLevel(logging.ERROR)
    first: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def framed(polled: Polled) -> None:
        recorder.take(line.traffic())
        on_frame(polled)

    def linked(state: LinkState, reason: str, identity: str) -> None:
        if state not in (LinkState.LIVE, LinkState.LOST):
            return
        if state is LinkState.LIVE or first.done():
            on_link(state, reason, identity)
        if not first.done():
            first.set_result(reason)

    link = Link(
        name=bench.driver.name,
        driver=bench.driver,
        line=line,
        poll_hz=poll_hz,
        on_frame=framed,
        on_link=linked,
        on_done=on_done,
    )
    link.start()
    try:
        if reason := await first:
            raise BenchError(f"{bench.port}: {reason}")
        yield link
    finally:
        await link.close()
        log.setLevel(usual)


def _polled_line(bench: Bench, polled: Polled, as_json: bool) -> str:
    if as_json:
        return json.dumps(readings.polled_json(bench.driver, polled))
    return f"{_clock(polled.at)}  {readings.one_line(bench.driver, polled)}"


def _link_line(state: LinkState, told: str, as_json: bool) -> str:
    if as_json:
        return json.dumps({"at_ns": now().mono_ns, "link": state, "told": told})
    return f"{_clock(now())}  {state}: {told}"


def _clock(at: Instant) -> str:
    moment = datetime.fromtimestamp(at.utc_ns / 1e9, UTC).astimezone()
    return moment.strftime("%H:%M:%S.") + f"{moment.microsecond // 1000:03}"
