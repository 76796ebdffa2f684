"""Thermo NESLAB baths (RTE, EX and their Digital Plus controller), NC binary protocol.

Manuals: RTE p. 46-50, EX p. 49-53 (appendix B). A frame is lead, address, command, length, data and
the inverted sum of all but the lead. A value carries its own precision and unit; one that is sent
does not, so the set-point is read first. The bath answers with command 0F to what it rejects. Its
answer to the on/off array can be the very bytes that were sent, which no line tells from an echo:
switching is told, not asked, and the status read back.
"""

import math
from dataclasses import dataclass

from drivers.classes import Done, Identity, Input, Measured, Polled, Serial
from drivers.dialogue import Ask, BadReply, Dialogue, Framer, NoReply, Refused, Reply, Tell
from drivers.frames import arrived
from drivers.settings import Settings
from service.core.model import CommandState, DeviceClass, DriveStatus, Unit, Validity

ANSWER_S = 0.3
AFTER_SWITCHING_S = 0.2  # time for the answer that is not waited for
SETTLE_S, SETTLE_TRIES = 0.1, 5
RS232_LEAD, RS485_LEAD = 0xCA, 0xCC
ACKNOWLEDGE, STATUS, INTERNAL, EXTERNAL, SETPOINT = 0x00, 0x09, 0x20, 0x21, 0x70
SET_SETPOINT, ON_OFF, ERROR = 0xF0, 0x81, 0x0F
BAD_COMMAND, BAD_CHECKSUM = 1, 3
LONGEST_DATA = 8
ONLY_UNIT_ON = (2,) * 7  # 2 leaves sensor, faults, mute, restart, 0.01, cooling, serial as they are
STEPS_C = {0x11: 0.1, 0x21: 0.01}
"""°C per unit of a value by its qualifier; others are without unit."""
FAULTS = (
    (0, 0xF0, "bath sensor open or shorted"),
    (1, 0xC0, "external sensor open or shorted"),
    (1, 0x02, "refrigerant too hot"),
    (1, 0x01, "high temperature cut-out"),
    (2, 0x80, "above its fixed high limit"),
    (2, 0x40, "below its fixed low limit"),
    (2, 0x20, "above its high temperature limit"),
    (2, 0x10, "below its low temperature limit"),
    (2, 0x08, "low level: fill the bath"),
    (3, 0x20, "unit faulted: look at its display"),
)
"""Byte of the status, bits in it, meaning (Digital Plus table 2; warnings are left out)."""
BATH_SENSOR, EXTERNAL_SENSOR, UNIT_ON = (0, 0xF0), (1, 0xCC), (3, 0x08)


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """A temperature and the step that the bath counts it in, both in °C."""

    celsius: float
    step_c: float


def checksum(body: bytes) -> int:
    """The inverted 8-bit sum of a frame from its address on."""
    return ~sum(body) & 0xFF


def request(lead: int, address: int, command: int, data: bytes = b"") -> bytes:
    """One frame to the bath at `address`."""
    body = address.to_bytes(2, "big") + bytes((command, len(data))) + data
    return bytes((lead,)) + body + bytes((checksum(body),))


def reply_to(lead: int, address: int, command: int) -> Framer:
    """Frame the bath's answer to `command`, or the error that stands for it."""
    head = bytes((lead,)) + address.to_bytes(2, "big")

    def frame(data: bytes) -> int | None:
        if data[:3] != head[: len(data)]:
            raise BadReply(f"{arrived(data)} arrived, which is not from bath {address}")
        if len(data) < 5:
            return None
        if data[3] not in (command, ERROR) or data[4] > LONGEST_DATA:
            raise BadReply(f"{arrived(data)} arrived, which answers another question")
        length = 6 + data[4]
        if len(data) < length:
            return None
        if checksum(data[1 : length - 1]) != data[length - 1]:
            raise BadReply(f"{arrived(data[:length])} arrived with a wrong check sum")
        return length

    return frame


def content(reply: bytes, command: int, size: int) -> bytes:
    """The data of a framed reply, `size` bytes; raises `Refused` where it is an error."""
    data = reply[5:-1]
    if reply[3] != command:
        if data == bytes((BAD_COMMAND, command)):
            raise Refused(f"the bath does not know command {command:02X}; look which model it is")
        if data == bytes((BAD_CHECKSUM, command)):
            raise BadReply("the bath got a damaged command; look at the cable")
        raise BadReply(f"{arrived(reply)} arrived, which answers another question")
    if len(data) != size:
        raise BadReply(f"{arrived(reply)} arrived, which is {len(data)} bytes instead of {size}")
    return data


def decode_temperature(data: bytes) -> Temperature:
    """Read qualifier and value; raises `BadReply` for what is not in °C."""
    step_c = STEPS_C.get(data[0])
    if step_c is None:
        raise BadReply(f"a value came with qualifier {data[0]:02X}; set the bath to °C")
    counted = int.from_bytes(data[1:], "big", signed=True)
    return Temperature(celsius=round(counted * step_c, 2), step_c=step_c)


def decode_faults(status: bytes) -> str:
    """What the five status bytes report, in words; empty for no fault."""
    told = [text for at, bits, text in FAULTS if status[at] & bits]
    return f"the bath reports: {', '.join(told)}" if told else ""


