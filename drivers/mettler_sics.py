"""Scales under the reservoir that speak MT-SICS level 0 or 1: Mettler-Toledo and other makes.

MT-SICS reference manual, level 0 (`SI`, `I4`) and level 1 (`TA`); operating instructions JS p. 30,
AL-IC p. 72. 9600 8N1, lines end in CR LF. A weight is ten characters, right-aligned, and its unit.
There is no check sum: the width of the weight is checked. Volume is net mass by density.

A scale that gets its power back says `I4 A "…"` unasked and has lost its tare: its weights then
hold the reservoir itself. That line is listened for, and the tare is asked for now and then, which
also finds a power cut that passed while the cable was out. `@` is never sent: it clears the tare.
"""

import re

from drivers.classes import Identity, Input, Measured, Polled, Serial
from drivers.dialogue import Ask, BadReply, Dialogue, Listen, NoReply, Refused, Reply
from drivers.frames import line_of_text, text_of
from drivers.settings import Settings
from service.core.model import DeviceClass, Instant, Unit, Validity

GRAMS = {
    "g": 1.0,
    "kg": 1000.0,
    "mg": 0.001,
    "t": 1e6,
    "lb": 453.59237,
    "oz": 28.349523125,
    "ozt": 31.1034768,
    "dwt": 1.55517384,
    "GN": 0.06479891,
    "ct": 0.2,
}
NUMBER = r"[+-]?\d+(?:\.\d+)?"
TARE = re.compile(rf"TA A +({NUMBER}) (\S+)")
SERIAL_NUMBER = re.compile(r'I4 A "([^"]*)"')
# Newer weigh modules put an error of their own in the place of the weight.
FAILED = re.compile(r"S S +(Error \w+)")
WITHOUT_VALUE = {
    "S I": (Validity.NOT_AVAILABLE, "the scale is busy, or starting"),
    "S +": (Validity.OVERFLOW, "overload: take off what does not belong on the scale"),
    "S -": (Validity.UNDERFLOW, "underload: put the reservoir back on the scale"),
}
MISHEARD = {
    "ES": "the scale did not understand the question",
    "ET": "the scale received disturbed bytes; look at baud rate, parity and cable",
}
CANNOT = {
    "EL": "the scale cannot do what was asked; look which model it is",
    "S L": "the scale does not take the question; look which model it is",
}
WEIGHT_LINE = re.compile(rf"S [SD] +{NUMBER} (?:{'|'.join(GRAMS)})")
RESTARTED = "the scale was restarted and its tare is lost; tare it again with the empty reservoir"
TARE_CHECK_POLLS = 10
ANSWER_S = 0.3


def is_weight(line: bytes) -> bool:
    """Whether a line without its end is a weight, as a scale says it to `SI` or repeats it."""
    return WEIGHT_LINE.fullmatch(line.decode("latin-1")) is not None


