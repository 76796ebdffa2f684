"""What the virtual room's channels show: the plant through each input, and what is wrong there."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf

from service.core.changing import maker
from service.core.model import Channel, Reading, Unit, Validity
from service.virtual.faults import OFFSETS, Fault
from service.virtual.room import RESOLUTION
from simulator.plant.probes import noise

FULL_SCALE: Mapping[Unit, float] = {
    Unit.DEG_C: 60.0,
    Unit.ML_MIN: 3000.0,
    Unit.MMHG: 300.0,
    Unit.ML: 5000.0,
    Unit.RPM: 300.0,
    Unit.PERCENT: 100.0,
    Unit.ON_OFF: 1.0,
}
"""The highest reading of an input that reads garbage."""

NOISE_REACH = 3.5
"""`noise` lies within this of 0 on both sides."""


@dataclass(slots=True, kw_only=True)
class Trouble:
    """A fault that has begun: from when to when (s), and what it remembers."""

    fault: Fault
    from_s: float
    until_s: float = inf
    held: dict[str, float] = field(default_factory=dict)
    past: dict[str, deque[float]] = field(default_factory=dict)

    def copy(self) -> "Trouble":
        """One with a memory of its own."""
        return Trouble(
            fault=self.fault,
            from_s=self.from_s,
            until_s=self.until_s,
            held=dict(self.held),
            past={name: deque(values) for name, values in self.past.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at one channel: what it would show (`value`), what all would, and when (s)."""

    channel: Channel
    value: float
    values: Mapping[str, float]
    before: Mapping[str, float]
    now_s: float
    seed: int


Spoil = Callable[[Trouble, Look], float | None]
"""What a troubled channel shows, None for no reading."""


def shown(trouble: Trouble, look: Look) -> float | None:
    """What a channel in trouble shows, in its unit; None when it has no reading."""
    value = SPOILS[trouble.fault.kind](trouble, look)
    return None if value is None else round(value, RESOLUTION[look.channel.unit])


def reading(channel: Channel, value: float | None) -> Reading:
    """The channel's reading; without a value its lead is open."""
    if value is None:
        return Reading(
            channel=channel.id,
            value=None,
            unit=channel.unit,
            validity=Validity.INVALID,
            reason="open probe",
        )
    return MAKE_READING(channel.id, value, channel.unit, Validity.VALID, "")


MAKE_READING = maker(Reading)


def silent_half(trouble: Trouble, now_s: float) -> bool:
    """Whether an intermittent fault is in a half without readings."""
    return int((now_s - trouble.from_s) / trouble.fault.figure) % 2 == 0


def _off(trouble: Trouble, look: Look) -> float | None:
    return None


def _stuck(trouble: Trouble, look: Look) -> float | None:
    return trouble.held.setdefault(look.channel.id, look.before.get(look.channel.id, look.value))


def _garbage(trouble: Trouble, look: Look) -> float | None:
    drawn = noise(look.seed, 100 + look.channel.input, look.now_s)
    return FULL_SCALE[look.channel.unit] * (drawn + NOISE_REACH) / (2.0 * NOISE_REACH)


def _offset(trouble: Trouble, look: Look) -> float | None:
    off = trouble.fault.value
    return look.value + (OFFSETS[look.channel.unit] if off is None else off)


def _slow(trouble: Trouble, look: Look) -> float | None:
    last = trouble.held.get(look.channel.id, look.before.get(look.channel.id, look.value))
    follows = 1.0 / (1.0 + trouble.fault.figure)
    trouble.held[look.channel.id] = last + follows * (look.value - last)
    return trouble.held[look.channel.id]


def _delayed(trouble: Trouble, look: Look) -> float | None:
    past = trouble.past.setdefault(look.channel.id, deque())
    past.append(look.value)
    return past.popleft() if len(past) > trouble.fault.figure else past[0]


def _intermittent(trouble: Trouble, look: Look) -> float | None:
    return None if silent_half(trouble, look.now_s) else look.value


def _drift(trouble: Trouble, look: Look) -> float | None:
    return look.value + trouble.fault.figure * (look.now_s - trouble.from_s) / 60.0


def _displaced(trouble: Trouble, look: Look) -> float | None:
    core_c = look.values["nasopharynx"]
    return look.value + trouble.fault.figure * (core_c - look.value)


def _swapped(trouble: Trouble, look: Look) -> float | None:
    return look.values[trouble.fault.channel]


SPOILS: Mapping[str, Spoil] = {
    "off": _off,
    "stuck": _stuck,
    "garbage": _garbage,
    "offset": _offset,
    "slow": _slow,
    "delayed": _delayed,
    "intermittent": _intermittent,
    "drift": _drift,
    "displaced": _displaced,
    "swapped": _swapped,
}
