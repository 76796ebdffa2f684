"""Every driver on a real pty, in real seconds: found, disturbed, pulled, and found again."""

import asyncio
import contextlib
import logging
import time
from pathlib import Path

import pytest

from drivers.link import is_drive
from service.core.model import CommandState, LinkState
from simulator.faults import FAULTS, Level
from tests.contract.bench import bench
from tests.contract.expected import expected, may_be_believed
from tests.contract.pairs import PAIRS
from tests.contract.ptys import Served, all_of, linked, poll_s
from tests.contract.story import COMBINATIONS, FAULTY_S, outcome, untrue

pytestmark = pytest.mark.real_time

LATEST_S = 45.0
STOP_S = 0.2
AT_ONCE = 80


def key_of(name: str, fault: str) -> str:
    return f"{PAIRS[name].port}-{fault}"


async def disturb(served: Served, name: str, fault: str) -> None:
    """Live, the fault, cleared, live; with what the contract asks of it."""
    key, pair = key_of(name, fault), PAIRS[name]
    some_frames_s = 6 * poll_s(name)
    async with linked(name, str(served.directory / key)) as (link, told):
        await told.live(LATEST_S)
        device = served.path(key)
        set_s = time.monotonic()
        served.fault(key, fault)
        await asyncio.sleep(FAULTY_S + some_frames_s)
        by_itself, cleared_s = link.state is LinkState.LIVE, time.monotonic()
        served.clear(key)
        await told.live(LATEST_S)
        await told.live(LATEST_S)
    came = outcome(pair, told, set_s, cleared_s, by_itself=by_itself)
    assert came in expected(name, fault)
    if fault == "replug":
        assert served.path(key) != device
    if FAULTS[fault].level is not Level.DEVICE and not may_be_believed(name, fault):
        shown = [one for _, polled in told.frames for one in polled.measured]
        assert not [one for one in shown if untrue(pair.truth, one)]
    states = [state for _, state, _ in told.links]
    assert states[:3] == [LinkState.OPENING, LinkState.IDENTIFYING, LinkState.LIVE]
    assert states.count(LinkState.LIVE) <= 2 or fault == "noise"


@pytest.mark.e2e
async def test_each_driver_meets_each_fault_on_a_real_pty_and_logs_it_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), contextlib.ExitStack() as stack:
        served = {}
        for name, pair in PAIRS.items():
            keys = {key_of(n, fault): n for n, fault in COMBINATIONS if n == name}
            folder = tmp_path / pair.port
            folder.mkdir()
            served[name] = stack.enter_context(Served(folder, keys))
        # Three hundred instruments at once are more than two busy cores read in time.
        places = asyncio.Semaphore(AT_ONCE)

        async def in_turn(name: str, fault: str) -> None:
            async with places:
                await disturb(served[name], name, fault)

        await all_of({f"{n}, {f}": in_turn(n, f) for n, f in COMBINATIONS})
    words = [one.getMessage().split() for one in caplog.records]
    for name, fault in COMBINATIONS:
        where = str(tmp_path / PAIRS[name].port / key_of(name, fault))
        told = sum(where in one for one in words)
        assert told in (0, 2) or (fault == "noise" and told % 2 == 0)
    assert len(words) > len(COMBINATIONS) / 2


async def test_stop_is_on_the_wire_of_a_real_port_within_the_stated_bound(tmp_path: Path) -> None:
    async def stop(served: Served, name: str) -> None:
        async with linked(name, str(served.directory / name)) as (link, told):
            await told.live(LATEST_S)
            for offset_s in (0.0, 0.03, 0.1):
                await asyncio.sleep(offset_s)
                begun, ordered = len(link._line.traffic()), time.monotonic()
                link.orders.off(1)
                stopped = len(told.done) + 1
                await told.until(lambda stopped=stopped: len(told.done) >= stopped, LATEST_S)
                first = next(link.driver.off()).tx
                sent = next(
                    one
                    for one in link._line.traffic()[begun:]
                    if one.sent and one.data.startswith(first)
                )
                waited_s = sent.at.mono_ns / 1e9 - ordered
                # A shared machine may stall a process for a moment.
                assert waited_s <= max(STOP_S, link.driver.stop_bound_s) + 0.1
            assert {done.state for _, done in told.done} == {CommandState.CONFIRMED}

    drives = [name for name in PAIRS if is_drive(bench(name).driver())]
    with Served(tmp_path, {name: name for name in drives}) as served:
        await all_of({name: stop(served, name) for name in drives})
