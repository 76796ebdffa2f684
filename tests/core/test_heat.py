"""Heat only where it is proven safe: what it needs, what cuts it, and how far it may go."""

from dataclasses import replace

import pytest

from service.core.control import advice
from service.core.effects import ControllerChanged, PumpRun, Recorded
from service.core.events import SupervisorLink
from service.core.model import CommandState, Controller, Phase
from tests.core.bench import Bench, at, heater_runs
from tests.core.room import SITES

BATH_MAX_C = 46.5


def heat_is_on(bench: Bench) -> bool:
    return bench.state.heater.wanted is not None


def cold_patient() -> Bench:
    """A bench at the beginning of heat-up, with an abdomen that is still cold."""
    bench = Bench()
    bench.values.update(dict.fromkeys((*SITES, "outflow"), 39.0))
    bench.to_phase("heat_up")
    return bench


@pytest.mark.requirement("RC-031")
@pytest.mark.parametrize("phase", Phase)
def test_heat_runs_only_in_the_phases_that_the_protocol_allows(phase: Phase) -> None:
    bench = at("perfuse") if phase in (Phase.DRAIN, Phase.RINSE, Phase.COMPLETE) else at(phase)
    for target in (Phase.DRAIN, Phase.RINSE, Phase.COMPLETE):
        if bench.phase != phase and phase in (Phase.DRAIN, Phase.RINSE, Phase.COMPLETE):
            bench.command("start_phase", phase=target, reason="test")
    bench.run(4)
    assert bench.phase == phase
    assert heat_is_on(bench) is bench.protocol.heat[phase].allowed


@pytest.mark.requirement("RC-031")
@pytest.mark.parametrize("phase", [Phase.SETUP, Phase.DRAIN])
def test_a_phase_without_heat_keeps_it_off_even_where_it_is_still_switched_on(phase: Phase) -> None:
    bench = at("perfuse")
    heat = replace(bench.session.heat, enabled=True)
    bench.state = replace(bench.state, session=replace(bench.session, phase=phase, heat=heat))
    bench.run(4)
    assert not heat_is_on(bench)
    assert "no heat in phase" in bench.session.heat.waits_for


LOST = {
    "inflow": ("heat_up", ("inflow",), "no valid inflow temperature"),
    "reservoir while priming": ("prime", ("reservoir",), "no valid reservoir temperature"),
    "all sites": ("perfuse", SITES, "no valid site temperature"),
    "flow meter": ("perfuse", ("flow",), "flow is not known"),
}


@pytest.mark.requirement("RC-012")
@pytest.mark.parametrize("name", LOST)
def test_a_reading_that_heat_needs_and_that_has_no_value_takes_the_heat_off(name: str) -> None:
    phase, channels, why = LOST[name]
    bench = at(phase)
    bench.flow_follows = False
    bench.values["flow"] = 1500.0
    bench.run(2)
    assert heat_is_on(bench)
    bench.values.update(dict.fromkeys(channels))
    bench.run(1)
    assert not heat_is_on(bench)
    assert bench.session.heat.waits_for == why


@pytest.mark.requirement("RC-012")
@pytest.mark.parametrize("device", ["circuit", "sites", "flow", "pump"])
def test_a_silent_instrument_takes_the_heat_off_within_its_age_limit(device: str) -> None:
    bench = at()
    bench.silent.add(device)
    bench.run(2.9)
    assert heat_is_on(bench)
    bench.run(0.3)
    assert not heat_is_on(bench)
    bench.run(0.5)
    assert "channel_stale" in bench.raised()


@pytest.mark.requirement("RC-012")
def test_a_questionable_inflow_never_raises_heat_but_still_counts_for_its_ceiling() -> None:
    bench = at()
    bench.questionable.add("inflow")
    bench.run(1)
    assert not heat_is_on(bench)
    bench.values["inflow"] = 46.2
    bench.run(1)
    assert "inflow_high" in bench.raised()


