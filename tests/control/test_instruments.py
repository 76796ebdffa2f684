"""From the core's effects to the contactors of a simulated room, and from there to outcomes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from service.control.instruments import Instruments
from service.control.process import now
from service.core.effects import ContactorDrop, ContactorHold
from service.core.events import Event, Frame, Outcome
from service.core.model import CommandState
from service.site import load_site
from service.site_text import demo_site
from simulator.serve import RoomServer
from tests.whole_site import whole

CONFIRMED, REFUSED = CommandState.CONFIRMED, CommandState.REFUSED
LEASE_S = 10.0


class Connected:
    """The instruments of a simulated room, and what they told."""

    def __init__(self, server: RoomServer, site: Path) -> None:
        self.server = server
        self.told: list[Event] = []
        self._news = asyncio.Event()
        read = load_site(site)
        self.instruments = Instruments(read, read.room(), now, self._tell)

    def _tell(self, event: Event) -> None:
        self.told.append(event)
        self._news.set()

    async def until(self, condition: Callable[[], object], within_s: float = 10.0) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def frames(self, device: str) -> list[Frame]:
        return [one for one in self.told if isinstance(one, Frame) and one.device == device]

    def outcomes(self) -> list[tuple[str, int, CommandState]]:
        return [(o.drive, o.order, o.state) for o in self.told if isinstance(o, Outcome)]

    def closed(self) -> list[bool]:
        return self.server.room.switches.describe()["closed"]


@asynccontextmanager
async def connected(folder: Path, *, switches: bool = True) -> AsyncIterator[Connected]:
    scenario, site = folder / "room.toml", folder / "site.toml"
    scenario.write_text("[instrument.switches]\n[instrument.scale]\n", encoding="utf-8")
    with RoomServer(folder / "ports", scenario, speed=10.0) as server:
        text = demo_site(server.directory, database="sqlite:///none.db", listen="127.0.0.1:0")
        site.write_text(whole(text) if switches else text, encoding="utf-8")
        room = Connected(server, site)
        room.instruments.start()
        yield room
        await room.instruments.close()


async def test_contacts_level_and_contactors_reach_the_core_as_channels_and_status(
    tmp_path: Path,
) -> None:
    async with connected(tmp_path) as room:
        await room.until(lambda: room.frames("switches") and room.frames("scale"))
        frame = room.frames("switches")[0]
        assert {one.channel: one.value for one in frame.readings} == dict.fromkeys(
            ("level_low", "bubble", "cut_out", "emergency_stop"), 0.0
        )
        assert frame.status is not None and frame.status.running is False
        (level,) = room.frames("scale")[0].readings
        assert (level.channel, level.unit) == ("level", "ml")


async def test_a_hold_closes_the_contactors_and_a_drop_opens_them(tmp_path: Path) -> None:
    async with connected(tmp_path) as room:
        await room.until(lambda: room.frames("switches"))
        room.instruments.order(ContactorHold(order=1, lease_s=LEASE_S))
        await room.until(room.outcomes)
        assert (room.outcomes(), room.closed()) == ([("contactor", 1, CONFIRMED)], [True, True])
        room.instruments.order(ContactorDrop(order=2, reason="a stop"))
        await room.until(lambda: len(room.outcomes()) == 2)
        assert room.outcomes()[1] == ("contactor", 2, CONFIRMED)
        assert room.closed() == [False, False]


async def test_contactors_whose_lease_ended_are_not_closed_by_a_late_renewal(
    tmp_path: Path,
) -> None:
    async with connected(tmp_path) as room:
        await room.until(lambda: room.frames("switches"))
        room.instruments.order(ContactorHold(order=1, lease_s=0.3))
        await room.until(lambda: len(room.outcomes()) == 2)
        assert room.outcomes()[1] == ("contactor", 0, CONFIRMED)
        room.instruments.order(ContactorHold(order=1, lease_s=LEASE_S))
        frames = len(room.frames("switches"))
        await room.until(lambda: len(room.frames("switches")) > frames + 2)
        assert room.closed() == [False, False]


async def test_a_room_without_contactors_refuses_to_close_them(tmp_path: Path) -> None:
    async with connected(tmp_path, switches=False) as room:
        room.instruments.order(ContactorHold(order=1, lease_s=LEASE_S))
        assert room.outcomes() == [("contactor", 1, REFUSED)]


async def test_an_ordered_end_opens_the_contactors_once_heater_and_pump_are_off(
    tmp_path: Path,
) -> None:
    async with connected(tmp_path) as room:
        await room.until(lambda: room.frames("switches"))
        room.instruments.order(ContactorHold(order=1, lease_s=LEASE_S))
        await room.until(room.outcomes)
        await room.until(lambda: room.frames("heater") and room.frames("pump"), 20.0)
        await room.instruments.make_safe(5.0)
        drives = [drive for drive, _, state in room.outcomes()[1:] if state is CONFIRMED]
        assert sorted(drives[:2]) == ["heater", "pump"]
        assert drives[2] == "contactor"
        assert room.closed() == [False, False]
