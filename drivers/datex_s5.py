"""GE Datex-Ohmeda S/5 patient monitors: temperatures T1-T4, read only, pushed once asked for.

Datex Record Interface, 19200 8E1. A frame is 7E, record, sum of the record's bytes modulo 256, 7E;
inside it 7D 5E stands for 7E and 7D 5D for 7D. A record is a header of 40 bytes (length, number,
level, plug, time, main type, eight times offset and type) and its subrecords. The one with the
displayed values has 278 bytes: time, 270 bytes of groups, marker, class. T1-T4 are four groups of
status (4 bytes), label (2) and temperature (int16, 0.01 °C) behind ECG, P1-P4 and NIBP.

The monitor sends no more often than every 5 s: `hipec site check` asks for `poll_hz = 0.2`, so that
its values are not taken for old between two records. It forgets the request when it restarts, and
is asked again when it falls silent. RTS stays asserted; no handshake is waited for, as one request
of 51 bytes is all that is ever sent.

Sources: GE documents 8005313 (record specification) and M1017617 (computer interface, Appendix A),
neither seen itself, as public code states them: xeonfusion/VSCapture b3f3443 (Class1.cs, Class2.cs)
and KaiWU17TUM/icu_devices (docs/GE_Monitor.md, ge_monitor.cpp); the shortest interval and the place
of the class come from other programs. Not tried on a monitor: what a model may want otherwise is a
setting. Status and label of a group are not used: no source at hand tells their bits.

The sum is weak: of random frames one in 256 passes it, of records with two flipped bits one in 40,
one in 400 with another temperature. Length, main type, type and class have to fit as well.
"""

import struct

from drivers.classes import Identity, Input, Measured, Polled, Serial
from drivers.dialogue import BadReply, Dialogue, Listen, NoReply, Reply, Tell
from drivers.frames import arrived
from drivers.settings import Settings
from service.core.model import DeviceClass, Unit, Validity

FLAG, ESCAPE = b"\x7e", b"\x7d"
ESCAPED = {0x5E: 0x7E, 0x5D: 0x7D}
HEADER = struct.Struct("<hBBHI4xh")
"""Length of the record, its number, level of the interface, plug, time, main type."""
DESCRIPTOR = struct.Struct("<HB")
"""Place of a subrecord behind the header, and its type."""
HEADER_BYTES, SUBRECORD_BYTES, SUBRECORDS = 40, 278, 8
REQUEST = struct.Struct("<BhIh")
PHYSIOLOGICAL, DISPLAYED, LIST_END, BASIC = 0, 1, 0xFF, 0
CLASS_AT = 277
TEMPERATURES_AT, GROUP_BYTES, GROUPS = 90, 8, 4
RESOLUTION_C = 0.01
LARGEST_CODE = -32001
"""This and everything below it is no number but a code."""
CODES = {
    -32767: (Validity.INVALID, "no value; look at the probe and its lead at the monitor"),
    -32766: (Validity.INVALID, "the monitor does not update this value"),
    -32765: (Validity.INVALID, "interrupted, for instance by a calibration"),
    -32764: (Validity.UNDERFLOW, "below the monitor's range"),
    -32763: (Validity.OVERFLOW, "above the monitor's range"),
    -32762: (Validity.INVALID, "not calibrated"),
}
LOWEST, HIGHEST = 0, 6000
"""0 and 60 °C, in 0.01 °C: no probe in a patient reads beyond, but a damaged record may."""
LONGEST_FRAME = 2 * (HEADER_BYTES + 5 * SUBRECORD_BYTES + 1)
SHORTEST_S, LONGEST_S = 5, 60
PATIENCE = 1.5  # intervals; the next record may come a little late
DAMAGED_RECORDS = 3
OTHER_RECORDS = 64
"""Somebody may have asked the monitor for curves before: about eight records a second."""


def request(interval_s: int, class_mask: int, level: int) -> bytes:
    """The framed request for the displayed values every `interval_s` seconds; 0 s ends them."""
    descriptors = [(0, 0), (0, LIST_END)] + [(0, 0)] * (SUBRECORDS - 2)
    return frame(
        HEADER.pack(HEADER_BYTES + REQUEST.size, 0, level, 0, 0, PHYSIOLOGICAL)
        + b"".join(DESCRIPTOR.pack(*one) for one in descriptors)
        + REQUEST.pack(DISPLAYED, interval_s, class_mask, 0)
    )


def frame(record: bytes) -> bytes:
    """A record with its sum, escaped, between flags."""
    body = record + bytes([sum(record) & 0xFF])
    return FLAG + body.replace(ESCAPE, b"\x7d\x5d").replace(FLAG, b"\x7d\x5e") + FLAG


def flagged(data: bytes) -> int | None:
    """Frame what stands before the next flag; flags before it belong to no record."""
    start = len(data) - len(data.lstrip(FLAG))
    end = data.find(FLAG, start)
    if end >= 0:
        return end + 1
    if len(data) > LONGEST_FRAME:
        raise BadReply(
            f"{arrived(data)} arrived instead of a record of an S/5 monitor; check baud rate and "
            "parity (19200 8E1)"
        )
    return None


