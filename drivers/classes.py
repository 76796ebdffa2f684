"""The interface of each class of instrument: what the room may ask of it, whatever its maker."""

from dataclasses import dataclass
from typing import Protocol

from drivers.dialogue import Dialogue
from service.core.model import CommandState, DeviceClass, DriveStatus, Instant, Unit, Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Serial:
    """How a line talks: baud rate, bits and parity; `bits_per_char` gives the time on the wire."""

    baud: int
    bytesize: int = 8
    parity: str = "N"
    stopbits: int = 1

    @property
    def bits_per_char(self) -> int:
        """Start, data, parity and stop bits of one character."""
        return 1 + self.bytesize + (self.parity != "N") + self.stopbits

    def __str__(self) -> str:
        """As manuals write it: `4800 7E1`."""
        return f"{self.baud} {self.bytesize}{self.parity}{self.stopbits}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input that a driver reads: its number in `site.toml`, its unit and its resolution."""

    number: int
    unit: Unit
    resolution: float
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One input's value as read; None unless validity says that there is one."""

    input: int
    value: float | None
    validity: Validity = Validity.VALID
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """One poll of a device: every input at once, stamped by the chunk that completed it.

    `errors` counts the spoiled or missing answers since the poll before it."""

    at: Instant
    measured: tuple[Measured, ...]
    status: DriveStatus | None = None
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who answered: model, serial number and firmware, empty where the device does not say."""

    model: str
    serial: str = ""
    firmware: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a drive read back after a command: confirmed, refused or unknown, and its value.

    `value` is °C (heater) or ml/min (pump), None when the drive stands and for a contactor."""

    state: CommandState
    value: float | None = None
    reason: str = ""


class Driver(Protocol):
    """What every driver is. Its constructor takes `address` (where the device has one), its own
    settings and `baud`, `bytesize`, `parity`, `stopbits` by keyword and raises `SettingError` for
    one that it does not know or cannot use. `stop_bound_s`: how long after the order the first
    byte of `off` is on the wire at the latest (the query in flight and the device's own pause), on
    a line that answers or that is silent; 0 for a device that drives nothing. `pushes`: the device
    speaks unasked, so it is listened to all the time and its poll rate says only what to expect.
    `revision`: which revision of `manual` the driver follows; where the copies that were seen name
    none, that, and where they are. Two attributes may be left out: `most_hz`, the device gives
    readings no more often, and `addresses`, those on its line that this driver asks."""

    name: str
    device_class: DeviceClass
    serial: Serial
    inputs: tuple[Input, ...]
    manual: str
    revision: str
    stop_bound_s: float
    pushes: bool

    def identify(self) -> Dialogue[Identity]:
        """Find out who answers; also whatever a device needs after power-on."""
        ...

    def poll(self) -> Dialogue[Polled]:
        """Read every input once."""
        ...


class Heater(Driver, Protocol):
    """A heating circulator: takes a bath set-point in °C; off is not zero.

    `terminator` ends a command that somebody left half written; `quiet_s` is the pause after it.
    """

    terminator: bytes
    quiet_s: float

    def run(self, bath_c: float) -> Dialogue[Done]:
        """Set the bath set-point, start, and read both back."""
        ...

    def off(self) -> Dialogue[Done]:
        """Stop the device and read back that it stopped."""
        ...


class Pump(Driver, Protocol):
    """The perfusion pump: takes a flow in ml/min that it converts by its own ml per revolution.

    `terminator` ends a command that somebody left half written; `quiet_s` is the pause after it.
    """

    terminator: bytes
    quiet_s: float

    def run(self, flow_ml_min: float) -> Dialogue[Done]:
        """Set the speed for this flow, start, and read both back."""
        ...

    def off(self) -> Dialogue[Done]:
        """Stop the pump and read back that it stopped."""
        ...

    def lower(self, flow_ml_min: float) -> Dialogue[Done]:
        """Slow a running pump down to this flow; never start it, never make it faster."""
        ...


class Contactor(Driver, Protocol):
    """Relay outputs through which heater and pump get their power: energised to run.

    The module opens them by itself `watchdog_s` after the last message that feeds it, so `hold` is
    called at least three times as often. Opened contactors, whoever opened them, are closed again
    by one way only: `drop`, and then the `hold` that a person ordered. Any other `hold` keeps
    closed contactors closed and is refused where they are open. `outputs` is how many relays are
    used, 0 where the module only reads contacts and is no contactor. `terminator` and `quiet_s` as
    for a pump.
    """

    outputs: int
    watchdog_s: float
    terminator: bytes
    quiet_s: float

    def hold(self) -> Dialogue[Done]:
        """Keep the outputs on, feed the watchdog, and read back that they are on."""
        ...

    def drop(self) -> Dialogue[Done]:
        """Switch the outputs off and read back that they are off."""
        ...


class SettingError(ValueError):
    """A driver's setting in `site.toml` is unknown or unusable; the text says which are allowed."""
