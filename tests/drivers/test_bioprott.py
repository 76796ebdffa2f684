"""em-tec BioProTT: speaks unasked; the newest whole line counts, and nothing is ever written."""

import pytest

from drivers.classes import SettingError
from drivers.dialogue import BadReply, NoReply
from drivers.emtec_bioprott import BioProTT
from service.core.model import Validity
from tests.drivers.memory import MemoryLine


def line_of(flow: int, ends: bytes = b"\r\n") -> bytes:
    return f"00 00 100 1.00 {flow + 1} {flow} {flow - 1} +41".encode() + ends


def flow_of(line: MemoryLine, **settings: object) -> float | None:
    return line.run(BioProTT(**settings).poll()).measured[0].value


@pytest.mark.parametrize("ends", [b"\r\n", b"\n\r"])
def test_a_line_is_read_with_either_order_of_line_ends(ends: bytes) -> None:
    assert flow_of(MemoryLine(unasked=[line_of(600, ends)])) == 600.0


@pytest.mark.parametrize(("mean_s", "flow"), [(0.1, 601.0), (1, 600.0), (10, 599.0)])
def test_the_mean_is_a_setting(mean_s: float, flow: float) -> None:
    assert flow_of(MemoryLine(unasked=[line_of(600)]), mean_s=mean_s) == flow


def test_a_mean_that_the_meter_does_not_have_is_refused() -> None:
    with pytest.raises(SettingError, match=r"mean_s = 5 cannot be used; .* 0.1, 1.0, 10.0"):
        BioProTT(mean_s=5)


def test_of_several_lines_that_waited_the_newest_counts() -> None:
    assert flow_of(MemoryLine(unasked=[line_of(100) + line_of(200) + line_of(300)])) == 300.0


@pytest.mark.parametrize("cut", range(1, len(line_of(600))))
def test_opened_in_the_middle_of_a_line_it_finds_the_next(cut: int) -> None:
    assert flow_of(MemoryLine(unasked=[line_of(7195)[cut:] + line_of(600)])) == 600.0


def test_a_disturbed_line_between_two_good_ones_is_left_out() -> None:
    line = MemoryLine(unasked=[line_of(100) + b"00 00 100 1.00 6x0 600 600 +41\r\n"])
    polled = line.run(BioProTT().poll())
    assert (polled.measured[0].value, polled.errors) == (100.0, 1)


def test_a_flow_with_poor_coupling_is_doubted() -> None:
    line = MemoryLine(unasked=[b"00 24 34 0.99 610 600 590 +43\r\n"])
    measured = line.run(BioProTT().poll()).measured[0]
    assert (measured.value, measured.validity) == (600.0, Validity.QUESTIONABLE)
    assert measured.reason == "poor coupling"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"00 24 34 0.99 ------- ------- ------- +43\r\n", "poor coupling"),
        (b"00 E0 --- ---- ------- ------- ------- +35\r\n", "no sensor"),
        (b"1A 41 --- ---- ------- ------- ------- +71\r\n", "meter error 1A"),
        (b"1A 41 100 1.00 600 600 600 +71\r\n", "meter error 1A"),
    ],
)
def test_without_a_flow_the_reason_is_told(said: bytes, reason: str) -> None:
    measured = MemoryLine(unasked=[said]).run(BioProTT().poll()).measured[0]
    assert (measured.value, measured.validity) == (None, Validity.INVALID)
    assert measured.reason == reason


def test_another_device_s_lines_are_told() -> None:
    line = MemoryLine(unasked=[b"S S     100.00 g\r\n"] * 3)
    with pytest.raises(BadReply, match=r'"S S .*" arrived, which is no line of a BioProTT'):
        line.run(BioProTT().identify())


def test_silence_is_told_and_nothing_is_ever_written() -> None:
    line = MemoryLine()
    with pytest.raises(NoReply, match="no answer"):
        line.run(BioProTT().identify())
    assert line.sent == []
