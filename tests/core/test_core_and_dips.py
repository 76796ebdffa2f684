"""The core by hand and by its rise, the dip that a dose makes, and what stays in the alarm list."""

import pytest

from service.core import dips
from service.core.events import Tick
from service.core.model import CommandState, Instant, Presence
from service.core.state import AlarmState
from tests.core.bench import Bench, at
from tests.core.room import SITES


@pytest.mark.requirement("RC-066")
def test_a_core_read_by_hand_counts_for_alarms_for_five_minutes() -> None:
    bench = at("perfuse", "closed")
    bench.values["nasopharynx"] = None
    bench.run(1)
    bench.command("enter_core", c=39.2)
    bench.run(1)
    alarm = next(a for a in bench.state.alarms.values() if a.id == "core_warm")
    assert (alarm.source, alarm.text) == ("by_hand", "Core read by hand 39.2 °C, limit 39")
    bench.command("enter_core", c=39.6)
    bench.run(1)
    assert "core_high" in bench.raised() and "core_warm" not in bench.raised()
    assert bench.heater is None, "what a person reads may take heat away"
    bench.command("enter_core", c=37.9)
    bench.run(1)
    assert not {"core_high", "core_warm"} & bench.raised()


@pytest.mark.requirement("RC-066")
def test_an_old_entry_raises_nothing_and_clears_nothing() -> None:
    bench = at("perfuse", "closed")
    bench.values["nasopharynx"] = None
    bench.command("enter_core", c=39.2)
    bench.run(1)
    assert "core_warm" in bench.raised()
    bench.run(310)
    assert "core_warm" in bench.raised(), "an entry that grew old is missing data"
    bench.values["nasopharynx"] = 37.0
    bench.run(1)
    assert "core_warm" not in bench.raised()


@pytest.mark.requirement("RC-066")
def test_an_entry_never_stands_in_for_a_probe_where_heat_or_automatic_need_one() -> None:
    bench = at("perfuse", "closed")
    bench.values["nasopharynx"] = None
    bench.command("enter_core", c=37.0)
    bench.run(70)
    assert "core_lost" in bench.raised()
    assert bench.heater is None
    assert bench.command("set_controller", mode="automatic").state is CommandState.REFUSED


def test_a_bladder_read_by_hand_has_the_bladders_own_limit() -> None:
    bench = at("perfuse", "closed")
    bench.command("enter_core", c=40.2, site="bladder")
    bench.run(15)
    assert not {"core_warm", "core_high", "core_ceiling", "core_by_site"} & bench.raised()
    bench.command("enter_core", c=41.2, site="bladder")
    bench.run(15)
    assert "core_by_site" in bench.raised()


def warm_by(bench: Bench, start_c: float, rise_c: float, minutes: int) -> None:
    for minute in range(minutes + 1):
        bench.values["nasopharynx"] = start_c + rise_c * minute / minutes
        bench.run(60)


@pytest.mark.requirement("RC-067")
@pytest.mark.parametrize(
    ("start_c", "rise_c", "rises"), [(36.1, 2.7, True), (36.6, 1.3, False), (35.5, 1.8, False)]
)
def test_a_core_that_rises_fast_is_told_only_above_its_limit(
    start_c: float, rise_c: float, rises: bool
) -> None:
    bench = at("perfuse", "closed")
    warm_by(bench, start_c, rise_c, 25)
    assert ("core_rising" in bench.raised()) is rises


@pytest.mark.requirement("RC-067")
def test_a_cold_patient_is_told_at_the_end_and_not_before() -> None:
    bench = at("perfuse", "closed", speed=20)
    bench.values["nasopharynx"] = 35.5
    bench.run(60)
    assert "core_cool" not in bench.raised()
    bench.run(110)
    assert "core_cool" in bench.raised()
    bench.values["nasopharynx"] = 36.3
    bench.run(1)
    assert "core_cool" not in bench.raised()


