"""KELLER series 33X pressure transmitters on one RS-485 line (Communication protocol v3.5/3.7).

Both of its protocols are live at once and use the same polynomial: the KELLER bus puts the high
byte of the CRC first, Modbus the low byte, and that order alone tells them apart.
"""

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest
from operator import and_

from simulator.devices.instrument import Fault, Instrument, Send, SerialLine
from simulator.devices.keller_transmitter import TEMPERATURES, Transmitter, TransmitterSettings
from simulator.devices.modbus import Code
from simulator.devices.probe import Probe, Source
from simulator.devices.rtu_frame import (
    FrameBuffer,
    crc16,
    high_low,
    low_high,
    modbus_length,
    silence_s,
)

PASCAL_PER_BAR = 1e5
EVERYBODY = 250

NO_FUNCTION, BAD_PARAMETER, BAD_LENGTH, NOT_INITIALISED = 1, 2, 3, 32
KELLER_LENGTHS = {30: 5, 48: 4, 66: 5, 69: 4, 73: 5, 74: 5, 95: 5}
ZERO_P1, RESET_P1 = 0, 1
SET_ZERO_P1_REGISTER, RESET_ZERO_P1_REGISTER = 0xFF00, 0xFF02
FLOATS, INTEGERS, PACKED = range(0x00, 0x0C), range(0x10, 0x1C), range(0x100, 0x104)
P1 = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PressureLineSettings:
    """The line: a K-10x converter on it echoes, the transmitters need `think_s` to answer."""

    echo: bool = False
    think_s: float = 0.002


