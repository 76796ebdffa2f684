"""The heat: whether it may run now, what the inflow is to be, and which bath set-point gives it.

The heater takes a bath set-point; the inflow follows through exchanger and tubing. Manual sets the
bath once for what a person asked; advisory lowers it where the inflow would rise above that;
automatic moves it by a PI on the inflow and gives less, never more, than was asked. When in doubt,
cooler.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service.core import channels, conditions, core_course
from service.core.changing import replace
from service.core.conditions import LEAST_SITES
from service.core.effects import Effect, Recorded
from service.core.events import Event, Frame
from service.core.interlocks import add_block, block_for_lost_needs
from service.core.model import WARM, Controller, DeviceClass, LinkState, Phase, Role
from service.core.samples import Samples
from service.core.state import AlarmState, Heat, Session, Side, State

BATH_OVER_INFLOW_C = 0.6
KP = 1.0
KI_PER_S = 0.004
"""Feed-forward and gains: derived on the simulated circuit (exchanger 250-300 W/K, 1-1.5 L/min),
where they settle within 10 min without overshoot above 0.2 °C."""

TRIM_GAIN = 4.0
"""Automatic takes 4 °C off the inflow for each °C of the hottest site above the band, at once."""

NOBODY_HEATS = frozenset({Controller.FALLBACK, Controller.STOPPED})
"""Modes with one stated output: the heater off. The pump does what the event × response matrix says
of the event that led there; neither starts again before a person resumes."""

TOLD_EVERY_S = 60.0
TOLD_STEP_C = 0.2
"""The record has an automatic change when it amounts to this much, at most once a minute."""

BATH_COOLS_C_PER_S = 0.3 / 60.0
"""A circuit without heat falls by 0.3-1 °C/min (clinical practice); the slower figure counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that heat needs and does not have; `data` when it is a reading that is missing."""

    text: str
    data: bool


LATE_TICK_S = 1.5
"""Should ticks stay away for so long (real seconds), any frame decides in their place."""


def decides(before: State, state: State, event: Event) -> bool:
    """Whether this pass decides on heat and drives.

    Every event does but a frame in which all is well: that waits for the next tick, a tenth of a
    second at most. What moves an alarm or an interlock, a reading that is lost or doubted, a site
    at its ceiling and a drive's new word are answered at once.
    """
    session, then = state.session, before.session
    if not isinstance(event, Frame) or session is None or then is None:
        return True
    samples, status = state.samples, before.statuses.get(event.device)
    decided_s = session.heat.decided_s
    return (
        decided_s is None
        or state.treat_s - decided_s > LATE_TICK_S * state.room.speed
        or state.alarms is not before.alarms
        or session.blocks is not then.blocks
        or state.over_ceiling is not before.over_ceiling
        or (isinstance(samples, Samples) and samples.lost)
        or (event.status is not None and (status is None or status.drive != event.status))
    )


def advance(state: State) -> tuple[State, list[Effect]]:
    """Decide on heat, for the treatment seconds since the decision before."""
    session = state.session
    if session is None:
        return state, []
    before_s = session.heat.decided_s
    dt_s = 0.0 if before_s is None else state.treat_s - before_s
    refused = next(_refusals(state, session), "")
    missing = [] if refused else list(_missing(state, session))
    heat = _with_missing(state, session.heat, missing)
    reason = refused or "; ".join(item.text for item in missing)
    if reason:
        heat = replace(heat, bath_c=None, waits_for=reason, limited_by="", integral_c=0.0)
    else:
        heat = _regulated(state, session, heat, dt_s)
    if (expected_c := _expected_c(heat, dt_s)) != heat.expected_c:
        heat = replace(heat, expected_c=expected_c)
    heat, effects = _told(state, session, heat)
    state = replace(state, session=replace(session, heat=replace(heat, decided_s=state.treat_s)))
    gap_s = 0.0 if heat.missing_since is None else state.now.seconds_since(heat.missing_since)
    if gap_s > session.limits.link_latch_s:
        why = reason or "the heater's connection was lost"
        state, latched = add_block(state, block_for_lost_needs(state, f"Heat stays off: {why}"))
        effects += latched
    return state, effects


def inflow_limit(session: Session) -> tuple[float, str]:
    """The highest inflow set-point that is ever granted (°C), and what sets it."""
    limits = session.limits
    ceiling = limits.inflow_ceiling_c - limits.inflow_margin_c
    return ceiling, f"inflow ceiling {limits.inflow_ceiling_c:g} − {limits.inflow_margin_c:g} °C"


def _refusals(state: State, session: Session) -> Iterator[str]:
    """Why heat is off by decision of a person, a phase or an interlock."""
    if not session.protocol.heat[session.phase].allowed:
        yield f"no heat in phase {session.phase.replace('_', ' ')}"
    if session.side is not Side.NONE:
        yield f"session is in {session.side.replace('_', ' ')}"
    if session.clocks.ended:
        yield "treatment time is over"
    if blocked := [block.text for block in session.blocks.values() if block.heat]:
        yield "; ".join(blocked)
    if not state.supervised:
        yield "supervisor is gone"
    if session.heat.controller in NOBODY_HEATS:
        yield f"controller is in {session.heat.controller}: a person has to resume"
    if not session.heat.enabled:
        yield "a person has to switch it on"


ROLES: Mapping[str, Role] = {role.value: role for role in Role}


def _missing(state: State, session: Session) -> Iterator[Missing]:
    needs = session.protocol.heat[session.phase].needs
    automatic = session.heat.controller is Controller.AUTOMATIC
    for need in needs:
        role = ROLES[need]
        if role is Role.FLOW:
            yield from _missing_flow(state, session)
        elif role is Role.CORE:
            yield from _missing_core(state, session)
        elif not (values := channels.valid_values(state, role)):
            yield Missing(text=f"no valid {need} temperature", data=True)
        elif role is Role.SITE and automatic and len(values) < LEAST_SITES:
            yield Missing(text=f"automatic needs {LEAST_SITES} valid sites", data=True)
        elif role is Role.SITE and automatic and not conditions.sites_agree(state, session):
            yield Missing(text="automatic needs two sites that agree", data=True)
    yield from _too_hot(state, session)
    if channels.device_of_class(state, DeviceClass.HEATER) is None:
        yield Missing(text="the room has no heater", data=False)
    elif not channels.powered(state):
        yield Missing(text="the heater has no power yet", data=False)
    elif state.heater.wanted is None and _heater_link_is_down(state):
        yield Missing(text="the heater is not connected", data=False)


def _missing_flow(state: State, session: Session) -> Iterator[Missing]:
    flow = channels.heat_flow_ml_min(state)
    least = conditions.least_flow_ml_min(session)
    if flow is None:
        yield Missing(text="flow is not known", data=True)
    elif flow < least:
        yield Missing(text=f"flow {flow:.0f} ml/min, at least {least:.0f} needed", data=False)


def _missing_core(state: State, session: Session) -> Iterator[Missing]:
    """A deciding core probe may be lost for the protocol's time before heat is held."""
    for channel in channels.deciding_core(state, session.protocol):
        if channels.valid_value(state, channel) is not None:
            return
    alarm = state.alarms.get("core_lost/")
    if alarm is None or alarm.state is not AlarmState.PENDING or state.heater.wanted is None:
        yield Missing(text="no valid core temperature", data=True)


