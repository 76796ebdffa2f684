"""The observer: from readings to one patient's heat balance, and what it does without some."""

from statistics import fmean

import pytest

from protocols.schema import Technique
from service.core.balance import ahead, steady_mean_c, typical
from service.core.changing import replace
from service.core.estimate import STEP_S, Estimate, looked
from simulator.plant import Parameters
from tests.core.abdomen import Abdomen

CLOSED = Parameters(technique="closed", cavity_start_ml=3000, reservoir_start_c=42, bath_start_c=43)
OPEN = Parameters(technique="open", cavity_start_ml=3000, reservoir_start_c=42, bath_start_c=43)


def heat_w(estimate: Estimate) -> float:
    """What the tissue is believed to take."""
    return estimate.balance.tissue_w_k * (estimate.now.mean_c - estimate.now.tissue_c)


@pytest.mark.parametrize("parameters", [CLOSED, OPEN], ids=["closed", "open"])
def test_after_ten_minutes_the_observer_knows_the_tissue_that_no_probe_reads(
    parameters: Parameters,
) -> None:
    abdomen = Abdomen(parameters)
    estimate = abdomen.minutes(10, inflow_c=45.5)
    assert estimate.now.tissue_c == pytest.approx(abdomen.plant.abdomen.tissue_mean_c, abs=1.0)
    assert estimate.now.mean_c == pytest.approx(fmean(abdomen.truth_c), abs=0.1)


def test_the_steady_state_that_is_foreseen_at_fifteen_minutes_is_where_the_sites_settle() -> None:
    abdomen = Abdomen(CLOSED)
    estimate = abdomen.minutes(15, inflow_c=45.0)
    now = estimate.now
    foreseen = steady_mean_c(estimate.balance, now.core_c, now.inflow_c, 1500.0)
    abdomen.minutes(10, inflow_c=45.0)
    assert foreseen == pytest.approx(fmean(abdomen.truth_c), abs=0.35)


@pytest.mark.parametrize("hidden", ["outflow", "core", "pelvis"])
def test_the_observer_goes_on_without_a_reading_and_stays_right_by_a_quarter_of_a_degree(
    hidden: str,
) -> None:
    abdomen = Abdomen(CLOSED)
    abdomen.minutes(8, inflow_c=45.5)
    abdomen.hidden.add(hidden)
    estimate = abdomen.minutes(10, inflow_c=45.5)
    assert estimate.now.mean_c == pytest.approx(fmean(abdomen.truth_c), abs=0.25)
    assert set(estimate.shares) == set(abdomen.sight().sites_c) | ({hidden} & {"pelvis"})


@pytest.mark.requirement("RC-070")
def test_a_probe_that_falls_out_of_the_fluid_alone_is_doubted_and_leaves_the_mean_alone() -> None:
    abdomen = Abdomen(CLOSED)
    abdomen.minutes(15)
    inflow = abdomen.wanted_c()
    abdomen.off_c["pelvis"] = -4.0
    estimate = abdomen.look(inflow)
    assert estimate.doubted == ("pelvis",)
    estimate = abdomen.minutes(5)
    assert estimate.now.mean_c == pytest.approx(fmean(abdomen.truth_c), abs=0.15)
    assert abdomen.wanted_c() <= inflow + 0.3, "one cold probe raises no heat"


@pytest.mark.requirement("RC-070")
def test_two_sites_that_grow_cold_together_agree_and_count() -> None:
    abdomen = Abdomen(CLOSED)
    mean_c = abdomen.minutes(15).now.mean_c
    abdomen.off_c.update(pelvis=-1.5, left_paracolic=-1.5)
    estimate = abdomen.minutes(1)
    assert estimate.doubted == ()
    assert estimate.now.mean_c == pytest.approx(mean_c - 0.5, abs=0.15)


def test_a_cold_dose_moves_the_mean_and_not_what_is_known_of_the_patient() -> None:
    abdomen = Abdomen(CLOSED)
    before = abdomen.minutes(20)
    abdomen.plant.bolus(100.0, 20.0, into="cavity")
    after = abdomen.minutes(3)
    assert after.balance.fluid_ml == pytest.approx(before.balance.fluid_ml, rel=0.15)


def test_the_course_is_stable_for_any_step_and_ends_in_the_steady_state() -> None:
    balance = typical(Technique.CLOSED, 1000.0)
    abdomen = Abdomen(CLOSED)
    now = abdomen.look(45.0).now
    for step_s in (1.0, 20.0, 120.0):
        course = ahead(balance, now, 1500.0, lambda _: 45.0, 7200.0, step_s)
        assert len(course) == 7200 / step_s
        last = course[-1]
        steady = steady_mean_c(balance, last.core_c, 45.0, 1500.0)
        assert last.mean_c == pytest.approx(steady, abs=0.05)


@pytest.mark.requirement("RC-148")
@pytest.mark.parametrize("hidden", ["", "left_paracolic"])
def test_an_estimate_that_is_read_back_from_the_record_goes_on_to_the_last_digit(
    hidden: str,
) -> None:
    abdomen = Abdomen(CLOSED)
    abdomen.hidden.add(hidden)
    abdomen.minutes(2, inflow_c=45.5)
    abdomen.hidden.clear()
    lived = abdomen.minutes(2, inflow_c=45.5)
    # The record gives mappings back in the order of their names.
    read = replace(lived, shares=dict(sorted(lived.shares.items())))
    assert list(lived.shares) == list(read.shares)
    at_s, sight = abdomen.at_s + STEP_S, abdomen.sight()
    assert repr(looked(read, at_s, sight)) == repr(looked(lived, at_s, sight))
