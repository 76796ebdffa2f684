"""ICP DAS digital module: contacts in, relays out, a host watchdog (tM-R5 quick start p. 10,
tM-AD4P2C2 p. 10, tM-DA1P1R1 p. 14). The watchdog runs in the module's own time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from simulator.devices.instrument import Send
from simulator.devices.modbus import Code, ModbusError
from simulator.devices.rtu_unit import RtuUnit

Contact = Callable[[], bool]

OUTPUT, CONTACT, SAFE, POWER_ON = 1, 33, 129, 161
CLEAR_BY_OUTPUT, WATCHDOG_ON, INPUT_POLARITY, OUTPUT_POLARITY = 260, 261, 265, 266
TRIPPED, FIRST_READ = 270, 273
IDENTITY, WATCHDOG_TENTHS, WATCHDOG_COUNT = range(481, 485), 489, 492
SWITCHES = (CLEAR_BY_OUTPUT, WATCHDOG_ON, INPUT_POLARITY, OUTPUT_POLARITY)
OUTPUT_WRITES = frozenset({5, 15})
HOST_OK = b"~**\r"
FEEDERS = ("request", "output", "host_ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitalSettings:
    """How the module is built and set up. The quick starts leave open, so they are settings: what
    feeds the watchdog (any request to it, a write of outputs, or the message "host OK"), whether
    the watchdog's settings outlive a power cut, identity words."""

    address: int = 1
    outputs: int = 2
    fed_by: Literal["request", "output", "host_ok"] = "request"
    keeps_watchdog: bool = True
    firmware: int = 0x0001_0200
    module_name: int = 0x0700_5205

    def __post_init__(self) -> None:
        """Refuse what no module is."""
        if self.fed_by not in FEEDERS:
            raise ValueError(f"fed_by is {self.fed_by!r}; it must be one of {', '.join(FEEDERS)}")
        if not 1 <= self.outputs <= 16:
            raise ValueError(f"outputs is {self.outputs}; it must be 1 to 16")


