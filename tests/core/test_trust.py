"""Trust in a channel: what is doubted, in which words, and what a doubted reading may still do."""

import math
from dataclasses import replace

import pytest

from protocols.schema import Trust
from service.core.effects import AlarmChanged
from service.core.events import Frame, Tick
from service.core.model import CommandState, Instant, Priority, Validity
from service.journal.codec import CODEC
from tests.core.bench import Bench, at
from tests.core.live import live
from tests.core.room import SITES

LIMITS = Trust()


def told(bench: Bench, alarm: str) -> AlarmChanged:
    """The onset of this alarm."""
    found = [e for e in bench.effects if isinstance(e, AlarmChanged) and e.id == alarm]
    assert found, f"{alarm} is not among {bench.alarms()}"
    return found[0]


def validity(bench: Bench, channel: str) -> Validity:
    return bench.state.samples[channel].validity


def seconds_to(bench: Bench, alarm: str, at_most_s: int) -> int:
    """How long it takes to the alarm, in whole seconds."""
    for second in range(at_most_s + 1):
        if alarm in bench.signalled():
            return second
        bench.run(1)
    raise AssertionError(f"no {alarm} within {at_most_s} s, only {bench.alarms()}")


@pytest.mark.parametrize("phase", ["prime", "fill", "heat_up", "drug_addition", "perfuse"])
def test_a_living_room_in_good_order_is_doubted_in_no_phase(phase: str) -> None:
    bench = live(phase)
    bench.run(180)
    assert bench.alarms() == []
    assert bench.state.trust.suspects == {}


# --- one reading -----------------------------------------------------------------------------


@pytest.mark.requirement("RC-050")
def test_one_spike_is_not_used_and_sounds_nothing() -> None:
    bench = live()
    bench.values["pelvis"] = 25.0
    bench.run(1)
    assert validity(bench, "pelvis") is Validity.QUESTIONABLE
    assert "jumped by -18" in bench.state.samples["pelvis"].reason
    bench.values["pelvis"] = 43.0
    bench.run(1)
    assert validity(bench, "pelvis") is Validity.VALID
    bench.run(20)
    assert bench.alarms() == []
    assert bench.state.trust.suspects == {}


@pytest.mark.requirement("RC-050")
def test_garbage_is_told_with_its_last_raw_values_after_three_bad_readings_of_five() -> None:
    bench = live()
    for value in (12.0, 51.0, 20.0, 44.9, 8.0, 39.0):
        bench.values["left_subphrenic"] = value
        bench.run(1)
    alarm = told(bench, "site_reading_jump")
    assert alarm.priority is Priority.LOW
    assert "Left subphrenic jumped by" in alarm.text and "12.00" not in alarm.text
    assert "°C in" in alarm.text and "43." in alarm.text, "the raw values before"


@pytest.mark.requirement("RC-050")
def test_a_reading_that_cannot_be_is_doubted_and_one_above_a_ceiling_still_acts() -> None:
    bench = live()
    bench.values["reservoir"] = -8.0
    bench.run(3)
    alarm = told(bench, "reading_range")
    assert (alarm.priority, alarm.limit) == (Priority.MEDIUM, LIMITS.fluid_range_c[0])
    assert "Reservoir reads -8.0 °C, which cannot be (2 to 60)" in alarm.text
    bench.values["inflow"] = 61.0
    bench.run(1)
    assert validity(bench, "inflow") is Validity.QUESTIONABLE
    assert "inflow_high" in bench.raised(), "a doubted reading lowers the heat all the same"
    assert bench.heater is None


@pytest.mark.requirement("RC-050")
def test_a_doubt_ends_only_after_as_many_good_readings_as_are_counted() -> None:
    bench = live()
    bench.values["reservoir"] = 70.0
    bench.run(4)
    bench.values["reservoir"] = 42.0
    bench.run(LIMITS.readings_bad_of[1] - 1)
    assert "reading_range" in bench.raised()
    assert validity(bench, "reservoir") is Validity.QUESTIONABLE
    bench.run(12)
    assert "reading_range" not in bench.raised()
    assert validity(bench, "reservoir") is Validity.VALID


# --- one channel among the others ------------------------------------------------------------


