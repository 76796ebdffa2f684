"""The reservoir's scale: volumes, what leans on it, and a tare that was lost with the power."""

import pytest

from drivers.classes import Measured, SettingError
from drivers.dialogue import BadReply, NoReply, Refused
from drivers.mettler_sics import RESTARTED, MettlerSics
from service.core.model import Validity
from simulator.devices.mettler import Scale, ScaleSettings
from tests.drivers.memory import MemoryLine, scripted

GREETING = b'I4 A "0123456789"\r\n'


class Bench:
    """The simulated scale with a reservoir, polled once a second."""

    def __init__(self, given: dict | None = None, **settings: object) -> None:
        self.ml = 2000.0
        self.scale = Scale(lambda: self.ml, ScaleSettings(**settings))
        self.on = True
        self.line = MemoryLine(self._answer)
        self.driver = MettlerSics(**(given or {}))

    def _answer(self, heard: bytes) -> bytes:
        sends = self.scale.receive(heard, self.line.seconds) if self.on else []
        return b"".join(send.data for send in sends)

    def poll(self, ml: float | None = None) -> Measured:
        self.ml = self.ml if ml is None else ml
        self.line.seconds += 1.0
        self.scale.sample(1.0)
        return self.line.run(self.driver.poll()).measured[0]


def said(*lines: bytes, **settings: object) -> Measured:
    line = MemoryLine(lambda heard: b"\r\n".join(lines) + b"\r\n")
    return line.run(MettlerSics(**settings).poll()).measured[0]


def test_the_scale_is_known_by_its_serial_number() -> None:
    bench = Bench()
    identity = bench.line.run(bench.driver.identify())
    assert (identity.model, identity.serial) == ("MT-SICS scale", "0123456789")
    assert bench.line.sent == [b"SI\r\n", b"I4\r\n", b"TA\r\n"]


def test_the_reset_that_clears_the_tare_is_never_sent() -> None:
    bench = Bench()
    bench.line.run(bench.driver.identify())
    for _ in range(30):
        bench.poll()
    assert set(bench.line.sent) == {b"SI\r\n", b"I4\r\n", b"TA\r\n"}


def test_volume_is_net_mass_by_density() -> None:
    assert said(b"S S    1025.00 g", density_g_ml=1.025).value == 1000.0
    assert said(b"S S    1025.00 g").value == 1025.0


def test_a_reservoir_that_empties_with_the_flow_is_valid_while_the_scale_never_rests() -> None:
    bench = Bench()
    for second in range(30):
        measured = bench.poll(2000.0 - 20.0 * second)
        assert measured.validity is Validity.VALID
    assert measured.value == pytest.approx(1420.0)
    assert not bench.scale.rests


def test_who_leans_on_the_scale_is_doubted_and_afterwards_all_is_well() -> None:
    bench = Bench()
    assert bench.poll().validity is Validity.VALID
    for _ in range(10):
        measured = bench.poll(4500.0)
        assert (measured.value, measured.validity) == (4500.0, Validity.QUESTIONABLE)
        assert measured.reason == "jumped by +2500 ml; look what leans on the scale or lifts it"
    assert bench.poll(2000.0) == Measured(input=1, value=2000.0)


def test_a_reservoir_that_was_really_filled_is_believed_when_a_flow_could_have_filled_it() -> None:
    bench = Bench()
    bench.poll()
    doubted = [bench.poll(2500.0).validity for _ in range(12)]
    first_believed = doubted.index(Validity.VALID)
    assert first_believed == 7, "500 ml less the 100 ml of a jump take 8 s at 3000 ml/min"
    assert set(doubted[first_believed:]) == {Validity.VALID}


def test_a_jump_is_a_setting() -> None:
    bench = Bench({"jump_ml": 600, "most_ml_min": 1})
    bench.poll()
    assert bench.poll(2500.0).validity is Validity.VALID
    assert bench.poll(3200.0).validity is Validity.QUESTIONABLE


def test_less_than_an_empty_reservoir_is_doubted() -> None:
    measured = said(b"S S    -600.00 g")
    assert (measured.value, measured.validity) == (-600.0, Validity.QUESTIONABLE)
    assert "look at the tare" in measured.reason
    assert said(b"S S      -5.00 g").validity is Validity.VALID


def test_what_the_scale_says_after_power_on_is_noticed_between_two_polls() -> None:
    bench = Bench()
    bench.line.run(bench.driver.identify())
    bench.poll()
    right = bench.line.device
    bench.line.device = lambda heard: right(heard) + GREETING
    bench.poll()
    bench.line.device = right
    bench.scale.power_up()
    measured = bench.poll()
    assert (measured.value, measured.validity) == (2600.0, Validity.QUESTIONABLE)
    assert measured.reason == RESTARTED


def test_what_the_scale_says_after_power_on_may_come_in_the_place_of_an_answer() -> None:
    measured = said(GREETING.strip(), b"S S    2600.00 g")
    with pytest.raises(NoReply):
        MemoryLine(lambda heard: GREETING).run(MettlerSics().poll())
    line = MemoryLine(lambda heard: GREETING, unasked=[b"S S    2600.00 g\r\n"])
    assert line.run(MettlerSics().poll()).measured[0].reason == RESTARTED
    assert (measured.validity, measured.reason) == (Validity.QUESTIONABLE, RESTARTED)


