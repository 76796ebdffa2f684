"""ICP DAS tM-TH8: eight temperatures, and whatever else the module is willing to tell."""

from collections.abc import Iterable

import pytest

from drivers.classes import SettingError
from drivers.crc import crc16
from drivers.dialogue import BadReply, NoReply, Refused
from drivers.icpdas_tm_th8 import TmTh8
from service.core.model import Validity
from tests.drivers.memory import MemoryLine, scripted
from tests.drivers.transcripts import exchange, exchanges

VALUES = "eight channels, one below and one above range"
GOOD = (
    VALUES,
    "range flags of the eight channels (10129-10136)",
    "type codes of the eight channels, all 65 hex (40257-40264)",
    "firmware and name (40481-40484)",
    "temperature unit is Celsius (00267)",
    "data format is engineering units (00269)",
)


def answers(names: Iterable[str]) -> dict[bytes, bytes]:
    return {one.tx: one.rx for one in (exchange("icpdas_tm_th8", name) for name in names)}


def sealed(text: str) -> bytes:
    body = bytes.fromhex(text)
    return body + crc16(body).to_bytes(2, "little")


def test_a_full_module_is_identified_and_read() -> None:
    line = MemoryLine(scripted(answers(GOOD)))
    driver = TmTh8(type_code=0x65)
    identity = line.run(driver.identify())
    assert "tM-TH8" in identity.model
    assert identity.firmware == "a1100000"
    polled = line.run(driver.poll())
    assert [one.value for one in polled.measured][:6] == [37.12, 41.05, 41.90, 42.30, 41.88, 36.95]
    assert polled.measured[6].validity is Validity.UNDERFLOW
    assert polled.measured[7].reason == "open probe or over range"


def test_a_device_that_knows_only_its_values_is_enough() -> None:
    line = MemoryLine(scripted(answers([VALUES])))
    driver = TmTh8(type_code=0x65)
    assert line.run(driver.identify()).model == "tM-TH8"
    optional = len(line.sent)
    assert line.run(driver.poll()).measured[0].value == 37.12
    assert len(line.sent) == optional + 1, "what was silent once is not asked again"


def test_a_device_that_refuses_the_rest_is_enough() -> None:
    refusing = {one.tx: one.rx for one in exchanges("icpdas_tm_th8") if "exception" in one.decoded}
    refusing |= {
        exchange("icpdas_tm_th8", GOOD[3]).tx: sealed("01 83 02"),
        exchange("icpdas_tm_th8", GOOD[4]).tx: sealed("01 81 02"),
        exchange("icpdas_tm_th8", GOOD[5]).tx: sealed("01 81 02"),
    }
    line = MemoryLine(scripted(refusing | answers([VALUES])))
    driver = TmTh8(type_code=0x65)
    assert line.run(driver.identify()).model == "tM-TH8"
    assert line.run(driver.poll()).measured[3].value == 42.30


def test_a_value_whose_range_flag_is_set_is_no_value() -> None:
    flagged = answers(GOOD) | {exchange("icpdas_tm_th8", GOOD[1]).tx: sealed("01 02 01 01")}
    line = MemoryLine(scripted(flagged))
    driver = TmTh8()
    line.run(driver.identify())
    first, second, *_, last = line.run(driver.poll()).measured
    assert (first.value, first.validity) == (None, Validity.INVALID)
    assert (second.value, second.validity) == (41.05, Validity.VALID)
    assert last.validity is Validity.OVERFLOW, "the value's own mark says more than the flag"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("data format is hexadecimal (00269)",), "set its data format to engineering units"),
        (("type codes as delivered, all 60 hex",), r"type 60 on channel 1, the site file says 65"),
    ],
)
def test_a_module_whose_values_would_be_misread_is_refused(change: str, sentence: str) -> None:
    line = MemoryLine(scripted(answers(GOOD) | answers(change)))
    with pytest.raises(Refused, match=sentence):
        line.run(TmTh8(type_code=0x65).identify())


def test_a_module_in_fahrenheit_is_refused() -> None:
    celsius = exchange("icpdas_tm_th8", "temperature unit is Celsius (00267)")
    line = MemoryLine(scripted(answers(GOOD) | {celsius.tx: sealed("01 01 01 00")}))
    with pytest.raises(Refused, match="set it to Celsius"):
        line.run(TmTh8().identify())


def test_a_module_that_was_exchanged_for_one_with_other_curves_is_found_by_its_restart() -> None:
    known = answers(GOOD) | answers(["type codes of the eight channels, all 65 hex (40257-40264)"])
    restart = exchange("icpdas_tm_th8", GOOD[5]).rx
    reset = exchange("icpdas_tm_th8", "a module without coils to read").tx
    line = MemoryLine(scripted(known | {reset: sealed("01 01 01 00")}))
    driver = TmTh8(type_code=0x65)
    line.run(driver.identify())
    line.device = scripted(
        known | {reset: restart} | answers(["type codes as delivered, all 60 hex"])
    )
    with pytest.raises(Refused, match="thermistor type 60"):
        for _ in range(10):
            line.run(driver.poll())


@pytest.mark.requirement("RC-109")
def test_another_module_s_answer_is_not_shown_as_this_one_s() -> None:
    tx = exchange("icpdas_tm_th8", VALUES).tx
    line = MemoryLine(scripted({tx: sealed("02 04 10" + "0e80" * 8)}))
    with pytest.raises(BadReply, match="not from module 1"):
        line.run(TmTh8().identify())


def test_a_wrong_check_sum_and_silence_are_told_apart() -> None:
    one = exchange("icpdas_tm_th8", VALUES)
    with pytest.raises(BadReply, match="wrong check sum"):
        MemoryLine(scripted({one.tx: one.rx[:-1] + b"\0"})).run(TmTh8().identify())
    with pytest.raises(NoReply, match="no answer"):
        MemoryLine().run(TmTh8().identify())
    with pytest.raises(NoReply, match="broke off after 01 04 10"):
        MemoryLine(scripted({one.tx: one.rx[:5]})).run(TmTh8().identify())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"address": 0}, "address = 0 cannot be used; it must be a whole number from 1 to 247"),
        ({"type_code": "65"}, "type_code = '65' cannot be used"),
        ({"type_code": [0x65, 0x65]}, "a list of eight"),
        ({"adress": 1}, "has no setting adress; allowed are: baud, .*address, type_code"),
        ({"parity": "X"}, "it must be one of 'N', 'E', 'O'"),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(settings: dict, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        TmTh8(**settings)


def test_line_settings_of_the_site_override_the_device_s_usual_ones() -> None:
    serial = TmTh8(baud=19200, parity="E").serial
    assert (serial.baud, serial.parity, serial.bits_per_char) == (19200, "E", 11)
