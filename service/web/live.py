"""The hub: every live message from the control process to every page, each at its own pace.

A page that reads slowly gets the newest state and every event, never a queue of old frames; one
that does not read costs the others nothing. A page that lost events starts again from a snapshot.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import HTTPException
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from service.web.accounts import Accounts
from service.web.authority import Caller, may
from service.web.control_link import ControlLink, LinkDown
from service.web.limits import Bucket
from service.web.settings import Settings
from service.wire import PAGE, VERSION, Active, Alive, Shown, WireError

MOST_EVENTS = 200
"""More events than this unsent to one page, and it gets a snapshot instead."""

SLACK = 64
"""A page this many messages behind is slow: 6 s of two devices at 5 Hz."""

PAGE_RATE_HZ, PAGE_BURST = 20.0, 100.0
"""A page says `alive` once a second and `shown` once an alarm."""

LOOK_S = 5.0
"""A page that says nothing is looked at again after so long: it may be signed out by now."""

EVENTS = frozenset({"alarm", "phase", "command"})
NEWEST = frozenset({"snapshot", "frame", "heartbeat"})
GONE = (WebSocketDisconnect, OSError, RuntimeError)
"""How a send ends when the browser has left: Starlette's and the server's words for it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One live message, serialised once: `frame` is what every page's socket is handed.

    Of messages with the same `slot` only the newest is worth sending; an event has none.
    """

    slot: str | None
    frame: dict[str, str]

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

    def pop(self) -> Message | None:
        """The next message to send, None when there is nothing."""
        return self._pending.popleft() if self._pending else None

    def copy(self) -> "Backlog":
        """The same messages for another page."""
        twin = Backlog()
        twin._pending, twin._most = self._pending.copy(), self._most
        twin._started = self._started
        return twin


@dataclass(slots=True, kw_only=True, eq=False)
class Page:
    """One connected page: what it must still get, and when it last said that it lives."""

    caller: Caller
    backlog: Backlog
    hello: Message | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    alive_at: float | None = None
    audible: bool = False
    visible: bool = True
    lost_events: int = 0

    def next(self) -> Message | None:
        """What to send next: who this page is, then what waits."""
        hello, self.hello = self.hello, None
        return hello or self.backlog.pop()


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
        message = Message(slot=slot, frame={"type": "websocket.send", "text": text})
        if message.is_snapshot:
            self._baseline = Backlog()
        if not self._baseline.put(message):
            self._baseline = Backlog()
        for page in self.pages:
            if not page.backlog.put(message):
                page.backlog = self._baseline.copy()
                page.lost_events += 1
                if page.lost_events == 1:
                    log.warning("a page of %s lost events: too slow", page.caller.session)
            page.ready.set()

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

    def join(self, caller: Caller, *, live: bool) -> Page:
        """A new page; it starts from the newest snapshot, unless that is no longer `live`."""
        page = Page(caller=caller, backlog=self._baseline.copy() if live else Backlog())
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
        frame = {"type": "websocket.send", "text": json.dumps(message)}
        page.hello = Message(slot="hello", frame=frame)
        page.ready.set()

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
    """Send to one accepted page and listen to it, until it leaves or must."""
    sending = asyncio.create_task(_send(socket, page))
    try:
        listening = asyncio.create_task(_listen(socket, page, desk))
        await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, listening):
            task.cancel()
        results = await asyncio.gather(sending, listening, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, GONE):
            raise result
    if isinstance(results[1], str):
        with contextlib.suppress(*GONE):
            await socket.close(1008, results[1])


async def _send(socket: WebSocket, page: Page) -> None:
    while True:
        await page.ready.wait()
        page.ready.clear()
        while (message := page.next()) is not None:
            await socket.send(message.frame)


async def _listen(socket: WebSocket, page: Page, desk: Desk) -> str | None:
    """Take what the page says: None when it has left, else why it must leave."""
    rate = Bucket(burst=PAGE_BURST, rate_hz=PAGE_RATE_HZ)
    while await _is_welcome(page, desk):
        try:
            said = await asyncio.wait_for(socket.receive(), LOOK_S)
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
    display = session.screen or session.station or session.user
    with contextlib.suppress(LinkDown):  # the next onset is confirmed again
        desk.link.send({**message.model_dump(), "display": display})