@pytest.mark.requirement("RC-017")
def test_a_short_gap_ends_by_itself_and_one_of_fifteen_seconds_waits_for_a_person() -> None:
    bench = at()
    bench.values["inflow"] = None
    bench.run(14)
    bench.values["inflow"] = 44.8
    bench.run(2)
    assert heat_is_on(bench)
    bench.values["inflow"] = None
    bench.run(17)
    bench.values["inflow"] = 44.8
    bench.run(30)
    assert not heat_is_on(bench)
    bench.command("resume")
    assert heat_is_on(bench)


@pytest.mark.requirement("RC-003")
def test_the_first_reading_at_the_site_ceiling_cuts_the_heat_and_the_second_alarms() -> None:
    bench = at()
    bench.values["pelvis"] = 44.0
    bench.frame("sites")
    assert not heat_is_on(bench) and "site_ceiling" not in bench.signalled()
    bench.frame("sites")
    assert "site_ceiling" in bench.raised()
    bench.values["pelvis"] = 43.0
    bench.run(10)
    assert not heat_is_on(bench), "two readings are an event: a person resumes"


@pytest.mark.requirement("RC-142")
@pytest.mark.parametrize(
    ("device", "channel", "value"),
    [
        ("sites", "pelvis", 44.0),
        ("circuit", "inflow", 46.0),
        ("circuit", "inflow", None),
        ("circuit", "nasopharynx", 39.5),
        ("heater", "bath", 47.5),
    ],
)
def test_what_is_wrong_in_a_frame_takes_the_heat_away_before_any_tick(
    device: str, channel: str, value: float | None
) -> None:
    bench = at()
    bench.run(5)
    assert bench.session.heat.bath_c is not None
    bench.values[channel] = value
    bench.frame(device)
    assert bench.session.heat.bath_c is None


@pytest.mark.requirement("RC-142")
def test_a_frame_in_which_all_is_well_waits_for_the_tick_and_decides_when_none_comes() -> None:
    bench = at()
    decided_s = bench.session.heat.decided_s
    bench.frame("sites")
    assert bench.session.heat.decided_s == decided_s
    for _ in range(2):
        bench.pass_s(1.0)
        bench.frame("sites")
    assert bench.session.heat.decided_s == bench.state.treat_s


@pytest.mark.requirement("RC-003")
def test_a_single_spike_at_the_site_ceiling_is_no_alarm() -> None:
    bench = at()
    bench.values["pelvis"] = 44.5
    bench.frame("sites")
    bench.values["pelvis"] = 43.0
    bench.run(3)
    assert bench.alarms() == [] and heat_is_on(bench)


@pytest.mark.requirement("RC-003")
def test_readings_at_the_ceiling_of_an_earlier_session_do_not_count_in_the_next() -> None:
    bench = at("setup")
    bench.values["pelvis"] = 44.5
    bench.run(3)
    bench.command("close_session")
    bench.to_phase("setup")
    assert bench.state.over_ceiling == {}


@pytest.mark.requirement("RC-002")
@pytest.mark.parametrize(
    ("asked", "granted", "limited"), [(45.0, 45.0, False), (45.7, 45.7, False), (60, 45.7, True)]
)
def test_an_inflow_is_granted_up_to_the_ceiling_less_its_margin(
    asked: float, granted: float, limited: bool
) -> None:
    bench = at()
    answer = bench.command("set_inflow", c=asked)
    assert (answer.requested, answer.granted) == (asked, granted)
    assert ("inflow ceiling" in answer.limited_by) is limited
    bench.run(5)
    assert bench.heater is not None and bench.heater <= BATH_MAX_C


@pytest.mark.requirement("RC-006")
def test_automatic_never_orders_more_bath_than_its_maximum_however_cold_the_inflow_stays() -> None:
    bench = cold_patient()
    assert bench.command("set_controller", mode="automatic").state is CommandState.CONFIRMED
    bench.values.update(inflow=43.0, exchanger=43.0)
    bench.run(300)
    orders = [run.bath_c for run in heater_runs(bench.effects)]
    assert max(orders) == BATH_MAX_C
    assert "bath maximum 46.5 °C" in bench.session.heat.limited_by
    bench.values["inflow"] = 45.6
    bench.command("set_inflow", c=44.5)
    bench.run(30)
    assert bench.heater is not None and bench.heater < 45.0, "it has not wound up"


