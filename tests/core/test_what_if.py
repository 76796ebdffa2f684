"""What would happen if: asked during a treatment, and before incision."""

from dataclasses import replace

import pytest

from service.core.model import Controller
from service.core.what_if import before_incision, what_if
from service.foretell import what_if_text
from tests.core.bench import Bench, at
from tests.core.room import protocol


def test_nobody_is_perfused_so_there_is_nothing_to_ask() -> None:
    assert what_if(Bench().state, inflow_delta_c=-1.0) is None


@pytest.mark.requirement("RC-077")
def test_one_degree_less_inflow_is_a_cooler_core_and_a_colder_coldest_site() -> None:
    bench = at()
    bench.values["pelvis"] = 42.4
    bench.run(60)
    before = bench.state
    found = what_if(bench.state, inflow_delta_c=-1.0)
    assert found is not None
    assert found.changed.core_peak_c < found.planned.core_peak_c - 0.1
    assert found.changed.coldest_c < found.planned.coldest_c - 0.3
    assert found.text.startswith("inflow -1.0 °C: core peak ")
    assert " instead of " in found.text
    assert bench.state is before, "asking moves nothing"


def test_more_flow_warms_the_sites_and_is_cut_at_what_the_protocol_allows() -> None:
    bench = at()
    bench.run(60)
    found = what_if(bench.state, flow_ml_min=9000)
    assert found is not None and found.flow_ml_min == 2000.0
    assert found.changed.mean_c > found.planned.mean_c


def test_more_inflow_than_the_ceiling_allows_is_answered_for_what_would_be_granted() -> None:
    found = what_if(at().state, inflow_delta_c=5.0)
    assert found is not None and found.inflow_c == 45.7


def test_in_automatic_less_inflow_is_asked_as_the_most_that_the_loop_may_give() -> None:
    bench = at()
    bench.command("set_controller", mode="automatic")
    bench.run(30)
    found = what_if(bench.state, inflow_delta_c=-1.0)
    assert bench.session.heat.controller is Controller.AUTOMATIC
    assert found is not None and found.changed.mean_c < found.planned.mean_c


@pytest.mark.parametrize("name", ["closed-mmc-90", "open-mmc-90"])
def test_before_incision_the_gate_is_foretold_within_the_published_minutes(name: str) -> None:
    found = before_incision(protocol(name))
    assert found.gate_min is not None
    assert 5.0 < found.gate_min.low < found.gate_min.middle < found.gate_min.high < 25.0
    assert found.hottest_c.high <= 43.5
    assert 38.0 < found.core_peak_c.low < found.core_peak_c.high <= 39.7


def test_a_flow_that_cannot_carry_the_heat_says_how_many_never_reach_the_gate() -> None:
    found = before_incision(protocol("open-mmc-90"), 500.0)
    assert found.gate_min is None
    assert "is reached by" in found.text


def test_more_flow_reaches_the_gate_sooner() -> None:
    slow, fast = (before_incision(protocol("open-mmc-90"), flow) for flow in (1300.0, 2000.0))
    assert slow.gate_min is not None and fast.gate_min is not None
    assert fast.gate_min.middle < slow.gate_min.middle


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("closed-mmc-90", "open", 1500.0), "open, flow 1.5 l/min"),
        (("nobody", None, None), 'There is no protocol "nobody"; known are closed'),
        (("closed-mmc-90", None, 99_000.0), "outside 300 to 5000"),
    ],
)
def test_the_command_line_answers_in_words(
    arguments: tuple[str, str | None, float | None], says: str
) -> None:
    code, text = what_if_text(*arguments)
    assert says in text and code == (0 if arguments[0] != "nobody" and "outside" not in says else 1)


def test_the_answer_is_of_the_technique_that_was_asked_for() -> None:
    closed = protocol("closed-mmc-90")
    opened = replace(closed, technique=protocol("open-mmc-90").technique)
    sooner, later = before_incision(closed).gate_min, before_incision(opened).gate_min
    assert sooner is not None and later is not None and sooner.middle <= later.middle
