import pytest

from simulator.devices.instrument import Fault
from simulator.devices.julabo import Circulator, CirculatorSettings


class Bench:
    """A circulator, its bath temperature, and a host that waits a second between commands."""

    def __init__(self, **settings) -> None:
        self.bath_c = 38.0
        self.device = Circulator(lambda: self.bath_c, lambda: 23.45, CirculatorSettings(**settings))
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
        ("in_pv_00", "38.00\r\n"),
        ("in_pv_01", "23.4\r\n"),
        ("in_pv_02", "---.--\r\n"),
        ("in_pv_03", "38.00\r\n"),
        ("in_pv_04", "65.00\r\n"),
        ("in_sp_00", "25.00\r\n"),
        ("in_sp_03", "60.00\r\n"),
        ("in_sp_04", "5.00\r\n"),
        ("in_mode_04", "0\r\n"),
        ("in_mode_05", "0\r\n"),
        ("status", "02 REMOTE STOP\r\n"),
        ("STATUS", "02 REMOTE STOP\r\n"),
        ("version", "JULABO MAGIO MS Vers. 1.09\r\n"),
    ],
)
def test_questions_are_answered_in_either_case(query, reply):
    assert Bench().type(query) == reply


def test_an_out_command_is_silent_and_read_back():
    room = Bench()
    assert room.type("out_sp_00 41.50") == ""
    assert room.type("in_sp_00") == "41.50\r\n"
    assert room.type("out_mode_05 1") == ""
    assert room.type("status") == "03 REMOTE START\r\n"
    assert room.device.heating


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("out_pv_99 1", "-08"),
        ("nonsense", "-08"),
        ("out_sp_00 warm", "-08"),
        ("out_sp_00 -60", "-10"),
        ("out_sp_00 300", "-11"),
        ("out_sp_00 61", "-13"),
        ("out_mode_05 7", "-11"),
    ],
)
def test_an_error_shows_once_in_the_next_status_and_changes_nothing(command, number):
    room = Bench()
    assert room.type(command) == ""
    assert room.type("in_sp_00") == "25.00\r\n"
    assert room.type("status").startswith(number + " ")
    assert room.type("status") == "02 REMOTE STOP\r\n"


def test_a_command_within_a_quarter_second_of_an_out_is_lost():
    room = Bench()
    room.type("out_sp_00 41.50")
    assert room.type("in_sp_00", wait_s=0.20) == ""
    assert room.type("in_sp_00", wait_s=0.06) == "41.50\r\n"


def test_a_command_within_ten_milliseconds_of_a_reply_is_lost():
    room = Bench(think_s=0.0)
    assert room.type("in_sp_00") == "25.00\r\n"
    assert room.type("in_sp_00", wait_s=0.009) == ""
    assert room.type("in_sp_00", wait_s=0.002) == "25.00\r\n"


def test_the_pause_after_a_reply_counts_from_its_last_byte_on_the_wire():
    room = Bench(think_s=0.0)
    byte_s = room.device.serial.byte_s
    room.device.receive(b"in_sp_00\r", 1.0, byte_s=byte_s)
    reply_ends_s = 1.0 + 7 * byte_s
    early = room.device.receive(b"in_sp_00\r", 1.1, sent_s=reply_ends_s + 0.009, byte_s=byte_s)
    late = room.device.receive(b"in_sp_00\r", 1.1, sent_s=reply_ends_s + 0.011, byte_s=byte_s)
    assert early == []
    assert len(late) == 1


def test_characters_with_a_parity_bit_are_understood():
    room = Bench()
    with_parity = bytes(b | 0x80 if bin(b).count("1") % 2 else b for b in b"in_sp_00\r")
    assert room.device.receive(with_parity, 1.0)[0].data == b"25.00\r\n"


def test_in_manual_mode_orders_are_refused_and_status_says_manual():
    room = Bench()
    room.device.faults.set(Fault(name="local_mode"))
    room.type("out_mode_05 1")
    assert room.type("status").startswith("-09 ")
    assert room.type("status") == "00 MANUAL STOP\r\n"
    assert not room.device.heating


def test_excess_temperature_trips_the_heater_and_stands_until_power_is_cycled():
    room = Bench()
    room.type("out_sp_00 50")
    room.type("out_mode_05 1")
    room.bath_c = 65.1
    room.pass_time()
    assert not room.device.heating
    assert [room.type("status")[:3] for _ in range(2)] == ["-14", "-14"]
    room.bath_c = 40.0
    room.pass_time()
    room.type("out_mode_05 1")
    assert not room.device.running
    room.device.power_up()
    assert room.type("status") == "02 REMOTE STOP\r\n"


def test_low_level_stops_the_heater():
    room = Bench()
    room.type("out_mode_05 1")
    room.device.on_fault(Fault(name="alarm", value=-1.0))
    assert room.type("status") == "-01 LOW LEVEL ALARM\r\n"
    assert room.type("in_mode_05") == "0\r\n"


def test_a_bath_above_its_warning_limit_is_told_while_it_runs_on():
    room = Bench()
    room.type("out_mode_05 1")
    room.bath_c = 62.0
    room.pass_time()
    assert room.type("status") == "-03 EXCESS TEMPERATURE WARNING\r\n"
    assert room.device.heating


def test_a_broken_bath_sensor_is_an_alarm_and_no_number():
    room = Bench()
    room.type("out_mode_05 1")
    room.device.faults.set(Fault(name="open", input=1))
    room.pass_time()
    assert room.type("in_pv_00") == "---.--\r\n"
    assert room.type("status").startswith("-05 ")
    assert not room.device.heating


def test_after_a_power_cut_it_is_stopped_with_its_default_set_point():
    room = Bench()
    room.type("out_sp_00 44")
    room.type("out_mode_05 1")
    room.device.power_up()
    assert room.type("in_sp_00") == "25.00\r\n"
    assert room.type("status") == "02 REMOTE STOP\r\n"


def test_a_refusing_circulator_keeps_its_set_point_and_says_so_once():
    room = Bench()
    room.device.faults.set(Fault(name="refuses"))
    room.type("out_sp_00 44")
    assert room.type("status").startswith("-09 ")
    assert room.type("in_sp_00") == "25.00\r\n"


def test_a_stuck_circulator_shows_an_old_temperature():
    room = Bench()
    room.device.faults.set(Fault(name="stuck"))
    room.bath_c = 50.0
    room.pass_time()
    assert room.type("in_pv_00") == "38.00\r\n"


def test_the_set_point_watchdog_stops_a_heater_that_nobody_feeds():
    room = Bench(watchdog_s=30.0)
    room.type("out_sp_00 44")
    room.type("out_mode_05 1")
    room.device.tick(room.now_s + 20.0)
    assert room.device.heating
    room.device.tick(room.now_s + 31.0)
    assert not room.device.heating
    assert room.type("status").startswith("-1501 ")


def test_limits_can_be_moved_by_order():
    room = Bench()
    room.type("out_sp_03 45")
    room.type("out_sp_00 46")
    assert room.type("status").startswith("-13 ")


def test_a_host_that_ends_its_commands_with_cr_lf_is_understood():
    room = Bench()
    assert room.type("in_sp_00\r\n") == "25.00\r\n"
    assert room.type("\nin_sp_00") == "25.00\r\n"
