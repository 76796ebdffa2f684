"""Every driver behind a serial server on the network: `socket://host:port`."""

import asyncio
import time

import pytest

from service.core.model import LinkState
from simulator.devices.instrument import Fault
from simulator.faults import Line as Twin
from simulator.wire import Wire
from tests.contract.pairs import PAIRS
from tests.contract.ptys import all_of, linked, lost
from tests.contract.story import untrue

pytestmark = pytest.mark.real_time

TICK_S, LATEST_S = 0.05, 45.0


class SerialServer:
    """A twin's line behind a TCP port. A new connection takes the place of the old one."""

    def __init__(self, name: str) -> None:
        self.twin = Twin(name, PAIRS[name].twin(1, 0.0))
        self._wire = Wire((self.twin,))
        self._host: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"socket://127.0.0.1:{self._port}"

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def go_away(self) -> None:
        """The server's power is lost: its connection ends and nobody listens."""
        assert self._server is not None
        self._server.close()
        if self._host:
            self._host.close()
        await self._server.wait_closed()

    async def run(self) -> None:
        tick_s = time.monotonic()
        while True:
            now_s = time.monotonic()
            if now_s >= tick_s:
                tick_s = now_s + TICK_S
                self.twin.instrument.sample(TICK_S)
                self._wire.tick(now_s)
            ready = self._wire.run(now_s)
            if ready and self._host:
                self._host.write(ready)
            await asyncio.sleep(0.002)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._wire.plug()
        self._host = writer
        while data := await reader.read(4096):
            self._wire.hear(data, time.monotonic())
        self._wire.leave()
        writer.close()


async def survive(name: str) -> None:
    """Live; the connection half open, live again; the server without power, live again."""
    server = SerialServer(name)
    await server.listen()
    running = asyncio.create_task(server.run())
    async with linked(name, server.url) as (_, told):
        await told.live(LATEST_S)
        server.twin.fault(Fault(name="half_open"), time.monotonic())
        await lost(told, LATEST_S)
        assert "look at its power, its cable, its address" in told.links[-1][2]
        await told.live(LATEST_S)
        await server.go_away()
        await lost(told, LATEST_S)
        assert "look at the" in told.links[-1][2]
        await server.listen()
        await told.live(LATEST_S)
        shown = [one for _, polled in told.frames for one in polled.measured]
        assert not [one for one in shown if untrue(PAIRS[name].truth, one)]
        assert told.state is LinkState.LIVE
    running.cancel()
    await server.go_away()


async def test_each_driver_survives_what_a_serial_server_on_the_network_does() -> None:
    await all_of({name: survive(name) for name in PAIRS})
