"""Any measuring Modbus instrument by configuration alone: values, marks, byte orders, blocks."""

import struct

import pytest

from drivers import ysi400
from drivers.classes import Measured, SettingError
from drivers.crc import crc16
from drivers.dialogue import Refused
from drivers.modbus_map import ModbusMap
from service.core.model import DeviceClass, Unit, Validity
from simulator.devices.instrument import Fault
from simulator.devices.modbus_map import Register, RegisterSlave
from tests.drivers.memory import Device, MemoryLine, scripted
from tests.drivers.register_maps import MAPS
from tests.drivers.transcripts import Exchange, exchanges


def slave(device: RegisterSlave) -> Device:
    return lambda heard: b"".join(send.data for send in device.receive(heard, 0.0))


def read(device: Device, **settings: object) -> tuple[Measured, ...]:
    return MemoryLine(device).run(ModbusMap(**settings).poll()).measured


def answering(*words: int) -> Device:
    """A device that answers any reading of holding registers with these words."""
    body = bytes([1, 3, 2 * len(words)]) + struct.pack(f">{len(words)}H", *words)
    return lambda heard: body + crc16(body).to_bytes(2, "little")


@pytest.mark.parametrize("exchange", exchanges("modbus_map"), ids=lambda one: one.name)
def test_a_map_reads_the_worked_bytes(exchange: Exchange) -> None:
    expected = exchange.decoded
    line = MemoryLine(scripted({exchange.tx: exchange.rx}))
    driver = ModbusMap(**MAPS[expected["map"]])
    if "exception" in expected:
        with pytest.raises(Refused, match=rf"\(code {expected['exception']}\)"):
            line.run(driver.poll())
        return
    measured = line.run(driver.poll()).measured
    shown = {str(one.input): one.value for one in measured if one.value is not None}
    assert shown == expected["values"]
    doubt = {str(o.input): o.validity for o in measured if o.validity is not Validity.VALID}
    assert doubt == expected["validity"]
    assert line.sent == [exchange.tx], "one request is enough"


def test_the_site_says_what_the_instrument_is_and_measures() -> None:
    driver = ModbusMap(**MAPS["sts_dtm"])
    assert driver.device_class is DeviceClass.PRESSURE
    assert [(one.name, one.unit) for one in driver.inputs] == [
        ("pressure", Unit.MMHG),
        ("temperature", Unit.DEG_C),
    ]
    device = RegisterSlave(
        [
            Register(source=lambda: 24.0, table="input", first=0, per_digit=0.03),
            Register(source=lambda: 36.5, table="input", first=1, per_digit=0.1),
        ]
    )
    assert MemoryLine(slave(device)).run(driver.identify()).model == "STS DTM.OCS.S, 0 to 300 mmHg"
    assert [one.value for one in read(slave(device), **MAPS["sts_dtm"])] == [24.0, 36.5]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("ABCD", (0x3CAE, 0x7D56)),
        ("CDAB", (0x7D56, 0x3CAE)),
        ("BADC", (0xAE3C, 0x567D)),
        ("DCBA", (0x567D, 0xAE3C)),
    ],
)
def test_a_float_is_read_in_each_order_of_its_bytes(order: str, words: tuple[int, ...]) -> None:
    one = {"register": 2, "format": "float32", "order": order, "unit": "mmHg", "resolution": 1e-4}
    assert read(answering(*words), input=[one])[0].value == 0.0213


@pytest.mark.parametrize(
    ("kind", "words", "value"),
    [
        ("int16", (0xFFF6,), -1.0),
        ("uint16", (0xFFF6,), 6552.6),
        ("int32", (0xFFFF, 0xFFF6), -1.0),
        ("uint32", (0x0001, 0x86A0), 10000.0),
    ],
)
def test_whole_numbers_are_signed_only_where_the_map_says_so(
    kind: str, words: tuple[int, ...], value: float
) -> None:
    assert read(answering(*words), input=[{"format": kind, "scale": 0.1}])[0].value == value


def test_offset_and_resolution_turn_kelvin_into_celsius() -> None:
    one = {"scale": 0.1, "offset": -273.15, "resolution": 0.01}
    assert read(answering(3151), input=[one])[0].value == 41.95


