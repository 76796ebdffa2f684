"""Watson-Marlow: nothing is answered but the status, so every success is read back."""

import pytest

from drivers.classes import Done
from drivers.dialogue import BadReply, NoReply
from drivers.watson_marlow import WatsonMarlow
from service.core.model import CommandState, Validity
from tests.drivers.devices import FakePump
from tests.drivers.memory import MemoryLine, scripted

CONFIRMED, REFUSED = CommandState.CONFIRMED, CommandState.REFUSED


def connected(pump: FakePump, **settings: object) -> tuple[MemoryLine, WatsonMarlow]:
    line, driver = MemoryLine(pump), WatsonMarlow(**settings)
    line.run(driver.identify())
    line.sent.clear()
    return line, driver


def test_a_flow_is_set_started_and_read_back() -> None:
    pump = FakePump()
    line, driver = connected(pump)
    done = line.run(driver.run(800.0))
    assert line.sent[1:3] == [b"1SP50.5\r", b"1GO\r"]
    assert done == Done(state=CONFIRMED, value=800.0)
    polled = line.run(driver.poll())
    assert [one.value for one in polled.measured] == [800.0, 50.5]
    assert polled.status is not None
    assert (polled.status.running, polled.status.setpoint, polled.status.fault) == (True, 800, "")


def test_a_standing_pump_has_no_flow_whatever_speed_is_set() -> None:
    line, driver = connected(FakePump(rpm=220.0))
    polled = line.run(driver.poll())
    assert [one.value for one in polled.measured] == [0.0, 0.0]
    assert polled.status is not None
    assert polled.status.running is False


def test_stop_is_confirmed_by_the_run_flag() -> None:
    pump = FakePump(running=True)
    line, driver = connected(pump)
    assert line.run(driver.off()) == Done(state=CONFIRMED)
    assert line.sent[0] == b"1ST\r"
    assert pump.running is False


def test_a_pump_that_does_not_obey_is_refused_with_what_it_shows() -> None:
    line, driver = connected(FakePump(obeys=False, running=True))
    done = line.run(driver.run(800.0))
    assert done.state is REFUSED
    assert "shows 100 rpm, running instead of 50.5 rpm" in done.reason
    assert line.run(driver.off()).state is REFUSED


def test_the_323_needs_ml_per_rev_and_takes_whole_rpm() -> None:
    pump = FakePump(ml_per_rev=None, rpm=50)
    line, driver = connected(pump, ml_per_rev=9.0)
    assert line.run(driver.run(800.0)) == Done(state=CONFIRMED, value=801.0)
    assert line.sent[1] == b"1SP89\r"
    line, driver = connected(FakePump(ml_per_rev=None))
    polled = line.run(driver.poll())
    assert polled.measured[0].validity is Validity.NOT_AVAILABLE
    assert polled.status is not None
    assert "set ml_per_rev in the site file" in polled.status.fault
    assert line.run(driver.run(800.0)).state is REFUSED
    assert line.run(driver.off()).state is CONFIRMED, "stop needs no ml per revolution"


def test_the_323_answers_with_echo_as_delivered() -> None:
    line, driver = connected(FakePump(ml_per_rev=None, echo=True), ml_per_rev=9.0)
    assert line.run(driver.run(900.0)) == Done(state=CONFIRMED, value=900.0)
    assert line.run(driver.off()).state is CONFIRMED


def test_the_separator_is_a_setting() -> None:
    pump = FakePump()
    line, driver = connected(pump, separator=" ")
    line.run(driver.run(1584.0))
    assert line.sent[1] == b"1SP 100\r"


def test_a_tube_that_differs_from_the_site_file_stops_no_stop_but_every_run() -> None:
    line, driver = connected(FakePump(running=True), ml_per_rev=33.5)
    assert line.run(driver.run(800.0)).state is REFUSED
    polled = line.run(driver.poll())
    assert polled.status is not None
    assert "set to 15.84 ml per revolution, the site file says 33.5" in polled.status.fault
    assert line.run(driver.off()).state is CONFIRMED


def turned_before(pump: FakePump, **settings: object) -> tuple[MemoryLine, WatsonMarlow]:
    """A pump whose tacho was seen counting, and then stands still."""
    line, driver = connected(pump, **settings)
    line.run(driver.poll())
    line.run(driver.poll())
    pump.turns = False
    return line, driver


