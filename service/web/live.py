"""The hub: every live message from the control process to every page, each at its own pace.

A page that reads slowly gets the newest state and every event, never a queue of old frames; one
that does not read costs the others nothing. A page that lost events starts again from a snapshot.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import HTTPException
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from service.web.accounts import Accounts
from service.web.authority import Caller, may
from service.web.backlog import Backlog, Message
from service.web.control_link import ControlLink, LinkDown
from service.web.frames import FrameSink, text_frame
from service.web.limits import Bucket
from service.web.settings import Settings
from service.wire import PAGE, VERSION, Active, Alive, Shown, WireError

PAGE_RATE_HZ, PAGE_BURST = 20.0, 100.0
"""A page says `alive` once a second and `shown` once an alarm."""

LOOK_S = 5.0
"""A page that says nothing is looked at again after so long: it may be signed out by now."""

EVENTS = frozenset({"alarm", "phase", "command"})
NEWEST = frozenset({"snapshot", "frame", "heartbeat"})
GONE = (WebSocketDisconnect, OSError, RuntimeError)
"""How a send ends when the browser has left: Starlette's and the server's words for it."""

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class Page:
    """One connected page: what it must still get, and when it last said that it lives."""

    caller: Caller
    take: Callable[[bytes], bool]
    backlog: Backlog = field(default_factory=Backlog)
    hello: bytes | None = None
    alive_at: float | None = None
    audible: bool = False
    visible: bool = True
    lost_events: int = 0

    def give(self, message: Message) -> bool:
        """Send a message now or when the page has read; False when too many events wait."""
        if self.backlog.is_sent and self.take(message.frame):
            return True
        fits = self.backlog.put(message)
        self.flush()
        return fits

    def flush(self) -> None:
        """Send who this page is, then what waits, as far as the network takes it."""
        if self.hello is not None:
            if not self.take(self.hello):
                return
            self.hello = None
        while (message := self.backlog.first()) is not None and self.take(message.frame):
            self.backlog.sent()


class Hub:
    """All connected pages, and the state that a new one starts from."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.pages: set[Page] = set()
        self.snapshot: str | None = None
        self.commands: list[dict[str, Any]] = []
        self.control: dict[str, Any] = {}
        self._seq = 0
        self.boot: str | None = None
        self.processed: int | None = None
        self._baseline = Backlog()
        self._unknown: set[str] = set()

    def publish(self, text: str, body: dict[str, Any]) -> None:
        """Hand one message to all pages. Raises WireError when it is not a live message."""
        kind = body.get("type")
        if not isinstance(kind, str) or not isinstance(body.get("seq"), int):
            raise WireError("a live message without a type and a number")
        if kind not in EVENTS | NEWEST:
            if kind not in self._unknown:
                self._unknown.add(kind)
                log.warning("live messages of the unknown type %r are not passed on", kind)
            return
        self._remember(text, kind, body)
        slot = None if kind in EVENTS else f"{kind} {body['device']}" if kind == "frame" else kind
        message = Message(slot=slot, frame=text_frame(text))
        if message.is_snapshot:
            self._baseline = Backlog()
        if not self._baseline.put(message):
            self._baseline = Backlog()
        for page in self.pages:
            if not page.give(message):
                page.backlog = self._baseline.copy()
                page.lost_events += 1
                if page.lost_events == 1:
                    log.warning("a page of %s lost events: too slow", page.caller.session)

    def _remember(self, text: str, kind: str, body: dict[str, Any]) -> None:
        self.boot, self._seq = body.get("boot"), body["seq"]
        if kind == "snapshot":
            self.snapshot = text
            state = body.get("state", {})
            self.commands = state.get("commands", [])
            if (control := state.get("control", {})) != self.control:
                self.control = control
                for page in self.pages:
                    self.greet(page)
        elif kind == "heartbeat":
            self.processed = body.get("processed")

    def forget(self) -> None:
        """The control process is gone: nothing it said may look live to a page that comes now."""
        self._baseline = Backlog()
        self.snapshot = None

    def join(self, caller: Caller, sink: FrameSink, *, live: bool) -> Page:
        """A new page; it starts from the newest snapshot, unless that is no longer `live`."""
        backlog = self._baseline.copy() if live else Backlog()
        page = Page(caller=caller, take=sink.take, backlog=backlog)
        sink.on_writable = page.flush
        self.greet(page)
        self.pages.add(page)
        return page

    def greet(self, page: Page) -> None:
        """Tell a page who it is and what it may do; it gets that before all that waits."""
        session = page.caller.session
        you = {
            "name": session.user,
            "role": session.role,
            "station": session.station,
            "screen": session.screen_role,
            "may": may(session, self.control),
            "holder": bool(session.user) and self.control.get("holder") == session.user,
            "idle": session.idle,
        }
        about = {"room": self._settings.room, "boot": self.boot or "", "mode": self._settings.mode}
        message = {"v": VERSION, "type": "hello", "seq": self._seq, **about, "you": you}
        page.hello = text_frame(json.dumps(message))
        page.flush()

    def displays(self, within_s: float) -> int:
        """How many pages at enrolled stations said within this time that they live."""
        since = time.monotonic() - within_s
        return sum(
            1
            for page in self.pages
            if (page.caller.session.screen or page.caller.session.station)
            and page.alive_at is not None
            and page.alive_at > since
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a page's words go to."""

    hub: Hub
    link: ControlLink
    accounts: Accounts


async def converse(socket: WebSocket, page: Page, desk: Desk) -> None:
    """Listen to one accepted page until it leaves or must."""
    with contextlib.suppress(*GONE):
        if (reason := await _listen(socket, page, desk)) is not None:
            await socket.close(1008, reason)


async def _listen(socket: WebSocket, page: Page, desk: Desk) -> str | None:
    """Take what the page says: None when it has left, else why it must leave."""
    rate = Bucket(burst=PAGE_BURST, rate_hz=PAGE_RATE_HZ)
    while await _is_welcome(page, desk):
        try:
            async with asyncio.timeout(LOOK_S):
                said = await socket.receive()
        except TimeoutError:
            continue
        if said["type"] == "websocket.disconnect":
            return None
        if not rate.take():
            return "too many messages"
        try:
            message = PAGE.validate_json(said.get("text") or b"")
        except ValidationError:
            return "only shown, alive and active are understood here"
        await _hear(message, page, desk)
    return "signed out"


async def _is_welcome(page: Page, desk: Desk) -> bool:
    """Whether the page may stay; it is told when it is somebody else now, or idle."""
    try:
        session = await desk.accounts.session(page.caller.tokens)
    except HTTPException:  # the accounts cannot be read: whoever is here stays
        return True
    if session is None:
        return False
    if session != page.caller.session:
        page.caller = replace(page.caller, session=session)
        desk.hub.greet(page)
    return True


async def _hear(message: Shown | Alive | Active, page: Page, desk: Desk) -> None:
    page.alive_at = time.monotonic()
    if isinstance(message, Active):
        await desk.accounts.touch(page.caller.tokens)
        return
    if isinstance(message, Alive):
        page.audible, page.visible = message.audible, message.visible
        return
    session = page.caller.session
    display = session.screen or session.station
    if not display:  # what is drawn somewhere else is nobody's confirmation
        return
    with contextlib.suppress(LinkDown):  # the next onset is confirmed again
        desk.link.send({**message.model_dump(), "display": display})
