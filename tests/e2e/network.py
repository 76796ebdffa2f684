"""A network between the browsers and the room that can be cut, slow, or silent (half-open)."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from enum import Enum
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

CHUNK_BYTES = 65_536
T = TypeVar("T")


class Way(Enum):
    """What becomes of the bytes: passed on, or kept while the connection seems open, or no way."""

    OPEN = "open"
    SILENT = "silent"
    CUT = "cut"


class Network:
    """Passes TCP connections on to `target` from an address of its own, in a thread of its own.

    `delay_s` is how much later each byte arrives, either way.
    """

    def __init__(self) -> None:
        self.target = ""
        self.delay_s = 0.0
        self._way = Way.OPEN
        self._pairs: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._pass_on, "127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def turn(self, way: Way, delay_s: float = 0.0) -> None:
        """From now on; whatever hung in a cut or silent network is broken off."""
        self._do(self._turn(way, delay_s))

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _turn(self, way: Way, delay_s: float) -> None:
        was, self._way, self.delay_s = self._way, way, delay_s
        if Way.CUT in (was, way) or was is Way.SILENT:
            self._break_off()

    def _break_off(self) -> None:
        for writer in self._pairs:
            writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        self._break_off()
        while self._pairs:
            await asyncio.sleep(0.01)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: asyncio.StreamWriter | None = None
        self._pairs.add(writer)
        try:
            if self._way is Way.CUT:
                return
            parts = urlsplit(self.target)
            from_room, there = await asyncio.open_connection(parts.hostname, parts.port)
            self._pairs.add(there)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._stream(reader, there))
                ways.create_task(self._stream(from_room, writer))
        except* OSError:
            pass
        finally:
            for one in (writer, there):
                if one is not None:
                    one.transport.abort()
                    self._pairs.discard(one)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Each piece arrives `delay_s` after it was sent, as many as are on their way."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(due - self._loop.time())
                if self._way is Way.OPEN:
                    writer.write(data)
                    await writer.drain()

        delivering = asyncio.create_task(deliver())
        try:
            while data := await reader.read(CHUNK_BYTES):
                under_way.put_nowait((self._loop.time() + self.delay_s, data))
        finally:
            delivering.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await delivering
        raise ConnectionResetError("one side has left")
