"""Bad input gets a refusal with its reason, and a record of it; nothing else changes."""

from dataclasses import replace
from math import inf, nan

import pytest

from service.core.authority import MAY
from service.core.effects import CommandChanged, HeaterOff, PumpStop, Recorded
from service.core.events import Command, Frame, LinkChanged, Rejected, Tick
from service.core.model import (
    Actor,
    CommandState,
    DriveStatus,
    Instant,
    LinkState,
    PersonRole,
    Validity,
)
from service.journal.codec import CODEC
from tests.core.bench import Bench, at
from tests.core.room import PERFUSIONIST


def shifted(moment: Instant, seconds: float) -> Instant:
    ns = round(seconds * 1e9)
    return Instant(mono_ns=moment.mono_ns + ns, utc_ns=moment.utc_ns + ns)


def frame(bench: Bench, seconds: float) -> Frame:
    return replace(bench.read("sites"), at=shifted(bench.now, seconds))


@pytest.mark.requirement("RC-062")
@pytest.mark.parametrize(
    ("seconds", "why"),
    [
        (3600, "a reading from 3600 s in the future"),
        (-2, "a reading 2.0 s older than the one before"),
    ],
)
def test_a_reading_out_of_its_time_is_refused_and_put_on_record_once(
    seconds: float, why: str
) -> None:
    bench = at()
    bench.run(3)
    before, samples = bench.session.clocks, bench.state.samples
    bench.values["pelvis"] = 41.0
    for _ in range(3):
        bench.feed(frame(bench, seconds))
    assert bench.state.samples == samples and bench.session.clocks == before
    assert bench.recorded("refused") == [f"sites: {why} was not used"]
    bench.run(2)
    assert bench.state.samples["pelvis"].value == 41.0


@pytest.mark.requirement("RC-062")
def test_a_stop_from_the_future_stops_now_and_moves_no_clock() -> None:
    bench = at()
    bench.run(2)
    before = bench.session.clocks
    command = Command(at=shifted(bench.now, 900), key="far", name="stop", by=PERFUSIONIST)
    effects = bench.feed(command)
    assert {HeaterOff, PumpStop} <= {type(effect) for effect in effects}
    assert bench.session.clocks == before
    assert bench.recorded("bad_input") == [
        "Command taken as of now: it was stamped 900 s in the future"
    ]


@pytest.mark.requirement("RC-062")
def test_only_a_tick_says_that_much_time_has_passed() -> None:
    bench = at()
    lost = LinkChanged(at=shifted(bench.now, 60), device="pump", state=LinkState.LOST, reason="x")
    bench.feed(lost)
    assert bench.state.links["pump"].state is LinkState.LOST
    assert bench.session.clocks.unobserved_s < 1
    bench.feed(Tick(at=shifted(bench.now, 60)))
    assert bench.session.clocks.unobserved_s == pytest.approx(60, abs=1)


@pytest.mark.requirement("RC-062")
@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_a_reading_that_is_no_number_has_no_value_and_says_why(value: float) -> None:
    bench = at()
    bench.values["pelvis"] = value
    bench.run(3)
    sample = bench.state.samples["pelvis"]
    assert (sample.value, sample.validity, sample.reason) == (
        None,
        Validity.INVALID,
        "not a number",
    )
    assert any(note.text == "Pelvis: not a number" for note in bench.state.notes)
    assert CODEC.decode("State", CODEC.encode(bench.state)) == bench.state


@pytest.mark.requirement("RC-062")
@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_a_drive_that_reads_back_no_number_proves_nothing(value: float) -> None:
    bench = at()
    bench.pump_obeys = False
    bench.command("set_flow", ml_min=1300)
    status = DriveStatus(running=True, setpoint=value)
    bench.feed(replace(bench.read("pump"), status=status))
    assert bench.state.pump.outcome is CommandState.REQUESTED


NUMBERS = [
    ("set_inflow", "c"),
    ("set_flow", "ml_min"),
    ("volume", "ml"),
    ("enter_core", "c"),
    ("confirm_drug", "fraction"),
]


