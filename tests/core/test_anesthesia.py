"""What anesthesia asks, sees and is told: requests, seen, cooling, the core's course, displays."""

import pytest

from service.core import core_course, guarding, looking, timers
from service.core.effects import CommandChanged
from service.core.events import DisplayChanged, HostNoticed
from service.core.model import Actor, CommandState, PersonRole, Priority
from tests.core.bench import Bench, at

ANESTHETIST = Actor(user="A. Three", role=PersonRole.ANESTHESIA, station="anesthesia")


def display(
    bench: Bench,
    name: str = "anesthesia",
    role: PersonRole = PersonRole.ANESTHESIA,
    *,
    present: bool = True,
    audible: bool = True,
) -> None:
    bench.feed(
        DisplayChanged(at=bench.now, display=name, role=role, present=present, audible=audible)
    )


def raised(bench: Bench, alarm_id: str) -> Priority | None:
    return next((a.priority for a in bench.state.alarms.values() if a.id == alarm_id), None)


# --- requests --------------------------------------------------------------------------------


@pytest.mark.requirement("RC-167")
def test_a_request_waits_until_the_perfusionist_answers_and_both_are_timed() -> None:
    bench = at()
    bench.command_as(ANESTHETIST, "request", kind="reduce_heat")
    bench.run(12)
    answer = bench.command("answer", kind="reduce_heat")
    assert answer.state is CommandState.CONFIRMED
    (asked,) = bench.session.requests
    assert (asked.by, asked.accepted, asked.answered_by) == ("A. Three", True, "P. One")
    assert asked.answered is not None and asked.answered.seconds_since(asked.at) == 12
    assert bench.recorded("answer") == ["Request 'reduce heat' accepted after 12 s"]
    assert bench.session.heat.granted_c == at().session.heat.granted_c, "it moves nothing"


@pytest.mark.requirement("RC-167")
def test_declining_needs_a_reason_that_anesthesia_reads() -> None:
    bench = at()
    bench.command_as(ANESTHETIST, "request", kind="pause")
    refused = bench.command("answer", kind="pause", accepted=False)
    assert refused.state is CommandState.REFUSED and "why you decline" in refused.reason
    bench.command("answer", kind="pause", accepted=False, reason="drug is going in")
    assert bench.session.requests[-1].accepted is False
    assert bench.session.requests[-1].reason == "drug is going in"


def test_a_request_is_not_made_twice_while_it_waits_and_only_an_open_one_is_answered() -> None:
    bench = at()
    assert "no request 'pause' is open" in bench.command("answer", kind="pause").reason
    for kind in ("pause", "heat_hold"):
        bench.command_as(ANESTHETIST, "request", kind=kind)
    again = bench.command_as(ANESTHETIST, "request", kind="pause")
    assert again.state is CommandState.REFUSED and "waits for its answer" in again.reason
    assert [asked.number for asked in bench.session.requests] == [1, 2]
    assert "there is no request" in bench.command_as(ANESTHETIST, "request", kind="stop").reason


@pytest.mark.requirement("RC-167")
def test_a_request_without_an_answer_is_an_alarm_after_a_minute() -> None:
    bench = at()
    bench.command_as(ANESTHETIST, "request", kind="heat_hold")
    bench.run(59)
    assert raised(bench, "request_unanswered") is None
    bench.run(2)
    assert raised(bench, "request_unanswered") is Priority.MEDIUM
    bench.command("answer", kind="heat_hold")
    assert raised(bench, "request_unanswered") is None


# --- seen ------------------------------------------------------------------------------------


@pytest.mark.requirement("RC-168")
def test_a_high_alarm_that_anesthesia_has_not_seen_for_a_minute_is_told_to_the_perfusionist() -> (
    None
):
    bench = at()
    display(bench)
    bench.values["nasopharynx"] = 39.6
    bench.run(59)
    assert raised(bench, "core_high") is Priority.HIGH and raised(bench, "not_seen") is None
    bench.run(4)
    assert raised(bench, "not_seen") is Priority.MEDIUM
    high = next(a for a in bench.state.alarms.values() if a.id == "core_high")
    bench.command_as(ANESTHETIST, "seen", occurrence=high.occurrence)
    assert raised(bench, "not_seen") is None
    after = next(a for a in bench.state.alarms.values() if a.id == "core_high")
    assert (after.state, after.seen_by) == (high.state, "A. Three"), "it sounds as before"