def _too_hot(state: State, session: Session) -> Iterator[Missing]:
    """One single reading at a ceiling cuts the heat demand, before any alarm is confirmed."""
    ceilings = {
        Role.SITE: session.limits.site_ceiling_c,
        Role.INFLOW: session.limits.inflow_ceiling_c,
    }
    for role, ceiling in ceilings.items():
        highest = channels.figures(state, role).highest
        if highest is None or highest < ceiling:
            continue
        for channel in channels.of_role(state, role):
            sample = channels.believed(state, channel)
            if sample is not None and sample.value is not None and sample.value >= ceiling:
                yield Missing(text=f"{channel.id} {sample.value:.1f} °C at its ceiling", data=False)


def _with_missing(state: State, heat: Heat, missing: list[Missing]) -> Heat:
    """Remember since when a reading, the heater or the supervisor has been missing with heat on."""
    data = any(item.data for item in missing) or _heater_link_is_down(state)
    if not data and state.supervised:
        return heat if heat.missing_since is None else replace(heat, missing_since=None)
    if heat.missing_since is None and state.heater.wanted is not None:
        return replace(heat, missing_since=state.now)
    return heat


def _heater_link_is_down(state: State) -> bool:
    name = channels.device_of_class(state, DeviceClass.HEATER)
    link = state.links.get(name) if name else None
    return link is not None and link.state is not LinkState.LIVE


