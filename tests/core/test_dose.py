"""Thermal dose: published closed forms, exact lines between samples, and nothing over a gap."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.effects import DoseFigures, DoseRecorded
from service.core.thermal import Tally, cem43_rate, percentile, percentile_of_bins, summed
from service.journal.codec import CODEC
from tests.core.bench import Bench, at
from tests.core.room import SITES

BAND = (42.5, 43.5)


def tally(temperatures_c: list[float | None], *seconds: float | None) -> Tally:
    """The sums over a course; one duration counts for every line of it."""
    each = seconds if len(seconds) > 1 else seconds * (len(temperatures_c) - 1)
    return summed(Tally(), temperatures_c, each, BAND)


@pytest.mark.requirement("RC-060")
@pytest.mark.parametrize(
    ("temperature_c", "rate"),
    [
        (37.0, 0.000244141),
        (39.0, 0.00390625),
        (40.0, 0.015625),
        (41.0, 0.0625),
        (42.0, 0.25),
        (42.5, 0.5),
        (43.0, 1.0),
        (43.5, 1.414214),
        (44.0, 2.0),
        (45.0, 4.0),
    ],
)
def test_each_minute_counts_as_the_published_table_says(temperature_c: float, rate: float) -> None:
    assert cem43_rate(temperature_c) == pytest.approx(rate, rel=2e-6)
    assert tally([temperature_c] * 3, 2700.0).cem43_min == pytest.approx(90 * rate, rel=2e-6)


@pytest.mark.requirement("RC-060")
@pytest.mark.parametrize("samples", [2, 3, 21, 121, 1201])
def test_a_ramp_from_37_to_43_in_20_min_is_exact_however_rarely_it_is_sampled(samples: int) -> None:
    ramp = [37.0 + 6.0 * index / (samples - 1) for index in range(samples)]
    dose = tally(ramp, 1200.0 / (samples - 1)).cem43_min
    assert dose == pytest.approx((20 / 6) * (1 - 4**-6) / log(4), rel=1e-9)
    assert dose == pytest.approx(2.403905, abs=1e-6)


def test_fifty_degrees_and_the_kwave_check_values() -> None:
    assert cem43_rate(50.0) == 128.0
    assert tally([43.0, 43.0], 600.0).cem43_min == 10.0


@pytest.mark.requirement("RC-060")
def test_percentiles_over_five_sites_are_linear_and_inclusive() -> None:
    sites = [41.0, 41.5, 42.0, 42.5, 43.0]
    assert percentile(sites, 0.1) == pytest.approx(41.2)
    assert percentile(sites, 0.5) == 42.0
    assert percentile(sites, 0.9) == pytest.approx(42.8)
    bins = {round(100 * site): 1 for site in sites}
    assert [percentile_of_bins(bins, share) for share in (0.1, 0.5, 0.9)] == pytest.approx(
        [41.2, 42.0, 42.8]
    )
    assert percentile_of_bins({}, 0.5) is None


@given(values=st.lists(st.integers(4000, 4400), min_size=1, max_size=40))
def test_percentiles_from_counted_samples_are_those_of_the_samples(values: list[int]) -> None:
    bins = {value: values.count(value) for value in values}
    ordered = sorted(value / 100 for value in values)
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        assert percentile_of_bins(bins, share) == pytest.approx(percentile(ordered, share))


@given(a=st.floats(40.0, 46.0), b=st.floats(40.0, 46.0), cut=st.floats(0.01, 0.99))
def test_cutting_a_line_in_two_changes_no_figure(a: float, b: float, cut: float) -> None:
    whole = tally([a, b], 10.0)
    parts = tally([a, a + cut * (b - a), b], 10.0 * cut, 10.0 * (1 - cut))
    for name in (
        *("covered_s", "cem43_min", "above_s", "inside_s", "sum_cs", "under_cs", "over_cs"),
        *("outside_now_s", "longest_outside_s"),
    ):
        expected = pytest.approx(getattr(whole, name), rel=1e-6, abs=1e-6)
        assert getattr(parts, name) == expected, name


def test_a_line_through_the_band_is_out_before_in_and_out_after() -> None:
    for course in ([42.0, 44.0], [44.0, 42.0]):
        through = tally(course, 100.0)
        assert (through.inside_s, through.outside_now_s) == (50.0, 25.0)
        assert (through.under_cs, through.over_cs) == pytest.approx((6.25, 6.25))
        assert through.above_s == pytest.approx((100.0, 100.0, 50.0))


def test_the_longest_excursion_ends_in_the_band_and_at_a_gap() -> None:
    into_the_band = [42.0, 42.0, 42.5, 43.0]
    assert tally(into_the_band, 60.0).longest_outside_s == 120.0
    with_a_gap = [44.0, 44.0, 44.0, None, 44.0, 44.0]
    assert tally(with_a_gap, 50.0).longest_outside_s == 100.0
    silent = [44.0, 44.0, 44.0, 44.0]
    assert tally(silent, 50.0, None, 50.0).longest_outside_s == 50.0
    assert tally(silent, 50.0, None, 50.0).covered_s == 100.0


def close(bench: Bench) -> DoseRecorded:
    bench.command("start_phase", phase="drain", reason="test")
    bench.run(10)
    bench.command("start_phase", phase="complete", reason="test")
    bench.command("close_session")
    return next(effect for effect in bench.effects if isinstance(effect, DoseRecorded))


def row(told: DoseRecorded, name: str) -> DoseFigures:
    return next(figures for figures in told.figures if figures.name == name)


@pytest.mark.requirement("RC-060")
def test_a_session_tells_the_dose_of_each_site_when_it_closes() -> None:
    bench = at("perfuse", "closed")
    bench.values |= dict(zip(SITES, [42.0, 42.5, 43.0, 43.5], strict=True))
    bench.run(5)
    bench.run(600)
    told = close(bench)
    assert [figures.name for figures in told.figures] == [*SITES, "T90", "target"]
    coldest, hottest = row(told, SITES[0]), row(told, SITES[3])
    minutes = told.treatment_min
    assert 10.0 < minutes < 10.2
    assert coldest.cem43_min == pytest.approx(0.25 * minutes, rel=0.03)
    assert hottest.cem43_min == pytest.approx(1.4142 * minutes, rel=0.03)
    assert coldest.cem43_whole_min > coldest.cem43_min
    assert coldest.in_band_min < 0.2 < 10.0 < hottest.in_band_min
    assert coldest.longest_outside_min == pytest.approx(minutes, abs=0.2)
    assert coldest.under_degree_min == pytest.approx(0.5 * minutes, rel=0.03)
    assert hottest.above_min[2] == pytest.approx(minutes, abs=0.1)
    assert coldest.coverage > 0.99
    assert row(told, "T90").mean_c == pytest.approx(42.15, abs=0.03)
    assert row(told, "target").mean_c == pytest.approx(42.75, abs=0.02)
    assert told.spread_mean_c == pytest.approx(1.5, abs=0.03)
    assert told.t50_c == pytest.approx(42.75, abs=0.3)
    assert (told.break_c, told.r_at_and_above, told.r_below) == (43.0, 0.5, 0.25)
    assert told.percentile_rule == "linear, inclusive"
    assert CODEC.decode("DoseRecorded", CODEC.encode(told)) == told


@pytest.mark.requirement("RC-060")
def test_a_lost_probe_adds_no_dose_and_lowers_the_coverage_beside_it() -> None:
    bench = at("perfuse", "closed")
    bench.run(300)
    bench.values["pelvis"] = None
    bench.run(300)
    told = close(bench)
    assert row(told, "pelvis").cem43_min == pytest.approx(5.0, abs=0.2)
    assert row(told, "pelvis").coverage == pytest.approx(0.5, abs=0.02)
    assert row(told, "mid_abdomen").cem43_min == pytest.approx(10.0, abs=0.2)
    assert told.coverage == pytest.approx(0.875, abs=0.02)


@pytest.mark.requirement("RC-060")
def test_a_silent_instrument_and_a_restart_are_gaps_in_the_dose() -> None:
    bench = at("perfuse", "closed")
    bench.run(120)
    bench.silent.add("sites")
    bench.run(120)
    bench.silent.clear()
    bench.run(120)
    bench.restart(later_s=2.0)
    bench.run(120)
    told = close(bench)
    assert row(told, "pelvis").cem43_min == pytest.approx(6.0, abs=0.2)
    assert told.treatment_min == pytest.approx(8.1, abs=0.1)


def test_a_session_closed_in_set_up_has_no_dose() -> None:
    bench = at("setup")
    bench.command("close_session")
    assert not any(isinstance(effect, DoseRecorded) for effect in bench.effects)


def test_the_dose_of_a_running_session_survives_the_journal() -> None:
    bench = at("perfuse", "closed")
    bench.run(200)
    assert bench.state.dose.treatment["pelvis"].counts
    assert CODEC.decode("State", CODEC.encode(bench.state)) == bench.state
