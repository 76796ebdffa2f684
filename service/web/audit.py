"""Has the control process put on record who came in, was kept out, or changed the accounts.

While it is not heard, what there is to say waits here and goes out when it is back.
"""

from collections import deque

from service.web.control_link import ControlLink, LinkDown
from service.wire import AccessKind, AccessTold

MOST_WAITING = 1000


class Audit:
    """Facts on their way to the room's chain, in their order."""

    def __init__(self, link: ControlLink) -> None:
        self._link = link
        self._waiting: deque[AccessTold] = deque(maxlen=MOST_WAITING)

    def tell(
        self,
        what: AccessKind,
        who: str,
        *,
        by: str = "",
        station: str = "",
        address: str = "",
        text: str = "",
    ) -> None:
        """Put this on record."""
        told = AccessTold(what=what, who=who, by=by, station=station, address=address, text=text)
        self._waiting.append(told)
        self.send()

    def send(self) -> None:
        """Send what waits, as far as it goes."""
        while self._waiting:
            try:
                self._link.send(self._waiting[0].model_dump(mode="json"))
            except LinkDown:
                return
            self._waiting.popleft()
