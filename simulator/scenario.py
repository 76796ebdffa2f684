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
[instrument.heater]                 # which one stands there (simulator.catalogue); its settings
model = "lauda"
[instrument.pump]                   # settings of an instrument, see its module
echo = true
[instrument.switches]               # a port that not every room has: scale, switches, monitor
[[at]]                              # seconds of plant time, then a control request
s = 600
do = "fault"
device = "heater"
fault = "unplug"
"""

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_origin

from simulator.catalogue import CATALOGUE, usual
from simulator.plant import Parameters

FILLED_CAVITY_ML = 3000.0
_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "text",
    float: "a number",
    float | None: "a number",
    int | None: "a whole number",
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
    filled, pump stopped, heater stopped in remote mode, so that any program can drive it.

    `models` and `settings` are by port; a port in either of them stands in the room."""

    seed: int = 1
    parameters: Parameters = field(
        default_factory=lambda: Parameters(cavity_start_ml=FILLED_CAVITY_ML)
    )
    start: Start = Start()
    models: Mapping[str, str] = field(default_factory=dict)
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
    instruments = _table(table, "instrument")
    models = {port: _model(port, given) for port, given in instruments.items()}
    return Scenario(
        seed=seed,
        parameters=_parameters(table, start),
        start=start,
        models=models,
        settings={port: _settings(port, models[port], instruments[port]) for port in models},
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


def _model(port: str, given: Any) -> str:
    """The name of the model that an instrument's table chooses."""
    if port not in CATALOGUE:
        raise ScenarioError(
            f"instrument.{port}: no such instrument; there are {', '.join(CATALOGUE)}"
        )
    if not isinstance(given, Mapping):
        raise ScenarioError(f"instrument.{port} is {given!r}; it must be a table")
    name = given.get("model", usual(port))
    if not isinstance(name, str) or name not in CATALOGUE[port]:
        known = ", ".join(CATALOGUE[port])
        raise ScenarioError(f"instrument.{port}.model is {name!r}; it must be one of {known}")
    return name


def _settings(port: str, name: str, given: Mapping[str, Any]) -> Any:
    model = CATALOGUE[port][name]
    own = {field: value for field, value in given.items() if field != "model"}
    return _fill(model.settings, own, f"instrument.{port}", make=model.prepare)


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


def _fill(
    kind: type,
    given: Mapping[str, Any],
    where: str,
    *,
    make: Callable[..., Any] | None = None,
) -> Any:
    """A settings object of this kind, by `make`; every value must have the type of its field."""
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
        return (make or kind)(**values)
    except ValueError as error:
        raise ScenarioError(f"{where}: {error}") from error


def _fits(value: object, kind: Any) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind in (float, float | None):
        return isinstance(value, int | float)
    if kind in (int, str, int | None):
        return isinstance(value, kind)
    return get_origin(kind) is Literal and isinstance(value, str)
