"""Which instrument may stand at which port of a room, and how each is wired to the plant.

The first of a port is the one that stands there when a scenario does not choose.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from simulator.devices.bioprott import FlowMeter, FlowMeterSettings
from simulator.devices.datex_s5 import MonitorSettings, PatientMonitor
from simulator.devices.dcon import AsciiModule, AsciiModuleSettings
from simulator.devices.digital import DigitalModule, DigitalSettings
from simulator.devices.instrument import Instrument
from simulator.devices.julabo import Circulator, CirculatorSettings
from simulator.devices.keller_33x import PressureLine, PressureLineSettings
from simulator.devices.keller_transmitter import TransmitterSettings
from simulator.devices.lauda import Thermostat, ThermostatSettings
from simulator.devices.masterflex import DriveSettings, PumpDrive
from simulator.devices.mettler import Scale, ScaleSettings
from simulator.devices.modbus_map import Register, RegisterSlave, RegisterSlaveSettings
from simulator.devices.neslab import BathSettings, CirculatingBath
from simulator.devices.probe import Source
from simulator.devices.tm_th8 import ThermistorModule, ThermistorSettings
from simulator.devices.watson_marlow import PeristalticPump, PumpSettings
from simulator.plant import SITES, Plant

CIRCUIT = ("inflow", "outflow", "reservoir", "exchanger", "nasopharynx", "bladder")
CORE = ("nasopharynx", "bladder")
CONTACTS = ("level", "bubble", "cut_out", "emergency_stop")
"""Contacts of the switches in the order of their inputs, all closed while nothing is wrong: a
broken wire shows as trouble. The first is the level switch of the reservoir."""
LINE_IN_ADDRESS, IAP_ADDRESS = 1, 2
LEVEL_SWITCH_ML = 300.0
DENSITY_G_ML = 1.0


class PumpTwin(Protocol):
    """What a room needs of whichever pump stands in it: what its rotation delivers."""

    @property
    def ml_min(self) -> float:
        """Flow in ml/min, negative while it turns backwards."""
        ...

    def start(self, rpm: float) -> None:
        """Set the room up with the pump already running at this speed."""
        ...


class HeaterTwin(Protocol):
    """What a room needs of whichever heater stands in it."""

    set_c: float

    @property
    def heating(self) -> bool:
        """True while it heats or cools its bath towards `set_c`."""
        ...

    def start(self, set_c: float) -> None:
        """Set the room up with the heater already running towards this bath temperature."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wires:
    """What instruments are connected to: the plant, and what has tripped (names of `CONTACTS`)."""

    plant: Plant
    tripped: set[str] = field(default_factory=set)

    def probe(self, place: str) -> Source:
        """A thermistor at this place, in °C."""
        return partial(self.plant.probe_c, place)

    def probes(self, places: Sequence[str]) -> list[Source]:
        """A thermistor at each place, in °C."""
        return [self.probe(place) for place in places]

    def is_well(self, contact: str) -> bool:
        """True while this contact is closed."""
        if contact == "level" and self.plant.reservoir_ml < LEVEL_SWITCH_ML:
            return False
        return contact not in self.tripped


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One instrument that may be chosen. `settings` has the fields that a scenario may set and
    `prepare` makes them; `make` wires the instrument, with None for its usual settings."""

    settings: type
    make: Callable[[Wires, Any], Instrument]
    prepare: Callable[..., Any] | None = None


def _temperature(places: Sequence[str]) -> dict[str, Model]:
    def slave(wires: Wires, given: Any, *, title: str, inputs: int, **how: Any) -> Instrument:
        sources = [*wires.probes(places), *[None] * inputs][:inputs]
        registers = [
            Register(source=source, first=first, per_digit=0.1, **how)
            for first, source in enumerate(sources)
        ]
        return RegisterSlave(registers, given, title=title)

    nt18b07 = partial(slave, title="NT18B07, 7 NTC thermistors, Modbus RTU", inputs=7)
    pm6rtd = partial(
        slave,
        title="PM6RTD, 6 RTD, Modbus RTU",
        inputs=6,
        table="input",
        over=-32768,
        under=-32767,
    )
    return {
        "tm_th8": Model(
            settings=ThermistorSettings,
            make=lambda wires, given: ThermistorModule(wires.probes(places), given),
        ),
        "dcon": Model(
            settings=AsciiModuleSettings,
            make=lambda wires, given: AsciiModule(wires.probes(places), given),
        ),
        "nt18b07": Model(settings=RegisterSlaveSettings, make=nt18b07),
        "pm6rtd": Model(settings=RegisterSlaveSettings, make=pm6rtd),
    }


def _watson_marlow(model: str) -> Model:
    return Model(
        settings=PumpSettings,
        make=lambda wires, given: PeristalticPump(given),
        prepare=partial(PumpSettings, model=model),
    )


def _pressures(wires: Wires, given: Any) -> Instrument:
    plant = wires.plant
    inflow = TransmitterSettings(address=LINE_IN_ADDRESS)
    abdomen = TransmitterSettings(address=IAP_ADDRESS, serial_number=1_208_332)
    return PressureLine([(plant.line_in_mmhg, inflow), (plant.iap_mmhg, abdomen)], given)


def _julabo(wires: Wires, given: Any) -> Instrument:
    return Circulator(wires.probe("bath"), lambda: wires.plant.heater_percent, given)


CATALOGUE: Mapping[str, Mapping[str, Model]] = {
    "sites": _temperature(SITES),
    "circuit": _temperature(CIRCUIT),
    "pump": {
        **{model: _watson_marlow(model) for model in ("520Du", "620Du", "720Du")},
        "323Du": Model(
            settings=PumpSettings,
            make=lambda wires, given: PeristalticPump(given),
            prepare=PumpSettings.dialect_323,
        ),
        "masterflex": Model(settings=DriveSettings, make=lambda wires, given: PumpDrive(given)),
    },
    "heater": {
        "julabo": Model(settings=CirculatorSettings, make=_julabo),
        "lauda": Model(
            settings=ThermostatSettings,
            make=lambda wires, given: Thermostat(wires.probe("bath"), given),
        ),
        "neslab": Model(
            settings=BathSettings,
            make=lambda wires, given: CirculatingBath(wires.probe("bath"), given),
        ),
    },
    "pressure": {"keller_33x": Model(settings=PressureLineSettings, make=_pressures)},
    "flow": {
        "bioprott": Model(
            settings=FlowMeterSettings,
            make=lambda wires, given: FlowMeter(lambda: wires.plant.flow_ml_min, given),
        )
    },
    "scale": {
        "mettler": Model(
            settings=ScaleSettings,
            make=lambda wires, given: Scale(lambda: wires.plant.reservoir_ml * DENSITY_G_ML, given),
        )
    },
    "switches": {
        "icpdas_digital": Model(
            settings=DigitalSettings,
            make=lambda wires, given: DigitalModule(
                [partial(wires.is_well, contact) for contact in CONTACTS], given
            ),
        )
    },
    "monitor": {
        "datex_s5": Model(
            settings=MonitorSettings,
            make=lambda wires, given: PatientMonitor(wires.probes(CORE), given),
        )
    },
}
EVERY_ROOM = ("sites", "circuit", "pump", "heater", "pressure", "flow")
"""Ports that every room has; a scenario adds the others by naming them."""


def usual(port: str) -> str:
    """The model that stands at this port when nobody chooses."""
    return next(iter(CATALOGUE[port]))
