"""The virtual room: four instruments, one frame of each per second, and what their inputs see.

Sixteen-channel thermometer, analog module (flow meter, pressures, reservoir scale), pump, heater.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from service.core.model import Channel, Device, DeviceClass, Mode, Role, Room, Unit
from simulator.plant import SITES, AnyPlant

Source = Callable[[AnyPlant], float]
"""What an input sees of the plant, in the channel's unit."""

ML_PER_REV = 16.0
"""Calculated flow over speed: a 500-series head with a wide tube (general practice)."""

RESOLUTION: Mapping[Unit, int] = {
    Unit.DEG_C: 2,
    Unit.ML_MIN: 0,
    Unit.MMHG: 1,
    Unit.ML: 0,
    Unit.RPM: 1,
    Unit.PERCENT: 0,
    Unit.ON_OFF: 0,
}
"""Decimals that an instrument shows of a unit; further ones do not reach the core."""

DEVICES: Mapping[str, DeviceClass] = {
    "thermometer": DeviceClass.TEMPERATURE,
    "analog": DeviceClass.PRESSURE,
    "pump": DeviceClass.PUMP,
    "heater": DeviceClass.HEATER,
}

_CIRCUIT = (Role.INFLOW, Role.OUTFLOW, Role.RESERVOIR, Role.EXCHANGER)
_CORE = ("nasopharynx", "bladder")
_ANALOG = {
    Role.FLOW: Unit.ML_MIN,
    Role.LINE_IN: Unit.MMHG,
    Role.LINE_OUT: Unit.MMHG,
    Role.IAP: Unit.MMHG,
    Role.LEVEL: Unit.ML,
}
_DRIVES = (
    ("pump_flow", "pump", Role.FLOW, Unit.ML_MIN),
    ("pump_speed", "pump", Role.SPEED, Unit.RPM),
    ("bath", "heater", Role.BATH, Unit.DEG_C),
    ("heater_power", "heater", Role.POWER, Unit.PERCENT),
)


def _probe(place: str) -> Source:
    return lambda plant: plant.probe_c(place)


SOURCES: Mapping[str, Source] = {
    **{place: _probe(place) for place in (*SITES, *_CIRCUIT, *_CORE, "bath")},
    "flow": lambda plant: plant.flow_ml_min,
    "line_in": lambda plant: plant.line_in_mmhg(),
    "line_out": lambda plant: plant.line_out_mmhg(),
    "iap": lambda plant: plant.iap_mmhg(),
    "level": lambda plant: plant.reservoir_ml,
    "pump_flow": lambda plant: plant.pump_ml_min,
    "pump_speed": lambda plant: plant.pump_ml_min / ML_PER_REV,
    "heater_power": lambda plant: plant.heater_percent,
}
"""By channel id."""


def _channels() -> list[Channel]:
    rows = [(role.value, "thermometer", role, Unit.DEG_C, "") for role in _CIRCUIT]
    rows += [(place, "thermometer", Role.CORE, Unit.DEG_C, place) for place in _CORE]
    rows += [(site, "thermometer", Role.SITE, Unit.DEG_C, site) for site in SITES]
    rows += [(role.value, "analog", role, unit, "") for role, unit in _ANALOG.items()]
    rows += [(*drive, "") for drive in _DRIVES]
    numbers = dict.fromkeys(DEVICES, 0)
    found = []
    for name, device, role, unit, site in rows:
        numbers[device] += 1
        found.append(
            Channel(
                id=name,
                device=device,
                input=numbers[device],
                role=role,
                unit=unit,
                site=site,
                resolution=10.0 ** -RESOLUTION[unit],
            )
        )
    return found


ROOM = Room(
    id="virtual",
    mode=Mode.TEST,
    speed=1.0,
    channels=tuple(_channels()),
    devices=tuple(
        Device(name=name, driver="virtual", device_class=kind) for name, kind in DEVICES.items()
    ),
)
"""What the core is told of the virtual room; mode `test`, as everything in it is simulated."""


@lru_cache(maxsize=64)
def with_heater(room: Room, full_w: float) -> Room:
    """The room with the full power of its heater (W), as its name plate would say it."""
    return replace(room, heater_max_w=full_w)
