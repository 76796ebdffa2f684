"""What each command does, why it is refused, who may give it, and what becomes of its orders."""

from dataclasses import replace

import pytest

from service.core.authority import ABOUT_CONTROL, CLINICAL, MAY
from service.core.commands import HANDLERS
from service.core.effects import HeaterOff, PumpStop
from service.core.events import Command, Outcome
from service.core.model import Actor, CommandState, Controller, PersonRole, Phase
from service.core.state import Side
from tests.core.bench import Bench, at
from tests.core.room import PERFUSIONIST

REFUSED, CONFIRMED = CommandState.REFUSED, CommandState.CONFIRMED
Value = str | float | int | None

REFUSALS: list[tuple[str, str, dict[str, Value], str]] = [
    ("setup", "open_session", {"protocol": "x"}, "is open: close it first"),
    ("perfuse", "close_session", {}, "finish the treatment first: phase is perfuse"),
    ("setup", "confirm_checklist", {"item": "nothing"}, "there is no checklist item 'nothing'"),
    ("setup", "confirm_checklist", {}, "item must be given"),
    ("setup", "start_phase", {"phase": "nap"}, "there is no phase 'nap'"),
    ("setup", "start_phase", {"phase": "perfuse"}, "perfuse does not follow setup"),
    ("perfuse", "start_phase", {"phase": "drain"}, "give a reason"),
    ("perfuse", "confirm_drug", {"fraction": 1}, "fraction 1 is already recorded"),
    ("perfuse", "confirm_drug", {"fraction": 0}, "fraction 0 is outside 1 to 20"),
    ("perfuse", "confirm_drug", {"fraction": 2, "ago_s": 60}, "an earlier time needs a reason"),
    ("perfuse", "set_controller", {"mode": "fallback"}, "mode must be one of"),
    ("setup", "set_controller", {"mode": "automatic"}, "heat is allowed in this phase (setup)"),
    ("setup", "set_inflow", {"c": 44}, "no heat in phase setup"),
    ("perfuse", "set_inflow", {"c": "hot"}, "c must be a number"),
    ("perfuse", "set_inflow", {"c": True}, "c must be a number"),
    ("perfuse", "set_inflow", {"c": float("nan")}, "c must be a number"),
    ("perfuse", "set_inflow", {"c": 70}, "c 70 is outside 20 to 60"),
    ("setup", "set_flow", {"ml_min": 1000}, "no flow in phase setup"),
    ("perfuse", "set_flow", {"ml_min": -1}, "ml_min -1 is outside 0 to 20000"),
    ("perfuse", "acknowledge", {"occurrence": "b-9"}, "this alarm is not sounding any more"),
    ("perfuse", "acknowledge", {}, "occurrence must be given"),
    ("perfuse", "note", {"text": "  "}, "text must be given"),
    ("perfuse", "volume", {"kind": "up", "ml": 5}, "kind must be one of in, prime, drug"),
    ("perfuse", "volume", {"kind": "in", "ml": -5}, "ml -5 is outside 0 to 20000"),
    ("perfuse", "enter_core", {"c": 99}, "c 99 is outside 20 to 45"),
    ("perfuse", "request", {}, "kind must be given"),
    ("perfuse", "answer", {}, "kind must be given"),
    ("perfuse", "dance", {}, "there is no command 'dance'"),
]


@pytest.mark.parametrize(("phase", "name", "args", "why"), REFUSALS)
def test_a_command_that_cannot_be_carried_out_is_refused_with_its_reason_and_changes_nothing(
    phase: str, name: str, args: dict[str, Value], why: str
) -> None:
    bench = at(phase)
    before = bench.state
    answer = bench.command(name, **args)
    assert answer.state is REFUSED and why in answer.reason
    assert (bench.state.session, bench.state.heater, bench.state.pump) == (
        before.session,
        before.heater,
        before.pump,
    )


