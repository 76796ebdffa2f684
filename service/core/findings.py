"""What each rule looks at: one function per kind of condition, from the state to findings.

A finding is true, or None where the data is missing: missing is never a value and clears nothing.
What a rule does not yield is over. Ceilings look at valid and questionable readings, the band at
valid ones only.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from protocols.schema import Limits
from service.core import channels, clocks, core_course, dips, heater_check, timers, volumes
from service.core.alarms import Finding, is_signalled
from service.core.channels import label
from service.core.model import (
    Channel,
    CommandState,
    Controller,
    DeviceClass,
    Instant,
    LinkState,
    Phase,
    Role,
    Unit,
)
from service.core.outlook import CORE
from service.core.state import Drive, Link, Session, State, Status
from service.core.trust import frames
from service.core.trust.memory import OF_READINGS, Suspect

Look = Callable[[State, Session], Iterable[Finding]]
RoomLook = Callable[[State], Iterable[Finding]]
BY_HAND = "by_hand"
DEAD_BAND_C = 0.1
DEAD_BAND_MMHG = 2.0
DEAD_BAND_ML = 50.0
DEAD_BAND_ML_MIN = 25.0
DEAD_BANDS: Mapping[Unit, tuple[float, str]] = {
    Unit.DEG_C: (DEAD_BAND_C, "°C"),
    Unit.MMHG: (DEAD_BAND_MMHG, "mmHg"),
}
PRESSURES = frozenset({Role.LINE_IN, Role.LINE_OUT, Role.IAP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """A look at the channels of one role: each one above (or at) a limit, with a dead-band to
    clear. While all of them are below the dead-band, and known, it finds nothing."""

    rule: str
    role: Role
    limit: Callable[[Limits], float]
    core_decides: bool | None = None

    def __call__(self, state: State, session: Session) -> Iterator[Finding]:
        """A finding for each channel that is above the limit or not known."""
        limit = self.limit(session.limits)
        for channel in channels.of_role(state, self.role):
            decides = channel.site in session.protocol.core_decides
            if self.core_decides is not None and decides is not self.core_decides:
                continue
            if found := _over(state, self.rule, channel, limit):
                yield found
        if self.core_decides is not None and session.core_by_hand is not None:
            yield from _by_hand(state, session, self.rule, limit, self.core_decides)

    def calm_below(self, limits: Limits) -> float:
        """Below this no channel of the role can be a finding (°C or mmHg)."""
        return self.limit(limits) - (DEAD_BAND_MMHG if self.role in PRESSURES else DEAD_BAND_C)


def above(
    rule: str, role: Role, limit: Callable[[Limits], float], *, core_decides: bool | None = None
) -> Above:
    """True for each channel of the role above (or at) the limit."""
    return Above(rule=rule, role=role, limit=limit, core_decides=core_decides)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwiceAbove(Above):
    """The same, but only from the second reading in a row on."""

    def __call__(self, state: State, session: Session) -> Iterator[Finding]:
        """A finding for each channel that was above the limit twice, or is not known."""
        for found in Above.__call__(self, state, session):
            twice = state.over_ceiling.get(found.source, 0) >= 2
            if not found.raw or twice or is_signalled(state, self.rule, found.source):
                yield found


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolating(Above):
    """The inflow so hot that the pump stops; a reading that cannot be is confirmed first.

    A garbled answer must not stop a circulation: what jumped there faster than a probe can (heat is
    off all the same) counts only when several of the last few say so.
    """

    def __call__(self, state: State, session: Session) -> Iterator[Finding]:
        """A finding for each channel at the limit; not known while it is not confirmed."""
        for found in Above.__call__(self, state, session):
            suspect = state.trust.suspects.get(found.source)
            alone = suspect is not None and suspect.readings & 1 and not _is_confirmed(suspect)
            if alone and not is_signalled(state, self.rule, found.source):
                limit = self.limit(session.limits)
                yield Finding(source=found.source, raw=None, limit=limit)
            else:
                yield found


@dataclass(frozen=True, slots=True, kw_only=True)
class StillWarmed(Above):
    """Channels that stay at their limit while what flows in is not known to be cooler than that:
    the pump goes on bringing the heat to them."""

    def __call__(self, state: State, session: Session) -> Iterator[Finding]:
        """A finding for each channel at the limit, none once the inflow is below it."""
        if not channels.figures(state, Role.INFLOW).all_below(self.limit(session.limits)):
            yield from Above.__call__(self, state, session)


def _by_hand(
    state: State, session: Session, rule: str, limit: float, core_decides: bool
) -> Iterator[Finding]:
    """A core read by hand within the last five minutes; an old one clears nothing by itself."""
    entry = session.core_by_hand
    decides = entry is not None and entry.site in ("", *session.protocol.core_decides)
    if entry is None or decides is not core_decides:
        return
    signalled = is_signalled(state, rule, BY_HAND)
    if state.treat_s - entry.at_s > core_course.BY_HAND_S:
        if signalled and core_course.core_c(state, session) is None:
            yield Finding(source=BY_HAND, raw=None)
    elif entry.value_c >= limit - (DEAD_BAND_C if signalled else 0.0):
        text = f"Core read by hand {entry.value_c:.1f} °C, limit {limit:g}"
        yield Finding(
            source=BY_HAND,
            raw=True,
            text=text,
            value=entry.value_c,
            limit=limit,
            sampled=entry.entered,
        )


def core_rising(state: State, session: Session) -> Iterator[Finding]:
    """The core is warm and has risen by more than it should within half an hour."""
    value, limits = core_course.core_c(state, session), session.limits
    if value is None:
        yield Finding(source="", raw=None)
        return
    if value <= limits.core_rise_above_c:
        return
    risen = core_course.risen_c(state, value)
    dead = DEAD_BAND_C if is_signalled(state, "core_rising", "") else 0.0
    if risen > limits.core_rise_c - dead:
        text = f"Core {value:.1f} °C has risen by {risen:.1f} °C, limit {limits.core_rise_c:g}"
        yield Finding(source="", raw=True, text=text, value=risen, limit=limits.core_rise_c)


def core_cool(state: State, session: Session) -> Iterator[Finding]:
    """The core is cold at the end of the treatment."""
    limit = session.limits.core_cool_c
    cores = channels.figures(state, Role.CORE)
    known = cores.complete and cores.valid == cores.believed
    if known and min(cores.valid, default=limit) >= limit + DEAD_BAND_C:
        return
    if clocks.left_s(session) > clocks.LAST_MINUTES_S and session.phase is not Phase.DRAIN:
        return
    value = core_course.core_c(state, session)
    if value is None:
        yield Finding(source="", raw=None)
    elif value < limit + (DEAD_BAND_C if is_signalled(state, "core_cool", "") else 0.0):
        text = f"Core {value:.1f} °C at the end, at least {limit:g} wanted"
        yield Finding(source="", raw=True, text=text, value=value, limit=limit)


def clock_stepped(state: State) -> Iterator[Finding]:
    """The computer's wall clock was moved within the last minute; no timer follows it."""
    stepped = state.stepped
    if stepped is not None and state.now.seconds_since(stepped.at) < STEP_SHOWN_S:
        text = f"The computer's clock was moved by {stepped.by_s:.0f} s"
        yield Finding(source="", raw=True, text=text, value=stepped.by_s)


