"""The alarms as data: what, how urgent, when armed, after how long, and what to do.

Limits and delays come from the protocol; `event` names the row of the event x response matrix that
an active alarm sets off. A rule is hidden where one of its `hidden_by` is true of the same source,
or one of its `hidden_by_any` of any source, so that one cause gives one alarm.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from protocols.schema import Technique
from service.core import channels, displays, findings, requests, scale
from service.core.alarms import Finding, Judged, is_signalled
from service.core.changing import replace
from service.core.findings import (
    Isolating,
    Look,
    RoomLook,
    StillWarmed,
    TwiceAbove,
    above,
    of_limits,
)
from service.core.model import FLUID, WARM, DeviceClass, Instant, Phase, Priority, Role
from service.core.state import Session, State
from service.core.timers import TimerState
from service.core.trust import comparison, frames, told
from service.core.trust.memory import Check

HIGH, MEDIUM, LOW = Priority.HIGH, Priority.MEDIUM, Priority.LOW
PATIENT = FLUID - {Phase.PRIME}
TREATED = frozenset({Phase.DRUG_ADDITION, Phase.PERFUSE})
ANY = frozenset(Phase)
HEAT_ENDING = (
    "inflow_isolate",
    "inflow_still_high",
    "inflow_high",
    "site_still_high",
    "site_ceiling",
    "core_ceiling",
    "core_high",
    "core_lost",
    "bath_high",
    "reservoir_high",
    "line_pressure_high",
    "iap_high",
    "suction_high",
    "emergency_stop",
    "patient_unstable",
    "bubble",
    "reservoir_empty",
    "reservoir_low",
    "volume_shift",
    "leak",
    "cut_out",
    "probe_bias",
    "contactor_open",
    "pump_stopped",
    "no_flow",
    "flow_high",
    "heater_stopped",
    "heater_not_off",
    "heats_unasked",
)
"""Alarms that say by themselves that heat is off; what follows from them gets none of its own."""

DRIVES = frozenset({DeviceClass.PUMP, DeviceClass.HEATER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row: an alarm of a session, armed in some phases and perhaps one technique.

    `outside` are causes that lie outside the console; `hysteresis` is the dead-band to clear.
    """

    id: str
    priority: Priority
    look: Look
    phases: frozenset[Phase]
    do: str
    condition: str = ""
    hysteresis: str = ""
    outside: tuple[str, ...] = ()
    delay: str | float = 0.0
    technique: Technique | None = None
    technical: bool = False
    escalates: bool = False
    event: str = ""
    hidden_by: tuple[str, ...] = ()
    hidden_by_any: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRule:
    """One row: a technical alarm of the room, armed with or without a session."""

    id: str
    priority: Priority
    look: RoomLook
    do: str
    condition: str = ""
    delay_s: float = 0.0


DOUBTS: tuple[tuple[Check, str], ...] = (
    (Check.RANGE, "Compare with another probe; reseat the plug or exchange the probe."),
    (Check.JUMP, "Compare with another probe; look for a loose plug or a disturbed cable."),
    (Check.CONTACT, "Reseat the plug; exchange the probe or its cable when it goes on."),
    (Check.STUCK, "Compare with another probe; put the plug on another input or exchange it."),
    (Check.NOISE, "Look for a wet or loose plug, and for diathermy beside the cable."),
    (
        Check.MOVED,
        "Look where the probe lies: in the fluid, off wall and inflow. Then confirm the probe map.",
    ),
    (Check.ORDER, "Compare plugs and probe map; confirm the map on the checklist again."),
    (Check.TWINS, "Compare both with a third probe; the hotter one counts until then."),
    (Check.LINE, "Compare exchanger outlet and inflow with a third probe; the hotter one counts."),
    (Check.EXCHANGER, "Compare bath, exchanger outlet and reservoir; look for air or low flow."),
    (Check.BALANCE, "Compare flow meter and pump, and the circuit's probes with a reference."),
)
"""Checks of readings, and what to do about each. A doubted reading raises no heat; ceilings watch
it all the same."""

NO_HEAT = (Check.ORDER, Check.LINE, Check.EXCHANGER)
"""What a heater that gives no heat brings about by itself."""

CEILINGS = (
    *("inflow_isolate", "inflow_still_high", "inflow_high"),
    *("site_still_high", "site_ceiling", "core_ceiling", "core_high"),
)
ONLY_SITES = (Check.MOVED,)
NO_SITES = (Check.LINE, Check.EXCHANGER, Check.BALANCE)


