import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.instrument import Fault
from simulator.devices.neslab import BathSettings, CirculatingBath

READ_BATH = bytes.fromhex("ca 00 01 20 00 de")
READ_STATUS = bytes.fromhex("ca 00 01 09 00 f5")
READ_SETPOINT = bytes.fromhex("ca 00 01 70 00 8e")
ON = bytes.fromhex("ca 00 01 81 08 01 02 02 02 02 02 02 02 66")
OFF = bytes.fromhex("ca 00 01 81 08 00 02 02 02 02 02 02 02 67")
SET_41_5 = bytes.fromhex("ca 00 01 f0 02 01 9f 6c")


class Bench:
    """A bath, its temperature, and a host that waits a second between frames."""

    def __init__(self, **settings) -> None:
        self.bath_c = 38.0
        self.device = CirculatingBath(lambda: self.bath_c, BathSettings(**settings))
        self.now_s = 0.0

    def send(self, frame: bytes, wait_s: float = 1.0) -> bytes:
        self.now_s += wait_s
        return b"".join(send.data for send in self.device.receive(frame, self.now_s))

    def status(self) -> bytes:
        return self.send(READ_STATUS)[5:-1]

    def pass_time(self) -> None:
        self.device.sample(1.0)


def test_every_answer_sums_up_to_ff_from_the_address_on():
    room = Bench()
    for frame in (READ_BATH, READ_STATUS, READ_SETPOINT, ON, SET_41_5, b"\xca\x00\x01\x99\x00\x65"):
        reply = room.send(frame)
        assert sum(reply[1:]) % 256 == 0xFF
        assert len(reply) == 6 + reply[4]


def test_a_set_point_is_told_back_with_its_qualifier_and_kept():
    room = Bench()
    assert room.send(SET_41_5)[3:-1] == bytes.fromhex("f0 03 11 01 9f")
    assert room.device.set_c == 41.5
    assert room.send(READ_SETPOINT)[5:-1] == bytes.fromhex("11 01 9f")


def test_a_bath_set_to_hundredths_takes_and_tells_hundredths():
    room = Bench(fine=True)
    room.send(bytes.fromhex("ca 00 01 f0 02 10 36 c6"))
    assert room.device.set_c == 41.5
    assert room.send(READ_SETPOINT)[5:-1] == bytes.fromhex("21 10 36")


def test_a_set_point_is_limited_to_the_range_of_the_bath():
    room = Bench(highest_c=40.0)
    assert room.send(SET_41_5)[5:-1] == bytes.fromhex("11 01 90")


@pytest.mark.parametrize(("echoes", "told"), [(True, ON[5:-1]), (False, b"\1\0\1\0\0\0\0\1")])
def test_the_unit_is_switched_and_what_is_not_named_stays(echoes, told):
    room = Bench(echoes_array=echoes)
    assert room.send(ON)[5:-1] == told
    assert room.device.array == [1, 0, 1, 0, 0, 0, 0, 1]
    assert room.device.heating
    assert room.status()[3] == 0b0000_1100
    room.send(OFF)
    assert not room.device.running
    assert room.status() == bytes(5)


@pytest.mark.parametrize("body", ["99 00", "20 01 00", "f0 01 01", "81 02 01 02"])
def test_an_unknown_command_or_length_is_answered_as_bad_command(body):
    frame = bytes.fromhex("00 01 " + body)
    sealed = b"\xca" + frame + bytes((0xFF - sum(frame) % 256,))
    assert Bench().send(sealed)[3:-1] == bytes((0x0F, 2, 1, frame[2]))


def test_a_false_check_sum_is_answered_and_nothing_is_done():
    room = Bench()
    assert room.send(ON[:-1] + b"\x00")[3:-1] == bytes.fromhex("0f 02 03 81")
    assert not room.device.running


def test_a_frame_may_come_in_pieces_but_not_with_a_long_gap():
    room = Bench()
    assert room.send(ON[:7]) == b""
    assert room.send(ON[7:], wait_s=0.05) == ON
    assert room.send(OFF[:7]) == b""
    assert room.send(OFF[7:], wait_s=0.2) == b""
    assert room.device.running