@pytest.mark.requirement("RC-025")
def test_automatic_gives_less_than_was_asked_where_a_site_is_hot_and_never_more() -> None:
    bench = at()
    bench.command("set_controller", mode="automatic")
    bench.command("set_inflow", c=44.5)
    bench.values.update(dict.fromkeys(SITES, 40.0))
    bench.run(60)
    assert bench.session.heat.granted_c == 44.5, "cold sites raise nothing above what was asked"
    bench.values["pelvis"] = 43.6
    bench.run(2)
    granted = bench.session.heat.granted_c
    assert granted is not None and granted < 44.5
    assert "hottest site" in bench.session.heat.limited_by


@pytest.mark.requirement("RC-025")
def test_automatic_falls_back_on_an_interlock_and_only_a_person_brings_it_back() -> None:
    bench = at()
    bench.command("set_controller", mode="automatic")
    bench.values["inflow"] = 46.0
    bench.run(2)
    assert bench.session.heat.controller is Controller.FALLBACK
    assert bench.raised() == {"inflow_high"}, "one cause gives one alarm"
    bench.values["inflow"] = 44.0
    bench.run(60)
    assert bench.session.heat.controller is Controller.FALLBACK and not heat_is_on(bench)
    assert "automatic_lost" in bench.raised(), "the cause is gone, automatic is still off"
    bench.command("resume")
    assert bench.session.heat.controller is Controller.ADVISORY
    assert bench.command("set_controller", mode="automatic").state is CommandState.CONFIRMED


@pytest.mark.requirement("RC-076")
def test_fallback_and_stopped_have_one_stated_output_and_only_a_person_returns() -> None:
    bench = at()
    bench.command("set_controller", mode="automatic")
    bench.values["inflow"] = 46.0
    bench.run(2)
    assert bench.session.heat.controller is Controller.FALLBACK
    assert bench.heater is None and bench.pump == 1500.0, "a ceiling takes the heat, not the flow"
    bench.command("stop")
    bench.run(1)
    stopped: str = bench.session.heat.controller
    assert stopped == Controller.STOPPED and bench.heater is None and bench.pump is None
    bench.values.update(inflow=44.0, exchanger=44.0)
    bench.run(30)
    assert bench.heater is None and bench.pump is None
    bench.command("resume")
    bench.run(1)
    assert bench.heater is not None
    assert bench.session.heat.controller == "advisory", "automatic is chosen anew"


@pytest.mark.requirement("RC-076")
@pytest.mark.parametrize("mode", [Controller.FALLBACK, Controller.STOPPED])
def test_fallback_and_stopped_switch_the_heater_off_even_where_no_interlock_does(
    mode: Controller,
) -> None:
    bench = at()
    assert bench.heater is not None and bench.session.blocks == {}
    heat = replace(bench.session.heat, controller=mode)
    bench.state = replace(bench.state, session=replace(bench.session, heat=heat))
    bench.run(2)
    assert bench.heater is None and bench.session.blocks == {}


@pytest.mark.requirement("RC-074")
def test_a_core_of_thirty_nine_has_less_heat_proposed() -> None:
    bench = at()
    bench.values["nasopharynx"] = 39.1
    bench.run(2)
    said = advice(bench.state, bench.session)
    assert said == "core 39.1 °C: lower the inflow to 44.0 °C, cool the patient"


@pytest.mark.requirement("RC-025")
def test_automatic_gives_no_heat_on_the_word_of_a_single_site() -> None:
    bench = at()
    bench.command("set_controller", mode="automatic")
    bench.values.update(dict.fromkeys(SITES[1:]))
    bench.run(2)
    assert not heat_is_on(bench)
    bench.run(16)
    assert bench.session.heat.controller is Controller.FALLBACK


NEEDED = {
    "inflow": (("inflow",), "a valid inflow (no valid reading)"),
    "flow meter": (("flow",), "an independent flow meter reads (no reading)"),
    "all sites but one": (SITES[1:], "2 valid sites (1 valid, mean 43.0 °C)"),
    "core": (("nasopharynx",), "a valid core temperature (no valid reading)"),
}


