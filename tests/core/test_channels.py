"""What may be believed of a reading: its age, its validity, and what is not guarded today."""

from math import inf, nan

import pytest

from service.core import channels, guarding
from service.core.events import DisplayChanged, LinkChanged
from service.core.model import (
    Channel,
    CommandState,
    LinkState,
    PersonRole,
    Role,
    Unit,
    Validity,
)
from service.core.state import AlarmState
from service.virtual.session import Setup, VirtualSession
from tests.core.bench import SKIPS, Bench, at
from tests.core.room import DEVICES, SITES, protocol


@pytest.mark.parametrize(
    ("interval_s", "grey_s", "gone_s"), [(0.2, 1.5, 3.0), (1.0, 1.5, 3.0), (4.0, 6.0, 12.0)]
)
def test_a_value_is_grey_after_one_and_a_half_intervals_and_gone_after_three(
    interval_s: float, grey_s: float, gone_s: float
) -> None:
    channel = Channel(
        id="x", device="d", input=1, role=Role.SITE, unit=Unit.DEG_C, interval_s=interval_s
    )
    assert channels.grey_s(channel) == pytest.approx(grey_s)
    assert channels.gone_s(channel) == pytest.approx(gone_s)


@pytest.mark.requirement("RC-012")
@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_what_is_no_number_is_invalid_whatever_its_device_says(value: float) -> None:
    bench = at()
    bench.values["inflow"] = value
    bench.frame("circuit")
    sample = bench.state.samples["inflow"]
    assert (sample.value, sample.validity) == (None, Validity.INVALID)


@pytest.mark.requirement("RC-012")
def test_a_silent_device_gives_no_figure_and_one_alarm_for_all_its_channels() -> None:
    bench = at()
    bench.silent.add("sites")
    bench.run(4)
    assert channels.valid_values(bench.state, Role.SITE) == ()
    stale = [a for a in bench.state.alarms.values() if a.id == "channel_stale"]
    assert [alarm.source for alarm in stale] == ["sites"]
    bench.silent.clear()
    bench.run(1.1)
    assert "channel_stale" not in bench.signalled(), "it falls silent when its cause is gone"


@pytest.mark.requirement("RC-013")
@pytest.mark.parametrize(
    ("device", "alarm"),
    [(name, "drive_link_lost" if name in ("pump", "heater") else "link_lost") for name in DEVICES],
)
def test_a_pulled_cable_is_an_alarm_at_once(device: str, alarm: str) -> None:
    bench = at()
    bench.pull(device)
    assert alarm in bench.raised()
    bench.plug(device)
    assert alarm not in bench.raised()


@pytest.mark.requirement("RC-013")
def test_a_link_that_tries_again_and_again_stays_one_alarm() -> None:
    bench = at()
    bench.pull("sites")
    for _ in range(8):
        for state in (LinkState.OPENING, LinkState.IDENTIFYING, LinkState.LOST):
            bench.feed(LinkChanged(at=bench.now, device="sites", state=state))
            bench.run(0.5)
    assert bench.alarms().count("link_lost") == 1
    assert "link_lost" not in bench.alarms("cleared")


@pytest.mark.requirement("RC-013")
def test_a_device_that_never_gets_further_than_opening_is_lost_too() -> None:
    bench = Bench()
    for state in (LinkState.OPENING, LinkState.IDENTIFYING, LinkState.OPENING):
        bench.feed(LinkChanged(at=bench.now, device="flow", state=state))
        bench.run(1)
    assert "link_lost" in bench.raised()


@pytest.mark.requirement("RC-013")
def test_with_the_heater_s_cable_out_for_fifteen_seconds_heat_waits_for_a_person() -> None:
    bench = at()
    bench.pull("heater")
    bench.run(14)
    assert bench.state.heater.wanted is not None, "a short gap ends by itself"
    bench.run(2)
    assert bench.state.heater.wanted is None
    bench.plug("heater")
    bench.run(5)
    assert bench.heater is None
    assert bench.command("resume").state is not CommandState.REFUSED
    assert bench.heater is not None


@pytest.mark.requirement("RC-018")
@pytest.mark.parametrize(
    ("channel", "value", "alarm"),
    [
        ("inflow", 46.2, "inflow_high"),
        ("pelvis", 44.2, "site_ceiling"),
        ("nasopharynx", 39.2, "core_warm"),
        ("iap", 26.0, "iap_high"),
        ("iap", 22.0, "iap_warn"),
        ("line_in", 260.0, "line_pressure_high"),
        ("line_out", -120.0, "suction_high"),
        ("reservoir", 45.0, "reservoir_high"),
        ("bath", 48.0, "bath_high"),
    ],
)
def test_an_alarm_whose_reading_is_lost_stays_raised(
    channel: str, value: float, alarm: str
) -> None:
    bench = at()
    bench.values[channel] = value
    bench.run(14)
    assert alarm in bench.raised()
    bench.values[channel] = None
    bench.run(8)
    assert alarm in bench.raised()
    assert next(a for a in bench.state.alarms.values() if a.id == alarm).source_lost


