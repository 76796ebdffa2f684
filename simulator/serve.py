"""A simulated room behind real serial ports, until it is told to end."""

import fcntl
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from simulator.bus import Bus
from simulator.control import NAME, ControlSocket
from simulator.room import Room, open_room
from simulator.scenario import ScenarioError

TICK_S = 0.050
LOCK = ".serving"
LONGEST_SOCKET_PATH = 107
SLOWEST, FASTEST = 0.1, 100.0


class ServeError(RuntimeError):
    """The directory cannot be served; the text says why and what to do."""


class RoomServer:
    """A room and its ports in `directory`; `run` in the caller's thread, or as a context in its
    own. `speed` scales plant time and the pacing of bytes; think times and pushes stay real."""

    def __init__(
        self, directory: Path, scenario: Path | None = None, *, speed: float = 1.0
    ) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise ServeError(f"speed {speed} is not possible; use {SLOWEST} to {FASTEST:g}")
        self.directory = Path(directory)
        self.room: Room = open_room(scenario)
        self.speed = speed
        _check_directory(self.directory, self.room)
        self._lock = _lock(self.directory)
        self._bus = Bus(self.room.devices, self.directory, speed=speed)
        self._control = ControlSocket(self.directory, self._bus.epoll, self._act)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK)
        self._bus.epoll.register(self._wake, select.EPOLLIN)
        self._ending = False
        self._thread = threading.Thread(target=self.run, name="simulated-room", daemon=True)
        self._bus.open()

    def describe(self) -> list[str]:
        """One line per port: name, path, serial settings, instrument."""
        return [
            f"{name:<9} {self.directory / name}  {line.instrument.serial}  {line.instrument.title}"
            for name, line in self.room.devices.items()
        ]

    def run(self) -> None:
        """Serve until `stop` is called."""
        last_s = time.monotonic()
        tick_s = last_s + TICK_S
        while not self._ending:
            self._wait(min(tick_s, self._bus.next_s()) - time.monotonic())
            now_s = time.monotonic()
            for fileno, _ in self._bus.epoll.poll(0):
                if not self._bus.heard(fileno, now_s):
                    self._control.heard(fileno)
            if now_s >= tick_s:
                self.room.advance((now_s - last_s) * self.speed, now_s)
                last_s, tick_s = now_s, max(tick_s + TICK_S, now_s)
                self._bus.follow_cables()
                self._bus.tick(now_s)
            self._bus.run(time.monotonic())

    def stop(self) -> None:
        """End `run`; may be called from any thread or signal handler."""
        self._ending = True
        os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Take links, control socket and lock away."""
        self._control.close()
        self._bus.close()
        os.close(self._wake)
        (self.directory / LOCK).unlink(missing_ok=True)
        os.close(self._lock)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._thread.join()
        self.close()

    def _wait(self, timeout_s: float) -> None:
        # select takes microseconds where epoll rounds up to a millisecond.
        if timeout_s > 0.0:
            select.select([self._bus.epoll], [], [], timeout_s)

    def _act(self, request: Mapping[str, Any]) -> dict[str, Any]:
        done = self.room.act(request, time.monotonic())
        self._bus.follow_cables()
        return done


def serve(directory: Path, scenario: Path | None, speed: float) -> int:
    """Serve a room's ports in `directory` until SIGTERM or SIGINT; the exit code.

    Prints one line per port and then "ready".
    """
    try:
        server = RoomServer(directory, scenario, speed=speed)
    except (ScenarioError, ServeError) as error:
        print(error, file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    for line in server.describe():
        print(line)
    print("ready", flush=True)
    try:
        server.run()
    finally:
        server.close()
    return 0


def _check_directory(directory: Path, room: Room) -> None:
    if len(os.fsencode(directory / NAME)) > LONGEST_SOCKET_PATH:
        raise ServeError(
            f"{directory}: the path is too long for a control socket; a socket's path may have "
            f"{LONGEST_SOCKET_PATH} characters"
        )
    for name in room.devices:
        path = directory / name
        if path.exists() and not path.is_symlink():
            raise ServeError(f"{path} is in the way; remove it or serve another directory")


def _lock(directory: Path) -> int:
    """Hold the directory's lock; the kernel frees it when the process dies."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ServeError(f"{directory}: cannot be served: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(lock, 32).decode() or "unknown"
        os.close(lock)
        raise ServeError(
            f"{directory} is already served by process {holder}; end it or use another directory"
        ) from error
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return lock
