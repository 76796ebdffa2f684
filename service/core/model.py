"""The words of the room: validity, mode, roles, instants, samples and what the room consists of.

Validity and generation mode follow IEEE 11073 BICEPS. `None` is unknown; never 0, -1 or NaN.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Word(StrEnum):
    """A word of a closed set, found in tables as fast as its text."""

    __hash__ = str.__hash__


class Validity(Word):
    """How far a value may be believed (BICEPS MeasurementValidity)."""

    VALID = "valid"
    QUESTIONABLE = "questionable"
    INVALID = "invalid"
    OVERFLOW = "overflow"
    UNDERFLOW = "underflow"
    NOT_AVAILABLE = "not_available"


class Mode(Word):
    """Where a room's samples come from; one for the whole room, on every screen and paper."""

    REAL = "real"
    TEST = "test"
    DEMO = "demo"


class Role(Word):
    """What a channel means in the circuit or in the patient."""

    INFLOW = "inflow"
    OUTFLOW = "outflow"
    RESERVOIR = "reservoir"
    EXCHANGER = "exchanger"
    BATH = "bath"
    SITE = "site"
    CORE = "core"
    LINE_IN = "line_in"
    LINE_OUT = "line_out"
    IAP = "iap"
    FLOW = "flow"
    LEVEL = "level"
    SPEED = "speed"
    POWER = "power"
    BUBBLE = "bubble"
    LEVEL_LOW = "level_low"
    CUT_OUT = "cut_out"
    EMERGENCY_STOP = "emergency_stop"


class Unit(Word):
    """Units of channels, written as in `site.toml`."""

    DEG_C = "degC"
    ML_MIN = "ml/min"
    MMHG = "mmHg"
    ML = "ml"
    RPM = "rpm"
    PERCENT = "%"
    ON_OFF = "on/off"


class DeviceClass(Word):
    """What an instrument is for; the classes of `drivers.classes`."""

    TEMPERATURE = "temperature"
    PUMP = "pump"
    HEATER = "heater"
    PRESSURE = "pressure"
    FLOW = "flow"
    SCALE = "scale"
    SWITCHES = "switches"


class LinkState(Word):
    """The state of the connection to one device."""

    OPENING = "opening"
    IDENTIFYING = "identifying"
    LIVE = "live"
    LOST = "lost"


class Priority(Word):
    """Alarm priorities, designed with IEC 60601-1-8 in mind."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Presence(Word):
    """What an alarm's signals do now (BICEPS AlertSignalPresence)."""

    ON = "on"
    OFF = "off"
    LATCHED = "latched"
    ACKNOWLEDGED = "acknowledged"


class Phase(Word):
    """The phases of a treatment, in their order."""

    SETUP = "setup"
    PRIME = "prime"
    FILL = "fill"
    HEAT_UP = "heat_up"
    DRUG_ADDITION = "drug_addition"
    PERFUSE = "perfuse"
    DRAIN = "drain"
    RINSE = "rinse"
    COMPLETE = "complete"


FLUID = frozenset(Phase) - {Phase.SETUP, Phase.COMPLETE}
"""Phases with fluid in the circuit."""

WARM = frozenset({Phase.HEAT_UP, Phase.DRUG_ADDITION, Phase.PERFUSE})
"""Phases in which warm fluid circulates through the patient."""


class Controller(Word):
    """Who moves the heat: a person, a person with proposals, or the loop."""

    MANUAL = "manual"
    ADVISORY = "advisory"
    AUTOMATIC = "automatic"
    FALLBACK = "fallback"
    STOPPED = "stopped"


class CommandState(Word):
    """How far a command has come; `unknown` is an alarm and a query, never a blind retry."""

    REQUESTED = "requested"
    REFUSED = "refused"
    SENT = "sent"
    CONFIRMED = "confirmed"
    UNKNOWN = "unknown"


class PersonRole(Word):
    """What a signed-in person or an enrolled station may do."""

    PERFUSIONIST = "perfusionist"
    ANESTHESIA = "anesthesia"
    SURGEON = "surgeon"
    QA = "qa"
    ADMIN = "admin"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Instant:
    """A moment: monotonic nanoseconds decide, UTC nanoseconds are a label for people."""

    mono_ns: int
    utc_ns: int

    def seconds_since(self, earlier: "Instant") -> float:
        """Real seconds from `earlier` to this instant."""
        return (self.mono_ns - earlier.mono_ns) / 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One channel's value as its device reported it (in the channel's unit)."""

    channel: str
    value: float | None
    unit: Unit
    validity: Validity
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement of one channel, stamped where its bytes were read."""

    channel: str
    value: float | None
    unit: Unit
    validity: Validity
    mode: Mode
    at: Instant
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveStatus:
    """What a pump or heater says of itself, read back with each poll.

    `setpoint` is °C for a heater and ml/min for a pump; `fault` is empty when there is none.
    """

    running: bool | None
    setpoint: float | None
    remote: bool | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who gave a command, from where. `user` is empty for the enrolled station itself."""

    user: str
    role: PersonRole
    station: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What a device's input is in this room; `resolution` is its step (0 where it is not known)."""

    id: str
    device: str
    input: int
    role: Role
    unit: Unit
    site: str = ""
    interval_s: float = 1.0
    resolution: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One configured instrument of the room, by name and class."""

    name: str
    driver: str
    device_class: DeviceClass


class Tabled:
    """Keeps the tables that follow from a room beside it, out of what is compared or recorded."""

    __slots__ = ("tables",)
    tables: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Room(Tabled):
    """What this room has, as the core sees it; a session copies it into its record.

    `speed` multiplies treatment clocks and alarm delays and is 1 unless mode is demo or test.
    `limits` narrows a protocol's limits by name (units in the names). `heater_max_w` is the
    heater's full power, None where nobody has said it.
    """

    id: str
    mode: Mode
    speed: float
    channels: tuple[Channel, ...]
    devices: tuple[Device, ...]
    limits: Mapping[str, float] = field(default_factory=dict)
    heater_max_w: float | None = None

    def __hash__(self) -> int:
        """A room is found by its id."""
        return hash(self.id)
