"""Holds alarms, commands and phases until they are on the disk, but never longer than 250 ms."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from service.control.messages import Event, Messages

LONGEST_WAIT_NS = 250_000_000
"""What waits for the disk goes on after this time, marked as not yet durable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    event: Event
    ticket: int
    until_ns: int


class Publisher:
    """Sends event messages in their order, each when its ticket is durable or its time is up."""

    def __init__(
        self,
        messages: Messages,
        send: Callable[[dict[str, Any]], None],
        on_sent: Callable[[Event, int, bool], None],
    ) -> None:
        """`on_sent(event, mono_ns, durable)` is told of every event message that has left."""
        self._messages = messages
        self._send = send
        self._on_sent = on_sent
        self._held: deque[_Held] = deque()
        self._durable = 0

    def hold(self, events: list[Event], ticket: int, now_ns: int) -> None:
        """Take the events of one pass that was given to the journal under this ticket."""
        until_ns = now_ns + LONGEST_WAIT_NS
        self._held.extend(_Held(event=e, ticket=ticket, until_ns=until_ns) for e in events)
        self.release(now_ns)

    def durable(self, ticket: int, now_ns: int) -> None:
        """All up to this ticket is on the disk."""
        self._durable = max(self._durable, ticket)
        self.release(now_ns)

    def release(self, now_ns: int) -> None:
        """Send what is durable or has waited long enough."""
        while self._held:
            first = self._held[0]
            is_durable = first.ticket <= self._durable
            if not is_durable and now_ns < first.until_ns:
                return
            self._held.popleft()
            self._send(self._messages.sending(first.event, now_ns, durable=is_durable))
            self._on_sent(first.event, now_ns, is_durable)
