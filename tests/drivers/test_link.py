"""The link to one device on a real pty: comes up, is lost, comes back, and carries its orders."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.julabo import Julabo
from drivers.line import Line
from drivers.link import Link
from drivers.watson_marlow import WatsonMarlow
from service.core.model import CommandState, LinkState
from tests.drivers.devices import FakeHeater, FakePump
from tests.drivers.ptys import Plugged, Seen, now

pytestmark = pytest.mark.real_time

OPENING, IDENTIFYING = LinkState.OPENING, LinkState.IDENTIFYING
LIVE, LOST = LinkState.LIVE, LinkState.LOST
CONFIRMED, REFUSED, UNKNOWN = CommandState.CONFIRMED, CommandState.REFUSED, CommandState.UNKNOWN


@asynccontextmanager
async def started(
    path: Path, driver: object, *, poll_hz: float = 20.0, line: Line | None = None
) -> AsyncIterator[tuple[Link, Seen]]:
    seen = Seen()
    link = seen.link(driver, line or Line(str(path), driver.serial, now), poll_hz=poll_hz)
    link.start()
    yield link, seen
    await link.close()


def pump_at(tmp_path: Path, **state: object) -> tuple[Plugged, FakePump]:
    pump = FakePump(**state)
    return Plugged(tmp_path / "pump", pump), pump


async def test_a_device_comes_up_by_itself_and_is_read(tmp_path: Path) -> None:
    plugged, _ = pump_at(tmp_path)
    async with started(plugged.path, WatsonMarlow()) as (_, seen):
        await seen.until(lambda: len(seen.frames) >= 3)
        assert seen.states() == [OPENING, IDENTIFYING, LIVE]
        assert seen.links[-1][2] == "Watson-Marlow 520Du"
        first, second = seen.frames[:2]
        assert 0 < second.at.seconds_since(first.at) < 0.5
    plugged.unplug()


async def test_a_missing_port_is_lost_and_comes_up_when_it_is_plugged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with started(tmp_path / "pump", WatsonMarlow()) as (_, seen):
        await seen.until(lambda: seen.states() == [OPENING, LOST])
        assert "there is no port" in seen.links[-1][1]
        assert seen.frames == []
        plugged, _ = pump_at(tmp_path)
        await seen.until(lambda: seen.frames)
        assert seen.states() == [OPENING, LOST, LIVE]
    plugged.unplug()
    assert [one.levelno for one in caplog.records] == [logging.WARNING] * 2


async def test_a_pulled_cable_is_lost_at_once_and_found_under_another_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugged, pump = pump_at(tmp_path)
    async with started(plugged.path, WatsonMarlow()) as (_, seen):
        await seen.until(lambda: seen.frames)
        pulled_at = time.monotonic()
        plugged.unplug()
        await seen.until(lambda: seen.states()[-1] is LOST)
        assert time.monotonic() - pulled_at < 0.5
        assert "went away" in seen.links[-1][1]
        frames = len(seen.frames)
        plugged = Plugged(tmp_path / "pump", pump)
        await seen.until(lambda: len(seen.frames) > frames)
        assert seen.states()[-1] is LIVE
    plugged.unplug()
    told = [one.getMessage() for one in caplog.records]
    assert len(told) == 2
    assert "is lost" in told[0]
    assert "is back" in told[1]


async def test_a_device_that_falls_silent_is_lost_within_two_and_a_half_seconds(
    tmp_path: Path,
) -> None:
    plugged, _ = pump_at(tmp_path)
    async with started(plugged.path, WatsonMarlow(), poll_hz=1.0) as (_, seen):
        await seen.until(lambda: seen.frames)
        plugged.mute = True
        mute_at = time.monotonic()
        await seen.until(lambda: seen.states()[-1] is LOST)
        assert time.monotonic() - mute_at < 2.5
        assert "no answer" in seen.links[-1][1]
        plugged.mute = False
        await seen.until(lambda: seen.states()[-1] is LIVE)
    plugged.unplug()


async def test_a_disturbed_poll_is_repeated_counted_and_does_not_lose_the_device(
    tmp_path: Path,
) -> None:
    plugged, pump = pump_at(tmp_path)
    async with started(plugged.path, WatsonMarlow()) as (_, seen):
        await seen.until(lambda: seen.frames)
        spoiled = iter([b"rubbish!"])
        plugged.device = lambda heard: next(spoiled, None) or pump(heard)
        await seen.until(lambda: any(frame.errors for frame in seen.frames))
        frames = len(seen.frames)
        await seen.until(lambda: len(seen.frames) > frames)
        assert [frame.errors for frame in seen.frames].count(0) == len(seen.frames) - 1
        assert seen.frames[-2].errors == 1
        assert seen.states() == [OPENING, IDENTIFYING, LIVE]
    plugged.unplug()


@pytest.mark.requirement("RC-109")
async def test_another_device_on_the_port_is_lost_with_its_name(tmp_path: Path) -> None:
    plugged = Plugged(tmp_path / "heater", FakeHeater(version="ECO RE1050"))
    async with started(plugged.path, Julabo()) as (_, seen):
        await seen.until(lambda: LOST in seen.states())
        assert 'not a Julabo heater: "ECO RE1050" answered' in seen.links[-1][1]
    plugged.unplug()
    assert not any(one.startswith(b"OUT") for one in plugged.messages())


async def test_a_run_is_sent_once_and_confirmed(tmp_path: Path) -> None:
    plugged, pump = pump_at(tmp_path)
    async with started(plugged.path, WatsonMarlow()) as (link, seen):
        await seen.until(lambda: seen.frames)
        link.orders.run(7, 800.0, lease_s=5.0)
        await seen.until(lambda: seen.done)
        order, done = seen.done[0]
        assert (order, done.state, done.value) == (7, CONFIRMED, 800.0)
        assert pump.running
        assert plugged.messages().count(b"1GO\r") == 1
    plugged.unplug()


async def test_of_two_runs_the_newer_counts(tmp_path: Path) -> None:
    plugged, pump = pump_at(tmp_path)
    async with started(plugged.path, WatsonMarlow()) as (link, seen):
        await seen.until(lambda: seen.frames)
        link.orders.run(1, 800.0, lease_s=5.0)
        link.orders.run(2, 1584.0, lease_s=5.0)
        await seen.until(lambda: len(seen.done) == 2)
        assert [(order, done.state) for order, done in seen.done] == [(1, REFUSED), (2, CONFIRMED)]
        assert "a newer order replaced it" in seen.done[0][1].reason
        assert pump.rpm == 100.0
    plugged.unplug()


async def test_off_breaks_into_a_run_and_has_the_last_word(tmp_path: Path) -> None:
    heater = FakeHeater(running=True)
    plugged = Plugged(tmp_path / "heater", heater)
    async with started(plugged.path, Julabo()) as (link, seen):
        await seen.until(lambda: seen.frames)
        link.orders.run(1, 41.5, lease_s=5.0)
        await seen.until(lambda: len(seen.frames) > 1 or b"OUT_SP_00 41.50\r" in plugged.messages())
        ordered_at = time.monotonic()
        link.orders.off(2)
        await seen.until(lambda: len(seen.done) == 2)
        assert [(order, done.state) for order, done in seen.done] == [(1, REFUSED), (2, CONFIRMED)]
        assert not heater.running
        sent_at = next(at for at, one in plugged.heard if one == b"OUT_MODE_05 0\r")
        assert sent_at - ordered_at < Julabo.stop_bound_s
    plugged.unplug()


async def test_off_is_repeated_until_it_is_confirmed_and_readings_go_on(tmp_path: Path) -> None:
    heater = FakeHeater(running=True, remote=False)
    plugged = Plugged(tmp_path / "heater", heater)
    async with started(plugged.path, Julabo()) as (link, seen):
        await seen.until(lambda: seen.frames)
        link.orders.off(1)
        await seen.until(lambda: seen.done)
        assert seen.done[0][1].state is REFUSED
        assert "set the heater to remote" in seen.done[0][1].reason
        frames = len(seen.frames)
        await seen.until(lambda: len(seen.frames) > frames + 1)
        assert link.orders.off_wanted
        heater.remote = True
        await seen.until(lambda: len(seen.done) == 2)
        assert (seen.done[1][0], seen.done[1][1].state) == (1, CONFIRMED)
        assert not link.orders.off_wanted
    plugged.unplug()


async def test_a_lease_that_nobody_renews_ends_in_off(tmp_path: Path) -> None:
    plugged, pump = pump_at(tmp_path)
    async with started(plugged.path, WatsonMarlow()) as (link, seen):
        await seen.until(lambda: seen.frames)
        started_at = time.monotonic()
        link.orders.run(1, 800.0, lease_s=0.3)
        await seen.until(lambda: seen.done)
        assert link.orders.renew(0.6)
        await seen.until(lambda: len(seen.done) == 2)
        assert time.monotonic() - started_at > 0.6
        order, done = seen.done[1]
        assert (order, done.state) == (None, CONFIRMED)
        assert "nobody renewed the order in time: switched off" in done.reason
        assert not pump.running
        assert not link.orders.renew(5.0), "there is nothing left to renew"
    plugged.unplug()


async def test_after_a_reconnect_no_run_is_repeated_but_a_wanted_off_is_sent(
    tmp_path: Path,
) -> None:
    plugged, pump = pump_at(tmp_path)
    async with started(plugged.path, WatsonMarlow()) as (link, seen):
        await seen.until(lambda: seen.frames)
        link.orders.run(1, 800.0, lease_s=30.0)
        await seen.until(lambda: seen.done)
        plugged.unplug()
        await seen.until(lambda: seen.states()[-1] is LOST)
        link.orders.run(2, 900.0, lease_s=30.0)
        link.orders.off(3)
        await seen.until(lambda: len(seen.done) == 3)
        assert [(order, done.state) for order, done in seen.done[1:]] == [
            (2, REFUSED),
            (3, UNKNOWN),
        ]
        assert "off is sent as soon as it is" in seen.done[2][1].reason
        plugged = Plugged(tmp_path / "pump", pump)
        await seen.until(lambda: len(seen.done) == 4)
        assert (seen.done[3][0], seen.done[3][1].state) == (3, CONFIRMED)
        assert not pump.running
        assert b"1ST\r" in plugged.messages()[:2]
        assert b"1GO\r" not in plugged.messages()
    plugged.unplug()


async def test_a_run_to_a_device_that_falls_silent_is_unknown_and_not_repeated(
    tmp_path: Path,
) -> None:
    plugged, _ = pump_at(tmp_path)
    async with started(plugged.path, WatsonMarlow(), poll_hz=1.0) as (link, seen):
        await seen.until(lambda: seen.frames)
        plugged.mute = True
        link.orders.run(1, 800.0, lease_s=30.0)
        await seen.until(lambda: seen.done)
        assert seen.done[0][1].state is UNKNOWN
        assert plugged.messages().count(b"1GO\r") <= 1
    plugged.unplug()


async def test_a_silent_device_does_not_stop_its_neighbour_on_the_line(tmp_path: Path) -> None:
    one, two = FakePump(), FakePump(number=2, rpm=50.0, running=True)
    plugged = Plugged(tmp_path / "bus", lambda heard: one(heard) or two(heard))
    line = Line(str(plugged.path), WatsonMarlow().serial, now)
    async with (
        started(plugged.path, WatsonMarlow(address=2), line=line) as (_, talking),
        started(plugged.path, WatsonMarlow(address=3), line=line) as (_, silent),
    ):
        await silent.until(lambda: LOST in silent.states())
        frames = len(talking.frames)
        await talking.until(lambda: len(talking.frames) > frames + 3)
        assert talking.states() == [OPENING, IDENTIFYING, LIVE]
        assert {one.value for frame in talking.frames for one in frame.measured} == {792.0, 50.0}
        assert silent.frames == []
    plugged.unplug()


async def test_a_mistake_in_a_driver_is_told_and_the_device_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Mistaken(WatsonMarlow):
        polls = 0

        def poll(self):
            self.polls += 1
            if self.polls == 2:
                raise ZeroDivisionError("one by zero")
            return super().poll()

    plugged, _ = pump_at(tmp_path)
    async with started(plugged.path, Mistaken()) as (_, seen):
        await seen.until(lambda: len(seen.frames) >= 2)
        assert seen.states() == [OPENING, IDENTIFYING, LIVE, LOST, LIVE]
        assert "mistake in the program" in seen.links[3][1]
    plugged.unplug()


async def test_off_reaches_a_known_device_that_hears_but_cannot_answer(tmp_path: Path) -> None:
    plugged, pump = pump_at(tmp_path, running=True)
    async with started(plugged.path, WatsonMarlow()) as (link, seen):
        await seen.until(lambda: seen.frames)
        plugged.mute = True
        await seen.until(lambda: seen.states()[-1] is LOST)
        link.orders.off(1)
        await seen.until(lambda: seen.done)
        assert seen.done[0][1].state is UNKNOWN
        plugged.mute = False
        await seen.until(lambda: len(seen.done) == 2)
        assert (seen.done[1][1].state, pump.running) == (CONFIRMED, False)
    plugged.unplug()
