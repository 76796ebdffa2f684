import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.instrument import Fault
from simulator.devices.masterflex import DriveSettings, PumpDrive


class Bench:
    """A drive in serial mode and a person who types commands."""

    def __init__(self, **settings) -> None:
        self.pump = PumpDrive(DriveSettings(**settings))
        self.type("1RE1")

    def type(self, text: str) -> str:
        sends = self.pump.receive(text.encode() + b"\r", 1.0)
        return b"".join(send.data for send in sends).decode().removesuffix("\r\n")

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            self.pump.sample(0.1)


def test_a_drive_is_set_started_and_told():
    room = Bench()
    assert [room.type(text) for text in ("1R012050", "1K", "1H")] == ["*"] * 3
    assert room.type("1RC") == "1,1,1"
    assert room.type("1R") == "120.50"
    assert room.type("1E") == "+"
    assert room.type("1I") == "*"
    assert room.type("1RC") == "1,0,1"
    assert room.type("1E") == "-"


@pytest.mark.parametrize(
    "text", ["1R000001", "1R060001", "1S00000", "1Q", "1", "1R12", "1HX", "1RE"]
)
def test_what_it_does_not_know_or_cannot_turn_is_invalid(text):
    room = Bench()
    assert room.type(text) == "#"
    assert (room.pump.set_rpm, room.pump.running) == (60.0, False)


def test_speed_in_percent_is_of_its_fastest():
    room = Bench()
    assert room.type("1S00500") == "*"
    assert room.pump.set_rpm == 300.0
    assert room.type("1S") == "50.0"


@pytest.mark.parametrize("text", ["2H", "H", "", "9H", "#H"])
def test_other_addresses_are_met_with_silence(text):
    room = Bench()
    assert room.type(text) == ""
    assert not room.pump.running


def test_after_power_on_it_wants_serial_mode_first():
    room = Bench()
    room.type("1H")
    room.pump.power_up()
    assert [room.type(text) for text in ("1H", "1RC", "1R")] == ["~"] * 3
    assert room.type("1Q") == "#"
    assert not room.pump.running
    assert room.type("1RE1") == "*"
    assert room.type("1RC") == "1,0,0"
    assert room.type("1RE0") == "*"
    assert room.type("1H") == "~"


def test_a_drive_that_tells_without_serial_mode_still_obeys_only_in_it():
    room = Bench(tells_out_of_serial_mode=True)
    room.pump.power_up()
    assert room.type("1RC") == "1,0,0"
    assert room.type("1H") == "~"


def test_somebody_at_the_screen_takes_it_out_of_serial_mode_until_he_leaves():
    room = Bench()
    taken = Fault(name="local_mode")
    room.pump.faults.set(taken)
    room.pump.on_fault(taken)
    assert [room.type(text) for text in ("1H", "1RE1", "1I")] == ["~"] * 3
    room.pump.faults.clear()
    assert [room.type(text) for text in ("1RE1", "1H")] == ["*"] * 2


def test_the_pump_reaches_full_speed_in_a_second_and_delivers_by_its_true_stroke():
    room = Bench(calibration_error=0.05, ml_per_rev=8.0)
    room.type("1R060000")
    room.type("1H")
    room.run(0.5)
    assert room.pump.rpm == pytest.approx(300.0)
    room.run(0.5)
    assert room.pump.ml_min == pytest.approx(600 * 8.0 * 1.05)


def test_it_counts_what_it_turned_and_the_count_can_be_cleared():
    room = Bench(ml_per_rev=8.0)
    room.type("1R006000")
    room.type("1H")
    room.run(61.0)
    assert float(room.type("1:").removesuffix(" mL")) == pytest.approx(488.0, abs=1.0)
    assert float(room.type("1RB")) == pytest.approx(61.0, abs=0.2)
    assert room.type("1W") == "*"
    assert room.type("1:") == "0.0 mL"


def test_a_backward_pump_delivers_a_negative_flow():
    room = Bench(ml_per_rev=8.0)
    room.type("1K")
    room.type("1H")
    room.run(5.0)
    assert room.pump.ml_min == pytest.approx(-480.0)


def test_a_keypad_stop_stops_a_running_drive_which_then_obeys_again():
    room = Bench()
    room.type("1H")
    room.pump.on_fault(Fault(name="keypad_stop"))
    assert room.type("1RC") == "1,0,0"
    room.type("1H")
    assert room.type("1RC") == "1,1,0"


def test_a_jammed_rotor_says_running_while_nothing_is_delivered():
    room = Bench()
    room.type("1H")
    room.pump.faults.set(Fault(name="stall"))
    room.run(5.0)
    assert room.type("1RC") == "1,1,0"
    assert (room.pump.ml_min, room.type("1:")) == (0.0, "0.0 mL")


def test_a_stuck_report_repeats_the_moment_it_froze():
    room = Bench()
    room.type("1H")
    stuck = Fault(name="stuck")
    room.pump.faults.set(stuck)
    room.pump.on_fault(stuck)
    assert room.type("1I") == "*"
    assert room.type("1RC") == "1,1,0"
    assert not room.pump.running


def test_a_refusing_drive_calls_everything_invalid():
    room = Bench()
    room.pump.faults.set(Fault(name="refuses"))
    assert [room.type(text) for text in ("1H", "1R010000")] == ["#"] * 2
    assert room.type("1RC") == "1,0,0"


def test_another_unit_s_state_carries_its_address():
    assert Bench().pump.with_other_unit(b"1,1,0\r\n") == b"2,1,0\r\n"


@given(chunks=st.lists(st.binary(max_size=40), max_size=5))
def test_after_any_rubbish_and_a_line_end_a_question_is_answered(chunks):
    pump = Bench(tells_out_of_serial_mode=True).pump
    for chunk in chunks:
        pump.receive(chunk, 1.0)
    pump.receive(b"\r", 2.0)
    assert pump.receive(b"1#\r", 3.0)[0].data == b"MFLX78002-00 2\r\n"
