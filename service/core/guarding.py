"""What is "not guarded today": every hazard, whether it is armed now, and if not, why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from protocols.schema import Technique
from service.core import channels, displays
from service.core.alarm_table import RULES
from service.core.model import Channel, Phase, Role
from service.core.state import State
from service.core.trust import comparison


class Guard(StrEnum):
    """How a hazard is guarded now."""

    ARMED = "armed"
    NOT_ARMED = "not_armed"
    NO_READING = "no_reading"
    NO_SENSOR = "no_sensor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """A hazard, the roles of which any one would show it, and the alarms that watch it.

    Without roles it needs no sensor of its own. `technique` is the only one that it concerns. Where
    it `decides`, only core probes that decide count: a bladder lies against hot perfusate.
    """

    text: str
    rules: tuple[str, ...]
    roles: tuple[Role, ...] = ()
    technique: Technique | None = None
    decides: bool = False
    missing: str = "not monitored: no sensor is configured"


HAZARDS: tuple[Hazard, ...] = (
    Hazard(
        text="Abdominal pressure",
        rules=("iap_high", "iap_warn"),
        roles=(Role.IAP,),
        technique=Technique.CLOSED,
    ),
    Hazard(
        text="Line pressure, clamped or kinked line",
        rules=("line_pressure_high", "line_pressure_warn"),
        roles=(Role.LINE_IN,),
    ),
    Hazard(text="Suction on the return line", rules=("suction_high",), roles=(Role.LINE_OUT,)),
    Hazard(
        text="No forward flow",
        rules=("no_flow", "flow_low"),
        roles=(Role.FLOW,),
        missing="flow is calculated from the pump's speed, not measured",
    ),
    Hazard(text="Runaway flow", rules=("flow_high",), roles=(Role.FLOW,)),
    Hazard(
        text="Hot inflow",
        rules=("inflow_high", "inflow_still_high", "inflow_isolate", "inflow_above_set"),
        roles=(Role.INFLOW,),
    ),
    Hazard(text="Hot bath", rules=("bath_high",), roles=(Role.BATH,)),
    Hazard(text="Hot reservoir", rules=("reservoir_high",), roles=(Role.RESERVOIR,)),
    Hazard(text="Hot fluid standing in the exchanger", rules=(), roles=(Role.EXCHANGER,)),
    Hazard(
        text="Hot site in the abdomen",
        rules=("site_still_high", "site_ceiling", "site_hot", "site_warm"),
        roles=(Role.SITE,),
    ),
    Hazard(
        text="Hot patient (core temperature)",
        rules=(
            "core_ceiling",
            "core_high",
            "core_warm",
            "core_rising",
            "core_forecast",
            "core_lost",
        ),
        roles=(Role.CORE,),
        decides=True,
    ),
    Hazard(
        text="Reservoir level, leaks and volume shift",
        rules=("reservoir_low", "leak", "volume_shift"),
        roles=(Role.LEVEL,),
    ),
    Hazard(text="Empty reservoir (switch)", rules=("reservoir_empty",), roles=(Role.LEVEL_LOW,)),
    Hazard(text="Air in the line", rules=("bubble",), roles=(Role.BUBBLE,)),
    Hazard(
        text="Heater cut-out independent of this software",
        rules=("cut_out",),
        roles=(Role.CUT_OUT,),
        missing="assumed in hardware, not watched",
    ),
    Hazard(text="Emergency stop", rules=("emergency_stop",), roles=(Role.EMERGENCY_STOP,)),
    Hazard(text="Heater that does not switch off", rules=("heater_not_off", "heats_unasked")),
    Hazard(text="Unstable patient, as a person calls it", rules=("patient_unstable",)),
    Hazard(text="Drug contact over its time", rules=("contact_overtime",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """One hazard and how it is guarded now; `why` is empty when it is armed."""

    hazard: str
    guard: Guard
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unguarded:
    """One hazard that nothing watches now, and why."""

    hazard: str
    why: str


def guarded(state: State) -> Iterator[Guarded]:
    """Every hazard: armed, not armed (in this phase or technique), or without sensor or reading."""
    for hazard in HAZARDS:
        guard, why = _guard(state, hazard)
        yield Guarded(hazard=hazard.text, guard=guard, why=why)
    compared = comparison.was_compared(state)
    why = "" if compared else comparison.why_not_compared(state.session)
    guard = Guard.ARMED if compared else Guard.NO_READING
    yield Guarded(hazard="Probes that all read wrong", guard=guard, why=why)
    shared = shared_instruments(state.room.channels)
    why = f"{', '.join(shared)} reads both: its error shows in neither" if shared else ""
    guard = Guard.NO_SENSOR if shared else Guard.ARMED
    yield Guarded(hazard="Circuit and site probes wrong together", guard=guard, why=why)
    for name, why in displays.silent(state):
        yield Guarded(hazard=f"Alarm sound at {name}", guard=Guard.NO_SENSOR, why=why)


def shared_instruments(of_room: Iterable[Channel]) -> tuple[str, ...]:
    """The instruments that read probes of the circuit and of the sites: one error moves both."""
    reads: dict[str, set[Role]] = {}
    for channel in of_room:
        reads.setdefault(channel.device, set()).add(channel.role)
    return tuple(
        sorted(
            device
            for device, roles in reads.items()
            if Role.SITE in roles and roles.intersection(comparison.CIRCUIT)
        )
    )


def not_guarded(state: State) -> Iterator[Unguarded]:
    """The hazards without a sensor, those whose sensor gives nothing to believe, and probes that
    nobody has compared in figures."""
    for entry in guarded(state):
        if entry.guard in (Guard.NO_SENSOR, Guard.NO_READING):
            yield Unguarded(hazard=entry.hazard, why=entry.why)


def _guard(state: State, hazard: Hazard) -> tuple[Guard, str]:
    session = state.session
    technique = session.protocol.technique if session else None
    if hazard.technique not in (None, technique):
        return Guard.NOT_ARMED, f"concerns the {hazard.technique} technique only"
    if found := _without_reading(state, hazard):
        return found
    if session is None:
        return Guard.NOT_ARMED, "no session is open"
    if hazard.rules and session.phase not in _phases(hazard.rules):
        return Guard.NOT_ARMED, f"not armed in phase {session.phase.replace('_', ' ')}"
    return Guard.ARMED, ""


def _without_reading(state: State, hazard: Hazard) -> tuple[Guard, str] | None:
    watching = [
        channel
        for role in hazard.roles
        for channel in channels.of_role(state, role)
        if channels.is_measured(state, channel) and _counts(state, hazard, channel)
    ]
    if not hazard.roles or any(channels.believed(state, channel) for channel in watching):
        return None
    if not watching:
        return Guard.NO_SENSOR, hazard.missing
    return Guard.NO_READING, "its sensor gives no reading"


def _counts(state: State, hazard: Hazard, channel: Channel) -> bool:
    """Whether what watches the hazard looks at this channel."""
    session = state.session
    return not hazard.decides or session is None or channel.site in session.protocol.core_decides


@cache
def _phases(rules: tuple[str, ...]) -> frozenset[Phase]:
    """The phases in which any of these alarms is armed."""
    return frozenset().union(*(rule.phases for rule in RULES if rule.id in rules))
