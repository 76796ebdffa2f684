"""KELLER X-Line pressure transmitters 33X, 35X, 36X on RS-485, Keller bus; one or several per line.

KELLER communication protocol X-Line, version 3.5/3.7. Frames: address, function, data, check sum
with its high byte first. After power-on every function but F48 is answered by exception 32.
Pressure P1 comes in bar; this driver gives mmHg. Zeroing is an item of the checklist, not of here.
Not a medical device: pressure in an operating room is otherwise an analogue bridge on a monitor.
"""

import math
import struct
from dataclasses import dataclass

from drivers.classes import Identity, Input, Measured, Polled, Serial
from drivers.crc import crc16
from drivers.dialogue import Ask, BadReply, Dialogue, Framer, NoReply, Refused
from drivers.frames import arrived
from drivers.settings import Settings
from service.core.model import DeviceClass, Instant, Unit, Validity

MMHG_PER_BAR = 750.062
F_INITIALISE, F_SERIAL, F_READ = 48, 69, 73
P1 = 1
NOT_INITIALISED = 32
REPLY_BYTES = {F_INITIALISE: 10, F_SERIAL: 8, F_READ: 9}
EXCEPTIONS = {
    1: "it does not know the function",
    2: "a parameter is wrong",
    3: "the data have a wrong length",
    4: "it failed",
    NOT_INITIALISED: "it is not initialised",
}
FAILED_BITS = {
    0x80: "transmitter is in power-up mode",
    0x40: "transmitter reports a computing error",
    0x02: "pressure sensor P1 failed",
}
UNCOMPENSATED_BITS = 0x18
"""Temperature T or TOB1, which correct the pressure, failed: the pressure may be off."""
TURNAROUND_S = 0.005
RETRY_POLLS = 5
"""A silent address is asked again every fifth poll, so that it costs the others little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What F48 tells: class and group of the transmitter, firmware, buffer size and `stat`."""

    device_class: int
    group: int
    year: int
    week: int
    buffer: int
    stat: int


class NotInitialised(Refused):
    """The transmitter had a power-on and wants F48 before anything else."""


def request(address: int, function: int, data: bytes = b"") -> bytes:
    """One frame to the transmitter at `address`."""
    body = bytes([address, function]) + data
    return body + crc16(body).to_bytes(2, "big")


def reply_to(address: int, function: int) -> Framer:
    """Frame the reply to `request`, or the exception that stands for it."""
    heads = {function: REPLY_BYTES[function], function | 0x80: 5}

    def frame(data: bytes) -> int | None:
        if data[:1] and data[0] != address:
            raise BadReply(f"{arrived(data)} arrived, which is not from address {address}")
        if len(data) < 2:
            return None
        length = heads.get(data[1])
        if length is None:
            raise BadReply(f"{arrived(data)} arrived, which answers another question")
        if len(data) < length:
            return None
        if crc16(data[: length - 2]) != int.from_bytes(data[length - 2 : length], "big"):
            raise BadReply(f"{arrived(data[:length])} arrived with a wrong check sum")
        return length

    return frame


def content(reply: bytes) -> bytes:
    """The data bytes of a framed reply; raises `Refused` where it is an exception."""
    if not reply[1] & 0x80:
        return reply[2:-2]
    why = EXCEPTIONS.get(reply[2], "it does not say why")
    kind = NotInitialised if reply[2] == NOT_INITIALISED else Refused
    raise kind(f"transmitter {reply[0]} refuses F{reply[1] & 0x7F}: {why} (code {reply[2]})")


def decode_greeting(data: bytes) -> Greeting:
    """Read the content of F48."""
    device_class, group, year, week, buffer, stat = data
    return Greeting(
        device_class=device_class, group=group, year=year, week=week, buffer=buffer, stat=stat
    )


def decode_pressure(data: bytes, number: int) -> Measured:
    """Read the content of F73 as mmHg of input `number`; a failed channel has no value."""
    bar: float = struct.unpack(">f", data[:4])[0]
    stat = data[4]
    failed = [text for bit, text in FAILED_BITS.items() if stat & bit]
    validity, reason = Validity.VALID, ""
    if math.isinf(bar):
        validity = Validity.OVERFLOW if bar > 0 else Validity.UNDERFLOW
        reason = "pressure above range" if bar > 0 else "pressure below range"
    elif math.isnan(bar) or failed:
        validity, reason = Validity.INVALID, ", ".join(failed) or "transmitter has no pressure"
    elif stat & UNCOMPENSATED_BITS:
        validity, reason = Validity.QUESTIONABLE, "temperature of the transmitter failed"
    shown = validity in (Validity.VALID, Validity.QUESTIONABLE)
    value = round(bar * MMHG_PER_BAR, 1) if shown else None
    return Measured(input=number, value=value, validity=validity, reason=reason)


