"""The parts of a snapshot's `state`: channels, devices, clocks, steps, drug, alarms, ledger.

Units are in the names; `None` is unknown.
"""

from typing import Literal

from pydantic import Field

from protocols.schema import Statistic, Technique
from service.core.guarding import Guard
from service.core.model import (
    CommandState,
    Controller,
    DeviceClass,
    LinkState,
    PersonRole,
    Phase,
    Presence,
    Priority,
    Role,
    Unit,
    Validity,
)
from service.core.timers import TimerState
from service.wire.strict import Scalar, Strict


class Value(Strict):
    """One channel's value in a frame, in the channel's unit; `reason` says why there is none."""

    value: float | None
    unit: Unit
    validity: Validity
    reason: str = ""


class ChannelState(Value):
    """One channel's newest value, when it was read, and when it greys and disappears."""

    at_ns: int | None
    at_utc: str | None
    role: Role
    site: str
    device: str
    input: int = 0
    interval_s: float
    grey_s: float
    gone_s: float
    measured: bool


class DeviceState(Strict):
    """One instrument: its link, and what it says of itself (°C for a heater, ml/min for a pump)."""

    device_class: DeviceClass = Field(alias="class")
    driver: str
    link: LinkState
    reason: str
    identity: str
    running: bool | None
    setpoint: float | None
    fault: str


class Clocks(Strict):
    """The treatment clock with its accounts, the drug-contact clock and the phase clock."""

    elapsed_s: float
    in_band_s: float
    out_of_band_s: float
    unobserved_s: float
    left_s: float
    duration_s: float
    contact_s: float | None
    phase_s: float
    next_fraction_s: float | None
    total_pumped_ml: float


class TargetState(Strict):
    """The band, and the role and statistic that it applies to."""

    role: str
    statistic: Statistic
    low_c: float
    high_c: float


class GateState(Strict):
    """How far the gate for the drug has come."""

    held_s: float
    hold_s: float
    threshold_c: float
    value_c: float | None
    open: bool
    text: str


class Figures(Strict):
    """Figures over the valid sites."""

    sites_mean_c: float | None
    sites_min_c: float | None
    sites_max_c: float | None


class HeatState(Strict):
    """What heat was asked for and granted, and what limits or holds it."""

    on: bool
    requested_c: float | None
    granted_c: float | None
    limited_by: str
    bath_set_c: float | None
    waits_for: str
    advice: str


class PumpState(Strict):
    """What flow was asked for and set, and what limits it."""

    on: bool
    flow_set_ml_min: float | None
    requested_ml_min: float | None
    limited_by: str


class Step(Strict):
    """One step of the phase stepper."""

    phase: Phase
    title: str
    state: Literal["done", "current", "next", "later"]
    needs: list[str]


class NextAction(Strict):
    """The one command that the stepper offers now, and what it still needs; `names` are the roles
    of those who have to agree by name, with a reason."""

    name: str
    args: dict[str, Scalar]
    label: str
    enabled: bool
    needs: list[str]
    names: list[str] = Field(default_factory=list)


class ChecklistState(Strict):
    """One line of the checklist and who confirmed it."""

    id: str
    text: str
    before: str
    names: int
    done: bool
    by: str
    second: str
    skipped: str = ""


class ComparedState(Strict):
    """One probe's last comparison with the independent reference (°C)."""

    channel: str
    value_c: float
    reference_c: float
    within: bool


class FractionState(Strict):
    """One part of the dose: when it is due after the first and when it was given."""

    number: int
    share: float
    due_s: float
    given_utc: str | None
    mg: float | None


class DrugState(Strict):
    """The drug, the dose's arithmetic and its fractions."""

    name: str
    dose_mg_m2: float
    bsa_m2: float | None
    dose_mg: float | None
    carrier: str
    fractions: list[FractionState]


class ReminderState(Strict):
    """An intravenous drug that anesthesia gives."""

    drug: str
    dose_mg_m2: float
    dose_mg: float | None
    due_s: float | None
    infusion_min: float


class Volumes(Strict):
    """The volume ledger."""

    in_ml: float
    out_ml: float
    retained_ml: float


class TimerLine(Strict):
    """A fraction, an intravenous reminder, five minutes left, the end; treatment seconds."""

    id: str
    text: str
    state: TimerState
    due_in_s: float | None
    window_s: float


class DipState(Strict):
    """How far the next fraction would cool the perfusate now, and for how long (predicted)."""

    from_c: float
    to_c: float
    recovers_s: float


class DrugLedger(Strict):
    """Milligrams given, and where they are now (estimated by concentration)."""

    label_mg: float
    given_mg: list[float]
    drained_mg_estimate: float
    in_circuit_or_patient_mg_estimate: float


class Ledger(Strict):
    """Where each millilitre and milligram is; the causes of a mismatch are ranked."""

    in_ml: dict[str, float]
    out_ml: dict[str, float]
    pumped_ml: float
    reservoir_ml: float | None
    retained_ml: float
    missing_ml: float | None
    causes: list[str]
    drug: DrugLedger | None


class AheadState(Strict):
    """One temperature at one horizon: half of the range lies on each side (°C)."""

    value_c: float
    within_c: float


