"""What is "not guarded today": every hazard that nothing watches now, and why."""

from collections.abc import Iterator
from dataclasses import dataclass

from protocols.schema import Technique
from service.core import channels
from service.core.model import Role
from service.core.state import State
from service.core.trust import comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """A hazard and the role that would show it."""

    text: str
    role: Role
    technique: Technique | None = None
    missing: str = "not monitored: no sensor is configured"


HAZARDS: tuple[Hazard, ...] = (
    Hazard(text="Abdominal pressure", role=Role.IAP, technique=Technique.CLOSED),
    Hazard(text="Line pressure, clamped or kinked line", role=Role.LINE_IN),
    Hazard(text="Suction on the return line", role=Role.LINE_OUT),
    Hazard(
        text="No forward flow",
        role=Role.FLOW,
        missing="flow is calculated from the pump's speed, not measured",
    ),
    Hazard(text="Hot fluid standing in the exchanger", role=Role.EXCHANGER),
    Hazard(text="Hot patient (core temperature)", role=Role.CORE),
    Hazard(text="Reservoir level, leaks and volume shift", role=Role.LEVEL),
    Hazard(text="Air in the line", role=Role.BUBBLE),
    Hazard(
        text="Heater cut-out independent of this software",
        role=Role.CUT_OUT,
        missing="assumed in hardware, not watched",
    ),
)


NOT_COMPARED = "not compared in figures with an independent reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unguarded:
    """One hazard that nothing watches now, and why."""

    hazard: str
    why: str


def not_guarded(state: State) -> Iterator[Unguarded]:
    """The hazards without a sensor, those whose sensor gives nothing to believe, and probes that
    nobody has compared in figures."""
    technique = state.session.protocol.technique if state.session else None
    for hazard in HAZARDS:
        if hazard.technique is not None and hazard.technique is not technique:
            continue
        if why := _why_not(state, hazard):
            yield Unguarded(hazard=hazard.text, why=why)
    if not comparison.was_compared(state.session):
        yield Unguarded(hazard="Probes that all read wrong", why=NOT_COMPARED)


def _why_not(state: State, hazard: Hazard) -> str:
    watching = [
        channel
        for channel in channels.of_role(state, hazard.role)
        if channels.is_measured(state, channel)
    ]
    if not watching:
        return hazard.missing
    if not any(channels.believed(state, channel) for channel in watching):
        return "its sensor gives no reading"
    return ""