def _regulated(state: State, session: Session, heat: Heat, dt_s: float) -> Heat:
    granted, limited_by = _granted(state, session, heat)
    correction, integral = _correction(state, heat, granted, dt_s)
    bath = granted + BATH_OVER_INFLOW_C + correction
    highest = session.limits.bath_max_c
    if bath > highest:
        bath = highest
        limited_by = "; ".join(filter(None, (limited_by, f"bath maximum {highest:g} °C")))
    return replace(
        heat,
        asked_c=_asked_c(session, heat),
        granted_c=granted,
        limited_by=limited_by,
        bath_c=bath,
        integral_c=integral,
        waits_for="",
    )


def _correction(state: State, heat: Heat, granted: float, dt_s: float) -> tuple[float, float]:
    """What the PI on the inflow adds to the bath (°C), and its integral from now on.

    Manual leaves the bath alone. Advisory only ever takes away, so that a return that grows warm
    does not carry the inflow above what a person asked for. At the bath's maximum nothing winds up.
    """
    inflow = channels.valid_values(state, Role.INFLOW)
    if heat.controller is Controller.MANUAL or not inflow:
        return 0.0, heat.integral_c
    error = granted - max(inflow)
    correction = KP * error + heat.integral_c
    integral = heat.integral_c + KI_PER_S * error * dt_s
    if heat.controller is not Controller.AUTOMATIC:
        return min(0.0, correction), min(0.0, integral)
    session = state.session
    room_c = session.limits.bath_max_c - granted - BATH_OVER_INFLOW_C if session else 0.0
    return correction, heat.integral_c if correction > room_c and error > 0 else integral


def _expected_c(heat: Heat, dt_s: float) -> float | None:
    """The inflow follows a lower set-point only as fast as the bath cools; a higher one at once."""
    if heat.granted_c is None or heat.expected_c is None:
        return heat.granted_c
    return max(heat.granted_c, heat.expected_c - BATH_COOLS_C_PER_S * dt_s)


def _granted(state: State, session: Session, heat: Heat) -> tuple[float, str]:
    """The inflow set-point, and what cut it below what was asked."""
    asked = _asked_c(session, heat)
    cuts = [(asked, ""), inflow_limit(session)]
    if heat.controller is not Controller.AUTOMATIC:
        return min(cuts)
    if heat.requested_c is not None:
        cuts.append((heat.requested_c, "what a person allows"))
    granted, why = min(cuts)
    trim = _hottest_site_trim_c(state, session)
    return (granted - trim, "hottest site above the band") if trim > 0 else (granted, why)


def _asked_c(session: Session, heat: Heat) -> float:
    """What the loop asks for in automatic, else a person, else the protocol (°C)."""
    seen = session.foresight
    if heat.controller is Controller.AUTOMATIC and seen is not None:
        return seen.wanted_c
    return default_inflow_c(session) if heat.requested_c is None else heat.requested_c


