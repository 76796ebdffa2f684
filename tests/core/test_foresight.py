"""What the core foresees in a session, how sure it is, and what it says limits."""

from dataclasses import replace

import pytest

from service.core import findings, reach
from service.core.model import Priority
from service.core.outlook import CORE, MEAN, Ahead, Due, Outlook, Scores, Way
from service.core.state import State
from tests.core.bench import Bench, at
from tests.core.live import alive
from tests.core.room import SITES


def outlook(bench: Bench) -> Outlook:
    seen = bench.session.foresight
    assert seen is not None
    return seen.outlook


def test_each_site_the_mean_and_the_core_are_foreseen_two_and_ten_minutes_ahead() -> None:
    bench = at()
    bench.run(20)
    assert set(outlook(bench).ahead) == {*SITES, MEAN, CORE}
    assert all(len(horizons) == 2 for horizons in outlook(bench).ahead.values())


@pytest.mark.requirement("RC-077")
def test_the_range_of_a_forecast_is_the_error_of_those_whose_time_has_come() -> None:
    scores = Scores().kept(Due(at_s=100.0, values_c={"pelvis": 43.0}))
    assert scores.scored(99.0, {"pelvis": 42.5}) is scores, "not due yet"
    scored = scores.scored(100.0, {"pelvis": 42.5})
    assert scored.error_c == {"pelvis": pytest.approx(0.5)} and scored.waiting == ()
    again = scored.kept(Due(at_s=200.0, values_c={"pelvis": 42.5})).scored(200.0, {"pelvis": 42.5})
    assert again.error_c["pelvis"] < 0.5, "a good forecast narrows it"


def test_a_reading_that_is_missing_when_a_forecast_is_due_scores_nothing() -> None:
    scores = Scores().kept(Due(at_s=100.0, values_c={"pelvis": 43.0})).scored(100.0, {})
    assert scores.error_c == {} and scores.waiting == ()


def test_in_a_session_forecasts_are_scored_after_two_minutes() -> None:
    bench = at("heat_up", speed=20.0)
    bench.run(7)
    seen = bench.session.foresight
    assert seen is not None
    first, second = seen.scores
    assert set(first.error_c) == {*SITES, MEAN, CORE} and second.error_c == {}
    assert len(first.waiting) <= 6


@pytest.mark.requirement("RC-077")
def test_in_a_session_the_range_shown_is_twice_the_error_of_the_forecasts_before_it() -> None:
    bench = at("heat_up", speed=20.0)
    bench.run(7)
    seen = bench.session.foresight
    assert seen is not None
    within_c = [seen.outlook.ahead[MEAN][horizon].within_c for horizon in (0, 1)]
    assert within_c == [pytest.approx(2 * seen.scores[0].error_c[MEAN], abs=0.006), 1.2]
    assert within_c[0] != 0.5, "not what is assumed before the first was scored"


@pytest.mark.requirement("RC-070")
def test_a_single_cold_site_has_the_loop_ask_for_no_more_than_before() -> None:
    bench = alive(at())
    bench.run(20)
    before = bench.session.foresight
    bench.values.update(dict.fromkeys(SITES[1:]), **{SITES[0]: 41.5})
    bench.run(30)
    after = bench.session.foresight
    assert before is not None and after is not None
    assert after.estimate.at_s > before.estimate.at_s, "it is still looked at"
    assert after.wanted_c <= before.wanted_c


def test_nothing_is_foreseen_without_an_inflow_and_old_forecasts_are_not_renewed() -> None:
    bench = at()
    bench.run(20)
    made = outlook(bench).at_s
    bench.values["inflow"] = None
    bench.run(60)
    assert outlook(bench).at_s <= made + 10


def test_after_the_drain_has_begun_nothing_is_foreseen() -> None:
    bench = at()
    bench.run(20)
    bench.command("start_phase", phase="drain", reason="test")
    bench.run(2)
    assert bench.session.foresight is None


def weak(bench: Bench) -> None:
    """An abdomen that takes more than the flow brings: cold sites under a hot inflow."""
    bench.values.update(dict.fromkeys((*SITES, "outflow"), 40.2))
    bench.values.update(inflow=45.6, nasopharynx=36.0)