@pytest.mark.requirement("RC-051")
@pytest.mark.parametrize(
    ("channel", "alarm"),
    [
        ("pelvis", "site_probe_stuck"),
        ("inflow", "probe_stuck"),
        ("nasopharynx", "probe_stuck"),
        ("line_in", "probe_stuck"),
        ("iap", "probe_stuck"),
    ],
)
def test_a_stuck_probe_that_reads_plausibly_is_told_within_75_seconds(
    channel: str, alarm: str
) -> None:
    bench = live()
    bench.stuck.add(channel)
    assert seconds_to(bench, alarm, 75) >= 55
    assert "has not moved by" in told(bench, alarm).text
    assert validity(bench, channel) is Validity.QUESTIONABLE


@pytest.mark.requirement("RC-051")
def test_a_flow_meter_that_stands_still_while_the_pump_is_set_anew_is_told_within_75_seconds() -> (
    None
):
    bench = live()
    bench.run(70)
    assert bench.alarms() == [], "a steady flow stands still too"
    bench.flow_follows, bench.values["flow"] = False, 1500.0
    bench.command("set_flow", ml_min=1380.0)
    seconds_to(bench, "probe_stuck", 75)
    assert "the pump's own figure moved by 120" in told(bench, "probe_stuck").text
    bench.run(2)
    assert validity(bench, "flow") is Validity.QUESTIONABLE


@pytest.mark.requirement("RC-051")
def test_a_living_meter_follows_the_pump_and_is_not_accused() -> None:
    bench = live()
    for flow_ml_min in (1380.0, 1500.0):
        bench.command("set_flow", ml_min=flow_ml_min)
        bench.run(80)
    assert bench.alarms() == []


@pytest.mark.requirement("RC-051")
def test_a_stuck_inflow_takes_the_heat_off_until_a_person_has_seen_to_it() -> None:
    bench = live()
    assert bench.heater is not None
    bench.stuck.add("inflow")
    seconds_to(bench, "probe_stuck", 75)
    bench.run(2)
    assert bench.heater is None
    assert "no valid inflow" in bench.session.heat.waits_for


@pytest.mark.requirement("RC-051")
def test_a_doubt_of_a_stuck_probe_outlasts_a_calm_in_which_nothing_moves() -> None:
    bench = live()
    bench.stuck.add("pelvis")
    seconds_to(bench, "site_probe_stuck", 75)
    bench.stuck.update(SITES)
    bench.run(120)
    assert "site_probe_stuck" in bench.raised(), "calm is no proof that it lives"
    bench.stuck.clear()
    bench.run(20)
    assert "site_probe_stuck" not in bench.raised()


@pytest.mark.requirement("RC-051")
def test_a_coarse_reading_that_stands_still_in_a_calm_room_is_not_accused() -> None:
    bench = live()
    coarse = tuple(
        replace(c, resolution=0.1) if c.id in SITES else c for c in bench.state.room.channels
    )
    bench.state = replace(bench.state, room=replace(bench.state.room, channels=coarse))
    bench.stuck.add("pelvis")
    bench.run(180)
    assert bench.alarms() == []