def decode_record(data: bytes) -> bytes:
    """The record in a frame; raises `BadReply` for a wrong escape, sum or length."""
    body = _unescaped(data.strip(FLAG))
    record = body[:-1]
    if len(record) < HEADER_BYTES or sum(record) & 0xFF != body[-1]:
        raise BadReply(f"{arrived(data)} arrived, which is no whole record of an S/5 monitor")
    if HEADER.unpack_from(record)[0] != len(record):
        raise BadReply(f"{arrived(data)} arrived, a record of another length than it says")
    return record


def displayed(record: bytes) -> bytes | None:
    """The subrecord with the basic displayed values, None where the record has none."""
    if HEADER.unpack_from(record)[-1] != PHYSIOLOGICAL:
        return None
    for offset, kind in DESCRIPTOR.iter_unpack(record[HEADER.size : HEADER_BYTES]):
        if kind == LIST_END:
            return None
        start = HEADER_BYTES + offset
        found = record[start : start + SUBRECORD_BYTES]
        if kind == DISPLAYED and len(found) == SUBRECORD_BYTES and found[CLASS_AT] & 0xF == BASIC:
            return found
    return None


def decode_temperatures(basic: bytes) -> tuple[Measured, ...]:
    """T1-T4 in °C from the basic displayed values, or why there is none."""
    return tuple(
        _measured(
            number, *struct.unpack_from("<h", basic, TEMPERATURES_AT + GROUP_BYTES * number - 2)
        )
        for number in range(1, GROUPS + 1)
    )


class DatexS5:
    """Driver of one monitor. Settings, as models may differ: `interval_s` (5-60, the usual 5),
    `class_mask` (other classes of values to ask for as well, even, 0 for none) and `dri_level`
    (the level of the interface that the request names, 0 leaves it to the monitor)."""

    name = "datex_s5"
    device_class = DeviceClass.TEMPERATURE
    inputs: tuple[Input, ...] = tuple(
        Input(number=n, unit=Unit.DEG_C, resolution=RESOLUTION_C, name=f"T{n}")
        for n in range(1, GROUPS + 1)
    )
    manual = "GE 8005313 S/5 DRI specification, M1017617 S/5 computer interface, as in VSCapture"
    revision = "none stated for the GE documents; VSCapture b3f3443"
    stop_bound_s = 0.0
    pushes = True

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=19200, parity="E"))
        interval_s = settings.whole("interval_s", SHORTEST_S, SHORTEST_S, LONGEST_S)
        class_mask = settings.choice("class_mask", 0, tuple(range(0, 16, 2)))
        level = settings.whole("dri_level", 0, 0, 255)
        settings.finish()
        self._request = request(interval_s, class_mask, level)
        self._timeout_s = PATIENCE * interval_s
        self.most_hz = 1 / interval_s

    def identify(self) -> Dialogue[Identity]:
        """Ask for the displayed values and wait for the first; raises `NoReply` after 1.5 times
        the interval."""
        yield Tell(tx=self._request, quiet_s=0.0)
        record, _, _, _ = yield from self._displayed()
        _, _, level, plug, *_ = HEADER.unpack_from(record)
        return Identity(model=f"Datex-Ohmeda S/5, plug {plug}", firmware=f"DRI level {level}")

    def poll(self) -> Dialogue[Polled]:
        """The newest temperatures that have arrived, waiting for them if there are none yet.

        A monitor that stays silent for 1.5 times the interval is asked again, once.
        """
        try:
            _, basic, reply, errors = yield from self._displayed()
        except NoReply:
            yield Tell(tx=self._request, quiet_s=0.0)
            _, basic, reply, errors = yield from self._displayed()
        while True:
            try:
                newer = yield Listen(reply=flagged, timeout_s=0.0)
                found = displayed(decode_record(newer.data))
            except NoReply:
                return Polled(at=reply.at, measured=decode_temperatures(basic), errors=errors)
            except BadReply:
                errors += 1
                continue
            if found is not None:
                basic, reply = found, newer

    def _displayed(self) -> Dialogue[tuple[bytes, bytes, Reply, int]]:
        """The next record with displayed values, those values, how it came, and how many came
        damaged before it."""
        damaged = 0
        for _ in range(OTHER_RECORDS):
            reply = yield Listen(reply=flagged, timeout_s=self._timeout_s)
            try:
                record = decode_record(reply.data)
            except BadReply:
                damaged += 1
                if damaged == DAMAGED_RECORDS:
                    raise
                continue
            basic = displayed(record)
            if basic is not None:
                return record, basic, reply, damaged
        raise BadReply("the monitor sends other records only; end what else it was asked for")


def _unescaped(data: bytes) -> bytes:
    first, *rest = data.split(ESCAPE)
    if not all(part and part[0] in ESCAPED for part in rest):
        raise BadReply(f"{arrived(data)} arrived with an escape that S/5 monitors do not use")
    return first + b"".join(bytes([ESCAPED[part[0]]]) + part[1:] for part in rest)


def _measured(number: int, raw: int) -> Measured:
    if LOWEST <= raw <= HIGHEST:
        return Measured(input=number, value=round(raw * RESOLUTION_C, 2))
    strange = f"the monitor gives code {raw}"
    if raw > LARGEST_CODE:
        strange = f"the monitor gives {raw * RESOLUTION_C:.2f} °C, which no patient has"
    validity, reason = CODES.get(raw, (Validity.INVALID, strange))
    return Measured(input=number, value=None, validity=validity, reason=reason)