STEP_SHOWN_S = 60.0


def _over(state: State, rule: str, channel: Channel, limit: float) -> Finding | None:
    sample = channels.believed(state, channel)
    if sample is None or sample.value is None:
        return Finding(source=channel.id, raw=None)
    dead, unit = DEAD_BANDS[channel.unit]
    if sample.value < limit and not (
        sample.value >= limit - dead and is_signalled(state, rule, channel.id)
    ):
        return None
    return Finding(
        source=channel.id,
        raw=True,
        text=f"{label(channel)} {sample.value:.1f} {unit}, limit {limit:g}",
        value=sample.value,
        limit=limit,
        sampled=sample.at,
    )


def _is_confirmed(suspect: Suspect) -> bool:
    return any(doubt.check in OF_READINGS for doubt in suspect.doubts)


def of_limits(name: str) -> Callable[[Limits], float]:
    """The limit of this name."""

    def read(limits: Limits) -> float:
        value: float = getattr(limits, name)
        return value

    return read


def sites_low(state: State, session: Session) -> Iterator[Finding]:
    """The protocol's statistic of the sites below the band, once it has been reached or late."""
    target, counted = session.protocol.target, session.clocks
    if dips.recovering(state, session) and not is_signalled(state, "sites_low", ""):
        return
    if counted.in_band_s == 0.0 and counted.elapsed_s < HEAT_UP_S:
        return
    value = channels.statistic(channels.valid_values(state, Role(target.role)), target.statistic)
    edge = target.low_c + (DEAD_BAND_C if is_signalled(state, "sites_low", "") else 0.0)
    if value is None:
        yield Finding(source="", raw=None)
    elif value < edge:
        text = f"Sites {target.statistic} {value:.1f} °C, low limit {target.low_c:g}"
        yield Finding(source="", raw=True, text=text, value=value, limit=target.low_c)


