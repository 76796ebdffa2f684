"""GE Datex-Ohmeda S/5 patient monitor, serial export of its displayed values (Datex Record
Interface; GE 8005313 chapters 2 and 3 and M1017617 Appendix A, as quoted in VSCapture's Class2.cs).

It is silent until a host asks for displayed values with an interval, then sends a record each
interval; the request is lost when it restarts. Nothing but the temperatures is simulated."""

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from simulator.devices.instrument import Fault, Instrument, Send, SerialLine
from simulator.devices.probe import OPEN, PROBE_FAULTS, SHORT, Probe, Source

INPUTS = 4
CONTROL, BOUNDARY = 0x7D, 0x7E
NO_DATA, UNDER_RANGE, OVER_RANGE = -32767, -32764, -32763
LONGEST_REQUEST = 200
REQUEST_BYTES = 49
END_OF_LIST = 255
BEFORE_TEMPERATURES = (5, 4, 4, 4, 4, 4)
"""Values of each group behind its header: ECG, P1-P4, NIBP."""
AFTER_TEMPERATURES = (4, 4, 2, 2, 3, 8, 4, 3)
"""SpO2, CO2, O2, N2O, agent, flow and volume, cardiac output, relaxation."""
LAST = (1, 4, 4)
"""SvO2, P5, P6; before them stand three values without a group header, after them two bytes."""
CLASSES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSettings:
    """How the monitor is set up. Not certain from public text, hence settings: when the first
    record comes, the status bits of a connected probe, the reserved byte before the class."""

    first_after_s: float | None = None
    shortest_interval_s: int = 5
    low_c: float = 10.0
    high_c: float = 45.0
    level: int = 9
    plug: int = 1
    connected_status: int = 3
    reserved: int = 0
    clock_s: int = 0x6500_0000


