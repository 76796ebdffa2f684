"""What went over a line before a device failed is kept, can be fetched, and can be replayed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from service.cli import main
from service.control.instruments import Instruments
from service.control.process import now
from service.control.traffic import KEPT_FILES, TrafficDesk, traffic_folder
from service.core.events import Event, Frame, LinkChanged
from service.core.model import DriveStatus, LinkState
from service.site import load_site
from service.site_text import demo_site
from simulator.control import ask
from simulator.serve import RoomServer


@asynccontextmanager
async def desk_of(folder: Path, ports: Path, heard: list[Event]) -> AsyncIterator[TrafficDesk]:
    """The desk of a demo room whose links are connected to what is at the ports."""
    site = folder / "site.toml"
    site.write_text(demo_site(ports, database="sqlite:///none.db", listen="127.0.0.1:0"))
    room = load_site(site)

    def told(event: Event) -> None:
        heard.append(event)
        desk.look(event)

    instruments = Instruments(room, room.room(), now, told)
    desk = TrafficDesk(site, room, instruments.links)
    await desk.start()
    instruments.start()
    yield desk
    await instruments.close()
    await desk.close()


def kept(folder: Path) -> list[Path]:
    return sorted(traffic_folder(folder / "site.toml").glob("*/*.jsonl"))


def heater(*, fault: str) -> Frame:
    status = DriveStatus(running=True, setpoint=44.0, fault=fault)
    return Frame(at=now(), device="heater", readings=(), status=status)


def link(state: LinkState) -> LinkChanged:
    return LinkChanged(at=now(), device="heater", state=state)


async def until_live(heard: list[Event], device: str) -> None:
    async with asyncio.timeout(10):
        while not any(isinstance(one, Frame) and one.device == device for one in heard):
            await asyncio.sleep(0.02)


async def test_a_pulled_cable_leaves_a_recording_that_can_be_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[Event] = []
    with RoomServer(tmp_path / "ports", None, speed=10.0) as server:
        async with desk_of(tmp_path, server.directory, heard):
            await until_live(heard, "heater")
            fault = {"do": "fault", "device": "heater", "fault": "unplug"}
            assert (await asyncio.to_thread(ask, server.directory, fault))["ok"]
            async with asyncio.timeout(10):
                while not kept(tmp_path):
                    await asyncio.sleep(0.02)
    (file,) = kept(tmp_path)
    assert file.parent.name == "heater"
    main(["devices", "replay", str(file)])
    assert "JULABO" in capsys.readouterr().out


async def test_a_served_room_gives_out_the_traffic_of_its_last_minute(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[Event] = []
    site = str(tmp_path / "site.toml")
    with RoomServer(tmp_path / "ports", None, speed=10.0) as server:
        async with desk_of(tmp_path, server.directory, heard):
            await until_live(heard, "circuit")
            asked = ["devices", "traffic", "circuit", "--site", site]
            assert await asyncio.to_thread(main, asked) == 0
            told = capsys.readouterr().out
            asked[2] = "boiler"
            assert await asyncio.to_thread(main, asked) == 1
            assert "no device 'boiler'; it has circuit, sites" in capsys.readouterr().err
    file = tmp_path / "circuit.jsonl"
    file.write_text(told)
    assert main(["devices", "replay", str(file)]) == 0
    assert "thermistor 1" in capsys.readouterr().out
    assert main(["devices", "traffic", "circuit", "--site", site]) == 1
    assert "does not answer" in capsys.readouterr().err


async def test_a_fault_is_kept_once_and_of_many_troubles_the_newest(tmp_path: Path) -> None:
    async with desk_of(tmp_path, tmp_path / "no ports", []) as desk:
        for fault in ("low level", "low level", "", "low level"):
            desk.look(heater(fault=fault))
        desk.look(link(LinkState.LOST))
    assert len(kept(tmp_path)) == 2
    async with desk_of(tmp_path, tmp_path / "no ports", []) as desk:
        for _ in range(KEPT_FILES + 5):
            desk.look(link(LinkState.LIVE))
            desk.look(link(LinkState.LOST))
    files = kept(tmp_path)
    assert len(files) == KEPT_FILES
