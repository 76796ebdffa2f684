"""A session's thermal dose in words, each figure with its coverage."""

from collections.abc import Iterator

from service.core.effects import DoseFigures, DoseRecorded


def dose_lines(told: DoseRecorded) -> Iterator[str]:
    """One line for what the figures rest on, one for all sites together, one per course."""
    yield (
        f"Over {told.treatment_min:.1f} min of treatment ({told.whole_min:.1f} min from heat-up to "
        f"drained). CEM43: R {told.r_at_and_above:g} at and above {told.break_c:g} °C, "
        f"{told.r_below:g} below; percentiles {told.percentile_rule}; nothing over a gap"
    )
    yield (
        f"All site samples: T90 {_c(told.t90_c)}, T50 {_c(told.t50_c)}, T10 {_c(told.t10_c)} "
        f"({_share(told.coverage)}); spread mean {_c(told.spread_mean_c)}, "
        f"most {_c(told.spread_max_c)} ({_share(told.spread_coverage)})"
    )
    for figures in told.figures:
        yield _course(figures, told)


def _course(figures: DoseFigures, told: DoseRecorded) -> str:
    above = ", ".join(
        f"{minutes:.1f} min at or above {limit:g}"
        for limit, minutes in zip(told.thresholds_c, figures.above_min, strict=True)
    )
    return (
        f"{figures.name}: CEM43 {figures.cem43_min:.2f} min, with heat-up and drain "
        f"{figures.cem43_whole_min:.2f} min ({_share(figures.coverage_whole)}); mean "
        f"{_c(figures.mean_c)}, {_c(figures.min_c)} to {_c(figures.max_c)}; {above}; in band "
        f"{figures.in_band_min:.1f} min, longest outside {figures.longest_outside_min:.1f} min; "
        f"degree-minutes below {figures.under_degree_min:.1f}, above "
        f"{figures.over_degree_min:.1f} ({_share(figures.coverage)})"
    )


def _c(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} °C"


def _share(coverage: float) -> str:
    return f"coverage {coverage:.1%}"