HEAT_UP_S = 20 * 60.0
"""Heating up takes 10-20 min, 14 in the median (CHIPOFIL); the drug may go in before its end."""


def inflow_above_set(state: State, session: Session) -> Iterator[Finding]:
    """The inflow well above what it is, or lately was, set to."""
    expected = session.heat.expected_c
    if expected is None:
        return
    limit = expected + session.limits.inflow_warning_above_set_c
    for channel in channels.of_role(state, Role.INFLOW):
        if found := _over(state, "inflow_above_set", channel, limit):
            yield found


def core_forecast(state: State, session: Session) -> Iterator[Finding]:
    """The core is foreseen at its high limit within ten minutes."""
    seen, limit = session.foresight, session.limits.core_high_c
    if seen is None or CORE not in seen.outlook.ahead:
        return
    later = seen.outlook.ahead[CORE][-1].value_c
    signalled = is_signalled(state, "core_forecast", "")
    old = state.treat_s - seen.outlook.at_s > FORECAST_HOLDS_S
    if old or (signalled and core_course.core_c(state, session) is None):
        yield Finding(source="", raw=None)
    elif later >= limit - (DEAD_BAND_C if signalled else 0.0):
        text = f"Core foreseen at {later:.1f} °C in 10 min, limit {limit:g}"
        yield Finding(source="", raw=True, text=text, value=later, limit=limit)


FORECAST_HOLDS_S = 60.0


def heater_not_gaining(state: State, session: Session) -> Iterator[Finding]:
    """Heat is asked for and the bath gains less than the energy says."""
    check = session.heater_check
    if check is not None and check.short_c > heater_check.LIMIT_C:
        text = f"Heater does not gain: {check.role} {check.value_c:.1f} °C with heat asked for"
        yield Finding(source="heater", raw=True, text=text, value=check.value_c)


def heats_unasked(state: State, session: Session) -> Iterator[Finding]:
    """No heat is asked for and the bath gains, or gives without falling."""
    check = session.heater_check
    if check is not None and check.excess_c > heater_check.LIMIT_C:
        text = f"Heater heats unasked: {check.role} {check.value_c:.1f} °C"
        yield Finding(source="heater", raw=True, text=text, value=check.value_c)


def core_lost(state: State, session: Session) -> Iterator[Finding]:
    """No deciding core probe gives a valid value."""
    deciding = channels.deciding_core(state, session.protocol)
    if deciding and all(channels.valid_value(state, channel) is None for channel in deciding):
        yield Finding(source="", raw=True, text="No valid core temperature")


