"""Automatic's outer loop on simulated patients: the order of aims."""

from statistics import fmean

import pytest

from service.core import loop
from simulator.plant import Parameters
from tests.core.abdomen import AIMS, Abdomen

START = {"cavity_start_ml": 3000.0, "reservoir_start_c": 42.0, "bath_start_c": 43.0}


def patient(**figures: float) -> Parameters:
    return Parameters(technique="closed", **START, **figures)


@pytest.mark.requirement("RC-071")
def test_the_hottest_site_stays_below_the_upper_edge_even_where_the_others_are_then_cold() -> None:
    abdomen = Abdomen(patient(mixing_closed_ml_min=20), flow_ml_min=1000.0)
    abdomen.minutes(12)
    hottest = []
    for _ in range(50):
        abdomen.minutes(1)
        hottest.append(max(abdomen.truth_c))
    assert max(hottest) <= 43.5
    assert min(abdomen.truth_c) < 42.5, "a site that is badly rinsed is left cold"


@pytest.mark.requirement("RC-071")
def test_the_mean_is_in_the_band_within_minutes_and_stays_there() -> None:
    abdomen = Abdomen(patient())
    abdomen.minutes(14)
    means = []
    for _ in range(60):
        abdomen.minutes(1)
        means.append(fmean(abdomen.truth_c))
    assert min(means) >= 42.5 and max(means) <= 43.5


@pytest.mark.requirement("RC-071")
def test_a_core_near_its_limit_comes_before_the_mean_of_the_sites() -> None:
    abdomen = Abdomen(patient(core_start_c=38.8, core_j_k=90_000, blood_w_k=40))
    abdomen.minutes(10)
    core, mean, aims = [], [], []
    for _ in range(40):
        estimate = abdomen.minutes(1)
        core.append(abdomen.plant.core_c)
        mean.append(fmean(abdomen.truth_c))
        aims.append(loop.goal(estimate, AIMS, 1500.0).decided_by)
    assert "core temperature" in aims
    assert min(mean) < 42.5, "below the band for the core's sake"
    assert max(core) < 39.75 and core[-1] < 39.6


def test_a_cold_dose_that_is_due_is_met_as_warm_as_the_hottest_site_bears() -> None:
    abdomen = Abdomen(patient(mixing_closed_ml_min=1000))
    estimate = abdomen.minutes(20)
    ordinary = loop.goal(estimate, AIMS, 1500.0)
    due = loop.Aims(low_c=42.5, high_c=43.5, core_high_c=39.5, inflow_most_c=45.7, dose_soon=True)
    met = loop.goal(estimate, due, 1500.0)
    assert ordinary.mean_c < 43.2 < met.mean_c <= 43.4
    assert met.decided_by == "cold dose is due"
