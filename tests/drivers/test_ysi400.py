"""YSI-400 thermistors: the curve, and what a broken lead looks like before its flag trips."""

import pytest

from drivers.dcon import Dcon
from drivers.ysi400 import OPEN_ABOVE_OHM, SHORT_BELOW_OHM, temperature_c
from service.core.model import Validity
from simulator.devices import ysi_2252
from tests.drivers.memory import MemoryLine

TABLE_OHM = {35: 1472, 36: 1412, 37: 1355, 38: 1301, 39: 1249, 40: 1200}
TABLE_OHM |= {41: 1153, 42: 1108, 43: 1065, 44: 1023, 45: 984}
BODY_OHM, SLOPE_OHM_PER_K = 1108.0, -44.0


def read(ohm: float) -> tuple[float | None, Validity]:
    said = f">{f'{ohm:+07.1f}' if ohm < 9999.9 else f'{ohm:+06.0f}.'}\r".encode()
    driver = Dcon(channels=1, gives="ohm")
    (measured,) = MemoryLine(lambda heard: said).run(driver.poll()).measured
    return measured.value, measured.validity


@pytest.mark.parametrize(("celsius", "ohm"), TABLE_OHM.items())
def test_the_table_of_the_probe_is_met_to_a_fiftieth_of_a_degree(celsius: int, ohm: int) -> None:
    assert temperature_c(ohm) == pytest.approx(celsius, abs=0.02)


def test_two_published_curves_agree_within_0_03_degrees_from_35_to_45() -> None:
    for hundredth in range(3500, 4501, 5):
        ohm = ysi_2252.ohm(hundredth / 100)
        assert abs(temperature_c(ohm) - hundredth / 100) < 0.03


def test_an_open_lead_reads_cold() -> None:
    before_c, _ = read(BODY_OHM)
    assert before_c is not None
    for added_ohm in (44.0, 500.0, 3000.0, 6000.0):
        value_c, validity = read(BODY_OHM + added_ohm)
        assert validity is Validity.VALID
        assert value_c is not None
        assert value_c < before_c, "a contact that goes bad looks like real cooling"
        before_c = value_c
    assert before_c < 3.0


def test_an_open_lead_loses_its_value_once_the_range_flag_trips() -> None:
    assert read(OPEN_ABOVE_OHM)[1] is Validity.VALID
    for ohm in (OPEN_ABOVE_OHM + 0.1, 9999.9, 75_000.0):
        assert read(ohm) == (None, Validity.UNDERFLOW)


def test_a_bad_contact_of_44_ohm_cools_a_body_by_one_degree() -> None:
    value_c, _ = read(BODY_OHM - SLOPE_OHM_PER_K)
    assert value_c == pytest.approx(temperature_c(BODY_OHM) - 1.0, abs=0.05)


def test_a_short_reads_hot() -> None:
    before_c, _ = read(BODY_OHM)
    assert before_c is not None
    for left_ohm in (1000.0, 600.0, 300.0, SHORT_BELOW_OHM):
        value_c, validity = read(left_ohm)
        assert validity is Validity.VALID
        assert value_c is not None
        assert value_c > before_c
        before_c = value_c
    assert before_c > 95.0


def test_a_short_loses_its_value_once_the_range_flag_trips() -> None:
    for ohm in (SHORT_BELOW_OHM - 0.1, 10.0, 0.0):
        assert read(ohm) == (None, Validity.OVERFLOW)


@pytest.mark.parametrize("ohm", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_resistance_is_refused(ohm: float) -> None:
    with pytest.raises(ValueError, match="no resistance of a thermistor"):
        temperature_c(ohm)
