"""Byte-level devices on real pty pairs, each answering from a thread of its own."""

import asyncio
import os
import select
import termios
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

from drivers.link import Link
from service.core.model import Instant

Device = Callable[[bytes], bytes]


def now() -> Instant:
    return Instant(mono_ns=time.monotonic_ns(), utc_ns=time.time_ns())


class Plugged:
    """A device behind `path`, a link to its pty. `mute` hears and says nothing; `late_s` delays."""

    def __init__(self, path: Path, device: Device, *, ends: bytes = b"\r") -> None:
        self.path = path
        self.device = device
        self.mute = False
        self.late_s = 0.0
        self.heard: list[tuple[float, bytes]] = []
        self._ends = ends
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave, termios.TCSANOW)
        path.unlink(missing_ok=True)
        path.symlink_to(os.ttyname(self._slave))
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def messages(self) -> list[bytes]:
        return [message for _, message in self.heard]

    def say(self, data: bytes) -> None:
        os.write(self._master, data)

    def unplug(self) -> None:
        """The cable is pulled: the port goes away under whoever has it open."""
        if self._thread.is_alive():
            os.write(self._wake_write, b"x")
            self._thread.join()
            self.path.unlink(missing_ok=True)
            for fd in (self._master, self._slave, self._wake_read, self._wake_write):
                os.close(fd)

    def _serve(self) -> None:
        waiting = b""
        while True:
            ready, _, _ = select.select([self._master, self._wake_read], [], [])
            if self._wake_read in ready:
                return
            waiting += os.read(self._master, 1024)
            waiting = self._answer(waiting)

    def _answer(self, waiting: bytes) -> bytes:
        if not self._ends:
            messages, rest = [waiting], b""
        else:
            *whole, rest = waiting.split(self._ends)
            messages = [message + self._ends for message in whole]
        for message in messages:
            self.heard.append((time.monotonic(), message))
            said = self.device(message)
            if said and not self.mute:
                if self.late_s:
                    threading.Event().wait(self.late_s)
                self.say(said)
        return rest


class Seen:
    """What a link told, and waiting for it to tell more."""

    def __init__(self) -> None:
        self.frames: list[object] = []
        self.links: list[tuple[object, str, str]] = []
        self.done: list[tuple[object, object]] = []
        self._news: list[object] = []

    def link(self, driver: object, line: object, *, poll_hz: float = 20.0) -> Link:
        return Link(
            name="device",
            driver=driver,
            line=line,
            poll_hz=poll_hz,
            on_frame=lambda polled: self._note(self.frames, polled),
            on_link=lambda *told: self._note(self.links, told),
            on_done=lambda *told: self._note(self.done, told),
        )

    def states(self) -> list[object]:
        return [state for state, _, _ in self.links]

    async def until(self, condition: Callable[[], object], within_s: float = 4.0) -> None:
        """Return as soon as the condition holds; it is looked at whenever the link tells."""
        async with asyncio.timeout(within_s):
            while not condition():
                news = asyncio.get_running_loop().create_future()
                self._news.append(news)
                await news

    def _note(self, told: list, what: object) -> None:
        told.append(what)
        waiting, self._news = self._news, []
        for news in waiting:
            if not news.done():
                news.set_result(None)