class PressureLine(Instrument):
    """The transmitters of one line, each with its own source in mmHg."""

    title = "KELLER 33X pressure transmitters"
    serial = SerialLine(baud=9600)
    has_checksum = True
    has_address = True
    fault_names = frozenset({"refuses", "stuck", "open", "short", "offset", "drift", "reset"})

    def __init__(
        self,
        transmitters: Sequence[tuple[Source, TransmitterSettings]],
        settings: PressureLineSettings | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings or PressureLineSettings()
        self.units = [
            Transmitter(Probe(source, faults=self.faults, number=each.address), each)
            for source, each in transmitters
        ]
        self.inputs = tuple(unit.settings.address for unit in self.units)
        quiet_s = silence_s(self.serial.baud, self.serial.byte_s)
        self._frames = FrameBuffer(silence_s=quiet_s, is_whole=_is_whole, length_of=_length_of)
        self._delay_s = max(quiet_s, self.settings.think_s)

    def power_up(self) -> None:
        """All transmitters lose their initialisation."""
        for unit in self.units:
            unit.power_up()

    def on_fault(self, fault: Fault) -> None:
        """A reset hits one address or all: it must be initialised again."""
        if fault.name == "reset":
            for unit in self.units:
                if fault.input in (None, unit.settings.address):
                    unit.power_up()

    def sample(self, dt_s: float) -> None:
        """Measure at every address."""
        for unit in self.units:
            unit.sample(dt_s)

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Answer as the addressed transmitter; two that answer address 250 at once collide."""
        sends = [Send(data)] if self.settings.echo else []
        for frame in self._frames.feed(data, now_s, byte_s):
            replies = [reply for unit in self.units if (reply := self._ask(unit, frame))]
            if replies:
                sends.append(Send(_collide(replies), self._delay_s))
        return sends

    def with_wrong_checksum(self, reply: bytes) -> bytes:
        """The reply with its CRC inverted."""
        return reply[:-2] + bytes(byte ^ 0xFF for byte in reply[-2:])

    def with_other_unit(self, reply: bytes) -> bytes:
        """The same reply from the next address, its CRC in the order that it had."""
        seal = high_low if _is_keller(reply) else low_high
        return seal(bytes((reply[0] % 249 + 1,)) + reply[1:-2])

    def describe(self) -> Mapping[str, object]:
        """What each address shows in bar, None where it has failed."""
        return {
            str(unit.settings.address): {
                "p1_bar": _finite(unit.channel(P1)),
                "initialised": unit.initialised,
                "stat": unit.stat(),
            }
            for unit in self.units
        }

    def _ask(self, unit: Transmitter, frame: bytes) -> bytes:
        """One transmitter's reply; nothing when the frame is for another address."""
        own = unit.settings.address
        if frame[0] not in (own, EVERYBODY):
            return b""
        name = frame[0] if unit.settings.answers_as_250 else own
        refuses = self.faults.has("refuses", own)
        if _is_keller(frame):
            body = bytes((frame[1] | 0x80, BAD_PARAMETER)) if refuses else _keller(unit, frame)
            return high_low(bytes((name,)) + body)
        body = bytes((frame[1] | 0x80, Code.DEVICE_FAILURE)) if refuses else _modbus(unit, frame)
        return low_high(bytes((name,)) + body)


def _keller(unit: Transmitter, frame: bytes) -> bytes:
    """A KELLER bus reply without address and CRC."""
    function, data = frame[1], frame[2:-2]
    handler = _KELLER.get(function)
    if handler is None:
        return bytes((function | 0x80, NO_FUNCTION))
    if len(frame) != KELLER_LENGTHS[function] and not (function == 95 and len(frame) == 9):
        return bytes((function | 0x80, BAD_LENGTH))
    if function != 48 and not unit.initialised:
        return bytes((function | 0x80, NOT_INITIALISED))
    answer = handler(unit, data)
    return bytes((function | 0x80, BAD_PARAMETER)) if answer is None else frame[1:2] + answer


def _initialise(unit: Transmitter, data: bytes) -> bytes:
    first, unit.initialised = not unit.initialised, True
    return bytes((*unit.settings.identity, 0 if first else 1))


def _coefficient(unit: Transmitter, data: bytes) -> bytes | None:
    known = {64: unit.zero_bar, 80: unit.settings.range_bar[0], 81: unit.settings.range_bar[1]}
    return struct.pack(">f", known[data[0]]) if data[0] in known else None


def _float(unit: Transmitter, data: bytes) -> bytes | None:
    if data[0] not in unit.settings.channels:
        return None
    return struct.pack(">f", unit.channel(data[0])) + bytes((unit.stat(),))


def _integer(unit: Transmitter, data: bytes) -> bytes | None:
    if data[0] not in unit.settings.channels:
        return None
    return struct.pack(">i", _whole(unit, data[0])) + bytes((unit.stat(),))


def _zero(unit: Transmitter, data: bytes) -> bytes | None:
    if data[0] == ZERO_P1:
        unit.set_zero(struct.unpack(">f", data[1:5])[0] if len(data) == 5 else 0.0)
    elif data[0] == RESET_P1:
        unit.zero_bar = 0.0
    else:
        return None
    return b"\x00"


_KELLER: dict[int, Callable[[Transmitter, bytes], bytes | None]] = {
    30: _coefficient,
    48: _initialise,
    66: lambda unit, data: bytes((unit.settings.address,)),
    69: lambda unit, data: unit.settings.serial_number.to_bytes(4, "big"),
    73: _float,
    74: _integer,
    95: _zero,
}


def _modbus(unit: Transmitter, frame: bytes) -> bytes:
    """A Modbus reply without address and CRC; registers are numbered as in the manual, from 0."""
    function = frame[1]
    if function in (3, 4) and len(frame) == 8:
        first, count = struct.unpack(">HH", frame[2:6])
        words = [_register(unit, number) for number in range(first, first + count)]
        if not 1 <= count <= 125:
            return bytes((function | 0x80, Code.ILLEGAL_VALUE))
        if None in words:
            return bytes((function | 0x80, Code.ILLEGAL_ADDRESS))
        return bytes((function, 2 * count)) + b"".join(word for word in words if word)
    if function == 8 and len(frame) == 8:
        return frame[1:-2]
    if function == 16:
        return _modbus_write(unit, frame)
    return bytes((function | 0x80, Code.ILLEGAL_FUNCTION))


def _modbus_write(unit: Transmitter, frame: bytes) -> bytes:
    if len(frame) != 13 or frame[4:7] != b"\x00\x02\x04":
        return bytes((0x90, Code.ILLEGAL_VALUE))
    first = int.from_bytes(frame[2:4], "big")
    if first == SET_ZERO_P1_REGISTER:
        unit.set_zero(struct.unpack(">f", frame[7:11])[0])
    elif first == RESET_ZERO_P1_REGISTER:
        unit.zero_bar = 0.0
    else:
        return bytes((0x90, Code.ILLEGAL_ADDRESS))
    return frame[1:6]


def _register(unit: Transmitter, number: int) -> bytes | None:
    """One 16-bit register; None where the map has none."""
    for block, channel_of, form in (
        (FLOATS, lambda n: n // 2, _as_float),
        (INTEGERS, lambda n: (n - 0x10) // 2, _as_integer),
        (PACKED, lambda n: P1 if n < 0x102 else 4, _as_float),
    ):
        if number in block:
            whole = form(unit, channel_of(number))
            return whole[:2] if number % 2 == 0 else whole[2:]
    return None


def _as_float(unit: Transmitter, channel: int) -> bytes:
    return struct.pack(">f", unit.channel(channel))


def _as_integer(unit: Transmitter, channel: int) -> bytes:
    return struct.pack(">i", _whole(unit, channel))


def _whole(unit: Transmitter, channel: int) -> int:
    """A channel as int32: Pa or 0.01 °C; the largest number where there is none to show."""
    value = unit.channel(channel) * (100.0 if channel in TEMPERATURES else PASCAL_PER_BAR)
    if math.isfinite(value):
        return round(value)
    return -(2**31) if value < 0.0 else 2**31 - 1


def _is_keller(frame: bytes) -> bool:
    return len(frame) >= 4 and crc16(frame[:-2]) == int.from_bytes(frame[-2:], "big")


def _is_whole(frame: bytes) -> bool:
    crc = crc16(frame[:-2])
    return len(frame) >= 4 and frame[-2:] in (crc.to_bytes(2, "big"), crc.to_bytes(2, "little"))


def _length_of(data: bytes) -> int | None:
    """Length of the request that starts `data`; F95 comes with or without a value."""
    return KELLER_LENGTHS.get(data[1]) if len(data) > 1 and data[1] >= 30 else modbus_length(data)


def _collide(replies: Sequence[bytes]) -> bytes:
    """What the wire carries when several drive it at once: each starts a byte after the one
    before it, and a 0 bit wins."""
    late = [b"\xff" * index + reply for index, reply in enumerate(replies)]
    mixed = zip_longest(*late, fillvalue=0xFF)
    return bytes(reduce(and_, together) for together in mixed)


def _finite(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
