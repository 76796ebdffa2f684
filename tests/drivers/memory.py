"""A line in memory with a clock that only moves by what is done on it: dialogues run at once."""

from collections.abc import Callable, Iterable

from drivers.dialogue import (
    Answer,
    Ask,
    Dialogue,
    Listen,
    Reply,
    Step,
    Tell,
    carry,
)
from drivers.frames import Inbox
from service.core.model import Instant

Device = Callable[[bytes], bytes]
"""A device's whole behaviour: what it says to what it hears (empty: silence)."""


class MemoryLine:
    def __init__(self, device: Device = lambda heard: b"", unasked: Iterable[bytes] = ()) -> None:
        self.device = device
        self.unasked = list(unasked)
        self.sent: list[bytes] = []
        self.seconds = 0.0
        self._inbox = Inbox()

    def now(self) -> Instant:
        nanoseconds = round(self.seconds * 1e9)
        return Instant(mono_ns=nanoseconds, utc_ns=nanoseconds)

    def run(self, dialogue: Dialogue[Answer]) -> Answer:
        return carry(dialogue, self._take)

    def _take(self, step: Step) -> Reply:
        match step:
            case Tell():
                self.sent.append(step.tx)
                self.device(step.tx)
                self.seconds += step.quiet_s
                return Reply(data=b"", at=self.now())
            case Ask():
                self.sent.append(step.tx)
                self._inbox.discard(echo=step.tx)
                self.seconds += 0.001
                answer = self.device(step.tx)
                return self._receive(step, [answer] if answer else [])
            case Listen():
                waits = step.timeout_s > 0
                return self._receive(step, self.unasked[:1] if waits else [])

    def _receive(self, step: Ask | Listen, chunks: list[bytes]) -> Reply:
        self._inbox.start_over()
        for chunk in chunks:
            self._inbox.feed(chunk, self.now())
        if isinstance(step, Listen) and chunks:
            del self.unasked[:1]
        reply = self._inbox.take(step.reply)
        if reply is None:
            self.seconds += step.timeout_s
            raise self._inbox.no_reply()
        self.seconds += step.quiet_s if isinstance(step, Ask) else 0.0
        return reply


def scripted(answers: dict[bytes, bytes]) -> Device:
    """A device that knows these questions and is silent to all others."""
    return lambda heard: answers.get(heard, b"")
