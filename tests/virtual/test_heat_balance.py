"""The heat balance, which no twin probe gives: the heater's power against what the fluid takes."""

import pytest

from service.virtual.faults import parse
from service.virtual.session import VirtualSession


def told(room: VirtualSession) -> list[str]:
    return [a.text for a in room.log.alarms if a.id == "heat_balance" and a.event == "onset"]


@pytest.mark.requirement("RC-059")
def test_a_reservoir_probe_of_a_wrong_curve_is_found_by_the_heat_it_would_mean(
    room: VirtualSession,
) -> None:
    room.inject(parse("offset:reservoir=-5@0s"))
    room.run_until(room.now_s + 600.0)
    (text,) = told(room)
    assert (
        text.startswith("The heater gives ") and "flow, exchanger or reservoir reads wrong" in text
    )


@pytest.mark.requirement("RC-059")
def test_in_good_order_what_is_given_is_taken_up(room: VirtualSession) -> None:
    room.run_until(room.now_s + 900.0)
    assert told(room) == []
    heat = room.state.past.heat
    assert heat is not None
    assert heat.given_w == pytest.approx(heat.taken_w, abs=100.0)


@pytest.mark.requirement("RC-217")
def test_a_heater_that_gives_no_heat_is_one_alarm_and_accuses_no_probe(
    room: VirtualSession,
) -> None:
    room.run_until(room.now_s + 120.0)
    room.inject(parse("heater_dead@0s"))
    room.run_until(room.now_s + 420.0)
    assert [a.id for a in room.log.alarms if a.event == "onset"] == ["heater_not_gaining"]
    assert room.state.trust.suspects == {}
    assert room.state.session is not None and room.state.session.blocks == {}
