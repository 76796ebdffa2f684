"""Who may talk on a line: one dialogue at a time, stop and heater off before everybody else."""

import asyncio
from collections import deque


class Turns:
    """A lock that is handed on in order of asking, urgent askers first."""

    def __init__(self) -> None:
        self._held = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._ordinary: deque[asyncio.Future[None]] = deque()

    @property
    def urgent_waits(self) -> bool:
        """True while somebody urgent waits: whoever holds the turn gives way after its step."""
        return bool(self._urgent)

    async def take(self, urgent: bool) -> None:
        """Wait for the turn; `release` must follow."""
        if not self._held:
            self._held = True
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._urgent if urgent else self._ordinary
        queue.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.release()  # the turn came in the moment of being cancelled
            elif waiter in queue:
                queue.remove(waiter)
            raise

    def release(self) -> None:
        """Hand the turn to the next asker."""
        for queue in (self._urgent, self._ordinary):
            while queue:
                waiter = queue.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    return
        self._held = False
