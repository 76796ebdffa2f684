"""A whole room under a manual clock: real core, journal, links and drivers, simulated instruments.

Every byte goes over a cable in memory between the project's own line and a simulated instrument;
the clock jumps to whatever is due next. One tick a second instead of ten; every instrument is read
every 1, 2 or 4 s (most), by the seed.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from pathlib import Path

from protocols.loader import load_all
from service.control.instruments import Instruments, RunEffect, SafeEffect
from service.core.effects import Effect, SessionOpened
from service.core.events import Command, Event, Frame, Started, SupervisorLink, Tick
from service.core.model import Instant
from service.core.session import initial, step
from service.core.state import State
from service.journal.codec import CODEC
from service.journal.core_version import core_version
from service.journal.replay import recover
from service.journal.rows import ROOM
from service.journal.signing import CHECKPOINT_S, KeySigner, open_key
from service.journal.store import open_writing
from service.journal.writer import Writer
from service.site import Site, load_site
from service.site_text import EXAMPLE, PORTS
from service.virtual.hands import Hands, carry_out
from service.virtual.log import Log
from service.virtual.session import BEGAN_UTC_NS, BOOTED_NS, Setup, VirtualSession
from service.virtual.team import Team
from simulator.devices.bioprott import FlowMeterSettings
from simulator.plant import Parameters
from simulator.room import Room as SimulatedRoom
from simulator.scenario import Scenario, Start
from tests.contract.virtual import Clock
from tests.hours.cables import Cables, played

PROTOCOL = "closed-oxaliplatin-30"
WARM = Parameters(reservoir_start_c=42.0, bath_start_c=42.6)
WRITTEN_S = 60.0
READ_EVERY_S = (1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0)
"""How often each instrument of a room is read; which of these it is goes by the seed."""

KEPT_STATE_PASSES = 500
"""A room makes some 3 passes a second here, so that a state is kept every few minutes."""


class Recorder:
    """The journal of a room in a folder, written as the control process writes it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'hipec.db'}"
        self.troubles: list[str | None] = []
        self._key = folder / "key"
        self._kept_at = -KEPT_STATE_PASSES
        self.open()

    def open(self) -> None:
        """Hold the journal as a new process does."""
        self.store = open_writing(self.url)
        at = Instant(mono_ns=BOOTED_NS, utc_ns=BEGAN_UTC_NS)
        key, introduction = open_key(self.store, self._key, at)
        self.writer = Writer(
            self.store,
            on_durable=lambda _: None,
            on_trouble=self.troubles.append,
            signer=KeySigner(key),
        )
        if introduction is not None:
            self.writer.append(ROOM, [introduction])

    def close(self) -> None:
        """End as a process does; all is on the disk then."""
        assert self.writer.close(WRITTEN_S) == 0, "not all was written"
        self.store.close()

    def take(self, before: State, after: State, event: Event, effects: list[Effect]) -> None:
        session = before.session or after.session
        if session is None:
            return
        opens = any(isinstance(effect, SessionOpened) for effect in effects)
        items = (before, event, *effects) if opens else (event, *effects)
        self.writer.append(session.id, items)
        if after.processed - self._kept_at >= KEPT_STATE_PASSES and after.session is not None:
            self._kept_at = after.processed
            self.writer.append(session.id, (after,))


