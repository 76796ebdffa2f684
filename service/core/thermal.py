"""Thermal dose as arithmetic: CEM43, percentiles, and the tallies of one course of temperatures.

CEM43 (Sapareto and Dewey, Int J Radiat Oncol 1984;10:787, PMID 6547421) is the sum of R^(43 - T)
over minutes, R 0.5 at and above 43 °C and 0.25 below. Between two samples the temperature is taken
as a straight line and every figure is the exact integral over it. Nothing is ever added over a gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log

BREAK_C = 43.0
R_AT_AND_ABOVE = 0.5
R_BELOW = 0.25
PERCENTILE_RULE = "linear, inclusive"
THRESHOLDS_C = (41.0, 42.0, 43.0)
"""Minutes are counted at and above these."""

BINS_PER_C = 100
KEPT_STRETCHES = 50_000
SAME_C = 1e-6


def cem43_rate(temperature_c: float) -> float:
    """Equivalent minutes at 43 °C that each minute at this temperature adds."""
    ratio = R_AT_AND_ABOVE if temperature_c >= BREAK_C else R_BELOW
    return float(ratio ** (BREAK_C - temperature_c))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which this share (0 to 1) of the ordered values lies, linear and inclusive.

    Raises IndexError for no values. T90, reached by 90 % of the sites, is the share 0.1.
    """
    place = share * (len(ordered) - 1)
    below = int(place)
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    return low + (place - below) * (high - low)


def _mean_rate(a_c: float, b_c: float) -> float:
    """The mean rate over a straight line from a to b, split where R changes."""
    if abs(b_c - a_c) < SAME_C:
        return cem43_rate((a_c + b_c) / 2)
    low, high = min(a_c, b_c), max(a_c, b_c)
    if low < BREAK_C < high:
        below = (BREAK_C - low) / (high - low)
        return below * _mean_rate(low, BREAK_C) + (1 - below) * _mean_rate(BREAK_C, high)
    slope = -log(R_AT_AND_ABOVE if low >= BREAK_C else R_BELOW)
    difference = exp(slope * (high - BREAK_C)) - exp(slope * (low - BREAK_C))
    return difference / (slope * (high - low))


Stretch = tuple[float, float, float, float, float, float, float, float, float]
"""A straight line as means and shares over its duration: CEM43 rate; at and above 41, 42, 43 °C;
inside the band; °C below it; °C above it; outside at the beginning; outside at the end."""


@lru_cache(maxsize=KEPT_STRETCHES)
def stretch(a_c: float, b_c: float, low_c: float, high_c: float) -> Stretch:
    """What a straight line from a to b contributes, with the band from low to high (all °C)."""
    low_out, high_out = _share_below(a_c, b_c, low_c), _share_above(a_c, b_c, high_c)
    inside = max(0.0, 1.0 - low_out - high_out)
    first, last = (low_out, high_out) if a_c <= b_c else (high_out, low_out)
    at_41, at_42, at_43 = (1.0 - _share_below(a_c, b_c, limit_c) for limit_c in THRESHOLDS_C)
    return (
        _mean_rate(a_c, b_c),
        *(at_41, at_42, at_43),
        inside,
        _mean_over(low_c - a_c, low_c - b_c),
        _mean_over(a_c - high_c, b_c - high_c),
        first if inside > 0 else 1.0,
        last if inside > 0 else 1.0,
    )


def _share_below(a_c: float, b_c: float, limit_c: float) -> float:
    """The share of a line that lies below a limit; a line at the limit does not."""
    low, high = min(a_c, b_c), max(a_c, b_c)
    if low >= limit_c:
        return 0.0
    return 1.0 if high <= limit_c else (limit_c - low) / (high - low)


def _share_above(a_c: float, b_c: float, limit_c: float) -> float:
    return _share_below(-a_c, -b_c, -limit_c)


