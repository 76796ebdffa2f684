"""Every driver on a real pty, in real seconds: found, disturbed, pulled, and found again."""

import asyncio
import logging
import time
from itertools import product
from pathlib import Path

import pytest

from drivers.link import is_drive
from service.core.model import CommandState, LinkState
from tests.contract.bench import bench
from tests.contract.expected import expected, may_be_believed
from tests.contract.pairs import PAIRS
from tests.contract.ptys import Served, all_of, linked, lost
from tests.contract.story import Outcome, possible, untrue

DISTURBED_S = 2.4
LATEST_S = 25.0
BATCHES = (
    ("silent", "echo", "hang_up"),
    ("garbage", "doubled", "replug"),
    ("truncated", "unplug", "slow"),
    ("wrong_crc", "wrong_unit", "half_open"),
    ("power_cycle", "baud", "spliced"),
)
QUICK = [name for name, pair in PAIRS.items() if pair.interval_s <= 1.0]
STOP_S = 0.2


def key_of(name: str, fault: str) -> str:
    return f"{PAIRS[name].port}-{fault}"


async def disturb(served: Served, name: str, fault: str) -> None:
    """Live, the fault, cleared, live; with what the contract asks of it."""
    key, truth = key_of(name, fault), PAIRS[name].truth
    async with linked(name, str(served.directory / key)) as (link, told):
        await told.live(LATEST_S)
        device = served.path(key)
        served.fault(key, fault)
        set_s = time.monotonic()
        if Outcome.LOST in expected(name, fault) and Outcome.GOES_ON not in expected(name, fault):
            await lost(told, LATEST_S)
        await asyncio.sleep(max(0.0, set_s + DISTURBED_S - time.monotonic()))
        served.clear(key)
        await told.live(LATEST_S)
        await told.live(LATEST_S)
        if fault == "replug":
            assert served.path(key) != device
        if fault != "power_cycle" and not may_be_believed(name, fault):
            shown = [one for _, polled in told.frames for one in polled.measured]
            assert not [one for one in shown if untrue(truth, one)]
        states = [state for _, state, _ in told.links]
        assert states[:3] == [LinkState.OPENING, LinkState.IDENTIFYING, LinkState.LIVE]
        assert states.count(LinkState.LIVE) <= 2
        assert link.state is LinkState.LIVE


@pytest.mark.parametrize("batch", BATCHES, ids="+".join)
async def test_each_driver_survives_each_fault_and_logs_it_once(
    batch: tuple[str, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    played = [(n, f) for n, f in product(QUICK, batch) if f in possible(n)]
    with (
        caplog.at_level(logging.WARNING),
        Served(tmp_path, {key_of(name, fault): name for name, fault in played}) as served,
    ):
        await all_of(*(disturb(served, name, fault) for name, fault in played))
    for name, fault in played:
        where = str(tmp_path / key_of(name, fault))
        told = [one.getMessage() for one in caplog.records if where in one.getMessage().split()]
        assert len(told) in (0, 2)
    assert len(caplog.records) > len(played) / 2


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

    drives = [name for name in QUICK if is_drive(bench(name).driver())]
    with Served(tmp_path, {name: name for name in drives}) as served:
        await all_of(*(stop(served, name) for name in drives))