class HourRoom(VirtualSession):
    """The room; `act` is called after every virtual second, `utc_off_ns` moves its wall clock."""

    def __init__(self, seed: int, folder: Path, *, protocol: str = PROTOCOL) -> None:
        every_s = READ_EVERY_S[seed % len(READ_EVERY_S)]
        self.setup = Setup(protocol=load_all()[protocol], seed=seed)
        self.clock = Clock()
        self.utc_off_ns = 0
        self.effects: list[Effect] = []
        self.simulated = SimulatedRoom(_scenario(seed, every_s), step_s=1.0)
        self.plant = self.simulated.plant
        self.cables = Cables(self.simulated, self.clock)
        self.site = _site(folder, every_s)
        self.recorder = Recorder(folder)
        self.team = Team()
        self.log = Log()
        self._hands = Hands()
        self._keys = 0
        self._signed_s = 0.0
        self._events: deque[Event] = deque()
        self._in_pass = False
        self.boots = 0
        self.state = initial(self._started())

    @property
    def now_s(self) -> float:  # type: ignore[override]
        """The second of the room."""
        return self.clock.now_s

    @property
    def now(self) -> Instant:
        past_ns = round(self.clock.now_s * 1e6) * 1000
        return Instant(mono_ns=BOOTED_NS + past_ns, utc_ns=BEGAN_UTC_NS + past_ns + self.utc_off_ns)

    @property
    def heater_runs(self) -> bool:
        """What the simulated heater does, not what the core believes."""
        return self.simulated.heater.heating

    def play(self, hours: float, act: Callable[["HourRoom"], None]) -> None:
        """Run for so many hours, or to the end of the session."""
        played(self.clock, self._scene(3600.0 * hours, act))
        self.recorder.close()

    def feed(self, event: Event) -> None:
        """Passes of the core as the control process makes them, in its order of effects."""
        self._events.append(event)
        if self._in_pass:
            return
        self._in_pass = True
        try:
            while self._events:
                self._pass(self._events.popleft())
        finally:
            self._in_pass = False

    def crash(self) -> None:
        """The control process dies here and another goes on from the journal."""
        session = self.state.session
        if session is None:
            return
        self.recorder.close()
        self.recorder.open()
        self.state = recover(self.recorder.store, session.id, step)
        self.boots += 1
        self.feed(self._started())
        self.feed(SupervisorLink(at=self.now, present=True))

    async def _scene(self, until_s: float, act: Callable[["HourRoom"], None]) -> None:
        room = self.site.room(1.0)
        self.instruments = Instruments(  # type: ignore[assignment]
            self.site, room, lambda: self.now, self.feed, self.cables.open
        )
        self.feed(self._started())
        self.feed(SupervisorLink(at=self.now, present=True))
        self.instruments.start()  # type: ignore[attr-defined]
        second = 0
        try:
            while self.clock.now_s < until_s and not self.team.done:  # type: ignore[union-attr]
                second += 1
                await asyncio.sleep(second - self.clock.now_s)
                self._second()
                act(self)
        finally:
            await self.instruments.close()  # type: ignore[attr-defined]

    def _second(self) -> None:
        self.simulated.advance(1.0, self.now_s)
        self.cables.look()
        self.feed(Tick(at=self.now))
        self.team.act(self)  # type: ignore[union-attr]
        self._work()
        if self.now_s - self._signed_s > CHECKPOINT_S:
            self._signed_s = self.now_s
            self.recorder.writer.checkpoint(self.now)

    def _pass(self, event: Event) -> None:
        if isinstance(event, Command) and event.protocol is not None:
            self.state = CODEC.canonical(self.state)
        before = self.state
        self.state, effects = step(before, event)
        if not effects and isinstance(event, Frame | Tick) and before.session is None:
            return
        for effect in effects:
            if isinstance(effect, SafeEffect):
                self.instruments.order(effect)  # type: ignore[call-arg, arg-type]
        self.recorder.take(before, self.state, event, effects)
        for effect in effects:
            if isinstance(effect, RunEffect):
                self.instruments.order(effect)  # type: ignore[call-arg, arg-type]
        self.effects += effects

    def _started(self) -> Started:
        return Started(
            at=self.now,
            boot=f"b{self.boots}",
            room=self.site.room(1.0),
            version="test",
            recovered=True,
            core=core_version(),
        )

    def _work(self) -> None:
        session = self.state.session
        phase, given = (session.phase, len(session.given)) if session else (None, 0)
        sample = self.state.samples.get("nasopharynx")
        core_c = sample.value if sample else None
        for request in self._hands.follow(phase, given, core_c, lambda: self.plant.reservoir_ml):
            carry_out(self.plant, request)


def _scenario(seed: int, every_s: float) -> Scenario:
    return Scenario(
        parameters=WARM,
        seed=seed,
        start=Start(patient_connected=False),
        settings={"flow": FlowMeterSettings(push_s=every_s)},
    )


def _site(folder: Path, every_s: float) -> Site:
    text = EXAMPLE.read_text(encoding="utf-8").replace(PORTS, Cables.PREFIX.join(('"', "")))
    path = folder / "site.toml"
    path.write_text(re.sub(r"poll_hz = [\d.]+", f"poll_hz = {1 / every_s}", text), encoding="utf-8")
    return load_site(path)
