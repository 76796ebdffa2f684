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
    """Run the heater at this bath set-point for at most `lease_s` real seconds unless renewed."""

    order: int
    bath_c: float
    lease_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpRun:
    """Run the pump at this flow for at most `lease_s` real seconds unless renewed."""

    order: int
    flow_ml_min: float
    lease_s: float


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
    """An alarm's transition. `event` is onset, cleared, acknowledged, escalated or reannounced."""

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
    | SessionClosed
    | Recorded
)
