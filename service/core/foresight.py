"""The observer at work in a session: every ten seconds it looks, foresees, scores, and advises."""

from collections.abc import Callable, Mapping
from functools import partial

from protocols.schema import Limits, Protocol, Technique
from service.core import channels, clocks, loop, reach
from service.core.balance import (
    PERFUSATE_J_ML_K,
    ROOM_C,
    Balance,
    Plan,
    Warmth,
    ahead,
    steady_mean_c,
    typical,
)
from service.core.changing import replace
from service.core.conditions import LEAST_SITES
from service.core.estimate import LONGEST_GAP_S, STEP_S, Estimate, Sight, begun, looked
from service.core.model import WARM, Channel, Controller, Role
from service.core.outlook import (
    CORE,
    FIRST_ERROR_C,
    HORIZONS_S,
    KEPT_EVERY_S,
    MEAN,
    RANGE_OVER_ERROR,
    Ahead,
    Due,
    Outlook,
    Scores,
    Way,
)
from service.core.state import Foresight, Session, State

IN_CAVITY_SHARE = 0.75
"""Of the perfusate; the rest is in reservoir and tubing (general practice: 3 of 4 l)."""

LONGEST_S = 2400.0
COURSE_STEP_S = 20.0


def advance(state: State) -> State:
    """Look again after each step of treatment time; forget when no patient is perfused."""
    session = state.session
    if session is None or (session.foresight is None and session.phase not in WARM):
        return state
    before = session.foresight
    if session.phase not in WARM:
        return replace(state, session=replace(session, foresight=None))
    if before is not None and state.treat_s - before.estimate.at_s < STEP_S:
        return state
    sight = seen(state, session)
    if sight is None:
        return state
    after = _looked(state, session, before, sight)
    return replace(state, session=replace(session, foresight=after))


def seen(state: State, session: Session) -> Sight | None:
    """What the observer may take in now; None without inflow, flow or any site."""
    inflow = channels.valid_values(state, Role.INFLOW)
    flow = channels.heat_flow_ml_min(state)
    sites = _valid(state, channels.of_role(state, Role.SITE))
    if not inflow or flow is None or not sites:
        return None
    outflow = channels.valid_values(state, Role.OUTFLOW)
    core = _valid(state, channels.deciding_core(state, session.protocol))
    return Sight(
        sites_c=sites,
        inflow_c=max(inflow),
        outflow_c=outflow[0] if outflow else None,
        core_c=max(core.values(), default=None),
        flow_ml_min=flow,
    )


def _valid(state: State, found: tuple[Channel, ...] | list[Channel]) -> dict[str, float]:
    values = ((channel.id, channels.valid_value(state, channel)) for channel in found)
    return {name: value for name, value in values if value is not None}


def aims_of(state: State, session: Session) -> loop.Aims:
    """The session's band and limits as the outer loop uses them now."""
    aims = _aims(session.protocol, session.limits)
    return replace(aims, dose_soon=True) if _dose_soon(state, session) else aims


def aims_of_protocol(protocol: Protocol) -> loop.Aims:
    """A protocol's band and limits as the outer loop uses them."""
    return _aims(protocol, protocol.limits)


def _aims(protocol: Protocol, limits: Limits) -> loop.Aims:
    target = protocol.target
    return loop.Aims(
        low_c=target.low_c,
        high_c=target.high_c,
        core_high_c=limits.core_high_c,
        inflow_most_c=limits.inflow_ceiling_c - limits.inflow_margin_c,
    )


DOSE_SOON_S = 240.0


def _dose_soon(state: State, session: Session) -> bool:
    """A fraction of the drug is due within minutes and not yet recorded."""
    drug, contact_s = session.protocol.drug, clocks.contact_s(state, session)
    if drug is None:
        return False
    if contact_s is None:
        return True
    given = {entry.fraction for entry in session.given}
    return any(
        number not in given and contact_s >= 60.0 * fraction.at_min - DOSE_SOON_S
        for number, fraction in enumerate(drug.fractions, start=1)
    )