def iap_warning(state: State, session: Session) -> Iterator[Finding]:
    """The median of the abdominal pressure over its window above the warning limit."""
    limit = session.limits.iap_warn_mmhg
    for channel in channels.of_role(state, Role.IAP):
        if channels.believed(state, channel) is None or not state.iap_window:
            yield Finding(source=channel.id, raw=None)
            continue
        value = median(pressure for _, pressure in state.iap_window)
        edge = limit - DEAD_BAND_MMHG if is_signalled(state, "iap_warn", channel.id) else limit
        if value > edge:
            text = f"Abdominal pressure {value:.0f} mmHg, warning limit {limit:g}"
            yield Finding(source=channel.id, raw=True, text=text, value=value, limit=limit)


def _dead(state: State, rule: str, source: str, dead_band: float) -> float:
    """The dead-band to clear while the alarm's condition holds, 0 before."""
    return dead_band if is_signalled(state, rule, source) else 0.0


def suction(state: State, session: Session) -> Iterator[Finding]:
    """The return line's suction beyond its limit."""
    limit = session.limits.line_out_min_mmhg
    for channel in channels.of_role(state, Role.LINE_OUT):
        sample = channels.believed(state, channel)
        if sample is None or sample.value is None:
            yield Finding(source=channel.id, raw=None)
        elif sample.value < limit + _dead(state, "suction_high", channel.id, DEAD_BAND_MMHG):
            text = f"Return line {sample.value:.0f} mmHg, limit {limit:g}"
            yield Finding(
                source=channel.id,
                raw=True,
                text=text,
                value=sample.value,
                limit=limit,
                sampled=sample.at,
            )


def no_flow(state: State, session: Session) -> Iterator[Finding]:
    """The pump turns, the line pressure is ordinary, and the meter sees no flow."""
    if state.pump.wanted is None or not _flow_is_of_this_order(state):
        return
    measured, calculated = channels.flows_ml_min(state)
    limit = session.limits.no_flow_ml_min
    edge = limit + _dead(state, "no_flow", "", DEAD_BAND_ML_MIN)
    if measured is None or calculated is None:
        yield Finding(source="", raw=None)
    elif channels.runs(state, DeviceClass.PUMP) and calculated > 2 * limit and measured < edge:
        text = f"No forward flow: measured {measured:.0f} ml/min while the pump turns"
        yield Finding(source="", raw=True, text=text, value=measured, limit=limit)


def flow_low(state: State, session: Session) -> Iterator[Finding]:
    """The measured flow well below what the pump is set to."""
    wanted = state.pump.wanted
    if wanted is None or not _flow_is_of_this_order(state):
        return
    measured, _ = channels.flows_ml_min(state)
    limit = session.limits.flow_low_share * wanted
    if measured is None:
        yield Finding(source="", raw=None)
    elif measured < limit + _dead(state, "flow_low", "", DEAD_BAND_ML_MIN):
        text = f"Flow {measured:.0f} ml/min, set {wanted:.0f}"
        yield Finding(source="", raw=True, text=text, value=measured, limit=limit)


def flow_differs(state: State, session: Session) -> Iterator[Finding]:
    """Meter and pump disagree: wrong calibration, tubing or occlusion. What is far below the flow
    that was set is `flow_low`'s."""
    if not _flow_is_of_this_order(state):
        return
    measured, calculated = channels.flows_ml_min(state)
    if measured is None or calculated is None:
        yield Finding(source="", raw=None)
        return
    share, limits = session.protocol.trust.flow_share, session.limits
    most, least = calculated * (1 + share), calculated * (1 - share)
    low = limits.flow_low_share * (state.pump.wanted or 0.0)
    dead = _dead(state, "flow_differs", "", DEAD_BAND_ML_MIN)
    over = measured > most + limits.no_flow_ml_min - dead
    if over or low <= measured < least + dead:
        text = f"Flow meter {measured:.0f} ml/min, the pump turns for {calculated:.0f}"
        yield Finding(source="", raw=True, text=text, value=measured, limit=most if over else least)


def _flow_is_of_this_order(state: State) -> bool:
    """The room has a flow meter, and it was read after the pump took its order."""
    since, meter = state.pump.settled or state.pump.ordered, channels.flow_meter(state)
    sample = state.samples.get(meter.id) if meter else None
    return since is not None and sample is not None and sample.at > since


