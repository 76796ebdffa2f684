"""DCON and ADAM ASCII: eight temperatures in one line, with or without a check sum."""

import pytest

from drivers.classes import SettingError
from drivers.dcon import Dcon, check_sum
from drivers.dialogue import BadReply, NoReply, Refused
from service.core.model import Validity
from simulator.devices.dcon import AsciiModule, AsciiModuleSettings
from tests.drivers.memory import MemoryLine, scripted
from tests.drivers.transcripts import exchange

BODY_C = (37.12, 41.05, 41.90, 42.30, 41.88, 36.95)
GOOD = b">+037.12+041.05+041.90+042.30+041.88+036.95              \r"
KNOWN = {b"#01\r": GOOD, b"$01M\r": b"!017018\r", b"$012\r": b"!01200600\r"}


def line(**changed: bytes) -> MemoryLine:
    """A module at address 1; `values`, `name` and `configuration` change what it says."""
    tx = {"values": b"#01\r", "name": b"$01M\r", "configuration": b"$012\r"}
    return MemoryLine(scripted(KNOWN | {tx[key]: said for key, said in changed.items()}))


def bench(**settings: object) -> MemoryLine:
    """The simulated module, which was written from the manuals apart from the driver."""
    sources = [lambda c=c: c for c in BODY_C]
    module = AsciiModule(sources, AsciiModuleSettings(**settings))
    return MemoryLine(lambda heard: b"".join(send.data for send in module.receive(heard, 0.0)))


def test_a_module_is_identified_by_name_and_type_and_read() -> None:
    memory, driver = line(), Dcon()
    assert memory.run(driver.identify()).model == "DCON module 7018, type 20"
    polled = memory.run(driver.poll())
    assert [one.value for one in polled.measured] == [*BODY_C, None, None]
    assert polled.measured[7].validity is Validity.NOT_AVAILABLE
    assert polled.measured[7].reason == "the channel is disabled in the module"


@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize("gives", ["degC", "ohm"])
def test_the_simulated_module_is_read_in_each_of_its_formats(checksum: bool, gives: str) -> None:
    memory = bench(address=255, checksum=checksum, ohm=gives == "ohm", disabled=frozenset({7}))
    driver = Dcon(address=255, checksum=checksum, gives=gives)
    assert memory.run(driver.identify()).model == "DCON module 7018, type 20"
    *six, seventh, eighth = memory.run(driver.poll()).measured
    assert [one.value for one in six] == pytest.approx(BODY_C, abs=0.03)
    assert (seventh.validity, eighth.value) == (Validity.NOT_AVAILABLE, None)


@pytest.mark.parametrize("said", [b"", b"?01\r"])
def test_a_module_that_tells_neither_name_nor_configuration_is_enough(said: bytes) -> None:
    memory, driver = line(name=said, configuration=said), Dcon()
    assert memory.run(driver.identify()).model == "DCON module"
    assert memory.run(driver.poll()).measured[0].value == 37.12


