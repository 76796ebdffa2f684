"""Everything the core remembers between two events: one frozen tree, folded from the journal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from protocols.schema import Limits, Protocol
from service.core.estimate import Estimate
from service.core.model import (
    CommandState,
    Controller,
    DriveStatus,
    Instant,
    LinkState,
    Mode,
    PersonRole,
    Phase,
    Priority,
    Role,
    Room,
    Sample,
)
from service.core.outlook import Outlook, Scores, Way
from service.core.thermal import Tally
from service.core.trust.memory import Compared, Past, Trust


class Side(StrEnum):
    """Side states of a session, beside its phase."""

    NONE = ""
    PAUSE = "pause"
    HEAT_HOLD = "heat_hold"
    ABORT = "abort"


class AlarmState(StrEnum):
    """The states of the alarm machine; an idle alarm is simply not there."""

    PENDING = "pending"
    ACTIVE = "active"
    LATCHED = "latched"
    ACKED = "acked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The connection to one device, since when, and who answered."""

    state: LinkState
    since: Instant
    reason: str = ""
    identity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a drive last said of itself, and when."""

    at: Instant
    drive: DriveStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm condition's occurrence. Times `_s` are treatment seconds, `_ns` real monotonic."""

    id: str
    source: str
    state: AlarmState
    priority: Priority
    reached: Priority
    occurrence: str
    latches: bool
    do: str
    pending_since_s: float
    active_since_ns: int = 0
    since_utc_ns: int = 0
    acked_ns: int = 0
    decided_ns: int = 0
    text: str = ""
    value: float | None = None
    limit: float | None = None
    sampled: Instant | None = None
    source_lost: bool = False
    seen_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAlarm:
    """An alarm that is over; it stays in the list for whoever was not in the room."""

    id: str
    source: str
    occurrence: str
    priority: Priority
    text: str
    since_utc_ns: int
    until_utc_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """The computer's wall clock was moved, against its monotonic one."""

    at: Instant
    by_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An interlock that has acted: what it keeps off until a person resumes.

    `pump_stop_after_s` is when a check of a pump that was left on is over, `away_s` since when its
    cause has not been seen (treatment seconds).
    """

    cause: str
    text: str
    heat: bool
    pump: bool
    since_s: float
    pump_minimum: bool = False
    pump_stop_after_s: float | None = None
    away_s: float | None = None
    surgeon: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """One drive (heater, pump or contactor): what we want of it and what it has confirmed.

    `wanted` is the bath set-point (°C), the flow (ml/min) or 1 for a closed contactor; None is off.
    An untouched drive has never been ordered anything by this session; a held one (after a restart)
    is not ordered to run until a person says so. `ordered` is None when what is wanted has to be
    ordered (anew).
    """

    touched: bool = False
    held: bool = False
    wanted: float | None = None
    order: int = 0
    ordered: Instant | None = None
    renewed_ns: int = 0
    outcome: CommandState = CommandState.CONFIRMED
    settled: Instant | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """The heat controller: its mode, what was asked and granted, what limits it or is missing.

    `requested_c` is what a person asks of the inflow, `asked_c` what person, protocol or loop asked
    last. `decided_s` is when it last decided (treatment seconds), `expected_c` the highest inflow
    that the set-points up to now explain (°C); `told_…` is what the record was last told of
    automatic.
    """

    controller: Controller = Controller.ADVISORY
    enabled: bool = False
    decided_s: float | None = None
    requested_c: float | None = None
    asked_c: float | None = None
    granted_c: float | None = None
    limited_by: str = ""
    waits_for: str = ""
    missing_since: Instant | None = None
    integral_c: float = 0.0
    expected_c: float | None = None
    bath_c: float | None = None
    told_c: float | None = None
    told_s: float = 0.0
    told_limit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What the observer believes and foresees, and the inflow that automatic would ask for (°C).

    `scores` are those of the two horizons, `kept_s` when forecasts were last kept for scoring,
    `way` what was learned of the circuit between bath and inflow.
    """

    estimate: Estimate
    wanted_c: float
    scores: tuple[Scores, Scores]
    kept_s: float
    outlook: Outlook
    way: Way | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaterCheck:
    """What the heater's reading (of which role, °C) was last, and how far it has added up to too
    little heat while heat was asked for, or to too much while none was (°C of the bath)."""

    at_s: float
    role: Role
    value_c: float
    short_c: float = 0.0
    excess_c: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The treatment clock's three accounts (s), the drug-contact clock and the gate's hold time."""

    running: bool = False
    ended: bool = False
    in_band_s: float = 0.0
    out_of_band_s: float = 0.0
    unobserved_s: float = 0.0
    contact_from_s: float | None = None
    contact_until_s: float | None = None
    gate_held_s: float = 0.0
    ended_s: float | None = None
    pumped_ml: float = 0.0

    @property
    def elapsed_s(self) -> float:
        """The time accounted for: in band, out of band and unobserved always add up to it."""
        return self.in_band_s + self.out_of_band_s + self.unobserved_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A checklist item's confirmation; `skipped` is the reason for going on without it."""

    at: Instant
    by: str
    second: str = ""
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What anesthesia asked of the pump, and the answer; `accepted` is None while it is open."""

    number: int
    kind: str
    at: Instant
    by: str
    accepted: bool | None = None
    answered: Instant | None = None
    answered_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooling:
    """Whether anesthesia cools the patient, as they entered it."""

    on: bool
    at: Instant
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreAbove:
    """How long the deciding core was at or above each step of its ladder (treatment seconds);
    `at_s` is when that was last counted."""

    at_s: float
    above_s: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """An enrolled display: whether it is there, and whether it can sound.

    `armed` says that it could once sound since it came, so that silence now is a loss.
    """

    role: PersonRole
    present: bool
    audible: bool
    armed: bool
    since: Instant
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dip:
    """How far a dose cools the perfusate (°C), and when it is expected to be warm again (s)."""

    from_c: float
    to_c: float
    recovers_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """A core temperature that a person read from another monitor; `site` "" decides.

    `at_s` is treatment time, `entered` when it was written down.
    """

    value_c: float
    at_s: float
    site: str = ""
    entered: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A fraction of the dose that was given: when (label and treatment time), by whom, and the
    dip that was predicted for it."""

    fraction: int
    at_utc_ns: int
    at_s: float
    by: str
    dip: Dip | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A volume that a person wrote down: a line of the ledger."""

    at_s: float
    kind: str
    ml: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What the dose arithmetic needs; no identity is kept here."""

    height_cm: float | None = None
    weight_kg: float | None = None
    bsa_m2: float | None = None
    dose_mg: float | None = None
    carrier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One treatment from opening to closing.

    `opened_s` and `began_s` are when it was opened and each phase entered (treatment seconds of the
    room); `overridden` names the causes that surgeon and anesthesia have overridden while they
    stand, `compared` each probe's last comparison with the reference.
    """

    id: str
    protocol: Protocol
    limits: Limits
    opened: Instant
    duration_s: float
    patient: Patient
    opened_s: float = 0.0
    phase: Phase = Phase.SETUP
    phase_from_s: float = 0.0
    began_s: Mapping[Phase, float] = field(default_factory=dict)
    side: Side = Side.NONE
    clocks: Clocks = field(default_factory=Clocks)
    checklist: Mapping[str, Confirmed] = field(default_factory=dict)
    given: tuple[Given, ...] = ()
    reminded: tuple[int, ...] = ()
    core_by_hand: ByHand | None = None
    flow_ml_min: float | None = None
    volume_in_ml: float = 0.0
    volume_out_ml: float = 0.0
    moved: tuple[Moved, ...] = ()
    blocks: Mapping[str, Block] = field(default_factory=dict)
    overridden: tuple[str, ...] = ()
    heat: Heat = field(default_factory=Heat)
    foresight: Foresight | None = None
    heater_check: HeaterCheck | None = None
    compared: Mapping[str, Compared] = field(default_factory=dict)
    requests: tuple[Request, ...] = ()
    cooling: Cooling | None = None
    blood_tested_s: float | None = None
    core_above: CoreAbove | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRecord:
    """A command as the page shows it, and the drive orders whose outcome it waits for."""

    key: str
    name: str
    state: CommandState
    at: Instant
    requested: float | None = None
    granted: float | None = None
    limited_by: str = ""
    reason: str = ""
    waits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A line of the room's log as the page shows it."""

    at: Instant
    kind: str
    text: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What the reservoir's scale read, and the abdominal pressure with it."""

    at_s: float
    ml: float
    iap_mmhg: float | None


