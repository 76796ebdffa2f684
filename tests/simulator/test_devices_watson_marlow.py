import pytest

from simulator.devices.instrument import Fault
from simulator.devices.watson_marlow import PeristalticPump, PumpSettings


class Bench:
    """A pump and a person who types commands 20 ms apart."""

    def __init__(self, pump: PeristalticPump) -> None:
        self.pump = pump
        self.now_s = 0.0

    def type(self, text: str) -> str:
        self.now_s += 0.020
        sends = self.pump.receive(text.encode() + b"\r", self.now_s)
        return b"".join(send.data for send in sends).decode()

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            self.pump.sample(0.1)


def bench(**settings) -> Bench:
    return Bench(PeristalticPump(PumpSettings(**settings)))


def test_a_520_reports_its_head_tube_speed_tacho_and_run_state_in_the_long_form():
    room = bench()
    room.type("1SP220.0")
    room.pump._pulses = 123456789.0
    room.pump.running = True
    assert room.type("1RS") == "520Du 15.84 520R 9.6MM 220.0 CW P/N 1 123456789 1 !\r"


def test_a_323_reports_the_short_form_and_echoes_as_shipped():
    room = Bench(PeristalticPump(PumpSettings.dialect_323()))
    room.type("1SP110")
    room.type("1GO")
    assert room.type("1RS") == "1RS\r323Du 110 CW 1 !\r"


def test_commands_are_silent_and_only_the_status_shows_what_they_did():
    room = bench()
    assert [room.type(text) for text in ("1SP60.5", "1RL", "1GO")] == ["", "", ""]
    assert "60.5 CCW P/N 1 0 1 !" in room.type("1RS")
    assert room.type("1ST") == ""
    assert room.type("1ZY") == "0 !\r"


def test_sixty_rpm_for_a_minute_turns_sixty_times_10982_pulses():
    room = bench()
    room.type("1SP60")
    room.type("1GO")
    room.run(1.0)
    room.type("1TC")
    room.run(60.0)
    assert int(room.type("1RT").split()[0]) == pytest.approx(60 * 10982, abs=1)


def test_the_pump_reaches_full_speed_in_a_second_and_delivers_by_its_true_stroke():
    room = bench(calibration_error=0.05)
    room.type("1SP220")
    room.type("1GO")
    room.run(0.5)
    assert room.pump.rpm == pytest.approx(110.0)
    room.run(0.5)
    assert room.pump.ml_min == pytest.approx(220 * 15.84 * 1.05)


def test_a_command_within_ten_milliseconds_of_the_last_is_lost():
    room = bench()
    room.pump.receive(b"1SP100\r", 1.000)
    room.pump.receive(b"1GO\r", 1.009)
    assert not room.pump.running
    room.pump.receive(b"1GO\r", 1.030)
    assert room.pump.running


def test_two_commands_in_one_write_lose_the_second():
    room = bench()
    room.pump.receive(b"1GO\r1SP100\r", 1.0)
    assert room.pump.running
    assert room.pump.set_rpm == 60.0


@pytest.mark.parametrize(("asked", "taken"), [("999", 220.0), ("0", 0.0), ("0.04", 0.0)])
def test_speeds_beyond_the_drive_are_limited(asked, taken):
    room = bench()
    room.type("1SP" + asked)
    assert room.pump.set_rpm == taken


def test_a_drive_that_ignores_impossible_speeds_keeps_its_own():
    room = bench(clamps_speed=False)
    room.type("1SP999")
    assert room.pump.set_rpm == 60.0


def test_speed_steps_by_one_rpm_and_direction_reverses():
    room = bench()
    for text in ("1SI", "1SI", "1SD", "1RC"):
        room.type(text)
    assert (room.pump.set_rpm, room.pump.clockwise) == (61.0, False)
    room.type("1RR")
    assert room.pump.clockwise


def test_a_backward_pump_delivers_a_negative_flow_and_counts_pulses_up():
    room = bench()
    room.type("1RL")
    room.type("1GO")
    room.run(10.0)
    assert room.pump.ml_min == pytest.approx(-60 * 15.84)
    assert room.pump.tacho > 0


def test_a_dose_stops_by_itself_after_its_pulses():
    room = bench()
    room.type("1SP60")
    room.type("1DO109820")
    room.run(30.0)
    assert not room.pump.running
    assert room.pump.tacho == pytest.approx(109820, rel=0.02)


def test_all_pumps_obey_the_hash_but_none_answers_it():
    room = bench(number=3)
    assert room.type("#GO") == ""
    assert room.pump.running
    assert room.type("#RS") == ""
    assert room.type("3ZY") == "1 !\r"


@pytest.mark.parametrize("text", ["2GO", "1XX", "GO", "1SPabc", "", "1GO 1"])
def test_other_numbers_and_unknown_commands_are_met_with_silence(text):
    room = bench()
    assert room.type(text) == ""
    assert room.pump.set_rpm == 60.0


def test_a_space_after_the_speed_command_is_accepted():
    room = bench()
    room.type("1SP 120.5")
    assert room.pump.set_rpm == 120.5


def test_in_local_mode_the_drive_answers_and_does_not_obey():
    room = bench()
    room.pump.faults.set(Fault(name="local_mode"))
    room.type("1GO")
    assert room.type("1ZY") == "0 !\r"


def test_a_keypad_stop_stops_a_running_drive_which_then_obeys_again():
    room = bench()
    room.type("1GO")
    room.pump.on_fault(Fault(name="keypad_stop"))
    assert room.type("1ZY") == "0 !\r"
    room.type("1GO")
    assert room.type("1ZY") == "1 !\r"


def test_a_jammed_rotor_says_running_while_the_tacho_stands_still():
    room = bench()
    room.type("1GO")
    room.run(2.0)
    room.pump.faults.set(Fault(name="stall"))
    room.run(0.1)
    before = room.type("1RT")
    room.run(10.0)
    assert room.type("1RT") == before
    assert room.type("1ZY") == "1 !\r"
    assert room.pump.ml_min == 0.0


def test_a_stuck_report_repeats_the_moment_it_froze():
    room = bench()
    room.type("1GO")
    frozen = room.type("1RS")
    stuck = Fault(name="stuck")
    room.pump.on_fault(stuck)
    room.pump.faults.set(stuck)
    room.run(5.0)
    room.type("1ST")
    assert room.type("1RS") == frozen
    assert not room.pump.running


def test_power_up_leaves_the_pump_stopped_with_its_tacho_at_zero():
    room = bench()
    room.type("1GO")
    room.run(5.0)
    room.pump.power_up()
    assert room.type("1RS") == "520Du 15.84 520R 9.6MM 60.0 CW P/N 1 0 0 !\r"
