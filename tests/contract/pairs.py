"""How each driver is paired with its simulated twin: the one table that a new driver adds to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.devices.bioprott import FlowMeter
from simulator.devices.datex_s5 import PatientMonitor
from simulator.devices.dcon import AsciiModule, AsciiModuleSettings
from simulator.devices.digital import DigitalModule, DigitalSettings
from simulator.devices.instrument import Instrument
from simulator.devices.julabo import Circulator
from simulator.devices.keller_33x import PressureLine
from simulator.devices.keller_transmitter import TransmitterSettings
from simulator.devices.lauda import Thermostat, ThermostatSettings
from simulator.devices.masterflex import DriveSettings, PumpDrive
from simulator.devices.mettler import Scale
from simulator.devices.modbus_map import Register, RegisterSlave, RegisterSlaveSettings
from simulator.devices.neslab import BathSettings, CirculatingBath
from simulator.devices.probe import Source
from simulator.devices.tm_th8 import ThermistorModule, ThermistorSettings
from simulator.devices.watson_marlow import PeristalticPump, PumpSettings

BODY_C = (37.12, 41.05, 41.90, 42.30, 41.88, 36.95)
BATH_C = 41.5
RPM, ML_PER_REV = 50.0, 15.84
MAP = [
    {"number": number, "register": number - 1, "table": "holding", "scale": 0.01}
    | {"overflow": [32767], "underflow": [-32768]}
    for number in range(1, 7)
]


def no_settings(address: int) -> dict[str, Any]:
    return {}


def by_address(address: int) -> dict[str, Any]:
    return {"address": address}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One driver and its twin.

    `twin(address, shift)` makes the device at this address with every measurement `shift` higher;
    `settings(address)` are the driver's; `truth` is what the driver shows of twin (1, 0.0). A
    device that `shares` may stand with others on one line. `interval_s` is how often it is read.
    """

    driver: str
    port: str
    twin: Callable[[int, float], Instrument]
    truth: Mapping[int, float]
    settings: Callable[[int], dict[str, Any]] = by_address
    shares: bool = True
    interval_s: float = 0.25


def probes(shift: float) -> list[Source]:
    return [lambda c=c: c + shift for c in BODY_C]


def body_truth(first: int = 1, last: int = 6) -> dict[int, float]:
    return {number: BODY_C[number - 1] for number in range(first, last + 1)}


def thermistors(address: int, shift: float) -> Instrument:
    return ThermistorModule(probes(shift), ThermistorSettings(address=address))


def ascii_module(address: int, shift: float, *, checksum: bool = False) -> Instrument:
    return AsciiModule(probes(shift), AsciiModuleSettings(address=address, checksum=checksum))


def registers(address: int, shift: float) -> Instrument:
    made = [Register(source=c, first=n, per_digit=0.01) for n, c in enumerate(probes(shift))]
    return RegisterSlave(made, RegisterSlaveSettings(address=address))


def running_pump(address: int, shift: float) -> Instrument:
    pump = PeristalticPump(PumpSettings(number=address))
    pump.start(RPM + shift)
    return pump


def running_323(address: int, shift: float) -> Instrument:
    pump = PeristalticPump(PumpSettings.dialect_323(number=address, ml_per_rev=ML_PER_REV))
    pump.start(RPM + shift)
    return pump


def running_masterflex(address: int, shift: float) -> Instrument:
    pump = PumpDrive(DriveSettings(address=address))
    pump.start(RPM + shift)
    return pump


def julabo_bath(address: int, shift: float) -> Instrument:
    bath = Circulator(lambda: BATH_C + shift, lambda: 12.0)
    bath.start(44.0)
    return bath


def lauda_bath(address: int, shift: float) -> Instrument:
    bath = Thermostat(lambda: BATH_C + shift, ThermostatSettings(address=address))
    bath.start(44.0 + shift)
    return bath


