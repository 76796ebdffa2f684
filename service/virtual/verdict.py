"""What a trial has to show: each aim with its target, what was found, and whether it is met.

Patients whose sites lie steadily more than 1.0 °C apart are judged apart from the others: no inflow
temperature can hold their hottest site and their mean at once. Steady is the median of the last
half hour, under the faster baseline, so that no controller chooses its own patients.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from service.virtual.figures import Figures

STEADY_SPREAD_C = 1.0
SLOWER, FASTER = "baseline-1.0", "baseline-1.5"
HOTTEST_SHARE, MEAN_SHARE = 0.99, 0.97
CORE_LESS_SHARE = 0.25
CLEAN_ALARMS = 3
FORECAST_ERROR_MIN = 1.5
RIGHT_SHARE = 0.15
"""What was said of a late gate was right when it came within this share of the time it took, or
within the error that a forecast may have."""

CORE_LIMITS_C = 39.35
"""From about here on the core's limit decides, not the band."""

CORE_WARM_C = 38.95
"""A core from here on is told of, as it should be: that treatment is not a clean case.

39.0 °C less four times a probe's noise (`noise_c` of the plant): nearer, one reading may show 39.0.
"""

Results = Mapping[str, Sequence[Figures]]
"""Figures of every patient by controller, the core's first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One row of the verdict; `met` is None for what is reported as it is."""

    what: str
    target: str
    found: str
    met: bool | None

    @property
    def word(self) -> str:
        """Whether it is met, for people."""
        return {True: "yes", False: "no", None: "reported"}[self.met]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some of the patients, by name, with the verdict on them."""

    name: str
    patients: int
    aims: list[Aim]


def groups(results: Results) -> list[Group]:
    """The verdict on everybody, on those within the steady spread and on those beyond it."""
    spread = {figures.index: figures.spread_c for figures in results[FASTER]}
    apart = {index for index, each in spread.items() if each is None or each > STEADY_SPREAD_C}
    everybody = set(spread)
    parts = {
        f"steady spread up to {STEADY_SPREAD_C:g} °C": everybody - apart,
        f"steady spread above {STEADY_SPREAD_C:g} °C (apart)": apart,
        "everybody": everybody,
    }
    return [
        Group(name=name, patients=len(part), aims=verdict(_only(results, part)) if part else [])
        for name, part in parts.items()
    ]


def verdict(results: Results) -> list[Aim]:
    """All aims for these patients."""
    core, *_ = results.values()
    return [
        _nothing_above_a_ceiling(core),
        _at_least(
            "hottest site within the band's upper edge, of treatment minutes",
            _share(core, "hottest_ok_s"),
            HOTTEST_SHARE,
        ),
        _at_least(
            "mean of sites in band, of treatment minutes",
            _share(core, "mean_in_band_s"),
            MEAN_SHARE,
        ),
        _mean_where_the_core_allows(core),
        _site_minutes(core, results),
        _coldest(core),
        _gate(core, results[FASTER]),
        _forecast(core),
        _core_minutes(core, results),
        _alarms(core),
        _alarms_of_warm_cores(core),
    ]


def summary(figures: Sequence[Figures]) -> Mapping[str, str]:
    """One controller's line in the table of all controllers."""
    gates = [each.gate_min for each in figures if each.gate_min is not None]
    return {
        "patients": str(len(figures)),
        "gate reached": f"{len(gates)}",
        "gate, median min": f"{median(gates):.1f}" if gates else "-",
        "hottest ≤ edge": _percent(_share(figures, "hottest_ok_s")),
        "mean in band": _percent(_share(figures, "mean_in_band_s")),
        "site-minutes in band": _percent(_mean(figures, "sites_in_band")),
        "coldest, mean °C": _degrees(_mean(figures, "coldest_c")),
        "hottest, max °C": _degrees(_highest(figures, "hottest_c")),
        "core max, mean °C": _degrees(_mean(figures, "core_max_c")),
        "core ≥ 39.5, min": f"{_core_min(figures):.2f}",
        "at a ceiling, min": f"{sum(each.over_ceiling_s for each in figures) / 60:.1f}",
        "CEM43 of the mean, min": _degrees(_mean(figures, "cem43_mean")),
    }


def _nothing_above_a_ceiling(core: Sequence[Figures]) -> Aim:
    over = [each.index for each in core if each.over_ceiling_s]
    found = f"{len(over)} of {len(core)} patients"
    if over:
        found += f" (first: {', '.join(map(str, over[:5]))})"
    return Aim(
        what="anything at a ceiling without a fault", target="never", found=found, met=not over
    )


def _at_least(what: str, share: float | None, target: float) -> Aim:
    met = share is not None and share >= target
    return Aim(what=what, target=f"≥ {target:.0%}", found=_percent(share), met=met)


def _mean_where_the_core_allows(core: Sequence[Figures]) -> Aim:
    """The core comes before the mean: one that is at its limit takes the mean out of its band."""
    free = [each for each in core if each.core_max_c < CORE_LIMITS_C]
    found = f"{_percent(_share(free, 'mean_in_band_s'))}, {len(free)} of {len(core)} patients"
    return Aim(
        what=f"the same where the core stayed below {CORE_LIMITS_C:g} °C",
        target="as it is",
        found=found,
        met=None,
    )


