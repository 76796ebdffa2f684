"""What may be believed of the room's channels now: age, validity and figures by role."""

from collections.abc import Mapping
from functools import lru_cache
from statistics import fmean

from protocols.schema import Protocol, Statistic
from service.core.model import (
    Channel,
    CommandState,
    DeviceClass,
    Role,
    Room,
    Sample,
    Unit,
    Validity,
)
from service.core.state import State

BELIEVED_BY_CEILINGS = (Validity.VALID, Validity.QUESTIONABLE)
LEAST_GONE_NS = 3 * 10**9
KEPT_ROOMS = 8
UNIT_TEXTS: Mapping[Unit, str] = {unit: "°C" if unit is Unit.DEG_C else unit for unit in Unit}
"""Units as a person reads them."""


def grey_s(channel: Channel) -> float:
    """The age after which a value is shown grey: 1.5 intervals, at least 1.5 s."""
    return 1.5 * max(channel.interval_s, 1.0)


def gone_s(channel: Channel) -> float:
    """The age after which no value counts and it is stale: 3 intervals, at least 3 s."""
    return 3.0 * max(channel.interval_s, 1.0)


@lru_cache(maxsize=KEPT_ROOMS)
def _by_role(room: Room) -> Mapping[Role, tuple[Channel, ...]]:
    return {role: tuple(c for c in room.channels if c.role is role) for role in Role}


@lru_cache(maxsize=KEPT_ROOMS)
def _by_class(room: Room) -> Mapping[DeviceClass, str]:
    return {device.device_class: device.name for device in reversed(room.devices)}


@lru_cache(maxsize=KEPT_ROOMS)
def _by_device(room: Room) -> Mapping[str, tuple[Channel, ...]]:
    return {d.name: tuple(c for c in room.channels if c.device == d.name) for d in room.devices}


@lru_cache(maxsize=KEPT_ROOMS)
def roles(room: Room) -> Mapping[str, Role]:
    """The role of each channel, by the channel's id."""
    return {channel.id: channel.role for channel in room.channels}


@lru_cache(maxsize=KEPT_ROOMS)
def by_id(room: Room) -> Mapping[str, Channel]:
    """The room's channels by their id."""
    return {channel.id: channel for channel in room.channels}


def label(channel: Channel) -> str:
    """The channel as a person calls it: its site, or its name."""
    return (channel.site or channel.id).replace("_", " ").capitalize()


def named(room: Room, channel_id: str) -> str:
    """The channel of this id as a person calls it."""
    return label(by_id(room)[channel_id])


def of_role(state: State, role: Role) -> tuple[Channel, ...]:
    """The room's channels of one role, in the order of the site file."""
    return _by_role(state.room)[role]


def of_device(state: State, name: str) -> tuple[Channel, ...]:
    """The channels that one device reads; none of a device that the room does not have."""
    return _by_device(state.room).get(name, ())


def deciding_core(state: State, protocol: Protocol) -> list[Channel]:
    """The core channels whose readings decide; the others lie against hot perfusate."""
    return [c for c in of_role(state, Role.CORE) if c.site in protocol.core_decides]


def fresh(state: State, channel: Channel) -> Sample | None:
    """The channel's newest sample if it is young enough to be believed at all."""
    sample = state.samples.get(channel.id)
    if sample is None:
        return None
    age_ns = state.now.mono_ns - sample.at.mono_ns
    return None if age_ns > LEAST_GONE_NS and age_ns > 1e9 * gone_s(channel) else sample


def believed(state: State, channel: Channel) -> Sample | None:
    """The fresh sample that a ceiling looks at: valid or questionable, with a value."""
    sample = fresh(state, channel)
    if sample is None or sample.value is None or sample.validity not in BELIEVED_BY_CEILINGS:
        return None
    return sample


def valid_value(state: State, channel: Channel) -> float | None:
    """The fresh valid value, or None."""
    sample = fresh(state, channel)
    if sample is None or sample.validity is not Validity.VALID:
        return None
    return sample.value


def valid_values(state: State, role: Role) -> list[float]:
    """All fresh valid values of a role."""
    values = (valid_value(state, channel) for channel in of_role(state, role))
    return [value for value in values if value is not None]


def statistic(values: list[float], which: Statistic) -> float | None:
    """The figure that a threshold applies to; None when there is no value."""
    if not values:
        return None
    match which:
        case Statistic.MEAN:
            return fmean(values)
        case Statistic.MIN:
            return min(values)
        case Statistic.MAX:
            return max(values)


def device_of_class(state: State, wanted: DeviceClass) -> str | None:
    """The name of the room's first device of a class, or None when the room has none."""
    return _by_class(state.room).get(wanted)


def drive_device(state: State, drive: DeviceClass) -> str | None:
    """The device that is this drive; of several switch modules the one that has relays."""
    if drive is not DeviceClass.SWITCHES:
        return device_of_class(state, drive)
    modules = (d.name for d in state.room.devices if d.device_class is drive)
    return next((name for name in modules if name in state.statuses), None)


def powered(state: State) -> bool:
    """Whether heater and pump can be asked to run: there are no contactors, or they are closed."""
    if drive_device(state, DeviceClass.SWITCHES) is None:
        return True
    contactor = state.contactor
    return contactor.wanted is not None and contactor.outcome is CommandState.CONFIRMED


def is_measured(state: State, channel: Channel) -> bool:
    """False for a flow that the pump computes from its speed: calculated, not measured."""
    if channel.role is not Role.FLOW:
        return True
    return channel.device != device_of_class(state, DeviceClass.PUMP)


def flows_ml_min(state: State) -> tuple[float | None, float | None]:
    """The measured and the calculated flow (ml/min), each None when it is not known."""
    meter, pump = _flow_channels(state.room)
    return (
        valid_value(state, meter) if meter else None,
        valid_value(state, pump) if pump else None,
    )


def flow_meter(state: State) -> Channel | None:
    """The channel of the room's independent flow meter, or None when it has none."""
    return _flow_channels(state.room)[0]


@lru_cache(maxsize=KEPT_ROOMS)
def _flow_channels(room: Room) -> tuple[Channel | None, Channel | None]:
    """The first measured and the first calculated flow."""
    flows = [channel for channel in _by_role(room)[Role.FLOW] if channel.unit is Unit.ML_MIN]
    pump = _by_class(room).get(DeviceClass.PUMP)
    return (
        next((channel for channel in flows if channel.device != pump), None),
        next((channel for channel in flows if channel.device == pump), None),
    )


def heat_flow_ml_min(state: State) -> float | None:
    """The flow that heat may count on: the lowest of what is known; None when any is missing."""
    measured, calculated = flows_ml_min(state)
    if flow_meter(state) is None:
        return calculated
    return None if measured is None or calculated is None else min(measured, calculated)


def runs(state: State, drive: DeviceClass) -> bool | None:
    """Whether a drive says that it runs (contactors: closed); None when it said nothing lately."""
    name = drive_device(state, drive)
    status = state.statuses.get(name) if name else None
    if status is None or state.now.seconds_since(status.at) > STATUS_GONE_S:
        return None
    return status.drive.running


STATUS_GONE_S = 3.0
"""A drive's word is believed for three seconds, the age limit of the slowest poll."""
