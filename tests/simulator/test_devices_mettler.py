import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.instrument import Fault
from simulator.devices.mettler import Scale, ScaleSettings
from simulator.faults import Line


class Bench:
    """A scale with a reservoir in which a test pours, and someone who types."""

    def __init__(self, **settings) -> None:
        self.fluid_g = 2000.0
        self.device = Scale(lambda: self.fluid_g, ScaleSettings(**settings))
        self.now_s = 0.0

    def type(self, text: str) -> str:
        self.now_s += 1.0
        sends = self.device.receive(text.encode() + b"\r\n", self.now_s)
        return b"".join(send.data for send in sends).decode()

    def pour(self, grams: float, seconds: float = 0.1) -> None:
        self.fluid_g += grams
        self.device.sample(seconds)


def test_a_resting_weight_is_stable_and_right_aligned_in_ten_characters():
    assert Bench().type("SI") == "S S    2000.00 g\r\n"
    assert Bench(decimals=0).type("SI") == "S S       2000 g\r\n"


def test_a_weight_that_changes_is_dynamic_until_it_has_rested():
    room = Bench()
    room.pour(50.0)
    assert room.type("SI") == "S D    2050.00 g\r\n"
    room.pour(0.0, 0.9)
    assert room.type("SI").startswith("S D")
    room.pour(0.2, 0.1)
    assert room.type("SI") == "S S    2050.20 g\r\n"


def test_a_stable_weight_is_waited_for_and_not_found_in_time():
    room = Bench()
    room.pour(50.0)
    (send,) = room.device.receive(b"S\r\n", 1.0)
    assert (send.data, send.delay_s) == (b"S I\r\n", 2.0)
    assert [room.type(text) for text in ("T", "Z")] == ["T I\r\n", "Z I\r\n"]
    room.pour(0.0, 1.0)
    assert room.type("S") == "S S    2050.00 g\r\n"


def test_taring_makes_the_vessel_nothing_and_clearing_the_tare_brings_it_back():
    room = Bench(tared=False)
    room.fluid_g = 0.0
    room.pour(0.0, 2.0)
    room.pour(0.0, 2.0)
    assert room.type("SI") == "S S     600.00 g\r\n"
    assert room.type("T") == "T S     600.00 g\r\n"
    assert room.type("SI") == "S S       0.00 g\r\n"
    room.pour(1500.0)
    assert room.type("TA") == "TA A     600.00 g\r\n"
    assert room.type("SI") == "S D    1500.00 g\r\n"
    assert room.type("TAC") == "TAC A\r\n"
    assert room.type("SI") == "S D    2100.00 g\r\n"


def test_zero_takes_what_is_on_the_pan_for_nothing():
    room = Bench()
    assert room.type("Z") == "Z A\r\n"
    assert room.type("SI") == "S S       0.00 g\r\n"
    room.pour(10.0)
    assert room.type("ZI") == "ZI D\r\n"
    assert room.type("TI") == "TI D       0.00 g\r\n"


def test_power_lost_and_back_brings_the_serial_number_unasked_and_loses_the_tare():
    room = Bench()
    line = Line("scale", room.device)
    line.fault(Fault(name="power_cycle", value=3.0), 10.0)
    assert line.due_s() == 13.0
    assert line.tick(12.9) == []
    assert line.tick(13.0)[0].data == b'I4 A "0123456789"\r\n'
    assert line.tick(13.1) == []
    assert line.due_s() is None
    assert room.type("SI") == "S S    2600.00 g\r\n"
    assert room.type("TA") == "TA A       0.00 g\r\n"


def test_a_scale_that_takes_its_zero_at_power_on_shows_nothing_afterwards():
    room = Bench(zero_at_power_on=True)
    room.device.power_up()
    assert room.type("SI") == "S S       0.00 g\r\n"


def test_the_reset_answers_with_the_serial_number_and_loses_the_tare():
    room = Bench(serial_number="B123")
    assert room.type("@") == 'I4 A "B123"\r\n'
    assert room.type("SI") == "S S    2600.00 g\r\n"


def test_a_person_who_leans_on_it_is_weighed_too_and_one_who_lifts_it_as_well():
    room = Bench()
    room.device.faults.set(Fault(name="offset", value=3000.0))
    room.pour(0.0)
    assert room.type("SI") == "S D    5000.00 g\r\n"
    room.device.faults.set(Fault(name="offset", value=20_000.0))
    room.pour(0.0)
    assert room.type("SI") == "S +\r\n"
    room.device.faults.set(Fault(name="offset", value=-2700.0))
    room.pour(0.0)
    assert room.type("SI") == "S -\r\n"


def test_drift_and_a_stuck_weight():
    room = Bench()
    room.device.faults.set(Fault(name="drift", value=10.0))
    room.pour(0.0, 60.0)
    assert room.type("SI") == "S D    2010.00 g\r\n"
    room.device.faults.clear()
    room.pour(0.0)
    room.device.faults.set(Fault(name="stuck"))
    room.pour(-500.0, 5.0)
    assert room.type("SI") == "S S    2000.00 g\r\n"


def test_a_repeated_weight_comes_until_something_else_is_asked():
    room = Bench()
    assert room.type("SIR") == "S S    2000.00 g\r\n"
    assert room.device.due_s() == pytest.approx(1.1)
    assert room.device.tick(1.05) == []
    assert room.device.tick(1.1)[0].data == b"S S    2000.00 g\r\n"
    room.type("I4")
    assert room.device.due_s() is not None
    room.type("SI")
    assert room.device.due_s() is None
    assert room.device.tick(9.0) == []


@pytest.mark.parametrize(("unit", "reply"), [("kg", "S S       2.00 kg"), ("PCS", "400.00 PCS")])
def test_the_unit_chosen_at_the_scale_is_part_of_every_answer(unit, reply):
    assert reply in Bench(unit=unit).type("SI")


@pytest.mark.parametrize("text", ["si", "X", "S1", "II4", "%"])
def test_what_it_does_not_know_is_a_syntax_error(text):
    assert Bench().type(text) == "ES\r\n"


def test_a_parameter_where_none_belongs_is_told():
    assert Bench().type("S 1") == "S L\r\n"


def test_the_tare_is_unknown_at_level_0_and_model_and_software_are_told():
    room = Bench(level=0)
    assert room.type("TA") == "ES\r\n"
    assert room.type("I2") == 'I2 A "JS6002 6200.00 g"\r\n'
    assert room.type("I3").startswith('I3 A "')


def test_a_refusing_scale_cannot_weigh_now_but_says_who_it_is():
    room = Bench()
    room.device.faults.set(Fault(name="refuses"))
    assert [room.type(text) for text in ("SI", "T", "TA")] == ["S I\r\n", "T I\r\n", "TA I\r\n"]
    assert room.type("I4") == 'I4 A "0123456789"\r\n'


def test_what_it_weighs_is_told_to_whoever_sets_faults():
    assert Bench().device.describe() == {
        "load_g": 2600.0,
        "tare_g": 600.0,
        "net_g": 2000.0,
        "rests": True,
    }


@given(chunks=st.lists(st.binary(max_size=40), max_size=5))
def test_after_any_rubbish_a_proper_question_is_answered(chunks):
    room = Bench()
    for chunk in chunks:
        room.device.receive(chunk, 1.0)
    room.device.receive(b"\r\n", 2.0)
    room.device.receive(b"@\r\n", 3.0)
    assert room.type("SI") in ("S S    2600.00 g\r\n", "S S       0.00 g\r\n")
