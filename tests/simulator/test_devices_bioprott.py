import pytest

from simulator.devices.bioprott import FlowMeter, FlowMeterSettings
from simulator.devices.instrument import Fault


class Bench:
    """A meter clamped on a tube whose flow a test sets."""

    def __init__(self, **settings) -> None:
        self.ml_min = 1000.0
        self.device = FlowMeter(lambda: self.ml_min, FlowMeterSettings(**settings))
        self.pass_time(10.0)
        self.now_s = 0.0

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            self.device.sample(0.1)

    def type(self, text: str) -> str:
        self.now_s += 0.05
        sends = self.device.receive(text.encode() + b"\r", self.now_s)
        return b"".join(send.data for send in sends).decode()


def test_a_line_comes_unasked_every_hundred_milliseconds():
    device = Bench().device
    times = [ms / 1000 for ms in range(0, 1000, 10) if device.tick(ms / 1000)]
    assert times == pytest.approx([n / 10 for n in range(10)])


def test_the_line_has_the_fields_of_the_manual_at_their_full_width():
    line = Bench().device.tick(0.0)[0].data
    assert line == b"00 00  97 1.00    1000    1000    1000    +41\r\n"


def test_the_older_meter_ends_its_lines_the_other_way_round_without_padding():
    line = Bench(padded=False, line_end="\n\r").device.tick(0.0)[0].data
    assert line == b"00 00 97 1.00 1000 1000 1000 +41\n\r"


def test_the_three_means_follow_a_step_at_their_own_pace():
    room = Bench()
    room.ml_min = 2000.0
    room.pass_time(0.5)
    fields = room.device.line().split()
    assert fields[4:7] == ["2000", "1500", "1050"]


def test_backflow_is_a_negative_number():
    room = Bench()
    room.ml_min = -3588.0
    room.pass_time(10.0)
    assert room.device.line().split()[4:7] == ["-3588"] * 3


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("coupling", "00 20  34 1.00 ------- ------- -------    +41"),
        ("no_sensor", "00 E0 --- ---- ------- ------- -------    +41"),
        ("alarm", "1A 41 --- ---- ------- ------- -------    +77"),
        ("overflow", "00 00  97 1.00  ^^^^^^  ^^^^^^  ^^^^^^    +41"),
        ("underflow", "00 00  97 1.00 vvvvvvv vvvvvvv vvvvvvv    +41"),
    ],
)
def test_what_cannot_be_measured_has_its_own_form(fault, line):
    room = Bench()
    room.device.faults.set(Fault(name=fault))
    assert room.device.line() == line


def test_idle_stops_the_stream_and_restart_resumes_it():
    room = Bench()
    room.type("I")
    assert room.device.tick(1.0) == []
    room.type("R")
    assert len(room.device.tick(1.1)) == 1


def test_another_table_shows_in_status_and_blanks_three_lines():
    room = Bench()
    room.type("T2")
    blank = [room.device.line().split()[4] for _ in range(4)]
    room.pass_time(1.0)
    assert blank[:3] == ["-------"] * 3
    assert room.device.line().split()[1] == "04"
    room.type("T7")
    assert room.device.table == 2


def test_the_factor_scales_the_flow_and_is_limited():
    room = Bench()
    room.type("C1.10")
    assert room.device.line().split()[3:5] == ["1.10", "1100"]
    room.type("C1.90")
    assert room.device.factor == 1.10


def test_zeroing_at_standstill_removes_an_offset():
    room = Bench()
    room.ml_min = 12.0
    room.pass_time(10.0)
    room.type("Z")
    assert room.device.line().split()[:5] == ["00", "40", "97", "1.00", "0"]


def test_an_invalid_letter_hangs_the_meter_until_power_is_cut():
    room = Bench()
    room.type("Q")
    assert room.device.tick(1.0) == []
    assert room.type("S") == ""
    room.device.power_up()
    assert len(room.device.tick(1.1)) == 1


def test_a_meter_that_is_set_to_forgive_goes_on():
    room = Bench(hangs_on_unknown=False)
    room.type("Q")
    assert len(room.device.tick(1.0)) == 1


def test_the_information_request_is_answered():
    assert "FT_GFX_EV2200" in Bench().type("S")


def test_a_stuck_meter_repeats_its_line():
    room = Bench()
    before = room.device.line()
    room.device.faults.set(Fault(name="stuck"))
    room.ml_min = 0.0
    room.pass_time(10.0)
    assert room.device.line() == before