@pytest.mark.requirement("RC-062")
@pytest.mark.parametrize(("name", "field"), NUMBERS)
@pytest.mark.parametrize("value", [nan, inf, -inf, -1e9, 1e12])
def test_a_command_with_an_impossible_number_is_refused_with_its_reason(
    name: str, field: str, value: float
) -> None:
    bench = at()
    before = bench.session
    args = {field: value} | ({"kind": "in"} if name == "volume" else {})
    answer = bench.command(name, **args)
    assert answer.state is CommandState.REFUSED and answer.reason.startswith(field)
    assert bench.session == before
    assert bench.state.commands[0].reason == answer.reason


@pytest.mark.requirement("RC-062")
@pytest.mark.parametrize("name", sorted(MAY))
def test_every_command_of_a_wrong_role_is_refused_and_on_record(name: str) -> None:
    bench = at()
    before = bench.session
    answer = bench.command_as(Actor(user="X. Three", role=PersonRole.QA), name)
    assert answer.state is CommandState.REFUSED and "not for qa" in answer.reason
    assert bench.session == before
    assert any(isinstance(effect, CommandChanged) for effect in bench.effects)


@pytest.mark.requirement("RC-062")
def test_a_request_that_never_became_a_command_is_on_record_and_its_key_stays_free() -> None:
    bench = at()
    why = "The height 20 cm cannot be right; allowed is 100 to 220 cm."
    bench.feed(Rejected(at=bench.now, key="k", name="open_session", reason=why, by=PERFUSIONIST))
    told = [effect for effect in bench.effects if isinstance(effect, CommandChanged)]
    assert [(t.key, t.state, t.reason) for t in told] == [("k", CommandState.REFUSED, why)]
    note = Command(at=bench.now, key="k", name="note", args={"text": "now right"}, by=PERFUSIONIST)
    assert bench.send(note).state is not CommandState.REFUSED


@pytest.mark.requirement("RC-030")
def test_stop_and_abort_record_what_the_protocol_says_of_the_return() -> None:
    for name in ("stop", "abort"):
        bench = at()
        bench.command(name)
        assert bench.recorded(name) == [f"{name.capitalize()}: heat off, pump stopped, return on"]


@pytest.mark.requirement("RC-063")
@pytest.mark.parametrize("role", [PersonRole.ANESTHESIA, PersonRole.SURGEON])
def test_an_unstable_patient_stops_everything_until_the_surgeon_agrees(role: PersonRole) -> None:
    bench = at()
    bench.command_as(Actor(user="X. Three", role=role), "patient_unstable")
    bench.run(1)
    assert bench.heater is None and bench.pump is None
    assert "patient_unstable" in bench.raised()
    assert bench.command("resume").state is CommandState.REFUSED
    anybody = bench.command("resume", reason="stable again", second="S. Two")
    assert anybody.state is CommandState.REFUSED and "surgeon" in anybody.reason
    answer = bench.command("resume", reason="stable again", surgeon="S. Two")
    assert answer.state is not CommandState.REFUSED
    bench.run(1)
    assert bench.pump and "patient_unstable" not in bench.raised()
    assert "patient_unstable" in bench.signalled(), "it stays until somebody acknowledges it"


def facts(bench: Bench) -> list[str]:
    return [effect.kind for effect in bench.effects if isinstance(effect, Recorded)]


@pytest.mark.requirement("RC-022")
@pytest.mark.parametrize("phase", ["setup", "prime", "fill", "heat_up", "perfuse"])
@pytest.mark.parametrize("before", ["", "stop", "abort", "patient_unstable"])
def test_facts_are_recorded_whatever_the_state(phase: str, before: str) -> None:
    bench = at(phase)
    if before:
        bench.command(before)
    for name, args in (
        ("confirm_drug", {"fraction": 3}),
        ("volume", {"kind": "in", "ml": 100}),
        ("enter_core", {"c": 37.0}),
        ("note", {"text": "said"}),
    ):
        assert bench.command(name, **args).state is CommandState.CONFIRMED, name
    assert {"drug", "volume", "core", "note"} <= set(facts(bench))
