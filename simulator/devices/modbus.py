"""The answering side of Modbus: function codes over a map of coils and registers."""

from enum import IntEnum
from typing import Protocol

ON = 0xFF00
OFF = 0x0000
MOST_BITS = 2000
MOST_REGISTERS = 125
COUNTED = frozenset({15, 16})


class Code(IntEnum):
    """Exception codes of the Modbus application protocol."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4


class ModbusError(Exception):
    """A request that is answered with an exception code."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.name)
        self.code = code


class ModbusMap(Protocol):
    """Coils and registers by their number in the manual without its leading digit (1-based).

    Each raises `ModbusError` for a number it does not have. A write is checked for the whole
    request first: `check_*` raises, `write_*` then cannot fail.
    """

    def coil(self, number: int) -> bool:
        """Coil, FC 01."""
        ...

    def discrete(self, number: int) -> bool:
        """Discrete input, FC 02."""
        ...

    def holding(self, number: int) -> int:
        """Holding register as an unsigned word, FC 03."""
        ...

    def input_register(self, number: int) -> int:
        """Input register as an unsigned word, FC 04."""
        ...

    def check_coil(self, number: int, value: bool) -> None:
        """Raise unless this coil takes this value."""
        ...

    def write_coil(self, number: int, value: bool) -> None:
        """Write a checked coil, FC 05 and 15."""
        ...

    def check_holding(self, number: int, value: int) -> None:
        """Raise unless this register takes this word."""
        ...

    def write_holding(self, number: int, value: int) -> None:
        """Write a checked register, FC 06 and 16."""
        ...


def answer(pdu: bytes, device: ModbusMap) -> bytes:
    """The answer to a request, both without address and CRC; an exception reply if refused."""
    handler = _HANDLERS.get(pdu[0])
    try:
        if handler is None:
            raise ModbusError(Code.ILLEGAL_FUNCTION)
        if len(pdu) < 5 or (pdu[0] in COUNTED and (len(pdu) < 6 or len(pdu) != 6 + pdu[5])):
            raise ModbusError(Code.ILLEGAL_VALUE)
        return handler(pdu, device)
    except ModbusError as error:
        return bytes((pdu[0] | 0x80, error.code))


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _span(pdu: bytes, most: int) -> range:
    first, count = _word(pdu, 1) + 1, _word(pdu, 3)
    if not 1 <= count <= most:
        raise ModbusError(Code.ILLEGAL_VALUE)
    return range(first, first + count)


def _read_bits(pdu: bytes, device: ModbusMap) -> bytes:
    read = device.coil if pdu[0] == 1 else device.discrete
    bits = [read(number) for number in _span(pdu, MOST_BITS)]
    packed = bytearray((len(bits) + 7) // 8)
    for index, bit in enumerate(bits):
        packed[index // 8] |= bit << (index % 8)
    return bytes((pdu[0], len(packed))) + packed


def _read_registers(pdu: bytes, device: ModbusMap) -> bytes:
    read = device.holding if pdu[0] == 3 else device.input_register
    values = [read(number) for number in _span(pdu, MOST_REGISTERS)]
    return bytes((pdu[0], 2 * len(values))) + b"".join(v.to_bytes(2, "big") for v in values)


def _write_coil(pdu: bytes, device: ModbusMap) -> bytes:
    number, value = _word(pdu, 1) + 1, _word(pdu, 3)
    if value not in (ON, OFF):
        raise ModbusError(Code.ILLEGAL_VALUE)
    device.check_coil(number, value == ON)
    device.write_coil(number, value == ON)
    return pdu


def _write_register(pdu: bytes, device: ModbusMap) -> bytes:
    number, value = _word(pdu, 1) + 1, _word(pdu, 3)
    device.check_holding(number, value)
    device.write_holding(number, value)
    return pdu


def _write_coils(pdu: bytes, device: ModbusMap) -> bytes:
    span = _span(pdu, MOST_BITS)
    if pdu[5] != (len(span) + 7) // 8:
        raise ModbusError(Code.ILLEGAL_VALUE)
    values = {n: bool(pdu[6 + i // 8] >> (i % 8) & 1) for i, n in enumerate(span)}
    for number, value in values.items():
        device.check_coil(number, value)
    for number, value in values.items():
        device.write_coil(number, value)
    return pdu[:5]


def _write_registers(pdu: bytes, device: ModbusMap) -> bytes:
    span = _span(pdu, MOST_REGISTERS)
    if pdu[5] != 2 * len(span):
        raise ModbusError(Code.ILLEGAL_VALUE)
    values = {n: _word(pdu, 6 + 2 * i) for i, n in enumerate(span)}
    for number, value in values.items():
        device.check_holding(number, value)
    for number, value in values.items():
        device.write_holding(number, value)
    return pdu[:5]


_HANDLERS = {
    1: _read_bits,
    2: _read_bits,
    3: _read_registers,
    4: _read_registers,
    5: _write_coil,
    6: _write_register,
    15: _write_coils,
    16: _write_registers,
}
