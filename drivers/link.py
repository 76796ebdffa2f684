"""The link to one configured device: opening, identifying, live, lost, and back, for ever."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TypeGuard

from drivers.classes import Driver, Heater, Identity, Polled, Pump
from drivers.dialogue import Answer, BadReply, Dialogue, NoReply, Refused
from drivers.line import Line, Overtaken
from drivers.orders import OnDone, Orders
from drivers.port import LineLost
from service.core.model import DeviceClass, LinkState

OnFrame = Callable[[Polled], None]
OnLink = Callable[[LinkState, str, str], None]
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
RETRY_S = 0.2
LOST_AFTER_S = 1.5
"""A failed poll is repeated after 0.2 s, not after the poll's period. The link is lost when a poll
fails and the last good one is this old: a device that falls silent is lost within 2.5 s at 1 Hz."""
log = logging.getLogger(__name__)


class Link:
    """Keeps one device connected, polls it and carries its orders. All calls from the event loop.

    `on_frame(polled)` for each good poll; `on_link(state, reason, identity)` when the state, or
    the reason for being lost, changes; `on_done(order, done)` as told in `Orders`, whose `run`,
    `renew` and `off` are at `orders` for a pump or heater (None for any other device).
    """

    def __init__(
        self,
        *,
        name: str,
        driver: Driver,
        line: Line,
        poll_hz: float,
        on_frame: OnFrame,
        on_link: OnLink,
        on_done: OnDone,
    ) -> None:
        self.name = name
        self.driver = driver
        self.state: LinkState | None = None
        self.reason = ""
        self.orders = Orders(driver, line, on_done) if is_drive(driver) else None
        self._line = line
        self._period_s = 1 / poll_hz
        self._on_frame = on_frame
        self._on_link = on_link
        self._pause_s = FIRST_PAUSE_S
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to connect; returns at once and never gives up."""
        work = [self._keep_connected()] + ([self.orders.work()] if self.orders else [])
        self._tasks = [asyncio.create_task(one, name=f"link {self.name}") for one in work]

    async def close(self) -> None:
        """End polling and leave the port. Sends nothing: whoever closes has ordered off before."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._line.close(self)

    async def _keep_connected(self) -> None:
        self._tell(LinkState.OPENING)
        while True:
            try:
                await self._connect()
                await self._poll()
            except NoReply as silence:
                self._lose(f"{silence}; look at its power, its cable, its address and baud rate")
            except (LineLost, BadReply, Refused) as failure:
                self._lose(str(failure))
            except Exception as mistake:
                # A mistake in one driver must not end the watch over its device for good.
                log.exception("%s: mistake in the program", self.name)
                self._lose(f"mistake in the program ({mistake!r}); please report it")
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    async def _connect(self) -> None:
        await self._line.open(self)
        if self.orders:
            self.orders.opened(live=False)
        if self.state is LinkState.OPENING:
            self._tell(LinkState.IDENTIFYING)
        identity = await self._undisturbed(self.driver.identify)
        if self.state is LinkState.LOST:
            log.warning("%s is back on %s", self.name, self._line.path)
        self._tell(LinkState.LIVE, identity=describe(identity))
        if self.orders:
            self.orders.opened(live=True)

    async def _poll(self) -> None:
        """Poll at the device's rate; returns only by raising why the device is lost."""
        clock = asyncio.get_running_loop().time
        due = good = clock()
        while True:
            try:
                polled = await self._undisturbed(self.driver.poll)
            except (NoReply, BadReply):
                if clock() - good >= LOST_AFTER_S:
                    raise
                await asyncio.sleep(RETRY_S)
                continue
            good = clock()
            self._pause_s = FIRST_PAUSE_S
            self._on_frame(polled)
            due = good if self.driver.pushes else max(due + self._period_s, good)
            await asyncio.sleep(due - good)

    async def _undisturbed(self, dialogue: Callable[[], Dialogue[Answer]]) -> Answer:
        """Carry a dialogue that only reads, from its start again when an off broke into it."""
        while True:
            with contextlib.suppress(Overtaken):
                return await self._line.run(dialogue())

    def _lose(self, failure: str) -> None:
        self._line.close(self)
        if self.orders:
            self.orders.lost()
        if self.state is not LinkState.LOST:
            log.warning("%s on %s is lost: %s", self.name, self._line.path, failure)
        if (self.state, self.reason) != (LinkState.LOST, failure):
            self._tell(LinkState.LOST, failure)

    def _tell(self, state: LinkState, reason: str = "", identity: str = "") -> None:
        self.state, self.reason = state, reason
        self._on_link(state, reason, identity)


def is_drive(driver: Driver) -> TypeGuard[Heater | Pump]:
    """True for a driver that can be told to run and to stop."""
    return driver.device_class in (DeviceClass.HEATER, DeviceClass.PUMP)


def describe(identity: Identity) -> str:
    """Who a device is, in one line."""
    parts = [identity.model]
    parts += [f"serial number {identity.serial}"] if identity.serial else []
    parts += [f"firmware {identity.firmware}"] if identity.firmware else []
    return ", ".join(parts)
