"""Cables between a room's lines and its simulated instruments, and the loop that they live in.

Nothing of it asks the operating system: a room of chance would spend a third of its time there.
Real ports, real descriptors and ptys are what `tests/contract` and `tests/e2e` play with.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

from drivers.classes import Serial
from drivers.port import LineLost, Port
from simulator.room import Room
from simulator.wire import Wire
from tests.contract.virtual import AtOnce, Clock


class Turned(selectors.EpollSelector):
    """Waits by turning the clock on to what is due next; there is nothing else to wait for."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "nothing will ever happen again"
        if timeout > 0.0:
            self._clock.now_s += timeout
        return []


class TurnedLoop(asyncio.SelectorEventLoop):
    """An event loop without descriptors; `time` is the clock's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__(Turned(clock))
        self.set_default_executor(AtOnce())

    def time(self) -> float:
        return self._clock.now_s

    def _write_to_self(self) -> None:
        """There is no other thread that could wake it."""


def played(clock: Clock, scene: Coroutine[Any, Any, None]) -> None:
    """Let the scene happen, to its end."""
    loop = TurnedLoop(clock)
    try:
        loop.run_until_complete(scene)
    finally:
        loop.close()


class MemoryPort(Port):
    """The host's end of a cable."""

    def __init__(self, jack: "Jack") -> None:
        self.path = jack.path
        self.pulled = False
        self.arrived: Callable[[], None] = _nobody
        self._jack = jack
        self._data = b""

    def feed(self, data: bytes) -> None:
        """Bytes come in."""
        self._data += data
        self.arrived()

    def read(self) -> bytes:
        data, self._data = self._data, b""
        if self.pulled and not data:
            raise LineLost(f"{self.path} went away; look at the cable and the adapter")
        return data

    def write(self, data: bytes) -> int:
        if self.pulled:
            raise LineLost(f"{self.path} went away; look at the cable and the adapter")
        self._jack.hear(data)
        return len(data)

    def watch(self, arrived: Callable[[], None]) -> None:
        self.arrived = arrived

    def unwatch(self) -> None:
        self.arrived = _nobody

    def close(self) -> None:
        if not self.pulled:
            self._jack.leave()


class Jack:
    """The instruments' end of a cable: wakes when its wire has something to do."""

    def __init__(self, path: str, wire: Wire, clock: Clock) -> None:
        self.path = path
        self.wire = wire
        self._clock = clock
        self._port: MemoryPort | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connect(self) -> MemoryPort:
        """A host opens the port; LineLost while no cable is plugged in."""
        if not self.wire.cable.plugged:
            raise LineLost(f"there is no port {self.path}")
        self.wire.plug()
        self._port = MemoryPort(self)
        self._sleep()
        return self._port

    def hear(self, data: bytes) -> None:
        """The host has written this."""
        self.wire.hear(data, self._clock.now_s)
        self._sleep()

    def leave(self) -> None:
        """The host has closed its port."""
        self.wire.leave()
        self._port = None
        self._sleep()

    def look(self) -> None:
        """Time has passed for the instruments, or something was done to them or to the cable."""
        self.wire.tick(self._clock.now_s)
        self._run()

    def _run(self) -> None:
        port = self._port
        if port is None:
            return
        if not self.wire.cable.plugged:
            self._port, port.pulled = None, True
            port.arrived()
        elif ready := self.wire.run(self._clock.now_s):
            port.feed(ready)
        self._sleep()

    def _sleep(self) -> None:
        """Until the wire has something to do again."""
        next_s = float("inf") if self._port is None else self.wire.next_s()
        timer = self._timer
        if timer is not None:
            if timer.when() == next_s and not timer.cancelled():
                return
            timer.cancel()
            self._timer = None
        if next_s < float("inf"):
            self._timer = asyncio.get_running_loop().call_at(next_s, self._due)

    def _due(self) -> None:
        self._timer = None
        self._run()


class Cables:
    """All cables of a room; `open` is what its lines open their ports with."""

    PREFIX = "memory://"

    def __init__(self, room: Room, clock: Clock) -> None:
        self.jacks = {
            f"{self.PREFIX}{name}": Jack(f"{self.PREFIX}{name}", Wire((line,), pace_s=1.0), clock)
            for name, line in room.devices.items()
        }

    def open(self, path: str, settings: Serial) -> MemoryPort:
        """As `Port` itself opens one."""
        return self.jacks[path].connect()

    def look(self) -> None:
        """A second has passed, or something was done to cables or instruments."""
        for jack in self.jacks.values():
            jack.look()


def _nobody() -> None:
    """Nobody watches the port."""
