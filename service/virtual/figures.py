"""The figures of one simulated treatment, the same for the real core and for a baseline.

All are taken each second from what faultless instruments show, so that controllers are compared on
the temperatures and not on what their own readings make of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.schema import Protocol
from service.core import thermal

LATE_S = 1800
CORE_HOT_C = 39.5
"""At or above it complications of grade III and more are likelier (Hendrix, ASO 2020)."""
DIGITS = 5

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One treatment second by second from the beginning of heat-up (arrays of equal length).

    `sites_c` has a row for each second and a column for each site. `gate_s` is when the gate was
    open, `from_s` and `to_s` when the treatment clock ran; None when it never came to that.
    `foretold` are forecasts: when, and in how many seconds the gate's temperature is reached (None:
    not within what is foreseen).
    """

    sites_c: Values
    core_c: Values
    inflow_c: Values
    reservoir_c: Values
    bath_c: Values
    gate_s: int | None
    from_s: int | None
    to_s: int | None
    foretold: tuple[tuple[float, float | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One treatment in figures: times in s or min, shares from 0 to 1, temperatures in °C.

    `gate_min` counts from the beginning of heat-up; `core_hot_s` and `over_ceiling_s` from there to
    the end, the others over the treatment clock. Without a treatment they are None.
    `forecast_error_min` is the median error of all forecasts of the time to target from the second
    minute of heat-up on; `said_gate_min` is when, five minutes into it, the gate was said to open
    (None: not foreseen), and `said` whether anything was said then.
    """

    index: int
    controller: str
    gate_min: float | None
    treated_s: int
    hottest_ok_s: int
    mean_in_band_s: int
    sites_in_band: float | None
    coldest_c: float | None
    coldest_in_band: float | None
    hottest_c: float | None
    mean_c: float | None
    spread_c: float | None
    core_max_c: float
    core_hot_s: int
    over_ceiling_s: int
    audible: int | None = None
    alarms: str = ""
    cem43_mean: float | None = None
    forecast_error_min: float | None = None
    said: bool = False
    said_gate_min: float | None = None


def figures(
    course: Course,
    protocol: Protocol,
    *,
    index: int,
    controller: str,
    audible: int | None = None,
    alarms: str = "",
) -> Figures:
    """The figures of a course under a protocol's band and ceilings."""
    whole = slice(0, course.to_s)
    core_c = course.core_c[whole]
    seen = {
        "index": index,
        "controller": controller,
        "gate_min": None if course.gate_s is None else _rounded(course.gate_s / 60.0),
        "core_max_c": _rounded(core_c.max()),
        "core_hot_s": int((core_c >= CORE_HOT_C).sum()),
        "over_ceiling_s": _over_ceiling_s(course, protocol, whole),
        "audible": audible,
        "alarms": alarms,
        **_of_forecasts(course, protocol),
    }
    if course.from_s is None or course.to_s is None or course.to_s <= course.from_s:
        none = dict.fromkeys(("treated_s", "hottest_ok_s", "mean_in_band_s"), 0)
        blank = dict.fromkeys(
            ("sites_in_band", "coldest_c", "coldest_in_band", "hottest_c", "mean_c", "spread_c")
        )
        return Figures(**seen, **none, **blank)  # type: ignore[arg-type]
    return Figures(**seen, **_of_treatment(course.sites_c[course.from_s : course.to_s], protocol))  # type: ignore[arg-type]


def _of_forecasts(course: Course, protocol: Protocol) -> dict[str, float | bool | None]:
    later = [(at_s, in_s) for at_s, in_s in course.foretold if at_s >= FORETOLD_FROM_S]
    reached = np.flatnonzero(course.sites_c.mean(axis=1) >= protocol.gate.threshold_c)
    target_s = float(reached[0]) if reached.size else None
    errors_s = [
        abs(at_s + in_s - target_s)
        for at_s, in_s in later
        if target_s is not None and in_s is not None and at_s < target_s
    ]
    first = next((each for each in later if each[0] >= SAID_AT_S), None)
    said = None if first is None or first[1] is None else first[0] + first[1] + protocol.gate.hold_s
    return {
        "forecast_error_min": _rounded(np.median(errors_s) / 60.0) if errors_s else None,
        "said": first is not None,
        "said_gate_min": None if said is None else _rounded(said / 60.0),
    }


FORETOLD_FROM_S, SAID_AT_S = 120.0, 300.0
"""Forecasts of the time to target are judged from the second minute of heat-up on; whether a late
gate was told beforehand, by what was said in the fifth."""


def _of_treatment(sites_c: Values, protocol: Protocol) -> dict[str, float | int]:
    low_c, high_c = protocol.target.low_c, protocol.target.high_c
    hottest_c, coldest_c, mean_c = sites_c.max(axis=1), sites_c.min(axis=1), sites_c.mean(axis=1)
    late = slice(-LATE_S, None)
    return {
        "treated_s": len(sites_c),
        "hottest_ok_s": int((hottest_c <= high_c).sum()),
        "mean_in_band_s": int(((mean_c >= low_c) & (mean_c <= high_c)).sum()),
        "sites_in_band": _rounded(((sites_c >= low_c) & (sites_c <= high_c)).mean()),
        "coldest_c": _rounded(coldest_c.mean()),
        "coldest_in_band": _rounded((coldest_c >= low_c).mean()),
        "hottest_c": _rounded(hottest_c.max()),
        "mean_c": _rounded(mean_c.mean()),
        "spread_c": _rounded(np.median(hottest_c[late] - coldest_c[late])),
        "cem43_mean": _rounded(
            thermal.summed(
                thermal.Tally(), mean_c.tolist(), [1.0] * (len(mean_c) - 1), (low_c, high_c)
            ).cem43_min
        ),
    }


def _over_ceiling_s(course: Course, protocol: Protocol, whole: slice) -> int:
    """Seconds in which anything was at its ceiling."""
    limits = protocol.limits
    over = (course.sites_c[whole] >= limits.site_ceiling_c).any(axis=1)
    over |= course.inflow_c[whole] >= limits.inflow_ceiling_c
    over |= course.core_c[whole] >= limits.core_ceiling_c
    over |= course.reservoir_c[whole] >= limits.reservoir_ceiling_c
    over |= course.bath_c[whole] >= limits.bath_ceiling_c
    return int(over.sum())


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)