def flow_high(state: State, session: Session) -> Iterator[Finding]:
    """More flow than the protocol allows, by meter or by pump."""
    limit = session.protocol.perfusate.flow_max_ml_min * FLOW_OVER_SHARE
    told = False
    for source, value in zip(FLOW_SOURCES, channels.flows_ml_min(state), strict=True):
        if value is None:
            if is_signalled(state, "flow_high", source):
                yield Finding(source=source, raw=None)
        elif value > limit - _dead(state, "flow_high", source, DEAD_BAND_ML_MIN) and not told:
            told = True
            text = f"Flow {value:.0f} ml/min, highest allowed {limit:.0f}"
            yield Finding(source=source, raw=True, text=text, value=value, limit=limit)


FLOW_SOURCES = ("measured", "calculated")
FLOW_OVER_SHARE = 1.15
"""A flow meter and a pump may differ by 10-15 % in good order (clinical practice)."""


def declared(event: str) -> Look:
    """True while what a person has declared keeps the session off."""

    def look(state: State, session: Session) -> Iterator[Finding]:
        if block := session.blocks.get(event):
            yield Finding(source="", raw=True, text=block.text)

    return look


def pump_stopped(state: State, session: Session) -> Iterator[Finding]:
    """The pump stands, or reports a fault, although it was confirmed to run."""
    return _stopped(state, session, state.pump, DeviceClass.PUMP)


def heater_stopped(state: State, session: Session) -> Iterator[Finding]:
    """The heater stands, or reports a fault, although it was confirmed to run."""
    return _stopped(state, session, state.heater, DeviceClass.HEATER)


STOPPED: Mapping[DeviceClass, str] = {
    DeviceClass.PUMP: "Pump stopped by itself",
    DeviceClass.HEATER: "Heater stopped by itself",
    DeviceClass.SWITCHES: "Contactors of heater and pump have opened",
}


def _stopped(
    state: State, session: Session, drive: Drive, device_class: DeviceClass
) -> Iterator[Finding]:
    """It stands until a person resumes; what the device said before its order was confirmed says
    nothing about it."""
    if block := session.blocks.get(f"{device_class}_stopped"):
        yield Finding(source=device_class, raw=True, text=block.text)
        return
    if drive.wanted is None or drive.outcome is not CommandState.CONFIRMED:
        return
    status = _said(state, device_class)
    if status is None or drive.settled is None or status.at <= drive.settled:
        yield Finding(source=device_class, raw=None)
    elif status.drive.fault or status.drive.running is False:
        text = f"{STOPPED[device_class]}. {status.drive.fault}".strip()
        yield Finding(source=device_class, raw=True, text=text, sampled=status.at)


def _said(state: State, device_class: DeviceClass) -> Status | None:
    """What the device of this class last said of itself."""
    name = channels.drive_device(state, device_class)
    return state.statuses.get(name) if name else None


def heater_not_off(state: State, session: Session) -> Iterator[Finding]:
    """The heater was told to stop and has not confirmed it in time, or runs again."""
    text = "Heater is not confirmed off"
    return _not_off(state, session, "heater_not_off", DeviceClass.HEATER, text)


def pump_not_off(state: State, session: Session) -> Iterator[Finding]:
    """The pump was told to stop and has not confirmed it in time, or runs again."""
    text = "Pump is not confirmed stopped"
    return _not_off(state, session, "pump_not_off", DeviceClass.PUMP, text)


def _not_off(
    state: State, session: Session, rule: str, device_class: DeviceClass, text: str
) -> Iterator[Finding]:
    drive = state.heater if device_class is DeviceClass.HEATER else state.pump
    if drive.wanted is not None or drive.ordered is None or _unpowered(state):
        return
    runs = channels.runs(state, device_class)
    unproven = runs is True or (runs is None and drive.outcome is not CommandState.CONFIRMED)
    late = state.now.seconds_since(drive.ordered) > session.limits.heater_off_confirm_s
    if late and unproven:
        said = _said(state, device_class)
        read = said.at if said is not None else drive.ordered
        yield Finding(source=device_class, raw=True, text=text, sampled=read)
    elif runs is None and is_signalled(state, rule, device_class):
        yield Finding(source=device_class, raw=None)


