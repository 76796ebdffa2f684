"""What would happen if: another inflow or flow during a treatment, or any protocol before incision.

Pure arithmetic on what the observer believes, or on the published ranges; it moves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median

from protocols.schema import Protocol, Technique
from service.core import clocks, foresight, loop
from service.core.balance import Balance, Plan, Warmth, ahead, typical
from service.core.changing import replace
from service.core.model import Controller
from service.core.state import Session, State

STEP_S = 30.0
BEFORE_STEP_S = 30.0
LONGEST_HEAT_UP_S = 2400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is to come in five figures: seconds to the gate (None: not at all), °C.

    Sites and mean are those of the end, the hottest its highest.
    """

    gate_in_s: float | None
    core_peak_c: float
    hottest_c: float
    mean_c: float
    coldest_c: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """A change of inflow (°C) or flow (ml/min) against going on as planned, and both in words."""

    inflow_c: float
    flow_ml_min: float
    planned: Course
    changed: Course
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A figure over the published range of patients: lowest, median, highest."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeIncision:
    """What a protocol at this flow leads to in patients of whom nothing is known yet.

    `gate_min` counts from the start of heat-up and is None when some never reach the gate.
    """

    flow_ml_min: float
    gate_min: Expected | None
    core_peak_c: Expected
    hottest_c: Expected
    mean_c: Expected
    coldest_c: Expected
    text: str


def what_if(
    state: State,
    *,
    inflow_c: float | None = None,
    inflow_delta_c: float = 0.0,
    flow_ml_min: float | None = None,
) -> WhatIf | None:
    """The rest of the treatment with another inflow (°C, or by how much) or flow (ml/min).

    None while nobody is perfused.
    """
    session = state.session
    sight = foresight.seen(state, session) if session is not None else None
    if session is None or session.foresight is None or sight is None:
        return None
    estimate = session.foresight.estimate
    asked_ml_min = sight.flow_ml_min if flow_ml_min is None else flow_ml_min
    other = replace(
        sight, flow_ml_min=min(asked_ml_min, session.protocol.perfusate.flow_max_ml_min)
    )
    aims = foresight.aims_of(state, session)
    held_c = sight.inflow_c if session.heat.granted_c is None else session.heat.granted_c
    if inflow_c is not None:
        inflow_delta_c = inflow_c - held_c
    inflow_c = min(aims.inflow_most_c, held_c + inflow_delta_c)
    aim = loop.goal(estimate, aims, sight.flow_ml_min)
    plan = foresight.plan_of(session, estimate, sight, aim, aims)
    after = foresight.plan_of(session, estimate, other, aim, aims)
    if inflow_delta_c:
        after = _at_most(after, inflow_c) if _automatic(session) else (lambda _: inflow_c)
    for_s = max(STEP_S, clocks.left_s(session))
    courses = [
        _course(
            session.protocol,
            estimate.now,
            ahead(estimate.balance, estimate.now, flow, chosen, for_s, STEP_S),
            list(estimate.shares.values()),
        )
        for chosen, flow in ((plan, sight.flow_ml_min), (after, other.flow_ml_min))
    ]
    what = [f"inflow {inflow_c - held_c:+.1f} °C"] if inflow_delta_c else []
    what += [f"flow {other.flow_ml_min / 1000:.1f} l/min"] if flow_ml_min is not None else []
    return WhatIf(
        inflow_c=inflow_c,
        flow_ml_min=other.flow_ml_min,
        planned=courses[0],
        changed=courses[1],
        text=f"{' and '.join(what) or 'as planned'}: {_compared(*courses)}",
    )


def _automatic(session: Session) -> bool:
    return session.heat.controller is Controller.AUTOMATIC


def _at_most(plan: Plan, most_c: float) -> Plan:
    return lambda now: min(plan(now), most_c)


def _course(
    protocol: Protocol, now: Warmth, steps: Sequence[Warmth], shares: Sequence[float]
) -> Course:
    gate_c, last = protocol.gate.threshold_c, steps[-1]
    reached = (later.after_s for later in (now, *steps) if later.mean_c >= gate_c)
    return Course(
        gate_in_s=next(reached, None),
        core_peak_c=max(later.core_c for later in steps),
        hottest_c=max(
            later.mean_c + max(shares) * (later.inflow_c - later.mean_c) for later in steps
        ),
        mean_c=last.mean_c,
        coldest_c=last.mean_c + min(shares) * (last.inflow_c - last.mean_c),
    )


def _compared(planned: Course, changed: Course) -> str:
    """The figures that change by a tenth, each with what it would have been."""
    figures = (
        ("core peak", planned.core_peak_c, changed.core_peak_c),
        ("hottest site", planned.hottest_c, changed.hottest_c),
        ("mean", planned.mean_c, changed.mean_c),
        ("coldest site", planned.coldest_c, changed.coldest_c),
    )
    said = [f"{name} {_figure(new, old)}" for name, old, new in figures]
    if planned.gate_in_s != changed.gate_in_s:
        said.append(f"gate {_minutes(changed.gate_in_s)} instead of {_minutes(planned.gate_in_s)}")
    return ", ".join(said)


def _figure(new: float, old: float) -> str:
    return f"{new:.1f}" if f"{new:.1f}" == f"{old:.1f}" else f"{new:.1f} instead of {old:.1f}"


def _minutes(seconds: float | None) -> str:
    return "not reached" if seconds is None else f"in {seconds / 60:.0f} min"


