"""Drivers by the name that the site file uses."""

import pytest

from drivers.classes import SettingError
from drivers.registry import DRIVERS, make_driver
from service.core.model import DeviceClass


def test_the_families_are_there_by_name() -> None:
    assert set(DRIVERS) == {
        "datex_s5",
        "dcon_temperature",
        "icpdas_digital",
        "icpdas_tm_th8",
        "modbus_map",
        "lauda",
        "masterflex",
        "neslab",
        "watson_marlow",
        "julabo",
        "mettler_sics",
        "keller_33x",
        "emtec_bioprott",
    }


@pytest.mark.parametrize("name", sorted(DRIVERS))
def test_each_driver_says_what_it_is(name: str) -> None:
    driver = make_driver(name, {})
    drives = driver.device_class in (DeviceClass.PUMP, DeviceClass.HEATER, DeviceClass.SWITCHES)
    assert driver.name == name
    assert driver.manual
    assert driver.revision
    assert drives == (driver.stop_bound_s > 0)
    assert len({one.number for one in driver.inputs}) == len(driver.inputs)
    assert driver.inputs or name == "modbus_map", "only the site file knows the inputs of a map"


def test_an_unknown_driver_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingError, match=r'no driver "abacus"; known are: .*emtec_bioprott, .*'):
        make_driver("abacus", {})


@pytest.mark.parametrize("name", sorted(DRIVERS))
def test_each_driver_refuses_an_unknown_setting(name: str) -> None:
    with pytest.raises(SettingError, match=rf"{name} has no setting colour; allowed are: baud"):
        make_driver(name, {"colour": "red"})