@pytest.mark.requirement("RC-072")
@pytest.mark.parametrize("lost", NEEDED)
def test_automatic_cannot_be_chosen_without_its_readings(lost: str) -> None:
    bench = at()
    bench.flow_follows = False
    bench.values["flow"] = 1500.0
    names, why = NEEDED[lost]
    bench.values.update(dict.fromkeys(names))
    bench.run(1)
    answer = bench.command("set_controller", mode="automatic")
    assert answer.state is CommandState.REFUSED and why in answer.reason


@pytest.mark.requirement("RC-218")
def test_two_sites_that_disagree_give_no_automatic_and_take_its_heat_away() -> None:
    bench = at()
    bench.values.update(dict.fromkeys(SITES[2:]))
    bench.values[SITES[1]] = 40.0
    bench.run(1)
    answer = bench.command("set_controller", mode="automatic")
    assert answer.state is CommandState.REFUSED
    assert "two sites within 2 °C of each other (40.0 to 43.0 °C)" in answer.reason
    bench = at()
    bench.command("set_controller", mode="automatic")
    bench.values.update(dict.fromkeys(SITES[2:]))
    bench.values[SITES[1]] = 40.0
    bench.run(2)
    assert not heat_is_on(bench), "neither can be told right: no heat on the colder one's word"
    bench.run(16)
    assert bench.session.heat.controller is Controller.FALLBACK


@pytest.mark.requirement("RC-218")
def test_automatic_is_looked_at_again_when_a_person_resumes_and_that_is_recorded() -> None:
    bench = at()
    bench.command("set_controller", mode="automatic")
    bench.command("heater_off")
    bench.command("resume")
    assert bench.session.heat.controller is Controller.AUTOMATIC
    assert len(bench.recorded("automatic_conditions")) == 2
    bench.command("heater_off")
    bench.values.update(dict.fromkeys(SITES[1:]))
    bench.run(2)
    bench.command("resume")
    assert bench.session.heat.controller is Controller.ADVISORY
    (changed,) = [
        e for e in bench.effects if isinstance(e, ControllerChanged) and e.to == "advisory"
    ]
    assert "2 valid sites (1 valid" in changed.reason


@pytest.mark.requirement("RC-218")
def test_automatic_is_not_chosen_while_the_pump_stands() -> None:
    bench = at()
    bench.command("set_flow", ml_min=0)
    bench.run(2)
    answer = bench.command("set_controller", mode="automatic")
    assert answer.state is CommandState.REFUSED and "a flow of" in answer.reason


@pytest.mark.requirement("RC-072")
def test_every_condition_for_automatic_is_in_the_record_with_what_was_read() -> None:
    bench = at()
    bench.command("set_controller", mode="automatic")
    (line,) = bench.recorded("automatic_conditions")
    for reading in ("flow meter reads: 1500 ml/min", "sites: 4 valid", "inflow: 44.8 °C"):
        assert reading in line


@pytest.mark.requirement("RC-075")
def test_the_record_has_what_automatic_asked_what_it_got_and_which_limit_cut_it() -> None:
    bench = cold_patient()
    bench.command("set_controller", mode="automatic")
    bench.run(90)
    said = [e for e in bench.effects if isinstance(e, Recorded) and e.kind == "automatic"]
    assert "inflow ceiling 46 − 0.3 °C" in str(said[-1].data["limited_by"])
    asked, granted = said[-1].data["asked_c"], said[-1].data["granted_c"]
    assert isinstance(asked, float) and asked > 45.7 and granted == 45.7
    bench.command("set_inflow", c=44.0)
    bench.run(61)
    said = [e for e in bench.effects if isinstance(e, Recorded) and e.kind == "automatic"]
    assert "what a person allows" in str(said[-1].data["limited_by"])
    assert said[-1].data["granted_c"] == 44.0
    assert len(said) <= 4, "at most one line a minute"


