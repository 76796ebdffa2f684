"""A room on the bench: the real core, a manual clock, and instruments that do as they are told."""

from collections.abc import Iterator
from copy import copy
from functools import cache

from service.core.alarms import is_raised
from service.core.effects import (
    AlarmChanged,
    CommandChanged,
    ContactorDrop,
    ContactorHold,
    Effect,
    HeaterOff,
    HeaterRun,
    PumpRun,
    PumpStop,
    Recorded,
)
from service.core.events import Command, Event, Frame, LinkChanged, Outcome, Started, Tick
from service.core.model import (
    Actor,
    Channel,
    CommandState,
    DriveStatus,
    Instant,
    LinkState,
    Reading,
    Validity,
)
from service.core.session import initial, step
from service.core.state import AlarmState, Session, State
from tests.core.room import DEVICES, NONE, PERFUSIONIST, SITES, protocol, room, started

__all__ = ["Bench", "at", "heater_runs", "pump_runs", "room"]
LONG_S = 20


NO_CONTACTORS = frozenset({"contactors"})
"""For a bench whose switch module has no relays."""


SKIPS = "Not at hand on the bench"
SKIPPED = ("audio", "probe_comparison")
"""Why the probes are not compared in figures before a treatment on the bench."""


class Bench:
    """Feeds the core one frame per device and second, and obeys its orders at once."""

    def __init__(
        self,
        protocol_id: str = "closed-mmc-90",
        speed: float = 1.0,
        without: frozenset[str] = NONE,
    ) -> None:
        self.protocol = protocol(protocol_id)
        self.without = without
        self.values: dict[str, float | None] = {
            **dict.fromkeys(SITES, 43.0),
            "inflow": 44.8,
            "outflow": 42.5,
            "reservoir": 42.0,
            "exchanger": 43.4,
            "nasopharynx": 37.5,
            "bladder": 38.2,
            "bath": 45.5,
            "line_in": 90.0,
            "line_out": -20.0,
            "iap": 12.0,
            "level": 900.0,
            **dict.fromkeys(("bubble", "level_low", "cut_out", "emergency_stop"), 0.0),
        }
        self.flow_follows = True
        self.silent: set[str] = set()
        self.questionable: set[str] = set()
        self.heater_obeys = True
        self.pump_obeys = True
        self.contactor_obeys = True
        self.faults: dict[str, str] = {}
        self.heater: float | None = None
        self.pump: float | None = None
        self.contactor: float | None = None
        self.effects: list[Effect] = []
        self.events: list[Event] = []
        self._real_ns = 10**9
        self._utc_ns = 1_790_000_000 * 10**9
        self._keys = 0
        self.state: State = initial(started(speed, without))
        self.start = self.state
        for device in DEVICES:
            self.feed(LinkChanged(at=self.now, device=device, state=LinkState.LIVE))
        self.frames()

    @property
    def now(self) -> Instant:
        return Instant(mono_ns=self._real_ns, utc_ns=self._utc_ns + self._real_ns)

    def feed(self, event: Event) -> list[Effect]:
        self.events.append(event)
        self.state, effects = step(self.state, event)
        self.effects += effects
        for effect in effects:
            self._obey(effect)
        return effects

    def _obey(self, effect: Effect) -> None:
        match effect:
            case HeaterOff() | HeaterRun() if not self.heater_obeys:
                return
            case PumpStop() | PumpRun() if not self.pump_obeys:
                return
            case ContactorDrop() | ContactorHold() if not self.contactor_obeys:
                return
            case HeaterOff(order=order):
                self.heater = None
                self._confirm("heater", order, None)
            case HeaterRun(order=order, bath_c=bath_c):
                self.heater = bath_c
                self._confirm("heater", order, bath_c)
            case PumpStop(order=order):
                self.pump = None
                self._confirm("pump", order, None)
            case PumpRun(order=order, flow_ml_min=flow):
                self.pump = flow
                self._confirm("pump", order, flow)
            case ContactorDrop(order=order):
                self.contactor = None
                self._confirm("contactor", order, None)
            case ContactorHold(order=order):
                self.contactor = 1.0
                self._confirm("contactor", order, 1.0)

    def _confirm(self, drive: str, order: int, value: float | None) -> None:
        state = CommandState.CONFIRMED
        self.feed(Outcome(at=self.now, drive=drive, order=order, state=state, value=value))
        self.frame("switches" if drive == "contactor" else drive)

    def frames(self) -> None:
        for device in DEVICES:
            self.frame(device)

    def frame(self, device: str) -> None:
        if device not in self.silent:
            self.feed(self.read(device))

    def read(self, device: str) -> Frame:
        """What the device would report now."""
        flow = self.pump or 0.0
        values = {**self.values, "pump_flow": flow}
        if self.flow_follows:
            values["flow"] = flow
        own = (channel for channel in self.state.room.channels if channel.device == device)
        readings = tuple(self._reading(channel, values.get(channel.id)) for channel in own)
        drives = {"heater": self.heater, "pump": self.pump, "switches": self.contactor}
        status = None
        if device in drives and not (device == "switches" and "contactors" in self.without):
            setpoint, fault = drives[device], self.faults.get(device, "")
            status = DriveStatus(running=setpoint is not None, setpoint=setpoint, fault=fault)
        return Frame(at=self.now, device=device, readings=readings, status=status)

    def _reading(self, channel: Channel, value: float | None) -> Reading:
        validity, reason = Validity.VALID, ""
        if value is None:
            validity, reason = Validity.INVALID, "open probe"
        elif channel.id in self.questionable:
            validity = Validity.QUESTIONABLE
        return Reading(
            channel=channel.id, value=value, unit=channel.unit, validity=validity, reason=reason
        )

    def pull(self, device: str) -> None:
        """Pull the device's cable."""
        self.silent.add(device)
        self.feed(LinkChanged(at=self.now, device=device, state=LinkState.LOST, reason="no port"))

    def plug(self, device: str) -> None:
        """Plug the cable in again."""
        self.silent.discard(device)
        self.feed(LinkChanged(at=self.now, device=device, state=LinkState.LIVE))
        self.frame(device)

    def restart(self, *, later_s: float = 2.0, rebooted: bool = False) -> list[Effect]:
        """The control process dies and comes back; a reboot starts monotonic time anew."""
        utc_ns = self.now.utc_ns + round(later_s * 1e9)
        self._real_ns = 10**9 if rebooted else self._real_ns + round(later_s * 1e9)
        self._utc_ns = utc_ns - self._real_ns
        seen = len(self.effects)
        room = self.state.room
        self.feed(Started(at=self.now, boot="c", room=room, version="test", recovered=True))
        for device in DEVICES:
            self.feed(LinkChanged(at=self.now, device=device, state=LinkState.LIVE))
        self.frames()
        return self.effects[seen:]

    def pass_s(self, seconds: float) -> None:
        """Let real time pass without anything happening."""
        self._real_ns += round(seconds * 1e9)

    def run(self, seconds: float) -> list[Effect]:
        """Let real time pass: each second a frame of each device, and ten ticks (two when long)."""
        seen = len(self.effects)
        ticks = 10 if seconds <= LONG_S else 2
        for _ in range(round(seconds * ticks)):
            self._real_ns += 10**9 // ticks
            if self._real_ns % 10**9 == 0:
                self.frames()
            self.feed(Tick(at=self.now))
        return self.effects[seen:]

    def command(self, name: str, **args: str | float | int | None) -> CommandChanged:
        """Give a command as the perfusionist; the answer is its newest state."""
        return self.command_as(PERFUSIONIST, name, **args)

    def command_as(self, by: Actor, name: str, **args: str | float | int | None) -> CommandChanged:
        self._keys += 1
        key = f"k{self._keys}"
        reason, second = str(args.pop("reason", "")), str(args.pop("second", ""))
        return self.send(
            Command(
                at=self.now,
                key=key,
                name=name,
                args=args,
                reason=reason,
                second=second,
                by=by,
                protocol=self.protocol if name == "open_session" else None,
            )
        )

    def send(self, command: Command) -> CommandChanged:
        """Feed this very command; the answer is its newest state."""
        key = command.key
        self.feed(command)
        return next(
            effect
            for effect in reversed(self.effects)
            if isinstance(effect, CommandChanged) and effect.key == key
        )

    def checklist(self, before: str) -> None:
        for item in self.protocol.checklist:
            if item.before == before:
                reason = SKIPS if item.id in SKIPPED else ""
                self.command("confirm_checklist", item=item.id, second="S. Two", reason=reason)

    def to_phase(self, phase: str) -> None:
        """Walk the ordinary way through the treatment up to this phase."""
        self.command("open_session", protocol=self.protocol.id)
        has_drug = self.protocol.drug is not None
        heated_c = self.values["bath"]
        if "exchanger" in self.without:
            self.values["bath"] = 42.0
            self.frames()
        for target in ("prime", "fill", "heat_up", "drug_addition", "perfuse"):
            if self.phase == phase:
                return
            self.checklist(target)
            if target == "drug_addition":
                self.run(self.protocol.gate.hold_s + 2)
                if not has_drug:
                    continue
            if target == "perfuse" and has_drug:
                self.command("confirm_drug", fraction=1)
            else:
                answer = self.command("start_phase", phase=target)
                assert answer.state is not CommandState.REFUSED, answer.reason
            if target == "fill":
                self.values["bath"] = heated_c
            self.run(3)
        assert self.phase == phase

    @property
    def phase(self) -> str:
        return self.session.phase

    def alarms(self, event: str = "onset") -> list[str]:
        """The ids of the alarms with this transition, in their order."""
        return [e.id for e in self.effects if isinstance(e, AlarmChanged) and e.event == event]

    def signalled(self) -> set[str]:
        """The ids of the alarms that are on, latched or acknowledged now."""
        return {a.id for a in self.state.alarms.values() if a.state != "pending"}

    def raised(self) -> set[str]:
        """The ids of the alarms whose condition holds now."""
        return {a.id for a in self.state.alarms.values() if is_raised(a)}

    def acknowledge_all(self) -> None:
        for alarm in list(self.state.alarms.values()):
            if alarm.state in (AlarmState.ACTIVE, AlarmState.LATCHED):
                self.command("acknowledge", occurrence=alarm.occurrence)

    def command_state(self, key: str) -> CommandState:
        """How far the command with this key has come."""
        return next(record.state for record in self.state.commands if record.key == key)

    def recorded(self, kind: str) -> list[str]:
        """The texts of the record's lines of this kind."""
        return [e.text for e in self.effects if isinstance(e, Recorded) and e.kind == kind]

    @property
    def session(self) -> Session:
        assert self.state.session is not None
        return self.state.session


@cache
def _walked(phase: str, protocol_id: str, speed: float, without: frozenset[str]) -> Bench:
    bench = Bench(protocol_id, speed, without)
    bench.to_phase(phase)
    return bench


def at(
    phase: str = "perfuse",
    protocol_id: str = "closed-mmc-90",
    speed: float = 1.0,
    without: frozenset[str] = NONE,
) -> Bench:
    """A bench of its own in this phase; its events and effects begin here."""
    bench = copy(_walked(phase, protocol_id, speed, without))
    bench.values, bench.faults = dict(bench.values), {}
    bench.silent, bench.questionable = set(), set()
    bench.effects, bench.events, bench.start = [], [], bench.state
    return bench


def pump_runs(effects: list[Effect]) -> Iterator[float]:
    """The flows (ml/min) that these effects order."""
    return (effect.flow_ml_min for effect in effects if isinstance(effect, PumpRun))


def heater_runs(effects: list[Effect]) -> list[HeaterRun]:
    """The heater orders among these effects."""
    return [effect for effect in effects if isinstance(effect, HeaterRun)]
