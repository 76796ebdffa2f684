"""One treatment through the real core in virtual time: no bytes, no sleeps, no clock.

    session = VirtualSession(Setup(protocol=protocol))
    session.run_until(1800.0)                       # to this second of the room
    session.run_until(lambda s: s.phase == "perfuse")
    branch = session.copy()                         # cheap: continue it in another way
    branch.inject(parse("off:pelvis@0s"))           # a time that is past means now
    branch.run_until(branch.now_s + 120.0)
    branch.run()                                    # to its end

Each virtual second: faults and drives act on the plant, the plant moves on, every instrument gives
one frame, one tick passes, the team looks. Orders are answered at once with what was read back.
`state` is the core's, `plant` the simulated patient and circuit, `log` what happened, `instruments`
the drives and faults, `team` the people; set `team` to None to give every command by `command`.
The same setup gives the same session, to the last bit.
"""

from collections import deque
from collections.abc import Callable
from copy import copy, deepcopy
from dataclasses import dataclass, field

from protocols.schema import Protocol
from service.core import displays
from service.core.events import Command, Event, LinkChanged, Started, Tick
from service.core.model import (
    Actor,
    CommandState,
    Controller,
    Instant,
    LinkState,
    Phase,
    Room,
)
from service.core.session import initial, step
from service.core.state import State
from service.core.trust import comparison
from service.virtual.faults import Fault
from service.virtual.hands import Hands, carry_out
from service.virtual.instruments import Instruments
from service.virtual.log import Log
from service.virtual.room import ROOM, with_heater
from service.virtual.team import PERFUSIONIST, SECOND, Team
from simulator.plant import AnyPlant, Parameters, Plant

SKIPS = {
    comparison.ITEM: "a simulated room has no independent reference",
    displays.SOUND_ITEM: "a simulated room has no ears",
}

BEGAN_UTC_NS = 1_767_225_600 * 10**9
"""Midnight of 2026-01-01: a virtual room has no date of its own."""
BOOTED_NS = 10**9
LONGEST_S = 6 * 3600.0
"""No treatment lasts longer; a session that does is given up."""

WARM = Parameters(reservoir_start_c=42.0, bath_start_c=42.6)
"""The usual start: the reservoir preheated to 42 °C."""

