import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.datex_s5 import MonitorSettings, PatientMonitor, framed, plain
from simulator.devices.instrument import Fault
from simulator.faults import Line

FIRST_TEMPERATURE = 40 + 4 + 16 + 4 * 14 + 14 + 6
NO_DATA, UNDER_RANGE, OVER_RANGE = -32767, -32764, -32763


def request(interval_s: int = 5, mask: int = 0, **changes: int) -> bytes:
    record = bytearray(49)
    record[0], record[21], record[40] = 49, 255, 1
    record[41:47] = struct.pack("<hI", interval_s, mask)
    for place, value in changes.items():
        record[int(place.removeprefix("at_"))] = value
    return framed(bytes(record))


def monitor(*values_c: float, **settings) -> PatientMonitor:
    sources = [lambda c=c: c for c in values_c or (37.12, 36.95)]
    return PatientMonitor(sources, MonitorSettings(**settings))


def asked(*values_c: float, interval_s: int = 5, mask: int = 0, **settings) -> PatientMonitor:
    device = monitor(*values_c, **settings)
    device.receive(request(interval_s, mask), 0.0)
    return device


def times(device: PatientMonitor, seconds: int) -> list[int]:
    return [second for second in range(1, seconds + 1) if device.tick(float(second))]


def codes(device: PatientMonitor) -> list[int]:
    record = device.record(0.0)
    return [struct.unpack_from("<h", record, FIRST_TEMPERATURE + 8 * n)[0] for n in range(4)]


def test_nothing_comes_before_somebody_asks():
    device = monitor()
    assert device.due_s() is None
    assert times(device, 60) == []


def test_one_request_brings_a_record_every_interval():
    assert times(asked(interval_s=10), 30) == [10, 20, 30]


def test_the_first_record_may_come_at_once():
    device = asked(first_after_s=0.0)
    assert len(device.tick(0.0)) == 1


def test_no_interval_is_shorter_than_five_seconds():
    device = asked(interval_s=1)
    assert times(device, 12) == [5, 10]
    assert device.describe()["interval_s"] == 5


def test_an_interval_of_zero_ends_the_records():
    device = asked()
    device.receive(request(0), 7.0)
    assert times(device, 30) == []


def test_after_a_long_gap_it_goes_on_from_now():
    device = asked()
    assert len(device.tick(100.0)) == 1
    assert device.due_s() == 105.0


@pytest.mark.parametrize("fault", ["reset", "power_cycle"])
def test_a_restarted_monitor_has_forgotten_who_asked(fault):
    line = Line("monitor", asked())
    line.fault(Fault(name=fault), 1.0)
    assert line.tick(20.0) == []
    line.receive(request(), 21.0)
    assert len(line.tick(26.0)) == 1


def test_a_monitor_whose_port_is_not_set_up_stays_silent():
    device = monitor()
    device.faults.set(Fault(name="refuses"))
    device.receive(request(), 0.0)
    assert times(device, 60) == []


def test_the_header_tells_length_number_level_plug_and_time():
    device = asked(level=6, plug=700, clock_s=1000)
    device.record(0.0)
    record = device.record(9.0)
    assert struct.unpack_from("<hBBHI", record) == (318, 1, 6, 700, 1009)
    assert record[10:16] == bytes(6)


def test_each_class_asked_for_has_its_own_subrecord():
    record = asked(mask=0x0E).record(0.0)
    places = list(struct.iter_unpack("<hB", record[16:31]))
    assert places == [(0, 1), (278, 1), (556, 1), (834, 1), (0, 255)]
    assert [record[40 + offset + 277] for offset, kind in places[:4]] == [0, 1, 2, 3]
    assert len(record) == 40 + 4 * 278


def test_the_basic_class_can_be_denied():
    record = asked(mask=0x03).record(0.0)
    assert (len(record), record[40 + 277]) == (318, 1)


def test_temperatures_are_hundredths_of_a_degree_and_a_missing_lead_a_code():
    assert codes(asked(37.12, 36.95)) == [3712, 3695, NO_DATA, NO_DATA]


@pytest.mark.parametrize(("value_c", "code"), [(9.99, UNDER_RANGE), (45.01, OVER_RANGE)])
def test_what_the_monitor_cannot_measure_is_a_code(value_c, code):
    assert codes(asked(value_c))[0] == code


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(name="open", input=1), NO_DATA),
        (Fault(name="short", input=1), OVER_RANGE),
        (Fault(name="offset", input=1, value=0.5), 3762),
    ],
)
def test_a_bad_lead_shows_on_its_own_input_only(fault, code):
    device = asked(37.12, 36.95)
    device.faults.set(fault)
    device.sample(1.0)
    assert codes(device)[:2] == [code, 3695]


def test_a_stuck_value_stays_while_records_go_on():
    now_c = [37.0]
    device = PatientMonitor([lambda: now_c[0]])
    device.receive(request(), 0.0)
    device.faults.set(Fault(name="stuck", input=1))
    now_c[0] = 40.0
    device.sample(1.0)
    assert codes(device)[0] == 3700
    assert times(device, 10) == [5, 10]


def test_a_temperature_that_holds_a_flag_is_escaped():
    data = asked(37.10).tick(5.0)[0].data
    assert b"\x7d\x5e\x0e" in data
    assert data.count(b"\x7e") == 2


def test_the_wrong_checksum_is_wrong_in_the_sum_and_nowhere_else():
    device = asked()
    good = device.tick(5.0)[0].data
    wrong = device.with_wrong_checksum(good)
    record = plain(good[1:-1])
    assert plain(wrong[1:-1]) == record[:-1] + bytes([(record[-1] + 1) % 256])


@pytest.mark.parametrize(
    "spoiled",
    [
        request()[:-2] + b"\x00\x7e",
        request(at_0=48),
        request(at_14=1),
        request(at_18=1),
        request(at_40=2),
        request(mask=1),
        request()[:30],
    ],
)
def test_what_is_no_request_for_displayed_values_is_met_with_silence(spoiled):
    device = monitor()
    assert device.receive(spoiled, 0.0) == []
    assert device.due_s() is None


@given(chunks=st.lists(st.binary(max_size=300), max_size=5))
def test_after_any_rubbish_a_proper_request_is_obeyed(chunks):
    device = monitor()
    for chunk in chunks:
        device.receive(chunk, 0.0)
    device.receive(request(), 1.0)
    device.receive(request(), 2.0)
    assert device.due_s() == 7.0
