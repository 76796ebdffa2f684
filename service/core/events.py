"""What happens to the core: everything it knows arrives as one of these, with its time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols.schema import Protocol
from service.core.model import (
    Actor,
    CommandState,
    DriveStatus,
    Instant,
    LinkState,
    PersonRole,
    Reading,
    Room,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The control process started (or restarted: `recovered`) with this room.

    `version` is the program's release; `core` names the core's exact source, so that a replay knows
    whether it has to be the same.
    """

    at: Instant
    boot: str
    room: Room
    version: str
    recovered: bool = False
    core: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """All channels of one device, read in one go; `at` stamps the chunk that completed it.

    `errors` counts the spoiled or missing answers of the device since its frame before."""

    at: Instant
    device: str
    readings: tuple[Reading, ...]
    status: DriveStatus | None = None
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChanged:
    """A device's link changed; `reason` is for the person who reads it."""

    at: Instant
    device: str
    state: LinkState
    reason: str = ""
    identity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A person's request. `protocol` is filled in by the control process for open_session."""

    at: Instant
    key: str
    name: str
    args: Mapping[str, str | float | int | bool | None] = field(default_factory=dict)
    reason: str = ""
    second: str = ""
    by: Actor
    protocol: Protocol | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A person's request that could not be made into a command, and why; kept as refused."""

    at: Instant
    key: str
    name: str
    reason: str
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an effect that drives a device: confirmed, refused or unknown.

    `drive` is "heater", "pump" or "contactor", `value` what it read back (°C, ml/min; None if off).
    """

    at: Instant
    drive: str
    order: int
    state: CommandState
    value: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durability:
    """The journal cannot write (`durable` False) or can again."""

    at: Instant
    durable: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorAct:
    """What the supervisor did to the devices while no control process was there."""

    at: Instant
    act: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorLink:
    """The supervisor went away, or a supervisor is there (again)."""

    at: Instant
    present: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An alarm's transition has left for the displays at `at`, under this message number.

    Recorded, so that the delays of every alarm can be told from the record.
    """

    at: Instant
    seq: int
    occurrence: str
    event: str
    durable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A display says that it has drawn the message with this sequence number.

    `latency_ms` is the display's own: from the message's arrival to its paint. All but `display`
    and `seq` are unknown of a display that does not say them.
    """

    at: Instant
    display: str
    seq: int
    id: str = ""
    occurrence: str = ""
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayChanged:
    """An enrolled display came, went, or changed what it can do; `reason` says why it went.

    `audible` is true while the display's sound was heard by a person and runs.
    """

    at: Instant
    display: str
    role: PersonRole
    present: bool
    audible: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostNoticed:
    """Something about the computer itself that people must know; empty text when it is over."""

    at: Instant
    what: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The passing of time, ten times a real second."""

    at: Instant


Event = (
    Started
    | Frame
    | LinkChanged
    | Command
    | Rejected
    | Outcome
    | Durability
    | SupervisorAct
    | SupervisorLink
    | Sent
    | Shown
    | DisplayChanged
    | HostNoticed
    | Tick
)