def neslab_bath(address: int, shift: float) -> Instrument:
    bath = CirculatingBath(lambda: BATH_C + shift, BathSettings(address=address))
    bath.start(44.0 + shift)
    return bath


def pressure(address: int, shift: float) -> Instrument:
    return PressureLine([(lambda: 12.0 + shift, TransmitterSettings(address=address))])


def contacts(address: int, shift: float) -> Instrument:
    states = [bool(shift), True, not shift, False]
    return DigitalModule(
        [lambda on=on: on for on in states], DigitalSettings(address=address, outputs=2)
    )


PAIRS: Mapping[str, Pair] = {
    "icpdas_tm_th8": Pair(
        driver="icpdas_tm_th8", port="circuit", twin=thermistors, truth=body_truth()
    ),
    "dcon_temperature": Pair(
        driver="dcon_temperature", port="dcon", twin=ascii_module, truth=body_truth()
    ),
    "dcon_temperature with check sum": Pair(
        driver="dcon_temperature",
        port="dcon-sum",
        twin=lambda address, shift: ascii_module(address, shift, checksum=True),
        truth=body_truth(),
        settings=lambda address: {"address": address, "checksum": True},
    ),
    "modbus_map": Pair(
        driver="modbus_map",
        port="map",
        twin=registers,
        truth=body_truth(),
        settings=lambda address: {"address": address, "input": MAP},
    ),
    "datex_s5": Pair(
        driver="datex_s5",
        port="monitor",
        twin=lambda address, shift: PatientMonitor(probes(shift)[:2]),
        truth=body_truth(1, 2),
        settings=no_settings,
        shares=False,
        interval_s=5.0,
    ),
    "watson_marlow": Pair(
        driver="watson_marlow",
        port="pump",
        twin=running_pump,
        truth={1: RPM * ML_PER_REV, 2: RPM},
    ),
    "watson_marlow 323": Pair(
        driver="watson_marlow",
        port="pump-323",
        twin=running_323,
        truth={1: RPM * ML_PER_REV, 2: RPM},
        settings=lambda address: {"address": address, "ml_per_rev": ML_PER_REV},
        shares=False,
    ),
    "masterflex": Pair(
        driver="masterflex",
        port="masterflex",
        twin=running_masterflex,
        truth={1: RPM * ML_PER_REV, 2: RPM},
        settings=lambda address: {"address": address, "ml_per_rev": ML_PER_REV},
    ),
    "julabo": Pair(
        driver="julabo",
        port="heater",
        twin=julabo_bath,
        truth={1: BATH_C, 2: 12.0, 3: BATH_C},
        settings=no_settings,
        shares=False,
    ),
    "lauda": Pair(driver="lauda", port="lauda", twin=lauda_bath, truth={1: BATH_C}),
    "neslab": Pair(driver="neslab", port="neslab", twin=neslab_bath, truth={1: BATH_C}),
    "keller_33x": Pair(
        driver="keller_33x",
        port="pressure",
        twin=pressure,
        truth={1: 12.0},
        settings=lambda address: {"addresses": [address]},
    ),
    "emtec_bioprott": Pair(
        driver="emtec_bioprott",
        port="flow",
        twin=lambda address, shift: FlowMeter(lambda: 800.0 + shift),
        truth={1: 800.0},
        settings=no_settings,
        shares=False,
        interval_s=0.1,
    ),
    "mettler_sics": Pair(
        driver="mettler_sics",
        port="scale",
        twin=lambda address, shift: Scale(lambda: 2000.0 + shift),
        truth={1: 2000.0},
        settings=no_settings,
        shares=False,
    ),
    "icpdas_digital": Pair(
        driver="icpdas_digital",
        port="switches",
        twin=contacts,
        truth={1: 0.0, 2: 1.0, 3: 1.0, 4: 0.0},
    ),
}
SHARING = sorted(name for name, pair in PAIRS.items() if pair.shares)
