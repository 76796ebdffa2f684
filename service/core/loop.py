"""The outer loop of automatic: from the sites to the inflow, in the order of aims.

1 ceilings, 2 hottest site at most the band's upper edge, 3 core, 4 mean of the sites in band,
5 coldest site in band. When in doubt, cooler. The figures below were tuned on virtual patients.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from service.core.balance import (
    ROOM_C,
    Balance,
    Warmth,
    ahead,
    carried_w_k,
    inflow_for,
    mean_rise_c_s,
    to_core_w_k,
)
from service.core.estimate import Estimate

WITHIN_S = 150.0
QUICK_S = 75.0
"""The inflow asked for brings the mean to its goal in about this time; below the band, and when a
cold dose is due, in the shorter one."""

EDGE_MARGIN_C = 0.0
MEAN_MARGIN_C = 0.1
"""How far the hottest site is kept below the band's upper edge, and the mean inside the band. What
the observer overestimates of the hottest site is margin enough."""

COLD_FROM_C, COLD_TO_C = -0.2, 0.2
"""A site counts as in the band from 0 to 1 as it rises from below to above its lower edge."""

GRID_C = 0.05
ENTERED_C = 0.05
CORE_MARGIN_C = 0.05
CORE_LOOKS_S = 900.0
CORE_NEAR_LOOKS_S = 600.0
CORE_STEP_S = 120.0
BELOW_BAND_FROM_C = 0.05
LOWEST_GOAL_C = 41.5
"""The core is kept this far below its limit over the next quarter of an hour, inside the band; from
this close to it the mean may leave the band for it, as far as the next ten minutes need."""

CORE_FASTEST_C_PER_S = 0.15 / 60.0
"""No core rises faster than this by perfusion: further from its limit nothing is looked at."""

LOWEST_INFLOW_C = 40.0
HOT_SHARE_MARGIN = 0.01
HOT_LEAD_S = 20.0
"""The inflow lags behind: while the mean rises, the hottest site is looked at so far ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aims:
    """What the loop aims at and must not exceed (°C), and whether a cold dose is due soon."""

    low_c: float
    high_c: float
    core_high_c: float
    inflow_most_c: float
    dose_soon: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The mean of the sites to aim at (°C), and the aim that decides it, in words."""

    mean_c: float
    decided_by: str


def goal(estimate: Estimate, aims: Aims, flow_ml_min: float) -> Goal:
    """The mean to aim at now, as `goal_of` has it for what the observer believes."""
    shares = tuple(estimate.shares.values())
    return goal_of(estimate.balance, estimate.now, shares, aims, flow_ml_min)


def goal_of(
    balance: Balance, now: Warmth, shares: Sequence[float], aims: Aims, flow_ml_min: float
) -> Goal:
    """To the band as fast as may be, then as the order of aims says; `shares` are the sites'.

    A cold dose that is due soon is met as warm as the hottest site bears, so that its dip is short.
    """
    best = _best_in_band(balance, now, shares, aims, flow_ml_min)
    middle = (aims.low_c + aims.high_c) / 2.0
    if best.decided_by != HOTTEST:
        if now.mean_c < aims.low_c + ENTERED_C:
            best = Goal(mean_c=max(best.mean_c, middle), decided_by=INTO_BAND)
        elif aims.dose_soon:
            warmest = _warmest_c(balance, now, max(shares), aims, flow_ml_min)
            best = Goal(mean_c=max(best.mean_c, middle, warmest), decided_by=DOSE_DUE)
    most = _core_allows_c(balance, now, aims, flow_ml_min)
    if best.decided_by in PASSING and not _core_is_near(now, aims):
        return best
    return Goal(mean_c=most, decided_by=CORE) if best.mean_c > most else best


HOTTEST, CORE = "hottest site", "core temperature"
INTO_BAND, DOSE_DUE = "mean into the band", "cold dose is due"
PASSING = (INTO_BAND, DOSE_DUE)
"""Goals of a few minutes: only a core that is close to its limit forbids them."""


def _best_in_band(
    balance: Balance, now: Warmth, shares: Sequence[float], aims: Aims, flow_ml_min: float
) -> Goal:
    """The lowest mean that has the most sites in the band and none above its upper edge."""
    low, most = aims.low_c + MEAN_MARGIN_C, aims.high_c - MEAN_MARGIN_C
    hot, edge = max(shares), aims.high_c - EDGE_MARGIN_C
    best, count = None, -1.0
    for index in range(round((most - low) / GRID_C) + 1):
        mean = low + index * GRID_C
        above = steady_above_c(balance, now, mean, flow_ml_min)
        if mean + hot * above > edge:
            break
        inside = sum(_inside(mean + share * above - aims.low_c) for share in shares)
        if inside > count + 0.01:
            best, count = mean, inside
    if best is not None:
        return Goal(mean_c=best, decided_by="sites in the band")
    return Goal(
        mean_c=edge - hot * steady_above_c(balance, now, low, flow_ml_min), decided_by=HOTTEST
    )


def _warmest_c(balance: Balance, now: Warmth, hot: float, aims: Aims, flow_ml_min: float) -> float:
    """The highest mean in the band that leaves the hottest site below the band's upper edge."""
    most = aims.high_c - MEAN_MARGIN_C
    above = steady_above_c(balance, now, most, flow_ml_min)
    return min(most, aims.high_c - EDGE_MARGIN_C - hot * above)


