"""The drivers by the name that `site.toml` uses."""

from collections.abc import Mapping

from drivers.classes import Driver, SettingError
from drivers.datex_s5 import DatexS5
from drivers.dcon import Dcon
from drivers.emtec_bioprott import BioProTT
from drivers.icpdas_digital import IcpDasDigital
from drivers.icpdas_tm_th8 import TmTh8
from drivers.julabo import Julabo
from drivers.keller_33x import Keller33X
from drivers.lauda import Lauda
from drivers.masterflex import MasterFlex
from drivers.mettler_sics import MettlerSics
from drivers.modbus_map import ModbusMap
from drivers.neslab import Neslab
from drivers.watson_marlow import WatsonMarlow

DRIVERS: Mapping[str, type[Driver]] = {
    driver.name: driver
    for driver in (
        BioProTT,
        DatexS5,
        Dcon,
        IcpDasDigital,
        Julabo,
        Keller33X,
        Lauda,
        MasterFlex,
        MettlerSics,
        ModbusMap,
        Neslab,
        TmTh8,
        WatsonMarlow,
    )
}


def most_hz(driver: Driver) -> float | None:
    """How often this device gives readings at most: its attribute `most_hz`, if it has one; None
    where only the line limits it."""
    return getattr(driver, "most_hz", None)


def asked_at(driver: Driver) -> str:
    """How a device is asked: line settings and addresses, as `9600 8N1, address 1`."""
    addresses: tuple[int, ...] = getattr(driver, "addresses", ())
    named = f", address {' or '.join(map(str, addresses))}" if addresses else ""
    return f"{driver.serial}{named}"


def make_driver(name: str, settings: Mapping[str, object]) -> Driver:
    """The driver of this name with its settings (`address`, `baud` and its own).

    Raises `SettingError` with a sentence that names what is allowed.
    """
    if name not in DRIVERS:
        known = ", ".join(sorted(DRIVERS))
        raise SettingError(f'there is no driver "{name}"; known are: {known}.')
    return DRIVERS[name](**settings)
