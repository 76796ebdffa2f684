"""One serial line, which alone touches its port: carries dialogues, one after the other."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from operator import methodcaller
from typing import TypeVar

from drivers.classes import Serial, SettingError
from drivers.dialogue import (
    Answer,
    Ask,
    BadReply,
    Dialogue,
    Framer,
    Listen,
    NoReply,
    Reply,
    Step,
    Tell,
)
from drivers.frames import Inbox
from drivers.port import LineLost, Port
from drivers.turns import Turns
from service.core.model import Instant

Given = TypeVar("Given")
Opens = Callable[[str, Serial], Port]
READ: Callable[[Port], bytes] = methodcaller("read")
KEPT_NS = 60_000_000_000
KEPT_CHUNKS = 20_000
LATE_S = 0.1
"""After a missing or wrong answer, or a read that was given up, the next question waits this long,
so that a late answer to the old question is not taken for the new one's. A `Tell` does not wait,
which is why stop and heater off begin with one; their reading back does."""
STILL_S, STILL_PATIENCE_S = 0.006, 0.2
"""While bytes that nobody asked for are arriving, a question waits for a pause between them."""
WRITE_PATIENCE_S = 1.0


class Overtaken(Exception):
    """Stop or heater off needed the line: this dialogue was broken off between two steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One chunk on the wire, for diagnosis; `sent` is False for what was read."""

    at: Instant
    sent: bool
    data: bytes


class Line:
    """A port and the devices on it, which talk in turn.

    `now` stamps chunks; deadlines and pauses count seconds of the event loop. Of what was asked,
    an exact echo is stripped once; a read that met its deadline eats nothing of the next reply.
    `opens` makes the port, in another thread.
    """

    def __init__(
        self, port: str, serial: Serial, now: Callable[[], Instant], opens: Opens = Port
    ) -> None:
        self.path = port
        self.serial = serial
        self._now = now
        self._opens = opens
        self._port: Port | None = None
        self._users: set[object] = set()
        self._opening = asyncio.Lock()
        self._turns = Turns()
        self._inbox = Inbox()
        self._waiter: asyncio.Future[bool] | None = None
        self._lost = f"{port} is not open"
        self._quiet_until = 0.0
        self._late_until = 0.0
        self._traffic: deque[Traffic] = deque(maxlen=KEPT_CHUNKS)
        self._time: Callable[[], float] = time.monotonic

    @property
    def is_open(self) -> bool:
        """True from `open` until the port is closed or goes away."""
        return self._port is not None

    def wire_s(self, size: int) -> float:
        """Seconds that `size` bytes need on the wire."""
        return size * self.serial.bits_per_char / self.serial.baud

    def traffic(self) -> tuple[Traffic, ...]:
        """What was sent and read in the last 60 s."""
        return tuple(self._traffic)

    async def open(self, user: object) -> None:
        """Open the port for one more user; raises `LineLost` with what to do about it."""
        self._time = asyncio.get_running_loop().time
        async with self._opening:
            if self._port is None:
                self._port = await self._open_port()
                self._inbox.discard()
                self._port.watch(self._readable)
            self._users.add(user)

    def close(self, user: object) -> None:
        """Close the port when no other user is left."""
        self._users.discard(user)
        if not self._users:
            self._drop(f"{self.path} is not open")

    async def run(self, dialogue: Dialogue[Answer], *, urgent: bool = False) -> Answer:
        """Carry a dialogue to its answer when its turn comes; `urgent` overtakes all others.

        Raises what the dialogue raises, `LineLost`, or `Overtaken` between two of its steps.
        """
        await self._turns.take(urgent)
        try:
            return await self._carry(dialogue, urgent)
        except BadReply:
            # Else a device that speaks unasked would go on being read from old rubbish.
            self._inbox.discard()
            raise
        finally:
            dialogue.close()
            self._turns.release()

    async def _carry(self, dialogue: Dialogue[Answer], urgent: bool) -> Answer:
        try:
            step = next(dialogue)
            while True:
                if self._turns.urgent_waits and not urgent:
                    raise Overtaken("stop or heater off came first")
                try:
                    reply = await self._take(step)
                except (NoReply, BadReply) as failure:
                    step = dialogue.throw(failure)
                else:
                    step = dialogue.send(reply)
        except StopIteration as ended:
            answer: Answer = ended.value
            return answer

    async def _take(self, step: Step) -> Reply:
        match step:
            case Tell():
                await self._rest(self._quiet_until)
                await self._write(step.tx)
                self._quiet_until = self._time() + self.wire_s(len(step.tx)) + step.quiet_s
                return Reply(data=b"", at=self._now())
            case Ask():
                await self._rest(max(self._quiet_until, self._late_until))
                await self._stillness()
                self._inbox.discard(echo=step.tx)
                await self._write(step.tx)
                deadline = self._time() + self.wire_s(len(step.tx)) + step.timeout_s
                reply = await self._receive(step.reply, deadline)
                self._quiet_until = self._time() + step.quiet_s
                return reply
            case Listen(timeout_s=0.0):
                return self._at_hand(step.reply)
            case Listen():
                return await self._receive(step.reply, self._time() + step.timeout_s)

    async def _receive(self, framer: Framer, deadline: float) -> Reply:
        """Wait for a whole reply; the deadline moves with the wire time of what has arrived."""
        self._inbox.start_over()
        try:
            while (reply := self._inbox.take(framer)) is None:
                self._need_port()
                if not await self._arrives(deadline + self.wire_s(len(self._inbox))):
                    # After a stall of this process the answer may be there, its deadline gone by.
                    reply = self._inbox.take(framer)
                    break
            if reply is None:
                raise self._inbox.no_reply()
            return reply
        except (NoReply, BadReply, asyncio.CancelledError):
            self._late_until = self._time() + LATE_S
            raise

    async def _arrives(self, deadline: float) -> bool:
        """Wait for the next chunk or the loss of the port; False when the deadline comes first."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiter = waiter
        timer = loop.call_at(deadline, _wake, waiter, False)
        try:
            return await waiter
        finally:
            timer.cancel()

    def _at_hand(self, framer: Framer) -> Reply:
        """A whole message that is there already; nothing was asked, so nothing can come late."""
        self._readable()
        self._need_port()
        self._inbox.start_over()
        reply = self._inbox.take(framer)
        if reply is None:
            raise self._inbox.no_reply()
        return reply

    async def _write(self, data: bytes) -> None:
        give_up = self._time() + WRITE_PATIENCE_S
        self._keep(data, sent=True)
        while data:
            data = data[self._guarded(methodcaller("write", data)) :]
            if data and self._time() > give_up:
                raise self._drop(f"{self.path} takes no bytes; look at the cable and the handshake")
            if data:
                await asyncio.sleep(0.01)

    async def _stillness(self) -> None:
        """Let the rest of an old or doubled answer pass, as far as it ends soon."""
        give_up = self._time() + STILL_PATIENCE_S
        self._readable()
        while self._inbox.holds_more() and self._time() < give_up:
            self._inbox.discard()
            await asyncio.sleep(STILL_S)
            self._readable()

    def _readable(self) -> None:
        """Take in what is there, stamped once; a port that went away wakes whoever waits."""
        with contextlib.suppress(LineLost):
            data = self._guarded(READ)
            if data:
                self._inbox.feed(data, self._keep(data, sent=False))
                _wake(self._waiter, True)

    def _guarded(self, act: Callable[[Port], Given]) -> Given:
        try:
            return act(self._need_port())
        except LineLost as lost:
            raise self._drop(str(lost)) from None

    def _need_port(self) -> Port:
        if self._port is None:
            raise LineLost(self._lost)
        return self._port

    def _drop(self, reason: str) -> LineLost:
        if self._port is not None:
            self._port.unwatch()
            self._port.close()
            self._port = None
            self._users.clear()
            self._lost = reason
            _wake(self._waiter, True)
        return LineLost(self._lost)

    def _keep(self, data: bytes, sent: bool) -> Instant:
        at = self._now()
        self._traffic.append(Traffic(at=at, sent=sent, data=data))
        while at.mono_ns - self._traffic[0].at.mono_ns > KEPT_NS:
            self._traffic.popleft()
        return at

    async def _open_port(self) -> Port:
        """Open in a thread, as adapters and networks take their time."""
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, self._opens, self.path, self.serial)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_unwanted)
            raise

    async def _rest(self, until: float) -> None:
        pause_s = until - self._time()
        if pause_s > 0:
            await asyncio.sleep(pause_s)


def _wake(waiter: asyncio.Future[bool] | None, arrived: bool) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(arrived)


def _close_unwanted(opening: asyncio.Future[Port]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


class Lines:
    """The lines of a room: devices that name the same port share one line."""

    def __init__(self, now: Callable[[], Instant], opens: Opens = Port) -> None:
        self._now = now
        self._opens = opens
        self._lines: dict[str, Line] = {}

    def line(self, port: str, serial: Serial) -> Line:
        """The line for this port; raises `SettingError` where two devices want it to differ."""
        line = self._lines.setdefault(port, Line(port, serial, self._now, self._opens))
        if line.serial != serial:
            raise SettingError(
                f"two devices on {port} want different baud rates or bits; give both the same"
            )
        return line