def _inside(above_edge_c: float) -> float:
    return min(1.0, max(0.0, (above_edge_c - COLD_FROM_C) / (COLD_TO_C - COLD_FROM_C)))


def steady_above_c(balance: Balance, now: Warmth, mean_c: float, flow_ml_min: float) -> float:
    """How far the inflow stays above the mean of the sites when that is held (°C)."""
    carried = carried_w_k(balance, flow_ml_min)
    if carried <= 0.0:
        return 0.0
    taken_w = to_core_w_k(balance) * (mean_c - now.core_c)
    return (taken_w + balance.field_w_k * (mean_c - ROOM_C)) / carried


def wanted_inflow_c(
    balance: Balance, now: Warmth, flow_ml_min: float, goal_c: float, hot_share: float, aims: Aims
) -> float:
    """The inflow that brings the mean to its goal and no site above the band's edge (°C)."""
    quick = aims.dose_soon or now.mean_c < aims.low_c
    wanted = inflow_for(balance, now, flow_ml_min, goal_c, QUICK_S if quick else WITHIN_S)
    if hot_share > 0.0:
        rising_c_s = mean_rise_c_s(balance, now, flow_ml_min)
        soon_c = now.mean_c + HOT_LEAD_S * max(0.0, rising_c_s)
        room_c = max(0.0, aims.high_c - EDGE_MARGIN_C - soon_c)
        wanted = min(wanted, now.mean_c + room_c / (hot_share + HOT_SHARE_MARGIN))
    return max(LOWEST_INFLOW_C, wanted)


def _core_allows_c(balance: Balance, now: Warmth, aims: Aims, flow_ml_min: float) -> float:
    """The highest mean under which the core stays below its limit for a quarter of an hour.

    It stays inside the band until the core is close to its limit.
    """
    limit = aims.core_high_c - CORE_MARGIN_C
    if now.core_c + CORE_LOOKS_S * CORE_FASTEST_C_PER_S < limit:
        return aims.high_c
    near = _core_is_near(now, aims)
    lowest = LOWEST_GOAL_C if near else aims.low_c + MEAN_MARGIN_C
    looks_s = CORE_NEAR_LOOKS_S if near else CORE_LOOKS_S
    high = _core_after_c(balance, now, aims, flow_ml_min, aims.high_c, looks_s)
    if high <= limit:
        return aims.high_c
    low = _core_after_c(balance, now, aims, flow_ml_min, lowest, looks_s)
    if high <= low:
        return lowest
    share = min(1.0, max(0.0, (limit - low) / (high - low)))
    return lowest + share * (aims.high_c - lowest)


def _core_is_near(now: Warmth, aims: Aims) -> bool:
    return now.core_c >= aims.core_high_c - BELOW_BAND_FROM_C


def _core_after_c(
    balance: Balance, now: Warmth, aims: Aims, flow_ml_min: float, mean_c: float, after_s: float
) -> float:
    def plan(then: Warmth) -> float:
        return min(aims.inflow_most_c, inflow_for(balance, then, flow_ml_min, mean_c, WITHIN_S))

    return ahead(balance, now, flow_ml_min, plan, after_s, CORE_STEP_S)[-1].core_c