class DigitalModule(RtuUnit):
    """Contacts read their sources; relays follow the host, until it is silent for too long."""

    title = "ICP DAS digital module, contacts and relays with host watchdog"
    fault_names = frozenset({"refuses", "open", "short", "stuck"})

    def __init__(
        self, contacts: Sequence[Contact], settings: DigitalSettings | None = None
    ) -> None:
        self.settings = settings or DigitalSettings()
        super().__init__(self.settings.address)
        self._contacts = contacts
        self.inputs = tuple(range(1, len(contacts) + 1))
        self._coils = dict.fromkeys(SWITCHES, False)
        for first in (OUTPUT, SAFE, POWER_ON):
            self._coils |= dict.fromkeys(range(first, first + self.settings.outputs), False)
        self._tenths, self._count = 0, 0
        self._seen = [False] * len(contacts)
        self._now_s = float("-inf")
        self.power_up()
        self.sample(0.0)

    def power_up(self) -> None:
        """Outputs take their power-on values; the watchdog's settings stay where they are kept."""
        self._tripped, self._first_read = False, True
        self._fed_s = self._now_s
        if not self.settings.keeps_watchdog:
            self._tenths, self._coils[WATCHDOG_ON] = 0, False
        self._take_outputs(POWER_ON)

    def closed(self, number: int) -> bool:
        """True while this relay (from 1) has its coil energised."""
        return self._coils[OUTPUT + number - 1] != self._coils[OUTPUT_POLARITY]

    def close(self) -> None:
        """Set the room up with all relays already closed."""
        for number in range(self.settings.outputs):
            self._coils[OUTPUT + number] = True

    def sample(self, dt_s: float) -> None:
        """Look at the contacts."""
        for index, contact in enumerate(self._contacts):
            if self.faults.has("open", index + 1):
                self._seen[index] = False
            elif self.faults.has("short", index + 1):
                self._seen[index] = True
            elif not self.faults.has("stuck", index + 1):
                self._seen[index] = contact()

    def watch_host(self, now_s: float) -> None:
        """Let the module's own time go on, whether or not anybody is connected to it."""
        self._now_s = now_s
        limit_s = self._tenths / 10.0
        if not self._coils[WATCHDOG_ON] or limit_s == 0.0 or self._tripped:
            return
        if now_s - self._fed_s > limit_s:
            self._tripped = True
            self._count = min(self._count + 1, 0xFFFF)
            self._take_outputs(SAFE)

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Answer as a Modbus unit; "host OK" is heard as well and never answered."""
        self.watch_host(now_s)
        if HOST_OK in data and self.settings.fed_by == "host_ok":
            self._fed_s = now_s
        return super().receive(data, now_s, sent_s=sent_s, byte_s=byte_s)

    def on_request(self, pdu: bytes, now_s: float) -> None:
        """A request feeds the watchdog if it is of the kind that does."""
        first = int.from_bytes(pdu[1:3], "big") + 1
        writes = pdu[0] in OUTPUT_WRITES and OUTPUT <= first <= self.settings.outputs
        if self.settings.fed_by == "request" or (self.settings.fed_by == "output" and writes):
            self._fed_s = now_s

    def coil(self, number: int) -> bool:
        """An output, a setting or a status; reading the reset status clears it."""
        if number == TRIPPED:
            return self._tripped
        if number == FIRST_READ:
            first, self._first_read = self._first_read, False
            return first
        if CONTACT <= number < CONTACT + len(self._seen):
            return self.discrete(number)
        if number not in self._coils:
            raise ModbusError(Code.ILLEGAL_ADDRESS)
        return self._coils[number]

    def discrete(self, number: int) -> bool:
        """A contact: true while it is closed, or open where the polarity is inverted."""
        if not CONTACT <= number < CONTACT + len(self._seen):
            raise ModbusError(Code.ILLEGAL_ADDRESS)
        return self._seen[number - CONTACT] != self._coils[INPUT_POLARITY]

    def holding(self, number: int) -> int:
        """Identity, and the watchdog's time-out in 0.1 s and how often it has tripped."""
        identity = (self.settings.firmware, self.settings.module_name)
        if number in IDENTITY:
            which, upper = divmod(number - IDENTITY.start, 2)
            return identity[which] >> 16 * upper & 0xFFFF
        if number not in (WATCHDOG_TENTHS, WATCHDOG_COUNT):
            raise ModbusError(Code.ILLEGAL_ADDRESS)
        return self._tenths if number == WATCHDOG_TENTHS else self._count

    def check_coil(self, number: int, value: bool) -> None:
        """Outputs, their safe and power-on values, settings and the time-out status are written."""
        if number not in self._coils and number != TRIPPED:
            raise ModbusError(Code.ILLEGAL_ADDRESS)

    def write_coil(self, number: int, value: bool) -> None:
        """Outputs stay at their safe values until the time-out status is cleared by a 1."""
        if number == TRIPPED:
            self._tripped = self._tripped and not value
        elif OUTPUT <= number < OUTPUT + self.settings.outputs:
            self._tripped = self._tripped and not self._coils[CLEAR_BY_OUTPUT]
            self._coils[number] = self._coils[number] if self._tripped else value
        else:
            self._coils[number] = value
        if number == WATCHDOG_ON or (number == TRIPPED and value):
            self._fed_s = self._now_s

    def check_holding(self, number: int, value: int) -> None:
        """The time-out takes 0 to 255 tenths of a second; the count can be set to 0."""
        allowed = {WATCHDOG_TENTHS: 255, WATCHDOG_COUNT: 0}
        if number not in allowed:
            raise ModbusError(Code.ILLEGAL_ADDRESS)
        if value > allowed[number]:
            raise ModbusError(Code.ILLEGAL_VALUE)

    def write_holding(self, number: int, value: int) -> None:
        """Write the time-out, or zero the count."""
        if number == WATCHDOG_TENTHS:
            self._tenths = value
        else:
            self._count = value

    def describe(self) -> Mapping[str, object]:
        """Contacts, relays and the watchdog."""
        return {
            "contacts": list(self._seen),
            "closed": [self.closed(number + 1) for number in range(self.settings.outputs)],
            "watchdog_s": self._tenths / 10.0 if self._coils[WATCHDOG_ON] else None,
            "tripped": self._tripped,
            "trips": self._count,
        }

    def _take_outputs(self, first: int) -> None:
        for number in range(self.settings.outputs):
            self._coils[OUTPUT + number] = self._coils[first + number]
