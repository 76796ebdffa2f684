"""The control process: one loop that feeds events to the core and carries its effects out.

For every event: make safe first, then record, then the other actuators, then publish; the
heartbeat to the supervisor is the last line of a finished pass.
"""

import asyncio
import gc
import logging
import signal
import time
from collections import deque
from collections.abc import Mapping

from protocols.loader import load_all
from protocols.schema import Protocol
from service.control import requests
from service.control.configured import configured
from service.control.displays import Watch
from service.control.host import Host, configuration
from service.control.instruments import Instruments, RunEffect, SafeEffect
from service.control.lanes import Asked, Lanes
from service.control.messages import Event as Message
from service.control.messages import Messages
from service.control.publisher import Publisher
from service.control.settings import Settings
from service.control.traffic import TrafficDesk
from service.control.watched import Watched
from service.core.alarms import ANNOUNCES
from service.core.effects import Effect, SessionOpened
from service.core.events import (
    Durability,
    Event,
    Frame,
    Sent,
    Shown,
    Started,
    SupervisorAct,
    SupervisorLink,
    Tick,
)
from service.core.model import Instant, Mode
from service.core.session import initial, step
from service.core.state import State
from service.journal.core_version import core_version
from service.journal.notary import Notary
from service.journal.replay import recover, unfinished
from service.journal.rows import ROOM
from service.journal.signing import CHECKPOINT_S
from service.journal.store import Store, open_writing
from service.journal.writer import Writer
from service.site import Site, load_site
from service.wire import ANSWER_S, AccessTold, Denied, Displays, DisplayShown, WhatIfAsked

TICK_S = 0.1
SNAPSHOT_S = 1.0
KEPT_STATE_PASSES = 2_500
"""How often the whole state is put into a session's record, so that a restart replays little."""

UNWRITTEN_S = 2.0
"""A disk that takes nothing for so long is an alarm, even when it reports no error."""

SAFE_END_S = 3.0
ALONE_S = 60.0
"""A process without a supervisor ends after so long, unless it treats somebody."""

NOT_RECORDED = 0
"""The ticket of what the journal did not get: it waits for nothing but its turn."""

log = logging.getLogger(__name__)


def now() -> Instant:
    """The moment that an event is stamped with: monotonic decides, UTC is a label.

    In whole microseconds: finer than any line, and a third less to keep.
    """
    return Instant(mono_ns=_whole_us(time.monotonic_ns()), utc_ns=_whole_us(time.time_ns()))


def _whole_us(ns: int) -> int:
    return ns - ns % 1000


