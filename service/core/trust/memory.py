"""What is remembered of readings so that they can be doubted: little, and changed seldom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from service.core.model import Instant


class Check(StrEnum):
    """Why a channel is doubted; of several reasons the one that was seen first is told."""

    RANGE = "reading_range"
    JUMP = "reading_jump"
    BIAS = "probe_bias"
    CONTACT = "probe_contact"
    STUCK = "probe_stuck"
    NOISE = "probe_noise"
    MOVED = "probe_moved"
    ORDER = "probe_order"
    TWINS = "probe_twins"
    LINE = "probe_line"
    EXCHANGER = "probe_exchanger"
    BALANCE = "heat_balance"


OF_READINGS = frozenset({Check.RANGE, Check.JUMP})
"""Checks of each reading as it arrives; the others look now and then, or at what people enter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One failed check of a channel: what was seen, in words, with the figure and its limit."""

    check: Check
    text: str
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A channel of which something was bad lately.

    `readings` has one bit for each of the last readings (1: bad, the newest is bit 0), `good` the
    last one that was not. `looks` has the same for each check that looks now and then, `losses_s`
    when the channel lost its value lately. `doubts`, oldest first, stand together until nothing is
    bad any more.
    """

    readings: int = 0
    losses_s: tuple[float, ...] = ()
    good_s: float = 0.0
    good: float | None = None
    looks: Mapping[str, int] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One probe against the independent reference before use (both in °C)."""

    at: Instant
    value_c: float
    reference_c: float
    by: str


Row = tuple[float, tuple[float | None, ...]]
"""Treatment seconds, and the values of a device's channels in the room's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatFlow:
    """What the heater gives and what the perfusate takes up, averaged (W), since when it is so."""

    from_s: float
    at_s: float
    given_w: float
    taken_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What looks compare with: a row of each device every few seconds, each site's usual place
    among the others (K from their median), and the heat that flowed."""

    rows: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    usual_k: Mapping[str, float] = field(default_factory=dict)
    heat: HeatFlow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """Answers of a device that were spoiled or missing: how many, when (monotonic ns)."""

    at_ns: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What stands against channels and devices now; empty while all is well.

    `stamps` has one bit for each of a device's last frames that came with a wrong time,
    `losses_ns` when a device's link was lost lately (monotonic).
    """

    suspects: Mapping[str, Suspect] = field(default_factory=dict)
    spoiled: Mapping[str, tuple[Spoiled, ...]] = field(default_factory=dict)
    stamps: Mapping[str, int] = field(default_factory=dict)
    losses_ns: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