@pytest.mark.requirement("RC-246")
def test_every_order_of_the_heater_carries_what_was_asked_granted_and_what_cut_it() -> None:
    bench = cold_patient()
    bench.command("set_controller", mode="automatic")
    bench.run(30)
    for temperature_c in (45.0, 44.0):
        bench.command("set_inflow", c=temperature_c)
        bench.run(10)
    orders = [order for order in heater_runs(bench.effects) if order.order > 0]
    assert len({order.order for order in orders}) > 2, "it has moved the bath"
    for order in orders:
        asked, granted = order.asked_c, order.granted_c
        assert asked is not None and granted is not None and granted <= asked
        assert bool(order.limited_by) is (granted < asked), order
    assert (orders[-1].granted_c, orders[-1].limited_by) == (44.0, "what a person allows")


@pytest.mark.requirement("RC-246")
def test_every_order_of_the_pump_carries_what_was_asked_and_what_lowered_it() -> None:
    bench = at()
    bench.run(6)
    orders = [e for e in bench.effects if isinstance(e, PumpRun)]
    assert {(e.asked_ml_min, e.limited_by) for e in orders} == {(1500.0, "")}
    bench.values["line_out"] = -150.0
    bench.run(2)
    last = [e for e in bench.effects if isinstance(e, PumpRun)][-1]
    assert (last.flow_ml_min, last.asked_ml_min) == (1000.0, 1500.0)
    assert last.limited_by == "Return line -150 mmHg, limit -100"


@pytest.mark.requirement("RC-025")
def test_who_takes_over_from_automatic_goes_on_with_what_it_last_gave() -> None:
    bench = at()
    bench.command("set_controller", mode="automatic")
    bench.run(15)
    given = bench.session.heat.granted_c
    bench.command("set_controller", mode="advisory")
    bench.run(2)
    assert bench.session.heat.granted_c == given


@pytest.mark.requirement("RC-025")
def test_automatic_finds_the_inflow_anew_and_never_above_its_limit() -> None:
    bench = cold_patient()
    bench.command("set_inflow", c=43.0)
    bench.command("set_controller", mode="automatic")
    bench.run(30)
    assert bench.session.heat.granted_c == 45.7


def test_manual_heat_stays_at_one_bath_set_point_until_a_person_changes_it() -> None:
    bench = at()
    bench.command("set_controller", mode="manual")
    bench.command("set_inflow", c=44.0)
    bench.run(3)
    orders = {run.bath_c for run in heater_runs(bench.run(120))}
    assert orders == {44.6}


@pytest.mark.requirement("RC-025")
def test_advisory_lowers_the_bath_where_the_inflow_rises_too_high_and_never_raises_it() -> None:
    bench = at()
    bench.command("set_inflow", c=44.0)
    bench.values["inflow"] = 43.0
    bench.run(3)
    assert {run.bath_c for run in heater_runs(bench.run(60))} == {44.6}
    bench.values["inflow"] = 44.4
    orders = [run.bath_c for run in heater_runs(bench.run(60))]
    assert max(orders) < 44.6 and min(orders) < orders[0]


@pytest.mark.requirement("RC-042")
def test_a_lost_core_probe_is_borne_for_a_minute_and_then_holds_the_heat() -> None:
    bench = at()
    bench.values["nasopharynx"] = None
    bench.run(50)
    assert heat_is_on(bench)
    bench.run(15)
    assert not heat_is_on(bench) and "core_lost" in bench.raised()
    bench.values["nasopharynx"] = 37.5
    bench.run(5)
    assert not heat_is_on(bench)
    bench.command("resume")
    assert heat_is_on(bench)


@pytest.mark.requirement("RC-042")
def test_the_bladder_does_not_stand_in_for_the_deciding_core_probe() -> None:
    bench = at()
    bench.values["bladder"] = None
    bench.run(70)
    assert heat_is_on(bench)


@pytest.mark.requirement("RC-039")
def test_without_a_supervisor_no_heat_is_added_until_one_is_there_again() -> None:
    bench = at()
    bench.feed(SupervisorLink(at=bench.now, present=False))
    bench.run(1)
    assert not heat_is_on(bench) and "supervisor_lost" in bench.raised()
    bench.feed(SupervisorLink(at=bench.now, present=True))
    bench.run(1)
    assert heat_is_on(bench)


