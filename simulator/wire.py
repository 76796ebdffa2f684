"""The wire between a host and the instruments on it: bytes at their pace, in both directions."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.devices.instrument import Send
from simulator.faults import Line

PACE_S = 0.004


@dataclass(slots=True)
class Transfer:
    """Bytes on the wire from the instrument; each is through `byte_s` after the one before."""

    data: bytes
    start_s: float
    byte_s: float
    sent: int = 0

    @property
    def end_s(self) -> float:
        """When the last byte is through."""
        return self.start_s + len(self.data) * self.byte_s

    def take(self, now_s: float) -> bytes:
        """The bytes that have come through by now and were not yet taken."""
        through = len(self.data)
        if now_s < self.end_s:
            through = max(self.sent, int((now_s - self.start_s) / self.byte_s + 1e-6))
        taken = self.data[self.sent : through]
        self.sent = through
        return taken


@dataclass(frozen=True, slots=True)
class Arriving:
    """Bytes on the wire from the host; the instruments get them when the last one is through."""

    data: bytes
    sent_s: float
    end_s: float


class Wire:
    """One wire, without a port at its end. Times are monotonic seconds, real or not.

    Several lines on one wire all hear the host, as on RS-485; their cable is that of the first.
    Each speaks on its own: when two do at once, their bytes mix.
    `speed` shortens the time on the wire; bytes for the host come at most every `pace_s`.
    """

    def __init__(
        self, lines: Sequence[Line], *, speed: float = 1.0, pace_s: float = PACE_S
    ) -> None:
        self.lines = tuple(lines)
        self.cable = self.lines[0]
        self._byte_s = self.cable.instrument.serial.byte_s / speed
        self._pace_s = pace_s
        self.plug()

    def plug(self) -> None:
        """Begin with nothing on the wire."""
        self._incoming: deque[Arriving] = deque()
        self._outgoing: list[deque[Transfer]] = [deque() for _ in self.lines]
        self._heard_until_s = self._woke_s = float("-inf")

    def leave(self) -> None:
        """The host closes its port: what is on its way to it is lost, what it wrote is not."""
        for line, outgoing in zip(self.lines, self._outgoing, strict=True):
            outgoing.clear()
            line.reopen()

    def hear(self, data: bytes, now_s: float) -> None:
        """Take what the host wrote at `now_s`."""
        end_s = max(now_s, self._heard_until_s) + len(data) * self._byte_s
        self._heard_until_s = end_s
        self._incoming.append(Arriving(data, now_s, end_s))

    def run(self, now_s: float) -> bytes:
        """Do what is due, and give the bytes that are through to the host."""
        while self._incoming and self._incoming[0].end_s <= now_s:
            arrived = self._incoming.popleft()
            for place, line in enumerate(self.lines):
                answers = line.receive(
                    arrived.data, arrived.end_s, sent_s=arrived.sent_s, byte_s=self._byte_s
                )
                self._queue(place, answers, arrived.end_s)
        for place, line in enumerate(self.lines):
            due_s = line.due_s()
            if due_s is not None and due_s <= now_s:
                self._queue(place, line.tick(now_s), now_s)
        self._woke_s = now_s
        return b"".join(_through(outgoing, now_s) for outgoing in self._outgoing)

    def tick(self, now_s: float) -> None:
        """Let the instruments say what they say unasked."""
        for place, line in enumerate(self.lines):
            self._queue(place, line.tick(now_s), now_s)

    def next_s(self) -> float:
        """When `run` has something to do again."""
        times = [self._incoming[0].end_s] if self._incoming else []
        for head in (outgoing[0] for outgoing in self._outgoing if outgoing):
            times.append(min(head.end_s, max(self._woke_s, head.start_s) + self._pace_s))
        times += [due_s for line in self.lines if (due_s := line.due_s()) is not None]
        return min(times, default=float("inf"))

    def _queue(self, place: int, sends: list[Send], after_s: float) -> None:
        outgoing = self._outgoing[place]
        for send in sends:
            free_s = outgoing[-1].end_s if outgoing else after_s
            start_s = max(after_s + send.delay_s, free_s)
            outgoing.append(Transfer(send.data, start_s, self._byte_s * send.stretch))


def _through(outgoing: deque[Transfer], now_s: float) -> bytes:
    """The bytes of one instrument that are through by now."""
    ready = b""
    while outgoing and outgoing[0].start_s <= now_s:
        ready += outgoing[0].take(now_s)
        if now_s < outgoing[0].end_s:
            break
        outgoing.popleft()
    return ready