class OutlookState(Strict):
    """What is to come if things go on as planned; the observer's forecasts and their past errors.

    `at_s` is treatment time as `at_ns` times the speed; times are treatment seconds from there, and
    None is not within forty minutes, or never. `ahead` holds by channel (and "mean", "core") the
    forecast at each of `horizons_s`.
    """

    at_s: float
    horizons_s: list[float]
    ahead: dict[str, list[AheadState]]
    gate_in_s: float | None
    band_in_s: float | None
    core_high_in_s: float | None
    steady_mean_c: float
    steady_hottest_c: float
    steady_coldest_c: float
    goal_c: float
    wanted_c: float
    patient_w: float
    field_w: float
    tubing_w: float | None
    doubted: list[str]
    limit: str


class GuardLine(Strict):
    """A hazard and how it is guarded now; `why` says why it is not armed."""

    hazard: str
    guard: Guard
    why: str


class PastAlarm(Strict):
    """An alarm that is over and stays in the list."""

    id: str
    source: str
    occurrence: str
    priority: Priority
    text: str
    since_utc: str
    until_utc: str


class AlarmState(Strict):
    """One alarm that is on, latched or acknowledged; monotonic ns of sample, decision, sending."""

    id: str
    source: str
    occurrence: str
    priority: Priority
    presence: Presence
    text: str
    do: str
    value: float | None
    limit: float | None
    since_utc: str
    sampled_ns: int | None
    decided_ns: int
    sent_ns: int | None
    seq: int
    seen_by: str = ""
    for_anesthesia: bool = False


class RequestLine(Strict):
    """What anesthesia asked of the pump and the answer; `accepted` is null while it is open."""

    number: int
    kind: str
    text: str
    at_utc: str
    by: str
    waits_s: float = Field(description="real seconds until it was answered, or until now")
    accepted: bool | None
    answered_utc: str | None
    answered_by: str
    reason: str


class CoolingState(Strict):
    """Whether the patient is cooled, as anesthesia entered it."""

    on: bool
    at_utc: str
    by: str


class CoreStep(Strict):
    """One step of the core's ladder: minutes at or above it, and when it may be reached (s).

    `from_s` and `to_s` are the forecast's range in treatment seconds from now: null where it may
    not be reached within an hour.
    """

    limit_c: float
    above_min: float
    from_s: float | None
    to_s: float | None


class CoreCourse(Strict):
    """The deciding core: its channel, its slope, its ladder, and what was read by hand lately."""

    channel: str | None
    rate_c_per_10_min: float | None
    steps: list[CoreStep]
    by_hand_c: float | None
    by_hand_site: str


class DisplayState(Strict):
    """An enrolled display: whether it is there, and whether its sound was heard and runs."""

    name: str
    role: PersonRole
    present: bool
    audible: bool
    armed: bool
    reason: str


class CommandStatus(Strict):
    """How far a command has come."""

    key: str
    name: str
    state: CommandState
    requested: float | None = None
    granted: float | None = None
    limited_by: str = ""
    reason: str = ""


class CommandLine(CommandStatus):
    """One of the newest commands, with the time of its last change."""

    at_utc: str


class NotGuarded(Strict):
    """A hazard that nothing watches today, and why."""

    hazard: str
    why: str


class EventLine(Strict):
    """One line of the record."""

    at_utc: str
    kind: str
    text: str
    by: str


class ControlState(Strict):
    """Who has control, at which station, since when, and to whom it is offered ("" for nobody)."""

    holder: str | None = None
    station: str = ""
    since_utc: str | None = None
    offered_to: str = ""


class State(Strict):
    """The whole room and its session, as a page needs it."""

    session: str | None
    protocol: str | None
    phase: Phase | None
    controller: Controller
    speed: float
    at_ns: int
    at_utc: str
    title: str
    technique: Technique | None
    envelope: str
    side_state: Literal["", "pause", "heat_hold", "abort"]
    clocks: Clocks
    target: TargetState | None
    gate: GateState | None
    limits: dict[str, float]
    channels: dict[str, ChannelState]
    devices: dict[str, DeviceState]
    figures: Figures
    heat: HeatState
    pump: PumpState
    steps: list[Step]
    next_action: NextAction | None
    checklist: list[ChecklistState]
    drug: DrugState | None
    reminders: list[ReminderState]
    volumes: Volumes
    alarms: list[AlarmState]
    audible: str | None = Field(description="the occurrence that sounds now; one at a time")
    audio_paused_s: float
    control: ControlState = ControlState()
    commands: list[CommandLine] = Field(max_length=20)
    not_guarded: list[NotGuarded]
    guarded: list[GuardLine] = Field(default=[])
    timers: list[TimerLine] = Field(default=[])
    dip: DipState | None = None
    outlook: OutlookState | None = None
    compared: list[ComparedState] = Field(default=[])
    ledger: Ledger | None = None
    past_alarms: list[PastAlarm] = Field(default=[], max_length=50)
    requests: list[RequestLine] = Field(default=[], max_length=20)
    cooling: CoolingState | None = None
    core: CoreCourse | None = None
    displays: list[DisplayState] = Field(default=[])
    events: list[EventLine] = Field(max_length=50)
