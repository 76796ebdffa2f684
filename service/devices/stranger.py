"""Who answers where another instrument was looked for: asked as each driver would, setting nothing.

First it is listened to at the line settings of what speaks unasked. Then only questions are sent,
each at the line settings that its maker ships with and, where others were given, at those too. A
MasterFlex drive refuses questions before it is told to take commands, in a way that names it.
"""

import contextlib
from collections.abc import Iterator, Mapping

from drivers import modbus
from drivers.classes import Driver, Serial, SettingError
from drivers.dialogue import Ask, BadReply, Dialogue, NoReply, Refused, Tell
from drivers.frames import line_of_text, text_of
from drivers.line import Line
from drivers.link import describe
from drivers.port import LineLost
from drivers.registry import make_driver
from service.devices.bench import Bench, now
from service.devices.overheard import OFTEN, RARELY, who_speaks

ASKING: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("julabo", {}),
    ("lauda", {}),
    ("lauda", {"address": 1}),
    ("mettler_sics", {}),
    ("watson_marlow", {}),
    ("dcon_temperature", {}),
    ("dcon_temperature", {"checksum": True}),
    ("keller_33x", {}),
    ("neslab", {}),
    ("neslab", {"address": 1}),
)
"""Drivers whose identification sends questions only. Lines of text first: they leave no half
question behind, and what is binary finds the beginning of its own."""
MODBUS_LINE = Serial(baud=9600)
NAME, NAME_WORDS, ANSWER_S = 480, 4, 0.3
"""Where ICP DAS modules keep firmware and name; any Modbus device answers, if only by refusing."""

MODBUS_MODULES: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("icpdas_tm_th8", {}),
    ("icpdas_digital", {"outputs": 0}),
)
"""Without outputs a digital module's driver sets up no watchdog: it only reads."""
LINE_SETTINGS = ("baud", "bytesize", "parity", "stopbits")
MASTERFLEX = "driver masterflex"
MASTERFLEX_LINE = Serial(baud=115200)
NOT_IN_SERIAL_MODE = "~"
NOBODY = "nothing that another driver knows speaks or answers there at its usual line settings"
UNKNOWN = "something speaks there unasked that no driver knows, so no other question was sent"
Candidate = tuple[Serial, Dialogue[str]]


async def who_is_there(bench: Bench, may_ask: bool) -> str:
    """Which driver's instrument speaks or, where `may_ask`, answers; or that none is known."""
    answers = ""
    speaker = await who_speaks(bench.port, now, OFTEN)
    if may_ask and not speaker:
        answers = await _who_answers(bench)
    if not answers:
        speaker = speaker or await who_speaks(bench.port, now, RARELY)
    if speaker:
        return f"{speaker} speaks there, at {speaker.serial}"
    return answers or (NOBODY if may_ask else UNKNOWN)


async def _who_answers(bench: Bench) -> str:
    for serial, question in _candidates(bench):
        line = Line(bench.port, serial, now)
        with contextlib.suppress(NoReply, BadReply, Refused, LineLost):
            await line.open(_who_answers)
            try:
                if name := await line.run(question):
                    return f"{name} answers there, at {serial}"
            finally:
                line.close(_who_answers)
    return ""


def _candidates(bench: Bench) -> Iterator[Candidate]:
    given = {name: bench.settings[name] for name in ("address",) if name in bench.settings}
    line = {name: bench.settings[name] for name in LINE_SETTINGS if name in bench.settings}
    for other in ({}, line) if line else ({},):
        for name, settings in ASKING:
            driver = _made(name, {**settings, **given, **other})
            if name != bench.driver.name or driver.serial != bench.driver.serial:
                yield driver.serial, _named(driver)
    address = given.get("address", 1)
    unit = address if isinstance(address, int) else 1
    for one in dict.fromkeys((unit, 1)):
        yield MODBUS_LINE, ask_modbus(one)
    if bench.driver.name != "masterflex":
        yield MASTERFLEX_LINE, ask_masterflex(unit)
    yield bench.driver.serial, _end_half_a_question()


def _made(name: str, given: Mapping[str, object]) -> Driver:
    try:
        return make_driver(name, given)
    except SettingError:
        return make_driver(name, {})


def _named(driver: Driver) -> Dialogue[str]:
    identity = yield from driver.identify()
    return f"{describe(identity)} (driver {driver.name})"


def ask_masterflex(address: int) -> Dialogue[str]:
    """Its model, or `~` before it was told to take commands, which no other known device says.

    `#` behind an address asks nothing of a Watson-Marlow; the run state, `RC`, would turn it round.
    """
    tx = f"{address}#\r".encode("ascii")
    reply = yield Ask(tx=tx, reply=line_of_text, timeout_s=ANSWER_S)
    text = text_of(reply.data)
    if text == NOT_IN_SERIAL_MODE:
        return f"a MasterFlex pump that is not in serial mode, at address {address} ({MASTERFLEX})"
    return f"MasterFlex {text} ({MASTERFLEX})" if text.startswith("MFLX") else ""


def ask_modbus(address: int) -> Dialogue[str]:
    """Who answers at this address: ICP DAS modules have a name, and differ in what they measure."""
    unit = modbus.Unit(address, MODBUS_LINE, ANSWER_S)
    try:
        name, _ = yield from unit.read(modbus.HOLDING, NAME, NAME_WORDS)
    except Refused:
        return (
            f"a Modbus device at address {address}, not of ICP DAS (driver modbus_map, with the "
            "registers of its manual)"
        )
    for driver, settings in MODBUS_MODULES:
        try:
            named = yield from _named(make_driver(driver, {**settings, "address": address}))
            return f"{named}, address {address},"
        except (NoReply, BadReply, Refused):
            continue
    return f"a Modbus device at address {address} (name registers {name[4:].hex()})"


def _end_half_a_question() -> Dialogue[str]:
    """What is binary has no end of line: whoever reads lines must not add it to the next one."""
    yield Tell(tx=b"\r", quiet_s=0.3)
    return ""