def test_a_dose_of_250_ml_at_20_degrees_cools_four_litres_of_43_to_41_65() -> None:
    assert dips.mixed_c(4000, 43.0, 250, 20.0) == pytest.approx(41.65, abs=0.005)


@pytest.mark.requirement("RC-068")
def test_the_low_alarm_waits_for_the_predicted_recovery_and_the_minutes_are_booked() -> None:
    bench = at("perfuse", "closed-mmc-90")
    bench.command("volume", kind="in", ml=4000)
    told = dips.predicted(bench.state, bench.session)
    assert told is not None and told.to_c == pytest.approx(41.65, abs=0.005)
    assert 300 < told.recovers_s < 700
    bench.run(40)
    bench.command("confirm_drug", fraction=2)
    bench.values.update(dict.fromkeys(SITES, 41.7))
    out_s = bench.session.clocks.out_of_band_s
    bench.run(round(told.recovers_s) - 20)
    assert "sites_low" not in bench.signalled() | {a.id for a in bench.state.alarms.values()}
    assert bench.session.clocks.out_of_band_s - out_s > told.recovers_s - 30
    bench.run(330)
    assert "sites_low" in bench.raised(), "still cold after the recovery and the alarm's own delay"


def test_without_a_drug_or_a_temperature_no_dip_is_predicted() -> None:
    bench = at("perfuse", "closed")
    assert dips.predicted(bench.state, bench.session) is None
    cold = at("perfuse", "closed-mmc-90")
    cold.values.update(dict.fromkeys(SITES))
    cold.run(1)
    assert dips.predicted(cold.state, cold.session) is None


@pytest.mark.requirement("RC-069")
def test_a_technical_alarm_falls_silent_with_its_cause_and_stays_in_the_list() -> None:
    bench = at("perfuse", "closed")
    bench.pull("flow")
    bench.run(1)
    bench.plug("flow")
    bench.run(1)
    assert "link_lost" not in bench.signalled()
    past = bench.state.past_alarms[-1]
    assert (past.id, past.source) == ("link_lost", "flow")
    assert past.until_utc_ns > past.since_utc_ns > 0


@pytest.mark.requirement("RC-069")
def test_a_physiological_alarm_sounds_until_acknowledged_and_then_stays_in_the_list() -> None:
    bench = at("perfuse", "closed")
    bench.values["line_in"] = 300.0
    bench.run(1)
    bench.values["line_in"] = 90.0
    bench.run(1)
    alarm = next(a for a in bench.state.alarms.values() if a.id == "line_pressure_high")
    assert alarm.state is AlarmState.LATCHED
    assert all(p.id != "line_pressure_high" for p in bench.state.past_alarms)
    bench.acknowledge_all()
    assert bench.state.past_alarms[-1].id == "line_pressure_high"
    assert Presence.LATCHED == "latched"


def test_a_kinked_line_is_warned_of_before_the_pump_has_to_stop() -> None:
    bench = at("perfuse", "closed")
    bench.values["line_in"] = 210.0
    bench.run(7)
    assert "line_pressure_warn" in bench.raised() and bench.pump
    bench.values["line_in"] = 260.0
    bench.run(1)
    assert "line_pressure_warn" not in bench.raised() and bench.pump is None


def test_a_computer_clock_that_was_moved_is_told_for_a_minute() -> None:
    bench = at("perfuse", "closed")
    bench._utc_ns += 3600 * 10**9
    bench.run(1)
    alarm = next(a for a in bench.state.alarms.values() if a.id == "clock_stepped")
    assert alarm.text == "The computer's clock was moved by 3600 s"
    bench.run(61)
    assert "clock_stepped" not in bench.signalled()


def test_time_that_merely_passes_is_no_step_of_the_clock() -> None:
    bench = at("perfuse", "closed")
    now = bench.now
    later = Instant(mono_ns=now.mono_ns + 300 * 10**9, utc_ns=now.utc_ns + 300 * 10**9)
    bench.feed(Tick(at=later))
    assert bench.state.stepped is None
