"""What a drive is told to do: the newest run order, off before all else, and the lease.

- A run order is sent once. Nothing is repeated blindly; without a read-back its outcome is unknown.
- A contactor's run is kept up: it is held again and again, which feeds the watchdog of its module,
  until that is refused. Keeping up closes nothing that has opened; a new run order does.
- Off is the one order that is repeated, until it is confirmed: stopping twice does no harm.
- Off drops a run order that was not sent yet and breaks into one that is being sent.
- A run is valid for its lease. If nobody renews it, the link sends off by itself.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from drivers.classes import Done
from drivers.dialogue import BadReply, Dialogue, NoReply, Refused
from drivers.line import Line, Overtaken
from drivers.port import LineLost
from service.core.model import CommandState

OnDone = Callable[[int | None, Done], None]
FIRST_REPEAT_S = 0.2
LONGEST_REPEAT_S = 1.0
BY_OFF = "stop or heater off came first"
log = logging.getLogger(__name__)
LEASE_OVER = "nobody renewed the order in time: switched off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acts:
    """What a drive does for an order, each read back, under the name of its driver.

    `keep` keeps a run up that would end by itself, every `keep_s` seconds; None: it goes on.
    """

    name: str
    run: Callable[[float], Dialogue[Done]]
    off: Callable[[], Dialogue[Done]]
    keep: Callable[[], Dialogue[Done]] | None = None
    keep_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Run:
    """A run order; `told` is what became of it when it was last told."""

    order: int
    value: float
    told: CommandState | None = None


@dataclass(slots=True, kw_only=True)
class Off:
    """An off that is not confirmed yet; `told` once its trouble was reported."""

    order: int | None
    told: bool = False


class Orders:
    """The orders of one drive. `on_done(order, done)` tells what became of each.

    The order is None for an off that the link sends by itself because a lease is over. An off
    reports once that it is not confirmed (refused, unknown) and again when it is. A run
    reports once, and one that is kept up again when an unknown outcome has become certain; that it
    has ended since is seen in what the device says of itself.
    """

    def __init__(self, acts: Acts, line: Line, on_done: OnDone) -> None:
        self._acts = acts
        self._line = line
        self._on_done = on_done
        self._run: Run | None = None
        self._kept: Run | None = None
        self._keep_at = 0.0
        self._offs: list[Off] = []
        self._lease_until: float | None = None
        self._live = False
        self._known = False
        self._run_wanted = asyncio.Event()
        self._off_wanted = asyncio.Event()
        self._off_ordered = asyncio.Event()

    @property
    def off_wanted(self) -> bool:
        """True while an off was ordered and is not confirmed."""
        return bool(self._offs)

    def run(self, order: int, value: float, lease_s: float) -> None:
        """Run at `value` for at most `lease_s`; replaces a run order that was not sent yet."""
        if not self._live:
            self._refuse(order, "the device is not connected")
            return
        if self._run is not None:
            self._refuse(self._run.order, "a newer order replaced it")
        self._run = Run(order=order, value=value)
        self._lease_until = self._time() + lease_s
        self._run_wanted.set()

    def renew(self, lease_s: float) -> bool:
        """Let the present run go on for `lease_s` from now; False when there is none."""
        if self._lease_until is None:
            return False
        self._lease_until = self._time() + lease_s
        return True

    def off(self, order: int | None) -> None:
        """Stop the drive, now, and until that is confirmed."""
        self._offs.append(Off(order=order))
        self._lease_until = None
        self._kept = None
        self._drop_run(BY_OFF)
        self._off_wanted.set()
        self._off_ordered.set()

    async def off_ordered(self) -> None:
        """Wait for an off that was ordered since the last wait, or since the port was opened."""
        await self._off_ordered.wait()
        self._off_ordered.clear()

    def opened(self, *, live: bool) -> None:
        """The port is open; `live` once the device has told who it is.

        A wanted off is sent before that to a device that was live on this port earlier: it may
        hear although it does not answer.
        """
        self._live = live
        self._known = self._known or live
        self._off_ordered.clear()
        if self._offs:
            self._off_wanted.set()
        if self._kept:
            self._run_wanted.set()

    def lost(self) -> None:
        """The device does not answer or its port is gone."""
        self._live = False
        self._drop_run("the connection was lost before it was sent")

    async def work(self) -> None:
        """Send what is ordered, for ever."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._send_offs())
            both.create_task(self._send_runs())

    async def _send_offs(self) -> None:
        while True:
            await self._off_wanted.wait()
            self._off_wanted.clear()
            if not self._reachable():
                reason = "the device is not connected; off is sent as soon as it is"
                self._conclude(len(self._offs), Done(state=CommandState.UNKNOWN, reason=reason))
            await self._off_until_confirmed()

    async def _off_until_confirmed(self) -> None:
        """Repeat off; only a new one is urgent again, so that readings get through as well."""
        urgent, pause_s = True, FIRST_REPEAT_S
        while self._offs and self._reachable():
            count = len(self._offs)
            self._conclude(count, await self._attempt(self._acts.off(), urgent=urgent))
            if not self._offs:
                return
            try:
                async with asyncio.timeout(pause_s):
                    await self._off_wanted.wait()
            except TimeoutError:
                urgent, pause_s = False, min(2 * pause_s, LONGEST_REPEAT_S)
            else:
                self._off_wanted.clear()
                urgent, pause_s = True, FIRST_REPEAT_S

    def _conclude(self, count: int, done: Done) -> None:
        """Tell what became of the `count` oldest offs."""
        for off in self._offs[:count]:
            if done.state is CommandState.CONFIRMED or not off.told:
                off.told = True
                reason = " ".join(filter(None, (LEASE_OVER * (off.order is None), done.reason)))
                self._on_done(off.order, replace(done, reason=reason))
        if done.state is CommandState.CONFIRMED:
            del self._offs[:count]
            self._run_wanted.set()

    async def _send_runs(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._due()):
                    await self._run_wanted.wait()
            self._run_wanted.clear()
            if self._lease_until is not None and self._lease_until <= self._time():
                self._drop_run(LEASE_OVER)
                self.off(None)
            elif self._may_run and (run := self._run or self._kept):
                self._run, self._kept = None, run if self._acts.keep else None
                await self._send(run)

    @property
    def _may_run(self) -> bool:
        return self._live and not self._offs

    def _due(self) -> float | None:
        """When the lease is over or the run has to be kept up, whichever comes first."""
        if self._kept is None or self._lease_until is None or not self._may_run:
            return self._lease_until
        return min(self._lease_until, self._keep_at)

    async def _send(self, run: Run) -> None:
        """Send a run, or keep up one that was sent, until that is refused."""
        self._keep_at = self._time() + self._acts.keep_s
        again = run.told is not None and self._acts.keep
        done = await self._attempt(again() if again else self._acts.run(run.value))
        if run.told in (None, CommandState.UNKNOWN) and run.told is not done.state:
            run.told = done.state
            self._on_done(run.order, done)
        if self._kept is run and done.state is CommandState.REFUSED:
            self._kept = None

    async def _attempt(self, dialogue: Dialogue[Done], *, urgent: bool = False) -> Done:
        try:
            return await self._line.run(dialogue, urgent=urgent)
        except Refused as refused:
            return Done(state=CommandState.REFUSED, reason=str(refused))
        except Overtaken:
            # Whatever part of it was sent, an off of our own undoes it.
            state = CommandState.REFUSED if self._offs else CommandState.UNKNOWN
            return Done(state=state, reason=BY_OFF)
        except (NoReply, BadReply, LineLost) as failure:
            return Done(state=CommandState.UNKNOWN, reason=str(failure))
        except Exception as mistake:
            # A mistake in a driver must not end the repetition of off.
            log.exception("%s: mistake in the program", self._acts.name)
            return Done(state=CommandState.UNKNOWN, reason=f"mistake in the program ({mistake!r})")

    def _reachable(self) -> bool:
        return self._known and self._line.is_open

    def _drop_run(self, reason: str) -> None:
        if self._run is not None:
            self._refuse(self._run.order, reason)
            self._run = None

    def _refuse(self, order: int, reason: str) -> None:
        self._on_done(order, Done(state=CommandState.REFUSED, reason=reason))

    @staticmethod
    def _time() -> float:
        return asyncio.get_running_loop().time()
