"""A trial's figures, and that what is finished is kept and counts for the same trial only."""

from pathlib import Path

import numpy as np
import pytest

from service.virtual.baselines import Regulator
from service.virtual.chosen import protocol_of
from service.virtual.cohort import drawn
from service.virtual.figures import Course, Figures, figures
from service.virtual.trial import Kept, Trial, TrialError

IDENTITY = {"controller": "automatic", "cohort": "a"}


def course(sites_c, *, core_c=38.0, inflow_c=45.0, gate_s=60, from_s=100) -> Course:
    seconds = len(sites_c)

    def held(value: float) -> np.ndarray:
        return np.full(seconds, value)

    return Course(
        sites_c=np.array(sites_c),
        core_c=held(core_c),
        inflow_c=held(inflow_c),
        reservoir_c=held(42.0),
        bath_c=held(45.6),
        gate_s=gate_s,
        from_s=from_s,
        to_s=None if from_s is None else seconds,
    )


def of(sites_c, **how) -> Figures:
    return figures(course(sites_c, **how), protocol_of("closed-mmc-90"), index=1, controller="x")


def test_shares_count_the_seconds_of_the_treatment_clock_alone() -> None:
    before, inside, hot = [[30.0] * 6] * 100, [[43.0] * 6] * 300, [[43.0] * 5 + [43.6]] * 100
    found = of(before + inside + hot)
    assert (found.treated_s, found.hottest_ok_s, found.mean_in_band_s) == (400, 300, 400)
    assert found.sites_in_band == pytest.approx(1 - 100 / 2400, abs=1e-5)
    assert found.gate_min == 1.0
    assert found.hottest_c == 43.6
    assert found.over_ceiling_s == 0


def test_a_minute_at_43_is_one_equivalent_minute_and_42_a_quarter() -> None:
    assert of([[43.0] * 6] * 701).cem43_mean == pytest.approx(10.0)
    assert of([[42.0] * 6] * 701).cem43_mean == pytest.approx(2.5)


@pytest.mark.parametrize(
    "how", [{"inflow_c": 46.0}, {"core_c": 40.0}, {"sites_c": [[43.0] * 5 + [44.0]] * 200}]
)
def test_anything_at_its_ceiling_is_counted_from_heat_up_on(how) -> None:
    how = {"sites_c": [[43.0] * 6] * 200, **how}
    assert of(how.pop("sites_c"), **how).over_ceiling_s == 200


def test_a_treatment_that_never_began_has_no_shares() -> None:
    found = of([[41.0] * 6] * 200, gate_s=None, from_s=None)
    assert (found.gate_min, found.treated_s, found.sites_in_band) == (None, 0, None)


def test_finished_patients_are_kept_and_a_line_that_broke_off_is_done_again(
    tmp_path: Path,
) -> None:
    found = of([[43.0] * 6] * 200)
    with Kept(tmp_path, IDENTITY) as kept:
        kept.add(found)
    path = tmp_path / "finished-automatic.jsonl"
    path.write_text(path.read_text() + '{"index": 2, "contr')
    assert list(Kept(tmp_path, IDENTITY).read()) == [found]
    with Kept(tmp_path, IDENTITY) as kept:
        kept.add(found)
    assert list(Kept(tmp_path, IDENTITY).read()) == [found, found]


def test_what_another_trial_has_finished_does_not_count(tmp_path: Path) -> None:
    with Kept(tmp_path, IDENTITY) as kept:
        kept.add(of([[43.0] * 6] * 200))
    other = {**IDENTITY, "cohort": "b"}
    with pytest.raises(TrialError, match="is of another trial"):
        list(Kept(tmp_path, other).read())


def test_a_controller_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(TrialError, match=r"'magic'; there are automatic, advisory, baseline-1.0"):
        Trial(patients=drawn(1, 1), protocol="closed-mmc-90", controller="magic").run()


def test_the_baselines_inflow_set_point_is_43_plus_pi_clamped_with_its_integral_frozen() -> None:
    regulator = Regulator()
    assert regulator.inflow_c(42.0) == 45.0
    assert regulator.inflow_c(42.0) == pytest.approx(45.005)
    held_c = regulator.integral_c
    assert [regulator.inflow_c(38.0), regulator.inflow_c(46.0)] == [46.0, 40.0]
    assert regulator.integral_c == held_c


@pytest.mark.integration
def test_a_trial_is_the_same_to_the_last_digit_with_one_process_and_with_two(
    tmp_path: Path,
) -> None:
    asked = {"patients": drawn(3, 2), "protocol": "closed-oxaliplatin-30", "quiet": True}
    apart = Trial(**asked, processes=2, batch=1, out=tmp_path).run()
    assert Trial(**asked, processes=1).run() == apart, "in one batch, in step"
    assert Trial(**asked, processes=2, out=tmp_path).run() == apart, "nothing is done again"
