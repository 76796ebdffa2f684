"""`hipec devices set`: a heater, pump or contactors moved by hand, never while a room is live.

A room that is live holds the port's lock, so opening the port is the check. A run has a lease that
this program renews: it ends with off, which is repeated until the drive confirms it. Only a program
that is killed outright (SIGKILL, power) leaves the drive as it is; contactors are opened even then,
by the watchdog of their module.
"""

import asyncio

from drivers.classes import Done, Driver
from drivers.link import acts_of, is_contactor
from drivers.orders import Orders
from drivers.registry import DRIVERS
from service.core.model import CommandState, DeviceClass, LinkState
from service.devices import readings
from service.devices.bench import Bench, BenchError, ended, opened
from service.devices.watch import Say, live

LEASE_S, RENEW_S = 3.0, 1.0
OFF_PATIENCE_S = 10.0
RUN, OFF = 1, 2
POLL_HZ = 1.0
CLOSED = 1.0
"""The value that stands for closed contactors: they take none."""


def check(bench: Bench, allowed: bool, order: str, value: float | None) -> None:
    """Raise `BenchError` for what must not or cannot be ordered."""
    if acts_of(bench.driver) is None:
        raise BenchError(_drives_nothing(bench.driver))
    if not allowed:
        raise BenchError(
            "set moves a heater, pump or contactors without a room's limits and alarms: use it on "
            "a bench only, with no patient connected, and say so with --bench"
        )
    if "://" in bench.port:
        raise BenchError(
            f"{bench.port}: over a network nobody can tell whether a room uses the port; connect "
            "the instrument to this computer"
        )
    if is_contactor(bench.driver):
        if value is not None:
            raise BenchError("contactors take no value; write run to close them, off to open them")
    elif (order == "run") != (value is not None):
        raise BenchError("write run VALUE (°C for a heater, ml/min for a pump), or off")


def _drives_nothing(driver: Driver) -> str:
    if driver.device_class is DeviceClass.SWITCHES:
        return f"this {driver.name} has no contactors; say how many with --setting outputs=2"
    drives = ", ".join(name for name, make in DRIVERS.items() if acts_of(make()))
    return f"{driver.name} moves nothing; set is for {drives}"


class Ordered:
    """What became of the two orders that a bench gives: run, then off."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.ran: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self.stopped: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self.ending = ended()

    def done(self, order: int | None, done: Done) -> None:
        """Take in what the link reports of an order."""
        name = "run" if order == RUN else "off"
        self._say(f"{name}: {done.state}" + (f", {done.reason}" if done.reason else ""))
        if order == RUN and not self.ran.done():
            self.ran.set_result(done)
        elif order != RUN and done.state is CommandState.CONFIRMED and not self.stopped.done():
            self.stopped.set_result(done)

    def linked(self, state: LinkState, reason: str, identity: str) -> None:
        """A drive that does not answer is stopped as soon as it can be."""
        self._say(f"{state}: {reason or identity}")
        if state is LinkState.LOST:
            self.ending.set()


async def set_drive(bench: Bench, order: str, value: float | None, for_s: float, say: Say) -> bool:
    """Run at `value` (°C or ml/min; None for contactors) for `for_s` seconds and then off.

    Ctrl-C, SIGTERM, a closed terminal and a lost connection end a run. True when off was
    confirmed, and the run before it. Raises `BenchError` where the drive is not there.
    """
    async with opened(bench) as (line, recorder):
        ordered = Ordered(say)
        async with live(
            bench,
            line,
            recorder,
            POLL_HZ,
            lambda polled: say(readings.one_line(bench.driver, polled)),
            ordered.linked,
            ordered.done,
        ) as link:
            assert link.orders is not None
            try:
                runs_at = CLOSED if value is None else value
                ran = order == "off" or await _run(link.orders, ordered, runs_at, for_s)
            finally:
                stopped = await _off(link.orders, ordered, say)
            return ran and stopped


async def _run(orders: Orders, ordered: Ordered, value: float, for_s: float) -> bool:
    """Keep the drive running until its time is over or something ends it; False when refused."""
    loop = asyncio.get_running_loop()
    until = loop.time() + for_s
    orders.run(RUN, value, LEASE_S)
    while not ordered.ending.is_set() and (left_s := until - loop.time()) > 0:
        orders.renew(LEASE_S)
        try:
            async with asyncio.timeout(min(RENEW_S, left_s)):
                await ordered.ending.wait()
        except TimeoutError:
            if ordered.ran.done() and ordered.ran.result().state is not CommandState.CONFIRMED:
                return False
    return ordered.ran.done() and ordered.ran.result().state is CommandState.CONFIRMED


async def _off(orders: Orders, ordered: Ordered, say: Say) -> bool:
    orders.off(OFF)
    try:
        async with asyncio.timeout(OFF_PATIENCE_S):
            await ordered.stopped
    except TimeoutError:
        say("off was not confirmed: switch it off at its own switch")
        return False
    return True
