"""Temperature modules that speak DCON or ADAM ASCII: I-7018, tM-TH8 in DCON mode, ADAM-4018+.

Manuals: I-7011/I-7018 p. 24-25 (reading), M-7084 p. 27-28 (check sum), tM-TH8 A1.1 p. 36 (disabled
channels are spaces); Advantech ADAM-4000 p. 5-4 (data formats), 5-14 (codes out of range), B-2 (a
value is a sign, five digits and a point). A module is silent to a wrong address, a wrong check sum
and, where it wants a check sum, to a question without one.

The answer to `#AA` names no address, so another module's answer cannot be told from this one's:
addresses on a line must differ. The check sum finds any single wrong bit, not two that cancel.
"""

import re
from collections.abc import Sequence

from drivers.classes import Identity, Input, Measured, Polled, Serial
from drivers.dialogue import Ask, BadReply, Dialogue, Framer, NoReply, Refused, Reply
from drivers.frames import LONGEST_LINE, arrived
from drivers.settings import Settings
from drivers.ysi400 import OPEN_ABOVE_OHM, SHORT_BELOW_OHM, temperature_c
from service.core.model import DeviceClass, Unit, Validity

DISABLED = " " * 7
VALUE = r"[+-](?=[\d.]{6}(?![\d.]))\d+\.\d*"
OVER_CODES, UNDER_CODES = ("+9999.9", "+9999"), ("-9999.9", "-0000")
LOWEST_C, HIGHEST_C = -50.0, 150.0
"""The widest range of the modules' thermistor types: a code that nobody listed lies beyond it."""
OVER = (Validity.OVERFLOW, "open probe or over range")
UNDER = (Validity.UNDERFLOW, "shorted probe or under range")
OPEN = (Validity.UNDERFLOW, "open probe: resistance above the range")
SHORT = (Validity.OVERFLOW, "shorted probe: resistance below the range")
OFF = (Validity.NOT_AVAILABLE, "the channel is disabled in the module")
FORMATS = ("engineering units", "percent of full scale", "hexadecimal values", "ohm")
GIVEN_FORMAT = {"degC": 0, "ohm": 3}
CONFIGURATION = re.compile(r"([0-9A-F]{2})[0-9A-F]{2}([0-9A-F]{2})")
ANSWER_S = 0.2


def check_sum(body: bytes) -> bytes:
    """The sum of all bytes, modulo 256, as two upper-case hexadecimal characters."""
    return f"{sum(body) & 0xFF:02X}".encode("ascii")


def request(lead: str, address: int, command: str = "", *, checksum: bool = False) -> bytes:
    """A question to the module at `address`, which is hexadecimal on the wire."""
    body = f"{lead}{address:02X}{command}".encode("ascii")
    return body + (check_sum(body) if checksum else b"") + b"\r"


def reply_to(lead: str, address: int, *, checksum: bool = False) -> Framer:
    """Frame the answer to a question that began with `lead`, or the `?AA` that stands for it."""
    good = b">" if lead == "#" else f"!{address:02X}".encode("ascii")
    heads = (good, f"?{address:02X}".encode("ascii"))

    def frame(data: bytes) -> int | None:
        body, end, _ = data.partition(b"\r")
        whole = body.startswith(heads)
        if not whole and (end or not any(head.startswith(body) for head in heads)):
            raise BadReply(f"{arrived(data)} arrived, which is no answer of module {address}")
        if not end:
            if len(data) > LONGEST_LINE:
                raise BadReply(f"{arrived(data)} arrived without an end of line")
            return None
        if checksum and check_sum(body[:-2]) != body[-2:]:
            raise BadReply(f"{arrived(body)} arrived with a wrong check sum, or without one")
        return len(body) + 1

    return frame


def content(reply: bytes, *, checksum: bool = False) -> str:
    """The text behind the head of a framed reply; raises `Refused` where that head is `?AA`."""
    text = reply[: -3 if checksum else -1].decode("latin-1")
    if text[0] == "?":
        raise Refused(
            f"module {int(text[1:3], 16)} refuses the question (it answers {text}); look which "
            "model it is and that it is set to DCON"
        )
    return text[1 if text[0] == ">" else 3 :]


def fields(text: str, codes: Sequence[str]) -> list[str]:
    """One field per channel: a value of seven characters, seven spaces, or one of `codes`.

    Empty where the text is anything else.
    """
    field = "|".join([*(re.escape(code) + r"(?![\d.])" for code in codes), VALUE, DISABLED])
    return re.findall(field, text) if re.fullmatch(f"(?:{field})+", text) else []


