"""What a treatment protocol says, as plain frozen data. Reading and checking files is `loader`'s.

Temperatures are °C, flows ml/min, pressures mmHg, volumes ml, times as the names say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Technique(StrEnum):
    """How the abdomen is perfused."""

    OPEN = "open"
    CLOSED = "closed"


class Statistic(StrEnum):
    """Which figure over the valid channels of a role a threshold applies to."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"


class HeatResponse(StrEnum):
    """What an event does to the heater: it stops and is read back as stopped, or goes on."""

    OFF = "off"
    AS_IS = "as_is"


class PumpResponse(StrEnum):
    """What an event does to the inflow pump; nothing here ever starts or speeds up a pump."""

    ON = "on"
    CHECK_THEN_STOP = "check_then_stop"
    MINIMUM_THEN_STOP = "minimum_then_stop"
    STOP = "stop"
    NEVER_FASTER = "never_faster"
    WATCHDOG_OFF = "watchdog_off"
    AS_IS = "as_is"


class ReturnResponse(StrEnum):
    """What a person does with the return line (passive in this circuit)."""

    ON = "on"
    REDUCE_VOLUME = "reduce_volume"
    ON_IF_REFILLS = "on_if_refills"
    REDUCE_RELEASE = "reduce_release"
    DRAIN = "drain"
    UNCHANGED = "unchanged"
    AS_IS = "as_is"
    NONE = "none"


class ResumedBy(StrEnum):
    """Who ends the response. Only `as_is` rows need nobody."""

    PERSON = "person"
    SURGEON = "surgeon"
    AS_IS = "as_is"


MATRIX_EVENTS = (
    "no_flow",
    "line_pressure_high",
    "iap_high",
    "iap_not_monitored",
    "bubble_or_reservoir_low",
    "outflow_blocked",
    "leak",
    "temperature_ceiling",
    "inflow_isolate",
    "patient_unstable",
    "control_process_dead",
    "host_dead",
    "stop_or_abort",
)
"""The rows that every protocol's event x response matrix must fill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One row of the event x response matrix."""

    heat: HeatResponse
    pump: PumpResponse
    returns: ReturnResponse
    resumed_by: ResumedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The target band and the role and statistic that it applies to."""

    role: str
    statistic: Statistic
    low_c: float
    high_c: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The drug may be given when the statistic of the role has held the threshold for `hold_s`."""

    role: str
    statistic: Statistic
    threshold_c: float
    hold_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The treatment clock: starts at drug-in, ends on elapsed or in-band time, with a cap."""

    duration_min: float
    duration_range_min: tuple[float, float]
    ends_on: str
    cap_min: float
    pause_stops_clock: bool
    contact_cap_extra_min: float
    overtime_alarm_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fraction:
    """One part of the dose: its share of the whole and when it is due after the first."""

    share: float
    at_min: float
    window_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """The intraperitoneal drug. The dose is arithmetic beside the pharmacist's, never an order.

    Each fraction comes in `fraction_ml` of fluid at `fraction_c`, which cools the perfusate.
    """

    name: str
    dose_mg_m2: float
    carriers: tuple[str, ...]
    fractions: tuple[Fraction, ...]
    dose_tolerance: float
    fraction_ml: float = 250.0
    fraction_c: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """An intravenous drug to be given by anesthesia; `at_min` from drug-in, negative is before."""

    drug: str
    dose_mg_m2: float
    at_min: float
    infusion_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodTest:
    """Blood tests that anesthesia is reminded of with this carrier, from drug-in to drained."""

    carrier: str
    tests: tuple[str, ...]
    every_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Perfusate:
    """What circulates and how."""

    carrier: str
    volume_ml: float
    flow_ml_min: float
    flow_min_ml_min: float
    flow_max_ml_min: float
    preheat_c: float
    inflow_c: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Ceilings and alarm limits by role; a site file may only narrow them.

    A file has to name every one; a default is for records from before there was that limit.
    """

    inflow_ceiling_c: float
    inflow_margin_c: float
    inflow_warning_above_set_c: float
    inflow_isolate_c: float
    inflow_still_high_s: float
    site_low_priority_c: float
    site_low_priority_s: float
    site_medium_c: float
    site_medium_s: float
    site_ceiling_c: float
    sites_low_s: float
    core_shown_c: float
    core_medium_c: float
    core_high_c: float
    core_ceiling_c: float
    core_by_site_ceiling_c: float
    core_invalid_s: float
    core_rise_c: float = 2.5
    core_rise_s: float = 1800.0
    core_rise_above_c: float = 37.5
    core_cool_c: float = 36.0
    bath_max_c: float
    bath_ceiling_c: float
    reservoir_ceiling_c: float
    line_in_warn_mmhg: float = 200.0
    line_in_max_mmhg: float
    line_out_min_mmhg: float
    iap_warn_mmhg: float
    iap_warn_window_s: float
    iap_stop_mmhg: float
    iap_stop_s: float
    no_flow_ml_min: float
    no_flow_check_s: float
    flow_low_share: float
    flow_low_s: float
    heater_off_confirm_s: float
    link_latch_s: float
    site_lost_keep: int
    reservoir_low_ml: float
    leak_ml: float
    volume_shift_ml: float
    balance_window_s: float


