"""What the core wants done. Order: make safe first, then record, then actuators, then publish."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.core.model import CommandState, Controller, Instant, Phase, Presence, Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaterOff:
    """Stop the heater device and read back that it stopped; overtakes all else on its line."""

    order: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpStop:
    """Stop the pump and read back that it stopped; overtakes all else on its line."""

    order: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaterRun:
    """Run the heater at this bath set-point for at most `lease_s` real seconds unless renewed.

    `asked_c` and `granted_c` are the inflow that leads to it (°C), `limited_by` what cut it ("" for
    nothing).
    """

    order: int
    bath_c: float
    lease_s: float
    asked_c: float | None = None
    granted_c: float | None = None
    limited_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpRun:
    """Run the pump at this flow for at most `lease_s` real seconds unless renewed.

    `asked_ml_min` is what a person asked for, `limited_by` what cut it ("" for nothing).
    """

    order: int
    flow_ml_min: float
    lease_s: float
    asked_ml_min: float | None = None
    limited_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactorDrop:
    """Open the heater's and pump's contactors and read back that they are open."""

    order: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactorHold:
    """Keep the contactors closed, and their watchdog fed, for at most `lease_s` unless renewed."""

    order: int
    lease_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChanged:
    """An alarm's transition. `event` is onset, cleared, acknowledged, escalated, reannounced, or
    source_lost: its data is missing, and it stands."""

    at: Instant
    id: str
    source: str
    occurrence: str
    event: str
    priority: Priority
    presence: Presence
    text: str
    do: str
    value: float | None
    limit: float | None
    sampled: Instant | None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChanged:
    """The session moved from one phase to another, by a person or by its clock."""

    at: Instant
    from_phase: Phase
    to_phase: Phase
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandChanged:
    """A command's state, with what was asked, what was granted and which limit cut it."""

    at: Instant
    key: str
    name: str
    state: CommandState
    requested: float | None = None
    granted: float | None = None
    limited_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerChanged:
    """The heat controller changed its mode, and why."""

    at: Instant
    to: Controller
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened:
    """A session began; its record starts here."""

    at: Instant
    session: str
    protocol: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseFigures:
    """One site's thermal dose, or that of a figure over the sites (T90, the protocol's statistic).

    Over the treatment clock, `cem43_whole_min` from heat-up to drained. `above_min` are the minutes
    at and above the thresholds. Coverage is the share of the time with valid readings, 0 to 1.
    """

    name: str
    cem43_min: float
    cem43_whole_min: float
    mean_c: float | None
    min_c: float | None
    max_c: float | None
    above_min: tuple[float, ...]
    in_band_min: float
    longest_outside_min: float
    under_degree_min: float
    over_degree_min: float
    coverage: float
    coverage_whole: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRecorded:
    """The thermal dose of a session, told once when it closes, with the constants it rests on.

    T10, T50 and T90 are over all site samples of the treatment: the temperature that 10, 50 and
    90 % of them reached; `spread_c` is hottest less coldest site, `coverage` the share of the
    treatment with valid readings, over all sites.
    """

    at: Instant
    session: str
    treatment_min: float
    whole_min: float
    figures: tuple[DoseFigures, ...]
    t10_c: float | None
    t50_c: float | None
    t90_c: float | None
    coverage: float
    spread_mean_c: float | None
    spread_max_c: float | None
    spread_coverage: float
    thresholds_c: tuple[float, ...]
    break_c: float
    r_at_and_above: float
    r_below: float
    percentile_rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed:
    """A session's record ends here."""

    at: Instant
    session: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A line for the record: a fact, a deviation, a limit that cut, a note."""

    at: Instant
    kind: str
    text: str
    by: str = ""
    data: Mapping[str, str | float | int | bool | None] = field(default_factory=dict)


Effect = (
    HeaterOff
    | PumpStop
    | HeaterRun
    | PumpRun
    | ContactorDrop
    | ContactorHold
    | AlarmChanged
    | PhaseChanged
    | CommandChanged
    | ControllerChanged
    | SessionOpened
    | DoseRecorded
    | SessionClosed
    | Recorded
)
