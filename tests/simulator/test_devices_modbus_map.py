import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.instrument import Fault
from simulator.devices.modbus_map import Register, RegisterSlave, RegisterSlaveSettings, words
from simulator.devices.rtu_frame import low_high

TRANSCRIPT = Path(__file__).parents[1] / "transcripts" / "modbus_map.toml"
EXCHANGES = {
    one["name"]: one for one in tomllib.loads(TRANSCRIPT.read_text(encoding="utf-8"))["exchange"]
}


def thermometers(values_c, broken=None, **register) -> RegisterSlave:
    device = RegisterSlave(
        [
            Register(source=lambda c=c: c, first=first, per_digit=0.1, **register)
            for first, c in enumerate(values_c)
        ]
    )
    for number, name in (broken or {}).items():
        device.faults.set(Fault(name=name, input=number))
    device.sample(1.0)
    return device


def transmitter(bar: float | None, over: float = float("inf")) -> RegisterSlave:
    source = None if bar is None else lambda: bar
    return RegisterSlave([Register(source=source, first=2, format="float32", over=over)])


CASES = {
    "seven NTC of an NT18B07, 0.1 °C, input 7 below zero": lambda: thermometers(
        [37.1, 41.1, 42.0, 42.4, 41.9, 37.0, -1.0]
    ),
    "six RTD of a PM6RTD, 0.1 °C, two burnt out": lambda: thermometers(
        [37.1, 40.0, 42.0, 40.0, 41.9, 37.0],
        broken={2: "open", 4: "short"},
        table="input",
        over=-32768,
        under=-32767,
    ),
    "pressure and temperature of an STS DTM, 0.01 % of 300 mmHg": lambda: RegisterSlave(
        [
            Register(source=lambda: 15.96, table="input", first=0, per_digit=0.03),
            Register(source=lambda: 34.5, table="input", first=1, per_digit=0.1),
        ]
    ),
    "pressure P1 of a KELLER transmitter as float, 0.0213 bar": lambda: transmitter(0.0213),
    "float that is not a number": lambda: transmitter(None, over=float("nan")),
    "float above range": lambda: transmitter(None),
    "the module has no such register": lambda: thermometers([37.0]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_slave_sends_the_bytes_of_the_shared_transcript(name):
    (send,) = CASES[name]().receive(bytes.fromhex(EXCHANGES[name]["tx"]), 1.0)
    assert send.data == bytes.fromhex(EXCHANGES[name]["rx"])


@pytest.mark.parametrize(
    ("register", "value", "shown"),
    [
        ({"per_digit": 0.1}, -1.0, [0xFFF6]),
        ({"per_digit": 0.1, "format": "uint16"}, -1.0, [0]),
        ({"per_digit": 0.1}, 9999.0, [0x7FFF]),
        ({"per_digit": 0.1, "zero": -273.15}, 41.95, [3151]),
        ({"format": "int32", "per_digit": 0.001}, 100.0, [0x0001, 0x86A0]),
        ({"format": "int32", "per_digit": 0.001, "swapped": True}, 100.0, [0x86A0, 0x0001]),
    ],
)
def test_a_measurement_is_written_as_its_register_says(register, value, shown):
    assert words(Register(source=None, first=0, **register), value) == shown


def test_values_change_once_per_scan_only():
    now = [37.0]
    device = RegisterSlave(
        [Register(source=lambda: now[0], first=0)], RegisterSlaveSettings(scan_s=1.0)
    )
    now[0] = 39.0
    device.sample(0.5)
    assert device.holding(1) == 37
    device.sample(0.5)
    assert device.holding(1) == 39
    assert device.describe() == {"inputs": [39.0]}


def test_the_address_is_a_setting():
    device = RegisterSlave([Register(source=None, first=0)], RegisterSlaveSettings(address=9))
    assert device.receive(low_high(bytes.fromhex("01 03 0000 0001")), 1.0) == []
    assert len(device.receive(low_high(bytes.fromhex("09 03 0000 0001")), 2.0)) == 1


@given(body=st.binary(min_size=1, max_size=20))
def test_any_frame_with_a_good_checksum_is_answered_or_ignored(body):
    for sent in thermometers([37.0]).receive(low_high(b"\x01" + body), 1.0):
        assert sent.data[0] == 1
