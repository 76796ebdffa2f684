"""The link to one configured device: opening, identifying, live, lost, and back, for ever."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeGuard, cast

from drivers.classes import Contactor, Done, Driver, Heater, Identity, Polled, Pump
from drivers.dialogue import Answer, BadReply, Dialogue, NoReply, Refused
from drivers.line import Line, Overtaken, Traffic
from drivers.orders import Acts, OnDone, Orders
from drivers.port import LineLost
from drivers.registry import asked_at
from service.core.model import CommandState, DeviceClass, LinkState

OnFrame = Callable[[Polled], None]
OnLink = Callable[[LinkState, str, str], None]
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
LONGEST_PAUSE_BEFORE_OFF_S = 1.0
"""A lost device may be a heater that runs and waits for its off: that is tried every second."""

RETRY_S = 0.2
HOLDS_PER_WATCHDOG = 5
"""At least four must reach the module; a hold that waits for a poll on its line comes late."""

LOST_AFTER_S = 1.5
"""A failed poll is repeated after 0.2 s, not after the poll's period. The link is lost when a poll
fails and the last good one is this old: a device that falls silent is lost within 2.5 s at 1 Hz.
It is live, and back, with its first good poll: one that tells who it is and then fails is not."""
log = logging.getLogger(__name__)


class Link:
    """Keeps one device connected, polls it and carries its orders. All calls from the event loop.

    `on_frame(polled)` for each good poll; `on_link(state, reason, identity)` when the state, or
    the reason for being lost, changes; `on_done(order, done)` as told in `Orders`, whose `run`,
    `renew` and `off` are at `orders` for a heater, pump or contactor (None for any other device).
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
        acts = acts_of(driver)
        self.orders = Orders(acts, line, on_done) if acts else None
        self._line = line
        self._period_s = 1 / poll_hz
        self._on_frame = on_frame
        self._on_link = on_link
        self._pause_s = FIRST_PAUSE_S
        self._errors = 0
        self._tasks: list[asyncio.Task[None]] = []

    def traffic(self) -> tuple[Traffic, ...]:
        """What was sent and read in the last 60 s on its line, other devices on it included."""
        return self._line.traffic()

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
                await self._poll(await self._connect())
            except NoReply as silence:
                self._lose(
                    f"{silence}, asked at {asked_at(self.driver)}; look at its power, its cable, "
                    "its address and baud rate"
                )
            except BadReply as rubbish:
                self._lose(f"{rubbish}; asked at {asked_at(self.driver)}")
            except (LineLost, Refused) as failure:
                self._lose(str(failure))
            except Exception as mistake:
                # A mistake in one driver must not end the watch over its device for good.
                log.exception("%s: mistake in the program", self.name)
                self._lose(f"mistake in the program ({mistake!r}); please report it")
            await self._pause()
            waits_for_off = self.orders is not None and self.orders.off_wanted
            longest_s = LONGEST_PAUSE_BEFORE_OFF_S if waits_for_off else LONGEST_PAUSE_S
            self._pause_s = min(2 * self._pause_s, longest_s)

    async def _pause(self) -> None:
        """Wait before the next attempt; a new off does not wait for that."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pause_s):
                await (self.orders.off_ordered() if self.orders else asyncio.Event().wait())

    async def _connect(self) -> Identity:
        """Open the port and find out who answers."""
        await self._line.open(self)
        if self.orders:
            self.orders.opened(live=False)
            # A wanted off takes its turn here: were it to wait for the question who is there, a
            # device that hears and cannot answer would have lost its port before.
            await asyncio.sleep(0)
        if self.state is LinkState.OPENING:
            self._tell(LinkState.IDENTIFYING)
        return await self._undisturbed(self.driver.identify)

    async def _poll(self, identity: Identity) -> None:
        """Poll at the device's rate; returns only by raising why the device is lost."""
        clock = asyncio.get_running_loop().time
        due = good = clock()
        while True:
            try:
                polled = await self._undisturbed(self.driver.poll)
            except (NoReply, BadReply):
                self._errors += 1
                # Who was identified on a disturbed line may not have told all it has: ask again.
                if self.state is not LinkState.LIVE or clock() - good >= LOST_AFTER_S:
                    raise
                await asyncio.sleep(RETRY_S)
                continue
            good = clock()
            self._pause_s = FIRST_PAUSE_S
            if self.state is not LinkState.LIVE:
                self._live(identity)
            self._tell_frame(polled)
            due = good if self.driver.pushes else max(due + self._period_s, good)
            await asyncio.sleep(due - good)

    def _tell_frame(self, polled: Polled) -> None:
        if self._errors:
            polled = replace(polled, errors=polled.errors + self._errors)
            self._errors = 0
        self._on_frame(polled)

    async def _undisturbed(self, dialogue: Callable[[], Dialogue[Answer]]) -> Answer:
        """Carry a dialogue that only reads, from its start again when an off broke into it."""
        while True:
            with contextlib.suppress(Overtaken):
                return await self._line.run(dialogue())

    def _live(self, identity: Identity) -> None:
        if self.state is LinkState.LOST:
            log.warning("%s is back on %s", self.name, self._line.path)
        self._tell(LinkState.LIVE, identity=describe(identity))
        if self.orders:
            self.orders.opened(live=True)

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
    """True for a heater or pump, which can be told to run and to stop."""
    return driver.device_class in (DeviceClass.HEATER, DeviceClass.PUMP)


def is_contactor(driver: Driver) -> TypeGuard[Contactor]:
    """True for a module with relays in use, through which heater and pump have their power."""
    switches = driver.device_class is DeviceClass.SWITCHES
    return switches and cast(Contactor, driver).outputs > 0


def acts_of(driver: Driver) -> Acts | None:
    """What orders make this driver do, None where it drives nothing."""
    if is_drive(driver):
        return Acts(name=driver.name, run=driver.run, off=driver.off)
    if is_contactor(driver):
        return Acts(
            name=driver.name,
            run=lambda _: _close(driver),
            off=driver.drop,
            keep=driver.hold,
            keep_s=driver.watchdog_s / HOLDS_PER_WATCHDOG,
        )
    return None


def _close(contactor: Contactor) -> Dialogue[Done]:
    """Hold contactors that are closed, close those that are open: what a person has ordered."""
    done = yield from contactor.hold()
    if done.state is not CommandState.REFUSED:
        return done
    dropped = yield from contactor.drop()
    return (yield from contactor.hold()) if dropped.state is CommandState.CONFIRMED else dropped


def describe(identity: Identity) -> str:
    """Who a device is, in one line."""
    parts = [identity.model]
    parts += [f"serial number {identity.serial}"] if identity.serial else []
    parts += [f"firmware {identity.firmware}"] if identity.firmware else []
    return ", ".join(parts)