def _site_minutes(core: Sequence[Figures], results: Results) -> Aim:
    own, slower, faster = (
        _mean(each, "sites_in_band") for each in (core, results[SLOWER], results[FASTER])
    )
    best = max(share for share in (slower, faster, 0.0) if share is not None)
    return Aim(
        what="site-minutes in band",
        target=f"above {_percent(slower)} (1.0 L/min) and {_percent(faster)} (1.5 L/min)",
        found=_percent(own),
        met=own is not None and own > best,
    )


def _coldest(core: Sequence[Figures]) -> Aim:
    in_band = _percent(_mean(core, "coldest_in_band"))
    found = f"{_degrees(_mean(core, 'coldest_c'))} °C on average, in band {in_band} of the time"
    return Aim(what="coldest site", target="as it is", found=found, met=None)


def _gate(core: Sequence[Figures], faster: Sequence[Figures]) -> Aim:
    """Those who do not reach it in time must have been told so in minute 5, and rightly."""
    reached = [each.gate_min for each in faster if each.gate_min is not None]
    if not reached:
        return Aim(what="gate", target="the baselines never reach it", found="-", met=None)
    limit = median(reached)
    late = [each for each in core if each.gate_min is None or each.gate_min > limit]
    told = sum(_was_rightly_told(each, limit) for each in late)
    own = [each.gate_min for each in core if each.gate_min is not None]
    middle = f"median {median(own):.1f} min" if own else "never"
    return Aim(
        what="gate reached no later than the faster baseline's median, or said in minute 5 of "
        f"heat-up, and rightly (within {FORECAST_ERROR_MIN:g} min or {RIGHT_SHARE:.0%})",
        target=f"{limit:.1f} min",
        found=f"{middle}; {len(core) - len(late)} of {len(core)} in time, of {len(late)} later "
        f"{told} told rightly",
        met=told == len(late),
    )


def _was_rightly_told(each: Figures, limit_min: float) -> bool:
    """Whether a late gate was foreseen as late, and came when it was foreseen, or never."""
    if not each.said or each.said_gate_min is None or each.gate_min is None:
        return each.said and each.said_gate_min is each.gate_min
    off_min = abs(each.said_gate_min - each.gate_min)
    right = off_min <= max(FORECAST_ERROR_MIN, RIGHT_SHARE * each.gate_min)
    return right and each.said_gate_min > limit_min - FORECAST_ERROR_MIN


def _forecast(core: Sequence[Figures]) -> Aim:
    errors = sorted(_known(core, "forecast_error_min"))
    middle = median(errors) if errors else None
    found = "-"
    if middle is not None:
        found = f"{middle:.2f} min; in nine of ten patients at most "
        found += f"{errors[int(0.9 * len(errors))]:.1f} min"
    return Aim(
        what="error of the forecast time to target, from minute 2 of heat-up on, median",
        target=f"≤ {FORECAST_ERROR_MIN:g} min",
        found=found,
        met=middle is not None and middle <= FORECAST_ERROR_MIN,
    )


def _core_minutes(core: Sequence[Figures], results: Results) -> Aim:
    named = {name: results[name] for name in (SLOWER, FASTER)}
    rival = max(named, key=lambda name: _mean(named[name], "sites_in_band") or 0.0)
    most = (1.0 - CORE_LESS_SHARE) * _core_min(named[rival])
    own = _core_min(core)
    return Aim(
        what="minutes of core ≥ 39.5 °C per patient",
        target=f"≤ {most:.2f} (25 % fewer than {rival})",
        found=f"{own:.2f}",
        met=own <= most,
    )


def _alarms(core: Sequence[Figures]) -> Aim:
    clean = [each for each in core if each.core_max_c < CORE_WARM_C]
    counts = [each.audible for each in clean if each.audible is not None]
    most = max(counts, default=0)
    within = sum(count <= CLEAN_ALARMS for count in counts)
    return Aim(
        what=f"audible alarms in a clean case (core below {CORE_WARM_C:.2f} °C)",
        target=f"≤ {CLEAN_ALARMS}",
        found=f"{within} of {len(counts)} patients; at most {most}",
        met=most <= CLEAN_ALARMS,
    )


def _alarms_of_warm_cores(core: Sequence[Figures]) -> Aim:
    warm = [each for each in core if each.core_max_c >= CORE_WARM_C]
    counts = [each.audible for each in warm if each.audible is not None]
    found = f"{median(counts):g} in the median, at most {max(counts)}" if counts else "-"
    return Aim(
        what=f"audible alarms where the core was warm ({len(counts)} patients)",
        target="as it is",
        found=found,
        met=None,
    )


def _only(results: Results, indices: set[int]) -> Results:
    return {
        name: [each for each in figures if each.index in indices]
        for name, figures in results.items()
    }


def _share(figures: Iterable[Figures], name: str) -> float | None:
    """Of all treatment seconds of all patients."""
    rows = list(figures)
    treated_s = sum(each.treated_s for each in rows)
    return sum(getattr(each, name) for each in rows) / treated_s if treated_s else None


def _known(figures: Iterable[Figures], name: str) -> list[float]:
    return [value for each in figures if (value := getattr(each, name)) is not None]


def _mean(figures: Iterable[Figures], name: str) -> float | None:
    known = _known(figures, name)
    return fmean(known) if known else None


def _highest(figures: Iterable[Figures], name: str) -> float | None:
    return max(_known(figures, name), default=None)


def _core_min(figures: Sequence[Figures]) -> float:
    return sum(each.core_hot_s for each in figures) / 60.0 / max(1, len(figures))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _degrees(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