TISSUE_W_K = (120.0, 180.0)
BLOOD_W_K = (30.0, 35.0)
CORE_START_C = (35.0, 36.5)
CORE_J_K = (110_000.0, 170_000.0)
FIELD_W_K = {Technique.OPEN: (3.0, 5.0), Technique.CLOSED: (0.3, 1.0)}
"""Published and derived ranges of patients: fluid to tissue 120-180 W/K stirred, tissue to core
30-35 W/K, core 35-36.5 °C after long surgery and 40 kg ± 20 %, surface 3-5 W/K open."""

SHARES = {
    Technique.OPEN: ((0.1, -0.15), (0.25, -0.4)),
    Technique.CLOSED: ((0.15, -0.3), (0.35, -0.6)),
}
"""Hottest and coldest site as parts of inflow less mean: site spreads of 0.5-1.5 °C stirred open
and 1-3 °C closed (general practice) under an inflow some 2 °C above the mean (derived)."""

CAVITY_ABOVE_CORE_C, TISSUE_ABOVE_CORE_C = 3.0, 1.0
"""After the fill the abdomen lies half-way between the body and what was filled in, and has begun
to warm the tissue under it (derived)."""


def before_incision(protocol: Protocol, flow_ml_min: float | None = None) -> BeforeIncision:
    """What automatic would reach in the published range of patients at this flow."""
    flow = protocol.perfusate.flow_ml_min if flow_ml_min is None else flow_ml_min
    patients = list(
        product(
            TISSUE_W_K,
            BLOOD_W_K,
            FIELD_W_K[protocol.technique],
            CORE_START_C,
            CORE_J_K,
            SHARES[protocol.technique],
        )
    )
    courses = [_whole(protocol, flow, *patient) for patient in patients]
    gates = [None if c.gate_in_s is None else c.gate_in_s / 60 for c in courses]
    reached = [gate for gate in gates if gate is not None]
    found = BeforeIncision(
        flow_ml_min=flow,
        gate_min=_over(reached) if len(reached) == len(gates) else None,
        core_peak_c=_over([c.core_peak_c for c in courses]),
        hottest_c=_over([c.hottest_c for c in courses]),
        mean_c=_over([c.mean_c for c in courses]),
        coldest_c=_over([c.coldest_c for c in courses]),
        text="",
    )
    return replace(found, text=_foretold(protocol, found, len(reached) / len(gates)))


def _whole(
    protocol: Protocol,
    flow_ml_min: float,
    tissue_w_k: float,
    blood_w_k: float,
    field_w_k: float,
    core_c: float,
    core_j_k: float,
    shares: tuple[float, float],
) -> Course:
    """One patient's treatment from heat-up on, under automatic."""
    cavity_ml = foresight.IN_CAVITY_SHARE * protocol.perfusate.volume_ml
    balance: Balance = replace(
        typical(protocol.technique, cavity_ml),
        tissue_w_k=tissue_w_k,
        blood_w_k=blood_w_k,
        field_w_k=field_w_k,
        core_j_k=core_j_k,
    )
    aims = foresight.aims_of_protocol(protocol)
    mean_c = core_c + CAVITY_ABOVE_CORE_C
    now = Warmth(0.0, mean_c, core_c + TISSUE_ABOVE_CORE_C, core_c, protocol.perfusate.preheat_c)

    def plan(now: Warmth) -> float:
        goal_c = loop.goal_of(balance, now, shares, aims, flow_ml_min).mean_c
        wanted = loop.wanted_inflow_c(balance, now, flow_ml_min, goal_c, shares[0], aims)
        return min(aims.inflow_most_c, wanted)

    heat_up = ahead(balance, now, flow_ml_min, plan, LONGEST_HEAT_UP_S, BEFORE_STEP_S)
    gate_c = protocol.gate.threshold_c
    gate = next((later for later in heat_up if later.mean_c >= gate_c), heat_up[-1])
    treated_s = 60.0 * protocol.clock.duration_min
    treated = ahead(balance, gate, flow_ml_min, plan, treated_s, BEFORE_STEP_S)
    return _course(protocol, now, (*heat_up[: heat_up.index(gate) + 1], *treated), shares)


def _over(values: Sequence[float]) -> Expected:
    return Expected(low=min(values), middle=median(values), high=max(values))


def _foretold(protocol: Protocol, found: BeforeIncision, share: float) -> str:
    perfusate, band = protocol.perfusate, protocol.target
    lines = [
        f"{protocol.title}, {protocol.technique}, flow {found.flow_ml_min / 1000:.1f} l/min, "
        f"inflow at most {foresight.aims_of_protocol(protocol).inflow_most_c:.1f} °C:"
    ]
    if found.gate_min is None:
        lines.append(f"  gate {protocol.gate.threshold_c:g} °C is reached by {share:.0%} only")
    else:
        lines.append(
            f"  gate {protocol.gate.threshold_c:g} °C after {_range(found.gate_min, 'min')}"
        )
    lines += [
        f"  core peak {_range(found.core_peak_c, '°C')}",
        f"  hottest site {_range(found.hottest_c, '°C')}",
        f"  mean of the sites {_range(found.mean_c, '°C')} (band {band.low_c:g}-{band.high_c:g})",
        f"  coldest site {_range(found.coldest_c, '°C')}",
    ]
    if found.flow_ml_min > perfusate.flow_max_ml_min:
        lines.append(f"  the protocol allows {perfusate.flow_max_ml_min / 1000:.1f} l/min at most")
    return "\n".join(lines)


def _range(found: Expected, unit: str) -> str:
    return f"{found.low:.1f} to {found.high:.1f} {unit} (middle {found.middle:.1f})"
