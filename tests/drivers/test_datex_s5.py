"""Datex-Ohmeda S/5: asked once, then it speaks by itself; a silent monitor is asked again."""

import struct
from collections.abc import Iterable

import pytest

from drivers import datex_s5
from drivers.classes import Measured, SettingError
from drivers.datex_s5 import DatexS5
from drivers.dialogue import BadReply, NoReply
from service.core.model import Instant, Validity
from tests.drivers.memory import MemoryLine
from tests.drivers.transcripts import exchange

ASKED = exchange("datex_s5", "ask for the basic class every 5 s").tx
FOUR = exchange("datex_s5", "four temperatures").rx
LEADS_OFF = exchange("datex_s5", "one probe, three leads off").rx
DAMAGED = exchange("datex_s5", "a sum that is one too large").rx
BASIC_AT = 40


class Monitor(MemoryLine):
    """A monitor that sends these records one after the other, but only after it was asked."""

    def __init__(self, *records: bytes, forgets_after: int = 99) -> None:
        super().__init__(self._asked)
        self.records = list(records)
        self.forgets_after = forgets_after

    def _asked(self, heard: bytes) -> bytes:
        if heard == ASKED:
            self.unasked = self.records[: self.forgets_after]
            self.records = self.records[self.forgets_after :]
        return b""


def values(measured: Iterable[Measured]) -> list[float | None]:
    return [one.value for one in measured]


def polled(line: MemoryLine) -> list[float | None]:
    return values(line.run(DatexS5().poll()).measured)


def changed(at: int, data: bytes) -> bytes:
    """The record of the four temperatures with other bytes at one place, and a good sum."""
    record = datex_s5.decode_record(FOUR)
    return datex_s5.frame(record[:at] + data + record[at + len(data) :])


def with_class(number: int) -> bytes:
    return changed(BASIC_AT + 277, bytes([number]))


def test_it_is_asked_for_the_displayed_values_and_tells_its_level_and_plug() -> None:
    line = Monitor(FOUR)
    identity = line.run(DatexS5().identify())
    assert line.sent == [ASKED]
    assert identity.model == "Datex-Ohmeda S/5, plug 1"
    assert identity.firmware == "DRI level 9"


def test_the_default_request_names_five_seconds_and_the_basic_class_only() -> None:
    line = Monitor(FOUR)
    line.run(DatexS5(interval_s=5, class_mask=0, dri_level=0).identify())
    assert line.sent == [ASKED]


def test_four_temperatures_are_read_with_the_time_of_the_last_byte() -> None:
    line = MemoryLine(unasked=[FOUR])
    result = line.run(DatexS5().poll())
    assert values(result.measured) == [37.12, 36.95, 38.40, 41.05]
    assert result.at == Instant(mono_ns=0, utc_ns=0)
    assert line.sent == []


def test_leads_that_are_off_have_no_value_and_a_sentence() -> None:
    measured = MemoryLine(unasked=[LEADS_OFF]).run(DatexS5().poll()).measured
    assert values(measured) == [37.12, None, None, None]
    assert measured[1].validity is Validity.INVALID
    assert measured[1].reason == "no value; look at the probe and its lead at the monitor"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (-32766, "the monitor does not update this value"),
        (-32765, "interrupted, for instance by a calibration"),
        (-32764, "below the monitor's range"),
        (-32763, "above the monitor's range"),
        (-32762, "not calibrated"),
        (-32761, "the monitor gives code -32761"),
        (32767, "the monitor gives 327.67 °C, which no patient has"),
    ],
)
def test_a_code_is_never_shown_as_a_temperature(raw: int, reason: str) -> None:
    record = changed(BASIC_AT + 96, struct.pack("<h", raw))
    measured = MemoryLine(unasked=[record]).run(DatexS5().poll()).measured
    assert values(measured) == [None, 36.95, 38.40, 41.05]
    assert measured[0].reason == reason


def test_of_several_records_that_waited_the_newest_counts() -> None:
    assert polled(MemoryLine(unasked=[FOUR + LEADS_OFF])) == [37.12, None, None, None]


def test_a_damaged_record_behind_a_good_one_is_left_out() -> None:
    assert polled(MemoryLine(unasked=[FOUR + DAMAGED])) == [37.12, 36.95, 38.40, 41.05]


@pytest.mark.parametrize("cut", range(1, len(FOUR)))
def test_opened_in_the_middle_of_a_record_it_finds_the_next(cut: int) -> None:
    line = MemoryLine(unasked=[LEADS_OFF[cut:] + FOUR])
    assert polled(line) == [37.12, 36.95, 38.40, 41.05]