DOUBTED: Mapping[Check, str] = {
    Check.RANGE: "reads what the fluid or the body cannot be",
    Check.JUMP: "changes faster than the fluid can",
    Check.CONTACT: "loses contact again and again",
    Check.STUCK: "does not move while others do",
    Check.NOISE: "scatters more than an instrument does",
    Check.MOVED: "steps or drifts away from the other sites: displaced, or out of the fluid",
    Check.ORDER: "is out of the order of inflow, sites, outflow and core: swapped",
    Check.TWINS: "disagrees with its twin",
    Check.LINE: "disagrees with the other end of its line: exchanger outlet and inflow",
    Check.EXCHANGER: "does not fit bath, exchanger outlet and reservoir",
    Check.BALANCE: "does not fit the bath's power against flow and temperature difference",
}
"""What each check saw, as a condition; its alarm says it in figures."""


def _doubt_rules() -> Iterator[Rule]:
    """One row for each check of sites (low, while enough are left) and one of all other probes."""
    for check, do in DOUBTS:
        for sites in (True, False):
            if check in (NO_SITES if sites else ONLY_SITES):
                continue
            yield Rule(
                id=f"site_{check}" if sites and check not in ONLY_SITES else check.value,
                condition=f"{'A site' if sites else 'A probe'} {DOUBTED[check]}",
                priority=LOW if sites else MEDIUM,
                look=told.doubted(check, sites=sites),
                phases=PATIENT if sites else FLUID,
                technical=True,
                hidden_by=CEILINGS,
                hidden_by_any=("heater_not_gaining",) if check in NO_HEAT else (),
                do=do,
            )


DOUBT_RULES = tuple(_doubt_rules())

