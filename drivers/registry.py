"""The drivers by the name that `site.toml` uses."""

from collections.abc import Mapping

from drivers.classes import Driver, SettingError
from drivers.emtec_bioprott import BioProTT
from drivers.icpdas_tm_th8 import TmTh8
from drivers.julabo import Julabo
from drivers.keller_33x import Keller33X
from drivers.watson_marlow import WatsonMarlow

DRIVERS: Mapping[str, type[Driver]] = {
    driver.name: driver for driver in (TmTh8, WatsonMarlow, Julabo, Keller33X, BioProTT)
}


def make_driver(name: str, settings: Mapping[str, object]) -> Driver:
    """The driver of this name with its settings (`address`, `baud` and its own).

    Raises `SettingError` with a sentence that names what is allowed.
    """
    if name not in DRIVERS:
        known = ", ".join(sorted(DRIVERS))
        raise SettingError(f'there is no driver "{name}"; known are: {known}.')
    return DRIVERS[name](**settings)
