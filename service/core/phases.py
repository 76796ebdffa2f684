"""The phases of a treatment as a table: where each may go, and what it needs first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.core import channels, clocks
from service.core.changing import replace
from service.core.control import default_inflow_c, inflow_limit
from service.core.effects import Effect, PhaseChanged
from service.core.model import DeviceClass, Phase, Role
from service.core.state import Session, Side, State
from service.core.trust import comparison

Guard = Callable[[State, Session], str]
"""What is still missing for a step, in words; empty when nothing is."""

PHASE_TITLES: Mapping[Phase, str] = {
    Phase.SETUP: "Set-up",
    Phase.PRIME: "Prime and preheat",
    Phase.FILL: "Fill",
    Phase.HEAT_UP: "Heat up",
    Phase.DRUG_ADDITION: "Add drug",
    Phase.PERFUSE: "Perfuse",
    Phase.DRAIN: "Drain",
    Phase.RINSE: "Rinse",
    Phase.COMPLETE: "Complete",
}


KEEPS_INFLOW = frozenset({Phase.HEAT_UP, Phase.DRUG_ADDITION})
"""Phases after which the inflow that a person set stays; elsewhere the protocol's applies again."""


def _checklist(state: State, session: Session, before: Phase) -> str:
    open_items = [
        item.text
        for item in session.protocol.checklist
        if item.before == before and item.id not in session.checklist
    ]
    return f"checklist: {'; '.join(open_items)}" if open_items else ""


def checklist_before(phase: Phase) -> Guard:
    """Every checklist item that comes before this phase is confirmed."""

    def confirmed(state: State, session: Session) -> str:
        return _checklist(state, session, phase)

    confirmed.__doc__ = f"Every checklist item before {phase} is confirmed."
    return confirmed


def not_soaked(state: State, session: Session) -> str:
    """The fluid that stands in the exchanger, or else the bath it soaks to, is not hotter than what
    the patient may get."""
    limit = _soak_limit_c(session)
    looked_at = channels.of_role(state, Role.EXCHANGER) or channels.of_role(state, Role.BATH)
    heats = channels.device_of_class(state, DeviceClass.HEATER) is not None
    if heats and not looked_at:
        return (
            "exchanger outlet temperature is not known: the room measures neither it nor the bath"
        )
    for channel in looked_at:
        name = "exchanger outlet" if channel.role is Role.EXCHANGER else "bath"
        value = channels.valid_value(state, channel)
        if value is None:
            return f"{name} temperature is not known"
        if value > limit:
            return f"{name} {value:.1f} °C: wait until it is at most {limit:.1f} °C"
    return ""


def _soak_limit_c(session: Session) -> float:
    """What the patient may get now (°C): the inflow asked for, or the band's upper edge where that
    is more, never above the inflow limit."""
    asked = session.heat.requested_c
    wanted = default_inflow_c(session) if asked is None else asked
    ceiling, _ = inflow_limit(session)
    return min(max(wanted, session.protocol.target.high_c), ceiling)


def gate_open(state: State, session: Session) -> str:
    """The drug gate has been held for its time."""
    gate = session.protocol.gate
    if clocks.gate_is_open(session):
        return ""
    held_s = session.clocks.gate_held_s
    return (
        f"{gate.role} {gate.statistic} at {gate.threshold_c:g} °C or more for {gate.hold_s:.0f} s "
        f"(held {held_s:.0f} s)"
    )


def drug_given(state: State, session: Session) -> str:
    """The first fraction of the drug is recorded as given."""
    return "" if session.given else "confirm the first drug fraction"


def no_drug(state: State, session: Session) -> str:
    """The protocol has no drug to add."""
    return "" if session.protocol.drug is None else "the protocol has a drug: add it first"