class Beside:
    """Keeps what the rules saw beside a state, out of all that is compared, copied or recorded."""

    __slots__ = ("sight",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The one person who has control, where, since when, and to whom it is being handed over."""

    user: str
    station: str
    since: Instant
    offered_to: str = ""


DosePoint = tuple[float, float, tuple[float | None, ...]]
"""Treatment seconds, seconds of the treatment clock, and the temperatures (°C) of one frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """Thermal dose so far: `treatment` while the clock runs, `rest` in heat-up, stops and drain.

    `points` are the newest frames, not summed yet.
    """

    points: tuple[DosePoint, ...] = ()
    treatment: Mapping[str, Tally] = field(default_factory=dict)
    rest: Mapping[str, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class State(Beside):
    """The room. `treat_s` counts treatment seconds (real seconds x speed) since the start.

    `version` and `core` are those of the program that runs it now.
    """

    room: Room
    boot: str
    now: Instant
    version: str = ""
    core: str = ""
    treat_s: float = 0.0
    processed: int = 0
    occurrences: int = 0
    samples: Mapping[str, Sample] = field(default_factory=dict)
    over_ceiling: Mapping[str, int] = field(default_factory=dict)
    iap_window: tuple[tuple[float, float], ...] = ()
    balance_window: tuple[Balance, ...] = ()
    dose: Dose = field(default_factory=Dose)
    core_window: tuple[tuple[float, float], ...] = ()
    links: Mapping[str, Link] = field(default_factory=dict)
    statuses: Mapping[str, Status] = field(default_factory=dict)
    session: Session | None = None
    holder: Holder | None = None
    alarms: Mapping[str, Alarm] = field(default_factory=dict)
    past_alarms: tuple[PastAlarm, ...] = ()
    stepped: Stepped | None = None
    audio_paused_until_ns: int | None = None
    heater: Drive = field(default_factory=Drive)
    pump: Drive = field(default_factory=Drive)
    contactor: Drive = field(default_factory=Drive)
    commands: tuple[CommandRecord, ...] = ()
    notes: tuple[Noted, ...] = ()
    durable: bool = True
    durable_reason: str = ""
    supervised: bool = True
    trust: Trust = field(default_factory=Trust)
    past: Past = field(default_factory=Past)
    displays: Mapping[str, Display] = field(default_factory=dict)
    host: Mapping[str, str] = field(default_factory=dict)

    @property
    def mode(self) -> Mode:
        """The room's generation mode."""
        return self.room.mode
