import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.instrument import Fault
from simulator.devices.lauda import Thermostat, ThermostatSettings


class Bench:
    """A thermostat, its bath temperature, and a host that waits a second between commands."""

    def __init__(self, **settings) -> None:
        self.bath_c = 38.0
        self.device = Thermostat(lambda: self.bath_c, ThermostatSettings(**settings))
        self.now_s = 0.0

    def type(self, text: str, wait_s: float = 1.0) -> str:
        self.now_s += wait_s
        sends = self.device.receive(text.encode() + b"\r", self.now_s)
        return b"".join(send.data for send in sends).decode()

    def pass_time(self) -> None:
        self.device.sample(1.0)


@pytest.mark.parametrize(
    ("query", "reply"),
    [
        ("IN_PV_00", "38.00\r\n"),
        ("IN PV 00", "38.00\r\n"),
        ("IN_PV_10", "38.000\r\n"),
        ("IN_PV_03", "ERR_33\r\n"),
        ("IN_SP_00", "20.00\r\n"),
        ("IN_SP_01", "1\r\n"),
        ("IN_SP_03", "65.00\r\n"),
        ("IN_SP_04", "60.00\r\n"),
        ("IN_SP_05", "5.00\r\n"),
        ("IN_MODE_00", "0\r\n"),
        ("IN_MODE_02", "1\r\n"),
        ("TYPE", "P10\r\n"),
        ("VERSION", "1.23\r\n"),
        ("STATUS", "0\r\n"),
        ("STAT", "0000000\r\n"),
    ],
)
def test_questions_are_answered(query, reply):
    assert Bench().type(query) == reply


def test_each_write_is_answered_and_done():
    room = Bench()
    assert room.type("OUT_SP_00_41.5") == "OK\r\n"
    assert room.type("OUT_SP_01_4") == "OK\r\n"
    assert room.type("START") == "OK\r\n"
    assert room.device.heating
    assert room.type("IN_SP_00") == "41.50\r\n"
    assert room.type("IN_SP_01") == "4\r\n"
    assert room.type("IN_MODE_02") == "0\r\n"
    assert room.type("STOP") == "OK\r\n"
    assert not room.device.running


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("X" * 65, "ERR_2"),
        ("OUT_SP_99_1", "ERR_3"),
        ("OUT_SP_0041", "ERR_3"),
        ("start", "ERR_3"),
        ("OUT_SP_00_", "ERR_5"),
        ("OUT_SP_00_1e2", "ERR_5"),
        ("OUT_SP_00_41,5", "ERR_5"),
        ("OUT_SP_00_61", "ERR_6"),
        ("OUT_SP_00_-60", "ERR_6"),
        ("OUT_SP_01_9", "ERR_6"),
        ("OUT_SP_01_1.5", "ERR_6"),
        ("OUT_SP_04_4", "ERR_32"),
        ("OUT_SP_04_250", "ERR_6"),
    ],
)
def test_an_error_is_the_answer_and_changes_nothing(command, error):
    room = Bench()
    before = room.device.describe()
    assert room.type(command) == f"{error}\r\n"
    assert room.device.describe() == before


@pytest.mark.parametrize("text", ["41.50", "41.5", "41.", "41", "-.5", ".5", "0041.5"])
def test_numbers_are_taken_as_the_manual_allows_them(text):
    room = Bench(low_limit_c=-10.0)
    assert room.type(f"OUT_SP_00_{text}") == "OK\r\n"
    assert room.device.set_c == float(text)


def test_limits_can_be_moved_by_order():
    room = Bench()
    assert room.type("OUT_SP_04_45") == "OK\r\n"
    assert room.type("OUT_SP_00_46") == "ERR_6\r\n"
    assert room.type("OUT_SP_05_30") == "OK\r\n"
    assert room.type("OUT_SP_00_29") == "ERR_6\r\n"