@pytest.mark.requirement("RC-214")
def test_anesthesia_s_acknowledgement_answers_the_wait_and_the_perfusionist_s_seen_does_not() -> (
    None
):
    bench = at()
    display(bench)
    bench.values["nasopharynx"] = 39.6
    bench.run(2)
    high = next(a for a in bench.state.alarms.values() if a.id == "core_high")
    bench.command("seen", occurrence=high.occurrence)
    bench.run(64)
    assert raised(bench, "not_seen") is Priority.MEDIUM, "nobody sees for somebody else"
    bench.command_as(ANESTHETIST, "acknowledge", occurrence=high.occurrence)
    assert raised(bench, "not_seen") is None
    bench.run(70)
    assert raised(bench, "not_seen") is None


@pytest.mark.requirement("RC-214")
def test_seen_at_anesthesia_s_own_screen_needs_no_name() -> None:
    bench = at()
    display(bench)
    bench.values["nasopharynx"] = 39.6
    bench.run(64)
    assert raised(bench, "not_seen") is Priority.MEDIUM
    high = next(a for a in bench.state.alarms.values() if a.id == "core_high")
    screen = Actor(user="", role=PersonRole.DISPLAY, station="anesthesia")
    assert (
        bench.command_as(screen, "seen", occurrence=high.occurrence).state is CommandState.CONFIRMED
    )
    assert raised(bench, "not_seen") is None


def test_without_a_display_of_anesthesia_nobody_waits_for_seen() -> None:
    bench = at()
    display(bench, "perfusion", PersonRole.PERFUSIONIST)
    bench.values["nasopharynx"] = 39.6
    bench.run(70)
    assert raised(bench, "core_high") and raised(bench, "not_seen") is None


# --- displays --------------------------------------------------------------------------------


@pytest.mark.requirement("RC-169")
def test_a_display_that_goes_during_a_treatment_is_an_alarm_until_it_is_back() -> None:
    bench = at()
    display(bench)
    display(bench, present=False)
    assert raised(bench, "display_lost") is Priority.MEDIUM
    display(bench)
    assert raised(bench, "display_lost") is None


def test_a_screen_that_is_switched_off_while_nobody_is_treated_alarms_nobody() -> None:
    bench = Bench()
    display(bench)
    display(bench, present=False)
    assert not bench.state.displays
    bench.command("open_session", protocol=bench.protocol.id)
    assert raised(bench, "display_lost") is None


@pytest.mark.requirement("RC-170")
def test_sound_that_was_heard_and_is_lost_is_an_alarm_and_sound_never_heard_is_not_guarded() -> (
    None
):
    bench = at()
    display(bench, audible=False)
    assert raised(bench, "audio_lost") is None
    assert "Alarm sound at anesthesia's display" in [
        entry.hazard for entry in guarding.not_guarded(bench.state)
    ]
    display(bench)
    assert not [e for e in guarding.not_guarded(bench.state) if "anesthesia's display" in e.hazard]
    display(bench, audible=False)
    assert raised(bench, "audio_lost") is Priority.MEDIUM


def test_displays_stay_known_over_a_restart() -> None:
    bench = at()
    display(bench)
    bench.restart()
    assert bench.state.displays["anesthesia"].present


def test_a_disk_that_is_nearly_full_is_a_low_alarm_until_there_is_room() -> None:
    bench = at()
    bench.feed(HostNoticed(at=bench.now, what="disk", text="Disk nearly full: 90 MB left"))
    assert raised(bench, "disk_low") is Priority.LOW
    bench.feed(HostNoticed(at=bench.now, what="disk", text=""))
    assert raised(bench, "disk_low") is None


def test_a_changed_configuration_is_said_before_the_patient_is_connected() -> None:
    bench = at("setup")
    bench.feed(HostNoticed(at=bench.now, what="configuration", text="Differs: inflow"))
    assert raised(bench, "configuration_differs") is Priority.LOW
    bench.checklist("prime")
    bench.command("start_phase", phase="prime")
    assert raised(bench, "configuration_differs") is None


