"""The sans-I/O language between a driver and the line that carries its bytes.

A driver's methods are generators: they yield what to send and how to recognise the answer, and are
resumed with the answer. Any runner can carry them: the serial line, a memory line with a manual
clock, the supervisor's safe path.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

from service.core.model import Instant

Framer = Callable[[bytes], int | None]
"""Given all bytes since the query, the length of the first whole reply, or None while incomplete.

Raises `BadReply` when the bytes can never become one."""


class NoReply(Exception):
    """Nothing (or not enough) arrived before the deadline."""


class BadReply(Exception):
    """Bytes arrived that are not an answer of this device; the text says what arrived instead."""


class Refused(Exception):
    """The device understood and refused; the text says why and what a person can do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Discard old input, write `tx`, wait for one whole reply, then keep `quiet_s`.

    `timeout_s` is the device's own time to answer; the line adds the time on the wire.
    """

    tx: bytes
    reply: Framer
    timeout_s: float = 0.3
    quiet_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Write `tx` to a device that does not answer, then keep `quiet_s`."""

    tx: bytes
    quiet_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Wait for the next whole unsolicited message without writing and without discarding input."""

    reply: Framer
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One whole reply; `at` stamps the chunk that completed it. Empty for a `Tell`."""

    data: bytes
    at: Instant


Step = Ask | Tell | Listen
Answer = TypeVar("Answer")
Dialogue = Generator[Step, Reply, Answer]
"""A conversation with a device that ends with an `Answer`, or raises one of the errors above."""


def carry(dialogue: Dialogue[Answer], take: Callable[[Step], Reply]) -> Answer:
    """Carry a dialogue to its answer without an event loop; `take` does one step.

    Raises what the dialogue raises, and what `take` raises other than a missing or bad reply.
    """
    try:
        step = next(dialogue)
        while True:
            try:
                reply = take(step)
            except (NoReply, BadReply) as failure:
                step = dialogue.throw(failure)
            else:
                step = dialogue.send(reply)
    except StopIteration as ended:
        answer: Answer = ended.value
        return answer
    finally:
        dialogue.close()
