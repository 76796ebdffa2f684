"""What a UART reads at the wrong speed, and replies that are spliced, slow, or on a dead port."""

import pytest

from simulator.bus import Bus
from simulator.devices.instrument import Fault, SerialLine
from simulator.framing import misread
from simulator.room import Room
from simulator.wire import Wire

READ_ALL = bytes.fromhex("01 04 00 00 00 08 f1 cc")
LINES = [
    SerialLine(baud=9600),
    SerialLine(baud=4800, data_bits=7, parity="E"),
    SerialLine(baud=9600, stop_bits=2),
    SerialLine(baud=19200, parity="O"),
]


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.parametrize("line", LINES, ids=str)
def test_at_the_same_speed_every_byte_is_read_as_it_was_sent(line):
    data = bytes(range(2**line.data_bits))
    assert misread(data, line, 1.0) == data


@pytest.mark.parametrize("line", LINES, ids=str)
def test_a_speed_that_is_two_percent_off_does_no_harm(line):
    assert misread(b"01?aQ", line, 1.02) == misread(b"01?aQ", line, 0.98) == b"01?aQ"


@pytest.mark.parametrize("step", [0.25, 0.5, 2.0, 4.0])
def test_at_another_speed_rubbish_of_another_length_is_read(step):
    heard = misread(READ_ALL, LINES[0], step)
    assert heard != READ_ALL
    assert (len(heard) > len(READ_ALL)) == (step < 1.0)


def test_a_host_with_another_baud_rate_is_not_understood(room):
    line = room.devices["sites"]
    line.fault(Fault(name="baud"), 0.0)
    assert line.receive(READ_ALL, 1.0) == []
    line.clear()
    assert line.receive(READ_ALL, 2.0)


def test_unasked_lines_arrive_as_rubbish_at_another_baud_rate(room):
    line = room.devices["flow"]
    line.fault(Fault(name="baud"), 0.0)
    (heard,) = line.tick(1.0)
    assert heard.data and not heard.data.isascii()


def test_a_spliced_reply_ends_as_the_one_before_it(room):
    line = room.devices["heater"]
    line.receive(b"version\r", 1.0)
    line.fault(Fault(name="spliced"), 2.0)
    (spliced,) = line.receive(b"in_pv_00\r", 3.0)
    assert spliced.data.endswith(b"Vers. 1.09\r\n")
    assert spliced.data[:1].isdigit()


def test_a_slow_reply_takes_three_times_its_time_on_the_wire(room):
    line = room.devices["sites"]

    def through_s() -> float:
        wire = Wire((line,))
        wire.hear(READ_ALL, 0.0)
        heard, now_s = b"", 0.0
        while len(heard) < 21:
            now_s = wire.next_s()
            heard += wire.run(now_s)
        return now_s - 8 * 10 / 9600

    usual_s = through_s()
    line.fault(Fault(name="slow"), 0.0)
    assert through_s() - usual_s == pytest.approx(2 * 21 * 10 / 9600)


def test_a_half_open_port_is_dead_until_the_host_opens_it_anew(room):
    line = room.devices["sites"]
    line.fault(Fault(name="half_open"), 0.0)
    assert line.describe()["faults"] == ["half_open"]
    assert line.receive(READ_ALL, 1.0) == []
    line.reopen()
    assert line.receive(READ_ALL, 2.0)


def test_a_replugged_adapter_is_back_by_itself_under_another_name(room, tmp_path):
    line = room.devices["sites"]
    bus = Bus({"sites": line}, tmp_path, speed=1.0)
    bus.open()
    name = (tmp_path / "sites").readlink()
    line.fault(Fault(name="replug", value=0.5), 10.0)
    bus.follow_cables()
    assert not (tmp_path / "sites").is_symlink()
    bus.tick(10.4)
    bus.follow_cables()
    assert not (tmp_path / "sites").is_symlink()
    bus.tick(10.5)
    bus.follow_cables()
    assert (tmp_path / "sites").readlink() != name
    bus.close()


def test_two_instruments_with_the_same_address_answer_at_once_and_neither_is_understood(room):
    wire = Wire((room.devices["sites"], room.devices["pressure"]))
    wire.hear(READ_ALL, 0.0)
    heard = b"".join(wire.run(0.001 * tick) for tick in range(100))
    (alone,) = room.devices["sites"].receive(READ_ALL, 1.0)
    assert len(heard) > len(alone.data)
    assert alone.data not in heard