Until = float | Callable[["VirtualSession"], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a virtual session starts from; `parameters.technique` should be the protocol's."""

    protocol: Protocol
    parameters: Parameters = WARM
    seed: int = 1
    controller: Controller = Controller.AUTOMATIC
    faults: tuple[Fault, ...] = ()
    resumes: bool = True
    room: Room = field(default=ROOM)


class VirtualSession:
    """A virtual room, its patient, its team and the core, to be run for as long as one likes."""

    def __init__(self, setup: Setup, plant: AnyPlant | None = None) -> None:
        """Everything connected; the session itself is opened by the team or by `command`.

        `plant` is one that somebody else moves on (see `begin_second`), None: one of its own.
        """
        self.setup = setup
        self.now_s = 0.0
        self.plant: AnyPlant = plant or Plant(setup.parameters, seed=setup.seed)
        self.instruments = Instruments(setup.room, setup.seed)
        self.team: Team | None = Team(controller=setup.controller, resumes=setup.resumes)
        self.log = Log()
        self._hands = Hands()
        self._keys = 0
        room = with_heater(setup.room, setup.parameters.heater_max_w)
        started = Started(at=self.now, boot="virtual", room=room, version="virtual")
        self.state: State = initial(started)
        for device in setup.room.devices:
            self.feed(LinkChanged(at=self.now, device=device.name, state=LinkState.LIVE))
        for fault in setup.faults:
            self.inject(fault)

    @property
    def now(self) -> Instant:
        """The present second as the core is told it."""
        past_ns = round(self.now_s * 1e9)
        return Instant(mono_ns=BOOTED_NS + past_ns, utc_ns=BEGAN_UTC_NS + past_ns)

    @property
    def phase(self) -> Phase | None:
        """The session's phase, None while none is open."""
        return self.state.session.phase if self.state.session else None

    @property
    def heater_runs_at(self) -> float | None:
        """The bath set-point at which the heater runs now (°C), None while it is off."""
        return self.instruments.heater.runs_at

    @property
    def over(self) -> bool:
        """Whether the team has closed the session, or it lasts longer than any treatment."""
        return (self.team is not None and self.team.done) or self.now_s >= LONGEST_S

    def copy(self) -> "VirtualSession":
        """The same session, to be continued in another way; costs about a millisecond."""
        twin = copy(self)
        p = self.plant.parameters
        twin.plant = deepcopy(self.plant, {id(p): p})
        twin.instruments = self.instruments.copy()
        twin.log = self.log.copy()
        twin.team, twin._hands = copy(self.team), copy(self._hands)
        return twin

    def run(self) -> "VirtualSession":
        """Run to the end of the treatment."""
        return self.run_until(lambda session: session.over)

    def run_until(self, until: Until) -> "VirtualSession":
        """Run to this second of the room, or until this holds (or the session is over)."""
        if isinstance(until, float | int):
            while self.now_s < until:
                self.second()
            return self
        while not until(self) and not self.over:
            self.second()
        return self

    def inject(self, fault: Fault) -> None:
        """Let a fault come at its time; at once when that is past."""
        self.instruments.inject(fault)

    def second(self) -> None:
        """Let one second pass, in a room with a plant of its own."""
        self.begin_second()
        self.plant.advance(1.0)
        self.end_second()

    def begin_second(self) -> None:
        """What happens before the plant moves on by a second: faults come, drives act on it."""
        self.now_s += 1.0
        for outcome in self.instruments.begin(self.plant, self.now, self.now_s):
            self.feed(outcome)

    def end_second(self) -> None:
        """What happens after: every instrument is read, the core ticks, the team looks."""
        now = self.now
        for event in self.instruments.frames(self.plant, now, self.now_s):
            self.feed(event)
        self.feed(Tick(at=now))
        self.log.saw(self.now_s, self.instruments.values)
        if self.state.session is not None:
            self.log.foresaw(self.state.session)
        if self.team is not None:
            self.team.act(self)
        self._work()

    def feed(self, event: Event) -> None:
        """Give the core one event, and carry out what it orders."""
        waiting: deque[Event] = deque([event])
        while waiting:
            self.state, effects = step(self.state, waiting.popleft())
            if not effects:
                continue
            entered = len(self.log.phases)
            self.log.note(effects, self.now_s)
            for _, phase in self.log.phases[entered:]:
                self.instruments.entered(phase, self.now_s)
            for effect in effects:
                waiting += self.instruments.order(effect, self.now, self.now_s)

    def command(
        self,
        name: str,
        *,
        by: Actor = PERFUSIONIST,
        reason: str = "",
        second: str = SECOND,
        **args: str | float | int | bool | None,
    ) -> CommandState:
        """Give a command; how far it has come. A refusal's reason stands in the log."""
        self._keys += 1
        key = f"{name} {self._keys}"
        protocol = self.setup.protocol if name == "open_session" else None
        self.feed(
            Command(
                at=self.now,
                key=key,
                name=name,
                args=args,
                reason=reason,
                second=second,
                by=by,
                protocol=protocol,
            )
        )
        return next(record.state for record in self.state.commands if record.key == key)

    def go(self, phase: Phase, *, reason: str = "") -> CommandState:
        """Confirm what the checklist asks before a phase, and start it."""
        session = self.state.session
        for item in session.protocol.checklist if session else ():
            if item.before == phase and session and item.id not in session.checklist:
                self.command("confirm_checklist", item=item.id, reason=SKIPS.get(item.id, ""))
        return self.command("start_phase", phase=phase.value, reason=reason)

    def _work(self) -> None:
        """The team's hands: clamps, bags, drug and cooling."""
        session = self.state.session
        phase, given = (session.phase, len(session.given)) if session else (None, 0)
        sample = self.state.samples.get("nasopharynx")
        core_c = sample.value if sample else None
        plant = self.plant
        for request in self._hands.follow(phase, given, core_c, lambda: plant.reservoir_ml):
            carry_out(plant, request)
