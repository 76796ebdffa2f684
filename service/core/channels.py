"""What may be believed of the room's channels now: age, validity and figures by role."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, TypeVar

from protocols.schema import Protocol, Statistic
from service.core.changing import maker
from service.core.events import Frame
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
from service.core.samples import Figures, Flows, Samples, renewed
from service.core.state import State

BELIEVED_BY_CEILINGS = (Validity.VALID, Validity.QUESTIONABLE)
LEAST_GONE_NS = 3 * 10**9
KEPT_ROOMS = 8
NEVER_NS = 2**63
UNIT_TEXTS: Mapping[Unit, str] = {unit: "°C" if unit is Unit.DEG_C else unit for unit in Unit}
"""Units as a person reads them."""


def grey_s(channel: Channel) -> float:
    """The age after which a value is shown grey: 1.5 intervals, at least 1.5 s."""
    return 1.5 * max(channel.interval_s, 1.0)


def gone_s(channel: Channel) -> float:
    """The age after which no value counts and it is stale: 3 intervals, at least 3 s."""
    return 3.0 * max(channel.interval_s, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """A room's channels and devices as they are looked up; kept beside the room."""

    by_id: Mapping[str, Channel]
    position: Mapping[str, int]
    by_role: Mapping[Role, tuple[Channel, ...]]
    by_device: Mapping[str, tuple[Channel, ...]]
    roles: Mapping[str, Role]
    by_class: Mapping[DeviceClass, str]
    gone_ns: Mapping[str, int]
    read: dict[tuple[str, ...], frozenset[Role]]
    kept: dict[object, tuple[object, Any]]
    switches: tuple[str, ...]
    flow_meter: Channel | None
    pump_flow: Channel | None


def tables(room: Room) -> Tables:
    """The room's tables, made once."""
    try:
        known: Tables = room.tables
    except AttributeError:
        known = _tables(room)
        object.__setattr__(room, "tables", known)
    return known


def _tables(room: Room) -> Tables:
    by_class = {device.device_class: device.name for device in reversed(room.devices)}
    flows = [c for c in room.channels if c.role is Role.FLOW and c.unit is Unit.ML_MIN]
    pump = by_class.get(DeviceClass.PUMP)
    by_device = {
        d.name: tuple(c for c in room.channels if c.device == d.name) for d in room.devices
    }
    return Tables(
        by_id={channel.id: channel for channel in room.channels},
        by_role={role: tuple(c for c in room.channels if c.role is role) for role in Role},
        by_device=by_device,
        position={c.id: n for own in by_device.values() for n, c in enumerate(own)},
        roles={channel.id: channel.role for channel in room.channels},
        by_class=by_class,
        gone_ns={channel.id: int(1e9 * gone_s(channel)) for channel in room.channels},
        read={},
        kept={},
        switches=tuple(d.name for d in room.devices if d.device_class is DeviceClass.SWITCHES),
        flow_meter=next((channel for channel in flows if channel.device != pump), None),
        pump_flow=next((channel for channel in flows if channel.device == pump), None),
    )


def read(room: Room, ids: tuple[str, ...]) -> frozenset[Role]:
    """The roles that these channels have in the room."""
    known = tables(room)
    found = known.read.get(ids)
    if found is None:
        roles = known.roles
        found = known.read[ids] = frozenset([roles[each] for each in ids if each in roles])
    return found


Key = TypeVar("Key")
Made = TypeVar("Made")


def once(room: Room, what: object, key: Key, make: Callable[[Room, Key], Made]) -> Made:
    """What follows from a room and one other unchanging thing, made anew for another thing only."""
    kept = tables(room).kept
    found = kept.get(what)
    if found is None or found[0] is not key:
        found = kept[what] = (key, make(room, key))
    made: Made = found[1]
    return made


def by_id(room: Room) -> Mapping[str, Channel]:
    """The room's channels by their id."""
    return tables(room).by_id


def position(room: Room, channel: Channel) -> int:
    """The channel's place among those of its device, in the order of the site file."""
    return tables(room).position[channel.id]


def label(channel: Channel) -> str:
    """The channel as a person calls it: its site, or its name."""
    return (channel.site or channel.id).replace("_", " ").capitalize()


def named(room: Room, channel_id: str) -> str:
    """The channel of this id as a person calls it."""
    return label(by_id(room)[channel_id])


def rewritten(state: State, frame: Frame) -> Samples:
    """A copy of the state's samples, to write those of this frame to."""
    roles = read(state.room, tuple([reading.channel for reading in frame.readings]))
    return renewed(state.samples, roles, frame.at.mono_ns + LEAST_GONE_NS)