@pytest.mark.requirement("RC-018")
def test_an_open_probe_whose_device_falls_silent_stays_an_alarm() -> None:
    bench = at()
    bench.values["bladder"] = None
    bench.run(3)
    assert "probe_lost" in bench.raised()
    bench.silent.add("circuit")
    bench.run(5)
    assert "probe_lost" in bench.raised()


@pytest.mark.requirement("RC-004")
def test_site_temperatures_warn_low_after_a_minute_and_medium_after_ten_seconds() -> None:
    bench = at()
    bench.values["pelvis"] = 43.5
    bench.run(60)
    assert "site_warm" not in bench.signalled()
    bench.run(2)
    assert bench.raised() == {"site_warm"}
    bench.values["pelvis"] = 43.8
    bench.run(9)
    assert "site_hot" not in bench.signalled()
    bench.run(4)
    assert bench.raised() == {"site_hot"}, "the higher alarm takes the lower one's place"
    bench.values["pelvis"] = 43.3
    bench.run(2)
    assert bench.signalled() == set()


@pytest.mark.requirement("RC-004")
def test_a_cold_mean_is_one_low_alarm_after_five_minutes_and_a_cold_pouch_is_none() -> None:
    bench = at(speed=20)
    bench.values["pelvis"] = 41.6
    bench.values["mid_abdomen"] = 43.4
    bench.run(17)
    assert bench.alarms() == []
    bench.values.update(dict.fromkeys(SITES, 42.3))
    bench.run(14)
    assert bench.alarms() == []
    bench.run(4)
    assert bench.alarms() == ["sites_low"]


def test_sites_that_have_not_reached_the_band_yet_sound_only_after_an_ordinary_heat_up() -> None:
    bench = at("heat_up", speed=20)
    bench.values.update(dict.fromkeys(SITES, 42.2))
    bench.frames()
    bench.command("confirm_drug", fraction=1)
    bench.run(60)
    assert bench.alarms() == [], "20 min"
    bench.run(17)
    assert bench.alarms() == ["sites_low"], "and five more"


@pytest.mark.requirement("RC-005")
@pytest.mark.parametrize(
    ("core", "alarm"),
    [(38.9, None), (39.0, "core_warm"), (39.5, "core_high"), (40.0, "core_ceiling")],
)
def test_the_core_ladder_gives_one_alarm_on_each_rung(core: float, alarm: str | None) -> None:
    bench = at()
    bench.values["nasopharynx"] = core
    bench.run(2)
    assert bench.raised() == ({alarm} if alarm else set())


@pytest.mark.requirement("RC-005")
def test_the_bladder_has_its_own_row_because_it_lies_against_hot_perfusate() -> None:
    bench = at()
    bench.values["bladder"] = 40.5
    bench.run(15)
    assert bench.raised() == set()
    bench.values["bladder"] = 41.2
    bench.run(12)
    assert bench.raised() == {"core_by_site"}


@pytest.mark.requirement("RC-009")
def test_the_abdominal_pressure_warns_on_its_median_so_that_a_cough_is_no_alarm() -> None:
    bench = at()
    bench.values["iap"] = 24.0
    bench.run(3)
    bench.values["iap"] = 12.0
    bench.run(20)
    assert bench.alarms() == []
    bench.values["iap"] = 21.0
    bench.run(12)
    assert bench.raised() == {"iap_warn"}


@pytest.mark.requirement("RC-009")
def test_abdominal_pressure_is_watched_in_the_closed_technique_only() -> None:
    bench = at(protocol_id="open-mmc-90")
    bench.values["iap"] = 40.0
    bench.run(20)
    assert bench.alarms() == []


@pytest.mark.requirement("RC-004")
def test_one_lost_site_is_low_priority_while_three_are_left_and_medium_below() -> None:
    bench = at()
    bench.values[SITES[0]] = None
    bench.run(3)
    assert bench.raised() == {"site_lost"}
    bench.values[SITES[1]] = None
    bench.run(3)
    assert bench.raised() == {"site_lost", "sites_few"}


@pytest.mark.requirement("RC-010")
def test_less_flow_than_was_set_warns_after_ten_seconds_and_more_than_allowed_alarms() -> None:
    bench = at()
    bench.flow_follows = False
    bench.values["flow"] = 1100.0
    bench.run(9)
    assert bench.raised() == set()
    bench.run(3)
    assert bench.raised() == {"flow_low"}
    bench.values["flow"] = 2400.0
    bench.run(5)
    assert bench.raised() == {"flow_high"}