def _looked(state: State, session: Session, before: Foresight | None, sight: Sight) -> Foresight:
    at_s = state.treat_s
    gap = before is not None and at_s - before.estimate.at_s > LONGEST_GAP_S
    if before is None or gap:
        perfusate = session.protocol.perfusate
        fresh = typical(session.protocol.technique, IN_CAVITY_SHARE * perfusate.volume_ml)
        estimate = begun(at_s, sight, before.estimate.balance if before else fresh)
        scores = (Scores(), Scores())
    else:
        estimate, scores = looked(before.estimate, at_s, sight), before.scores
    aims = aims_of(state, session)
    aim = loop.goal(estimate, aims, sight.flow_ml_min)
    wanted_c = _wanted_c(before, estimate, sight, aim, aims)
    plan = plan_of(session, estimate, sight, aim, aims)
    read_c = _read_c(sight)
    scores = (scores[0].scored(at_s, read_c), scores[1].scored(at_s, read_c))
    course = _course(session, estimate, sight, plan)
    forecasts = tuple(_at(estimate, course, horizon_s) for horizon_s in HORIZONS_S)
    kept_s = before.kept_s if before else -KEPT_EVERY_S
    if at_s - kept_s >= KEPT_EVERY_S:
        first, second = (
            score.kept(Due(at_s=at_s + horizon_s, values_c=values))
            for score, horizon_s, values in zip(scores, HORIZONS_S, forecasts, strict=True)
        )
        scores, kept_s = (first, second), at_s
    moved_c = 0.0 if before is None else sight.inflow_c - before.estimate.now.inflow_c
    known = before.way if before else None
    way = reach.learned(known, state, sight.inflow_c, moved_c, sight.flow_ml_min)
    outlook = _outlook(state, session, estimate, sight, aim, course, forecasts, scores, way)
    return Foresight(
        estimate=estimate,
        wanted_c=wanted_c,
        scores=scores,
        kept_s=kept_s,
        outlook=outlook,
        way=way,
    )


def _wanted_c(
    before: Foresight | None, estimate: Estimate, sight: Sight, aim: loop.Goal, aims: loop.Aims
) -> float:
    """What the loop asks of the inflow; more than before only where two sites agree."""
    wanted = loop.wanted_inflow_c(
        estimate.balance,
        estimate.now,
        sight.flow_ml_min,
        aim.mean_c,
        max(estimate.shares.values()),
        aims,
    )
    agreeing = len(sight.sites_c) - len(estimate.doubted)
    return min(wanted, before.wanted_c) if before and agreeing < LEAST_SITES else wanted


def plan_of(
    session: Session, estimate: Estimate, sight: Sight, aim: loop.Goal, aims: loop.Aims
) -> Plan:
    """What the inflow is going to be asked: by the loop, or as it was last granted."""
    heat, balance = session.heat, estimate.balance
    if heat.controller is not Controller.AUTOMATIC:
        held = sight.inflow_c if heat.granted_c is None else heat.granted_c
        return lambda now: held if heat.bath_c is not None else now.mean_c
    most = min(aims.inflow_most_c, heat.requested_c or aims.inflow_most_c)
    hot, flow = max(estimate.shares.values()), sight.flow_ml_min

    def plan(now: Warmth) -> float:
        return min(most, loop.wanted_inflow_c(balance, now, flow, aim.mean_c, hot, aims))

    return plan


def _course(session: Session, estimate: Estimate, sight: Sight, plan: Plan) -> list[Warmth]:
    """Ten minutes ahead; further while the band is not reached."""
    reached = estimate.now.mean_c >= session.protocol.target.low_c
    for_s = HORIZONS_S[-1] if reached else LONGEST_S
    return ahead(estimate.balance, estimate.now, sight.flow_ml_min, plan, for_s, COURSE_STEP_S)


def _at(estimate: Estimate, course: list[Warmth], after_s: float) -> dict[str, float]:
    """The forecast of every site, their mean and the core after so long (°C, to 0.01)."""
    later = course[round(after_s / COURSE_STEP_S) - 1]
    above = later.inflow_c - later.mean_c
    values = {
        site: round(later.mean_c + share * above, 2) for site, share in estimate.shares.items()
    }
    core = {CORE: round(later.core_c, 2)} if estimate.core_known else {}
    return {**values, MEAN: round(later.mean_c, 2), **core}


def _read_c(sight: Sight) -> dict[str, float]:
    mean = {MEAN: sum(sight.sites_c.values()) / len(sight.sites_c)}
    core = {} if sight.core_c is None else {CORE: sight.core_c}
    return {**sight.sites_c, **mean, **core}


