"""The web process's end of the control socket: two lanes, reconnected for ever.

Nothing here waits for the control process: a send either goes into the socket's buffer at once or
is refused, so that a page load never queues behind a stuck control process.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from service.wire import MAX_MESSAGE_BYTES, URGENT, pack, parse, read_text

FIRST_WAIT_S, LONGEST_WAIT_S = 0.05, 1.0
BUFFER_BYTES = 64 * 1024
"""More than this unsent means that the control process does not read: nothing is added."""

log = logging.getLogger(__name__)


class LinkDown(Exception):
    """The message was not sent; the sentence says why."""


class ControlLink:
    """Connection to the control process. `on_message(lane, text, message)` gets all it says.

    `on_lost()` is called each time the main lane ends. Times are real seconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        on_message: Callable[[str, str, dict[str, Any]], None],
        on_lost: Callable[[], None],
        heard_within_s: float = 3.0,
    ) -> None:
        self._path = path
        self._on_message = on_message
        self._on_lost = on_lost
        self._heard_within_s = heard_within_s
        self._heard_at: float | None = None
        self._writers: dict[str, asyncio.StreamWriter] = {}

    @property
    def silent_s(self) -> float | None:
        """Seconds since the main lane last said something, None when it never did."""
        return None if self._heard_at is None else time.monotonic() - self._heard_at

    @property
    def alive(self) -> bool:
        """True while the main lane stands and was heard within the limit."""
        silent_s = self.silent_s
        return "main" in self._writers and silent_s is not None and silent_s < self._heard_within_s

    def send(self, message: dict[str, Any]) -> None:
        """Send by the lane that the message belongs to. Raises LinkDown when it cannot go now.

        An urgent command takes the main lane only when its own is gone; it asks for no sign of
        life, all others are not sent to a control process that has gone silent.
        """
        urgent = message["type"] == "command" and message["name"] in URGENT
        if not urgent and not self.alive:
            raise LinkDown("The control process does not answer; nothing was sent.")
        lanes = ("urgent", "main") if urgent else ("main",)
        writer = next((self._writers[lane] for lane in lanes if lane in self._writers), None)
        if writer is None:
            raise LinkDown("There is no connection to the control process; nothing was sent.")
        if writer.transport.get_write_buffer_size() > BUFFER_BYTES:
            raise LinkDown("The control process takes no messages; nothing was sent.")
        writer.write(pack(message))

    async def run(self) -> None:
        """Keep both lanes connected until cancelled."""
        await asyncio.gather(self._keep("main"), self._keep("urgent"))

    async def _keep(self, lane: str) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            if await self._converse(lane):
                wait_s = FIRST_WAIT_S
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _converse(self, lane: str) -> bool:
        """One connection from its hello to its end; True when it stood."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._path, limit=MAX_MESSAGE_BYTES)
        except OSError:
            return False
        try:
            writer.write(pack({"type": "hello", "lane": lane}))
            self._writers[lane] = writer
            log.info("%s lane to the control process stands", lane)
            await self._listen(lane, reader)
        except (OSError, ValueError) as error:
            log.warning("%s lane to the control process broke: %s", lane, error)
        finally:
            del self._writers[lane]
            writer.transport.abort()  # close() would wait for a process that does not read
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            if lane == "main":
                self._on_lost()
        log.warning("%s lane to the control process ended; connecting again", lane)
        return True

    async def _listen(self, lane: str, reader: asyncio.StreamReader) -> None:
        while (text := await read_text(reader)) is not None:
            message = parse(text)
            if lane == "main":
                self._heard_at = time.monotonic()
            self._on_message(lane, text, message)