RULES: tuple[Rule, ...] = (
    Rule(
        id="inflow_isolate",
        condition="A believed inflow reading at or above `inflow_isolate_c`; one that jumped there "
        "faster than a probe can counts when `readings_bad_of` say the same (heat is off at once)",
        hysteresis="0.1 °C",
        priority=HIGH,
        look=Isolating(
            rule="inflow_isolate", role=Role.INFLOW, limit=of_limits("inflow_isolate_c")
        ),
        phases=FLUID,
        event="inflow_isolate",
        do="Pump is stopped. Isolate the heat exchanger, let it cool.",
    ),
    Rule(
        id="inflow_still_high",
        condition="Inflow at or above `inflow_ceiling_c` for `inflow_still_high_s`, its heater off",
        hysteresis="0.1 °C",
        priority=HIGH,
        look=above("inflow_still_high", Role.INFLOW, of_limits("inflow_ceiling_c")),
        phases=FLUID,
        delay="inflow_still_high_s",
        event="still_hot",
        hidden_by=("inflow_isolate",),
        do="The pump is slowed, then stopped. Isolate the heat exchanger or clamp towards the "
        "patient, and let the bath cool.",
    ),
    Rule(
        id="inflow_high",
        condition="Any believed inflow reading at or above `inflow_ceiling_c`",
        hysteresis="0.1 °C",
        priority=HIGH,
        look=above("inflow_high", Role.INFLOW, of_limits("inflow_ceiling_c")),
        phases=FLUID,
        event="temperature_ceiling",
        hidden_by=("inflow_isolate", "inflow_still_high"),
        do="Heater is off, the pump goes on. Check heater set-point and flow, then resume.",
    ),
    Rule(
        id="inflow_above_set",
        condition="Inflow above what its set-points explain by `inflow_warning_above_set_c`",
        hysteresis="0.1 °C",
        priority=MEDIUM,
        look=findings.inflow_above_set,
        phases=WARM,
        delay=30.0,
        hidden_by=("inflow_high", "inflow_still_high", "inflow_isolate"),
        do="Lower the inflow set-point or check the heater.",
    ),
    Rule(
        id="site_still_high",
        condition="A site at or above `site_ceiling_c` for `inflow_still_high_s`, its heater off, "
        "and the inflow not known to be below `site_ceiling_c`",
        hysteresis="0.1 °C",
        priority=HIGH,
        look=StillWarmed(rule="site_still_high", role=Role.SITE, limit=of_limits("site_ceiling_c")),
        phases=PATIENT,
        delay="inflow_still_high_s",
        event="still_hot",
        hidden_by_any=("inflow_isolate", "inflow_still_high"),
        do="The pump is slowed, then stopped: what flows in keeps the site hot. Let the bath cool, "
        "stir, check the probe.",
    ),
    Rule(
        id="site_ceiling",
        condition="Two believed readings of a site in a row at or above `site_ceiling_c` (the "
        "first cuts the heat)",
        hysteresis="0.1 °C",
        priority=HIGH,
        look=TwiceAbove(rule="site_ceiling", role=Role.SITE, limit=of_limits("site_ceiling_c")),
        phases=PATIENT,
        event="temperature_ceiling",
        hidden_by=("site_still_high",),
        do="Heater is off, the pump goes on. Stir, check the probe, cool the inflow, then resume.",
    ),
    Rule(
        id="site_hot",
        condition="A site at or above `site_medium_c`",
        hysteresis="0.1 °C",
        priority=MEDIUM,
        look=above("site_hot", Role.SITE, of_limits("site_medium_c")),
        phases=PATIENT,
        delay="site_medium_s",
        escalates=True,
        hidden_by=("site_still_high", "site_ceiling"),
        do="Lower the inflow by 1 °C, stir, check the probe's place.",
    ),
    Rule(
        id="site_warm",
        condition="A site at or above `site_low_priority_c`",
        hysteresis="0.1 °C",
        priority=LOW,
        look=above("site_warm", Role.SITE, of_limits("site_low_priority_c")),
        phases=PATIENT,
        delay="site_low_priority_s",
        hidden_by=("site_still_high", "site_ceiling", "site_hot"),
        do="Lower the inflow a little or stir.",
    ),
    Rule(
        id="sites_low",
        condition="The target's statistic below the band, once it was reached or 20 min have "
        "passed; waits for the predicted recovery after a drug dose",
        hysteresis="0.1 °C",
        priority=LOW,
        look=findings.sites_low,
        phases=frozenset({Phase.PERFUSE}),
        delay="sites_low_s",
        do="Raise inflow or flow within their limits; cover an open field.",
    ),
    Rule(
        id="core_ceiling",
        condition="A deciding core, by probe or by hand, at or above `core_ceiling_c`",
        hysteresis="0.1 °C",
        priority=HIGH,
        look=above("core_ceiling", Role.CORE, of_limits("core_ceiling_c"), core_decides=True),
        phases=PATIENT,
        event="temperature_ceiling",
        do="Heater is off. Cool the patient; decide with surgeon and anesthesia whether to drain.",
    ),
    Rule(
        id="core_high",
        condition="A deciding core, by probe or by hand, at or above `core_high_c`",
        hysteresis="0.1 °C",
        priority=HIGH,
        look=above("core_high", Role.CORE, of_limits("core_high_c"), core_decides=True),
        phases=PATIENT,
        event="core_hold",
        hidden_by=("core_ceiling",),
        do="Heat is held. Cool the patient; resume only with surgeon and anesthesia.",
    ),
    Rule(
        id="core_warm",
        condition="A deciding core, by probe or by hand, at or above `core_medium_c`",
        hysteresis="0.1 °C",
        priority=MEDIUM,
        look=above("core_warm", Role.CORE, of_limits("core_medium_c"), core_decides=True),
        phases=PATIENT,
        escalates=True,
        hidden_by=("core_high", "core_ceiling"),
        do="Tell anesthesia, start cooling, lower the inflow.",
    ),
    Rule(
        id="core_forecast",
        condition="The forecast of the deciding core reaches `core_high_c` within 10 minutes",
        priority=MEDIUM,
        look=findings.core_forecast,
        phases=WARM,
        delay=30.0,
        hysteresis="0.1 °C",
        hidden_by_any=("core_warm", "core_high", "core_ceiling"),
        do="Tell anesthesia, start cooling, lower the inflow by 1 °C.",
    ),
    Rule(
        id="core_by_site",
        condition="Another core probe (bladder, rectum) at or above `core_by_site_ceiling_c`",
        hysteresis="0.1 °C",
        priority=MEDIUM,
        look=above(
            "core_by_site", Role.CORE, of_limits("core_by_site_ceiling_c"), core_decides=False
        ),
        phases=PATIENT,
        delay=10.0,
        do="This probe lies against warm perfusate: compare with the deciding core probe.",
    ),
    Rule(
        id="core_lost",
        condition="No deciding core probe gives a valid value",
        priority=MEDIUM,
        look=findings.core_lost,
        phases=WARM,
        delay="core_invalid_s",
        event="core_hold",
        technical=True,
        do="Heat is held. Reseat or replace a core probe, then resume.",
    ),
    Rule(
        id="core_rising",
        condition="Deciding core above `core_rise_above_c` and risen by more than "
        "`core_rise_c` within `core_rise_s`",
        hysteresis="0.1 °C",
        priority=LOW,
        look=findings.core_rising,
        phases=TREATED,
        delay=120.0,
        hidden_by_any=("core_warm", "core_high", "core_ceiling"),
        do="Tell anesthesia, lower the inflow or start cooling in time.",
    ),
    Rule(
        id="core_cool",
        condition="Deciding core below `core_cool_c` in the last five minutes and in the drain",
        hysteresis="0.1 °C",
        priority=LOW,
        look=findings.core_cool,
        phases=frozenset({Phase.PERFUSE, Phase.DRAIN}),
        do="Tell anesthesia: stop cooling, warm the patient.",
    ),
    Rule(
        id="bath_high",
        condition="Bath at or above `bath_ceiling_c`",
        hysteresis="0.1 °C",
        priority=HIGH,
        look=above("bath_high", Role.BATH, of_limits("bath_ceiling_c")),
        phases=FLUID,
        event="temperature_ceiling",
        do="Heater is off. Check the heater's set-point at the device.",
    ),
    Rule(
        id="reservoir_high",
        condition="Reservoir at or above `reservoir_ceiling_c`",
        hysteresis="0.1 °C",
        priority=HIGH,
        look=above("reservoir_high", Role.RESERVOIR, of_limits("reservoir_ceiling_c")),
        phases=FLUID,
        event="temperature_ceiling",
        do="Heater is off. Let the reservoir cool before it reaches the patient.",
    ),
    Rule(
        id="line_pressure_high",
        condition="One reading of the inflow line at or above `line_in_max_mmhg`",
        hysteresis="2 mmHg",
        priority=HIGH,
        look=above("line_pressure_high", Role.LINE_IN, of_limits("line_in_max_mmhg")),
        phases=FLUID,
        event="line_pressure_high",
        do="Pump is stopped, heater is off. Look for a clamp or kink between pump and patient.",
    ),
    Rule(
        id="line_pressure_warn",
        condition="Inflow line at or above `line_in_warn_mmhg`",
        hysteresis="2 mmHg",
        priority=MEDIUM,
        look=above("line_pressure_warn", Role.LINE_IN, of_limits("line_in_warn_mmhg")),
        phases=FLUID,
        delay=5.0,
        hidden_by=("line_pressure_high",),
        do="Look for a kink or a half-closed clamp between pump and patient; lower the flow.",
    ),
    Rule(
        id="iap_high",
        condition="Abdominal pressure at or above `iap_stop_mmhg`",
        hysteresis="2 mmHg",
        priority=HIGH,
        look=above("iap_high", Role.IAP, of_limits("iap_stop_mmhg")),
        phases=PATIENT,
        technique=Technique.CLOSED,
        delay="iap_stop_s",
        event="iap_high",
        do="Pump is stopped, heater is off. Open the return, take volume out, check relaxation.",
    ),
    Rule(
        id="iap_warn",
        condition="Median of the abdominal pressure over `iap_warn_window_s` above `iap_warn_mmhg`",
        hysteresis="2 mmHg",
        priority=MEDIUM,
        look=findings.iap_warning,
        phases=PATIENT,
        technique=Technique.CLOSED,
        escalates=True,
        hidden_by=("iap_high",),
        do="Reduce flow or take volume out; check the outlet tubes.",
    ),
    Rule(
        id="suction_high",
        condition="Return line below `line_out_min_mmhg`",
        hysteresis="2 mmHg",
        priority=HIGH,
        look=findings.suction,
        phases=PATIENT,
        event="outflow_blocked",
        do="Release the suction, look for a blocked outlet tube.",
    ),
    Rule(
        id="pump_stopped",
        condition="The pump stands or reports a fault although it was confirmed to run; stands "
        "until a person resumes",
        priority=HIGH,
        look=findings.pump_stopped,
        phases=FLUID,
        technical=True,
        event="pump_stopped",
        do="Check the pump: keypad, head open, power. Then resume.",
    ),
    Rule(
        id="patient_unstable",
        condition="A person has called the patient unstable; stands until the surgeon agrees "
        "to go on",
        priority=HIGH,
        look=findings.declared("patient_unstable"),
        phases=ANY,
        event="patient_unstable",
        do="Pump and heater are off. Drain. Go on only when the surgeon agrees.",
    ),
    Rule(
        id="emergency_stop",
        condition="The emergency stop is pressed",
        priority=HIGH,
        look=findings.switched_on(Role.EMERGENCY_STOP, "Emergency stop is pressed"),
        phases=ANY,
        event="stop_or_abort",
        do="Everything is off. Release the emergency stop when the cause is gone, then resume.",
    ),
    Rule(
        id="bubble",
        condition="The bubble detector says air",
        priority=HIGH,
        look=findings.switched_on(Role.BUBBLE, "Air in the line"),
        phases=FLUID,
        event="bubble_or_reservoir_low",
        do="Pump and heater are off. Clamp towards the patient, purge the air, then resume.",
    ),
    Rule(
        id="reservoir_empty",
        condition="The reservoir's level switch says low",
        priority=HIGH,
        look=findings.switched_on(Role.LEVEL_LOW, "Reservoir level switch: low"),
        phases=FLUID,
        event="bubble_or_reservoir_low",
        do="Pump and heater are off. Fill the reservoir and look for the cause, then resume.",
    ),
    Rule(
        id="reservoir_low",
        condition="Less than `reservoir_low_ml` in the reservoir",
        hysteresis="50 ml",
        priority=HIGH,
        look=findings.reservoir_low,
        phases=FLUID - {Phase.DRAIN},
        delay=2.0,
        event="bubble_or_reservoir_low",
        hidden_by_any=("reservoir_empty",),
        do="Pump and heater are off. Fill the reservoir and look for the cause, then resume.",
    ),
    Rule(
        id="volume_shift",
        condition="More than `volume_shift_ml` missing within `balance_window_s`, three samples "
        "(10 s) in a row, and the abdominal pressure risen by 3 mmHg",
        hysteresis="50 ml",
        priority=HIGH,
        look=findings.volume_shift,
        phases=WARM,
        event="outflow_blocked",
        hidden_by_any=("reservoir_low", "reservoir_empty"),
        do="Look for a blocked outlet tube, reduce suction. Flow is lowered, then stopped.",
    ),
    Rule(
        id="leak",
        condition="More than `leak_ml` missing from the reservoir within `balance_window_s`, three "
        "samples (10 s) in a row; what came out and was written down is allowed for, what went in "
        "counts as far as the scale has shown it",
        hysteresis="50 ml",
        priority=HIGH,
        look=findings.leak,
        phases=WARM,
        event="leak",
        hidden_by_any=("reservoir_low", "reservoir_empty", "volume_shift"),
        do="Pump is stopped, heater is off. Look for the leak; cytotoxic spill kit.",
    ),
    Rule(
        id="cut_out",
        condition="The heater's own cut-out has tripped",
        priority=HIGH,
        look=findings.switched_on(Role.CUT_OUT, "The heater's own cut-out has tripped"),
        phases=FLUID,
        event="cut_out",
        do="Heater is off. Find out why it was too hot, reset it at the device, then resume.",
    ),
    Rule(
        id="contactor_open",
        condition="The contactors are open although they were confirmed closed; stands until a "
        "person resumes",
        priority=HIGH,
        look=findings.contactor_open,
        phases=FLUID,
        technical=True,
        event="switches_stopped",
        do="Heater and pump have no power. Find out why, then resume to close the contactors.",
    ),
    Rule(
        id="no_flow",
        condition="Measured flow below `no_flow_ml_min` while the pump turns and the line "
        "pressure is ordinary",
        hysteresis="25 ml/min",
        priority=HIGH,
        look=findings.no_flow,
        phases=FLUID,
        delay=2.0,
        event="no_flow",
        hidden_by_any=("line_pressure_high", "pump_stopped", "contactor_open"),
        do="Look outside the console. Heater is off, the pump stops in seconds.",
        outside=(
            "clamp on the line",
            "kink under drape or table",
            "empty reservoir",
            "air lock",
            "tubing off the pump head",
            "rollers not occluding",
            "tubing in the wrong direction",
            "stopcock closed",
        ),
    ),
    Rule(
        id="flow_low",
        condition="Measured flow below `flow_low_share` of what the pump is set to",
        hysteresis="25 ml/min",
        priority=MEDIUM,
        look=findings.flow_low,
        phases=FLUID,
        delay="flow_low_s",
        escalates=True,
        hidden_by_any=("no_flow", "line_pressure_high", "pump_stopped"),
        do="Look for a kink, a low reservoir, wrong occlusion.",
    ),
    Rule(
        id="flow_high",
        condition="Flow, measured or calculated, above 115 % of the protocol's highest",
        hysteresis="25 ml/min",
        priority=HIGH,
        look=findings.flow_high,
        phases=FLUID,
        delay=2.0,
        event="flow_high",
        do="Heater is off, the pump is slowed, then stopped. Clamp the line if it does not obey; "
        "check speed and tubing calibration.",
    ),
    Rule(
        id="flow_differs",
        condition="The flow meter sees more than the pump turns by [trust] `flow_share` and "
        "`no_flow_ml_min`, or less by `flow_share`",
        hysteresis="25 ml/min",
        priority=MEDIUM,
        look=findings.flow_differs,
        phases=FLUID,
        delay="flow_low_s",
        technical=True,
        hidden_by_any=("flow_high", "flow_low", "no_flow", "line_pressure_high", "pump_stopped"),
        do="Recalibrate: tubing in the pump, occlusion, and where the flow meter clamps.",
    ),
    Rule(
        id="heater_stopped",
        condition="The heater stands or reports a fault although it was confirmed to run; "
        "stands until a person resumes",
        priority=MEDIUM,
        look=findings.heater_stopped,
        phases=FLUID,
        technical=True,
        event="heater_stopped",
        do="Check the heater: level, excess-temperature cut-out, power. Then resume.",
    ),
    Rule(
        id="heater_not_off",
        condition="The heater was told to stop and is not read back as stopped within "
        "`heater_off_confirm_s`, or runs again",
        priority=HIGH,
        look=findings.heater_not_off,
        phases=ANY,
        event="heater_not_off",
        do="Switch the heater off at the device. The pump is slowed, then stopped.",
    ),
    Rule(
        id="heats_unasked",
        condition="The bath gains although the heater is off",
        priority=HIGH,
        look=findings.heats_unasked,
        phases=FLUID,
        event="heats_unasked",
        hidden_by_any=("heater_not_off", "inflow_isolate"),
        do="Heater and its contactor are off. Unplug the heater and isolate the exchanger.",
    ),
    Rule(
        id="probe_bias",
        condition="A probe differs from the independent reference by more than is allowed",
        priority=MEDIUM,
        look=comparison.differs,
        phases=FLUID,
        technical=True,
        event="probe_bias",
        do="Exchange the probe and compare it again; heat stays off until then.",
    ),
    Rule(
        id="heater_not_gaining",
        condition="Heat is demanded and the bath gains less than the heater's energy says",
        priority=MEDIUM,
        look=findings.heater_not_gaining,
        phases=FLUID,
        technical=True,
        hidden_by_any=HEAT_ENDING,
        do="Check the heater: level, power, cut-out, bath circulation. Have warm fluid ready.",
    ),
    Rule(
        id="pump_not_off",
        condition="The pump was told to stop and is not read back as stopped within "
        "`heater_off_confirm_s`, or runs again",
        priority=HIGH,
        look=findings.pump_not_off,
        phases=ANY,
        technical=True,
        do="Stop the pump at the device or clamp the line.",
    ),
    *DOUBT_RULES,
    Rule(
        id="probe_lost",
        condition="A reading of a circuit or core channel without a value: open, short, out of "
        "range, refused by its device",
        priority=MEDIUM,
        look=findings.probe_lost,
        phases=FLUID,
        delay=1.0,
        technical=True,
        hidden_by=("probe_contact",),
        do="Reseat the plug or exchange the probe.",
    ),
    Rule(
        id="site_lost",
        condition="A site's reading without a value",
        priority=LOW,
        look=findings.site_lost,
        phases=PATIENT,
        delay=1.0,
        technical=True,
        hidden_by=("site_probe_contact",),
        do="Reseat the plug or exclude the site.",
    ),
    Rule(
        id="sites_few",
        condition="Fewer valid sites than `site_lost_keep`",
        priority=MEDIUM,
        look=findings.sites_few,
        phases=WARM,
        delay=1.0,
        technical=True,
        do="Reseat site probes: too few are left to judge the abdomen.",
    ),
    Rule(
        id="scale_stuck",
        condition="The reservoir's scale has read the same from minutes before to a minute after a "
        "volume of 100 ml or more that a person entered",
        priority=MEDIUM,
        look=scale.stuck,
        phases=WARM,
        technical=True,
        do="Look whether the reservoir hangs free and the scale is not locked; read it yourself.",
    ),
    Rule(
        id="display_lost",
        condition="A display of an enrolled station is not heard for more than 2 s, or its page "
        "is hidden",
        priority=MEDIUM,
        look=displays.display_lost,
        phases=ANY,
        technical=True,
        do="Look at that screen and its network. Its alarms are not seen there: speak to them.",
    ),
    Rule(
        id="audio_lost",
        condition="A display whose sound a person had confirmed to hear cannot sound any more",
        priority=MEDIUM,
        look=displays.audio_lost,
        phases=ANY,
        technical=True,
        hidden_by=("display_lost",),
        do="Touch that screen and repeat its sound test; watch its alarms by eye until then.",
    ),
    Rule(
        id="not_seen",
        condition="A high alarm that concerns anesthesia stands for 60 s and nobody at their "
        "display has pressed seen or acknowledge",
        priority=MEDIUM,
        look=displays.not_seen,
        phases=ANY,
        technical=True,
        do="Speak to them.",
    ),
    Rule(
        id="request_unanswered",
        condition="A request of anesthesia to the pump has had no answer for 60 s",
        priority=MEDIUM,
        look=requests.unanswered,
        phases=ANY,
        technical=True,
        do="Accept it, or decline it with a reason.",
    ),
    Rule(
        id="configuration_differs",
        condition="The room is configured otherwise than in the session before",
        priority=LOW,
        look=displays.configuration_differs,
        phases=frozenset({Phase.SETUP}),
        technical=True,
        do="Compare the site file with what was approved before the patient is connected.",
    ),
    Rule(
        id="automatic_lost",
        condition="The automatic controller has fallen back",
        priority=HIGH,
        look=findings.automatic_lost,
        phases=WARM,
        technical=True,
        hidden_by_any=HEAT_ENDING,
        do="Remove the cause, resume, then choose the controller again.",
    ),
    Rule(
        id="treatment_over",
        condition="The treatment clock has ended",
        priority=LOW,
        look=findings.treatment_over,
        phases=TREATED,
        do="Drain.",
    ),
    Rule(
        id="contact_overtime",
        condition="Drug contact longer than planned by `contact_cap_extra_min`",
        priority=HIGH,
        look=findings.contact_overtime,
        phases=PATIENT - {Phase.DRAIN, Phase.RINSE},
        do="Drain the drug now.",
    ),
    Rule(
        id="overtime",
        condition="The treatment clock ended `overtime_alarm_min` ago and nobody has drained",
        priority=MEDIUM,
        look=findings.overtime,
        phases=TREATED,
        hidden_by=("contact_overtime",),
        do="Drain now, or record why not.",
    ),
    Rule(
        id="fraction_due",
        condition="A fraction of the drug is due and within its window",
        priority=LOW,
        look=findings.fraction(TimerState.DUE),
        phases=TREATED,
        do="Give the fraction and confirm it.",
    ),
    Rule(
        id="fraction_late",
        condition="A fraction of the drug is past its window",
        priority=MEDIUM,
        look=findings.fraction(TimerState.LATE),
        phases=TREATED,
        do="Give the fraction now or record why not.",
    ),
    Rule(
        id="reminder_due",
        condition="An intravenous drug is due: what comes before drug-in from the beginning of "
        "heat-up",
        priority=LOW,
        look=findings.reminder_due,
        phases=frozenset({Phase.HEAT_UP}) | TREATED,
        do="Anesthesia gives it and confirms it.",
    ),
)