class MettlerSics:
    """Driver of one scale.

    Settings: `density_g_ml`; `jump_ml` and `most_ml_min` (a volume farther from the last believed
    one than `jump_ml` plus what a flow of `most_ml_min` moves in the time since is questionable:
    somebody leans on the scale, or lifts it); `weight_chars`, ten unless another make differs.
    A moving (dynamic) weight is valid: a running pump never lets the scale rest.

    After a restart all volumes are questionable until the scale tells a tare again; where a scale
    tells none (level 0), until the next connection.
    """

    name = "mettler_sics"
    device_class = DeviceClass.SCALE
    inputs: tuple[Input, ...] = (
        Input(number=1, unit=Unit.ML, resolution=1.0, name="volume (net mass by density)"),
    )
    manual = "Mettler-Toledo MT-SICS reference manual level 0 and 1; JS p. 30; AL-IC p. 72"
    revision = "none stated; copies seen: JS and AL-IC operating instructions"
    stop_bound_s = 0.0
    pushes = False

    def __init__(self, **given: object) -> None:
        settings = Settings(self.name, given)
        self.serial = settings.serial(Serial(baud=9600))
        self._density_g_ml = settings.number("density_g_ml", None, 0.9, 1.3) or 1.0
        self._jump_ml = settings.number("jump_ml", None, 1, 1e4) or 100.0
        self._most_ml_min = settings.number("most_ml_min", None, 1, 1e6) or 3000.0
        width = settings.whole("weight_chars", 10, 6, 16)
        settings.finish()
        self._weight = re.compile(rf"S [SD] (?=.{{{width}}} \S) *({NUMBER}) (\S+)")
        self._believed: tuple[float, Instant] | None = None
        self._tare_g: float | None = None
        self._restarted = False
        self._polls = 0

    def identify(self) -> Dialogue[Identity]:
        """Ask for a weight (which also ends continuous output), the serial number and the tare.

        Raises `Refused` where the scale shows what is not a mass.
        """
        if self._tare_g is None:
            self._restarted = False
        text, at = yield from self._ask_weight()
        self._measured(text, at)
        answer = text_of((yield _ask("I4")).data)
        found = SERIAL_NUMBER.fullmatch(answer)
        if found is None:
            _raise_error(answer)
            raise BadReply(f'"{answer}" arrived instead of a serial number')
        yield from self._look_at_tare()
        return Identity(model="MT-SICS scale", serial=found[1])

    def poll(self) -> Dialogue[Polled]:
        """Take what the scale said unasked, now and then its tare, then the weight of now."""
        yield from self._unasked()
        self._polls += 1
        if self._restarted or self._polls % TARE_CHECK_POLLS == 0:
            yield from self._look_at_tare()
        text, at = yield from self._ask_weight()
        return Polled(at=at, measured=(self._measured(text, at),))

    def _measured(self, text: str, at: Instant) -> Measured:
        _raise_error(text)
        failed = FAILED.fullmatch(text)
        if failed:
            reason = f"the scale reports {failed[1]}; look it up in its manual"
            return Measured(input=1, value=None, validity=Validity.INVALID, reason=reason)
        if text in WITHOUT_VALUE:
            validity, reason = WITHOUT_VALUE[text]
            return Measured(input=1, value=None, validity=validity, reason=reason)
        found = self._weight.fullmatch(text)
        if found is None:
            raise BadReply(f'"{text}" arrived instead of a weight')
        volume_ml = round(_grams(found[1], found[2]) / self._density_g_ml, 1)
        doubt = self._doubt(volume_ml, at)
        validity = Validity.QUESTIONABLE if doubt else Validity.VALID
        return Measured(input=1, value=volume_ml, validity=validity, reason=doubt)

    def _doubt(self, volume_ml: float, at: Instant) -> str:
        """Why this volume may not be the reservoir's; empty when it may be believed."""
        if self._restarted:
            return RESTARTED
        if self._believed:
            before_ml, before = self._believed
            changed_ml = volume_ml - before_ml
            could_ml = self._jump_ml + self._most_ml_min * at.seconds_since(before) / 60
            if abs(changed_ml) > could_ml:
                return f"jumped by {changed_ml:+.0f} ml; look what leans on the scale or lifts it"
        if volume_ml < -self._jump_ml:
            return "less than the empty reservoir; look at the tare of the scale"
        self._believed = (volume_ml, at)
        return ""

    def _ask_weight(self) -> Dialogue[tuple[str, Instant]]:
        reply: Reply = yield _ask("SI")
        if self._greets(reply):
            reply = yield Listen(reply=line_of_text, timeout_s=ANSWER_S)
        return text_of(reply.data), reply.at

    def _unasked(self) -> Dialogue[None]:
        while True:
            try:
                self._greets((yield Listen(reply=line_of_text, timeout_s=0.0)))
            except NoReply:
                return
            except BadReply:
                continue

    def _greets(self, reply: Reply) -> bool:
        """Whether this is what a scale says after power-on; its old tare is gone then."""
        if SERIAL_NUMBER.fullmatch(reply.data.decode("latin-1").strip("\r\n ")) is None:
            return False
        self._forget_tare()
        return True

    def _look_at_tare(self) -> Dialogue[None]:
        """A scale of level 0 does not tell its tare, by an error or by silence."""
        try:
            found = TARE.fullmatch(text_of((yield _ask("TA")).data))
        except NoReply:
            return
        if found is None:
            return
        tare_g = _grams(found[1], found[2])
        if tare_g:
            self._restarted = False
        elif self._tare_g:
            self._forget_tare()
        self._tare_g = tare_g

    def _forget_tare(self) -> None:
        self._restarted, self._believed = True, None


def _ask(command: str) -> Ask:
    return Ask(tx=f"{command}\r\n".encode("ascii"), reply=line_of_text, timeout_s=ANSWER_S)


def _grams(number: str, unit: str) -> float:
    if unit not in GRAMS:
        raise Refused(f'the scale shows "{unit}", which is no mass; set its unit to g or kg')
    return float(number) * GRAMS[unit]


def _raise_error(text: str) -> None:
    if text in MISHEARD:
        raise BadReply(f"{MISHEARD[text]} (it answers {text})")
    if text in CANNOT:
        raise Refused(f"{CANNOT[text]} (it answers {text})")
