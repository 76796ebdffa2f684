"""An event loop whose clock is turned by hand: it jumps to whatever is due next, and never waits.

The project's own line, link and drivers run on it unchanged, with real file descriptors.
"""

import asyncio
import concurrent.futures
import selectors
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class World(Protocol):
    """What happens at the other end of the descriptors."""

    def run(self, now_s: float) -> None:
        """Do everything that is due."""
        ...

    def next_s(self) -> float:
        """When there is something to do again."""
        ...


class Clock:
    """Seconds since the loop began."""

    def __init__(self) -> None:
        self.now_s = 0.0


class Jumping(selectors.EpollSelector):
    """Waits by turning the clock on to what is due next, in the world or in the loop."""

    def __init__(self, clock: Clock, world: World) -> None:
        super().__init__()
        self._clock = clock
        self._world = world

    def select(self, timeout: float | None = None) -> list[Any]:
        until_s = float("inf") if timeout is None else self._clock.now_s + max(timeout, 0.0)
        while True:
            self._world.run(self._clock.now_s)
            ready = super().select(0)
            next_s = min(until_s, self._world.next_s())
            assert next_s < float("inf"), "nothing will ever happen again"
            if ready or next_s <= self._clock.now_s:
                return ready
            self._clock.now_s = next_s


class AtOnce(concurrent.futures.ThreadPoolExecutor):
    """Does in the caller's thread what would otherwise take real time in another."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop itself; `time` is the clock's."""

    def __init__(self, clock: Clock, world: World) -> None:
        self._clock = clock
        super().__init__(Jumping(clock, world))
        self.set_default_executor(AtOnce())

    def time(self) -> float:
        return self._clock.now_s


def played(clock: Clock, world: World, scene: Coroutine[Any, Any, Result]) -> Result:
    """Let the scene happen, to its end."""
    loop = VirtualLoop(clock, world)
    try:
        return loop.run_until_complete(scene)
    finally:
        loop.close()
