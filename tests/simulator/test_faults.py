import pytest

from simulator.devices.instrument import Fault
from simulator.devices.rtu_frame import crc16
from simulator.faults import FAULTS, FaultError, Level
from simulator.room import Room

READ_ALL = bytes.fromhex("01 04 00 00 00 08 f1 cc")


@pytest.fixture
def room() -> Room:
    return Room()


def ask(room: Room, device: str, request: bytes, now_s: float = 10.0) -> bytes:
    return b"".join(send.data for send in room.devices[device].receive(request, now_s))


def spoil(room: Room, device: str, name: str, now_s: float = 0.0, **more) -> None:
    room.devices[device].fault(Fault(name=name, **more), now_s)


def good_crc(frame: bytes) -> bool:
    return crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little")


def test_a_silent_device_still_obeys(room):
    spoil(room, "heater", "silent")
    assert ask(room, "heater", b"out_mode_05 1\r") == b""
    assert ask(room, "heater", b"status\r", 20.0) == b""
    assert room.heater.running


def test_a_deaf_device_does_not_obey(room):
    spoil(room, "heater", "deaf")
    ask(room, "heater", b"out_mode_05 1\r")
    assert not room.heater.running


def test_garbage_has_the_length_of_the_reply_and_is_not_it(room):
    good = ask(room, "sites", READ_ALL)
    spoil(room, "sites", "garbage")
    bad = ask(room, "sites", READ_ALL)
    assert len(bad) == len(good)
    assert not good_crc(bad)


def test_a_wrong_checksum_leaves_the_values_in_place(room):
    good = ask(room, "sites", READ_ALL)
    spoil(room, "sites", "wrong_crc")
    bad = ask(room, "sites", READ_ALL)
    assert bad[:-2] == good[:-2]
    assert not good_crc(bad)


def test_a_truncated_reply_ends_half_way(room):
    good = ask(room, "sites", READ_ALL)
    spoil(room, "sites", "truncated")
    assert ask(room, "sites", READ_ALL) == good[:10]


def test_a_late_reply_is_the_right_one_after_its_delay(room):
    (good,) = room.devices["sites"].receive(READ_ALL, 1.0)
    spoil(room, "sites", "late", value=1.5)
    (late,) = room.devices["sites"].receive(READ_ALL, 2.0)
    assert late.data == good.data
    assert late.delay_s == pytest.approx(good.delay_s + 1.5)


def test_an_echo_comes_before_the_reply_and_a_doubled_reply_twice(room):
    good = ask(room, "sites", READ_ALL)
    spoil(room, "sites", "echo")
    spoil(room, "sites", "doubled")
    assert ask(room, "sites", READ_ALL) == READ_ALL + good + good


def test_another_units_reply_has_a_good_checksum_and_another_address(room):
    spoil(room, "sites", "wrong_unit")
    spoil(room, "pressure", "wrong_unit")
    spoil(room, "pump", "wrong_unit")
    reply = ask(room, "sites", READ_ALL)
    assert reply[0] == 2
    assert good_crc(reply)
    assert ask(room, "pressure", bytes.fromhex("01 30 34 00"))[0] == 2
    assert b" P/N 2 " in ask(room, "pump", b"1RS\r")


def test_a_fault_for_two_replies_spoils_two(room):
    good = ask(room, "sites", READ_ALL)
    spoil(room, "sites", "silent", times=2)
    assert [ask(room, "sites", READ_ALL) for _ in range(3)] == [b"", b"", good]


def test_noise_comes_between_replies(room):
    line = room.devices["pump"]
    spoil(room, "pump", "noise", value=20.0)
    heard = b"".join(send.data for n in range(200) for send in line.tick(n * 0.05))
    assert 100 < len(heard) < 300


def test_a_power_cycle_is_silence_and_then_the_state_after_power_up(room):
    ask(room, "heater", b"out_mode_05 1\r")
    spoil(room, "heater", "power_cycle", now_s=20.0, value=3.0)
    assert not room.heater.running
    assert ask(room, "heater", b"status\r", 22.9) == b""
    assert ask(room, "heater", b"status\r", 23.1) == b"02 REMOTE STOP\r\n"


def test_a_meter_without_power_asks_for_no_wake_up_before_it_is_back(room):
    line = room.devices["flow"]
    line.tick(1.0)
    spoil(room, "flow", "power_cycle", now_s=1.0, value=5.0)
    assert line.due_s() == 6.0
    assert line.tick(3.0) == []
    assert line.tick(6.0)


def test_a_pulled_cable_carries_nothing_until_it_is_back(room):
    spoil(room, "sites", "unplug")
    assert ask(room, "sites", READ_ALL) == b""
    room.devices["sites"].clear("unplug")
    assert len(ask(room, "sites", READ_ALL)) == 21


def test_clearing_one_fault_leaves_the_others(room):
    spoil(room, "sites", "open", input=1)
    spoil(room, "sites", "open", input=2)
    spoil(room, "sites", "silent")
    room.devices["sites"].clear("open", 1)
    assert room.devices["sites"].describe()["faults"] == ["silent", "open 2"]
    room.devices["sites"].clear()
    assert room.devices["sites"].describe()["faults"] == []


@pytest.mark.parametrize(
    ("device", "fault", "word"),
    [
        ("pump", Fault(name="wobble"), "no fault is called"),
        ("pump", Fault(name="coupling"), "its own are"),
        ("heater", Fault(name="wrong_crc"), "no checksum"),
        ("flow", Fault(name="wrong_unit"), "no unit"),
        ("sites", Fault(name="offset", input=1), "needs a value"),
        ("sites", Fault(name="open", input=9), "no input 9"),
        ("pump", Fault(name="refuses", input=1), "no input 1"),
    ],
)
def test_a_fault_that_does_not_fit_is_refused_in_a_sentence(room, device, fault, word):
    with pytest.raises(FaultError, match=word):
        room.devices[device].fault(fault, 0.0)
    assert room.devices[device].describe()["faults"] == []


def test_every_fault_of_an_instrument_is_in_the_list_of_faults(room):
    for line in room.devices.values():
        for name in line.instrument.fault_names:
            assert FAULTS[name].level is Level.DEVICE