@pytest.mark.requirement("RC-212")
def test_a_pump_that_runs_away_is_slowed_at_once_and_stopped_when_it_does_not_obey() -> None:
    bench = at()
    bench.flow_follows = False
    bench.values["flow"] = 2400.0
    bench.run(4)
    assert "flow_high" in bench.raised()
    assert bench.state.heater.wanted is None
    assert bench.state.pump.wanted == 1000.0
    bench.run(11)
    assert bench.state.pump.wanted is None
    bench.flow_follows = True
    bench.run(30)
    assert bench.state.pump.wanted is None, "a person starts it again"


@pytest.mark.requirement("RC-212")
def test_rollers_that_do_not_occlude_are_told_before_a_fifth_of_the_flow_is_gone() -> None:
    bench = at()
    bench.flow_follows = False
    bench.values["flow"] = 1240.0
    bench.run(13)
    assert bench.raised() == {"flow_differs"}
    bench.values["flow"] = 1100.0
    bench.run(14)
    assert bench.raised() == {"flow_low"}, "one cause gives one alarm"


@pytest.mark.requirement("RC-010")
@pytest.mark.parametrize("speed", [1.0, 20.0])
def test_a_starting_pump_is_not_taken_for_a_clamped_line(speed: float) -> None:
    bench = at("prime", speed=speed)
    bench.command("pause")
    bench.run(3)
    bench.command("resume")
    bench.run(0.9)
    assert bench.alarms() == [], "the flow meter was last read while the pump stood"
    bench.run(15)
    assert bench.alarms() == []


@pytest.mark.requirement("RC-035")
def test_what_nothing_watches_today_stands_on_the_strip() -> None:
    bench = at("prime")
    hazards = {entry.hazard: entry.why for entry in guarding.not_guarded(bench.state)}
    assert hazards == {
        "Probes that all read wrong": "not compared in figures with an independent reference",
        "Alarm sound at the displays": f"not heard before use: {SKIPS}",
    }
    bench.values.update(dict.fromkeys(("inflow", "outflow", "reservoir", "exchanger"), 42.0))
    bench.run(3)
    bench.command("compare_probes", c=42.0)
    bench.feed(
        DisplayChanged(
            at=bench.now,
            display="perfusion",
            role=PersonRole.PERFUSIONIST,
            present=True,
            audible=True,
        )
    )
    assert list(guarding.not_guarded(bench.state)) == []
    bench = at(without=frozenset({"iap", "flow", "exchanger", "bubble", "cut_out", "level"}))
    hazards = {entry.hazard: entry.why for entry in guarding.not_guarded(bench.state)}
    assert "Air in the line" in hazards and "Reservoir level, leaks and volume shift" in hazards
    assert "not watched" in hazards["Heater cut-out independent of this software"]
    assert hazards["Abdominal pressure"] == "not monitored: no sensor is configured"
    assert "calculated" in hazards["No forward flow"]
    assert "Hot fluid standing in the exchanger" in hazards
    bench = at()
    bench.values["line_in"] = None
    bench.run(1)
    hazards = {entry.hazard: entry.why for entry in guarding.not_guarded(bench.state)}
    assert hazards["Line pressure, clamped or kinked line"] == "its sensor gives no reading"


@pytest.mark.requirement("RC-219")
def test_a_bladder_probe_does_not_guard_the_patient_s_core() -> None:
    bench = at()
    bench.values["nasopharynx"] = None
    bench.run(1)
    hazards = {entry.hazard: entry.why for entry in guarding.not_guarded(bench.state)}
    assert hazards["Hot patient (core temperature)"] == "its sensor gives no reading"
    bench = at(without=frozenset({"nasopharynx"}))
    hazards = {entry.hazard: entry.why for entry in guarding.not_guarded(bench.state)}
    assert "no sensor" in hazards["Hot patient (core temperature)"], "armed on the bladder alone"


@pytest.mark.requirement("RC-220")
def test_one_instrument_for_circuit_and_sites_stands_on_the_strip() -> None:
    session = VirtualSession(Setup(protocol=protocol("closed-mmc-90")))
    hazards = {entry.hazard: entry.why for entry in guarding.not_guarded(session.state)}
    assert "thermometer reads both" in hazards["Circuit and site probes wrong together"]
    hazards = {entry.hazard: entry.why for entry in guarding.not_guarded(at().state)}
    assert "Circuit and site probes wrong together" not in hazards, "the bench has two"


@pytest.mark.requirement("RC-020")
def test_a_warning_that_nobody_answers_for_a_minute_becomes_high_and_then_latches() -> None:
    bench = at()
    bench.values["nasopharynx"] = 39.2
    bench.run(70)
    (alarm,) = bench.state.alarms.values()
    assert alarm.priority == "high"
    bench.values["nasopharynx"] = 38.0
    bench.run(2)
    assert bench.state.alarms[next(iter(bench.state.alarms))].state is AlarmState.LATCHED
    bench.acknowledge_all()
    assert bench.state.alarms == {}
