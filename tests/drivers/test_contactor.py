"""Contactors on a link: held while an order is renewed, open whenever nobody holds them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from drivers.icpdas_digital import IcpDasDigital
from drivers.line import Line
from drivers.link import Link, acts_of
from drivers.modbus import WRITE_COILS
from service.core.model import CommandState, LinkState
from simulator.serve import RoomServer
from tests.drivers.ptys import Seen, now

CONFIRMED, REFUSED, UNKNOWN = CommandState.CONFIRMED, CommandState.REFUSED, CommandState.UNKNOWN
WATCHDOG_S = 0.6
LONG_S = 30.0
OUTPUTS = bytes([1, WRITE_COILS, 0, 0])
"""How a request to set the outputs of module 1 begins."""
SPEED = 10.0
"""The wire's bytes pass so much faster; the watchdog's time and think times are real."""


class Room:
    """A simulated room with contactors, and a link to their module."""

    def __init__(self, server: RoomServer) -> None:
        self.server = server
        driver = IcpDasDigital(watchdog_s=WATCHDOG_S, inverted=[1, 2, 3, 4])
        self.line = Line(str(server.directory / "switches"), driver.serial, now)
        self.seen = Seen()
        self.link: Link = self.seen.link(driver, self.line, poll_hz=5.0)

    @property
    def powered(self) -> bool:
        return self.server.room.devices["heater"].powered

    async def live(self) -> None:
        await self.seen.until(lambda: self.link.state is LinkState.LIVE)

    async def held(self, order: int = 1, lease_s: float = LONG_S) -> None:
        """Live, and closed by an order."""
        await self.live()
        self.link.orders.run(order, 1.0, lease_s)
        await self.seen.until(lambda: self.told() == [(order, CONFIRMED)])
        await self.seen.until(lambda: self.powered)

    def told(self) -> list[tuple[object, object]]:
        return [(order, done.state) for order, done in self.seen.done]

    def closings(self) -> int:
        """How often the outputs were told to be on."""
        sent = [chunk.data for chunk in self.line.traffic() if chunk.sent]
        return sum(data.startswith(OUTPUTS) and data[7] != 0 for data in sent)

    def spoil(self, fault: str, **values: object) -> None:
        request = {"do": "fault", "device": "switches", "fault": fault, **values}
        self.server.room.act(request, now().mono_ns / 1e9)

    def mend(self) -> None:
        self.server.room.act({"do": "clear"}, now().mono_ns / 1e9)


@asynccontextmanager
async def room(tmp_path: Path, fed_by: str = "request") -> AsyncIterator[Room]:
    scenario = tmp_path / "room.toml"
    scenario.write_text(f'[instrument.switches]\nfed_by = "{fed_by}"\n', encoding="utf-8")
    with RoomServer(tmp_path / "ports", scenario, speed=SPEED) as server:
        made = Room(server)
        made.link.start()
        yield made
        await made.link.close()


async def test_they_stay_closed_while_the_order_is_renewed_by_four_holds_per_watchdog_time(
    tmp_path: Path,
) -> None:
    async with room(tmp_path, fed_by="output") as here:
        await here.held(lease_s=1.0)
        closings = here.closings()
        async with asyncio.timeout(20 * WATCHDOG_S):
            while here.closings() - closings < 3 * 4:
                assert here.link.orders.renew(1.0)
                await asyncio.sleep(0.05)
                assert here.powered
        assert acts_of(here.link.driver).keep_s <= WATCHDOG_S / 4
        assert here.told() == [(1, CONFIRMED)], "told once, however often it is held"


async def test_an_order_that_nobody_renews_ends_in_a_drop_although_polling_goes_on(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as here:
        await here.held(lease_s=0.5)
        await here.seen.until(lambda: len(here.seen.done) == 2)
        order, done = here.seen.done[1]
        assert (order, done.state) == (None, CONFIRMED)
        assert "nobody renewed the order in time" in done.reason
        await here.seen.until(lambda: not here.powered)
        closings = here.closings()
        frames = len(here.seen.frames)
        await here.seen.until(lambda: len(here.seen.frames) > frames + 3)
        assert (here.closings(), here.powered) == (closings, False)
        assert not here.link.orders.renew(LONG_S), "there is nothing left to renew"


async def test_a_drop_overtakes_and_nothing_holds_them_after_it(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        await here.held()
        here.link.orders.off(2)
        ordered_at = now()
        await here.seen.until(lambda: here.told()[1:] == [(2, CONFIRMED)])
        assert now().seconds_since(ordered_at) < 2 * here.link.driver.stop_bound_s
        closings = here.closings()
        await here.seen.until(lambda: not here.powered)
        await asyncio.sleep(WATCHDOG_S)
        assert (here.closings(), here.powered) == (closings, False)


async def test_a_link_that_ends_feeds_nothing_and_the_module_opens_by_itself(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as here:
        await here.held()
        await here.link.close()
        closed_at = now()
        while here.powered:
            assert now().seconds_since(closed_at) < WATCHDOG_S + 0.5
            await asyncio.sleep(0.02)
        assert here.server.room.switches.describe()["tripped"]


async def test_one_lost_answer_opens_nothing_and_tells_nothing(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        await here.held()
        here.spoil("silent", times=1)
        spoiled_at = now()
        while now().seconds_since(spoiled_at) < 2 * WATCHDOG_S:
            await asyncio.sleep(0.05)
            assert here.powered
        assert here.told() == [(1, CONFIRMED)]


async def test_contactors_that_opened_by_themselves_are_closed_by_a_new_order_only(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as here:
        await here.held()
        here.spoil("power_cycle", value=0.1)
        await here.seen.until(lambda: here.seen.frames[-1].status.running is False)
        closings = here.closings()
        assert here.link.orders.renew(LONG_S)
        await asyncio.sleep(WATCHDOG_S)
        assert (here.closings(), here.powered) == (closings, False)
        here.link.orders.run(2, 1.0, LONG_S)
        await here.seen.until(lambda: here.told() == [(1, CONFIRMED), (2, CONFIRMED)])
        await here.seen.until(lambda: here.powered)


async def test_a_cable_pulled_for_longer_than_the_watchdog_waits_ends_in_open_contactors(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as here:
        await here.held()
        here.spoil("replug", value=WATCHDOG_S + 0.4)
        await here.seen.until(lambda: here.link.state is LinkState.LOST)
        await here.live()
        status = here.seen.frames[-1].status
        assert (status.running, here.powered) == (False, False)
        assert "host watchdog" in status.fault
        assert here.told() == [(1, CONFIRMED)]


async def test_an_unanswered_order_is_unknown_and_told_again_once_it_is_certain(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as here:
        await here.live()
        here.spoil("silent")
        here.link.orders.run(1, 1.0, LONG_S)
        await here.seen.until(lambda: here.seen.done)
        here.mend()
        await here.seen.until(lambda: len(here.seen.done) == 2)
        assert here.told() == [(1, UNKNOWN), (1, REFUSED)], "open contactors are not closed later"
        assert not here.powered


async def test_an_order_given_while_the_module_is_away_closes_nothing_later(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as here:
        await here.live()
        here.spoil("replug", value=0.5)
        await here.seen.until(lambda: here.link.state is LinkState.LOST)
        here.link.orders.run(1, 1.0, LONG_S)
        assert here.told() == [(1, REFUSED)]
        await here.live()
        await asyncio.sleep(WATCHDOG_S)
        assert (here.closings(), here.powered) == (0, False)


def test_a_module_of_contacts_alone_is_no_drive() -> None:
    assert acts_of(IcpDasDigital(outputs=0)) is None