class Keller33X:
    """Driver of all transmitters on one line. Settings: `addresses` [1, 2] or `address` 1-249.

    The input's number is the transmitter's address.
    """

    name = "keller_33x"
    device_class = DeviceClass.PRESSURE
    manual = "KELLER communication protocol X-Line"
    revision = "3.5 and 3.7 (manualsdir.com 310958)"
    stop_bound_s = 0.0
    pushes = False

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=9600))
        self.addresses = _addresses(settings)
        settings.finish()
        self.inputs: tuple[Input, ...] = tuple(
            Input(number=address, unit=Unit.MMHG, resolution=0.1, name=f"pressure, bus {address}")
            for address in self.addresses
        )
        self._silent: dict[int, int] = {}
        self._errors = 0

    def identify(self) -> Dialogue[Identity]:
        """Initialise every address and ask for its serial number; one answer is enough."""
        self._silent.clear()
        models, serials = [], []
        for address in self.addresses:
            try:
                greeting = yield from self._initialise(address)
                serial = yield from self._serial_number(address)
            except NoReply:
                self._silent[address] = 0
                continue
            models.append(f"{address}: KELLER {greeting.device_class}.{greeting.group}")
            serials += [f"{address}: {serial}"] if serial else []
        if not models:
            raise self._nobody()
        return Identity(model=", ".join(models), serial=", ".join(serials))

    def poll(self) -> Dialogue[Polled]:
        """Read the pressure of every address; a silent one does not take the others with it."""
        measured = []
        last: Instant | None = None
        self._errors = 0
        for address in self.addresses:
            one, at = yield from self._measure(address)
            measured.append(one)
            last = at or last
        if last is None:
            raise self._nobody()
        return Polled(at=last, measured=tuple(measured), errors=self._errors)

    def _measure(self, address: int) -> Dialogue[tuple[Measured, Instant | None]]:
        missed = self._silent.get(address)
        if missed is not None and missed % RETRY_POLLS and len(self.addresses) > 1:
            self._silent[address] = missed + 1
            return _invalid(address, f"no answer from address {address}"), None
        try:
            data, at = yield from self._read_pressure(address)
        except (NoReply, BadReply, Refused) as failure:
            self._silent[address] = (missed or 0) + 1
            self._errors += 1
            silent = isinstance(failure, NoReply)
            return _invalid(
                address, f"no answer from address {address}" if silent else str(failure)
            ), None
        self._silent.pop(address, None)
        return decode_pressure(data, address), at

    def _read_pressure(self, address: int) -> Dialogue[tuple[bytes, Instant]]:
        """F73 of P1; a transmitter that had a power-on is initialised first."""
        try:
            return (yield from self._talk(address, F_READ, bytes([P1])))
        except NotInitialised:
            yield from self._initialise(address)
        return (yield from self._talk(address, F_READ, bytes([P1])))

    def _initialise(self, address: int) -> Dialogue[Greeting]:
        data, _ = yield from self._talk(address, F_INITIALISE)
        return decode_greeting(data)

    def _serial_number(self, address: int) -> Dialogue[int | None]:
        try:
            data, _ = yield from self._talk(address, F_SERIAL)
        except (NoReply, Refused):
            return None
        return int.from_bytes(data, "big")

    def _talk(
        self, address: int, function: int, data: bytes = b""
    ) -> Dialogue[tuple[bytes, Instant]]:
        reply = yield Ask(
            tx=request(address, function, data),
            reply=reply_to(address, function),
            timeout_s=0.2,
            quiet_s=TURNAROUND_S,
        )
        return content(reply.data), reply.at

    def _nobody(self) -> NoReply:
        named = " or ".join(map(str, self.addresses))
        return NoReply(f"no answer from address {named}")


def _invalid(address: int, reason: str) -> Measured:
    return Measured(input=address, value=None, validity=Validity.INVALID, reason=reason)


def _addresses(settings: Settings) -> tuple[int, ...]:
    given = settings.given("addresses")
    single = settings.whole("address", 1, 1, 249)
    if given is None:
        return (single,)
    fits = isinstance(given, list) and all(type(one) is int and 1 <= one <= 249 for one in given)
    if not isinstance(given, list) or not fits or not given or len(set(given)) != len(given):
        raise settings.refuse("addresses", "it must be a list of different numbers from 1 to 249")
    return tuple(given)
