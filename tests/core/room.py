"""What the bench's room consists of: the demo room's instruments, a return-line pressure, a scale
and a switch module with contactors."""

from functools import cache

from protocols.loader import SHIPPED, load
from protocols.schema import Protocol
from service.core.events import Started
from service.core.model import (
    Actor,
    Channel,
    Device,
    DeviceClass,
    Instant,
    Mode,
    PersonRole,
    Role,
    Room,
    Unit,
)

SITES = ("right_subphrenic", "left_subphrenic", "mid_abdomen", "pelvis")
DEVICES = {
    "circuit": DeviceClass.TEMPERATURE,
    "sites": DeviceClass.TEMPERATURE,
    "pump": DeviceClass.PUMP,
    "heater": DeviceClass.HEATER,
    "pressure": DeviceClass.PRESSURE,
    "flow": DeviceClass.FLOW,
    "scale": DeviceClass.SCALE,
    "switches": DeviceClass.SWITCHES,
}
CHANNELS = (
    ("inflow", "circuit", Role.INFLOW, Unit.DEG_C, ""),
    ("outflow", "circuit", Role.OUTFLOW, Unit.DEG_C, ""),
    ("reservoir", "circuit", Role.RESERVOIR, Unit.DEG_C, ""),
    ("exchanger", "circuit", Role.EXCHANGER, Unit.DEG_C, ""),
    ("nasopharynx", "circuit", Role.CORE, Unit.DEG_C, "nasopharynx"),
    ("bladder", "circuit", Role.CORE, Unit.DEG_C, "bladder"),
    *((site, "sites", Role.SITE, Unit.DEG_C, site) for site in SITES),
    ("pump_flow", "pump", Role.FLOW, Unit.ML_MIN, ""),
    ("bath", "heater", Role.BATH, Unit.DEG_C, ""),
    ("line_in", "pressure", Role.LINE_IN, Unit.MMHG, ""),
    ("line_out", "pressure", Role.LINE_OUT, Unit.MMHG, ""),
    ("iap", "pressure", Role.IAP, Unit.MMHG, ""),
    ("flow", "flow", Role.FLOW, Unit.ML_MIN, ""),
    ("level", "scale", Role.LEVEL, Unit.ML, ""),
    ("bubble", "switches", Role.BUBBLE, Unit.ON_OFF, ""),
    ("level_low", "switches", Role.LEVEL_LOW, Unit.ON_OFF, ""),
    ("cut_out", "switches", Role.CUT_OUT, Unit.ON_OFF, ""),
    ("emergency_stop", "switches", Role.EMERGENCY_STOP, Unit.ON_OFF, ""),
)
NONE: frozenset[str] = frozenset()
PERFUSIONIST = Actor(user="P. One", role=PersonRole.PERFUSIONIST, station="or-1")


@cache
def protocol(name: str) -> Protocol:
    return load(SHIPPED / f"{name}.toml")


@cache
def room(speed: float = 1.0, without: frozenset[str] = NONE) -> Room:
    numbers: dict[str, int] = {}
    found = []
    for name, device, role, unit, site in CHANNELS:
        if name in without:
            continue
        numbers[device] = numbers.get(device, 0) + 1
        found.append(
            Channel(id=name, device=device, input=numbers[device], role=role, unit=unit, site=site)
        )
    devices = tuple(Device(name=n, driver=n, device_class=c) for n, c in DEVICES.items())
    return Room(
        id="or-1",
        mode=Mode.TEST,
        speed=speed,
        channels=tuple(found),
        devices=devices,
    )


def started(speed: float = 1.0, without: frozenset[str] = NONE) -> Started:
    """The first event of a room that starts one second after its machine did."""
    at = Instant(mono_ns=10**9, utc_ns=1_790_000_001 * 10**9)
    return Started(at=at, boot="b", room=room(speed, without), version="test")
