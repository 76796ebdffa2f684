"""Modbus RTU as the master of read-only functions: request, frame, content (sans-I/O).

Modbus application protocol V1.1b3 and Modbus over serial line V1.02. Addresses here are those on
the wire, one less than in manuals that count from 1.
"""

from drivers.crc import crc16
from drivers.dialogue import BadReply, Framer, Refused
from drivers.frames import arrived

COILS, FLAGS, HOLDING, INPUTS = 1, 2, 3, 4
EXCEPTIONS = {
    1: "it does not know the function",
    2: "it does not have the address",
    3: "it does not take the number of registers",
    4: "it failed",
    6: "it is busy",
}


def read_request(unit: int, function: int, first: int, count: int) -> bytes:
    """Ask `unit` for `count` bits (functions 1, 2) or words (3, 4) from address `first` on."""
    body = bytes([unit, function]) + first.to_bytes(2, "big") + count.to_bytes(2, "big")
    return body + crc16(body).to_bytes(2, "little")


def read_reply(unit: int, function: int, count: int) -> Framer:
    """Frame the reply to `read_request`, or the exception that stands for it."""
    size = (count + 7) // 8 if function in (COILS, FLAGS) else 2 * count

    def frame(data: bytes) -> int | None:
        if data[:1] and data[0] != unit:
            raise BadReply(f"{arrived(data)} arrived, which is not from module {unit}")
        if len(data) < 3:
            return None
        heads = {function | 0x80: 5, function: 5 + size}
        length = heads.get(data[1])
        if length is None or (data[1] == function and data[2] != size):
            raise BadReply(f"{arrived(data)} arrived, which answers another question")
        if len(data) < length:
            return None
        if crc16(data[: length - 2]) != int.from_bytes(data[length - 2 : length], "little"):
            raise BadReply(f"{arrived(data[:length])} arrived with a wrong check sum")
        return length

    return frame


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
