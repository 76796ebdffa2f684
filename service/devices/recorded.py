"""A line that is not there any more: carries dialogues over recorded traffic."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drivers.classes import Driver, Identity, Polled
from drivers.dialogue import (
    Answer,
    Ask,
    BadReply,
    Dialogue,
    Listen,
    NoReply,
    Refused,
    Reply,
    Step,
    Tell,
    carry,
)
from drivers.frames import Inbox
from drivers.line import Traffic
from service.core.model import Instant

REACH = 4
"""So many questions of a recording are passed over to find the one that the driver asks next: the
recording may be of a device that was told to have more inputs, or of one line with two devices."""


class NotRecorded(Exception):
    """The recording does not hold what the driver asks next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one stretch of a recording meant: an identity, a poll, or why it meant neither.

    `passed` are the chunks in it that the driver has no use for.
    """

    at: Instant
    meant: Identity | Polled | None
    why: str = ""
    passed: tuple[Traffic, ...] = ()


class RecordedLine:
    """Recorded traffic in the place of a line. `at` is the index of the next unused chunk."""

    def __init__(self, traffic: Sequence[Traffic]) -> None:
        self.traffic = traffic
        self.at = 0
        self.passed: list[Traffic] = []
        self._asked = False
        self._inbox = Inbox()

    def run(self, dialogue: Dialogue[Answer]) -> Answer:
        """Carry a dialogue to its answer; raises what it raises, or `NotRecorded`."""
        self.passed, self._asked = [], False
        return carry(dialogue, self._take)

    def back_to(self, at: int) -> None:
        """Start again at an earlier chunk."""
        self.at = at
        self._inbox.discard()

    def _take(self, step: Step) -> Reply:
        if isinstance(step, Ask | Tell):
            asked = self._find(step.tx)
            self._inbox.discard(echo=step.tx)
            if isinstance(step, Tell):
                return Reply(data=b"", at=asked.at)
            return self._read(step, None)
        waited_from = self.traffic[max(self.at - 1, 0)].at
        until_ns = waited_from.mono_ns + round(step.timeout_s * 1e9)
        return self._read(step, until_ns)

    def _read(self, step: Ask | Listen, until_ns: int | None) -> Reply:
        """Feed what was read, up to the next question or to a moment, until it is a reply."""
        self._inbox.start_over()
        while (reply := self._inbox.take(step.reply)) is None:
            if self.at == len(self.traffic) and until_ns is not None and until_ns > self._end_ns():
                raise NotRecorded
            if self.at == len(self.traffic) or self.traffic[self.at].sent:
                raise self._inbox.no_reply()
            chunk = self.traffic[self.at]
            if until_ns is not None and chunk.at.mono_ns > until_ns:
                raise self._inbox.no_reply()
            self._inbox.feed(chunk.data, chunk.at)
            self.at += 1
        return reply

    def _end_ns(self) -> int:
        return self.traffic[-1].at.mono_ns

    def _find(self, question: bytes) -> Traffic:
        # A dialogue starts at its first question; only within it others are passed over.
        reach, self._asked = REACH * self._asked, True
        questions = 0
        for index in range(self.at, len(self.traffic)):
            chunk = self.traffic[index]
            if chunk.sent and chunk.data == question:
                self.passed += self._beyond_replies(self.traffic[self.at : index])
                self.at = index + 1
                return chunk
            questions += chunk.sent
            if questions > reach:
                break
        raise NotRecorded

    @staticmethod
    def _beyond_replies(between: Sequence[Traffic]) -> list[Traffic]:
        """Foreign questions and what answered them; the end of the reply before is no news."""
        first = next((index for index, one in enumerate(between) if one.sent), len(between))
        return list(between[first:])


def replay(driver: Driver, traffic: Sequence[Traffic]) -> Iterator[Found]:
    """What a recording meant to this driver, stretch by stretch from its first chunk."""
    line = RecordedLine(traffic)
    identified = False
    while line.at < len(traffic):
        start = line.at
        for asks in ("poll", "identify") if identified else ("identify", "poll"):
            line.back_to(start)
            attempt = copy.deepcopy(driver)
            found = _attempt(line, attempt, asks, traffic[start].at)
            if found is not None:
                driver = attempt
                identified = identified or isinstance(found.meant, Identity)
                yield found
                break
        else:
            line.back_to(start)
            passed = _one_exchange(line)
            if any(one.sent for one in passed):
                yield Found(at=passed[0].at, meant=None, passed=passed)


def _attempt(line: RecordedLine, driver: Driver, asks: str, at: Instant) -> Found | None:
    """One dialogue from here on; None when the recording holds another one here."""
    start = line.at
    meant: Identity | Polled | None = None
    why = ""
    try:
        meant = line.run(driver.identify()) if asks == "identify" else line.run(driver.poll())
    except NotRecorded:
        return None
    except (NoReply, BadReply, Refused) as failure:
        why = str(failure)
    if line.at == start:
        return None
    return Found(at=at, meant=meant, why=why, passed=tuple(line.passed))


def _one_exchange(line: RecordedLine) -> tuple[Traffic, ...]:
    """One question with all that was read after it."""
    start = line.at
    line.at += 1
    while line.at < len(line.traffic) and not line.traffic[line.at].sent:
        line.at += 1
    return tuple(line.traffic[start : line.at])