class ControlProcess:
    """One room: its instruments, its core and its journal, served to web processes."""

    def __init__(self, settings: Settings) -> None:
        site = load_site(settings.site)
        self._room = site.room(settings.speed)
        self._protocols: Mapping[str, Protocol] = load_all(
            site.protocols.directory, site.envelopes()
        )
        self._store = open_writing(site.about.database)
        self._loop = asyncio.get_running_loop()
        self._messages = Messages(self._room, settings.boot)
        self._lanes = Lanes(
            settings.socket,
            on_asked=self._asked,
            greeting=lambda: self._messages.snapshot(self._state),
        )
        self._publisher = Publisher(self._messages, self._lanes.broadcast, self._sent)
        self._instruments = Instruments(site, self._room, now, self.handle)
        self._desk = TrafficDesk(settings.site, site, self._instruments.links)
        self._displays = Watch(self.handle, self._loop.time())
        self._host = Host(settings.site.parent, self.handle)
        self._watched = Watched(settings.supervisor, self._supervised, self._acted)
        self._notary = self._open_notary(site)
        self._writer = Writer(
            self._store,
            on_durable=self._on_durable,
            on_trouble=self._on_trouble,
            signer=self._notary.signer,
        )
        self._signed_at = self._loop.time()
        self._dirty = False
        self._kept_at = -KEPT_STATE_PASSES
        self._written_at = self._loop.time()
        self._hangs = False
        self._alone_since: float | None = None
        self._events: deque[Event] = deque()
        self._in_pass = False
        self._start(settings)

    def _open_notary(self, site: Site) -> Notary:
        return Notary(
            self._store,
            key=site.key_path,
            elsewhere=site.record.checkpoints,
            at=now(),
            treating=lambda: bool(unfinished(self._store)),
            tell=lambda said: self._writer.append(ROOM, (said,)),
        )

    def _start(self, settings: Settings) -> None:
        """Begin as new, or where the journal's unfinished session stopped."""
        started = Started(
            at=now(),
            boot=settings.boot,
            room=self._room,
            version=settings.version,
            recovered=True,
            core=core_version(),
        )
        self._writer.append(ROOM, self._notary.introduces)
        if said := configured(self._store, settings.site, now()):
            self._writer.append(ROOM, (said,))
        self._state = _recovered(self._store) or initial(started)
        self.handle(started)
        for noticed in configuration(self._store, self._room, now()):
            self.handle(noticed)
        for act in settings.acts:
            self._acted(act)
        if self._notary.problem:
            self._acted(f"record: goes on unsigned until the end: {self._notary.problem}")

    def handle(self, event: Event) -> None:
        """One pass of the core, and then one for each event that it caused itself.

        A link refuses an order at once when its device is not connected: that outcome must follow
        the pass that gave the order, in the record and on the pages.
        """
        self._events.append(event)
        if self._in_pass:
            return
        self._in_pass = True
        try:
            while self._events:
                self._pass(self._events.popleft())
        finally:
            self._in_pass = False

    def _pass(self, event: Event) -> None:
        """One pass of the core and everything that follows from it."""
        before = self._state
        self._state, effects = step(before, event)
        for effect in effects:
            if isinstance(effect, SafeEffect):
                self._instruments.order(effect)
        ticket = self._record(before, event, effects)
        for effect in effects:
            if isinstance(effect, RunEffect):
                self._instruments.order(effect)
        events = self._messages.events(effects)
        self._publisher.hold(events, ticket, time.monotonic_ns())
        if isinstance(event, Frame) and (shown := self._messages.frame(event, self._state)):
            self._lanes.broadcast(shown)
        self._dirty |= bool(effects)
        self._desk.look(event)

    def _record(self, before: State, event: Event, effects: list[Effect]) -> int:
        """Give the pass to the journal; a session's record begins with the state before it."""
        session = before.session or self._state.session
        if session is None:
            quiet = isinstance(event, Frame | Tick | Shown) and not effects
            return NOT_RECORDED if quiet else self._writer.append(ROOM, (event, *effects))
        opens = any(isinstance(effect, SessionOpened) for effect in effects)
        items = (before, event, *effects) if opens else (event, *effects)
        return self._writer.append(session.id, items)

    def _asked(self, lane: str, asked: Asked) -> None:
        at = now()
        if isinstance(asked, DisplayShown):
            self.handle(requests.shown(asked, at))
            return
        if isinstance(asked, AccessTold):
            self._writer.append(ROOM, (requests.access(asked, at),))
            return
        if isinstance(asked, Displays):
            self._displays.heard(asked, self._loop.time())
            return
        if isinstance(asked, WhatIfAsked):
            self._lanes.broadcast(self._messages.what_if(asked, self._state))
            return
        if isinstance(asked, Denied):
            self.handle(requests.rejected(asked, at, asked.reason))
            return
        late_s = (at.mono_ns - asked.asked_ns) / 1e9
        if lane == "main" and late_s > ANSWER_S:
            log.warning("command %s came %.1f s late and was not carried out", asked.name, late_s)
            reason = f"came {late_s:.1f} s late and was not carried out"
            self.handle(requests.rejected(asked, at, reason))
            return
        try:
            event = requests.command(asked, at, self._protocols, self._room.limits)
        except requests.Impossible as error:
            self.handle(requests.rejected(asked, at, str(error)))
            return
        self.handle(event)

    def _acted(self, act: str) -> None:
        self.handle(SupervisorAct(at=now(), act=act))

    def _supervised(self, present: bool) -> None:
        self._alone_since = None if present else self._loop.time()
        if present != self._state.supervised:
            self.handle(SupervisorLink(at=now(), present=present))

    def _sent(self, event: Message, mono_ns: int, durable: bool) -> None:
        """An alarm that is announced is recorded with the moment at which it left."""
        kind = str(event.message.get("event", ""))
        if event.occurrence and kind in ANNOUNCES:
            at = Instant(mono_ns=mono_ns, utc_ns=now().utc_ns)
            self.handle(
                Sent(
                    at=at,
                    seq=event.seq,
                    occurrence=event.occurrence,
                    event=kind,
                    durable=durable,
                )
            )

    def _on_durable(self, ticket: int) -> None:
        self._loop.call_soon_threadsafe(self._durable, ticket)

    def _durable(self, ticket: int) -> None:
        self._written_at = self._loop.time()
        self._publisher.durable(ticket, time.monotonic_ns())
        if self._hangs:
            self._hangs = False
            self._trouble(None)

    def _on_trouble(self, reason: str | None) -> None:
        self._loop.call_soon_threadsafe(self._trouble, reason)

    def _trouble(self, reason: str | None) -> None:
        self.handle(Durability(at=now(), durable=reason is None, reason=reason or ""))

    def _watch_the_disk(self) -> None:
        """A write that hangs raises no error: what waits too long is trouble as well."""
        if not self._writer.waiting:
            self._written_at = self._loop.time()
        late = self._loop.time() - self._written_at > UNWRITTEN_S
        if late and not self._hangs and self._state.durable:
            self._hangs = True
            self._trouble("The disk does not answer. The record is kept in memory until it does.")

    def _keep_state(self) -> None:
        """Put the whole state into the session's record now and then."""
        session = self._state.session
        if session is not None and self._state.processed - self._kept_at >= KEPT_STATE_PASSES:
            self._kept_at = self._state.processed
            self._writer.append(session.id, (self._state,))

    def _sign(self) -> None:
        """Have the record signed up to now, every minute."""
        if self._loop.time() - self._signed_at > CHECKPOINT_S:
            self._signed_at = self._loop.time()
            self._writer.checkpoint(now())

    async def run(self) -> None:
        """Serve the room until SIGTERM or SIGINT, then leave the devices safe."""
        ended = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(name, self._told_to_end, name, ended)
        await self._lanes.start()
        await self._desk.start()
        watched = asyncio.create_task(self._watched.run())
        self._instruments.start()
        gc.collect()
        gc.freeze()
        try:
            await self._tick_until(ended)
        finally:
            watched.cancel()
            await self._end()

    async def _tick_until(self, ended: asyncio.Event) -> None:
        due = self._loop.time()
        shown_at = 0.0
        while not ended.is_set() and not self._is_left_behind():
            self.handle(Tick(at=now()))
            self._publisher.release(time.monotonic_ns())
            self._watch_the_disk()
            self._displays.look(self._state, now(), self._loop.time())
            self._host.look(self._state, now(), self._loop.time())
            self._keep_state()
            self._sign()
            if due - shown_at >= SNAPSHOT_S:
                self._dirty, shown_at = True, due
                self._lanes.broadcast(self._messages.heartbeat(self._state))
            if self._dirty:
                self._dirty = False
                self._show()
            self._watched.beat(self._state)
            due = max(due + TICK_S, self._loop.time())
            await asyncio.sleep(due - self._loop.time())

    def _told_to_end(self, by: signal.Signals, ended: asyncio.Event) -> None:
        """Whoever sends the signal, a treatment's record says that it came."""
        if self._state.session is not None and not ended.is_set():
            self._acted(f"control process: told to end during the treatment, by {by.name}")
        ended.set()

    def _is_left_behind(self) -> bool:
        """No supervisor for a minute and no patient to treat: nobody will end this process."""
        if self._alone_since is None or self._loop.time() - self._alone_since < ALONE_S:
            return False
        return self._state.session is None or self._room.mode is not Mode.REAL

    def _show(self) -> None:
        """Send the state to the pages. A picture that fails must not end a treatment: its values
        grow old on the pages, which say so."""
        try:
            self._lanes.broadcast(self._messages.snapshot(self._state))
        except Exception:
            log.exception("the state cannot be shown")

    async def _end(self) -> None:
        """Heater, pump and contactors off if a session is open; then the record is closed."""
        if self._state.session is not None:
            await self._instruments.make_safe(SAFE_END_S)
        await self._instruments.close()
        await self._lanes.close()
        await self._desk.close()
        if lost := self._writer.close():
            log.error("%d passes of the record could not be written", lost)
        self._notary.close()
        self._store.close()


def _recovered(store: Store) -> State | None:
    """The state of the session that the journal says is still open, None when there is none."""
    open_sessions = unfinished(store)
    if not open_sessions:
        return None
    state: State = recover(store, open_sessions[-1], step)
    return state