class Dcon:
    """Driver of one module.

    Settings: `address` 1-255, `checksum` (the module is set to use it), `channels` (how many the
    module sends, disabled ones included), `gives` "degC" or "ohm" (of YSI-400 probes), the texts
    `over_codes` and `under_codes`, which the manuals do not give for every module; for probes in
    ohm `open_above_ohm` and `short_below_ohm`; `fahrenheit_bit` of the configuration's FF byte
    (0 where a module has none).
    """

    name = "dcon_temperature"
    device_class = DeviceClass.TEMPERATURE
    manual = "ICP DAS I-7018 p. 24-25, M-7084 p. 27-28, tM-TH8 A1.1 p. 36; ADAM-4000 p. 5-4, 5-14"
    revision = "tM-TH8 A1.1; of the others none stated; copies seen: manualshive.com 3759153"
    stop_bound_s = 0.0
    pushes = False

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=9600))
        self._address = settings.whole("address", 1, 1, 255)
        self.addresses = (self._address,)
        self._checksum = settings.flag("checksum")
        self._channels = settings.whole("channels", 8, 1, 16)
        self._gives = settings.choice("gives", "degC", tuple(GIVEN_FORMAT))
        over = _codes(settings, "over_codes", OVER_CODES)
        under = _codes(settings, "under_codes", UNDER_CODES)
        self._open_ohm = settings.number("open_above_ohm", None, 1000, 1e6) or OPEN_ABOVE_OHM
        self._short_ohm = settings.number("short_below_ohm", None, 1, 1000) or SHORT_BELOW_OHM
        self._fahrenheit_bit = settings.whole("fahrenheit_bit", 0x20, 0, 0xFF)
        settings.finish()
        above, below = (OPEN, SHORT) if self._gives == "ohm" else (OVER, UNDER)
        self._meaning = dict.fromkeys(over, above) | dict.fromkeys(under, below) | {DISABLED: OFF}
        self.inputs: tuple[Input, ...] = tuple(
            Input(number=n, unit=Unit.DEG_C, resolution=0.01, name=f"temperature {n}")
            for n in range(1, self._channels + 1)
        )

    def identify(self) -> Dialogue[Identity]:
        """Ask for configuration and name, which not every module tells, then for the values.

        Raises `Refused` where the values would be misread: another data format, or Fahrenheit.
        """
        configuration = yield from self._told("2")
        type_code = "" if configuration is None else self._check(configuration)
        name = yield from self._told("M")
        try:
            yield from self.poll()
        except NoReply as silence:
            hint = "a module that uses check sums is silent unless checksum = true is set"
            raise NoReply(f"{silence} ({hint})") from None
        return Identity(model=f"DCON module {name or ''}".strip() + type_code)

    def poll(self) -> Dialogue[Polled]:
        """Read all channels at once."""
        reply = yield self._ask("#")
        text = content(reply.data, checksum=self._checksum)
        found = fields(text, [code for code in self._meaning if code != DISABLED])
        if len(found) != self._channels:
            raise BadReply(
                f'"{text}" arrived, which is not the values of {self._channels} channels; look at '
                "the setting channels and at the module's data format"
            )
        measured = tuple(self._measured(number, field) for number, field in enumerate(found, 1))
        return Polled(at=reply.at, measured=measured)

    def _measured(self, number: int, field: str) -> Measured:
        if field in self._meaning:
            return _without_value(number, *self._meaning[field])
        value = float(field)
        if self._gives == "ohm":
            if value > self._open_ohm:
                return _without_value(number, *OPEN)
            if value < self._short_ohm:
                return _without_value(number, *SHORT)
            value = temperature_c(value)
        if not LOWEST_C <= value <= HIGHEST_C:
            return _without_value(number, *(OVER if value > 0 else UNDER))
        return Measured(input=number, value=round(value, 2))

    def _check(self, configuration: str) -> str:
        found = CONFIGURATION.fullmatch(configuration)
        if found is None:
            raise BadReply(f'"{configuration}" arrived, which is no configuration of a module')
        flags, wanted = int(found[2], 16), GIVEN_FORMAT[self._gives]
        if flags & 3 != wanted:
            raise Refused(
                f"module {self._address} gives {FORMATS[flags & 3]}; set its data format to "
                f"{FORMATS[wanted]}, or correct the setting gives"
            )
        if flags & self._fahrenheit_bit and self._gives == "degC":
            raise Refused(f"module {self._address} measures in °F; set it to Celsius")
        return f", type {found[1]}"

    def _ask(self, lead: str, command: str = "") -> Ask:
        return Ask(
            tx=request(lead, self._address, command, checksum=self._checksum),
            reply=reply_to(lead, self._address, checksum=self._checksum),
            timeout_s=ANSWER_S,
        )

    def _told(self, command: str) -> Dialogue[str | None]:
        """What an optional question brings; None where the module refuses it or is silent."""
        try:
            reply: Reply = yield self._ask("$", command)
            return content(reply.data, checksum=self._checksum)
        except (NoReply, Refused):
            return None


def _without_value(number: int, validity: Validity, reason: str) -> Measured:
    return Measured(input=number, value=None, validity=validity, reason=reason)


def _codes(settings: Settings, name: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    given = settings.given(name)
    if given is None:
        return usual
    if not isinstance(given, list) or not all(
        isinstance(code, str) and re.fullmatch(r"[+-][\d.]{1,7}", code) for code in given
    ):
        raise settings.refuse(name, 'it must be a list of texts like "+9999.9"')
    return tuple(given)