@pytest.mark.requirement("RC-052")
def test_noise_far_above_that_of_the_others_is_told() -> None:
    bench = live()
    for turn in range(60):
        bench.values["left_subphrenic"] = 43.0 + (0.7 if (turn // 5) % 2 else -0.7)
        bench.run(1)
    assert "Left subphrenic scatters by" in told(bench, "site_probe_noise").text


@pytest.mark.requirement("RC-052")
def test_a_pump_that_stops_and_starts_within_a_minute_is_no_noise() -> None:
    bench = live()
    for _ in range(3):
        bench.command("pause")
        bench.run(10)
        bench.command("resume")
        bench.values["line_in"] = 90.0
        bench.run(14)
    assert [name for name in bench.alarms() if "noise" in name] == []


@pytest.mark.requirement("RC-052")
def test_a_quick_smooth_rise_and_fall_is_no_noise() -> None:
    bench = live()
    for second in range(120):
        away = math.exp(-(second % 20) / 4.0)
        rises = (second // 20) % 2
        bench.values["inflow"] = 44.0 - 4.0 * (away if rises else 1.0 - away)
        bench.run(1)
    assert [name for name in bench.alarms() if "noise" in name] == []


@pytest.mark.requirement("RC-013")
def test_one_pulled_cable_is_one_loss() -> None:
    bench = at()
    bench.pull("sites")
    bench.run(6)
    bench.plug("sites")
    bench.run(2)
    assert "link_lost" not in bench.signalled()


@pytest.mark.requirement("RC-053")
def test_a_site_that_slips_out_of_the_fluid_is_told_as_it_was_seen() -> None:
    bench = live()
    for value in (42.4, 41.8, 41.2, 40.6, 40.0, 39.4, 38.8, 38.2, 37.6, 37.0, 36.4, 35.8):
        bench.values["pelvis"] = value
        bench.run(1)
    bench.run(4)
    alarm = told(bench, "probe_moved")
    assert alarm.priority is Priority.LOW
    assert alarm.text.startswith("Pelvis moved ") and "the others moved 0.0" in alarm.text
    assert validity(bench, "pelvis") is Validity.QUESTIONABLE
    bench.run(120)
    assert "probe_moved" in bench.raised(), "it still lies where it slipped to"
    bench.values["pelvis"] = 43.0
    bench.run(25)
    assert "probe_moved" not in bench.raised()


@pytest.mark.requirement("RC-053")
def test_a_cold_dose_that_cools_all_sites_together_is_no_displaced_probe() -> None:
    bench = live()
    for second in range(20):
        for number, site in enumerate(SITES):
            bench.values[site] = 43.0 - 0.13 * second + 0.05 * number
        bench.run(1)
    assert "probe_moved" not in bench.signalled()


@pytest.mark.requirement("RC-053")
def test_a_pouch_that_has_always_been_colder_is_no_displaced_probe() -> None:
    bench = live("heat_up")
    for _ in range(30):
        bench.values["pelvis"] = (bench.values["pelvis"] or 0.0) - 0.06
        bench.run(20)
    bench.command("confirm_drug", fraction=1)
    bench.run(60)
    assert "probe_moved" not in bench.signalled()


@pytest.mark.requirement("RC-050")
def test_a_contact_that_comes_and_goes_is_one_alarm_and_is_believed_after_half_a_minute() -> None:
    bench = live()
    for _ in range(4):
        bench.values["inflow"] = None
        bench.run(5)
        bench.values["inflow"] = 44.8
        bench.run(5)
    assert bench.alarms() == ["probe_lost", "probe_contact"]
    assert "Inflow comes and goes: lost 2 times within" in told(bench, "probe_contact").text
    assert validity(bench, "inflow") is Validity.QUESTIONABLE
    assert bench.heater is None
    bench.run(LIMITS.contact_s + 2)
    assert "probe_contact" not in bench.raised()
    assert validity(bench, "inflow") is Validity.VALID


def test_a_plug_that_was_reseated_once_is_believed_at_once() -> None:
    bench = live()
    bench.values["pelvis"] = None
    bench.run(3)
    bench.values["pelvis"] = 43.0
    bench.run(1)
    assert validity(bench, "pelvis") is Validity.VALID
    assert bench.raised() == set()


@pytest.mark.requirement("RC-013")
def test_a_link_that_comes_and_goes_is_one_alarm_until_it_has_held() -> None:
    bench = at()
    for _ in range(3):
        bench.pull("sites")
        bench.run(3)
        bench.plug("sites")
        bench.run(3)
    assert bench.alarms().count("link_lost") == 2, "once lost, once for coming and going"
    assert "link_lost" in bench.raised()
    bench.run(31)
    assert "link_lost" not in bench.raised()


@pytest.mark.requirement("RC-050")
def test_of_two_reasons_the_one_seen_first_is_told_until_nothing_is_bad_any_more() -> None:
    bench = live()
    for turn in range(80):
        bench.values["pelvis"] = (12.0, 51.0, 33.0, 44.0, 20.0, 38.0, 29.0)[turn % 7]
        bench.run(1)
    assert len(bench.state.trust.suspects["pelvis"].doubts) > 1
    assert [name for name in bench.alarms() if name.startswith("site_probe")] == []
    assert bench.alarms("cleared") == []


# --- across channels -------------------------------------------------------------------------


@pytest.mark.requirement("RC-054")
def test_swapped_inflow_and_outflow_are_found_during_heat_up_and_take_the_heat_off() -> None:
    bench = live("heat_up")
    bench.run(LIMITS.order_from_s)
    values = bench.values
    values["inflow"], values["outflow"] = values["outflow"], values["inflow"]
    values["exchanger"] = 43.0
    bench.stuck.clear()
    assert seconds_to(bench, "probe_order", 90) <= 80
    assert "swapped?" in told(bench, "probe_order").text
    assert bench.alarms().count("probe_order") == 1, "a swap has two ends and is one alarm"
    bench.run(2)
    assert bench.heater is None
    bench.run(30)
    assert "probe_order" in bench.raised(), "without heat nothing shows the order: it stands"
    values["inflow"], values["outflow"] = 44.8, 42.5
    bench.command("confirm_checklist", item="probe_map")
    bench.run(5)
    assert "probe_order" not in bench.raised()


@pytest.mark.requirement("RC-054")
def test_a_core_probe_in_the_perfusate_is_found_by_its_order() -> None:
    bench = live("heat_up")
    bench.run(LIMITS.order_from_s)
    bench.values.update(dict.fromkeys(SITES, 38.0), outflow=38.0, nasopharynx=38.9)
    bench.run(40)
    assert "above" in told(bench, "probe_order").text


@pytest.mark.requirement("RC-055")
def test_of_exchanger_and_inflow_that_disagree_the_colder_is_doubted() -> None:
    bench = live()
    bench.values["exchanger"] = 41.0
    bench.run(60)
    assert "are 3.8 °C apart" in told(bench, "probe_line").text
    assert validity(bench, "exchanger") is Validity.QUESTIONABLE
    assert validity(bench, "inflow") is Validity.VALID


@pytest.mark.requirement("RC-055")
def test_a_cold_inflow_probe_raises_no_heat_because_its_twin_tells() -> None:
    bench = live()
    bench.command("set_controller", mode="automatic")
    bench.values["inflow"] = 41.5
    bench.run(40)
    assert validity(bench, "inflow") is Validity.QUESTIONABLE
    assert bench.heater is None


@pytest.mark.requirement("RC-055")
def test_an_exchanger_outlet_colder_than_bath_and_reservoir_allow_is_doubted() -> None:
    bench = live()
    bench.values.update(exchanger=41.5, inflow=41.3)
    bench.run(60)
    assert "between reservoir" in told(bench, "probe_exchanger").text


# --- before use ------------------------------------------------------------------------------


@pytest.mark.requirement("RC-056")
def test_a_probe_that_differs_from_the_reference_keeps_heat_off_and_the_patient_away() -> None:
    bench = at("prime")
    bench.values.update(inflow=42.1, outflow=41.9, reservoir=42.0, exchanger=42.5)
    bench.run(2)
    answer = bench.command("compare_probes", c=42.0)
    assert answer.limited_by == "largest difference 0.50 °C"
    bench.run(1)
    assert bench.raised() == {"probe_bias"}
    text = told(bench, "probe_bias").text
    assert text == "Exchanger 42.50 °C, reference 42.00: 0.50 °C apart, at most 0.3"
    assert bench.heater is None
    bench.checklist("fill")
    refused = bench.command("start_phase", phase="fill")
    assert refused.state is CommandState.REFUSED and "0.50 °C apart" in refused.reason


@pytest.mark.requirement("RC-056")
def test_an_exchanged_probe_is_compared_again_by_its_name_and_a_person_resumes() -> None:
    bench = at("prime")
    bench.values.update(inflow=42.1, outflow=41.9, reservoir=42.0, exchanger=42.5)
    bench.run(2)
    bench.command("compare_probes", c=42.0)
    bench.run(1)
    bench.values["exchanger"] = 42.1
    bench.run(1)
    bench.command("compare_probes", c=42.0, channel="exchanger")
    bench.run(1)
    assert bench.raised() == set()
    bench.command("resume")
    bench.run(3)
    assert bench.heater is not None


@pytest.mark.requirement("RC-056")
def test_a_good_comparison_confirms_its_line_of_the_checklist() -> None:
    bench = at("prime")
    bench.values.update(inflow=42.1, outflow=41.9, reservoir=42.0, exchanger=42.2)
    bench.run(2)
    bench.command("compare_probes", c=42.0)
    assert "probe_comparison" in bench.session.checklist
    assert bench.recorded("comparison") == [
        "Probes compared with 42.00 °C: Inflow 42.10, Outflow 41.90, Reservoir 42.00, "
        "Exchanger 42.20"
    ]


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"c": 60.0}, "outside 38 to 45"),
        ({"c": None}, "must be a number"),
        ({"c": 42.0, "channel": "spleen"}, "there is no probe 'spleen'"),
        ({"c": 42.0, "channel": "line_in"}, "there is no probe 'line_in'"),
    ],
)
def test_a_comparison_that_cannot_be_is_refused_with_its_reason(
    args: dict[str, float | str | None], why: str
) -> None:
    answer = at("prime").command("compare_probes", **args)
    assert answer.state is CommandState.REFUSED and why in answer.reason