def test_a_power_cut_that_passed_while_the_cable_was_out_shows_in_the_tare() -> None:
    bench = Bench()
    bench.line.run(bench.driver.identify())
    bench.poll()
    bench.on = False
    with pytest.raises(NoReply):
        bench.poll()
    bench.scale.power_up()
    bench.on = True
    bench.line.run(bench.driver.identify())
    assert bench.poll().reason == RESTARTED


def test_a_power_cut_without_a_word_is_found_within_ten_polls() -> None:
    bench = Bench()
    bench.line.run(bench.driver.identify())
    bench.poll()
    bench.scale.power_up()
    reasons = [bench.poll().reason for _ in range(10)]
    assert RESTARTED in reasons
    jumped = [reason for reason in reasons if reason.startswith("jumped by +600 ml")]
    assert len(jumped) + reasons.count(RESTARTED) == 10, "not one of them is believed"


def test_taring_the_scale_again_makes_its_volumes_valid_again() -> None:
    bench = Bench()
    bench.line.run(bench.driver.identify())
    bench.scale.power_up()
    bench.line.run(bench.driver.identify())
    assert bench.poll(0.0).reason == RESTARTED
    bench.poll(), bench.poll()
    bench.scale.receive(b"T\r\n", bench.line.seconds)
    assert bench.poll() == Measured(input=1, value=0.0)


def test_a_scale_of_level_0_is_enough() -> None:
    bench = Bench(level=0)
    assert bench.line.run(bench.driver.identify()).serial == "0123456789"
    assert all(bench.poll().value == 2000.0 for _ in range(12))


def test_a_scale_of_level_0_that_was_restarted_is_doubted_until_the_next_connection() -> None:
    bench = Bench(level=0)
    bench.line.run(bench.driver.identify())
    right = bench.line.device
    bench.line.device = lambda heard: right(heard) + GREETING
    bench.poll()
    bench.line.device = right
    assert [bench.poll().reason for _ in range(15)] == [RESTARTED] * 15
    bench.line.run(bench.driver.identify())
    assert bench.poll().validity is Validity.VALID


def test_a_scale_that_somebody_left_repeating_is_understood() -> None:
    bench = Bench()
    bench.scale.receive(b"SIR\r\n", 0.0)
    assert bench.line.run(bench.driver.identify()).serial == "0123456789"
    assert bench.scale.due_s() is None, "the question for a weight ends the repetition"


@pytest.mark.parametrize("unit", ["PCS", "%", "N", "ml"])
def test_what_is_no_mass_is_refused_at_once(unit: str) -> None:
    known = {b"SI\r\n": f"S S     100.00 {unit}\r\n".encode(), b"I4\r\n": GREETING}
    with pytest.raises(Refused, match=rf'the scale shows "{unit}", which is no mass; set its unit'):
        MemoryLine(scripted(known)).run(MettlerSics().identify())


@pytest.mark.parametrize("unit", ["g", "kg", "lb"])
def test_a_unit_chosen_at_the_scale_changes_nothing_in_the_volume(unit: str) -> None:
    bench = Bench(unit=unit, decimals=3)
    assert bench.poll().value == pytest.approx(2000.0, abs=0.5)


@pytest.mark.parametrize(
    ("load_ml", "validity", "word"),
    [(20_000.0, Validity.OVERFLOW, "overload"), (-700.0, Validity.UNDERFLOW, "underload")],
)
def test_beyond_its_range_the_scale_has_no_value(
    load_ml: float, validity: Validity, word: str
) -> None:
    measured = Bench().poll(load_ml)
    assert (measured.value, measured.validity) == (None, validity)
    assert measured.reason.startswith(word)


@pytest.mark.parametrize(
    "wrong",
    [
        b"S S    100.00 g",
        b"S S      100.00 g",
        b"S S     100.00g",
        b"S S     1OO.00 g",
        b"S X     100.00 g",
        b"S S     100.00",
        b"S S 100.00     g",
        b"TA A     100.00 g",
        b"00 00 100 1.00 600 600 600 +41",
    ],
)
def test_a_weight_of_another_shape_is_told_and_never_shown(wrong: bytes) -> None:
    with pytest.raises(BadReply, match="arrived instead of a weight"):
        said(wrong)


def test_a_scale_with_narrower_weights_is_a_setting() -> None:
    assert said(b"S S   100.00 g", weight_chars=8).value == 100.0


def test_another_device_in_the_place_of_the_scale_is_told() -> None:
    known = {b"SI\r\n": b"S S     100.00 g\r\n", b"I4\r\n": b"JULABO\r\n"}
    with pytest.raises(BadReply, match='"JULABO" arrived instead of a serial number'):
        MemoryLine(scripted(known)).run(MettlerSics().identify())
    with pytest.raises(NoReply, match="no answer"):
        MemoryLine().run(MettlerSics().identify())


def test_a_scale_without_a_serial_number_says_why() -> None:
    known = {b"SI\r\n": b"S S     100.00 g\r\n", b"I4\r\n": b"EL\r\n"}
    with pytest.raises(Refused, match=r"look which model it is \(it answers EL\)"):
        MemoryLine(scripted(known)).run(MettlerSics().identify())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"density_g_ml": 0}, "density_g_ml = 0 cannot be used; it must be a number from 0.9 to"),
        ({"jump_ml": "10"}, "jump_ml = '10' cannot be used"),
        ({"weight_chars": 3}, "it must be a whole number from 6 to 16"),
        ({"address": 1}, "mettler_sics has no setting address"),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(settings: dict, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        MettlerSics(**settings)