def test_after_two_seconds_without_a_tacho_pulse_the_flow_is_doubted() -> None:
    pump = FakePump(running=True)
    line, driver = turned_before(pump)
    assert line.run(driver.poll()).measured[0].validity is Validity.VALID
    line.seconds += 1.9
    assert line.run(driver.poll()).status.fault == ""
    line.seconds += 0.2
    polled = line.run(driver.poll())
    assert "running but the tacho does not count" in polled.status.fault
    assert polled.measured[0].validity is Validity.QUESTIONABLE
    line.run(driver.identify())
    line.run(driver.poll())
    line.seconds += 2.1
    assert "tacho" in line.run(driver.poll()).status.fault, "a new connection forgets nothing"
    pump.turns = True
    assert line.run(driver.poll()).status.fault == ""


def test_a_tacho_that_never_counted_casts_doubt_on_the_speed_and_stops_nothing() -> None:
    line, driver = connected(FakePump(running=True, turns=False))
    line.run(driver.poll())
    line.seconds += 60.0
    polled = line.run(driver.poll())
    assert polled.status is not None
    assert polled.status.fault == ""
    flow, speed = polled.measured
    assert (flow.validity, speed.validity) == (Validity.VALID, Validity.QUESTIONABLE)
    assert "the tacho has never counted" in speed.reason


def test_a_very_slow_pump_is_given_one_revolution_of_time() -> None:
    line, driver = turned_before(FakePump(running=True, rpm=3.0))
    line.run(driver.poll())
    line.seconds += 19.0
    assert line.run(driver.poll()).status.fault == ""
    line.seconds += 2.0
    assert "tacho" in line.run(driver.poll()).status.fault


def test_the_323_s_tacho_is_asked_once_and_then_only_if_it_answers() -> None:
    line, driver = connected(FakePump(ml_per_rev=None, tells_count=False), ml_per_rev=9.0)
    line.run(driver.poll())
    assert line.sent == [b"1RS\r"]
    line, driver = turned_before(FakePump(ml_per_rev=None, running=True, rpm=60), ml_per_rev=9.0)
    line.run(driver.poll())
    line.seconds += 2.5
    assert "tacho" in line.run(driver.poll()).status.fault


@pytest.mark.parametrize("flow_ml_min", [0.0, -5.0, float("nan"), float("inf"), 1e9])
def test_a_flow_that_is_none_is_refused_before_anything_is_sent(flow_ml_min: float) -> None:
    pump = FakePump()
    line, driver = connected(pump)
    assert line.run(driver.run(flow_ml_min)).state is REFUSED
    assert pump.running is False
    assert not any(b"SP" in one or b"GO" in one for one in line.sent)


@pytest.mark.parametrize(
    ("pump", "rpm_after"),
    [
        (FakePump(running=True, rpm=100.0), 50.5),
        (FakePump(running=True, rpm=30.0), 30.0),
        (FakePump(running=False, rpm=100.0), 100.0),
    ],
)
def test_lowering_never_starts_a_pump_and_never_makes_it_faster(
    pump: FakePump, rpm_after: float
) -> None:
    was_running = pump.running
    line, driver = connected(pump)
    assert line.run(driver.lower(800.0)).state is CONFIRMED
    assert (pump.rpm, pump.running) == (rpm_after, was_running)
    assert b"1GO\r" not in line.sent


@pytest.mark.parametrize(
    "said",
    [b"OK!", b"MASTERFLEX 12 CW 1 x !", b"520Du 15.84 520R 220.0 CW P/N 1 1 7 !", b"323Du 9e9 CW!"],
)
def test_what_is_no_status_is_told(said: bytes) -> None:
    line = MemoryLine(scripted({b"1RS\r": said}))
    with pytest.raises(BadReply, match="no status of a Watson-Marlow pump"):
        line.run(WatsonMarlow().identify())


def test_another_pump_s_status_is_not_shown_as_this_one_s() -> None:
    said = b"520Du 15.84 520R 9.6MM 220.0 CW P/N 2 1234 1 !"
    with pytest.raises(BadReply, match="pump 2 answered instead of pump 1"):
        MemoryLine(scripted({b"1RS\r": said})).run(WatsonMarlow().identify())


def test_the_late_echo_of_a_command_does_not_spoil_the_status() -> None:
    said = b"1SP50\r1RS\r520Du 15.84 520R 9.6MM 50.0 CW P/N 1 1234 1 !"
    line = MemoryLine(scripted({b"1RS\r": said}))
    assert line.run(WatsonMarlow().poll()).measured[1].value == 50.0


def test_a_silent_pump_is_told() -> None:
    with pytest.raises(NoReply, match="no answer"):
        MemoryLine().run(WatsonMarlow().poll())