@pytest.mark.parametrize(
    ("configuration", "settings", "sentence"),
    [
        (b"!01200602\r", {}, "module 1 gives hexadecimal values; set its data format to engin"),
        (b"!01200601\r", {}, "gives percent of full scale; set its data format to engineering"),
        (b"!01200603\r", {}, "gives ohm; set its data format to engineering units, or correct"),
        (b"!01200600\r", {"gives": "ohm"}, "gives engineering units; set its data format to ohm"),
        (b"!01200620\r", {}, "module 1 measures in °F; set it to Celsius"),
    ],
)
def test_a_module_whose_values_would_be_misread_is_refused(
    configuration: bytes, settings: dict, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        line(configuration=configuration).run(Dcon(**settings).identify())


def test_a_module_without_a_fahrenheit_bit_may_set_it_to_what_it_likes() -> None:
    memory = line(configuration=b"!01200620\r")
    assert "type 20" in memory.run(Dcon(fahrenheit_bit=0).identify()).model


def test_a_disturbed_configuration_is_told_and_not_believed() -> None:
    with pytest.raises(BadReply, match='"2006x0" arrived, which is no configuration'):
        line(configuration=b"!012006x0\r").run(Dcon().identify())


def test_codes_out_of_range_of_a_module_are_a_setting() -> None:
    said = b">+999.99-999.99" + b"+037.00" * 6 + b"\r"
    first, second, *_ = line(values=said).run(Dcon().poll()).measured
    assert (first.value, first.validity) == (None, Validity.OVERFLOW), "no body is at 999.99 °C"
    assert (second.value, second.validity) == (None, Validity.UNDERFLOW)
    driver = Dcon(over_codes=["-999.99"], under_codes=["+999.99"])
    first, second, *_ = line(values=said).run(driver.poll()).measured
    assert (first.validity, first.reason) == (Validity.UNDERFLOW, "shorted probe or under range")
    assert (second.validity, second.reason) == (Validity.OVERFLOW, "open probe or over range")


@pytest.mark.parametrize(
    "said",
    [
        GOOD[:-8] + b"\r",
        GOOD[:-1] + b"+037.00\r",
        GOOD.replace(b"+037.12", b"+37.12"),
        GOOD.replace(b"+037.12", b"+0371.12"),
        GOOD.replace(b"+037.12", b" 037.12"),
        GOOD.replace(b"+037.12", b"+037.1x"),
        GOOD.replace(b"+037.12", b"+0.7.12"),
        b">7FFF8000" + b"0E80" * 6 + b"\r",
        b">\r",
    ],
)
def test_a_line_that_is_not_eight_whole_fields_gives_no_value(said: bytes) -> None:
    with pytest.raises(BadReply, match="not the values of 8 channels; look at the setting channel"):
        line(values=said).run(Dcon().poll())


def test_six_channels_of_a_module_are_a_setting() -> None:
    memory = line(values=b">" + b"+036.80" * 6 + b"\r")
    driver = Dcon(channels=6)
    assert [one.number for one in driver.inputs] == [1, 2, 3, 4, 5, 6]
    assert [one.value for one in memory.run(driver.poll()).measured] == [36.8] * 6


def test_silence_is_told_with_what_check_sums_have_to_do_with_it() -> None:
    memory = bench(checksum=True)
    with pytest.raises(NoReply, match=r"no answer \(a module that uses check sums is silent"):
        memory.run(Dcon().identify())


def test_an_answer_without_the_check_sum_that_is_wanted_is_told() -> None:
    said = {b"#0184\r": GOOD}
    with pytest.raises(BadReply, match="with a wrong check sum, or without one"):
        MemoryLine(scripted(said)).run(Dcon(checksum=True).poll())


def test_no_single_wrong_bit_passes_the_check_sum() -> None:
    one = exchange(Dcon.name, "six probes, two disabled channels, with a check sum")
    driver = Dcon(address=4, checksum=True)
    right = [
        each.value for each in MemoryLine(scripted({one.tx: one.rx})).run(driver.poll()).measured
    ]
    assert right[:6] == list(BODY_C)
    for at in range(len(one.rx) - 1):
        for bit in range(8):
            wrong = bytearray(one.rx)
            wrong[at] ^= 1 << bit
            with pytest.raises((BadReply, NoReply, Refused)):
                MemoryLine(lambda heard, wrong=wrong: bytes(wrong)).run(driver.poll())


def test_the_check_sum_is_the_manual_s() -> None:
    assert check_sum(b"$012") == b"B7"
    assert check_sum(b"!01200600") == b"AA"


def test_another_module_s_name_is_not_taken_for_this_one_s() -> None:
    with pytest.raises(BadReply, match="no answer of module 1"):
        line(name=b"!027018\r").run(Dcon().identify())


def test_a_refusal_names_the_module_and_what_to_look_at() -> None:
    with pytest.raises(Refused, match=r"module 1 refuses the question \(it answers \?01\)"):
        line(values=b"?01\r").run(Dcon().poll())


def test_an_endless_answer_is_given_up() -> None:
    with pytest.raises(BadReply, match="without an end of line"):
        line(values=b">" + b"+037.00" * 40).run(Dcon().poll())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"address": 0}, "address = 0 cannot be used; it must be a whole number from 1 to 255"),
        ({"address": 256}, "address = 256 cannot be used"),
        ({"checksum": 1}, "checksum = 1 cannot be used; it must be true or false"),
        ({"gives": "kohm"}, "it must be one of 'degC', 'ohm'"),
        ({"over_codes": "+9999"}, "over_codes = .* it must be a list of texts"),
        ({"under_codes": ["9999"]}, "under_codes = .* it must be a list of texts"),
        ({"channels": 0}, "channels = 0 cannot be used; it must be a whole number from 1 to 16"),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(settings: dict, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        Dcon(**settings)