def _hottest_site_trim_c(state: State, session: Session) -> float:
    hottest = channels.figures(state, Role.SITE).highest
    edge = session.protocol.target.high_c
    return 0.0 if hottest is None else TRIM_GAIN * max(0.0, hottest - edge)


def _told(state: State, session: Session, heat: Heat) -> tuple[Heat, list[Effect]]:
    """What automatic asked, what was granted and which limit cut it, for the record."""
    if heat.controller is not Controller.AUTOMATIC or heat.granted_c is None:
        return replace(heat, told_c=None), []
    moved = heat.told_c is None or abs(heat.granted_c - heat.told_c) >= TOLD_STEP_C
    due = heat.told_c is None or state.treat_s - heat.told_s >= TOLD_EVERY_S
    if not due or not (moved or heat.limited_by != heat.told_limit):
        return heat, []
    asked = heat.granted_c if heat.asked_c is None else heat.asked_c
    cut = f", limited by {heat.limited_by}" if heat.limited_by else ""
    aim = session.foresight.outlook if session.foresight else None
    effect = Recorded(
        at=state.now,
        kind="automatic",
        text=f"Inflow {heat.granted_c:.1f} °C, asked {asked:.1f}{cut}",
        data={
            "asked_c": round(asked, 2),
            "granted_c": round(heat.granted_c, 2),
            "limited_by": heat.limited_by,
            "goal_c": aim.goal_c if aim else None,
            "decided_by": aim.decided_by if aim else "",
        },
    )
    told = replace(heat, told_c=heat.granted_c, told_s=state.treat_s, told_limit=heat.limited_by)
    return told, [effect]


def default_inflow_c(session: Session) -> float:
    """What the protocol asks of the inflow in this phase (°C): preheat, then its set-point."""
    perfusate = session.protocol.perfusate
    early = session.phase in (Phase.PRIME, Phase.FILL)
    return perfusate.preheat_c if early else perfusate.inflow_c


def advice(state: State, session: Session) -> str:
    """What the loop would propose to a person now ("" for nothing); it moves nothing itself."""
    heat = session.heat
    sites = channels.valid_values(state, Role.SITE)
    if session.phase not in WARM or not sites or heat.bath_c is None:
        return ""
    outlook = session.foresight.outlook if session.foresight else None
    limit = outlook.limit if outlook else ""
    if heat.controller is Controller.AUTOMATIC or heat.granted_c is None:
        return limit
    target = session.protocol.target
    if max(sites) > target.high_c:
        lower = heat.granted_c - 0.5
        return f"hottest site {max(sites):.1f} °C: lower the inflow to {lower:.1f} °C"
    if warm := _core_advice(state, session, heat.granted_c):
        return warm
    ceiling, why = inflow_limit(session)
    mean = sum(sites) / len(sites)
    if mean >= target.low_c:
        return ""
    if heat.granted_c >= ceiling:
        return limit or f"sites {mean:.1f} °C at {why}"
    proposed = min(ceiling, heat.granted_c + max(0.2, target.low_c - mean))
    return f"sites {mean:.1f} °C, below the band: inflow {proposed:.1f} °C"


CORE_STEP_C = 1.0


def _core_advice(state: State, session: Session, granted_c: float) -> str:
    """Less heat where the core is warm, or is foreseen at its high limit within ten minutes."""
    limits = session.limits
    core = core_course.core_c(state, session) or 0.0
    lower = granted_c - CORE_STEP_C
    if core >= limits.core_medium_c:
        return f"core {core:.1f} °C: lower the inflow to {lower:.1f} °C, cool the patient"
    in_s = session.foresight.outlook.core_high_in_s if session.foresight else None
    if in_s is None:
        return ""
    return (
        f"core {limits.core_high_c:g} °C foreseen in {in_s / 60:.0f} min: "
        f"lower the inflow to {lower:.1f} °C"
    )
