"""Thermo NESLAB bath with Digital Plus controller, NC serial protocol (RTE manual p. 46-50, EX p.
49-53): binary frames, each answered by the same command, or by 0F for one that is rejected."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.devices.instrument import Fault, Instrument, Send, SerialLine
from simulator.devices.probe import OPEN, SHORT, Probe, Source

BATH_SENSOR, EXTERNAL_SENSOR = 1, 2
FRAME_BYTES, MOST_DATA = 6, 8
UNKNOWN, DAMAGED = 0x01, 0x03
KEEP = 2
ON, SENSOR_2, FAULTS_ON, MUTE, RESTART, FINE, FULL_COOL, SERIAL = range(8)
LOW_LEVEL, HIGH_FAULT, LOW_FAULT = (3, 3), (3, 5), (3, 4)
RTD1_OPEN, RTD1_SHORT, RTD2_OPEN, RTD2_SHORT = (1, 7), (1, 6), (2, 3), (2, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class BathSettings:
    """How the bath is set up. Not in the manuals, hence settings: think time, the pause that ends
    a broken frame, whether the on/off array is echoed or told as it is, values of broken sensors.

    Temperatures in °C. `address` None is RS-232 (lead CA, address 1); `fine` counts in 0.01 °C.
    """

    address: int | None = None
    version: tuple[int, int] = (1, 2)
    fine: bool = False
    echoes_array: bool = True
    think_s: float = 0.010
    gap_s: float = 0.1
    lowest_c: float = -25.0
    highest_c: float = 150.0
    low_limit_c: float = 5.0
    high_limit_c: float = 60.0
    first_c: float = 20.0
    auto_restart: bool = False
    open_shows_c: float = -99.9
    short_shows_c: float = 299.9


class CirculatingBath(Instrument):
    """The bath's controller; the plant heats while `heating` towards `set_c`."""

    title = "Thermo NESLAB bath"
    serial = SerialLine(baud=19200)
    has_checksum = True
    has_address = True
    fault_names = frozenset(
        {"refuses", "stuck", "alarm", "local_mode", "keypad_stop", "open", "short"}
        | {"offset", "drift"}
    )
    inputs = (BATH_SENSOR, EXTERNAL_SENSOR)

    def __init__(
        self,
        bath_c: Source,
        settings: BathSettings | None = None,
        *,
        external_c: Source | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings or BathSettings()
        own = self.settings.address
        self._head = bytes((0xCA if own is None else 0xCC, 0, own or 1))
        self._bath = Probe(bath_c, faults=self.faults, number=BATH_SENSOR)
        self._external = Probe(external_c, faults=self.faults, number=EXTERNAL_SENSOR)
        self.set_c = self.settings.first_c
        self.limits_c = {0x40: self.settings.low_limit_c, 0x60: self.settings.high_limit_c}
        self.array = [0, int(external_c is not None), 1, 0, 0, int(self.settings.fine), 0, 1]
        self.array[RESTART] = int(self.settings.auto_restart)
        self.power_up()
        self.sample(0.0)

    def power_up(self) -> None:
        """Set-point, limits and array are kept; the unit is off unless it restarts by itself."""
        self.array[ON] &= self.array[RESTART]
        self.tripped: set[tuple[int, int]] = set()
        self._bytes, self._heard_s = b"", float("-inf")
        self._busy_until_s = float("-inf")

    @property
    def running(self) -> bool:
        """True while the unit is on."""
        return bool(self.array[ON])

    @property
    def heating(self) -> bool:
        """True while the unit is on; a fault has switched it off."""
        return self.running and not self.tripped

    def start(self, set_c: float) -> None:
        """Set the room up with the bath already running towards this temperature."""
        self.set_c, self.array[ON] = set_c, 1

    def sample(self, dt_s: float) -> None:
        """Measure, and switch off on a broken sensor or beyond the limits."""
        if self.faults.has("stuck"):
            return
        self.bath_c, self.external_c = self._bath.read(dt_s), self._external.read(dt_s)
        if self.bath_c == OPEN:
            self._trip(RTD1_OPEN)
        elif self.bath_c == SHORT:
            self._trip(RTD1_SHORT)
        elif self.bath_c > self.limits_c[0x60]:
            self._trip(HIGH_FAULT)
        elif self.bath_c < self.limits_c[0x40]:
            self._trip(LOW_FAULT)

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Answer each frame; one that its host wrote before the last answer was out is lost."""
        if now_s - len(data) * byte_s - self._heard_s > self.settings.gap_s:
            self._bytes = b""
        self._bytes, self._heard_s = self._bytes + data, now_s
        sends = []
        while frame := self._next():
            asked_s = now_s if sent_s is None else sent_s
            if self.faults.has("local_mode") or asked_s < self._busy_until_s:
                continue
            send = Send(self._seal(self._answer(frame)), self.settings.think_s)
            self._busy_until_s = now_s + send.delay_s + len(send.data) * byte_s
            sends.append(send)
        return sends

    def on_fault(self, fault: Fault) -> None:
        """An alarm (its value 33 is byte d3, bit 3) switches off; so does a hand at the keypad."""
        if fault.name == "alarm":
            byte, bit = divmod(int(fault.value or 0), 10)
            self._trip((byte, bit) if byte else LOW_LEVEL)
        elif fault.name == "keypad_stop":
            self.array[ON] = 0

    def on_clear(self, name: str | None) -> None:
        """The fault is acknowledged at the keypad; the unit stays off."""
        if name in (None, "alarm", "open", "short"):
            self.tripped.clear()

    def with_wrong_checksum(self, reply: bytes) -> bytes:
        """The reply with its check sum inverted."""
        return reply[:-1] + bytes((reply[-1] ^ 0xFF,))

    def with_other_unit(self, reply: bytes) -> bytes:
        """The reply as the bath of the next address sends it."""
        body = bytes((0, reply[2] % 100 + 1)) + reply[3:-1]
        return reply[:1] + body + bytes((0xFF - sum(body) % 256,))

    def describe(self) -> Mapping[str, object]:
        """Run state, set-point and limits in °C, faults as byte and bit."""
        return {
            "running": self.running,
            "heating": self.heating,
            "set_c": self.set_c,
            "low_c": self.limits_c[0x40],
            "high_c": self.limits_c[0x60],
            "tripped": sorted(f"d{byte} b.{bit}" for byte, bit in self.tripped),
        }

    def _next(self) -> bytes:
        """The next frame for this bath, whatever its check sum; empty while there is none."""
        while self._bytes:
            whole = self._bytes
            if whole[:3] != self._head[: len(whole)] or (len(whole) > 4 and whole[4] > MOST_DATA):
                self._bytes = whole[1:]
                continue
            length = FRAME_BYTES + whole[4] if len(whole) > 4 else FRAME_BYTES
            if len(whole) < length:
                return b""
            self._bytes = whole[length:]
            return whole[:length]
        return b""

    def _answer(self, frame: bytes) -> bytes:
        """Command, length and data of the answer."""
        command, data = frame[3], frame[5:-1]
        if (sum(frame[1:-1]) + frame[-1]) % 256 != 0xFF:
            return bytes((0x0F, 2, DAMAGED, command))
        answer = None if self.faults.has("refuses") and data else self._obey(command, data)
        if answer is None:
            return bytes((0x0F, 2, UNKNOWN, command))
        return bytes((command, len(answer))) + answer

    def _obey(self, command: int, data: bytes) -> bytes | None:
        """The data of the answer; None for what the bath does not know."""
        match command, len(data):
            case 0x00, 0:
                return bytes(self.settings.version)
            case 0x09, 0:
                return self._status()
            case 0x20, 0:
                return self._value(self.bath_c)
            case 0x21, 0:
                return self._value(self.external_c)
            case 0x70, 0:
                return self._value(self.set_c)
            case ((0x40 | 0x60), 0):
                return self._value(self.limits_c[command])
            case 0xF0, 2:
                self.set_c = self._limited(self._number(data))
                return self._value(self.set_c)
            case ((0xC0 | 0xE0), 2):
                self.limits_c[command - 0x80] = self._limited(self._number(data))
                return self._value(self.limits_c[command - 0x80])
            case 0x81, 8:
                return self._switch(data)
        return None

    def _switch(self, data: bytes) -> bytes:
        for place, wanted in enumerate(data):
            if wanted != KEEP and not (place == ON and wanted and self.tripped):
                self.array[place] = int(wanted == 1)
        return data if self.settings.echoes_array else bytes(self.array)

    def _status(self) -> bytes:
        bits = set(self.tripped)
        if self.array[SENSOR_2]:
            bits |= {RTD2_OPEN} if self.external_c == OPEN else set()
            bits |= {RTD2_SHORT} if self.external_c == SHORT else set()
        bits |= {(4, 7), (4, 5)} if self.tripped else set()
        bits |= {(4, 3), (4, 2)} if self.running else set()
        bits |= {(4, 0), (5, 5)} if self.heating and self.bath_c < self.set_c else set()
        return bytes(sum(1 << bit for at, bit in bits if at == byte) for byte in range(1, 6))

    def _value(self, value_c: float) -> bytes:
        if value_c in (OPEN, SHORT):
            device = self.settings
            value_c = device.open_shows_c if value_c == OPEN else device.short_shows_c
        qualifier, per_degree = (0x21, 100) if self.array[FINE] else (0x11, 10)
        counted = max(-0x8000, min(round(value_c * per_degree), 0x7FFF))
        return bytes((qualifier,)) + counted.to_bytes(2, "big", signed=True)

    def _number(self, data: bytes) -> float:
        return int.from_bytes(data, "big", signed=True) / (100 if self.array[FINE] else 10)

    def _limited(self, value_c: float) -> float:
        return max(self.settings.lowest_c, min(value_c, self.settings.highest_c))

    def _trip(self, fault: tuple[int, int]) -> None:
        self.tripped.add(fault)
        if self.array[FAULTS_ON]:
            self.array[ON] = 0

    def _seal(self, answer: bytes) -> bytes:
        body = self._head[1:] + answer
        return self._head[:1] + body + bytes((0xFF - sum(body) % 256,))
