"""Making one drive safe without the control process: the supervisor's own short path.

Blocking on purpose, one thread per drive, nothing shared with the event loop. It ends half a
command that may be on the line, sends off, reads back, and repeats until that is confirmed.
It never starts a pump and never makes one faster.
"""

import select
import threading
import time
from collections.abc import Callable

from drivers.classes import Contactor, Done, Heater, Pump, Serial
from drivers.dialogue import (
    Answer,
    Ask,
    BadReply,
    Dialogue,
    Framer,
    NoReply,
    Refused,
    Reply,
    Step,
    Tell,
    carry,
)
from drivers.frames import Inbox
from drivers.port import LineLost, Port
from service.core.model import CommandState, Instant

LOCK_PATIENCE_S = 0.5
REPEAT_S = 0.2
WRITE_PATIENCE_S = 1.0
Safely = Callable[[], Dialogue[Done]]
"""What makes the drive safe: `heater.off`, `pump.off`, `partial(pump.lower, flow_ml_min)`, or
`contactor.drop`."""


def make_safe(
    port: str,
    serial: Serial,
    drive: Heater | Pump | Contactor,
    safely: Safely,
    *,
    stop: threading.Event,
    tell: Callable[[str], None],
) -> bool:
    """Repeat `safely` on the drive until it is confirmed (True) or `stop` is set (False).

    The port's lock is waited for 0.5 s, then the port is used without it. `tell` gets a sentence
    whenever what happens changes, for the next control process's first events.
    """
    may_ignore_lock_at = time.monotonic() + LOCK_PATIENCE_S
    last = ""
    while not stop.is_set():
        try:
            with Quick(port, serial, lock=time.monotonic() < may_ignore_lock_at) as line:
                line.run(_end_half_command(drive))
                done = line.run(safely())
            confirmed = done.state is CommandState.CONFIRMED
            news = "confirmed" if confirmed else done.reason
        except (LineLost, NoReply, BadReply, Refused) as failure:
            confirmed, news = False, str(failure)
        if news != last:
            tell(news)
            last = news
        if confirmed:
            return True
        stop.wait(REPEAT_S)
    return False


def _end_half_command(drive: Heater | Pump | Contactor) -> Dialogue[None]:
    yield Tell(tx=drive.terminator, quiet_s=drive.quiet_s)


class Quick:
    """A line for one thread, carrying one dialogue after the other; a context manager."""

    def __init__(self, port: str, serial: Serial, *, lock: bool = True) -> None:
        self._port = Port(port, serial, lock=lock)
        self._char_s = serial.bits_per_char / serial.baud
        self._inbox = Inbox()

    def __enter__(self) -> "Quick":
        return self

    def __exit__(self, *_: object) -> None:
        self._port.close()

    def run(self, dialogue: Dialogue[Answer]) -> Answer:
        """Carry a dialogue to its answer; raises what it raises, or `LineLost`."""
        return carry(dialogue, self._take)

    def _take(self, step: Step) -> Reply:
        if isinstance(step, Tell):
            self._write(step.tx)
            time.sleep(len(step.tx) * self._char_s + step.quiet_s)
            return Reply(data=b"", at=_now())
        deadline = time.monotonic() + step.timeout_s
        if isinstance(step, Ask):
            self._port.read()
            self._inbox.discard(echo=step.tx)
            self._write(step.tx)
            deadline += len(step.tx) * self._char_s
        reply = self._receive(step.reply, deadline)
        time.sleep(step.quiet_s if isinstance(step, Ask) else 0.0)
        return reply

    def _receive(self, framer: Framer, deadline: float) -> Reply:
        self._inbox.start_over()
        while True:
            reply = self._inbox.take(framer)
            if reply is not None:
                return reply
            left_s = deadline + len(self._inbox) * self._char_s - time.monotonic()
            if left_s <= 0:
                raise self._inbox.no_reply()
            select.select([self._port.fd], [], [], left_s)
            data = self._port.read()
            if data:
                self._inbox.feed(data, _now())

    def _write(self, data: bytes) -> None:
        give_up = time.monotonic() + WRITE_PATIENCE_S
        while data:
            data = data[self._port.write(data) :]
            if data and time.monotonic() > give_up:
                raise LineLost(f"{self._port.path} takes no bytes; look at the cable")
            time.sleep(0.01 if data else 0.0)


def _now() -> Instant:
    return Instant(mono_ns=time.monotonic_ns(), utc_ns=time.time_ns())
