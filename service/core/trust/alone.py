"""Looks at a channel beside the others of its device: stuck, and noisy."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import inf
from statistics import median, quantiles

from service.core import channels
from service.core.alarms import Finding
from service.core.channels import label
from service.core.model import FLUID, WARM, Channel, Phase, Role, Unit
from service.core.trust.view import View, other_view, spans

ALIVE: Mapping[Role, frozenset[Phase]] = {
    **dict.fromkeys((Role.INFLOW, Role.OUTFLOW, Role.RESERVOIR, Role.EXCHANGER), FLUID),
    **dict.fromkeys((Role.SITE, Role.CORE, Role.LINE_IN, Role.LINE_OUT, Role.IAP), WARM),
}
"""When a live channel of the role cannot stand still: perfusate, patient or pump move it."""

WHITE = 0.78
"""The lower quartile of second differences of white noise is so many times its deviation
(derived: 0.32 of a normal distribution's, which is 6 ** 0.5 times as wide)."""

FLOW_MOVED_ML_MIN = 100.0
"""A pump that changed its flow by so much is seen by every meter that lives (derived)."""

FLOW_MOVED_ML_MIN = 100.0
"""A pump that changed its flow by so much is seen by every meter that lives (derived)."""

FEWEST = 8
FEWEST_STILL = 2
LEAST_STEP_ML_MIN = 1.0
ROUNDING = 1e-6
LIVING = (Unit.DEG_C, Unit.MMHG)
"""Units in which a live instrument always moves a little."""

NOISE: Mapping[Unit, str] = {
    Unit.DEG_C: "noise_k",
    Unit.MMHG: "noise_mmhg",
    Unit.ML_MIN: "noise_ml_min",
    Unit.ML: "noise_ml",
}
"""The field of a protocol's `trust` with the most that a unit may scatter."""


def stuck(view: View) -> Iterator[Finding]:
    """Not one step of its resolution in a minute, while others keep moving.

    The others are those of its device; where all of a device stand still, those of other devices.
    With a coarse resolution they must move by several of its steps, so that a steady reading in a
    calm room is not accused.
    """
    yield from _meter_stuck(view)
    moved, alive, whole = view.moved, None, None
    for channel in view.own:
        if view.session.phase not in ALIVE.get(channel.role, ()):
            continue
        span = moved.get(channel.id)
        if span is None:
            yield Finding(source=channel.id, raw=None)
            continue
        step = max(_fine(view, channel), channel.resolution)
        if span >= step * (1 - ROUNDING):
            continue
        alive = _alive(view) if alive is None else alive
        others = [alive[c.id] for c in view.own if _is_peer(c, channel) and c.id in alive]
        if others and median(others) >= view.limits.flat_others * step:
            yield _still(view, channel, step, f"the others kept moving by {median(others):.2f}")
            continue
        whole = _whole_device(view, moved) if whole is None else whole
        if whole:
            yield _still(view, channel, step, f"nor has anything of {view.device}")
        else:
            yield Finding(source=channel.id, raw=None)


def _meter_stuck(view: View) -> Iterator[Finding]:
    """The flow meter has not moved by one step in a minute; the pump's own figure has.

    A steady flow stands still, and then nothing can be told. The pump must have been ordered anew
    half a window ago, so that a meter that averages has had its time; a figure of the pump that
    moves without an order says nothing of the meter.
    """
    meter = channels.flow_meter(view.state)
    if meter is None or meter.device != view.device:
        return
    span = view.moved.get(meter.id)
    step = max(meter.resolution, LEAST_STEP_ML_MIN)
    if span is not None and span >= step * (1 - ROUNDING):
        return
    half_s, moved_ml_min = view.limits.flat_s / 2, 0.0
    known = span is not None and half_s <= _since_ordered_s(view) <= view.limits.flat_s
    for pump in channels.of_role(view.state, Role.FLOW) if known else ():
        if pump.id != meter.id and pump.device in view.state.past.rows:
            early = spans(other_view(view, pump.device), view.limits.flat_s, until_s=half_s)
            moved_ml_min = max(moved_ml_min, early.get(pump.id, 0.0))
    if moved_ml_min < FLOW_MOVED_ML_MIN:
        yield Finding(source=meter.id, raw=None)
    else:
        yield _still(view, meter, step, f"the pump's own figure moved by {moved_ml_min:.0f}")


def _still(view: View, channel: Channel, step: float, others: str) -> Finding:
    shown = " ".join(_shown(value) for value in view.series(channel, view.limits.flat_s)[-4:])
    text = (
        f"{label(channel)} has not moved by {step:g} {channels.UNIT_TEXTS[channel.unit]} in "
        f"{view.limits.flat_s:.0f} s ({shown}); {others}"
    )
    return Finding(source=channel.id, raw=True, text=text, value=view.read(channel))


def _fine(view: View, channel: Channel) -> float:
    return view.limits.flat_k if channel.unit is Unit.DEG_C else view.limits.flat_mmhg


def _whole_device(view: View, moved: Mapping[str, float]) -> bool:
    """Whether a device of finely resolved channels stands still while another one lives."""
    own = [c for c in view.own if c.unit in LIVING and c.id in moved]
    if len(own) < FEWEST_STILL or any(
        c.resolution > _fine(view, c) or moved[c.id] >= _fine(view, c) * (1 - ROUNDING) for c in own
    ):
        return False
    for device in view.state.past.rows:
        other = other_view(view, device)
        if device != view.device and any(
            span >= view.limits.flat_others * _fine(view, channel)
            for name, span in _alive(other).items()
            if (channel := channels.by_id(view.state.room)[name]).unit in LIVING
        ):
            return True
    return False


def noisy(view: View) -> Iterator[Finding]:
    """Readings that scatter far more than the others of the same unit on the device.

    What the pump moves scatters when that is ordered anew, so it is looked at a while later.
    """
    pumped = _pump_is_steady(view)
    for channel in view.own:
        limit, span = _noise_limit(view, channel), view.moved.get(channel.id)
        if span is not None and limit is not None and span <= limit:
            continue
        own = _scatter(view, channel)
        if own is None or limit is None or not (pumped or channel.unit is Unit.DEG_C):
            yield Finding(source=channel.id, raw=None)
            continue
        if own <= limit:
            continue
        peers = (_scatter(view, other) for other in view.own if _is_peer(other, channel))
        others = [scatter for scatter in peers if scatter is not None]
        usual = median(others) if others else 0.0
        if own <= view.limits.noise_times * usual:
            continue
        unit = channels.UNIT_TEXTS[channel.unit]
        shown = " ".join(_shown(value) for value in view.series(channel, view.limits.flat_s)[-4:])
        text = f"{label(channel)} scatters by {own:.2f} {unit} ({shown})"
        text += f"; the others by {usual:.2f}" if others else ""
        yield Finding(source=channel.id, raw=True, text=text, value=own, limit=limit)


def _alive(view: View) -> Mapping[str, float]:
    """How far each channel moved in both halves of the window: it keeps moving, it did not step."""
    half_s = view.limits.flat_s / 2
    late, early = spans(view, half_s), spans(view, view.limits.flat_s, until_s=half_s)
    return {name: min(late[name], span) for name, span in early.items() if name in late}


def _is_peer(other: Channel, channel: Channel) -> bool:
    return other.id != channel.id and other.unit is channel.unit


def _pump_is_steady(view: View) -> bool:
    """Nothing has been ordered of the pump within the window."""
    return _since_ordered_s(view) > view.limits.flat_s


def _since_ordered_s(view: View) -> float:
    """Treatment seconds since the pump was ordered anew."""
    ordered = view.state.pump.ordered
    return inf if ordered is None else view.state.now.seconds_since(ordered) * view.state.room.speed


def _noise_limit(view: View, channel: Channel) -> float | None:
    name = NOISE.get(channel.unit)
    limit: float | None = None if name is None else getattr(view.limits, name)
    return limit


def _scatter(view: View, channel: Channel) -> float | None:
    """The deviation of the noise, from second differences, which slow change leaves small.

    Three in four of them must be large: a pump that stops and starts again is no noise. And half
    of them must turn the other way (of white noise 0.73): a smooth rise, seen rarely, is none.
    """
    limit = _noise_limit(view, channel)
    if limit is None:
        return None
    values = [v for v in view.series(channel, view.limits.flat_s) if v is not None]
    if len(values) < FEWEST:
        return None
    if max(values) - min(values) <= limit:
        return 0.0
    bends = [a - 2 * b + c for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    turns = sum(one * next_one < 0 for one, next_one in pairwise(bends))
    if 2 * turns < len(bends) - 1:
        return 0.0
    return quantiles(map(abs, bends), n=4)[0] / WHITE


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