def test_a_command_before_the_last_reply_is_out_is_lost():
    room = Bench()
    byte_s = room.device.serial.byte_s
    room.device.receive(b"IN_SP_00\r", 1.0, byte_s=byte_s)
    reply_ends_s = 1.0 + 0.010 + 7 * byte_s
    early = room.device.receive(b"START\r", 1.1, sent_s=reply_ends_s - 0.001, byte_s=byte_s)
    assert (early, room.device.running) == ([], False)
    late = room.device.receive(b"START\r", 1.1, sent_s=reply_ends_s + 0.001, byte_s=byte_s)
    assert (len(late), room.device.running) == (1, True)


@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\n\r"])
def test_a_host_may_end_its_commands_in_three_ways(end):
    device = Bench().device
    assert device.receive(b"TYPE" + end, 1.0)[0].data == b"P10\r\n"
    assert device.receive(b"STATUS" + end, 2.0)[0].data == b"0\r\n"


def test_on_rs_485_only_the_own_address_is_answered():
    room = Bench(address=15)
    assert room.type("A015_STATUS") == "A015_0\r\n"
    assert room.type("A015 IN PV 00") == "A015_38.00\r\n"
    assert [room.type(text) for text in ("A014_STATUS", "STATUS", "A15_STATUS")] == ["", "", ""]
    assert room.device.with_other_unit(b"A015_0\r\n") == b"A016_0\r\n"


def test_overtemperature_switches_off_and_stands_until_it_is_acknowledged():
    room = Bench()
    room.type("START")
    room.bath_c = 65.1
    room.pass_time()
    assert not room.device.heating
    assert [room.type(text) for text in ("STATUS", "STAT")] == ["-1\r\n", "0001000\r\n"]
    room.bath_c = 40.0
    room.pass_time()
    assert room.type("START") == "ERR_6\r\n"
    room.device.on_clear("alarm")
    assert room.type("START") == "OK\r\n"


def test_a_broken_bath_sensor_is_a_fault_and_no_number():
    room = Bench()
    room.type("START")
    room.device.faults.set(Fault(name="open", input=1))
    room.pass_time()
    assert room.type("IN_PV_00") == "ERR_33\r\n"
    assert room.type("STAT") == "1000000\r\n"
    assert not room.device.heating


@pytest.mark.parametrize(("autostart", "runs"), [(False, False), (True, True)])
def test_a_power_cut_keeps_the_set_point_and_stops_unless_it_restarts_by_itself(autostart, runs):
    room = Bench(autostart=autostart)
    room.type("OUT_SP_00_44")
    room.type("START")
    room.device.power_up()
    assert room.type("IN_SP_00") == "44.00\r\n"
    assert room.device.running is runs


def test_somebody_at_the_keypad_switches_to_stand_by():
    room = Bench()
    room.type("START")
    room.device.on_fault(Fault(name="keypad_stop"))
    assert room.type("IN_MODE_02") == "1\r\n"


def test_a_refusing_thermostat_keeps_what_it_does():
    room = Bench()
    room.type("START")
    room.device.faults.set(Fault(name="refuses"))
    assert [room.type(text) for text in ("STOP", "OUT_SP_00_44")] == ["ERR_6\r\n"] * 2
    assert (room.device.running, room.device.set_c) == (True, 20.0)


def test_a_stuck_thermostat_shows_an_old_temperature():
    room = Bench()
    room.device.faults.set(Fault(name="stuck"))
    room.bath_c = 50.0
    room.pass_time()
    assert room.type("IN_PV_00") == "38.00\r\n"


@given(chunks=st.lists(st.binary(max_size=40), max_size=5))
def test_after_any_rubbish_and_a_line_end_a_question_is_answered(chunks):
    device = Bench().device
    for chunk in chunks:
        device.receive(chunk, 1.0)
    device.receive(b"\r", 2.0)
    assert device.receive(b"TYPE\r", 3.0)[0].data == b"P10\r\n"