def contactor_open(state: State, session: Session) -> Iterator[Finding]:
    """The contactors are open although they were confirmed closed: their watchdog, or somebody."""
    return _stopped(state, session, state.contactor, DeviceClass.SWITCHES)


def switched_on(role: Role, text: str) -> Look:
    """True for each discrete input of the role that says that its condition is there."""

    def look(state: State, session: Session) -> Iterator[Finding]:
        for channel in channels.of_role(state, role):
            sample = channels.believed(state, channel)
            if sample is None or sample.value is None:
                yield Finding(source=channel.id, raw=None)
            elif sample.value > 0:
                yield Finding(source=channel.id, raw=True, text=text, sampled=sample.at)

    return look


def reservoir_low(state: State, session: Session) -> Iterator[Finding]:
    """Less in the reservoir than it needs to keep air out of the line."""
    limit = session.limits.reservoir_low_ml
    for channel in channels.of_role(state, Role.LEVEL):
        sample = channels.believed(state, channel)
        if sample is None or sample.value is None:
            yield Finding(source=channel.id, raw=None)
        elif sample.value < limit + _dead(state, "reservoir_low", channel.id, DEAD_BAND_ML):
            text = f"Reservoir {sample.value:.0f} ml, at least {limit:.0f} needed"
            yield Finding(source=channel.id, raw=True, text=text, value=sample.value, limit=limit)


def leak(state: State, session: Session) -> Iterator[Finding]:
    """Volume has left the reservoir unexplained and is not held back in the abdomen."""
    return _missing_volume(state, session.limits.leak_ml, in_abdomen=False)


def volume_shift(state: State, session: Session) -> Iterator[Finding]:
    """Volume has left the reservoir and stays in the abdomen: its pressure has risen."""
    return _missing_volume(state, session.limits.volume_shift_ml, in_abdomen=True)


def _missing_volume(state: State, limit: float, *, in_abdomen: bool) -> Iterator[Finding]:
    missing, rule = volumes.missing_ml(state), "volume_shift" if in_abdomen else "leak"
    if missing is None:
        if is_signalled(state, rule, ""):
            yield Finding(source="", raw=None)
        return
    ml, risen = missing
    if risen is in_abdomen and ml > limit - _dead(state, rule, "", DEAD_BAND_ML):
        where = "stays in the abdomen" if in_abdomen else "is missing from the reservoir"
        text = f"{ml:.0f} ml {where}, limit {limit:.0f}"
        yield Finding(source="", raw=True, text=text, value=ml, limit=limit)


def drive_unknown(state: State) -> Iterator[Finding]:
    """A drive's last order ended without a confirmed read-back, or was refused by the device."""
    for name, drive in _live_drives(state):
        bad = drive.outcome in (CommandState.UNKNOWN, CommandState.REFUSED)
        asked = drive.outcome is CommandState.REQUESTED and is_signalled(
            state, "drive_unknown", name
        )
        if asked and drive.wanted is not None:
            yield Finding(source=name, raw=None)
        if bad and drive.wanted is not None:
            text = f"{name.capitalize()}: last order {drive.outcome}. {drive.reason}".strip()
            yield Finding(source=name, raw=True, text=text, sampled=drive.settled)


def _live_drives(state: State) -> Iterator[tuple[str, Drive]]:
    """The drives with their names, but those whose connection is lost: that is told by itself."""
    for name, drive, device_class in (
        ("heater", state.heater, DeviceClass.HEATER),
        ("pump", state.pump, DeviceClass.PUMP),
        ("contactor", state.contactor, DeviceClass.SWITCHES),
    ):
        device = channels.drive_device(state, device_class)
        link = state.links.get(device) if device else None
        lost = link is not None and link.state is LinkState.LOST
        if device is None or not (lost or frames.comes_and_goes(state, device)):
            yield name, drive