NEEDS_SESSION = sorted(
    HANDLERS.keys()
    - {"open_session", "stop", "heater_off", "abort", "patient_unstable"}
    - {"acknowledge", "pause_audio", "seen"}
    - {"note", "enter_core"}
    - ABOUT_CONTROL
)


@pytest.mark.parametrize("name", NEEDS_SESSION)
def test_without_a_session_a_command_about_one_is_refused(name: str) -> None:
    answer = Bench().command(name, ml=1, c=44, kind="reduce_heat", on=True)
    assert answer.state is REFUSED and answer.reason == "no session is open: open one first"


OPENING: list[tuple[dict[str, Value], str]] = [
    ({"duration_min": 30}, "duration_min 30 is outside 90 to 90"),
    ({"carrier": "dextrose 5 %"}, "carrier 'dextrose 5 %' is not allowed for mitomycin C"),
    ({"weight_kg": 900}, "weight_kg 900 is outside 30 to 200"),
    ({"dose_mg": 70, "bsa_m2": 1.8}, "apart needs a second name"),
    ({"dose_mg": 70, "bsa_m2": 1.8, "expected_mg": 70}, "apart needs a second name"),
    ({"dose_mg": 70, "bsa_m2": 1.8, "second": "P. One"}, "apart needs a second name"),
    ({"dose_mg": 70}, "no arithmetic beside it: needs a second name"),
]


@pytest.mark.requirement("RC-041", "RC-213")
@pytest.mark.parametrize(("args", "why"), OPENING)
def test_a_session_is_not_opened_with_a_wrong_carrier_duration_or_an_unconfirmed_dose(
    args: dict[str, Value], why: str
) -> None:
    bench = Bench()
    answer = bench.command("open_session", **args)
    assert answer.state is REFUSED and why in answer.reason
    assert bench.state.session is None


@pytest.mark.requirement("RC-041")
def test_a_dose_far_from_the_arithmetic_is_taken_with_a_second_name() -> None:
    bench = Bench()
    bench.command("open_session", dose_mg=70, bsa_m2=1.8, second="S. Two")
    assert bench.session.patient.dose_mg == 70
    assert "arithmetic says 63.0 mg: 11% apart" in bench.recorded("deviation")[0]


@pytest.mark.requirement("RC-041", "RC-213")
def test_a_dose_that_nobody_can_reckon_is_a_deviation_and_one_that_fits_is_none() -> None:
    bench = Bench()
    bench.command("open_session", dose_mg=70, second="S. Two")
    assert "without height and weight" in bench.recorded("deviation")[0]
    bench = Bench()
    assert bench.command("open_session", dose_mg=64, bsa_m2=1.8).state is not REFUSED
    assert bench.recorded("deviation") == []


def test_a_protocol_that_does_not_exist_opens_nothing() -> None:
    command = Command(at=Bench().now, key="k", name="open_session", by=PERFUSIONIST)
    answer = Bench().send(command)
    assert answer.state is REFUSED and "there is no protocol" in answer.reason


def test_a_session_under_a_widened_envelope_says_so_in_its_record() -> None:
    bench = Bench()
    wide = replace(bench.protocol.envelope, name="icarus", approved_by="the centre's board")
    bench.protocol = replace(bench.protocol, envelope=wide)
    bench.command("open_session")
    assert bench.recorded("envelope") == [
        "Envelope widened: icarus, approved by the centre's board"
    ]


@pytest.mark.requirement("RC-026")
@pytest.mark.parametrize("name", sorted(HANDLERS))
@pytest.mark.parametrize("role", PersonRole)
def test_every_command_is_refused_to_every_role_that_the_table_does_not_name(
    name: str, role: PersonRole
) -> None:
    bench = at("heat_up")
    answer = bench.command_as(Actor(user="X. Three", role=role), name)
    not_theirs = f"not for {role}" in answer.reason
    assert not_theirs is (role not in MAY[name])
    assert not (not_theirs and answer.state is not REFUSED)


@pytest.mark.requirement("RC-026")
def test_there_is_a_row_of_roles_for_every_command_and_a_command_for_every_row() -> None:
    assert MAY.keys() == HANDLERS.keys()


