"""The supervisor's two processes: started, found again after a supervisor's death, and ended."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Protocol

from service.runtime import holder_of

END_S = 8.0


class Child(Protocol):
    """A process that the supervisor watches."""

    async def wait(self) -> int | None:
        """Wait until it has ended; its exit code, None where only its parent is told."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it."""


class Adopted:
    """A process that another supervisor started: its end is seen, its exit code is not."""

    def __init__(self, pid: int) -> None:
        """Raises ProcessLookupError when there is no such process any more."""
        self.pid = pid
        self._fd = os.pidfd_open(pid)
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._fd, self._end)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)
        self._ended.set()

    async def wait(self) -> int | None:
        """Wait until it has ended."""
        await self._ended.wait()
        return None

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if not self._ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._fd, number)


def adopt(lock: Path) -> Adopted | None:
    """The process that holds this lock, None when nobody does."""
    pid = holder_of(lock)
    if pid is None:
        return None
    try:
        return Adopted(pid)
    except ProcessLookupError:
        return None


class Starter:
    """Starts the processes of one of our modules, each in a group of its own, so that a Ctrl-C
    reaches only us.

    A process loads its program first and then waits for its settings, a line on standard input:
    until it has them it opens no port, no database and no lock. `prepare` keeps one loaded and
    waiting, so that the next start costs no loading; it ends by itself when we die.
    """

    def __init__(self, module: str, *, answers: bool = False) -> None:
        """`answers`: the process says on standard output when it is ready."""
        self._module = module
        self._answers = answers
        self._waiting: asyncio.subprocess.Process | None = None

    async def prepare(self) -> None:
        """Have a process loaded. One that died waiting is not replaced before the next start, so
        that a program that cannot be loaded is not loaded over and over."""
        if self._waiting is None:
            self._waiting = await self._load()

    async def start(self, settings: str) -> asyncio.subprocess.Process:
        """Let the process that waits begin; where none does, start one from nothing."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and await _told(waiting, settings):
            return waiting
        process = await self._load()
        await _told(process, settings)
        return process

    async def close(self) -> None:
        """End the process that waits; it holds nothing."""
        if self._waiting is not None:
            with contextlib.suppress(ProcessLookupError):
                self._waiting.kill()
            await self._waiting.communicate()

    async def _load(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self._module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if self._answers else None,
            start_new_session=True,
        )


async def _told(process: asyncio.subprocess.Process, settings: str) -> bool:
    """Give a process its settings; False when it has died."""
    assert process.stdin is not None
    try:
        process.stdin.write(f"{settings}\n".encode())
        await process.stdin.drain()
    except ConnectionError:
        return False
    finally:
        process.stdin.close()
    return process.returncode is None


async def ready(process: asyncio.subprocess.Process) -> str:
    """The address that the web process answers at, "" when it ended before it did."""
    assert process.stdout is not None
    line = await process.stdout.readline()
    return str(json.loads(line)["ready"]) if line else ""


async def end(process: Child) -> bool:
    """Ask a process to end; False when it had to be ended because it did not."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        return False
    return True