def test_records_that_share_one_flag_are_both_read() -> None:
    line = MemoryLine(unasked=[LEADS_OFF + FOUR[1:]])
    assert polled(line) == [37.12, 36.95, 38.40, 41.05]


def test_a_record_broken_off_costs_nothing_but_itself() -> None:
    line = MemoryLine(unasked=[LEADS_OFF[:200] + FOUR])
    assert polled(line) == [37.12, 36.95, 38.40, 41.05]


def test_a_monitor_that_falls_silent_is_asked_again_once() -> None:
    line = Monitor(FOUR, LEADS_OFF, forgets_after=1)
    driver = DatexS5()
    line.run(driver.identify())
    assert values(line.run(driver.poll()).measured) == [37.12, None, None, None]
    assert line.sent == [ASKED, ASKED]
    assert line.seconds == 7.5


def test_silence_is_told_after_three_intervals() -> None:
    line = MemoryLine()
    with pytest.raises(NoReply, match="no answer"):
        line.run(DatexS5().poll())
    assert line.seconds == 15.0
    assert line.sent == [ASKED]


def test_three_damaged_records_in_a_row_are_told() -> None:
    with pytest.raises(BadReply, match="no whole record of an S/5 monitor"):
        polled(MemoryLine(unasked=[DAMAGED] * 3))


def test_curves_that_somebody_else_asked_for_are_passed_over() -> None:
    curves = changed(14, struct.pack("<h", 1))
    line = MemoryLine(unasked=[*[curves] * 40, FOUR])
    assert polled(line) == [37.12, 36.95, 38.40, 41.05]


def test_a_monitor_that_sends_only_other_records_is_told() -> None:
    with pytest.raises(BadReply, match="sends other records only"):
        polled(MemoryLine(unasked=[with_class(2)] * 64))


@pytest.mark.parametrize(
    ("at", "data"),
    [
        (14, struct.pack("<h", 4)),  # an alarm record
        (16, struct.pack("<h", 1)),  # an offset that reaches beyond the record
        (16, struct.pack("<h", -1)),
        (18, b"\x02"),  # a 10 s trend
        (18, b"\xff"),  # an empty list
    ],
)
def test_temperatures_are_taken_from_nothing_but_displayed_values(at: int, data: bytes) -> None:
    assert datex_s5.displayed(datex_s5.decode_record(changed(at, data))) is None


def test_the_basic_class_is_found_by_its_number_wherever_it_stands() -> None:
    one = datex_s5.decode_record(FOUR)
    extra = datex_s5.decode_record(with_class(1))[BASIC_AT:]
    header = struct.pack("<h", len(one) + 278) + one[2:16]
    header += struct.pack("<hBhBhB", 0, 1, 278, 1, 0, 0xFF)
    record = datex_s5.frame(header.ljust(40, b"\0") + extra + one[BASIC_AT:])
    assert polled(MemoryLine(unasked=[record])) == [37.12, 36.95, 38.40, 41.05]


def test_the_reserved_byte_before_the_class_may_be_anything() -> None:
    line = MemoryLine(unasked=[changed(BASIC_AT + 276, b"\x5b\xf0")])
    assert polled(line) == [37.12, 36.95, 38.40, 41.05]


def test_an_escape_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadReply, match="an escape that S/5 monitors do not use"):
        datex_s5.decode_record(FOUR[:100] + b"\x7d\x41" + FOUR[102:])


def test_another_device_or_baud_rate_is_told_with_what_arrived() -> None:
    with pytest.raises(BadReply, match=r"00 ff .* instead of a record .* \(19200 8E1\)"):
        polled(MemoryLine(unasked=[b"\x00\xff" * 1500]))


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"interval_s": 1}, "interval_s = 1 cannot be used; it must be a whole number from 5 to"),
        ({"class_mask": 1}, "class_mask = 1 cannot be used; it must be one of 0, 2, 4"),
        ({"dri_level": 256}, "dri_level = 256 cannot be used"),
    ],
)
def test_settings_that_no_monitor_takes_are_refused(
    setting: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SettingError, match=sentence):
        DatexS5(**setting)


def test_the_line_is_19200_8e1_unless_the_site_says_otherwise() -> None:
    serial = DatexS5().serial
    assert (serial.baud, serial.bytesize, serial.parity, serial.stopbits) == (19200, 8, "E", 1)
    assert DatexS5(parity="N").serial.parity == "N"


def test_one_flipped_bit_never_passes_the_sum() -> None:
    for bit in range(8 * len(FOUR)):
        spoiled = bytearray(FOUR)
        spoiled[bit // 8] ^= 1 << bit % 8
        with pytest.raises((BadReply, NoReply)):
            polled(MemoryLine(unasked=[bytes(spoiled)]))
