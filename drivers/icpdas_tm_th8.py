"""ICP DAS tM-TH8: eight thermistor inputs on RS-485, Modbus RTU.

Manual: tM-TH8 user manual A1.1 (Modbus address map). Engineering format is 0.01 °C; -32768 is under
range, +32767 over range or an open probe. Everything but the values (input registers 30001-30008)
is optional: asked once per connection, and "not told" where the module refuses or is silent.
"""

from drivers import modbus
from drivers.classes import Identity, Input, Measured, Polled, Serial
from drivers.dialogue import Ask, BadReply, Dialogue, NoReply, Refused
from drivers.settings import Settings
from service.core.model import DeviceClass, Instant, Unit, Validity

CHANNELS = 8
RESOLUTION_C = 0.01
OUT_OF_RANGE = {
    0x8000: (Validity.UNDERFLOW, "shorted probe or under range"),
    0x7FFF: (Validity.OVERFLOW, "open probe or over range"),
}
# Addresses on the wire: one less than in the manual.
VALUES, RANGE_FLAGS, TYPE_CODES, NAME = 0, 128, 256, 480
CELSIUS, ENGINEERING, RESET = 266, 268, 272
SILENCE_S = 0.004  # 3.5 characters at 9600 baud
RESET_CHECK_POLLS = 10


def decode_values(data: bytes) -> tuple[Measured, ...]:
    """Eight temperatures in °C from the content of input registers 30001-30008."""
    measured = []
    for number, word in enumerate(modbus.words(data), start=1):
        if word in OUT_OF_RANGE:
            validity, reason = OUT_OF_RANGE[word]
            measured.append(Measured(input=number, value=None, validity=validity, reason=reason))
        else:
            signed = word - 0x10000 if word & 0x8000 else word
            measured.append(Measured(input=number, value=round(signed * RESOLUTION_C, 2)))
    return tuple(measured)


def with_flags(measured: tuple[Measured, ...], flags: tuple[bool, ...]) -> tuple[Measured, ...]:
    """Take the value from every channel whose range flag is set (10129-10136)."""
    return tuple(
        Measured(input=one.input, value=None, validity=Validity.INVALID, reason="range flag is set")
        if flag and one.value is not None
        else one
        for one, flag in zip(measured, flags, strict=True)
    )


class TmTh8:
    """Driver of one tM-TH8. Settings: `address` 1-247, `type_code` (one, or one per channel)."""

    name = "icpdas_tm_th8"
    device_class = DeviceClass.TEMPERATURE
    inputs: tuple[Input, ...] = tuple(
        Input(number=n, unit=Unit.DEG_C, resolution=RESOLUTION_C, name=f"thermistor {n}")
        for n in range(1, CHANNELS + 1)
    )
    manual = "ICP DAS tM-TH8 user manual"
    revision = "A1.1 (manualslib.com 2885373)"
    stop_bound_s = 0.0
    pushes = False

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=9600))
        self._unit = settings.whole("address", 1, 1, 247)
        self.addresses = (self._unit,)
        self._type_codes = _type_codes(settings)
        settings.finish()
        self._silent: set[int] = set()
        self._has_flags = False
        self._has_reset = False
        self._polls = 0

    def identify(self) -> Dialogue[Identity]:
        """Read the values, then check whatever the module tells of its configuration.

        Raises `Refused` where its values would be misread: hexadecimal format, Fahrenheit, or
        another thermistor curve than the site says.
        """
        self._silent.clear()
        yield from self._read(modbus.INPUTS, VALUES, CHANNELS)
        yield from self._check_configuration()
        flags = yield from self._told(modbus.FLAGS, RANGE_FLAGS, CHANNELS)
        self._has_flags = flags is not None
        reset = yield from self._told(modbus.COILS, RESET, 1)
        self._has_reset = reset is not None
        name = yield from self._told(modbus.HOLDING, NAME, 4)
        if name is None:
            return Identity(model="tM-TH8")
        firmware, model = name[:4].hex(), name[4:].hex()
        return Identity(model=f"tM-TH8 (name registers {model})", firmware=firmware)

    def poll(self) -> Dialogue[Polled]:
        """Read the eight temperatures; now and then ask whether the module was restarted."""
        self._polls += 1
        if self._has_reset and self._polls % RESET_CHECK_POLLS == 0:
            reset, _ = yield from self._read(modbus.COILS, RESET, 1)
            if modbus.bits(reset, 1)[0]:
                yield from self._check_configuration()
        data, at = yield from self._read(modbus.INPUTS, VALUES, CHANNELS)
        measured = decode_values(data)
        if self._has_flags:
            flags, _ = yield from self._read(modbus.FLAGS, RANGE_FLAGS, CHANNELS)
            measured = with_flags(measured, modbus.bits(flags, CHANNELS))
        return Polled(at=at, measured=measured)

    def _check_configuration(self) -> Dialogue[None]:
        engineering = yield from self._told(modbus.COILS, ENGINEERING, 1)
        if engineering is not None and not modbus.bits(engineering, 1)[0]:
            raise Refused(
                f"module {self._unit} gives hexadecimal values; set its data format to "
                "engineering units (00269 = 1)"
            )
        celsius = yield from self._told(modbus.COILS, CELSIUS, 1)
        if celsius is not None and not modbus.bits(celsius, 1)[0]:
            raise Refused(f"module {self._unit} measures in °F; set it to Celsius (00267 = 1)")
        if self._type_codes:
            codes = yield from self._told(modbus.HOLDING, TYPE_CODES, CHANNELS)
            if codes is not None:
                self._check_types(modbus.words(codes))

    def _check_types(self, codes: tuple[int, ...]) -> None:
        for number, (code, wanted) in enumerate(zip(codes, self._type_codes, strict=True), 1):
            if code != wanted:
                raise Refused(
                    f"module {self._unit} has thermistor type {code:02X} on channel {number}, the "
                    f"site file says {wanted:02X}; correct the module or type_code"
                )

    def _read(self, function: int, first: int, count: int) -> Dialogue[tuple[bytes, Instant]]:
        reply = yield Ask(
            tx=modbus.read_request(self._unit, function, first, count),
            reply=modbus.read_reply(self._unit, function, count),
            timeout_s=0.2,
            quiet_s=SILENCE_S,
        )
        return modbus.content(reply.data), reply.at

    def _told(self, function: int, first: int, count: int) -> Dialogue[bytes | None]:
        """What an optional question brings; a function once met with silence is not used again."""
        if function in self._silent:
            return None
        for _ in range(2):
            try:
                data, _ = yield from self._read(function, first, count)
            except Refused:
                return None
            except NoReply:
                self._silent.add(function)
                return None
            except BadReply:
                continue
            return data
        return None


def _type_codes(settings: Settings) -> tuple[int, ...]:
    given = settings.given("type_code")
    codes = given if isinstance(given, list) else [given] * CHANNELS
    if given is None:
        return ()
    if len(codes) != CHANNELS or not all(type(code) is int and 0 <= code <= 255 for code in codes):
        raise settings.refuse("type_code", "it must be a type like 0x65, or a list of eight")
    return tuple(codes)