@pytest.mark.parametrize(
    ("name", "says"),
    [("open-mmc-90", "open field, sites reach"), ("closed-mmc-90", "closed abdomen, sites reach")],
)
def test_what_limits_is_said_in_words_with_what_would_help(name: str, says: str) -> None:
    bench = Bench(name, speed=20.0)
    weak(bench)
    bench.to_phase("heat_up")
    bench.command("set_flow", ml_min=1000)
    bench.run(15)
    limit = outlook(bench).limit
    assert limit.startswith("inflow at its ceiling") and says in limit
    assert ("cover it" in limit) is name.startswith("open")


@pytest.mark.requirement("RC-247")
def test_where_the_bath_is_the_limit_it_is_named_and_not_the_inflow_s_ceiling() -> None:
    bench = at("heat_up", "open-mmc-90", 20.0)
    bench.command("set_inflow", c=45.7)
    bench.command("set_flow", ml_min=1000)
    weak(bench)
    bench.values.update(bath=46.3, inflow=43.5, reservoir=40.0)
    bench.run(15)
    limit = outlook(bench).limit
    assert limit.startswith("bath at its maximum, open field, sites reach"), limit
    bench.values.update(inflow=45.6)
    bench.run(60)
    limit = outlook(bench).limit
    assert limit.startswith("inflow at its ceiling"), f"it is learned anew: {limit}"


@pytest.mark.requirement("RC-247")
def test_what_a_person_allows_is_named_as_the_limit_of_automatic() -> None:
    bench = Bench(speed=20.0)
    weak(bench)
    bench.to_phase("heat_up")
    bench.command("set_controller", mode="automatic")
    bench.command("set_inflow", c=43.0)
    bench.run(15)
    limit = outlook(bench).limit
    assert limit.startswith("inflow as a person allows, closed abdomen"), limit
    assert "allow a warmer inflow" in limit and "cover" not in limit


@pytest.mark.requirement("RC-247")
@pytest.mark.parametrize(
    ("flow_ml_min", "named"), [(1000.0, reach.CEILING), (2000.0, reach.HEATER)]
)
def test_a_weak_heater_is_the_limit_where_the_flow_takes_more_than_it_gives(
    flow_ml_min: float, named: str
) -> None:
    state = at().state
    assert state.session is not None
    weak_heater = replace(state, room=replace(state.room, heater_max_w=400.0))
    found = reach.highest(weak_heater, state.session, None, 45.7, 43.0, flow_ml_min)
    assert found.limited_by == named


@pytest.mark.requirement("RC-247")
def test_a_quicker_flow_takes_less_from_the_bath() -> None:
    state, way = at().state, Way(passes_ml_min=3000.0, looks=reach.FEWEST_LOOKS)
    assert state.session is not None
    inflow_c = [
        reach.highest(state, state.session, way, 60.0, 43.0, flow).inflow_c
        for flow in (1000.0, 1500.0, 2000.0)
    ]
    assert inflow_c == sorted(inflow_c, reverse=True)
    assert inflow_c[0] < state.session.limits.bath_max_c


def with_core_ahead(bench: Bench, later_c: float) -> State:
    """The state with another forecast of the core in ten minutes."""
    seen = bench.session.foresight
    assert seen is not None
    values = (Ahead(value_c=38.9, within_c=0.1), Ahead(value_c=later_c, within_c=0.2))
    ahead = {**seen.outlook.ahead, CORE: values}
    seen = replace(seen, outlook=replace(seen.outlook, ahead=ahead))
    return replace(bench.state, session=replace(bench.session, foresight=seen))


@pytest.mark.requirement("RC-074")
@pytest.mark.parametrize(("later_c", "warned"), [(39.45, False), (39.55, True)])
def test_a_core_foreseen_at_its_high_limit_in_ten_minutes_is_found(
    later_c: float, warned: bool
) -> None:
    bench = at()
    bench.run(20)
    state = with_core_ahead(bench, later_c)
    assert state.session is not None
    found = list(findings.core_forecast(state, state.session))
    assert bool(found) is warned
    assert all(finding.source == "" for finding in found)


@pytest.mark.requirement("RC-074")
def test_a_core_that_climbs_fast_is_a_medium_alarm_before_it_is_warm() -> None:
    bench = alive(at(speed=20.0))
    for second in range(0, 900, 20):
        bench.values["nasopharynx"] = 37.5 + 0.12 * second / 60
        bench.run(1)
        if "core_forecast" in bench.alarms():
            break
    core = bench.values["nasopharynx"]
    assert core is not None and core < 39.0
    assert bench.state.alarms["core_forecast/"].priority is Priority.MEDIUM
    assert "core_warm" not in bench.alarms()