ROOM_RULES: tuple[RoomRule, ...] = (
    RoomRule(
        id="drive_link_lost",
        condition="The connection to pump or heater is lost, or takes longer than 2.5 s to come up",
        priority=HIGH,
        look=findings.link_lost(DRIVES),
        do="Check its cable and power. It goes on by itself as last set: watch it at the device.",
    ),
    RoomRule(
        id="link_lost",
        condition="The connection to another instrument is lost, or takes longer than 2.5 s to "
        "come up",
        priority=MEDIUM,
        look=findings.link_lost(frozenset(DeviceClass) - DRIVES),
        do="Check its cable and power.",
    ),
    RoomRule(
        id="channel_stale",
        condition="A channel of a connected instrument has no reading younger than 3 intervals "
        "and 3 s",
        priority=MEDIUM,
        look=findings.channel_stale,
        do="Check the instrument; the value is not shown until it is read again.",
    ),
    RoomRule(
        id="frame_errors",
        condition="More of a device's answers spoiled or missing within a minute than its limit",
        priority=LOW,
        look=frames.errors,
        do="Look at cable, plug and adapter before the connection is lost.",
    ),
    RoomRule(
        id="wrong_time",
        condition="Several of a device's last readings came out of order or from the future",
        priority=MEDIUM,
        look=frames.stamps,
        do="Its readings are not used. Restart the adapter; call the technician.",
    ),
    RoomRule(
        id="drive_unknown",
        condition="The last order to a drive ended without a confirmed read-back, or was "
        "refused by it",
        priority=MEDIUM,
        look=findings.drive_unknown,
        do="Look at the device itself before ordering again.",
    ),
    RoomRule(
        id="not_durable",
        condition="The record cannot be written to the disk",
        priority=MEDIUM,
        look=findings.not_durable,
        do="Treatment goes on from memory. Call the technician: disk full or failing.",
    ),
    RoomRule(
        id="disk_low",
        condition="The disk with the record is nearly full",
        priority=LOW,
        look=displays.disk_low,
        do="Free space on it after this treatment; call the technician.",
    ),
    RoomRule(
        id="clock_stepped",
        condition="The computer's wall clock was moved by more than 1 s within the last minute",
        priority=LOW,
        look=findings.clock_stepped,
        do="Times of day before and after differ; treatment timers go on. Check its time source.",
    ),
    RoomRule(
        id="supervisor_lost",
        condition="The supervisor is gone",
        priority=MEDIUM,
        look=findings.supervisor_lost,
        do="Go on by hand and call the technician.",
    ),
)