class Neslab:
    """Driver of one bath.

    Settings: `address` 1-100 (RS-485; leave out for RS-232); `external` (true: input 2 is the
    external sensor). Serial communication must be switched on at the bath (Computer button).
    """

    name = "neslab"
    device_class = DeviceClass.HEATER
    manual = "Thermo NESLAB RTE p. 46-50; EX p. 49-53 (NC serial communications protocol)"
    revision = "none stated; copies seen: manualslib.com 1401911 (EX)"
    stop_bound_s = 0.45
    pushes = False
    terminator = bytes(LONGEST_DATA + 2)  # fills any half frame up, with a wrong check sum
    quiet_s = 0.1

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=19200))
        self._address = settings.whole("address", 1, 1, 100)
        self._lead = RS485_LEAD if "address" in given else RS232_LEAD
        self.addresses = (self._address,) if "address" in given else ()
        self._has_external = settings.flag("external")
        settings.finish()
        bath = Input(number=1, unit=Unit.DEG_C, resolution=0.01, name="bath")
        outside = Input(number=2, unit=Unit.DEG_C, resolution=0.01, name="external sensor")
        self.inputs: tuple[Input, ...] = (bath, *((outside,) if self._has_external else ()))

    def identify(self) -> Dialogue[Identity]:
        """Ask for the version of its protocol; the bath tells no more of itself."""
        try:
            version, _ = yield from self._ask(ACKNOWLEDGE, 2)
        except NoReply as silence:
            hint = "is serial communication switched on at the bath (Computer button)?"
            raise NoReply(f"{silence}; {hint}") from None
        return Identity(model="Thermo NESLAB", firmware=f"NC protocol {version[0]}.{version[1]}")

    def poll(self) -> Dialogue[Polled]:
        """Read temperatures, set-point and status; a broken sensor has no value."""
        data, reply = yield from self._ask(INTERNAL, 3)
        shown = [(1, data, BATH_SENSOR)]
        if self._has_external:
            shown.append((2, (yield from self._ask(EXTERNAL, 3))[0], EXTERNAL_SENSOR))
        setpoint = yield from self._setpoint()
        status = yield from self._status()
        drive = DriveStatus(
            running=_is_set(status, UNIT_ON),
            setpoint=setpoint.celsius,
            fault=decode_faults(status),
        )
        measured = tuple(
            _measured(number, value, broken=_is_set(status, flag)) for number, value, flag in shown
        )
        return Polled(at=reply.at, measured=measured, status=drive)

    def run(self, bath_c: float) -> Dialogue[Done]:
        """Set the bath's set-point, start, and read back both; refused while there is a fault."""
        if not (math.isfinite(bath_c) and 0 < bath_c < 100):
            return _refused(f"{bath_c} °C is not a bath temperature")
        status = yield from self._status()
        if fault := decode_faults(status):
            return _refused(fault)
        step_c = (yield from self._setpoint()).step_c
        counted = round(bath_c / step_c)
        yield from self._ask(SET_SETPOINT, 3, counted.to_bytes(2, "big", signed=True))
        if not _is_set(status, UNIT_ON):
            yield self._switch(on=True)
        if not (yield from self._settled(running=True)):
            return _refused("the bath did not start; look at its display")
        setpoint = yield from self._setpoint()
        if round(setpoint.celsius / step_c) != counted:
            return _refused(f"the bath keeps its set-point of {setpoint.celsius:g} °C")
        return Done(state=CommandState.CONFIRMED, value=setpoint.celsius)

    def off(self) -> Dialogue[Done]:
        """Switch the unit off, and read back by its status that it is."""
        yield self._switch(on=False)
        if (yield from self._settled(running=False)):
            return Done(state=CommandState.CONFIRMED)
        return _refused("the bath still runs; stop it at its keys")

    def _settled(self, running: bool) -> Dialogue[bool]:
        for _ in range(SETTLE_TRIES):
            if _is_set((yield from self._status(SETTLE_S)), UNIT_ON) == running:
                return True
        return False

    def _setpoint(self) -> Dialogue[Temperature]:
        return decode_temperature((yield from self._ask(SETPOINT, 3))[0])

    def _status(self, quiet_s: float = 0.0) -> Dialogue[bytes]:
        return (yield from self._ask(STATUS, 5, quiet_s=quiet_s))[0]

    def _ask(
        self, command: int, size: int, data: bytes = b"", quiet_s: float = 0.0
    ) -> Dialogue[tuple[bytes, Reply]]:
        reply = yield Ask(
            tx=request(self._lead, self._address, command, data),
            reply=reply_to(self._lead, self._address, command),
            timeout_s=ANSWER_S,
            quiet_s=quiet_s,
        )
        return content(reply.data, command, size), reply

    def _switch(self, on: bool) -> Tell:
        array = bytes((int(on), *ONLY_UNIT_ON))
        tx = request(self._lead, self._address, ON_OFF, array)
        return Tell(tx=tx, quiet_s=AFTER_SWITCHING_S)


def _is_set(status: bytes, flag: tuple[int, int]) -> bool:
    at, bits = flag
    return bool(status[at] & bits)


def _measured(number: int, data: bytes, *, broken: bool) -> Measured:
    if broken:
        reason = "the bath reports its sensor as open or shorted"
        return Measured(input=number, value=None, validity=Validity.INVALID, reason=reason)
    return Measured(input=number, value=decode_temperature(data).celsius)


def _refused(reason: str) -> Done:
    return Done(state=CommandState.REFUSED, reason=reason)
