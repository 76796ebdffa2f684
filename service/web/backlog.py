"""What one page still has to be sent: every event, and the newest of all else."""

from collections import deque
from dataclasses import dataclass

MOST_EVENTS = 200
"""More events than this unsent to one page, and it gets a snapshot instead."""

SLACK = 64
"""A page this many messages behind is slow: 6 s of two devices at 5 Hz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One live message, serialised once: `frame` is what every page's connection is handed.

    Of messages with the same `slot` only the newest is worth sending; an event has none.
    """

    slot: str | None
    frame: bytes

    @property
    def is_snapshot(self) -> bool:
        """True for the message that replaces all state before it."""
        return self.slot == "snapshot"


class Backlog:
    """What one page still has to be sent, starting with a snapshot.

    A page that keeps up gets every message. Beyond `SLACK` unsent ones only every event and the
    newest of all else stay; of snapshots, which are large, never more than the newest.
    """

    def __init__(self) -> None:
        self._pending: deque[Message] = deque()
        self._most = SLACK
        self._started = False

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def is_sent(self) -> bool:
        """True when a snapshot and all after it has gone out."""
        return self._started and not self._pending

    def put(self, message: Message) -> bool:
        """Add a message; False when too many events wait, so that only a snapshot helps."""
        if message.is_snapshot:
            self._started = True
            self._pending = deque(other for other in self._pending if not other.is_snapshot)
        if not self._started:
            return True
        self._pending.append(message)
        if len(self._pending) > self._most:
            self._keep_newest()
        return len(self._pending) <= MOST_EVENTS

    def _keep_newest(self) -> None:
        seen: set[str] = set()
        kept: deque[Message] = deque()
        for message in reversed(self._pending):
            if message.slot not in seen:
                kept.appendleft(message)
            if message.slot is not None:
                seen.add(message.slot)
        self._pending = kept
        self._most = len(kept) + SLACK

    def first(self) -> Message | None:
        """The next message to send, None when there is nothing."""
        return self._pending[0] if self._pending else None

    def sent(self) -> None:
        """The first message has gone out."""
        self._pending.popleft()

    def copy(self) -> "Backlog":
        """The same messages for another page."""
        twin = Backlog()
        twin._pending, twin._most = self._pending.copy(), self._most
        twin._started = self._started
        return twin