Found = Mapping[str, tuple[Finding, ...]]
"""What each rule has found, by its id; a rule that found nothing is not there."""


def judge(state: State, found: Found) -> Iterator[Judged]:
    """Everything that the armed rules have found, the hidden ones left out."""
    if not state.alarms and not any(seen.raw for rule in found.values() for seen in rule):
        return
    for room_rule in ROOM_RULES:
        for finding in found.get(room_rule.id, ()):
            yield _of_room(room_rule, finding)
    if state.session is not None:
        yield from _judge_session(state, state.session, found)


def _judge_session(state: State, session: Session, found: Found) -> Iterator[Judged]:
    hiding: set[tuple[str, str]] = set()
    for rule in armed(session.phase, session.protocol.technique):
        if rule.id not in found:
            continue
        if hiding and any((by, "*") in hiding for by in rule.hidden_by_any):
            continue
        for finding in found.get(rule.id, ()):
            if any((by, finding.source) in hiding for by in rule.hidden_by):
                continue
            if finding.raw and finding.sampled is None and rule.id in SAMPLED:
                finding = replace(finding, sampled=_newest(state, SAMPLED[rule.id]))
            judged = _of_session(rule, session, finding)
            if finding.raw and (not judged.delay_s or is_signalled(state, rule.id, finding.source)):
                hiding |= {(rule.id, finding.source), (rule.id, "*")}
            yield judged


