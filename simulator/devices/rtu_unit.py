"""One unit on an RS-485 line that speaks Modbus RTU: finds its frames, answers from its map."""

from simulator.devices.instrument import Instrument, Send, SerialLine
from simulator.devices.modbus import Code, ModbusError, answer
from simulator.devices.rtu_frame import FrameBuffer, crc16, low_high, modbus_length, silence_s

BROADCAST = 0


class RtuUnit(Instrument):
    """A `ModbusMap` that has nothing; an instrument overrides what it has."""

    serial = SerialLine(baud=9600)
    has_checksum = True
    has_address = True

    def __init__(self, address: int, *, reply_delay_s: float = 0.0) -> None:
        super().__init__()
        self.address = address
        quiet_s = silence_s(self.serial.baud, self.serial.byte_s)
        self._delay_s = quiet_s + reply_delay_s
        self._frames = FrameBuffer(silence_s=quiet_s, is_whole=_is_whole, length_of=modbus_length)

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Answer requests to this address; silence for a bad CRC and for other addresses."""
        sends = []
        for frame in self._frames.feed(data, now_s, byte_s):
            if frame[0] not in (BROADCAST, self.address):
                continue
            pdu = frame[1:-2]
            self.on_request(pdu, now_s)
            refusal = bytes((pdu[0] | 0x80, Code.DEVICE_FAILURE))
            reply = refusal if self.faults.has("refuses") else answer(pdu, self)
            if frame[0] != BROADCAST:
                sends.append(Send(low_high(frame[:1] + reply), self._delay_s))
        return sends

    def on_request(self, pdu: bytes, now_s: float) -> None:
        """A request has arrived and is answered next."""

    def with_wrong_checksum(self, reply: bytes) -> bytes:
        """The reply with its CRC inverted."""
        return reply[:-2] + bytes(byte ^ 0xFF for byte in reply[-2:])

    def with_other_unit(self, reply: bytes) -> bytes:
        """The reply as the next address of the line would send it."""
        return low_high(bytes((reply[0] % 247 + 1,)) + reply[1:-2])

    def coil(self, number: int) -> bool:
        """Coil, FC 01."""
        raise ModbusError(Code.ILLEGAL_ADDRESS)

    def discrete(self, number: int) -> bool:
        """Discrete input, FC 02."""
        raise ModbusError(Code.ILLEGAL_ADDRESS)

    def holding(self, number: int) -> int:
        """Holding register as an unsigned word, FC 03."""
        raise ModbusError(Code.ILLEGAL_ADDRESS)

    def input_register(self, number: int) -> int:
        """Input register as an unsigned word, FC 04."""
        raise ModbusError(Code.ILLEGAL_ADDRESS)

    def check_coil(self, number: int, value: bool) -> None:
        """Raise unless this coil takes this value."""
        raise ModbusError(Code.ILLEGAL_ADDRESS)

    def write_coil(self, number: int, value: bool) -> None:
        """Write a checked coil, FC 05 and 15."""

    def check_holding(self, number: int, value: int) -> None:
        """Raise unless this register takes this word."""
        raise ModbusError(Code.ILLEGAL_ADDRESS)

    def write_holding(self, number: int, value: int) -> None:
        """Write a checked register, FC 06 and 16."""


def _is_whole(frame: bytes) -> bool:
    return len(frame) >= 4 and crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little")
