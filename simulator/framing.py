"""What a UART makes of bytes that were sent at another baud rate than it listens at."""

from simulator.devices.instrument import SerialLine

START, IDLE = 0, 1


def misread(data: bytes, line: SerialLine, step: float) -> bytes:
    """The characters that are read when one bit of the reader lasts `step` bits of the sender.

    Both sides frame characters as `line` says. A character without its stop bit is kept, as a
    port in raw mode keeps it. With `step` 1 the bytes are read as they were sent.
    """
    bits = [bit for byte in data for bit in _bits(byte, line)]
    size = 1 + line.data_bits + (line.parity != "N")
    heard, at = bytearray(), 0.0
    while (start := _next_start(bits, at)) is not None:
        sampled = [_level(bits, start + step * (place + 0.5)) for place in range(1, size)]
        heard.append(sum(bit << place for place, bit in enumerate(sampled[: line.data_bits])))
        at = start + step * (size + 0.5)
    return bytes(heard)


def _bits(byte: int, line: SerialLine) -> list[int]:
    """One character as bits on the wire, the lowest data bit first."""
    data = [byte >> place & 1 for place in range(line.data_bits)]
    odd = sum(data) % 2
    parity = {"N": [], "E": [odd], "O": [1 - odd]}[line.parity]
    return [START, *data, *parity, *[IDLE] * line.stop_bits]


def _level(bits: list[int], at: float) -> int:
    return bits[int(at)] if at < len(bits) else IDLE


def _next_start(bits: list[int], at: float) -> int | None:
    """Where the line falls from idle to a start bit at or after `at`."""
    for place in range(int(at + 0.999), len(bits)):
        if bits[place] == START and (place == 0 or bits[place - 1] == IDLE):
            return place
    return None
