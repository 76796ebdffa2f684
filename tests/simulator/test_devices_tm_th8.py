import pytest

from simulator.devices.instrument import Fault
from simulator.devices.rtu_frame import low_high
from simulator.devices.tm_th8 import ThermistorModule, ThermistorSettings

BODY_C = (37.12, 41.05, 41.90, 42.30, 41.88, 36.95)
READ_ALL = bytes.fromhex("01 04 00 00 00 08 f1 cc")


class Tissue:
    """Six temperatures that a test may change."""

    def __init__(self, *values_c: float) -> None:
        self.values_c = list(values_c)

    def sources(self):
        return [lambda n=n: self.values_c[n] for n in range(len(self.values_c))]


def module(*values_c: float, **settings) -> tuple[ThermistorModule, Tissue]:
    tissue = Tissue(*(values_c or BODY_C))
    return ThermistorModule(tissue.sources(), ThermistorSettings(**settings)), tissue


def ask(device: ThermistorModule, request: bytes, now_s: float = 0.0) -> bytes:
    return b"".join(send.data for send in device.receive(request, now_s))


def pdu(device: ThermistorModule, body: str) -> bytes:
    return ask(device, low_high(b"\x01" + bytes.fromhex(body)))[1:-2]


def test_eight_inputs_answer_the_worked_bytes_of_the_manual_example():
    device = ThermistorModule([*(lambda c=c: c for c in BODY_C), lambda: 20.0])
    device.faults.set(Fault(name="short", input=7))
    device.sample(1.0)
    expected = "01 04 10 0e80 1009 105e 1086 105c 0e6f 8000 7fff e34a"
    assert ask(device, READ_ALL) == bytes.fromhex(expected)


def test_holding_registers_show_the_same_values_as_input_registers():
    device, _ = module()
    assert pdu(device, "03 0000 0006")[2:] == pdu(device, "04 0000 0006")[2:]


def test_an_illegal_address_gets_exception_2():
    device, _ = module()
    request = low_high(bytes.fromhex("01 04 00 64 00 08"))
    assert ask(device, request) == bytes.fromhex("01 84 02 c2 c1")


def test_a_bad_checksum_and_another_address_are_met_with_silence():
    device, _ = module()
    assert ask(device, READ_ALL[:-1] + b"\x00", 0.0) == b""
    assert ask(device, low_high(bytes.fromhex("02 04 00 00 00 08")), 1.0) == b""
    assert len(ask(device, READ_ALL, 2.0)) == 21


def test_an_unknown_function_gets_exception_1_and_a_silly_count_exception_3():
    device, _ = module()
    assert pdu(device, "2b 0e 01 00") == bytes.fromhex("ab 01")
    assert pdu(device, "04 0000 0000") == bytes.fromhex("84 03")


def test_values_change_only_once_per_scan_of_one_second():
    device, tissue = module()
    before = ask(device, READ_ALL)
    tissue.values_c[0] = 39.0
    device.sample(0.9)
    assert ask(device, READ_ALL) == before
    device.sample(0.1)
    assert ask(device, READ_ALL)[3:5] == (3900).to_bytes(2, "big")


def test_the_reply_waits_for_the_silence_that_ends_the_request():
    device, _ = module()
    (send,) = device.receive(READ_ALL, 0.0)
    assert send.delay_s == pytest.approx(3.5 * 10 / 9600)


def test_a_request_in_two_pieces_counts_unless_the_line_was_silent_between_them():
    device, _ = module()
    byte_s = device.serial.byte_s
    assert device.receive(READ_ALL[:3], 1.000, byte_s=byte_s) == []
    assert len(device.receive(READ_ALL[3:], 1.000 + 5 * byte_s, byte_s=byte_s)) == 1
    assert device.receive(READ_ALL[:3], 2.000, byte_s=byte_s) == []
    assert device.receive(READ_ALL[3:], 2.000 + 9 * byte_s, byte_s=byte_s) == []


def test_two_requests_in_one_chunk_of_a_pty_are_both_answered():
    device, _ = module()
    other = low_high(bytes.fromhex("01 01 01 0c 00 01"))
    assert len(device.receive(READ_ALL + other, 0.0)) == 2


def test_a_power_cycle_shows_in_the_reset_status_on_its_first_read_only():
    device, _ = module()
    read_reset = "01 0110 0001"
    assert [pdu(device, read_reset)[2] for _ in range(2)] == [1, 0]
    device.power_up()
    assert [pdu(device, read_reset)[2] for _ in range(2)] == [1, 0]


