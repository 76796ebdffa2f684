"""What happened in a virtual session: phases, alarms, controller, refusals, a trace of values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.core.effects import (
    AlarmChanged,
    CommandChanged,
    ControllerChanged,
    DoseRecorded,
    Effect,
    PhaseChanged,
    Recorded,
)
from service.core.model import CommandState, Phase, Presence, Priority
from service.core.state import Session
from simulator.plant import SITES

SOUNDS = frozenset({"onset", "escalated", "reannounced"})

TRACED = (
    *SITES,
    *("inflow", "outflow", "reservoir", "bath", "nasopharynx", "bladder"),
    *("flow", "level", "iap", "line_in"),
)
"""Channels of the trace, in its order: what a faultless instrument shows each second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLine:
    """One transition of one alarm, in which phase ("" before a session) and when (s)."""

    at_s: float
    phase: str
    id: str
    source: str
    event: str
    priority: Priority
    presence: Presence
    text: str

    @property
    def audible(self) -> bool:
        """Whether it makes a sound begin."""
        return self.event in SOUNDS and self.presence is Presence.ON


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the record, a change of controller or a refused command, and when (s)."""

    at_s: float
    kind: str
    text: str


@dataclass(slots=True, kw_only=True)
class Log:
    """Everything that a report of a virtual session is made of. `trace` rows follow `TRACED`.

    `foretold` has what each forecast of heat-up said: when, and in how many seconds the gate's
    temperature would be reached (None: not within what is foreseen).
    """

    phases: list[tuple[float, Phase]] = field(default_factory=list)
    alarms: list[AlarmLine] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    trace_s: list[float] = field(default_factory=list)
    trace: list[tuple[float, ...]] = field(default_factory=list)
    foretold: list[tuple[float, float | None]] = field(default_factory=list)
    dose: DoseRecorded | None = None

    def copy(self) -> "Log":
        """The same log, to be continued in another way."""
        return Log(
            phases=list(self.phases),
            alarms=list(self.alarms),
            lines=list(self.lines),
            trace_s=list(self.trace_s),
            trace=list(self.trace),
            foretold=list(self.foretold),
            dose=self.dose,
        )

    def saw(self, now_s: float, values: Mapping[str, float]) -> None:
        """Keep this second's values."""
        self.trace_s.append(now_s)
        self.trace.append(tuple([values[name] for name in TRACED]))

    def foresaw(self, session: Session) -> None:
        """Keep what is newly foreseen of the gate while it is not reached."""
        seen = session.foresight
        if seen is None or session.phase is not Phase.HEAT_UP:
            return
        if not self.foretold or self.foretold[-1][0] != seen.outlook.at_s:
            self.foretold.append((seen.outlook.at_s, seen.outlook.gate_in_s))

    def note(self, effects: list[Effect], now_s: float) -> None:
        """Keep what the core has said."""
        for effect in effects:
            match effect:
                case PhaseChanged():
                    self.phases.append((now_s, effect.to_phase))
                case AlarmChanged():
                    self.alarms.append(self._alarm(effect, now_s))
                case ControllerChanged():
                    text = f"{effect.to}: {effect.reason}"
                    self.lines.append(Line(at_s=now_s, kind="controller", text=text))
                case CommandChanged(state=CommandState.REFUSED):
                    text = f"{effect.name}: {effect.reason}"
                    self.lines.append(Line(at_s=now_s, kind="refused", text=text))
                case DoseRecorded():
                    self.dose = effect
                case Recorded():
                    self.lines.append(Line(at_s=now_s, kind=effect.kind, text=effect.text))

    def began_s(self, phase: Phase) -> float | None:
        """When a phase began (s), None when it never did."""
        return next((at_s for at_s, entered in self.phases if entered is phase), None)

    def _alarm(self, effect: AlarmChanged, now_s: float) -> AlarmLine:
        return AlarmLine(
            at_s=now_s,
            phase=self.phases[-1][1] if self.phases else "",
            id=effect.id,
            source=effect.source,
            event=effect.event,
            priority=effect.priority,
            presence=effect.presence,
            text=effect.text,
        )