@pytest.mark.requirement("RC-030")
@pytest.mark.parametrize("role", sorted(CLINICAL))
@pytest.mark.parametrize("name", ["stop", "abort"])
@pytest.mark.parametrize(
    "phase", [Phase.SETUP, Phase.PRIME, Phase.FILL, Phase.HEAT_UP, Phase.PERFUSE]
)
def test_stop_and_abort_put_both_drives_off_in_any_phase_for_any_clinical_role(
    phase: Phase, name: str, role: PersonRole
) -> None:
    bench = at(phase)
    answer = bench.command_as(Actor(user="X. Three", role=role), name)
    kinds = [type(effect) for effect in bench.effects]
    assert HeaterOff in kinds and PumpStop in kinds
    assert bench.command_state(answer.key) is CONFIRMED
    assert bench.heater is None and bench.pump is None
    assert bench.session.heat.controller is Controller.STOPPED
    bench.run(30)
    assert bench.heater is None and bench.pump is None


@pytest.mark.requirement("RC-030")
@pytest.mark.parametrize("name", ["stop", "heater_off", "abort", "patient_unstable"])
def test_the_room_can_be_stopped_before_any_session_is_open(name: str) -> None:
    bench = Bench()
    bench.heater, bench.pump = 40.0, 800.0
    answer = bench.command(name)
    assert bench.command_state(answer.key) is CONFIRMED
    assert bench.heater is None
    assert (bench.pump is None) is (name != "heater_off")


@pytest.mark.requirement("RC-015", "RC-030")
def test_heater_off_is_ordered_and_read_back_even_where_the_heater_should_be_off() -> None:
    bench = at()
    bench.command("heater_off")
    order = bench.state.heater.order
    bench.heater_obeys = False
    again = bench.command("heater_off")
    assert bench.state.heater.order == order + 1
    assert again.state is CommandState.SENT


@pytest.mark.requirement("RC-030")
def test_a_stop_does_not_undo_an_abort() -> None:
    bench = at()
    bench.command("abort")
    bench.command("stop")
    assert bench.session.side is Side.ABORT
    assert bench.command("resume").reason == "the session was aborted: drain"
    assert bench.command("pause").reason == "the session was aborted"


@pytest.mark.requirement("RC-027")
def test_a_command_with_a_key_that_was_seen_is_not_carried_out_again() -> None:
    bench = at()
    order = Command(
        at=bench.now, key="once", name="volume", args={"kind": "in", "ml": 100}, by=PERFUSIONIST
    )
    bench.send(order)
    assert bench.feed(replace(order, at=bench.now)) == []
    assert bench.session.volume_in_ml == 100


@pytest.mark.requirement("RC-029")
@pytest.mark.parametrize("drive", ["heater", "pump"])
def test_an_order_without_an_answer_is_an_alarm_and_is_never_repeated_blindly(drive: str) -> None:
    bench = at()
    bench.heater_obeys = bench.pump_obeys = False
    name, args = {"heater": ("set_inflow", {"c": 44.0}), "pump": ("set_flow", {"ml_min": 1100})}[
        drive
    ]
    bench.run(3)
    answer = bench.command(name, **args)
    assert answer.state is CommandState.SENT
    order = bench.state.heater.order if drive == "heater" else bench.state.pump.order
    unknown = CommandState.UNKNOWN
    bench.feed(
        Outcome(at=bench.now, drive=drive, order=order, state=unknown, reason="no echo in 2 s")
    )
    assert bench.command_state(answer.key) is unknown
    bench.run(20)
    now = bench.state.heater if drive == "heater" else bench.state.pump
    assert now.order == order, "no new order without a person"
    assert "drive_unknown" in bench.raised()
    again = bench.command(name, **args)
    assert again.state is CommandState.SENT, "a person may order it anew"


