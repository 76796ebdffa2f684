"""The control process's end of the Unix socket: web processes connect, on two lanes each.

Nothing here waits for a reader: who does not take its messages is cut off and may connect again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.wire import (
    FROM_WEB,
    MAX_MESSAGE_BYTES,
    URGENT,
    AccessTold,
    CommandRequest,
    Denied,
    Displays,
    DisplayShown,
    Hello,
    WhatIfAsked,
    WireError,
    pack,
    read_message,
)

UNREAD_BYTES = 4 * MAX_MESSAGE_BYTES
log = logging.getLogger(__name__)
Asked = CommandRequest | Denied | DisplayShown | Displays | WhatIfAsked | AccessTold


class Lanes:
    """Serves the socket; `on_asked(lane, what)` gets every valid request, `greeting()` is the
    first message of a main lane."""

    def __init__(
        self,
        path: Path,
        *,
        on_asked: Callable[[str, Asked], None],
        greeting: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._path = path
        self._on_asked = on_asked
        self._greeting = greeting
        self._writers: dict[str, set[asyncio.StreamWriter]] = {"main": set(), "urgent": set()}
        self._server: asyncio.Server | None = None
        self._served: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; a socket that a killed process left behind is replaced."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(
            self._serve, self._path, limit=MAX_MESSAGE_BYTES
        )
        self._path.chmod(0o600)

    async def close(self) -> None:
        """End every connection and stop listening."""
        if self._server is not None:
            self._server.close()
        for writer in [writer for lane in self._writers.values() for writer in lane]:
            writer.transport.abort()
        await asyncio.gather(*self._served)
        self._path.unlink(missing_ok=True)

    def broadcast(self, message: Mapping[str, Any]) -> None:
        """Send to every main lane; answers to urgent commands go by the urgent lanes too."""
        lanes = ["main"]
        if message["type"] == "command" and message["name"] in URGENT:
            lanes.append("urgent")
        writers = [writer for lane in lanes for writer in self._writers[lane]]
        if not writers:
            return
        data = pack(message)
        for writer in writers:
            if writer.transport.get_write_buffer_size() > UNREAD_BYTES:
                log.warning("a web process does not read; its connection is cut")
                writer.transport.abort()
            else:
                writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lane = ""
        if task := asyncio.current_task():
            self._served.add(task)
            task.add_done_callback(self._served.discard)
        try:
            hello = FROM_WEB.validate_python(await read_message(reader))
            if not isinstance(hello, Hello):
                raise WireError("a connection starts with hello")
            lane = hello.lane
            if lane == "main":
                writer.write(pack(self._greeting()))
            self._writers[lane].add(writer)
            await self._listen(lane, reader)
        except (OSError, WireError, ValidationError) as error:
            log.warning("a connection to the control process was ended: %s", error)
        finally:
            self._writers.get(lane, set()).discard(writer)
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _listen(self, lane: str, reader: asyncio.StreamReader) -> None:
        while (message := await read_message(reader)) is not None:
            asked = FROM_WEB.validate_python(message)
            if isinstance(asked, Hello):
                raise WireError("hello comes once")
            if lane == "urgent" and getattr(asked, "name", "") not in URGENT:
                raise WireError("the urgent lane carries stop, heater_off and abort only")
            self._on_asked(lane, asked)