def of_role(state: State, role: Role) -> tuple[Channel, ...]:
    """The room's channels of one role, in the order of the site file."""
    return tables(state.room).by_role[role]


def of_device(state: State, name: str) -> tuple[Channel, ...]:
    """The channels that one device reads; none of a device that the room does not have."""
    return tables(state.room).by_device.get(name, ())


def deciding_core(state: State, protocol: Protocol) -> list[Channel]:
    """The core channels whose readings decide; the others lie against hot perfusate."""
    decides = protocol.core_decides
    return [c for c in of_role(state, Role.CORE) if c.site in decides]


def figures(state: State, role: Role) -> Figures:
    """What the channels of one role show now."""
    samples, now_ns = state.samples, state.now.mono_ns
    if not isinstance(samples, Samples):
        return _figures(state, role)
    if not samples.from_ns <= now_ns <= samples.until_ns:
        _forgotten(samples, state)
    known = samples.figures.get(role)
    if known is None:
        known = samples.figures[role] = _figures(state, role)
    return known


def _forgotten(samples: Samples, state: State) -> None:
    """Figures of before are reckoned anew: a sample has grown old, or time went back."""
    samples.figures.clear()
    samples.flows = None
    samples.from_ns, samples.until_ns = state.now.mono_ns, until_ns(state)


MAKE_FIGURES = maker(Figures)


def _figures(state: State, role: Role) -> Figures:
    known, samples, now_ns = tables(state.room), state.samples, state.now.mono_ns
    own = known.by_role[role]
    valid, trusted = [], []
    for channel in own:
        sample = samples.get(channel.id)
        if sample is None or sample.value is None:
            continue
        age_ns = now_ns - sample.at.mono_ns
        if age_ns > LEAST_GONE_NS and age_ns > 1e9 * gone_s(channel):
            continue
        if sample.validity is Validity.VALID:
            valid.append(sample.value)
        elif sample.validity is not Validity.QUESTIONABLE:
            continue
        trusted.append(sample.value)
    highest = max(trusted) if trusted else None
    return MAKE_FIGURES(tuple(valid), tuple(trusted), highest, len(trusted) == len(own))


def until_ns(state: State) -> int:
    """The last moment (monotonic) at which every sample that is fresh now still is."""
    samples = state.samples
    ends = [
        samples[channel].at.mono_ns + gone_ns
        for channel, gone_ns in tables(state.room).gone_ns.items()
        if channel in samples
    ]
    return min((end for end in ends if end >= state.now.mono_ns), default=NEVER_NS)


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


def valid_values(state: State, role: Role) -> tuple[float, ...]:
    """All fresh valid values of a role."""
    return figures(state, role).valid


def statistic(values: Sequence[float], which: Statistic) -> float | None:
    """The figure that a threshold applies to; None when there is no value."""
    if not values:
        return None
    match which:
        case Statistic.MEAN:
            return fsum(values) / len(values)
        case Statistic.MIN:
            return min(values)
        case Statistic.MAX:
            return max(values)


def device_of_class(state: State, wanted: DeviceClass) -> str | None:
    """The name of the room's first device of a class, or None when the room has none."""
    return tables(state.room).by_class.get(wanted)


def drive_device(state: State, drive: DeviceClass) -> str | None:
    """The device that is this drive; of several switch modules the one that has relays."""
    if drive is not DeviceClass.SWITCHES:
        return device_of_class(state, drive)
    switches = tables(state.room).switches
    return next((name for name in switches if name in state.statuses), None) if switches else None


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


def flows_ml_min(state: State) -> Flows:
    """The measured and the calculated flow (ml/min), each None when it is not known."""
    samples = state.samples
    if not isinstance(samples, Samples):
        return _flows_ml_min(state)
    if not samples.from_ns <= state.now.mono_ns <= samples.until_ns:
        _forgotten(samples, state)
    if samples.flows is None:
        samples.flows = _flows_ml_min(state)
    return samples.flows


def _flows_ml_min(state: State) -> Flows:
    known = tables(state.room)
    meter, pump = known.flow_meter, known.pump_flow
    return (
        valid_value(state, meter) if meter else None,
        valid_value(state, pump) if pump else None,
    )


def flow_meter(state: State) -> Channel | None:
    """The channel of the room's independent flow meter, or None when it has none."""
    return tables(state.room).flow_meter


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
