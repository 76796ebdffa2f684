"""A driver, its link and its twin on a memory port, in virtual time, and what was told of it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from drivers.classes import Driver, Polled
from drivers.line import Line
from drivers.link import Link
from drivers.registry import make_driver
from service.core.model import Instant, LinkState
from simulator.devices.instrument import Fault
from simulator.faults import FAULTS
from simulator.faults import Line as Twin
from simulator.wire import Wire
from tests.contract.pairs import PAIRS, Pair
from tests.contract.protocol_memory import PLUGS, Plug
from tests.contract.virtual import Clock, played

Result = TypeVar("Result")
TICK_S, PACE_S = 0.05, 0.01
LEADS = ("open", "short", "offset", "drift")


class Told:
    """What one link told, each with the second when it told it."""

    def __init__(self, name: str, time: Callable[[], float]) -> None:
        self.name = name
        self._time = time
        self._news = asyncio.Event()
        self.frames: list[tuple[float, Polled]] = []
        self.links: list[tuple[float, LinkState, str]] = []
        self.done: list[tuple[float, object]] = []

    def link(self, driver: Driver, line: Line, poll_hz: float) -> Link:
        return Link(
            name=self.name,
            driver=driver,
            line=line,
            poll_hz=poll_hz,
            on_frame=lambda polled: self._note(self.frames, polled),
            on_link=lambda state, reason, _: self._note(self.links, state, reason),
            on_done=lambda order, done: self._note(self.done, done),
        )

    @property
    def state(self) -> LinkState | None:
        return self.links[-1][1] if self.links else None

    def since(self, start_s: float) -> list[Polled]:
        """The frames that were measured after this second."""
        return [polled for _, polled in self.frames if polled.at.mono_ns > start_s * 1e9]

    async def until(self, holds: Callable[[], object], within_s: float) -> None:
        """Return once it holds; it is looked at whenever the link tells something."""
        async with asyncio.timeout(within_s):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def live(self, within_s: float = 20.0) -> None:
        """Return once the device is live and has told one frame more than before."""
        start_s = self._time()
        await self.until(lambda: self.state is LinkState.LIVE and self.since(start_s), within_s)

    def _note(self, told: list[Any], *what: object) -> None:
        told.append((self._time(), *what))
        self._news.set()


class Logged(logging.Handler):
    """What the drivers log, as (second, message)."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(logging.WARNING)
        self._clock = clock
        self.told: list[tuple[float, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append((self._clock.now_s, record.getMessage()))


@dataclass(frozen=True, kw_only=True)
class Station:
    """A pair at an address of a line; its twin measures `shift` more than the table says."""

    pair: Pair
    address: int = 1
    shift: float = 0.0

    def driver(self) -> Driver:
        return make_driver(self.pair.driver, self.pair.settings(self.address))

    def twin(self) -> Twin:
        name = f"{self.pair.port}-{self.address}"
        return Twin(name, self.pair.twin(self.address, self.shift))


class Bench:
    """The twins of one or several stations behind one memory port: a virtual loop's world."""

    def __init__(self, *stations: Station) -> None:
        self.stations = stations
        self.pair = stations[0].pair
        self.clock = Clock()
        self.logged = Logged(self.clock)
        self.twins = [station.twin() for station in stations]
        self.plug = Plug(Wire(self.twins, pace_s=PACE_S))
        self.path = f"memory://{self.twin.name}"
        self.told: list[Told] = []
        self.links: list[Link] = []
        self.lines: list[Line] = []
        self._tick_s = 0.0

    @property
    def twin(self) -> Twin:
        return self.twins[0]

    def run(self, now_s: float) -> None:
        while self._tick_s <= now_s:
            self._tick_s += TICK_S
            for twin in self.twins:
                twin.instrument.sample(TICK_S)
            self.plug.wire.tick(now_s)
        self.plug.run(now_s)

    def next_s(self) -> float:
        return min(self._tick_s, self.plug.next_s())

    def now(self) -> Instant:
        nanoseconds = round(self.clock.now_s * 1e9)
        return Instant(mono_ns=nanoseconds, utc_ns=nanoseconds)

    def driver(self) -> Driver:
        return self.stations[0].driver()

    def line(self) -> Line:
        return Line(self.path, self.driver().serial, self.now)

    async def connected(self) -> tuple[Line, Driver]:
        """An open line without a link, and a driver that has identified its device on it."""
        line, driver = self.line(), self.driver()
        await line.open(self)
        self.lines.append(line)
        await line.run(driver.identify())
        return line, driver

    def start(self) -> Told:
        """Connect a link to each twin; gives what the first one tells."""
        line = self.line()
        for station, twin in zip(self.stations, self.twins, strict=True):
            told = Told(twin.name, lambda: self.clock.now_s)
            self.links.append(told.link(station.driver(), line, 1 / station.pair.interval_s))
            self.told.append(told)
        for link in self.links:
            link.start()
        return self.told[0]

    def play(self, scene: Callable[["Bench"], Coroutine[Any, Any, Result]]) -> Result:
        """Let a scene happen on this bench and close its links."""
        PLUGS[self.path] = self.plug
        log = logging.getLogger("drivers")
        log.addHandler(self.logged)
        propagates, log.propagate = log.propagate, False
        try:
            return played(self.clock, self, self._scene(scene))
        finally:
            log.propagate = propagates
            log.removeHandler(self.logged)
            del PLUGS[self.path]

    async def _scene(self, scene: Callable[["Bench"], Coroutine[Any, Any, Result]]) -> Result:
        try:
            return await scene(self)
        finally:
            for link in self.links:
                await link.close()
            for line in self.lines:
                line.close(self)


def bench(name: str, *shifts: float) -> Bench:
    """A bench of one row of the table of pairs; with shifts, one more device for each."""
    return Bench(
        *(
            Station(pair=PAIRS[name], address=address, shift=shift)
            for address, shift in enumerate((0.0, *shifts), start=1)
        )
    )


def fault_of(twin: Twin, name: str, times: int | None = None) -> Fault:
    """A fault as it is set on this twin: on its first input, by one unit, where it wants those."""
    kind, inputs = FAULTS[name], twin.instrument.inputs
    return Fault(
        name=name,
        input=inputs[0] if inputs and name in LEADS else None,
        value=1.0 if kind.value and kind.default is None else None,
        times=times,
    )