def has_drug(state: State, session: Session) -> str:
    """The protocol has a drug to add."""
    return "this protocol has no drug" if session.protocol.drug is None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One allowed move between phases and what it needs. `early` asks for a reason."""

    source: Phase
    target: Phase
    guards: tuple[Guard, ...] = ()
    early: bool = False


STEPS: tuple[Step, ...] = (
    Step(source=Phase.SETUP, target=Phase.PRIME, guards=(checklist_before(Phase.PRIME),)),
    Step(
        source=Phase.PRIME,
        target=Phase.FILL,
        guards=(checklist_before(Phase.FILL), comparison.within_limits, not_soaked),
    ),
    Step(source=Phase.FILL, target=Phase.HEAT_UP, guards=(checklist_before(Phase.HEAT_UP),)),
    Step(
        source=Phase.HEAT_UP,
        target=Phase.DRUG_ADDITION,
        guards=(has_drug, gate_open, checklist_before(Phase.DRUG_ADDITION)),
    ),
    Step(
        source=Phase.HEAT_UP,
        target=Phase.PERFUSE,
        guards=(no_drug, gate_open, checklist_before(Phase.DRUG_ADDITION)),
    ),
    Step(source=Phase.DRUG_ADDITION, target=Phase.PERFUSE, guards=(drug_given,)),
    Step(source=Phase.PERFUSE, target=Phase.DRAIN),
    Step(source=Phase.FILL, target=Phase.DRAIN, early=True),
    Step(source=Phase.HEAT_UP, target=Phase.DRAIN, early=True),
    Step(source=Phase.DRUG_ADDITION, target=Phase.DRAIN, early=True),
    Step(source=Phase.PRIME, target=Phase.DRAIN, early=True),
    Step(source=Phase.DRAIN, target=Phase.RINSE, guards=(not_soaked,)),
    Step(source=Phase.DRAIN, target=Phase.COMPLETE, early=True),
    Step(source=Phase.RINSE, target=Phase.COMPLETE),
)


def step_to(session: Session, target: Phase) -> Step | None:
    """The table's row from the session's phase to the target, or None."""
    return next((s for s in STEPS if s.source is session.phase and s.target is target), None)


def needs(state: State, session: Session, step: Step) -> list[str]:
    """What the step still needs, in words."""
    return [text for guard in step.guards if (text := guard(state, session))]


def asks_reason(session: Session, step: Step) -> bool:
    """Whether a person must say why: leaving early, unless the session was aborted."""
    if session.side is Side.ABORT:
        return False
    unfinished = step.source is Phase.PERFUSE and not session.clocks.ended
    return step.early or unfinished


def next_step(session: Session) -> Step | None:
    """The one step that is next on the ordinary way; drain after an abort."""
    rows = [step for step in STEPS if step.source is session.phase]
    if session.side is Side.ABORT:
        return next((s for s in rows if s.target in (Phase.DRAIN, Phase.COMPLETE)), None)
    has = session.protocol.drug is not None
    skip = Phase.PERFUSE if has and session.phase is Phase.HEAT_UP else None
    if not has and session.phase is Phase.HEAT_UP:
        skip = Phase.DRUG_ADDITION
    return next((step for step in rows if step.target is not skip), None)


def entered(
    state: State, session: Session, target: Phase, by: str, *, late_s: float = 0.0
) -> tuple[Session, list[Effect]]:
    """The session in its new phase: its clock (started `late_s` ago), its heat, its flow."""
    effect = PhaseChanged(at=state.now, from_phase=session.phase, to_phase=target, by=by)
    heat_allowed = session.protocol.heat[target].allowed
    heat = replace(
        session.heat,
        enabled=heat_allowed,
        requested_c=session.heat.requested_c if session.phase in KEEPS_INFLOW else None,
    )
    began_s = {**session.began_s, target: state.treat_s}
    moved = replace(session, phase=target, phase_from_s=state.treat_s, began_s=began_s, heat=heat)
    if target in (Phase.PRIME, Phase.RINSE) and not moved.flow_ml_min:
        moved = replace(moved, flow_ml_min=session.protocol.perfusate.flow_ml_min)
    if target is Phase.DRAIN:
        ends = replace(moved.clocks, running=False)
        moved = replace(moved, flow_ml_min=None, side=Side.NONE, clocks=ends)
    if target is Phase.PERFUSE and not session.clocks.ended:
        moved = clocks.started(moved, late_s)
    contact = moved.clocks
    drained = session.phase is Phase.DRAIN and contact.contact_from_s is not None
    if drained and contact.contact_until_s is None:
        moved = replace(moved, clocks=replace(contact, contact_until_s=state.treat_s))
    return moved, [effect]
