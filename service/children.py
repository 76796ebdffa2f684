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


async def start(module: str, variable: str, settings: str) -> asyncio.subprocess.Process:
    """Start one of our processes in a group of its own, so that a Ctrl-C reaches only us."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env={**os.environ, variable: settings},
        stdout=asyncio.subprocess.PIPE if module == "service.web" else None,
        start_new_session=True,
    )


async def prepare(module: str) -> asyncio.subprocess.Process:
    """Start a process that gets ready, and begins its work when `begin` gives it its settings."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        stdin=asyncio.subprocess.PIPE,
        start_new_session=True,
    )


async def begin(process: asyncio.subprocess.Process, settings: str) -> None:
    """Let a process that was prepared begin; one that has died meanwhile is seen by its end."""
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(f"{settings}\n".encode())
        await process.stdin.drain()
    process.stdin.close()


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
