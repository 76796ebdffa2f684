"""ICP DAS tM-TH8: eight thermistor inputs over Modbus RTU (tM-TH8 User Manual A1.1, section 3)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulator.devices.instrument import Instrument, Send, SerialLine
from simulator.devices.modbus import Code, ModbusError, answer
from simulator.devices.probe import OPEN, PROBE_FAULTS, SHORT, Probe, Source
from simulator.devices.rtu_frame import FrameBuffer, crc16, low_high, modbus_length, silence_s

INPUTS = 8
BROADCAST = 0

TYPE_CODE, RESISTANCE_OFFSET, TEMPERATURE_OFFSET = 257, 385, 449
ADDRESS, REPLY_DELAY_MS, WATCHDOG_TENTHS, WATCHDOG_COUNT = 485, 488, 489, 492
FLAGS = 129
PROTOCOL, MODBUS_ASCII, WATCHDOG_ON, CELSIUS, ENGINEERING = 257, 258, 261, 267, 269
WATCHDOG_TRIPPED, FACTORY_CALIBRATION, FIRST_READ = 270, 272, 273

SIGNED_BYTE = frozenset({*range(128), *range(0x10000 - 128, 0x10000)})
WRITABLE_REGISTERS: dict[int, frozenset[int]] = {
    **dict.fromkeys(range(TYPE_CODE, TYPE_CODE + INPUTS), frozenset(range(0x100))),
    **dict.fromkeys(range(RESISTANCE_OFFSET, RESISTANCE_OFFSET + INPUTS), frozenset(range(256))),
    **dict.fromkeys(range(TEMPERATURE_OFFSET, TEMPERATURE_OFFSET + INPUTS), SIGNED_BYTE),
    REPLY_DELAY_MS: frozenset(range(31)),
    WATCHDOG_TENTHS: frozenset(range(256)),
    WATCHDOG_COUNT: frozenset({0}),
}
EITHER = frozenset({False, True})
WRITABLE_COILS: dict[int, frozenset[bool]] = {
    PROTOCOL: frozenset({True}),
    MODBUS_ASCII: frozenset({False}),
    **dict.fromkeys((WATCHDOG_ON, CELSIUS, ENGINEERING, WATCHDOG_TRIPPED), EITHER),
    FACTORY_CALIBRATION: EITHER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermistorSettings:
    """How the module is set up. The manual text leaves open, so they are settings: the type code
    of the YSI B 2252 curve, the range codes of a broken lead, hex full scale, identity words."""

    address: int = 1
    scan_s: float = 1.0
    type_code: int = 0x65
    engineering: bool = True
    hex_full_scale_c: float = 100.0
    over_code: int = 32767
    under_code: int = -32768
    ohm_per_k: float = -44.0
    firmware: int = 0x0001_0100
    module_name: int = 0x0700_8008
    reply_delay_ms: int = 0


class ThermistorModule(Instrument):
    """Eight inputs, measured once per scan, quantised to 0.01 °C, answered over Modbus RTU."""

    title = "ICP DAS tM-TH8, 8 thermistors, Modbus RTU"
    serial = SerialLine(baud=9600)
    has_checksum = True
    has_address = True
    fault_names = PROBE_FAULTS | {"refuses"}
    inputs = tuple(range(1, INPUTS + 1))

    def __init__(
        self, sources: Sequence[Source | None], settings: ThermistorSettings | None = None
    ) -> None:
        super().__init__()
        self.settings = settings or ThermistorSettings()
        padded = [*sources, *[None] * (INPUTS - len(sources))]
        self._probes = [
            Probe(source, faults=self.faults, number=number)
            for number, source in enumerate(padded, start=1)
        ]
        self._registers = self._factory_registers()
        self._coils = {PROTOCOL: True, MODBUS_ASCII: False, WATCHDOG_ON: False, CELSIUS: True}
        self._coils[ENGINEERING] = self.settings.engineering
        self._silence_s = silence_s(self.serial.baud, self.serial.byte_s)
        self._frames = FrameBuffer(
            silence_s=self._silence_s, is_whole=_is_whole, length_of=modbus_length
        )
        self._heard_s: float | None = None
        self.power_up()
        self._scan(0.0)

    def power_up(self) -> None:
        """Settings stay; the reset status shows the power cycle on its next read."""
        self._coils[FIRST_READ] = True
        self._coils[WATCHDOG_TRIPPED] = False
        self._since_scan_s = 0.0

    def sample(self, dt_s: float) -> None:
        """Convert all inputs once the scan period has passed."""
        self._since_scan_s += dt_s
        if self._since_scan_s >= self.settings.scan_s - 1e-9:
            self._scan(self._since_scan_s)
            self._since_scan_s = 0.0

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Answer requests to this address; silence for a bad CRC and for other addresses."""
        sends = []
        for frame in self._frames.feed(data, now_s, byte_s):
            if frame[0] not in (BROADCAST, self.settings.address):
                continue
            self._watch_host(now_s)
            reply = self._answer(frame[1:-2])
            if frame[0] != BROADCAST:
                delay_s = self._silence_s + self._registers[REPLY_DELAY_MS] / 1000.0
                sends.append(Send(low_high(frame[:1] + reply), delay_s))
        return sends

    def with_wrong_checksum(self, reply: bytes) -> bytes:
        """The reply with its CRC inverted."""
        return reply[:-2] + bytes(byte ^ 0xFF for byte in reply[-2:])

    def with_other_unit(self, reply: bytes) -> bytes:
        """The reply as the next address of the line would send it."""
        return low_high(bytes((reply[0] + 1,)) + reply[1:-2])

    def describe(self) -> Mapping[str, object]:
        """What each input reads in °C, None for a broken lead."""
        return {"address": self.settings.address, "inputs_c": [_finite(c) for c in self._read_c]}

    def coil(self, number: int) -> bool:
        """A coil; reading the reset status clears it."""
        if FLAGS <= number < FLAGS + INPUTS:
            return self.discrete(number)
        if number not in self._coils:
            raise ModbusError(Code.ILLEGAL_ADDRESS)
        value = self._coils[number]
        if number == FIRST_READ:
            self._coils[FIRST_READ] = False
        return value

    def discrete(self, number: int) -> bool:
        """Over or under range of one input."""
        if not FLAGS <= number < FLAGS + INPUTS:
            raise ModbusError(Code.ILLEGAL_ADDRESS)
        return self._code(number - FLAGS + 1) in (self.settings.over_code, self.settings.under_code)

    def holding(self, number: int) -> int:
        """A value or a setting as an unsigned 16-bit word."""
        if 1 <= number <= INPUTS:
            return self._code(number) & 0xFFFF
        if number not in self._registers:
            raise ModbusError(Code.ILLEGAL_ADDRESS)
        return self._registers[number]

    def input_register(self, number: int) -> int:
        """A value as an unsigned 16-bit word."""
        if not 1 <= number <= INPUTS:
            raise ModbusError(Code.ILLEGAL_ADDRESS)
        return self._code(number) & 0xFFFF

    def check_coil(self, number: int, value: bool) -> None:
        """Raise for a coil that cannot be written or does not take this value."""
        _check(WRITABLE_COILS, number, value)

    def write_coil(self, number: int, value: bool) -> None:
        """Write a checked coil; 1 on the watchdog status clears it."""
        if number == WATCHDOG_TRIPPED:
            self._coils[number] = self._coils[number] and not value
        elif number == FACTORY_CALIBRATION:
            self._clear_offsets()
        else:
            self._coils[number] = value

    def check_holding(self, number: int, value: int) -> None:
        """Raise for a register that cannot be written or does not take this value."""
        _check(WRITABLE_REGISTERS, number, value)

    def write_holding(self, number: int, value: int) -> None:
        """Write a checked register."""
        self._registers[number] = value

    def _answer(self, pdu: bytes) -> bytes:
        if self.faults.has("refuses"):
            return bytes((pdu[0] | 0x80, Code.DEVICE_FAILURE))
        return answer(pdu, self)

    def _factory_registers(self) -> dict[int, int]:
        made = dict.fromkeys(WRITABLE_REGISTERS, 0)
        made.update(dict.fromkeys(range(TYPE_CODE, TYPE_CODE + INPUTS), self.settings.type_code))
        made[481], made[482] = self.settings.firmware & 0xFFFF, self.settings.firmware >> 16
        made[483], made[484] = self.settings.module_name & 0xFFFF, self.settings.module_name >> 16
        made[ADDRESS] = self.settings.address
        made[REPLY_DELAY_MS] = self.settings.reply_delay_ms
        return made

    def _clear_offsets(self) -> None:
        for first in (RESISTANCE_OFFSET, TEMPERATURE_OFFSET):
            self._registers.update(dict.fromkeys(range(first, first + INPUTS), 0))

    def _scan(self, dt_s: float) -> None:
        self._read_c = [probe.read(dt_s) for probe in self._probes]

    def _code(self, number: int) -> int:
        """One input as the module reports it, as a signed 16-bit number."""
        value_c = self._read_c[number - 1]
        if value_c in (OPEN, SHORT):
            return self.settings.over_code if value_c == OPEN else self.settings.under_code
        ohm = 0.1 * self._registers[RESISTANCE_OFFSET + number - 1]
        tenths = _signed(self._registers[TEMPERATURE_OFFSET + number - 1])
        value_c += ohm / self.settings.ohm_per_k + 0.1 * tenths
        scale = 100.0 if self._coils[ENGINEERING] else 32767.0 / self.settings.hex_full_scale_c
        shown = value_c if self._coils[CELSIUS] else value_c * 1.8 + 32.0
        code = round(shown * scale)
        return max(self.settings.under_code, min(self.settings.over_code, code))

    def _watch_host(self, now_s: float) -> None:
        limit_s = self._registers[WATCHDOG_TENTHS] / 10.0
        heard_s, self._heard_s = self._heard_s, now_s
        if not self._coils[WATCHDOG_ON] or limit_s == 0.0 or heard_s is None:
            return
        if now_s - heard_s > limit_s:
            self._coils[WATCHDOG_TRIPPED] = True
            self._registers[WATCHDOG_COUNT] += 1


def _check(
    allowed: Mapping[int, frozenset[int]] | Mapping[int, frozenset[bool]], number: int, value: int
) -> None:
    if number not in allowed:
        raise ModbusError(Code.ILLEGAL_ADDRESS)
    if value not in allowed[number]:
        raise ModbusError(Code.ILLEGAL_VALUE)


def _is_whole(frame: bytes) -> bool:
    return len(frame) >= 4 and crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little")


def _signed(word: int) -> int:
    return word - 0x10000 if word & 0x8000 else word


def _finite(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None
