"""Twins on real ptys, served by a thread in real seconds, and links that are connected to them."""

import asyncio
import contextlib
import os
import select
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping
from pathlib import Path

from drivers.line import Line
from drivers.link import Link
from drivers.registry import make_driver
from service.core.model import Instant, LinkState
from simulator.bus import Bus
from simulator.devices.instrument import Fault
from simulator.faults import Line as Twin
from tests.contract.bench import Told, fault_of
from tests.contract.pairs import PAIRS

TICK_S = 0.05
WIRE_SPEED = 8.0
"""Bytes still come in pieces, and a hundred lines leave the computer time for their drivers."""
POLL_S = 0.5


class Served:
    """The twins of these pairs behind links in a directory, by the names that they are given."""

    def __init__(self, directory: Path, names: Mapping[str, str]) -> None:
        self.directory = directory
        self.twins = {key: Twin(key, PAIRS[name].twin(1, 0.0)) for key, name in names.items()}
        self._bus = Bus(self.twins, directory, speed=WIRE_SPEED)
        self._turn = threading.Lock()
        self._ending = False
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def fault(self, key: str, name: str) -> None:
        with self._turn:
            self.twins[key].fault(self.wanted(key, name), time.monotonic())

    def clear(self, key: str) -> None:
        with self._turn:
            self.twins[key].clear()

    def wanted(self, key: str, name: str) -> Fault:
        return fault_of(self.twins[key], name)

    def path(self, key: str) -> str:
        """The device that a key's link leads to now."""
        return os.readlink(self.directory / key)

    def __enter__(self) -> "Served":
        self._bus.open()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        self._thread.join()
        self._bus.close()

    def _serve(self) -> None:
        tick_s = time.monotonic()
        while not self._ending:
            wait_s = max(0.0, min(tick_s, self._bus.next_s()) - time.monotonic())
            select.select([self._bus.epoll], [], [], wait_s)
            with self._turn:
                now_s = time.monotonic()
                for fileno, _ in self._bus.epoll.poll(0):
                    self._bus.heard(fileno, now_s)
                if now_s >= tick_s:
                    tick_s = now_s + TICK_S
                    for twin in self.twins.values():
                        twin.instrument.sample(TICK_S)
                    self._bus.follow_cables()
                    self._bus.tick(now_s)
                self._bus.run(time.monotonic())


def now() -> Instant:
    return Instant(mono_ns=time.monotonic_ns(), utc_ns=time.time_ns())


def poll_s(name: str) -> float:
    """How often this pair's device is read here."""
    return max(PAIRS[name].interval_s, POLL_S)


@contextlib.asynccontextmanager
async def linked(name: str, port: str) -> Iterator[tuple[Link, Told]]:
    """A link to the driver of this pair at this port."""
    pair = PAIRS[name]
    driver = make_driver(pair.driver, pair.settings(1))
    told = Told(name, time.monotonic)
    link = told.link(driver, Line(port, driver.serial, now), 1 / poll_s(name))
    link.start()
    try:
        yield link, told
    finally:
        await link.close()


async def lost(told: Told, within_s: float) -> None:
    await told.until(lambda: told.state is LinkState.LOST, within_s)


async def all_of(scenes: Mapping[str, Coroutine[None, None, None]]) -> None:
    """Let the scenes happen at once, each to its end; what failed is told by name."""
    results = await asyncio.gather(*scenes.values(), return_exceptions=True)
    failed = {n: repr(r) for n, r in zip(scenes, results, strict=True) if r is not None}
    assert not failed, failed
