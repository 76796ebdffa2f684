import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices import ysi_2252
from simulator.devices.dcon import AsciiModule, AsciiModuleSettings
from simulator.devices.instrument import Fault
from simulator.faults import FaultError, Line

BODY_C = (37.12, 41.05, 41.90, 42.30, 41.88, 36.95)


class Bench:
    """A module with six probes whose temperatures a test may change."""

    def __init__(self, *values_c: float, **settings) -> None:
        self.values_c = list(values_c or BODY_C)
        sources = [lambda n=n: self.values_c[n] for n in range(len(self.values_c))]
        self.device = AsciiModule(sources, AsciiModuleSettings(**settings))

    def ask(self, text: str) -> str:
        sends = self.device.receive(text.encode() + b"\r", 0.0)
        return b"".join(send.data for send in sends).decode()


def summed(text: str) -> str:
    return f"{text}{sum(text.encode()) % 256:02X}"


def test_all_channels_come_in_seven_characters_each_without_a_separator():
    room = Bench(5.123, 4.153, 7.234, -2.356, 10.0, -5.133, 2.345, 8.234, address=4)
    assert room.ask("#04") == ">+005.12+004.15+007.23-002.36+010.00-005.13+002.35+008.23\r"


def test_a_disabled_channel_is_seven_spaces_and_an_empty_one_is_over_range():
    room = Bench(disabled=frozenset({2, 7}))
    assert room.ask("#01") == ">+037.12       +041.90+042.30+041.88+036.95       +9999.9\r"
    assert room.ask("$016") == "!01BD\r"


def test_one_channel_is_asked_by_its_number_from_zero():
    room = Bench()
    assert room.ask("#013") == ">+042.30\r"
    assert room.ask("#018") == "?01\r"


def test_configuration_name_and_wire_break_are_told():
    room = Bench(type_code=0x0F, name="4018P")
    assert room.ask("$012") == "!010F0600\r"
    assert room.ask("$01M") == "!014018P\r"
    assert room.ask("$01B") == "!01C0\r", "nothing is plugged in at inputs 7 and 8"


def test_with_check_sums_on_every_answer_has_one_and_a_question_needs_one():
    room = Bench(checksum=True)
    assert room.ask("$012B7") == summed("!01200640") + "\r"
    assert (
        room.ask("#0184")
        == summed(">" + "".join(f"+0{c:.2f}" for c in BODY_C) + "+9999.9+9999.9") + "\r"
    )
    assert room.ask("#01") == ""
    assert room.ask("#0185") == ""
    assert room.ask("$01XDD") == summed("?01") + "\r"


@pytest.mark.parametrize("text", ["#02", "01", "#1", "#0g", "#fF", "\x80#01", "?01", ">01", "~**"])
def test_bad_syntax_another_address_and_the_host_s_broadcast_are_met_with_silence(text):
    assert Bench().ask(text) == ""


@pytest.mark.parametrize("text", ["$01Z", "%0102200600", "@01", "#01AB", "$01"])
def test_a_command_that_it_has_not_is_answered_with_a_question_mark(text):
    assert Bench().ask(text) == "?01\r"


def test_an_open_lead_is_over_range_and_a_short_is_under_range():
    room = Bench()
    room.device.faults.set(Fault(name="open", input=1))
    room.device.faults.set(Fault(name="short", input=2))
    room.device.sample(1.0)
    assert room.ask("#01")[1:15] == "+9999.9-9999.9"
    assert room.ask("$01B") == "!01C3\r"


def test_the_texts_out_of_range_of_an_adam_module_are_shorter():
    room = Bench(over="+9999", under="-0000")
    room.device.faults.set(Fault(name="short", input=2))
    room.device.sample(1.0)
    assert room.ask("#01") == ">+037.12-0000+041.90+042.30+041.88+036.95+9999+9999\r"


def test_as_resistance_a_short_is_nothing_and_a_cold_probe_has_many_ohm():
    room = Bench(37.0, 42.0, 0.0, -40.0, 25.0, ohm=True, channels=6)
    room.device.faults.set(Fault(name="short", input=5))
    room.device.sample(1.0)
    assert room.ask("#01") == ">+1354.3+1107.1+7348.6+75000.+0000.0+9999.9\r"
    assert room.ask("$012") == "!01200603\r"


@pytest.mark.parametrize(("celsius", "ohm"), [(25, 2252), (35, 1472), (37, 1355), (45, 984)])
def test_the_curve_of_the_probe_meets_its_table_and_its_own_inverse(celsius, ohm):
    assert ysi_2252.ohm(celsius) == pytest.approx(ohm, abs=2.0)
    assert ysi_2252.celsius(ysi_2252.ohm(celsius)) == pytest.approx(celsius, abs=1e-6)


def test_values_change_once_per_scan_and_a_probe_may_drift():
    room = Bench()
    room.values_c[0] = 39.0
    room.device.faults.set(Fault(name="drift", input=1, value=-1.0))
    room.device.sample(0.9)
    assert room.ask("#010") == ">+037.12\r"
    room.device.sample(59.1)
    assert room.ask("#010") == ">+038.00\r"


def test_a_refusing_module_answers_with_a_question_mark_and_power_brings_no_word():
    room = Bench()
    room.device.faults.set(Fault(name="refuses"))
    assert room.ask("#01") == "?01\r"
    room.device.receive(b"#0", 1.0)
    room.device.power_up()
    assert room.ask("#01") == "?01\r"


def test_a_false_check_sum_can_only_be_sent_where_there_is_one():
    with_sum, without = Line("a", Bench(checksum=True).device), Line("b", Bench().device)
    right = with_sum.receive(b"#0184\r", 0.0)[0].data
    with_sum.fault(Fault(name="wrong_crc"), 0.0)
    wrong = with_sum.receive(b"#0184\r", 1.0)[0].data
    assert wrong[:-3] == right[:-3]
    assert wrong[-3:] != right[-3:]
    with pytest.raises(FaultError, match="b sends no checksum"):
        without.fault(Fault(name="wrong_crc"), 0.0)
    with pytest.raises(FaultError, match="names no unit in its replies"):
        without.fault(Fault(name="wrong_unit"), 0.0)


@pytest.mark.parametrize("checksum", [False, True])
@given(chunks=st.lists(st.binary(max_size=40), max_size=5))
def test_after_any_rubbish_a_proper_question_is_answered(checksum, chunks):
    room = Bench(checksum=checksum)
    for chunk in chunks:
        room.device.receive(chunk, 1.0)
    room.device.receive(b"\r", 2.0)
    assert room.ask("#0184" if checksum else "#01").startswith(">+037.12+041.05")