SAMPLED: Mapping[str, Role] = {
    "sites_low": Role.SITE,
    "sites_few": Role.SITE,
    "core_lost": Role.CORE,
    "core_forecast": Role.CORE,
    "core_rising": Role.CORE,
    "core_cool": Role.CORE,
    "iap_warn": Role.IAP,
    "reservoir_low": Role.LEVEL,
    "volume_shift": Role.LEVEL,
    "leak": Role.LEVEL,
    "scale_stuck": Role.LEVEL,
    "no_flow": Role.FLOW,
    "flow_low": Role.FLOW,
    "flow_high": Role.FLOW,
    "flow_differs": Role.FLOW,
    "heats_unasked": Role.BATH,
    "heater_not_gaining": Role.BATH,
}
"""Rules that tell the newest sample of a role, as they look at more than one reading."""


def _newest(state: State, role: Role) -> Instant | None:
    """When the role was read last."""
    read = (state.samples.get(channel.id) for channel in channels.of_role(state, role))
    return max((sample.at for sample in read if sample is not None), default=None)


@cache
def armed(phase: Phase, technique: Technique) -> tuple[Rule, ...]:
    """The rules that count in this phase and technique."""
    return tuple(
        rule for rule in RULES if phase in rule.phases and rule.technique in (None, technique)
    )


def _of_session(rule: Rule, session: Session, finding: Finding) -> Judged:
    delay = rule.delay
    return Judged(
        id=rule.id,
        priority=rule.priority,
        delay_s=of_limits(delay)(session.limits) if isinstance(delay, str) else delay,
        latches=not rule.technical,
        escalates=rule.escalates,
        do=what_to_do(rule),
        finding=finding,
    )


def what_to_do(rule: Rule) -> str:
    """What to do now, with the causes outside the console where they are the likely ones."""
    return f"{rule.do} Causes: {', '.join(rule.outside)}." if rule.outside else rule.do


def _of_room(rule: RoomRule, finding: Finding) -> Judged:
    return Judged(
        id=rule.id,
        priority=rule.priority,
        delay_s=rule.delay_s,
        latches=False,
        escalates=False,
        do=rule.do,
        finding=finding,
    )