def _outlook(
    state: State,
    session: Session,
    estimate: Estimate,
    sight: Sight,
    aim: loop.Goal,
    course: list[Warmth],
    forecasts: tuple[Mapping[str, float], ...],
    scores: tuple[Scores, Scores],
    way: Way | None,
) -> Outlook:
    b, now, limits = estimate.balance, estimate.now, session.limits
    aims = aims_of(state, session)
    most_c = partial(reach.highest, state, session, way, aims.inflow_most_c, now.mean_c)
    most = most_c(sight.flow_ml_min)
    steady = steady_mean_c(b, now.core_c, most.inflow_c, sight.flow_ml_min)
    above = most.inflow_c - steady
    shares = estimate.shares.values()
    return Outlook(
        at_s=state.treat_s,
        ahead={
            name: tuple(
                Ahead(
                    value_c=values[name],
                    within_c=round(RANGE_OVER_ERROR * score.error_c.get(name, first), 2),
                )
                for values, score, first in zip(forecasts, scores, FIRST_ERROR_C, strict=True)
            )
            for name in forecasts[0]
        },
        gate_in_s=_reached_s(now, course, session.protocol.gate.threshold_c),
        band_in_s=_reached_s(now, course, aims.low_c),
        steady_mean_c=round(steady, 2),
        steady_hottest_c=round(steady + max(shares) * above, 2),
        steady_coldest_c=round(steady + min(shares) * above, 2),
        core_high_in_s=_core_high_in_s(estimate, course, limits.core_high_c),
        goal_c=round(aim.mean_c, 2),
        decided_by=aim.decided_by,
        patient_w=round(b.tissue_w_k * (now.mean_c - now.tissue_c)),
        field_w=round(b.field_w_k * (now.mean_c - ROOM_C)),
        tubing_w=_tubing_w(state, sight),
        fluid_ml=round(b.fluid_ml, -1),
        doubted=estimate.doubted,
        limit=_limit(session, b, now, sight, aim, aims.low_c, most_c, steady),
    )


def _reached_s(now: Warmth, course: list[Warmth], threshold_c: float) -> float | None:
    if now.mean_c >= threshold_c:
        return 0.0
    return next((later.after_s for later in course if later.mean_c >= threshold_c), None)


def _core_high_in_s(estimate: Estimate, course: list[Warmth], limit_c: float) -> float | None:
    """When the core reaches its limit within the longer horizon."""
    if not estimate.core_known:
        return None
    near = course[: round(HORIZONS_S[-1] / COURSE_STEP_S)]
    return next((later.after_s for later in near if later.core_c >= limit_c), None)


def _tubing_w(state: State, sight: Sight) -> float | None:
    """What the line between exchanger and patient loses now (W)."""
    outlet = channels.valid_values(state, Role.EXCHANGER)
    if not outlet:
        return None
    through = sight.flow_ml_min / 60.0 * PERFUSATE_J_ML_K
    return round(through * (outlet[0] - sight.inflow_c))


def _limit(
    session: Session,
    balance: Balance,
    now: Warmth,
    sight: Sight,
    aim: loop.Goal,
    low_c: float,
    most_c: Callable[[float], reach.Reach],
    steady: float,
) -> str:
    """What keeps the sites from going where they should, and what would help ("" for nothing)."""
    if aim.decided_by == loop.HOTTEST:
        return "the hottest site is at the band's edge before the mean is in it: stir, or move it"
    if aim.decided_by == loop.CORE:
        return f"core {now.core_c:.1f} °C: less heat; cool the patient"
    if steady >= low_c + loop.ENTERED_C or session.phase not in WARM:
        return ""
    is_open = session.protocol.technique is Technique.OPEN
    most = most_c(sight.flow_ml_min)
    helps = ["allow a warmer inflow"] if most.limited_by == reach.ALLOWED else []
    helps += [COVER] if is_open else []
    if flow := _flow_for(balance, now, sight, low_c, most_c, session):
        helps.append(f"raise flow to {flow / 1000:.1f} l/min")
    means = f"sites reach {steady:.1f} °C at most"
    where = "open field" if is_open else "closed abdomen"
    return f"{most.limited_by}, {where}, {means}: {', or '.join(helps) or 'nothing is left'}"


COVER = "cover it if it is not covered"
"""Nothing tells a covered field from an open one: what the observer takes for lost through the
field is the middle of the published range for an open one."""


def _flow_for(
    balance: Balance,
    now: Warmth,
    sight: Sight,
    low_c: float,
    most_c: Callable[[float], reach.Reach],
    session: Session,
) -> float | None:
    """The lowest flow (to 0.1 l/min) that carries the mean into the band, if there is one."""
    flow = sight.flow_ml_min - sight.flow_ml_min % 100.0 + 100.0
    while flow <= session.protocol.perfusate.flow_max_ml_min:
        inflow_c = most_c(flow).inflow_c
        if steady_mean_c(balance, now.core_c, inflow_c, flow) >= low_c + 0.1:
            return flow
        flow += 100.0
    return None
