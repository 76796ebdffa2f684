"""Which enrolled displays are there, told to the control process twice a second.

A display is a page at an enrolled station of perfusionist or anesthesia that says each second that
it lives. Every other page is for information only, and nobody counts on it.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable

from service.core.model import PersonRole
from service.web.control_link import ControlLink, LinkDown
from service.web.live import Hub, Page
from service.wire import DisplayHeard, Displays

HEARD_S, EVERY_S = 2.3, 0.4
"""Two beats of a second missed; with the report and the core's tick an alarm within 3 s."""

PRIMARY = frozenset({PersonRole.PERFUSIONIST, PersonRole.ANESTHESIA})


def heard(pages: Iterable[Page]) -> Displays:
    """The stations of these pages; of several pages at one station the best one counts."""
    found: dict[str, DisplayHeard] = {}
    hidden: set[str] = set()
    for page in pages:
        session = page.caller.session
        role = session.screen_role or session.role
        if not session.station or role not in PRIMARY:
            continue
        if not page.visible:
            hidden.add(session.station)
            continue
        before = found.get(session.station)
        audible = page.audible or (before is not None and before.audible)
        found[session.station] = DisplayHeard(role=role, audible=audible)
    return Displays(type="displays", heard=found, hidden=tuple(sorted(hidden - set(found))))


async def report(hub: Hub, link: ControlLink) -> None:
    """Report until cancelled. A page that comes back in time was never away."""
    lately: set[Page] = set()
    while True:
        now_s = time.monotonic()
        lately = {page for page in lately | hub.pages if _is_heard(page, now_s)}
        with contextlib.suppress(LinkDown):
            link.send(heard(lately).model_dump(mode="json"))
        await asyncio.sleep(EVERY_S)


def _is_heard(page: Page, now_s: float) -> bool:
    return page.alive_at is not None and now_s - page.alive_at <= HEARD_S