def test_an_open_lead_is_over_range_and_flagged_and_a_short_is_under_range():
    device, _ = module()
    device.faults.set(Fault(name="open", input=2))
    device.faults.set(Fault(name="short", input=3))
    device.sample(1.0)
    words = pdu(device, "04 0000 0008")[2:]
    assert words[2:4].hex() == "7fff"
    assert words[4:6].hex() == "8000"
    assert pdu(device, "02 0080 0008")[2] == 0b1100_0110
    assert pdu(device, "01 0080 0008")[2] == 0b1100_0110


def test_offset_drift_and_a_stuck_value_act_on_one_input():
    device, tissue = module(40.0, 40.0, 40.0)
    device.faults.set(Fault(name="offset", input=1, value=0.5))
    device.faults.set(Fault(name="drift", input=2, value=-1.0))
    device.faults.set(Fault(name="stuck", input=3))
    tissue.values_c[2] = 42.0
    for _ in range(60):
        device.sample(1.0)
    words = pdu(device, "04 0000 0003")[2:]
    assert [int.from_bytes(words[i : i + 2], "big") for i in (0, 2, 4)] == [4050, 3900, 4000]


def test_temperature_offset_is_written_in_tenths_and_refused_beyond_a_signed_byte():
    device, _ = module(40.0)
    assert pdu(device, "06 01c0 fffe") == bytes.fromhex("06 01c0 fffe")
    assert pdu(device, "04 0000 0001")[2:] == (3980).to_bytes(2, "big")
    assert pdu(device, "06 01c0 0080") == bytes.fromhex("86 03")


def test_a_block_write_with_one_bad_value_changes_nothing():
    device, _ = module()
    assert pdu(device, "10 01c0 0002 04 0005 0080") == bytes.fromhex("90 03")
    assert pdu(device, "03 01c0 0002")[2:] == bytes(4)
    assert pdu(device, "10 01c0 0002 04 0005 0006") == bytes.fromhex("10 01c0 0002")
    assert pdu(device, "03 01c0 0002")[2:] == bytes.fromhex("0005 0006")


def test_type_codes_read_the_ysi_curve_and_can_be_changed():
    device, _ = module(type_code=0x65)
    assert pdu(device, "03 0100 0008")[2:] == bytes.fromhex("0065") * 8
    pdu(device, "06 0100 0060")
    assert pdu(device, "03 0100 0001")[2:] == bytes.fromhex("0060")


def test_hex_format_scales_to_full_scale_and_fahrenheit_is_a_coil():
    device, _ = module(40.0)
    assert pdu(device, "05 010c 0000") == bytes.fromhex("05 010c 0000")
    assert int.from_bytes(pdu(device, "04 0000 0001")[2:], "big") == round(0.4 * 32767)
    assert pdu(device, "0f 010a 0003 01 04") == bytes.fromhex("8f 02")
    pdu(device, "05 010c ff00")
    pdu(device, "0f 010a 0001 01 00")
    assert pdu(device, "04 0000 0001")[2:] == (10400).to_bytes(2, "big")


def test_a_coil_takes_only_on_or_off():
    device, _ = module()
    assert pdu(device, "05 010c 1234") == bytes.fromhex("85 03")


def test_the_host_watchdog_trips_on_silence_and_is_cleared_by_a_one():
    device, _ = module()
    ask(device, low_high(bytes.fromhex("01 06 01e8 000a")), 0.0)
    ask(device, low_high(bytes.fromhex("01 05 0104 ff00")), 0.5)
    read = low_high(bytes.fromhex("01 01 010d 0001"))
    assert ask(device, read, 1.0)[3] == 0
    assert ask(device, read, 3.0)[3] == 1
    ask(device, low_high(bytes.fromhex("01 05 010d ff00")), 3.5)
    assert ask(device, read, 4.0)[3] == 0


def test_identity_words_are_those_that_were_configured():
    device, _ = module(module_name=0x0700_1234, firmware=0x0001_0203)
    assert pdu(device, "03 01e0 0004")[2:] == bytes.fromhex("0203 0001 1234 0700")


def test_a_refusing_module_answers_device_failure():
    device, _ = module()
    device.faults.set(Fault(name="refuses"))
    assert pdu(device, "04 0000 0008") == bytes.fromhex("84 04")


def test_a_broadcast_is_obeyed_without_an_answer():
    device, _ = module()
    assert ask(device, low_high(bytes.fromhex("00 06 01c0 0005"))) == b""
    assert pdu(device, "03 01c0 0001")[2:] == bytes.fromhex("0005")