# --- the core's course -----------------------------------------------------------------------


def test_minutes_above_each_step_of_the_ladder_are_counted_and_a_lost_core_counts_for_none() -> (
    None
):
    bench = at()
    bench.values["nasopharynx"] = 38.2
    bench.run(120)
    bench.values["nasopharynx"] = 39.2
    bench.run(60)
    bench.values["nasopharynx"] = None
    bench.run(60)
    counted = bench.session.core_above
    assert counted is not None
    assert counted.above_s == pytest.approx((180, 60, 0), abs=11)


def test_the_core_s_rate_is_its_slope_over_ten_minutes_and_unknown_at_first() -> None:
    bench = at()
    assert core_course.rate_c_per_10_min(bench.state, bench.session) is None
    for minute in range(10):
        bench.values["nasopharynx"] = 37.5 + 0.05 * minute
        bench.run(60)
    assert core_course.rate_c_per_10_min(bench.state, bench.session) == pytest.approx(0.5, abs=0.05)


def test_the_time_to_39_is_a_range_from_the_forecast() -> None:
    bench = at()
    for minute in range(20):
        bench.values["nasopharynx"] = 37.8 + 0.05 * minute
        bench.run(60)
    reaches = {r.limit_c: r for r in core_course.reaches(bench.state, bench.session)}
    assert set(reaches) <= {39.0, 39.5} and 39.0 in reaches
    reach = reaches[39.0]
    assert reach.from_s > 0 and (reach.to_s is None or reach.from_s < reach.to_s)
    bench.values["nasopharynx"] = 39.1
    bench.run(1)
    assert 39.0 not in {r.limit_c for r in core_course.reaches(bench.state, bench.session)}


def test_counting_the_ladder_makes_no_rule_look_again() -> None:
    assert "core_above" not in looking.SELDOM_OF_SESSION


def test_cooling_is_a_fact_with_who_and_when() -> None:
    bench = at()
    bench.command_as(ANESTHETIST, "cooling", on=True)
    entered = bench.session.cooling
    assert entered is not None and entered.on and entered.by == "A. Three"
    assert bench.recorded("cooling") == ["Cooling of the patient on"]


# --- leftovers of the core -------------------------------------------------------------------


@pytest.mark.requirement("RC-172")
@pytest.mark.parametrize(("ends", "says"), [("stop", "resume first"), ("abort", "aborted")])
def test_after_a_stop_or_an_abort_nobody_chooses_a_controller(ends: str, says: str) -> None:
    bench = at()
    bench.command(ends)
    for mode in ("manual", "advisory"):
        answer = bench.command("set_controller", mode=mode)
        assert answer.state is CommandState.REFUSED and says in answer.reason


@pytest.mark.requirement("RC-173")
def test_probes_are_not_confirmed_as_compared_without_figures_or_a_reason() -> None:
    bench = at("prime")
    answer = bench.command("confirm_checklist", item="probe_comparison")
    assert answer.state is CommandState.REFUSED and "reference" in answer.reason
    bench.command("confirm_checklist", item="probe_comparison", reason="bath is broken")
    assert bench.session.checklist["probe_comparison"].skipped == "bath is broken"
    assert any("Skipped: Circuit probes compared" in text for text in bench.recorded("deviation"))
    why = next(e.why for e in guarding.not_guarded(bench.state) if "all read wrong" in e.hazard)
    assert "bath is broken" in why


@pytest.mark.requirement("RC-221")
def test_one_probe_that_was_compared_does_not_stand_for_the_circuit() -> None:
    bench = at("prime")
    bench.command("compare_probes", c=43.0, channel="pelvis")
    answer = bench.command("confirm_checklist", item="probe_comparison")
    assert answer.state is CommandState.REFUSED and "the circuit's probes" in answer.reason
    assert any("all read wrong" in entry.hazard for entry in guarding.not_guarded(bench.state))


