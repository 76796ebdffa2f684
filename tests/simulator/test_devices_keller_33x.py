import math
import struct

import pytest

from simulator.devices.instrument import Fault
from simulator.devices.keller_33x import PressureLine, PressureLineSettings
from simulator.devices.keller_transmitter import BAR_PER_MMHG, TransmitterSettings
from simulator.devices.rtu_frame import crc16, high_low, low_high

MANUAL_FLOAT = struct.unpack(">f", bytes.fromhex("3cae7d56"))[0]
MANUAL_MMHG = MANUAL_FLOAT / BAR_PER_MMHG


class Bench:
    """Two transmitters on a line, asked a second apart."""

    def __init__(self, *, echo: bool = False, **first) -> None:
        self.mmhg = {1: MANUAL_MMHG, 2: 12.0}
        self.device = PressureLine(
            [
                (lambda: self.mmhg[1], TransmitterSettings(address=1, **first)),
                (lambda: self.mmhg[2], TransmitterSettings(address=2, serial_number=77)),
            ],
            PressureLineSettings(echo=echo),
        )
        self.now_s = 0.0

    def ask(self, frame: bytes | str) -> bytes:
        self.now_s += 1.0
        data = bytes.fromhex(frame) if isinstance(frame, str) else frame
        return b"".join(send.data for send in self.device.receive(data, self.now_s))

    def initialise(self) -> None:
        self.ask("01 30 34 00")
        self.ask(high_low(bytes((2, 48))))


def test_the_checksum_has_the_worked_value_of_the_protocol_description():
    assert crc16(bytes.fromhex("02 30")) == 0xC400


def test_before_initialisation_every_keller_function_answers_exception_32():
    room = Bench()
    assert room.ask("01 49 01 50 d6") == bytes.fromhex("01 c9 20 88 77")
    assert room.ask(high_low(bytes((1, 69))))[1:3] == bytes((69 | 0x80, 32))


def test_initialisation_says_whether_it_was_the_first_since_power_on():
    room = Bench()
    first, second = room.ask("01 30 34 00"), room.ask("01 30 34 00")
    assert len(first) == 10
    assert (first[7], second[7]) == (0, 1)


def test_pressure_reads_the_worked_bytes_once_initialised():
    room = Bench()
    room.initialise()
    assert room.ask("01 49 01 50 d6") == bytes.fromhex("01 49 3c ae 7d 56 00 cc da")


def test_the_same_pressure_over_modbus_needs_no_initialisation():
    room = Bench()
    assert room.ask("01 03 00 02 00 02 65 cb") == bytes.fromhex("01 03 04 3c ae 7d 56 36 ec")


def test_the_byte_order_of_the_checksum_alone_tells_the_protocols_apart():
    room = Bench()
    room.initialise()
    assert room.ask(low_high(bytes.fromhex("01 49 01"))) == low_high(bytes((1, 0xC9, 1)))
    assert room.ask(high_low(bytes.fromhex("01 03 00 02 00 02")))[1:3] == bytes((0x83, 1))


def test_a_power_cycle_asks_for_initialisation_again():
    room = Bench()
    room.initialise()
    room.device.power_up()
    assert room.ask("01 49 01 50 d6")[1:3] == bytes((0xC9, 32))


def test_a_reset_of_one_transmitter_leaves_the_other_initialised():
    room = Bench()
    room.initialise()
    room.device.on_fault(Fault(name="reset", input=1))
    assert room.ask("01 49 01 50 d6")[1] == 0xC9
    assert room.ask(high_low(bytes((2, 73, 1))))[1] == 73


def test_each_address_answers_with_its_own_pressure_and_serial_number():
    room = Bench()
    room.initialise()
    reply = room.ask(high_low(bytes((2, 73, 1))))
    assert struct.unpack(">f", reply[2:6])[0] == pytest.approx(12.0 * BAR_PER_MMHG)
    assert room.ask(high_low(bytes((2, 69))))[2:6] == (77).to_bytes(4, "big")


def test_integers_are_pascal_and_hundredths_of_a_degree():
    room = Bench(housing_c=23.4)
    room.initialise()
    assert struct.unpack(">i", room.ask(high_low(bytes((1, 74, 1))))[2:6])[0] == 2130
    assert struct.unpack(">i", room.ask(high_low(bytes((1, 74, 3))))[2:6])[0] == 2340


@pytest.mark.parametrize(
    ("body", "code"), [((99,), 1), ((73, 2), 2), ((73, 9), 2), ((73, 1, 1), 3), ((48, 1), 3)]
)
def test_wrong_function_parameter_and_length_have_their_exceptions(body, code):
    room = Bench()
    room.initialise()
    assert room.ask(high_low(bytes((1, *body))))[1:3] == bytes((body[0] | 0x80, code))


def test_a_failed_channel_shows_in_stat_and_as_no_number():
    room = Bench()
    room.initialise()
    room.device.faults.set(Fault(name="open", input=1))
    room.device.sample(0.1)
    reply = room.ask("01 49 01 50 d6")
    assert math.isnan(struct.unpack(">f", reply[2:6])[0])
    assert reply[6] == 0b10


def test_pressure_beyond_the_range_is_infinite():
    room = Bench()
    room.initialise()
    room.mmhg[1] = 3000.0
    room.device.sample(0.1)
    assert struct.unpack(">f", room.ask("01 49 01 50 d6")[2:6])[0] == math.inf


def test_zeroing_makes_the_present_pressure_nought_until_reset():
    room = Bench()
    room.initialise()
    room.ask(high_low(bytes((1, 95, 0))))
    assert struct.unpack(">f", room.ask("01 49 01 50 d6")[2:6])[0] == pytest.approx(0.0)
    room.ask(high_low(bytes((1, 95, 1))))
    assert room.ask("01 49 01 50 d6")[2:6] == bytes.fromhex("3cae7d56")


def test_zeroing_works_over_modbus_too():
    room = Bench()
    assert room.ask(low_high(bytes.fromhex("01 10 ff00 0002 04 00000000")))[1] == 16
    assert room.ask("01 03 00 02 00 02 65 cb")[3:7] == struct.pack(">f", 0.0)


def test_modbus_has_exceptions_for_address_count_and_function():
    room = Bench()
    assert room.ask(low_high(bytes.fromhex("01 03 0050 0002")))[1:3] == bytes((0x83, 2))
    assert room.ask(low_high(bytes.fromhex("01 03 0000 0000")))[1:3] == bytes((0x83, 3))
    assert room.ask(low_high(bytes.fromhex("01 05 0000 ff00")))[1:3] == bytes((0x85, 1))


def test_one_transmitter_alone_answers_the_address_for_all():
    device = PressureLine([(lambda: 0.0, TransmitterSettings(address=7))])
    (send,) = device.receive(bytes.fromhex("fa 30 04 43"), 0.0)
    assert send.data[:2] == bytes((250, 48))


def test_two_transmitters_that_answer_at_once_spoil_each_others_bytes():
    room = Bench()
    room.initialise()
    reply = room.ask(high_low(bytes((250, 69))))
    assert high_low(reply[:-2]) != reply


def test_a_converter_echoes_what_was_sent_before_the_reply():
    room = Bench(echo=True)
    assert room.ask("01 30 34 00").startswith(bytes.fromhex("01 30 34 00 01 30"))


def test_bad_checksum_and_foreign_address_are_met_with_silence():
    room = Bench()
    assert room.ask("01 30 34 01") == b""
    assert room.ask(high_low(bytes((9, 48)))) == b""