def link_lost(classes: frozenset[DeviceClass]) -> RoomLook:
    """The connection to a device of these classes is lost, or does not come up."""

    def look(state: State) -> Iterator[Finding]:
        for device in state.room.devices:
            link = state.links.get(device.name)
            if device.device_class not in classes or link is None:
                continue
            if frames.comes_and_goes(state, device.name):
                text = f"{device.name.capitalize()}: connection comes and goes{_brief(link)}"
                yield Finding(source=device.name, raw=True, text=text, sampled=link.since)
                continue
            if link.state is LinkState.LIVE:
                continue
            if device.device_class in SWITCHED and _unpowered(state):
                continue
            slow = state.now.seconds_since(link.since) > LINK_OPENING_S
            lost = link.state is LinkState.LOST or slow
            text = f"{device.name.capitalize()}: connection lost{_brief(link)}"
            yield Finding(source=device.name, raw=lost or None, text=text, sampled=link.since)

    return look


def _brief(link: Link) -> str:
    """Why, in one clause: an alarm is read from afar; the whole reason stands with the device."""
    clause = link.reason.partition(";")[0].partition(". ")[0].rstrip(".")
    return f" ({clause})" if clause else ""


SWITCHED = (DeviceClass.HEATER, DeviceClass.PUMP)


def _unpowered(state: State) -> bool:
    """The contactors say that they are open: heater and pump are silent, and surely off."""
    return channels.runs(state, DeviceClass.SWITCHES) is False


LINK_OPENING_S = 2.5
"""Opening and identifying together may take this long before the link counts as lost."""


def channel_stale(state: State) -> Iterator[Finding]:
    """A channel of a live device has not been read within its age limit; a silent device is one
    finding."""
    for device in state.room.devices:
        link = state.links.get(device.name)
        if link is None or link.state is not LinkState.LIVE:
            continue
        own = channels.of_device(state, device.name)
        old = [channel for channel in own if channels.fresh(state, channel) is None]
        if frames.comes_and_goes(state, device.name):
            continue
        connected_s = state.now.seconds_since(link.since)
        stale = [channel for channel in old if connected_s > channels.gone_s(channel)]
        if len(stale) == len(own) > 1:
            text = f"{device.name.capitalize()} is silent: no readings"
            yield Finding(source=device.name, raw=True, text=text, sampled=_read_at(state, *own))
            continue
        for channel in stale:
            limit_s = channels.gone_s(channel)
            text = f"{label(channel)}: no reading for more than {limit_s:.0f} s"
            read = _read_at(state, channel)
            yield Finding(source=channel.id, raw=True, text=text, limit=limit_s, sampled=read)


def _read_at(state: State, *own: Channel) -> Instant | None:
    """When any of these channels was read last."""
    read = (state.samples.get(channel.id) for channel in own)
    return max((sample.at for sample in read if sample is not None), default=None)


NOT_NEEDED = (Role.POWER, Role.SPEED)
"""Nothing is decided on these, and some instruments do not tell them."""


def probe_lost(state: State, session: Session) -> Iterator[Finding]:
    """A reading without a value: open, short, out of range, refused by its device."""
    for channel in state.room.channels:
        if channel.role not in (Role.SITE, *NOT_NEEDED):
            yield from _invalid(state, channel)


def site_lost(state: State, session: Session) -> Iterator[Finding]:
    """One site probe without a value while enough others remain."""
    for channel in channels.of_role(state, Role.SITE):
        yield from _invalid(state, channel)


def _invalid(state: State, channel: Channel) -> Iterator[Finding]:
    sample = state.samples.get(channel.id)
    if sample is None or sample.validity in channels.BELIEVED_BY_CEILINGS:
        return
    raw = True if channels.fresh(state, channel) else None
    text = f"{label(channel)}: {sample.reason or sample.validity.value}"
    yield Finding(source=channel.id, raw=raw, text=text, sampled=sample.at)