@pytest.mark.requirement("RC-029")
def test_the_device_s_own_word_answers_an_unknown_outcome() -> None:
    bench = at()
    bench.pump_obeys = False
    bench.command("set_flow", ml_min=1100)
    order = bench.state.pump.order
    bench.feed(Outcome(at=bench.now, drive="pump", order=order, state=CommandState.UNKNOWN))
    bench.run(1)
    assert "drive_unknown" in bench.raised(), "the pump still says 1500"
    bench.pump = 1100.0
    bench.run(1)
    assert "drive_unknown" not in bench.raised()


@pytest.mark.requirement("RC-029")
def test_a_drive_that_refuses_says_so_on_the_command_and_alarms() -> None:
    bench = at()
    bench.pump_obeys = False
    answer = bench.command("set_flow", ml_min=1100)
    order = bench.state.pump.order
    bench.feed(Outcome(at=bench.now, drive="pump", order=order, state=REFUSED, reason="local mode"))
    record = next(r for r in bench.state.commands if r.key == answer.key)
    assert (record.state, record.reason) == (REFUSED, "local mode")
    assert "drive_unknown" in bench.raised()


def test_a_command_that_a_newer_one_overtakes_is_not_called_confirmed() -> None:
    bench = at()
    bench.pump_obeys = False
    first = bench.command("set_flow", ml_min=1100)
    bench.command("set_flow", ml_min=1300)
    record = next(r for r in bench.state.commands if r.key == first.key)
    assert record.state is REFUSED and "overtaken by a newer order" in record.reason


def test_an_outcome_of_an_older_order_settles_nothing() -> None:
    bench = at()
    bench.pump_obeys = False
    answer = bench.command("set_flow", ml_min=1100)
    stale = bench.state.pump.order - 1
    bench.feed(Outcome(at=bench.now, drive="pump", order=stale, state=CONFIRMED, value=1500))
    assert bench.command_state(answer.key) is CommandState.SENT


def test_a_flow_is_granted_up_to_the_protocol_s_highest() -> None:
    answer = at().command("set_flow", ml_min=3000)
    assert (answer.granted, answer.limited_by) == (2000, "highest flow 2000 ml/min")


def test_an_inflow_asked_for_while_heat_waits_is_kept_and_says_what_it_waits_for() -> None:
    bench = at()
    bench.values["nasopharynx"] = None
    bench.values["inflow"] = None
    bench.run(1)
    answer = bench.command("set_inflow", c=44.0)
    assert answer.state is CONFIRMED
    assert answer.reason == "kept; heat waits: no valid inflow temperature; " + (
        "no valid core temperature"
    )


@pytest.mark.requirement("RC-017")
@pytest.mark.parametrize("name", ["set_inflow", "set_flow"])
def test_while_an_interlock_stands_nobody_gets_round_it_by_asking_for_a_figure(name: str) -> None:
    bench = at()
    bench.values["line_in"] = 300.0
    bench.run(1)
    answer = bench.command(name, c=44.0, ml_min=1400)
    assert answer.state is REFUSED and "line" in answer.reason.lower()


def test_facts_and_requests_stand_in_the_record_with_who_gave_them() -> None:
    bench = at()
    bench.command("note", text="Omentum moved", reason="hot pelvis")
    bench.command("volume", kind="in", ml=500)
    bench.command("volume", kind="out", ml=200)
    anesthesia = Actor(user="A. Three", role=PersonRole.ANESTHESIA)
    bench.command_as(anesthesia, "request", kind="reduce_heat")
    bench.command_as(anesthesia, "enter_core", c=38.4)
    bench.command("answer", kind="reduce_heat")
    assert bench.recorded("note") == ["Omentum moved (hot pelvis)"]
    assert (bench.session.volume_in_ml, bench.session.volume_out_ml) == (500, 200)
    assert bench.recorded("request") == ["Request to the pump: reduce heat"]
    assert bench.recorded("core") == ["Core read by hand 38.4 °C"]
    assert bench.recorded("answer") == ["Request 'reduce heat' accepted after 0 s"]
    assert bench.state.notes[-1].by == "P. One"