class PatientMonitor(Instrument):
    """T1-T4 of plant time; records every interval of real time, once asked for."""

    title = "GE Datex-Ohmeda S/5 monitor, temperatures"
    serial = SerialLine(baud=19200, parity="E")
    has_checksum = True
    fault_names = PROBE_FAULTS | {"refuses", "reset"}
    inputs = tuple(range(1, INPUTS + 1))

    def __init__(
        self, sources: Sequence[Source | None], settings: MonitorSettings | None = None
    ) -> None:
        super().__init__()
        self.settings = settings or MonitorSettings()
        padded = [*sources, *[None] * (INPUTS - len(sources))]
        self._probes = [
            Probe(source, faults=self.faults, number=number)
            for number, source in enumerate(padded, start=1)
        ]
        self.power_up()
        self.sample(0.0)

    def power_up(self) -> None:
        """Whoever asked is forgotten; records are counted from 0 again."""
        self.interval_s = 0
        self._classes: tuple[int, ...] = ()
        self._next_s: float | None = None
        self._number = 0
        self._heard = bytearray()

    def on_fault(self, fault: Fault) -> None:
        """A reset is a restart that takes no time."""
        if fault.name == "reset":
            self.power_up()

    def sample(self, dt_s: float) -> None:
        """Measure all probes."""
        self._read_c = [probe.read(dt_s) for probe in self._probes]

    def due_s(self) -> float | None:
        """When the next record is due; None while nobody has asked."""
        return self._next_s

    def tick(self, now_s: float) -> list[Send]:
        """One record for each interval that has passed; after a long gap it goes on from now."""
        if self._next_s is None or now_s < self._next_s - 1e-6:
            return []
        late = now_s - self._next_s > self.interval_s
        self._next_s = (now_s if late else self._next_s) + self.interval_s
        return [Send(framed(self.record(now_s)))]

    def receive(
        self, data: bytes, now_s: float, *, sent_s: float | None = None, byte_s: float = 0.0
    ) -> list[Send]:
        """Obey requests for displayed values; whatever else arrives is met with silence."""
        for request in self._requests(data):
            if not self.faults.has("refuses"):
                self._obey(request, now_s)
        return []

    def record(self, now_s: float) -> bytes:
        """The next record: header of 40 bytes and one subrecord of each class asked for."""
        made = self.settings
        time_s = made.clock_s + int(now_s)
        parts = [self._subrecord(one, time_s) for one in self._classes]
        length = 40 + sum(map(len, parts))
        header = struct.pack("<hBBHI", length, self._number, made.level, made.plug, time_s)
        header += bytes(6)
        for place, part in enumerate(parts):
            header += struct.pack("<hB", place * len(part), 1)
        header += struct.pack("<hB", 0, END_OF_LIST)
        self._number = (self._number + 1) % 256
        return header.ljust(40, b"\0") + b"".join(parts)

    def with_wrong_checksum(self, reply: bytes) -> bytes:
        """The same record with a sum that is one too large."""
        return framed(plain(reply[1:-1])[:-1], excess=1)

    def describe(self) -> Mapping[str, object]:
        """The interval asked for (0 for none) and what each probe reads in °C."""
        read = [round(c, 2) if math.isfinite(c) else None for c in self._read_c]
        return {"interval_s": self.interval_s, "inputs_c": read}

    def _requests(self, data: bytes) -> Iterator[bytes]:
        """Every whole request with a good sum in what has arrived."""
        for byte in data:
            if byte != BOUNDARY:
                self._heard = (self._heard + bytes([byte]))[-LONGEST_REQUEST:]
                continue
            request = plain(bytes(self._heard))
            self._heard = bytearray()
            if len(request) == REQUEST_BYTES + 1 and sum(request[:-1]) % 256 == request[-1]:
                yield request[:-1]

    def _obey(self, request: bytes, now_s: float) -> None:
        length, main_type = struct.unpack_from("<h12xh", request)
        kind, interval_s, mask = struct.unpack_from("<BhI", request, 40)
        if (length, main_type, request[18], kind) != (REQUEST_BYTES, 0, 0, 1):
            return
        wanted = (mask & 1 == 0, *(mask & 1 << one for one in range(1, CLASSES)))
        self._classes = tuple(one for one in range(CLASSES) if wanted[one])
        self.interval_s, self._next_s = 0, None
        if interval_s > 0 and self._classes:
            self.interval_s = max(interval_s, self.settings.shortest_interval_s)
            first_s = self.settings.first_after_s
            self._next_s = now_s + (self.interval_s if first_s is None else first_s)

    def _subrecord(self, which: int, time_s: int) -> bytes:
        values = self._basic() if which == 0 else struct.pack("<h", NO_DATA) * 135
        return struct.pack("<I270sBBBB", time_s, values, 0, 0, self.settings.reserved, which)

    def _basic(self) -> bytes:
        groups = [_group(0, *[NO_DATA] * count) for count in BEFORE_TEMPERATURES]
        for code in map(self._code, self._read_c):
            groups.append(_group(0 if code == NO_DATA else self.settings.connected_status, code))
        groups += [_group(0, *[NO_DATA] * count) for count in AFTER_TEMPERATURES]
        groups.append(struct.pack("<3h", *[NO_DATA] * 3))
        groups += [_group(0, *[NO_DATA] * count) for count in LAST]
        return b"".join(groups) + bytes(2)

    def _code(self, value_c: float) -> int:
        """A temperature in 0.01 °C, or the code for why there is none."""
        if value_c == OPEN:
            return NO_DATA
        if value_c == SHORT or value_c > self.settings.high_c:
            return OVER_RANGE
        return UNDER_RANGE if value_c < self.settings.low_c else round(value_c * 100)


def framed(record: bytes, excess: int = 0) -> bytes:
    """The record as it goes over the wire; `excess` makes its sum wrong by so much."""
    out = bytearray([BOUNDARY])
    for byte in (*record, (sum(record) + excess) % 256):
        out += bytes([CONTROL, byte & ~0x20]) if byte in (CONTROL, BOUNDARY) else bytes([byte])
    return bytes(out) + bytes([BOUNDARY])


def plain(data: bytes) -> bytes:
    """What was meant by bytes between two boundaries."""
    out, marked = bytearray(), False
    for byte in data:
        if byte == CONTROL and not marked:
            marked = True
            continue
        out.append(byte | 0x20 if marked else byte)
        marked = False
    return bytes(out)


def _group(status: int, *values: int) -> bytes:
    return struct.pack(f"<IH{len(values)}h", status, 0, *values)
