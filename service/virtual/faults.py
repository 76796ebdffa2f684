"""What can be wrong in a virtual room, when, and how it is written: `probe_open:pelvis@30m`.

    KIND[:TARGET][=VALUE]@TIME[ for DURATION]

TIME counts from the room's start (`30m`, `90s`, `1h`, bare seconds) or from the beginning of a
phase (`perfuse+10m`). Without a duration a fault stays. Kinds are in `READING_FAULTS` (target: a
channel or an instrument of the virtual room) and in `ROOM_FAULTS` (no target).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from service.core.model import Phase, Unit
from service.virtual.room import DEVICES, SOURCES


class FaultError(ValueError):
    """A fault that cannot be: the text says what is wrong and what is allowed."""


READING_FAULTS: Mapping[str, str] = {
    "off": "a channel's lead is open; an instrument is silent and keeps doing what it does",
    "stuck": "readings stand still; a drive answers but does nothing",
    "garbage": "a channel reads anything from 0 to full scale; an instrument's replies are rubbish",
    "offset": "wrong by VALUE; a heater's or pump's set-point is missed by VALUE",
    "slow": "follows with a time constant of VALUE s; an instrument answers every VALUE s",
    "delayed": "shows what was VALUE s ago; a drive does what it is told VALUE s later",
    "intermittent": "VALUE s without a reading, VALUE s with one, and so on",
    "drift": "wrong by VALUE more each minute",
    "displaced": "a site's probe reads the share VALUE of the core's temperature",
    "swapped": "reads what the channel VALUE should (name it after =)",
}
"""Faults of a channel (and, but for the last three, of an instrument), with what they do."""

ROOM_FAULTS: Mapping[str, str] = {
    "inflow_kink": "the inflow tube is clamped",
    "outflow_block": "nothing returns from the abdomen",
    "leak": "VALUE ml/min run out of the abdomen or the reservoir",
    "pump_stop": "somebody stops the pump at its keypad",
    "pump_stall": "the rotor stands, the pump says that it runs",
    "heater_stop": "somebody switches the heater off at its keypad",
    "heater_dead": "the heater says that it runs and gives no heat",
    "heater_runaway": "the bath is driven to VALUE °C, on or off",
}
"""Faults of the circuit and of drives, with what they do."""

ALIASES: Mapping[str, str] = {"probe_open": "off"}
CHANNEL_ONLY = frozenset({"drift", "displaced", "swapped"})
DEFAULTS: Mapping[str, float] = {
    "slow": 60.0,
    "delayed": 30.0,
    "intermittent": 5.0,
    "drift": 0.2,
    "displaced": 0.7,
    "leak": 150.0,
    "heater_runaway": 55.0,
}
DEVICE_DEFAULTS: Mapping[str, float] = {"slow": 5.0, "delayed": 5.0}
OFFSETS: Mapping[Unit, float] = {
    Unit.DEG_C: 1.0,
    Unit.ML_MIN: 300.0,
    Unit.MMHG: 15.0,
    Unit.ML: 300.0,
    Unit.RPM: 20.0,
    Unit.PERCENT: 20.0,
    Unit.ON_OFF: 1.0,
}
"""How far an `offset` without a value is off, in the unit of the channel or of the set-point."""

UNITS_S: Mapping[str, float] = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_SPEC = re.compile(
    r"(?P<kind>\w+)(:(?P<target>\w+))?(=(?P<value>[\w.+-]+))?"
    r"@(?P<at>[\w.+]+)( +for +(?P<for_s>[\w.]+))?"
)
_TIME = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a virtual room.

    `target` is a channel or an instrument ("" for faults of the room), `value` in the unit that the
    kind asks for (None: its default), `channel` the other channel of `swapped`. It begins `at_s`
    seconds after the room's start, or after `phase` has begun, and lasts `for_s` seconds.
    """

    kind: str
    target: str = ""
    value: float | None = None
    channel: str = ""
    at_s: float = 0.0
    phase: Phase | None = None
    for_s: float = inf

    def __post_init__(self) -> None:
        """Refuse what cannot be, saying what is allowed."""
        if self.kind in ROOM_FAULTS:
            if self.target:
                raise FaultError(f"{self.kind} is a fault of the room and has no target")
            return
        if self.kind not in READING_FAULTS:
            known = ", ".join((*READING_FAULTS, *ALIASES, *ROOM_FAULTS))
            raise FaultError(f"no fault is called {self.kind!r}; there are {known}")
        if self.target not in SOURCES and self.target not in DEVICES:
            known = ", ".join((*SOURCES, *DEVICES))
            raise FaultError(f"{self.kind} needs a target; {self.target!r} is none of {known}")
        if self.kind in CHANNEL_ONLY and self.target in DEVICES:
            raise FaultError(f"{self.kind} is a fault of one channel, not of the {self.target}")
        if self.kind == "swapped" and self.channel not in SOURCES:
            raise FaultError(
                f"swapped needs the other channel after =, one of {', '.join(SOURCES)}"
            )

    @property
    def of_device(self) -> bool:
        """Whether an instrument as a whole is meant."""
        return self.target in DEVICES

    @property
    def figure(self) -> float:
        """The value, or the default of this kind (0 where the kind has none)."""
        if self.value is not None:
            return self.value
        given = {**DEFAULTS, **DEVICE_DEFAULTS} if self.of_device else DEFAULTS
        return given.get(self.kind, 0.0)


def parse(spec: str) -> Fault:
    """The fault that a text says; raises `FaultError` for anything else."""
    found = _SPEC.fullmatch(spec.strip())
    if found is None:
        raise FaultError(
            f"{spec!r} is no fault; write KIND[:TARGET][=VALUE]@TIME[ for DURATION], "
            "such as probe_open:pelvis@30m or inflow_kink@40m for 2m"
        )
    kind = ALIASES.get(found["kind"], found["kind"])
    at, phase = found["at"], None
    if "+" in at:
        name, at = at.split("+", 1)
        if name not in set(Phase):
            raise FaultError(f"{spec!r}: {name!r} is no phase; there are {', '.join(Phase)}")
        phase = Phase(name)
    given = found["value"] or ""
    number = _number(spec, given) if given and kind != "swapped" else None
    return Fault(
        kind=kind,
        target=found["target"] or "",
        value=number,
        channel=given if kind == "swapped" else "",
        at_s=_seconds(spec, at),
        phase=phase,
        for_s=_seconds(spec, found["for_s"]) if found["for_s"] else inf,
    )


def _number(spec: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise FaultError(f"{spec!r}: {text!r} is not a number") from None


def _seconds(spec: str, text: str) -> float:
    found = _TIME.fullmatch(text)
    if found is None:
        raise FaultError(f"{spec!r}: {text!r} is no time; write 90s, 30m, 1h or perfuse+10m")
    return float(found[1]) * UNITS_S[found[2]]
