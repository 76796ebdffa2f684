"""The inputs of a register map: how `site.toml` describes one, and what its registers mean.

Byte order: `order` names the bytes as they arrive, A is the most significant. Numbers that mean no
value are compared as bits, so that +32768 and -32768 are the same in 16 of them.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from drivers import modbus
from drivers.classes import Input, Measured, SettingError
from drivers.settings import Settings
from drivers.ysi400 import OPEN_ABOVE_OHM, SHORT_BELOW_OHM, temperature_c
from service.core.model import Unit, Validity

LAST_REGISTER = 0xFFFF
LARGEST_FLOAT32 = 3.4e38
TABLES = {"input": modbus.INPUTS, "holding": modbus.HOLDING}
FORMATS = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f"}
ORDERS = {2: ("AB", "BA"), 4: ("ABCD", "CDAB", "BADC", "DCBA")}
MARKS = {
    Validity.INVALID: "the device marks this input as invalid",
    Validity.OVERFLOW: "the device marks this input as above range or open",
    Validity.UNDERFLOW: "the device marks this input as below range or shorted",
}
OUTSIDE = {Validity.OVERFLOW: "above the range", Validity.UNDERFLOW: "below the range"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """One input of the map: `marks` are the byte patterns that mean that there is no value."""

    shown: Input
    function: int
    register: int
    format: str
    order: str
    scale: float
    offset: float
    marks: Mapping[bytes, Validity]
    gives_ohm: bool
    lowest: float
    highest: float

    @property
    def words(self) -> int:
        """Registers that the number takes."""
        return len(self.order) // 2

    def measured(self, data: bytes) -> Measured:
        """The input's value from the bytes of its registers."""
        number = self.shown.number
        ordered = bytes(data[self.order.index(letter)] for letter in sorted(self.order))
        raw: float = struct.unpack(FORMATS[self.format], ordered)[0]
        given = raw * self.scale + self.offset
        value = _ysi400_c(given) if self.gives_ohm else given
        validity = self.marks.get(ordered) or self._outside(value)
        if validity is None:
            return Measured(input=number, value=round(value, _decimals(self.shown.resolution)))
        reason = MARKS[validity] if ordered in self.marks else OUTSIDE.get(validity, "no number")
        return Measured(input=number, value=None, validity=validity, reason=reason)

    def _outside(self, value: float) -> Validity | None:
        if math.isnan(value):
            return Validity.INVALID
        if value > self.highest or value == math.inf:
            return Validity.OVERFLOW
        return Validity.UNDERFLOW if value < self.lowest or value == -math.inf else None


def read_inputs(settings: Settings) -> tuple[Mapped, ...]:
    """The inputs in the setting `input`; raises `SettingError` for one that cannot be used."""
    given = settings.given("input")
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        raise settings.refuse("input", "each input must be a table [[device.input]]")
    made = tuple(_mapped(place, one) for place, one in enumerate(given, 1))
    numbers = [one.shown.number for one in made]
    for number in numbers:
        if numbers.count(number) > 1:
            raise SettingError(f"modbus_map: input number {number} is there more than once.")
    return made


def _mapped(place: int, table: Mapping[str, object]) -> Mapped:
    settings = Settings(f"modbus_map input {place}", table)
    number = settings.whole("number", place, 1, 999)
    kind = settings.choice("format", "int16", tuple(FORMATS))
    size = struct.calcsize(FORMATS[kind])
    scale = _number(settings, "scale", 1.0)
    if not scale:
        raise settings.refuse("scale", "it must not be 0")
    gives_ohm = settings.choice("gives", "unit", ("unit", "ohm")) == "ohm"
    usual = 0.01 if gives_ohm or kind == "float32" else abs(scale)
    resolution = settings.number("resolution", None, 1e-6, 1e6) or usual
    shown = Input(
        number=number,
        name=text_setting(settings, "name", f"input {number}"),
        unit=settings.choice("unit", Unit.DEG_C, (Unit.DEG_C,) if gives_ohm else tuple(Unit)),
        resolution=resolution,
    )
    made = Mapped(
        shown=shown,
        function=TABLES[settings.choice("table", "holding", tuple(TABLES))],
        register=settings.whole("register", place - 1, 0, LAST_REGISTER + 1 - size // 2),
        format=kind,
        order=settings.choice("order", ORDERS[size][0], ORDERS[size]),
        scale=scale,
        offset=_number(settings, "offset", 0.0),
        marks=_marks(settings, kind, size),
        gives_ohm=gives_ohm,
        lowest=_number(settings, "lowest", -math.inf),
        highest=_number(settings, "highest", math.inf),
    )
    settings.finish()
    return made


def _marks(settings: Settings, kind: str, size: int) -> dict[bytes, Validity]:
    marks = {}
    for validity in MARKS:
        given = settings.given(str(validity))
        for number in given if isinstance(given, list) else [] if given is None else [given]:
            marks[_pattern(settings, str(validity), number, kind, size)] = validity
    return marks


def _pattern(settings: Settings, name: str, number: object, kind: str, size: int) -> bytes:
    """The bytes of a number that means no value; +32768 and -32768 are the same 16 bits."""
    bits = 8 * size
    if kind == "float32" and isinstance(number, int | float) and abs(number) <= LARGEST_FLOAT32:
        return struct.pack(">f", number)
    if kind != "float32" and type(number) is int and -(1 << (bits - 1)) <= number < 1 << bits:
        return (number % (1 << bits)).to_bytes(size, "big")
    raise settings.refuse(name, f"it must be a list of numbers that a register of {kind} can hold")


def _number(settings: Settings, name: str, default: float, bound: float = 1e9) -> float:
    found = settings.number(name, None, -bound, bound)
    return default if found is None else found


def text_setting(settings: Settings, name: str, default: str) -> str:
    """A setting that is text, not empty."""
    value = settings.given(name)
    if value is None:
        return default
    if isinstance(value, str) and value.strip():
        return value
    raise settings.refuse(name, "it must be text")


def _decimals(resolution: float) -> int:
    return max(0, math.ceil(-math.log10(resolution)))


def _ysi400_c(ohm: float) -> float:
    """The temperature of a YSI-400 probe; a broken lead is endlessly cold, a shorted one hot."""
    if ohm > OPEN_ABOVE_OHM:
        return -math.inf
    if ohm < SHORT_BELOW_OHM:
        return math.inf
    return ohm if math.isnan(ohm) else temperature_c(ohm)