def test_a_frame_before_the_last_answer_is_out_is_lost():
    room = Bench()
    byte_s = room.device.serial.byte_s
    room.device.receive(READ_BATH, 1.0, byte_s=byte_s)
    answer_ends_s = 1.0 + 0.010 + 9 * byte_s
    assert room.device.receive(ON, 1.1, sent_s=answer_ends_s - 0.001, byte_s=byte_s) == []
    assert not room.device.running
    assert room.device.receive(ON, 1.1, sent_s=answer_ends_s + 0.001, byte_s=byte_s)
    assert room.device.running


def test_on_rs_485_lead_and_address_must_fit():
    room = Bench(address=3)
    assert room.send(bytes.fromhex("cc 00 03 f0 02 01 2c dd")) == bytes.fromhex(
        "cc 00 03 f0 03 11 01 2c cb"
    )
    assert room.send(READ_BATH) == b""
    assert room.send(bytes.fromhex("cc 00 04 20 00 db")) == b""


def test_a_false_answer_can_be_told_by_sum_or_by_address():
    room = Bench()
    good = room.send(READ_BATH)
    assert sum(room.device.with_wrong_checksum(good)[1:]) % 256 != 0xFF
    other = room.device.with_other_unit(good)
    assert (other[2], sum(other[1:]) % 256) == (2, 0xFF)


def test_a_bath_above_its_limit_is_off_until_somebody_acknowledges():
    room = Bench()
    room.send(ON)
    room.bath_c = 60.5
    room.pass_time()
    assert not room.device.heating
    assert room.status()[2:4] == bytes((0b0010_0000, 0b1010_0000))
    room.bath_c = 40.0
    room.pass_time()
    room.send(ON)
    assert not room.device.running
    room.device.on_clear("alarm")
    room.send(ON)
    assert room.device.running


def test_low_level_stops_the_bath():
    room = Bench()
    room.send(ON)
    room.device.on_fault(Fault(name="alarm"))
    assert room.status()[2] == 0b0000_1000
    assert not room.device.running


@pytest.mark.parametrize(("fault", "bit"), [("open", 0x80), ("short", 0x40)])
def test_a_broken_bath_sensor_is_a_fault_of_its_own(fault, bit):
    room = Bench()
    room.send(ON)
    room.device.faults.set(Fault(name=fault, input=1))
    room.pass_time()
    assert room.status()[0] == bit
    assert not room.device.heating


def test_without_serial_communication_it_is_silent_and_does_nothing():
    room = Bench()
    room.device.faults.set(Fault(name="local_mode"))
    assert room.send(ON) == b""
    assert not room.device.running


def test_a_refusing_bath_tells_but_takes_nothing():
    room = Bench()
    room.device.faults.set(Fault(name="refuses"))
    assert room.send(SET_41_5)[3:-1] == bytes.fromhex("0f 02 01 f0")
    assert room.send(READ_SETPOINT)[5:-1] == bytes.fromhex("11 00 c8")


@pytest.mark.parametrize(("auto_restart", "runs"), [(False, False), (True, True)])
def test_a_power_cut_keeps_the_set_point_and_stops_unless_it_restarts_by_itself(auto_restart, runs):
    room = Bench(auto_restart=auto_restart)
    room.send(SET_41_5)
    room.send(ON)
    room.device.power_up()
    assert (room.device.set_c, room.device.running) == (41.5, runs)


def test_a_stuck_bath_shows_an_old_temperature():
    room = Bench()
    room.device.faults.set(Fault(name="stuck"))
    room.bath_c = 50.0
    room.pass_time()
    assert room.send(READ_BATH)[5:-1] == bytes.fromhex("11 01 7c")


@given(chunks=st.lists(st.binary(max_size=40), max_size=5))
def test_after_any_rubbish_and_a_pause_a_question_is_answered(chunks):
    device = Bench().device
    for chunk in chunks:
        device.receive(chunk, 1.0)
    assert device.receive(READ_BATH, 3.0)[-1].data[3] == 0x20
