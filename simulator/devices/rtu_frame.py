"""Binary frames with a 16-bit CRC: the checksum, and finding frames by length and by silence."""

from collections.abc import Callable

LENGTH_BY_FUNCTION = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 8: 8}
COUNTED_WRITES = frozenset({15, 16})
SILENCE_CHARS = 3.5
FAST_SILENCE_S = 0.00175
FAST_BAUD = 19200
LONGEST = 260


def crc16(data: bytes) -> int:
    """CRC-16/Modbus: polynomial 0xA001 reflected, start 0xFFFF (Modbus over serial line V1.02)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def low_high(body: bytes) -> bytes:
    """The body with its CRC, low byte first, as Modbus wants it."""
    return body + crc16(body).to_bytes(2, "little")


def high_low(body: bytes) -> bytes:
    """The body with its CRC, high byte first, as the KELLER bus wants it."""
    return body + crc16(body).to_bytes(2, "big")


def silence_s(baud: int, byte_s: float) -> float:
    """Silence that ends a frame: 3.5 characters, 1.75 ms fixed above 19200 baud."""
    return FAST_SILENCE_S if baud > FAST_BAUD else SILENCE_CHARS * byte_s


def modbus_length(data: bytes) -> int | None:
    """Length of the Modbus request that starts `data`; None when it cannot be known (yet)."""
    if len(data) < 2:
        return None
    if data[1] in COUNTED_WRITES:
        return 9 + data[6] if len(data) > 6 else None
    return LENGTH_BY_FUNCTION.get(data[1])


class FrameBuffer:
    """Finds frames in chunks. A pty joins what a line would separate: whole frames that follow
    each other in one chunk are taken one by one; what fits nothing is dropped until silence."""

    def __init__(
        self,
        *,
        silence_s: float,
        is_whole: Callable[[bytes], bool],
        length_of: Callable[[bytes], int | None],
    ) -> None:
        self._silence_s = silence_s
        self._is_whole = is_whole
        self._length_of = length_of
        self._bytes = b""
        self._last_s: float | None = None

    def feed(self, data: bytes, now_s: float, byte_s: float) -> list[bytes]:
        """The whole frames, CRC verified, that `data` (last byte at `now_s`) completed."""
        began_s = now_s - len(data) * byte_s
        if self._last_s is not None and began_s - self._last_s > self._silence_s:
            self._bytes = b""
        self._last_s = now_s
        self._bytes += data
        frames = []
        while frame := self._next():
            frames.append(frame)
        return frames

    def _next(self) -> bytes:
        whole = self._bytes
        length = len(whole) if self._is_whole(whole) else self._length_of(whole)
        if length is None or length > len(whole):
            if len(whole) > LONGEST:
                self._bytes = b""
            return b""
        frame, rest = whole[:length], whole[length:]
        if not self._is_whole(frame):
            self._bytes = b""
            return b""
        self._bytes = rest
        return frame