def test_without_a_reading_or_before_priming_there_is_nothing_to_compare() -> None:
    bench = at("prime")
    bench.values["exchanger"] = None
    bench.run(1)
    assert "Exchanger gives no value" in bench.command("compare_probes", c=42.0).reason
    early = Bench()
    early.command("open_session", protocol=early.protocol.id)
    assert "prime the circuit first" in early.command("compare_probes", c=42.0).reason


# --- frames ----------------------------------------------------------------------------------


@pytest.mark.requirement("RC-057")
def test_a_device_with_many_spoiled_answers_is_told_and_falls_silent_when_they_end() -> None:
    bench = at()
    for _ in range(9):
        bench.run(1)
        bench.feed(replace(bench.read("sites"), errors=1))
    assert "7 answers spoiled or missing in a minute" in told(bench, "frame_errors").text
    bench.run(62)
    assert "frame_errors" not in bench.signalled()


def test_a_rare_spoiled_answer_is_no_alarm() -> None:
    bench = at()
    for _ in range(4):
        bench.run(25)
        bench.feed(replace(bench.read("sites"), errors=1))
    assert bench.alarms() == []


def stamped(bench: Bench, device: str, seconds: float) -> Frame:
    """A frame of now whose stamp is that many seconds off."""
    shift = round(seconds * 1e9)
    now = bench.now
    return replace(
        bench.read(device), at=Instant(mono_ns=now.mono_ns + shift, utc_ns=now.utc_ns + shift)
    )


