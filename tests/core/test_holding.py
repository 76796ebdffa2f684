"""Control: one perfusionist at a time, and what everybody may do without it."""

import pytest

from service.core.authority import AT_THE_STATION, NEEDS_CONTROL
from service.core.model import Actor, CommandState, PersonRole
from tests.core.bench import Bench, at
from tests.core.room import PERFUSIONIST

REFUSED, CONFIRMED = CommandState.REFUSED, CommandState.CONFIRMED
SECOND = Actor(user="P. Two", role=PersonRole.PERFUSIONIST, station="or-1")
ANESTHESIA = Actor(user="A. Three", role=PersonRole.ANESTHESIA, station="head")
NOBODY = Actor(user="", role=PersonRole.DISPLAY, station="or-1")


def holder_of(bench: Bench) -> str | None:
    return bench.state.holder.user if bench.state.holder else None


def test_the_first_perfusionist_who_acts_has_control_and_the_record_says_so() -> None:
    bench = Bench()
    assert holder_of(bench) is None
    bench.command("open_session")
    assert holder_of(bench) == PERFUSIONIST.user
    assert bench.recorded("control") == ["Control taken at or-1"]
    bench.command("confirm_checklist", item="probe_map")
    assert len(bench.recorded("control")) == 1


def test_a_command_that_is_refused_takes_no_control() -> None:
    bench = Bench()
    assert bench.command("set_inflow", c=44).state is REFUSED
    assert holder_of(bench) is None


@pytest.mark.requirement("RC-150")
@pytest.mark.parametrize("name", sorted(NEEDS_CONTROL))
def test_whoever_has_no_control_moves_nothing_and_is_told_who_has_it(name: str) -> None:
    bench = at("perfuse")
    before = bench.state
    answer = bench.command_as(SECOND, name)
    assert answer.state is REFUSED
    assert f"{PERFUSIONIST.user} has control" in answer.reason
    assert (bench.state.session, bench.state.holder) == (before.session, before.holder)


@pytest.mark.requirement("RC-151")
@pytest.mark.parametrize("name", ["stop", "heater_off"])
@pytest.mark.parametrize("who", [SECOND, ANESTHESIA, NOBODY], ids=["second", "anesthesia", "none"])
def test_stop_and_heat_off_need_no_control_and_at_the_station_no_person(
    name: str, who: Actor
) -> None:
    bench = at("perfuse")
    assert bench.command_as(who, name).state is not REFUSED
    assert bench.heater is None
    assert holder_of(bench) == PERFUSIONIST.user


@pytest.mark.requirement("RC-151")
def test_a_station_without_a_person_gives_nothing_else() -> None:
    bench = at("perfuse")
    given = {name for name in NEEDS_CONTROL | {"abort", "note", "pause_audio", "acknowledge"}
             if "not for display" not in bench.command_as(NOBODY, name).reason}  # fmt: skip
    assert given <= AT_THE_STATION
    assert "acknowledge" in given


def test_control_that_is_offered_is_taken_by_the_one_who_was_named() -> None:
    bench = at("heat_up")
    assert bench.command("hand_over", to="p. two").state is CONFIRMED
    assert holder_of(bench) == PERFUSIONIST.user
    assert bench.command_as(SECOND, "take_control").state is CONFIRMED
    assert bench.command_as(SECOND, "set_inflow", c=44).state is not REFUSED
    assert bench.command("set_inflow", c=44).state is REFUSED
    assert bench.recorded("control") == [
        "Control offered to p. two",
        f"Control handed over by {PERFUSIONIST.user} at or-1",
    ]


def test_control_is_taken_from_another_person_only_with_a_reason_on_record() -> None:
    bench = at("heat_up")
    without = bench.command_as(SECOND, "take_control")
    assert without.state is REFUSED and "with a reason" in without.reason
    taken = bench.command_as(SECOND, "take_control", reason="called away")
    assert taken.state is CONFIRMED
    assert bench.recorded("control")[-1] == (
        f"Control taken from {PERFUSIONIST.user} at or-1 (called away)"
    )


def test_control_that_is_given_back_is_free_for_the_next() -> None:
    bench = at("heat_up")
    assert bench.command_as(SECOND, "release_control").state is REFUSED
    bench.command("release_control")
    assert holder_of(bench) is None
    assert bench.command("release_control").reason == "nobody has control: take it first"
    assert bench.command_as(SECOND, "set_inflow", c=44).state is not REFUSED
    assert holder_of(bench) == SECOND.user


def test_nobody_hands_control_to_himself() -> None:
    bench = at("heat_up")
    assert "already" in bench.command("hand_over", to=PERFUSIONIST.user).reason
