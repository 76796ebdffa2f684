"""Scenario files: which patient, how the room starts, and what happens to it when (TOML).

technique = "open"                  # or "closed", the default
seed = 7
[plant]                             # any figure of simulator.plant.Parameters
core_start_c = 35.5
[start]
patient_connected = true            # the cavity then starts filled
pump_rpm = 63
heater_on = true
bath_set_c = 46.5
[instrument.pump]                   # settings of an instrument, see its module
echo = true
[[at]]                              # seconds of plant time, then a control request
s = 600
do = "fault"
device = "heater"
fault = "unplug"
"""

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_origin

from simulator.devices.bioprott import FlowMeterSettings
from simulator.devices.julabo import CirculatorSettings
from simulator.devices.keller_33x import PressureLineSettings
from simulator.devices.tm_th8 import ThermistorSettings
from simulator.devices.watson_marlow import PumpSettings
from simulator.plant import Parameters

FILLED_CAVITY_ML = 3000.0
SETTINGS: Mapping[str, type] = {
    "sites": ThermistorSettings,
    "circuit": ThermistorSettings,
    "pump": PumpSettings,
    "heater": CirculatorSettings,
    "pressure": PressureLineSettings,
    "flow": FlowMeterSettings,
}

_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "text",
    float: "a number",
    float | None: "a number",
}


class ScenarioError(ValueError):
    """A scenario that cannot be run; the text names the file, the field and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The room at its first second; speed in rpm, temperature in °C, None leaves the device's."""

    patient_connected: bool = True
    pump_rpm: float = 0.0
    heater_on: bool = False
    bath_set_c: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One action of the control channel, `at_s` seconds of plant time after the start."""

    at_s: float
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything a room starts from. The default: closed technique, patient connected, cavity
    filled, pump stopped, heater stopped in remote mode, so that any program can drive it."""

    seed: int = 1
    parameters: Parameters = field(
        default_factory=lambda: Parameters(cavity_start_ml=FILLED_CAVITY_ML)
    )
    start: Start = Start()
    settings: Mapping[str, Any] = field(default_factory=dict)
    timed: tuple[Timed, ...] = ()


def load(path: Path) -> Scenario:
    """Read a scenario file. Raises ScenarioError naming file and field."""
    try:
        return parse(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"{path}: is not TOML: {error}") from error
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from error


def parse(table: Mapping[str, Any]) -> Scenario:
    """A scenario from its table. Raises ScenarioError naming the field."""
    known = ("technique", "seed", "plant", "start", "instrument", "at")
    for name in table:
        if name not in known:
            raise ScenarioError(f"unknown field {name!r}; a scenario has {', '.join(known)}")
    seed = table.get("seed", 1)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ScenarioError(f"seed is {seed!r}; it must be a whole number")
    start = _fill(Start, _table(table, "start"), "start")
    return Scenario(
        seed=seed,
        parameters=_parameters(table, start),
        start=start,
        settings=_settings(_table(table, "instrument")),
        timed=_timed(table.get("at", [])),
    )


def _parameters(table: Mapping[str, Any], start: Start) -> Parameters:
    given = dict(_table(table, "plant"))
    if "technique" in given:
        raise ScenarioError("plant.technique: write technique at the top of the file instead")
    if start.patient_connected:
        given.setdefault("cavity_start_ml", FILLED_CAVITY_ML)
    given["technique"] = table.get("technique", "closed")
    return _fill(Parameters, given, "plant")


def _settings(tables: Mapping[str, Any]) -> dict[str, Any]:
    made = {}
    for name, given in tables.items():
        if name not in SETTINGS:
            raise ScenarioError(
                f"instrument.{name}: no such instrument; there are {', '.join(SETTINGS)}"
            )
        where = f"instrument.{name}"
        if not isinstance(given, Mapping):
            raise ScenarioError(f"{where} is {given!r}; it must be a table")
        if name == "pump" and given.get("model") == "323Du":
            _fill(PumpSettings, given, where)
            made[name] = PumpSettings.dialect_323(**given)
        else:
            made[name] = _fill(SETTINGS[name], given, where)
    return made


def _timed(entries: Any) -> tuple[Timed, ...]:
    if not isinstance(entries, list) or not all(isinstance(each, Mapping) for each in entries):
        raise ScenarioError("at must be written as [[at]] tables")
    made = []
    for index, entry in enumerate(entries, start=1):
        at_s = entry.get("s")
        if isinstance(at_s, bool) or not isinstance(at_s, int | float) or at_s < 0:
            raise ScenarioError(f"at {index}: s is {at_s!r}; it must be seconds from 0")
        request = {name: value for name, value in entry.items() if name != "s"}
        made.append(Timed(at_s=float(at_s), request=request))
    return tuple(sorted(made, key=lambda each: each.at_s))


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = table.get(name, {})
    if not isinstance(found, Mapping):
        raise ScenarioError(f"{name} is {found!r}; it must be a table")
    return found


def _fill(kind: type, given: Mapping[str, Any], where: str) -> Any:
    """Make a settings object; every value must have the type of its field."""
    fields = {each.name: each for each in dataclasses.fields(kind)}
    values = {}
    for name, value in given.items():
        if name not in fields:
            raise ScenarioError(f"{where}.{name}: unknown; there are {', '.join(fields)}")
        wanted = fields[name].type
        if not _fits(value, wanted):
            words = _WORDS.get(wanted, "left as it is")
            raise ScenarioError(f"{where}.{name} is {value!r}; it must be {words}")
        values[name] = float(value) if wanted in (float, float | None) else value
    try:
        return kind(**values)
    except ValueError as error:
        raise ScenarioError(f"{where}: {error}") from error


def _fits(value: object, kind: Any) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind in (float, float | None):
        return isinstance(value, int | float)
    if kind in (int, str):
        return isinstance(value, kind)
    return get_origin(kind) is Literal and isinstance(value, str)
