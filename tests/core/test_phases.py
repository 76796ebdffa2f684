"""The way through a treatment: each step, what it needs, and what it does to heat and flow."""

import pytest

from service.core import phases
from service.core.model import CommandState, Phase
from service.core.state import Side
from tests.core.bench import Bench, at
from tests.core.room import SITES

REFUSED = CommandState.REFUSED
LATE = (Phase.DRAIN, Phase.RINSE, Phase.COMPLETE)


def bench_in(phase: Phase) -> Bench:
    if phase not in LATE:
        return at(phase)
    bench = at()
    for target in LATE[: LATE.index(phase) + 1]:
        bench.command("start_phase", phase=target, reason="test")
        bench.run(1)
    return bench


@pytest.mark.parametrize("source", Phase)
@pytest.mark.parametrize("target", Phase)
def test_a_phase_follows_only_where_the_table_says_so(source: Phase, target: Phase) -> None:
    bench = bench_in(source)
    follows = any(s.source is source and s.target is target for s in phases.STEPS)
    answer = bench.command("start_phase", phase=target, reason="test")
    assert (f"{target} does not follow {source}" in answer.reason) is not follows


NEEDS = [
    ("setup", "prime", "checklist: Patient, procedure"),
    ("prime", "fill", "checklist: Circuit probes compared"),
    ("heat_up", "drug_addition", "site mean at 42.5 °C or more for 60 s (held 3 s)"),
    ("heat_up", "drug_addition", "checklist: Stop point"),
    ("heat_up", "perfuse", "the protocol has a drug: add it first"),
    ("drug_addition", "perfuse", "confirm the first drug fraction"),
]


@pytest.mark.requirement("RC-021")
@pytest.mark.parametrize(("source", "target", "why"), NEEDS)
def test_a_step_says_what_it_still_needs(source: str, target: str, why: str) -> None:
    answer = at(source).command("start_phase", phase=target)
    assert answer.state is REFUSED and why in answer.reason


@pytest.mark.requirement("RC-014")
@pytest.mark.parametrize(("exchanger", "allowed"), [(43.5, True), (43.6, False), (None, False)])
def test_the_patient_is_not_filled_from_an_exchanger_hotter_than_the_band(
    exchanger: float | None, allowed: bool
) -> None:
    bench = at("prime")
    bench.checklist("fill")
    bench.values["exchanger"] = exchanger
    bench.run(1)
    answer = bench.command("start_phase", phase="fill")
    assert (answer.state is not REFUSED) is allowed


@pytest.mark.requirement("RC-014")
@pytest.mark.parametrize(("bath", "allowed"), [(43.5, True), (43.6, False), (None, False)])
def test_where_no_probe_is_at_the_exchanger_the_bath_says_what_has_soaked(
    bath: float | None, allowed: bool
) -> None:
    bench = at("prime", without=frozenset({"exchanger"}))
    bench.checklist("fill")
    bench.values["bath"] = bath
    bench.run(1)
    answer = bench.command("start_phase", phase="fill")
    assert (answer.state is not REFUSED) is allowed


@pytest.mark.requirement("RC-014")
def test_where_neither_exchanger_nor_bath_is_measured_nothing_that_stood_is_pumped() -> None:
    bench = at("prime", without=frozenset({"exchanger", "bath"}))
    bench.checklist("fill")
    answer = bench.command("start_phase", phase="fill")
    assert answer.state is REFUSED and "neither it nor the bath" in answer.reason


@pytest.mark.requirement("RC-021")
def test_the_drug_waits_for_the_gate_and_for_both_names() -> None:
    bench = at("heat_up")
    bench.values.update(dict.fromkeys(SITES, 42.4))
    bench.frames()
    bench.checklist("drug_addition")
    bench.run(70)
    assert bench.command("start_phase", phase="drug_addition").state is REFUSED
    bench.values.update(dict.fromkeys(SITES, 42.6))
    bench.frames()
    bench.run(58)
    assert bench.command("start_phase", phase="drug_addition").state is REFUSED
    bench.run(3)
    assert bench.command("start_phase", phase="drug_addition").state is not REFUSED
    assert not bench.session.clocks.running, "the clock starts at drug-in"
    bench.command("confirm_drug", fraction=1)
    assert bench.phase == "perfuse" and bench.session.clocks.running


def test_without_a_drug_the_treatment_begins_at_the_gate_after_the_stop_point() -> None:
    bench = at("heat_up", protocol_id="closed")
    bench.run(62)
    answer = bench.command("start_phase", phase="perfuse")
    assert answer.state is REFUSED and "Stop point" in answer.reason
    bench.checklist("drug_addition")
    assert bench.command("start_phase", phase="perfuse").state is not REFUSED
    assert bench.session.clocks.running