@pytest.mark.requirement("RC-206")
def test_after_a_long_time_without_a_supervisor_only_a_person_brings_the_heat_back() -> None:
    bench = at()
    bench.feed(SupervisorLink(at=bench.now, present=False))
    bench.run(17)
    bench.feed(SupervisorLink(at=bench.now, present=True))
    bench.run(5)
    assert not heat_is_on(bench)
    assert "supervisor" in bench.session.heat.waits_for
    assert bench.command("resume").state is not CommandState.REFUSED
    bench.run(2)
    assert heat_is_on(bench)


@pytest.mark.requirement("RC-012")
def test_heat_stays_off_while_the_flow_is_below_what_the_protocol_needs() -> None:
    bench = at()
    bench.command("set_flow", ml_min=700)
    bench.run(2)
    assert not heat_is_on(bench)
    assert "flow 700 ml/min, at least 800 needed" in bench.session.heat.waits_for


def test_the_heater_is_renewed_under_its_own_number_and_leases_end_by_themselves() -> None:
    bench = at()
    order = bench.state.heater.order
    runs = heater_runs(bench.run(20))
    assert [run.order for run in runs] == [order] * 4
    assert {run.lease_s for run in runs} == {15.0}


def test_a_person_who_lowers_the_inflow_gets_no_warning_while_the_bath_cools() -> None:
    bench = at()
    bench.values["inflow"] = 45.0
    bench.command("set_inflow", c=43.0)
    for second in range(0, 400, 10):
        bench.values["inflow"] = max(43.0, 45.0 - second * 0.3 / 60)
        bench.run(10)
    assert "inflow_above_set" not in bench.alarms()
    bench.values["inflow"] = 44.2
    bench.run(35)
    assert "inflow_above_set" in bench.raised()


@pytest.mark.requirement("RC-014")
def test_after_a_pause_of_ten_minutes_the_restart_waits_until_the_exchanger_has_cooled() -> None:
    bench = at()
    bench.command("pause")
    assert not heat_is_on(bench) and bench.pump is None
    bench.values["exchanger"] = 46.3
    bench.run(600)
    refused = bench.command("resume")
    assert refused.state is CommandState.REFUSED and "exchanger outlet 46.3" in refused.reason
    bench.values["exchanger"] = None
    bench.run(1)
    unknown = bench.command("resume")
    assert unknown.reason == "exchanger outlet temperature is not known"
    bench.values["exchanger"] = 44.9
    bench.run(1)
    assert bench.command("resume").state is not CommandState.REFUSED
    assert bench.pump == 1500.0


@pytest.mark.requirement("RC-014")
def test_no_way_of_starting_a_standing_pump_goes_round_the_soaked_exchanger() -> None:
    bench = at()
    bench.command("set_flow", ml_min=0)
    bench.values["exchanger"] = 46.3
    bench.run(5)
    assert bench.command("set_flow", ml_min=1400).state is CommandState.REFUSED
    bench.command("start_phase", phase="drain", reason="test")
    bench.run(2)
    rinse = bench.command("start_phase", phase="rinse")
    assert rinse.state is CommandState.REFUSED and "exchanger outlet" in rinse.reason


@pytest.mark.requirement("RC-030")
def test_making_safe_comes_before_the_record_and_the_record_before_what_is_published() -> None:
    bench = at()
    bench.values.update(inflow=46.5, line_in=300.0)
    first = bench.feed(bench.read("circuit"))
    kinds = [type(effect).__name__ for effect in first]
    assert kinds[0] == "HeaterOff"
    assert kinds.index("Recorded") < kinds.index("AlarmChanged")


@pytest.mark.requirement("RC-012")
def test_heat_waits_for_a_heater_that_is_not_connected_instead_of_ordering_it() -> None:
    bench = at("setup")
    bench.checklist("prime")
    bench.pull("heater")
    bench.command("start_phase", phase="prime")
    assert not heater_runs(bench.run(5))
    assert bench.session.heat.waits_for == "the heater is not connected"
    bench.plug("heater")
    bench.run(2)
    assert heat_is_on(bench)