SECOND = Actor(user="P. Two", role=PersonRole.PERFUSIONIST, station="or-1")
ANESTHESIA = Actor(user="A. Three", role=PersonRole.ANESTHESIA)
FACTS: list[tuple[str, dict[str, Value]]] = [
    ("confirm_drug", {"fraction": 2}),
    ("volume", {"kind": "in", "ml": 100}),
    ("enter_core", {"c": 28.5}),
    ("cooling", {"on": True}),
    ("note", {"text": "Pump cranked by hand from 10:42 to 10:44"}),
]


@pytest.mark.requirement("RC-022")
@pytest.mark.parametrize("who", [SECOND, ANESTHESIA], ids=["second perfusionist", "anesthesia"])
@pytest.mark.parametrize(("name", "args"), FACTS)
def test_a_fact_is_taken_from_whoever_saw_it_and_takes_nobody_s_control(
    who: Actor, name: str, args: dict[str, Value]
) -> None:
    bench = at()
    holder = bench.state.holder
    assert bench.command_as(who, name, **args).state is CONFIRMED
    assert bench.state.holder == holder


@pytest.mark.requirement("RC-022")
@pytest.mark.parametrize("phase", ["setup", "prime", "fill", "heat_up"])
def test_a_drug_that_was_given_too_early_is_recorded_and_becomes_a_deviation(phase: str) -> None:
    bench = at(phase)
    answer = bench.command("confirm_drug", fraction=1)
    assert answer.state is CONFIRMED
    assert bench.recorded("drug") == ["Drug fraction 1 given"]
    assert len(bench.recorded("deviation")) == 1
    assert bench.session.clocks.contact_from_s is not None


@pytest.mark.requirement("RC-022")
def test_a_drug_given_at_the_gate_but_before_the_stop_point_is_a_deviation_too() -> None:
    bench = at("heat_up")
    bench.run(62)
    bench.command("confirm_drug", fraction=1)
    (deviation,) = bench.recorded("deviation")
    assert "checklist: Stop point" in deviation and "held" not in deviation
    assert bench.phase == "perfuse"


@pytest.mark.requirement("RC-022")
def test_facts_are_taken_in_a_pause_an_abort_and_under_an_interlock() -> None:
    bench = at()
    bench.values["line_in"] = 300.0
    bench.run(1)
    bench.command("abort")
    for name, args in (
        ("note", {"text": "hand crank used"}),
        ("volume", {"kind": "out", "ml": 100}),
        ("confirm_drug", {"fraction": 2}),
        ("confirm_drug", {"fraction": 4}),
        ("enter_core", {"c": 39.0}),
    ):
        assert bench.command(name, **args).state is CONFIRMED, name
    assert bench.recorded("deviation") == [
        "Drug fraction 2 given 29.9 min early: due at 30 min, window 5 min",
        "Fraction 4 is not in the protocol",
    ]


@pytest.mark.requirement("RC-021")
@pytest.mark.parametrize("second", ["", "P. One", " p. one "])
def test_the_stop_point_needs_the_name_of_a_second_person(second: str) -> None:
    bench = at("heat_up")
    answer = bench.command("confirm_checklist", item="stop_point", second=second)
    assert answer.state is REFUSED and "needs a second name" in answer.reason


@pytest.mark.requirement("RC-029")
def test_a_stop_that_was_unknown_is_confirmed_once_its_repetition_is() -> None:
    bench = at()
    bench.heater_obeys = False
    answer = bench.command("heater_off")
    unknown = CommandState.UNKNOWN
    order = bench.state.heater.order
    bench.feed(Outcome(at=bench.now, drive="heater", order=order, state=unknown, reason="silent"))
    assert bench.command_state(answer.key) is unknown
    confirmed = CommandState.CONFIRMED
    bench.feed(Outcome(at=bench.now, drive="heater", order=order, state=confirmed))
    assert bench.command_state(answer.key) is confirmed