def _mean_over(a: float, b: float) -> float:
    """The mean of the positive part of a line from a to b."""
    if a <= 0 and b <= 0:
        return 0.0
    if a >= 0 and b >= 0:
        return (a + b) / 2
    high = max(a, b)
    return high * high / (2 * abs(b - a))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One course of temperatures, summed: a site, or a figure over the sites.

    Seconds are treatment seconds with a valid temperature at both ends; `_cs` is °C times seconds.
    `counts` is how many samples fell on each hundredth of a degree from `first_bin` on.
    """

    covered_s: float = 0.0
    cem43_min: float = 0.0
    above_s: tuple[float, ...] = (0.0,) * len(THRESHOLDS_C)
    inside_s: float = 0.0
    sum_cs: float = 0.0
    under_cs: float = 0.0
    over_cs: float = 0.0
    outside_now_s: float = 0.0
    longest_outside_s: float = 0.0
    first_bin: int = 0
    counts: tuple[int, ...] = ()


def summed(
    before: Tally,
    temperatures_c: Sequence[float | None],
    seconds: Sequence[float | None],
    band_c: tuple[float, float],
) -> Tally:
    """The tally with the straight lines between these temperatures added.

    `seconds[i]` is the time from sample i to sample i + 1: None is a gap, 0 leaves the line out.
    Each line counts one sample, the one at its end.
    """
    low_c, high_c = band_c
    covered = rate = at_41 = at_42 = at_43 = inside = total = under = over = 0.0
    now_s, longest_s = before.outside_now_s, before.longest_outside_s
    bins = dict(enumerate(before.counts, before.first_bin))
    for a_c, b_c, line_s in zip(temperatures_c, temperatures_c[1:], seconds, strict=False):
        if a_c is None or b_c is None or line_s is None:
            now_s = 0.0
            continue
        if line_s == 0.0:
            continue
        part = stretch(a_c, b_c, low_c, high_c)
        covered += line_s
        rate += part[0] * line_s
        at_41 += part[1] * line_s
        at_42 += part[2] * line_s
        at_43 += part[3] * line_s
        total += (a_c + b_c) * line_s
        place = round(b_c * BINS_PER_C)
        bins[place] = bins.get(place, 0) + 1
        if part[4] >= 1.0:
            inside += line_s
            now_s = 0.0
            continue
        inside += part[4] * line_s
        under += part[5] * line_s
        over += part[6] * line_s
        longest_s = max(longest_s, now_s + part[7] * line_s)
        now_s = now_s + line_s if part[4] <= 0.0 else part[8] * line_s
        longest_s = max(longest_s, now_s)
    above = zip(before.above_s, (at_41, at_42, at_43), strict=True)
    first = min(bins, default=0)
    return Tally(
        covered_s=before.covered_s + covered,
        cem43_min=before.cem43_min + rate / 60.0,
        above_s=tuple(was + more for was, more in above),
        inside_s=before.inside_s + inside,
        sum_cs=before.sum_cs + total / 2,
        under_cs=before.under_cs + under,
        over_cs=before.over_cs + over,
        outside_now_s=now_s,
        longest_outside_s=longest_s,
        first_bin=first,
        counts=tuple(bins.get(place, 0) for place in range(first, max(bins, default=-1) + 1)),
    )


def percentile_of_bins(bins: dict[int, int], share: float) -> float | None:
    """The same percentile over samples that were counted by hundredths of a degree (°C)."""
    count = sum(bins.values())
    if not count:
        return None
    place = share * (count - 1)
    below = int(place)
    low = _at_rank(bins, below)
    high = _at_rank(bins, min(below + 1, count - 1))
    return (low + (place - below) * (high - low)) / BINS_PER_C


def _at_rank(bins: dict[int, int], rank: int) -> int:
    """The bin of the sample with this rank, counted from 0 over the ordered samples."""
    seen = 0
    for place in sorted(bins):
        seen += bins[place]
        if seen > rank:
            return place
    raise IndexError(f"rank {rank} of {seen} samples")