def sites_few(state: State, session: Session) -> Iterator[Finding]:
    """Fewer valid sites than the protocol wants to keep."""
    wanted = min(session.limits.site_lost_keep, len(channels.of_role(state, Role.SITE)))
    valid = len(channels.valid_values(state, Role.SITE))
    if valid < wanted and not _is_of_one_device(state):
        text = f"Only {valid} valid site temperatures, {wanted} needed"
        yield Finding(source="", raw=True, text=text, value=float(valid), limit=float(wanted))


OF_DEVICES = ("link_lost", "channel_stale", "probe_stuck", "site_probe_stuck")


def _is_of_one_device(state: State) -> bool:
    """Every site without a valid value is of a device of which an alarm says so already."""
    lost = {
        channel.device
        for channel in channels.of_role(state, Role.SITE)
        if channels.valid_value(state, channel) is None
    }
    told = {device for device in lost for rule in OF_DEVICES if is_signalled(state, rule, device)}
    return told == lost


def not_durable(state: State) -> Iterator[Finding]:
    """The record cannot be written to the disk."""
    if not state.durable:
        text = f"Record is not being written. {state.durable_reason}".strip()
        yield Finding(source="", raw=True, text=text)


def supervisor_lost(state: State) -> Iterator[Finding]:
    """Nobody would make the devices safe if this process died."""
    if not state.supervised:
        yield Finding(source="", raw=True, text="Supervisor is gone: no heat is added")


def treatment_over(state: State, session: Session) -> Iterator[Finding]:
    """The treatment clock has ended: heat is off, drain."""
    if session.clocks.ended:
        yield Finding(source="", raw=True, text="Treatment time is over, heat is off")


def overtime(state: State, session: Session) -> Iterator[Finding]:
    """The treatment clock ended some minutes ago and nobody has drained."""
    ended_s = session.clocks.ended_s
    allowed_s = 60.0 * session.protocol.clock.overtime_alarm_min
    if ended_s is not None and state.treat_s - ended_s > allowed_s:
        yield Finding(
            source="", raw=True, text="Treatment time is over and the perfusate is still in"
        )


def contact_overtime(state: State, session: Session) -> Iterator[Finding]:
    """The drug has been in the patient longer than planned and its allowance."""
    contact_s = clocks.contact_s(state, session)
    if contact_s is None or session.clocks.contact_until_s is not None:
        return
    cap_s = session.duration_s + 60.0 * session.protocol.clock.contact_cap_extra_min
    if contact_s > cap_s:
        text = f"Drug contact {contact_s / 60:.0f} min, planned {session.duration_s / 60:.0f}"
        yield Finding(source="", raw=True, text=text, value=contact_s, limit=cap_s)


def fraction(which: timers.TimerState) -> Look:
    """A fraction of the drug that is due (within its window) or late, and not yet recorded."""

    def look(state: State, session: Session) -> Iterator[Finding]:
        drug = session.protocol.drug
        if drug is None or session.clocks.contact_from_s is None:
            return
        for number, part in enumerate(drug.fractions, start=1):
            if timers.fraction_state(state, session, number, part) is which:
                text = f"Drug fraction {number} of {len(drug.fractions)} is {which}"
                yield Finding(source=str(number), raw=True, text=text)

    return look


def reminder_due(state: State, session: Session) -> Iterator[Finding]:
    """Intravenous drugs that anesthesia is to give now, in one alarm."""
    due = [
        reminder.drug
        for number, reminder in enumerate(session.protocol.reminders, start=1)
        if number not in session.reminded and timers.reminder_is_due(state, session, number)
    ]
    if due:
        yield Finding(source="", raw=True, text=f"Intravenous now: {', '.join(due)}")


def automatic_lost(state: State, session: Session) -> Iterator[Finding]:
    """The automatic controller has fallen back."""
    if session.heat.controller is Controller.FALLBACK:
        text = "Automatic control is off: heater off until a person resumes"
        yield Finding(source="", raw=True, text=text)