def _default(value: Any, source: str) -> Any:
    """A threshold that a file may leave out, with where its default comes from."""
    return field(default=value, metadata={"source": source})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """When a channel's readings are doubted. All have a default, so a file names what differs.

    Names that end in `_k` are differences of temperature; `*_bad_of` is how many of the last so
    many readings (or looks, one each `look_s`) must be bad before an alarm says so. Grades:
    published, general practice, or derived by arithmetic; each centre approves its own.
    """

    fluid_range_c: tuple[float, float] = _default((2.0, 60.0), "Derived: iced fluid to hot bath")
    core_range_c: tuple[float, float] = _default((25.0, 43.0), "Derived: what a patient can be")
    pressure_range_mmhg: tuple[float, float] = _default((-400.0, 900.0), "General practice")
    flow_range_ml_min: tuple[float, float] = _default((-1000.0, 8000.0), "General practice")
    level_range_ml: tuple[float, float] = _default((-300.0, 12000.0), "General practice")
    fluid_slew_c_per_s: float = _default(
        3.0, "Derived: a catheter's lag of 3-10 s against fluids 10-20 °C apart"
    )
    core_slew_c_per_s: float = _default(1.5, "Derived: a core probe's lag of 15-40 s")
    readings_bad_of: tuple[int, int] = _default((3, 5), "Derived: one spike is no fault")
    contact_losses: int = _default(2, "Derived: a plug that was reseated once is no fault")
    contact_within_s: float = _default(60.0, "Derived: so many losses within this time")
    contact_s: float = _default(30.0, "Derived: believed again after so long without a loss")
    look_s: float = _default(5.0, "Derived: two looks within the 10 s of a step")
    looks_bad_of: tuple[int, int] = _default((2, 3), "Derived: seen twice within 15 s")
    flat_k: float = _default(0.01, "Derived: a live thermistor jitters by its own noise")
    flat_mmhg: float = _default(0.1, "Derived: a roller pump ripples")
    flat_s: float = _default(60.0, "Derived")
    flat_others: float = _default(3.0, "Derived: the others moved by so many times as much")
    noise_k: float = _default(0.2, "Derived: ten times the noise of a thermistor channel")
    noise_mmhg: float = _default(30.0, "Derived: ten times a roller pump's ripple")
    noise_ml_min: float = _default(150.0, "Derived: a tenth of an ordinary flow")
    noise_ml: float = _default(100.0, "Derived: a scale that is knocked settles in a second")
    noise_times: float = _default(5.0, "Derived: so many times the noise of the others")
    step_k: float = _default(1.0, "Derived: moved within step_s while the others did not")
    step_s: float = _default(10.0, "Derived")
    drift_k: float = _default(2.0, "Derived: from the median of the other sites")
    drift_usual_s: float = _default(600.0, "Derived: how fast a site's usual place is learned")
    order_k: float = _default(0.5, "Derived: tolerance of inflow, sites, outflow, core in order")
    order_from_s: float = _default(180.0, "Derived: the cavity's time constant at 1 L/min")
    twin_k: float = _default(
        1.0,
        "Nasopharynx and oesophagus agree within -0.66 to 0.71 °C (medRxiv 2024.11.27.24318051)",
    )
    line_k: float = _default(1.5, "Derived: an inflow line loses 0.3-0.4 °C at 1 L/min")
    exchanger_share: float = _default(
        0.5, "Derived: an exchanger of 100-600 W/K gives more of the bath's excess than that"
    )
    flow_share: float = _default(
        0.15, "Derived: meter and pump differ by 10-15 % in good order (clinical practice)"
    )
    comparison_k: float = _default(0.3, "General practice: probes compared within 0.2-0.3 °C")
    comparison_range_c: tuple[float, float] = _default((38.0, 45.0), "Derived: near 42 °C")
    balance_w: float = _default(250.0, "Derived: losses and storage that are only estimated")
    balance_share: float = _default(0.4, "Derived: of the heat that the perfusate takes up")
    balance_s: float = _default(300.0, "Derived: until bath and exchanger are steady")
    bath_kj_k: float = _default(42.0, "General practice: a bath of 10 L")
    bath_loss_w_k: float = _default(5.5, "Derived: bath and exchanger to a room of 21 °C")
    frame_errors_share: float = _default(0.1, "Derived: of the answers within frame_errors_s")
    frame_errors_s: float = _default(60.0, "Derived")

    def __hash__(self) -> int:
        """Cheap, as what follows from it is looked up with every reading."""
        return hash(self.fluid_range_c)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseHeat:
    """What heat needs in one phase: whether it may run, and which valid roles it needs."""

    allowed: bool
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One line of a checklist: confirmed before `before`, by one or two named people."""

    id: str
    text: str
    before: str
    names: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every protocol must lie within; `name` is empty for the default envelope."""

    name: str
    target_c: tuple[float, float]
    duration_min: tuple[float, float]
    approved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One treatment protocol, as copied into the record of every session that uses it.

    `core_decides` names the core sites whose readings decide (others have their own row);
    `sources` maps a dotted field path to where its number comes from; `sha256` is of the file.
    `trust` may be left out, wholly or in part.
    """

    id: str
    version: int
    title: str
    technique: Technique
    description: str
    target: Target
    gate: Gate
    clock: Clock
    perfusate: Perfusate
    drug: Drug | None
    reminders: tuple[Reminder, ...]
    limits: Limits
    heat: Mapping[str, PhaseHeat]
    core_decides: tuple[str, ...]
    matrix: Mapping[str, Response]
    checklist: tuple[ChecklistItem, ...]
    sources: Mapping[str, str]
    envelope: Envelope
    sha256: str
    trust: Trust = field(default_factory=Trust)
    blood_tests: tuple[BloodTest, ...] = ()


DEFAULT_ENVELOPE = Envelope(
    name="", target_c=(42.5, 43.5), duration_min=(30.0, 90.0), approved_by=""
)
"""The company's envelope: target within 42.5-43.5 °C and 30-90 minutes."""