@pytest.mark.requirement("RC-190")
def test_the_alarm_sound_is_not_confirmed_before_a_person_has_heard_it_at_every_display() -> None:
    bench = Bench()
    bench.command("open_session", protocol=bench.protocol.id)

    def confirm(reason: str = "") -> CommandChanged:
        return bench.command("confirm_checklist", item="audio", reason=reason)

    assert "enrolled perfusionist's station" in confirm().reason, "no display at all"
    display(bench, "perfusion", PersonRole.PERFUSIONIST, audible=False)
    display(bench)
    assert "not heard at perfusion's display" in confirm().reason
    display(bench, "perfusion", PersonRole.PERFUSIONIST)
    display(bench, audible=False)
    answer = confirm()
    assert answer.state is CommandState.REFUSED and "anesthesia's display" in answer.reason
    assert "audio" not in bench.session.checklist
    display(bench)
    assert confirm().state is not CommandState.REFUSED
    assert not bench.session.checklist["audio"].skipped
    (told,) = [text for text in bench.recorded("checklist") if "Alarm sound" in text]
    assert told.endswith("Heard at: perfusion's display, anesthesia's display")


@pytest.mark.requirement("RC-190")
def test_without_a_display_the_sound_is_left_out_with_a_reason_and_stands_on_the_strip() -> None:
    bench = Bench()
    bench.command("open_session", protocol=bench.protocol.id)
    bench.command("confirm_checklist", item="audio", reason="loudspeaker is broken")
    assert any("Skipped: Alarm sound" in text for text in bench.recorded("deviation"))
    why = next(e.why for e in guarding.not_guarded(bench.state) if "Alarm sound" in e.hazard)
    assert "loudspeaker is broken" in why


@pytest.mark.requirement("RC-174")
def test_one_garbled_inflow_reading_takes_the_heat_off_and_leaves_the_pump_on() -> None:
    bench = at()
    flow = bench.pump
    bench.values["inflow"] = 55.0
    bench.run(1)
    bench.values["inflow"] = 44.8
    bench.run(5)
    assert "inflow_isolate" not in bench.alarms() and bench.pump == flow
    assert "inflow_high" in bench.alarms() and bench.heater is None


@pytest.mark.requirement("RC-174")
def test_an_inflow_that_is_believed_or_confirmed_above_48_stops_the_pump() -> None:
    bench = at()
    for value in (46.0, 46.8, 47.5, 48.1):
        bench.values["inflow"] = value
        bench.run(1)
    assert "inflow_isolate" in bench.alarms() and bench.pump is None, "a plausible one at once"
    bench = at()
    bench.values["inflow"] = 55.0
    bench.run(3)
    assert "inflow_isolate" in bench.alarms() and bench.pump is None, "the third says the same"


@pytest.mark.requirement("RC-175")
def test_a_scale_that_does_not_follow_an_entered_volume_is_an_alarm() -> None:
    bench = at()
    bench.run(20)
    bench.command("volume", kind="out", ml=250)
    bench.run(75)
    assert raised(bench, "scale_stuck") is Priority.MEDIUM
    bench = at()
    bench.run(20)
    bench.command("volume", kind="out", ml=250)
    bench.values["level"] = 655.0
    bench.run(75)
    assert raised(bench, "scale_stuck") is None


@pytest.mark.parametrize(
    ("protocol", "tests"),
    [
        ("closed-oxaliplatin-30", "glucose, sodium, potassium, bicarbonate, lactate"),
        ("closed-mmc-90", "glucose, bicarbonate, lactate"),
    ],
)
def test_blood_tests_are_those_of_the_carrier_and_due_again_and_again(
    protocol: str, tests: str
) -> None:
    bench = at("perfuse", protocol)

    def blood() -> timers.Timer:
        return next(t for t in timers.timers(bench.state) if t.id == "blood_test")

    assert blood().text == f"Blood: {tests}"
    assert blood().due_in_s == pytest.approx(1800, abs=10)
    bench.run(600)
    bench.command_as(ANESTHETIST, "confirm_blood_test")
    assert blood().due_in_s == pytest.approx(1800) and blood().state == "waiting"
    assert bench.recorded("blood_test") == [f"Blood drawn: {tests}"]