def test_adjacent_inputs_are_read_together_and_nothing_in_between_is() -> None:
    registers = [Register(source=lambda n=n: float(n), first=n, format="int16") for n in (0, 1, 40)]
    line = MemoryLine(slave(RegisterSlave(registers)))
    inputs = [{"number": n + 1, "register": n} for n in (40, 1, 0)]
    measured = line.run(ModbusMap(input=inputs).poll()).measured
    assert [(one.input, one.value) for one in measured] == [(1, 0.0), (2, 1.0), (41, 40.0)]
    assert [request[2:6].hex() for request in line.sent] == ["00000002", "00280001"]


def test_a_long_map_is_read_by_several_requests_of_at_most_125_words() -> None:
    registers = [Register(source=lambda: 1.0, first=n) for n in range(130)]
    line = MemoryLine(slave(RegisterSlave(registers)))
    measured = line.run(ModbusMap(input=[{"register": n} for n in range(130)]).poll()).measured
    assert [one.value for one in measured] == [1.0] * 130
    assert [int.from_bytes(request[4:6], "big") for request in line.sent] == [125, 5]


@pytest.mark.parametrize(
    ("fault", "validity", "reason"),
    [
        ("open", Validity.OVERFLOW, "above range or open"),
        ("short", Validity.UNDERFLOW, "below range or shorted"),
    ],
)
def test_a_broken_lead_is_no_value(fault: str, validity: Validity, reason: str) -> None:
    device = RegisterSlave(
        [
            Register(source=lambda: 41.2, first=n, per_digit=0.1, over=-32768, under=-32767)
            for n in range(2)
        ]
    )
    device.faults.set(Fault(name=fault, input=2))
    device.sample(1.0)
    marked = {"scale": 0.1, "overflow": [32768], "underflow": [-32767]}
    good, broken = read(slave(device), input=[marked, marked])
    assert good.value == 41.2
    assert (broken.value, broken.validity) == (None, validity)
    assert reason in broken.reason


def test_what_lies_outside_the_given_range_is_no_value() -> None:
    bounded = {"scale": 0.1, "lowest": 0.0, "highest": 60.0}
    low, high, good = read(answering(0xFFFF, 601, 600), input=[bounded] * 3)
    assert (low.validity, high.validity) == (Validity.UNDERFLOW, Validity.OVERFLOW)
    assert (low.value, high.value, good.value) == (None, None, 60.0)


OHM = {"gives": "ohm", "format": "uint16"}


def test_a_module_that_gives_ohm_is_read_as_a_ysi_400_probe() -> None:
    measured = read(answering(1108, 1355), input=[OHM, OHM])
    assert [one.value for one in measured] == pytest.approx([42.0, 37.0], abs=0.05)


def test_an_open_ysi_400_lead_reads_as_endlessly_cold_and_is_no_value() -> None:
    (broken,) = read(answering(round(ysi400.OPEN_ABOVE_OHM) + 1), input=[OHM])
    assert (broken.value, broken.validity) == (None, Validity.UNDERFLOW)


def test_a_shorted_ysi_400_lead_reads_as_endlessly_hot_and_is_no_value() -> None:
    (broken,) = read(answering(0), input=[OHM])
    assert (broken.value, broken.validity) == (None, Validity.OVERFLOW)


def test_a_map_without_inputs_is_told_and_not_shown_as_a_working_device() -> None:
    with pytest.raises(Refused, match=r"describe each in \[\[device.input\]\]"):
        MemoryLine().run(ModbusMap().identify())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"input": 3}, r"each input must be a table \[\[device.input\]\]"),
        ({"input": [{"scale": 0}]}, "input 1: scale = 0 cannot be used; it must not be 0"),
        ({"input": [{"format": "int8"}]}, "must be one of 'int16', 'uint16'"),
        ({"input": [{"order": "ABCD"}]}, "order = 'ABCD' cannot be used; it must be one of 'AB'"),
        ({"input": [{"register": 65536}]}, "whole number from 0 to 65535"),
        ({"input": [{"invalid": [70000]}]}, "a list of numbers that a register of int16 can hold"),
        ({"input": [{"format": "float32", "invalid": [1e300]}]}, "a register of float32"),
        ({"input": [{"number": 1}, {"number": 1}]}, "input number 1 is there more than once"),
        ({"input": [{}, {"colour": 1}]}, "modbus_map input 2 has no setting colour"),
        ({"input": [{"gives": "ohm", "unit": "mmHg"}]}, "unit = 'mmHg' cannot be used"),
        ({"device_class": "pump"}, "device_class = 'pump' cannot be used"),
        ({"model": ""}, "model = '' cannot be used; it must be text"),
    ],
)
def test_a_wrong_map_is_refused_in_a_sentence(settings: dict, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        ModbusMap(**settings)