@pytest.mark.requirement("RC-058")
@pytest.mark.parametrize("off_s", [3600.0, -20.0])
def test_a_reading_from_the_future_or_out_of_order_is_refused_and_recorded(off_s: float) -> None:
    bench = at()
    before = bench.state.now
    bench.values["pelvis"] = 50.0
    effects = bench.feed(stamped(bench, "sites", off_s))
    assert bench.state.now == before, "it moves no clock"
    assert bench.state.samples["pelvis"].value == 43.0
    assert [effect.kind for effect in effects if hasattr(effect, "kind")] == ["refused"]
    assert bench.alarms() == [], "one alone is no alarm"
    for _ in range(4):
        bench.feed(stamped(bench, "sites", off_s))
    bench.feed(Tick(at=bench.now))
    assert "out of order or from the future" in told(bench, "wrong_time").text
    bench.values["pelvis"] = 43.0
    bench.run(6)
    assert "wrong_time" not in bench.signalled()


# --- what it is kept in ----------------------------------------------------------------------


@pytest.mark.requirement("RC-051")
def test_a_doubt_outlives_a_restart_of_the_control_process() -> None:
    bench = live()
    bench.stuck.add("pelvis")
    seconds_to(bench, "site_probe_stuck", 75)
    bench.restart()
    bench.run(3)
    assert "site_probe_stuck" in bench.raised()
    assert validity(bench, "pelvis") is Validity.QUESTIONABLE


def test_doubts_and_what_is_remembered_come_back_from_the_record_as_they_were() -> None:
    bench = live()
    bench.stuck.add("pelvis")
    bench.values["reservoir"] = 70.0
    bench.run(75)
    bench.feed(replace(bench.read("sites"), errors=2))
    assert bench.state.trust.suspects and bench.state.trust.spoiled and bench.state.past.rows
    assert CODEC.canonical(bench.state) == bench.state


def test_what_is_remembered_of_a_channel_stays_short() -> None:
    bench = live()
    bench.run(400)
    window = LIMITS.flat_s + LIMITS.look_s
    most = 2 + window / LIMITS.look_s
    assert all(len(rows) <= most for rows in bench.state.past.rows.values())
