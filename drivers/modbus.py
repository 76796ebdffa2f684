"""Modbus RTU as the master: request, frame, content, and the conversation with one unit (sans-I/O).

Modbus application protocol V1.1b3 and Modbus over serial line V1.02. Addresses here are those on
the wire, one less than in manuals that count from 1. Writes use functions 15 and 16 for a single
coil or register too: functions 5 and 6 are answered by an exact copy of the request, which an
echoing converter sends as well, so that a confirmation would prove nothing.
"""

from collections.abc import Sequence

from drivers.classes import Serial
from drivers.crc import crc16
from drivers.dialogue import Ask, BadReply, Dialogue, Framer, NoReply, Refused
from drivers.frames import arrived
from service.core.model import Instant

COILS, FLAGS, HOLDING, INPUTS = 1, 2, 3, 4
WRITE_COILS, WRITE_HOLDING = 15, 16
EXCEPTIONS = {
    1: "it does not know the function",
    2: "it does not have the address",
    3: "it does not take the number of registers",
    4: "it failed",
    6: "it is busy",
}
SILENCE_CHARS, SHORTEST_SILENCE_S = 3.5, 0.00175


def silence_s(serial: Serial) -> float:
    """The pause between frames: 3.5 characters, 1.75 ms at least (over serial line, 2.5.1.1)."""
    return max(SILENCE_CHARS * serial.bits_per_char / serial.baud, SHORTEST_SILENCE_S)


def read_request(unit: int, function: int, first: int, count: int) -> bytes:
    """Ask `unit` for `count` bits (functions 1, 2) or words (3, 4) from address `first` on."""
    return _sealed(_head(unit, function, first, count))


def read_reply(unit: int, function: int, count: int) -> Framer:
    """Frame the reply to `read_request`, or the exception that stands for it."""
    size = (count + 7) // 8 if function in (COILS, FLAGS) else 2 * count
    return _framer(bytes([unit, function, size]), 5 + size)


def write_bits_request(unit: int, first: int, values: Sequence[bool]) -> bytes:
    """Tell `unit` to set coils from address `first` on (function 15)."""
    packed = bytearray((len(values) + 7) // 8)
    for at, value in enumerate(values):
        packed[at // 8] |= value << at % 8
    head = _head(unit, WRITE_COILS, first, len(values))
    return _sealed(head + bytes([len(packed)]) + packed)


def write_words_request(unit: int, first: int, values: Sequence[int]) -> bytes:
    """Tell `unit` to set holding registers from address `first` on (function 16)."""
    packed = b"".join(value.to_bytes(2, "big") for value in values)
    return _sealed(_head(unit, WRITE_HOLDING, first, len(values)) + bytes([len(packed)]) + packed)


def write_reply(request: bytes) -> Framer:
    """Frame the reply to a write, which repeats its address and count, or the exception."""
    return _framer(request[:6], 8)


def content(reply: bytes) -> bytes:
    """The data bytes of a framed reply; raises `Refused` where it is an exception."""
    if reply[1] & 0x80:
        why = EXCEPTIONS.get(reply[2], "it does not say why")
        raise Refused(
            f"module {reply[0]} refuses function {reply[1] & 0x7F}: {why} (code {reply[2]})"
        )
    return reply[3:-2]


def words(data: bytes) -> tuple[int, ...]:
    """The 16-bit words of a content, unsigned."""
    return tuple(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))


def bits(data: bytes, count: int) -> tuple[bool, ...]:
    """The first `count` bits of a content, the first is the lowest of the first byte."""
    return tuple(bool(data[at // 8] >> at % 8 & 1) for at in range(count))


class Unit:
    """The conversation with the unit at `address`, which needs up to `answer_s` to answer."""

    def __init__(self, address: int, serial: Serial, answer_s: float) -> None:
        self.address = address
        self._answer_s = answer_s
        self._silence_s = silence_s(serial)

    def read(self, function: int, first: int, count: int) -> Dialogue[tuple[bytes, Instant]]:
        """The content of a reading and when it was whole."""
        request = read_request(self.address, function, first, count)
        reply = yield self._ask(request, read_reply(self.address, function, count))
        return content(reply.data), reply.at

    def read_bits(self, function: int, first: int, count: int) -> Dialogue[tuple[bool, ...]]:
        """Coils or flags from address `first` on."""
        data, _ = yield from self.read(function, first, count)
        return bits(data, count)

    def told(self, function: int, first: int, count: int) -> Dialogue[bytes | None]:
        """What an optional question brings; None where the unit refuses it or is silent."""
        try:
            data, _ = yield from self.read(function, first, count)
        except (NoReply, Refused):
            return None
        return data

    def write_bits(self, first: int, values: Sequence[bool]) -> Dialogue[None]:
        """Set coils; raises `Refused` where the unit does not take them."""
        yield from self._write(write_bits_request(self.address, first, values))

    def write_words(self, first: int, values: Sequence[int]) -> Dialogue[None]:
        """Set holding registers; raises `Refused` where the unit does not take them."""
        yield from self._write(write_words_request(self.address, first, values))

    def _write(self, request: bytes) -> Dialogue[None]:
        reply = yield self._ask(request, write_reply(request))
        content(reply.data)

    def _ask(self, request: bytes, reply: Framer) -> Ask:
        return Ask(tx=request, reply=reply, timeout_s=self._answer_s, quiet_s=self._silence_s)


def _head(unit: int, function: int, first: int, count: int) -> bytes:
    return bytes([unit, function]) + first.to_bytes(2, "big") + count.to_bytes(2, "big")


def _sealed(body: bytes) -> bytes:
    return body + crc16(body).to_bytes(2, "little")


def _framer(head: bytes, length: int) -> Framer:
    """Frame a reply of `length` bytes that starts with `head`, or an exception of five."""
    refusal = bytes([head[0], head[1] | 0x80])

    def frame(data: bytes) -> int | None:
        if data[:1] and data[0] != head[0]:
            raise BadReply(f"{arrived(data)} arrived, which is not from module {head[0]}")
        if len(data) < 3:
            return None
        refused = data[:2] == refusal
        if not refused and data[: len(head)] != head[: len(data)]:
            raise BadReply(f"{arrived(data)} arrived, which answers another question")
        whole = 5 if refused else length
        if len(data) < whole:
            return None
        if crc16(data[: whole - 2]) != int.from_bytes(data[whole - 2 : whole], "little"):
            raise BadReply(f"{arrived(data[:whole])} arrived with a wrong check sum")
        return whole

    return frame