def test_prime_starts_the_pump_at_the_protocol_s_flow_and_drain_stops_it() -> None:
    bench = at("setup")
    assert bench.pump is None
    bench.checklist("prime")
    bench.command("start_phase", phase="prime")
    assert bench.pump == 1500.0
    bench = at()
    bench.command("start_phase", phase="drain", reason="surgeon asks")
    assert bench.pump is None and bench.heater is None
    assert bench.recorded("deviation") == ["drain started early (surgeon asks)"]
    bench.run(5)
    bench.command("start_phase", phase="rinse")
    assert bench.pump == 1500.0 and bench.heater is None


@pytest.mark.requirement("RC-209")
@pytest.mark.parametrize("ended", ["stop", "abort"])
def test_after_a_stop_the_rinse_starts_no_pump_until_a_person_has_resumed(ended: str) -> None:
    bench = at()
    bench.command(ended)
    bench.run(2)
    bench.command("start_phase", phase="drain", reason="leaving")
    bench.run(5)
    answer = bench.command("start_phase", phase="rinse")
    assert answer.state is REFUSED and "resume first" in answer.reason
    bench.run(2)
    assert bench.pump is None
    assert bench.command("resume").state is not REFUSED
    bench.run(2)
    assert bench.pump is None and bench.heater is None, "nothing runs in the drain"
    assert bench.command("start_phase", phase="rinse").state is not REFUSED
    bench.run(2)
    assert bench.pump == 1500.0 and bench.heater is None


def test_a_pump_that_circulates_by_hand_in_set_up_is_left_alone_and_a_running_heater_is_not() -> (
    None
):
    bench = Bench()
    bench.pump, bench.heater = 800.0, 40.0
    bench.frames()
    bench.command("open_session")
    bench.run(10)
    assert bench.pump == 800.0
    assert bench.heater is None


@pytest.mark.requirement("RC-030")
@pytest.mark.parametrize("how", ["stop", "pause"])
def test_a_stopped_session_can_be_drained_without_starting_the_pump_first(how: str) -> None:
    bench = at()
    bench.command(how)
    bench.values["exchanger"] = 46.3
    bench.run(5)
    refused = bench.command("start_phase", phase="rinse")
    assert refused.state is REFUSED
    drained = bench.command("start_phase", phase="drain", reason="patient unstable")
    assert drained.state is not REFUSED
    assert bench.pump is None and bench.session.side is Side.NONE


def test_a_paused_session_moves_to_no_other_phase() -> None:
    bench = at("fill")
    bench.command("pause")
    answer = bench.command("start_phase", phase="heat_up")
    assert answer.reason == "the session is paused: resume first, or drain"


def test_after_an_abort_the_only_way_is_drain_and_it_asks_for_no_reason() -> None:
    bench = at("heat_up")
    bench.command("abort")
    ahead = phases.next_step(bench.session)
    assert ahead is not None and ahead.target is Phase.DRAIN
    bench.checklist("drug_addition")
    refused = bench.command("start_phase", phase="drug_addition")
    assert refused.reason == "the session was aborted: drain"
    assert bench.command("start_phase", phase="drain").state is not REFUSED


@pytest.mark.parametrize(
    ("protocol", "way"),
    [
        ("closed", ["prime", "fill", "heat_up", "perfuse", "drain", "rinse", "complete"]),
        (
            "closed-mmc-90",
            ["prime", "fill", "heat_up", "drug_addition", "perfuse", "drain", "rinse", "complete"],
        ),
    ],
)
def test_the_ordinary_way_is_the_one_that_is_shown_next(protocol: str, way: list[str]) -> None:
    bench = at("setup", protocol_id=protocol)
    for target in way:
        ahead = phases.next_step(bench.session)
        assert ahead is not None and ahead.target == target
        bench.checklist(target)
        bench.checklist("drug_addition" if target == "perfuse" else target)
        if target in ("drug_addition", "perfuse"):
            bench.run(62)
        if target == "perfuse" and bench.protocol.drug:
            bench.command("confirm_drug", fraction=1)
        else:
            answer = bench.command("start_phase", phase=target, reason="test")
            assert answer.state is not REFUSED, answer.reason
        bench.run(2)
    assert phases.next_step(bench.session) is None
    bench.command("close_session")
    assert bench.state.session is None


def test_an_inflow_that_a_person_set_is_kept_into_perfusion_but_not_beyond() -> None:
    bench = at("heat_up")
    bench.command("set_inflow", c=44.2)
    bench.command("confirm_drug", fraction=1)
    assert bench.session.heat.requested_c == 44.2
    bench.command("start_phase", phase="drain", reason="test")
    assert bench.session.heat.requested_c is None
