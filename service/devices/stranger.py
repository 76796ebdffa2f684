"""Who answers where another instrument was looked for: asked as each driver would, setting nothing.

Only questions are sent, each at the line settings that its maker ships with, and nothing at all to
what speaks unasked. A MasterFlex drive answers no question before it is told to take commands, and
an S/5 monitor none at all, so neither can be named.
"""

import contextlib
from collections.abc import Iterator, Mapping

from drivers import modbus
from drivers.classes import Driver, Serial, SettingError
from drivers.dialogue import BadReply, Dialogue, NoReply, Refused, Tell
from drivers.line import Line
from drivers.link import describe
from drivers.port import LineLost
from drivers.registry import make_driver
from service.devices.bench import Bench, now

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

Candidate = tuple[Serial, Dialogue[str]]


async def who_answers(bench: Bench) -> str:
    """Which other driver's instrument, in words; empty where none can be told."""
    for serial, question in _candidates(bench):
        line = Line(bench.port, serial, now)
        with contextlib.suppress(NoReply, BadReply, Refused, LineLost):
            await line.open(who_answers)
            try:
                return await line.run(question)
            finally:
                line.close(who_answers)
    return ""


def _candidates(bench: Bench) -> Iterator[Candidate]:
    given = {name: bench.settings[name] for name in ("address",) if name in bench.settings}
    for name, settings in ASKING:
        if name != bench.driver.name:
            driver = _made(name, {**settings, **given})
            yield driver.serial, _named(driver)
    yield MODBUS_LINE, _modbus(given.get("address", 1))
    yield bench.driver.serial, _end_half_a_question()


def _made(name: str, given: Mapping[str, object]) -> Driver:
    try:
        return make_driver(name, given)
    except SettingError:
        return make_driver(name, {})


def _named(driver: Driver) -> Dialogue[str]:
    identity = yield from driver.identify()
    return f"{describe(identity)} (driver {driver.name})"


def _end_half_a_question() -> Dialogue[str]:
    """What is binary has no end of line: whoever reads lines must not add it to the next one."""
    yield Tell(tx=b"\r", quiet_s=0.3)
    return ""


def _modbus(address: object) -> Dialogue[str]:
    unit = modbus.Unit(address if isinstance(address, int) else 1, MODBUS_LINE, ANSWER_S)
    try:
        data, _ = yield from unit.read(modbus.HOLDING, NAME, NAME_WORDS)
        told = f"name registers {data[4:].hex()}"
    except Refused:
        told = "not of ICP DAS"
    return f"a Modbus device at address {unit.address} ({told})"
