"""Looks at a channel beside the others of its device: stuck, and noisy."""

from collections.abc import Iterator, Mapping
from statistics import median

from service.core.alarms import Finding
from service.core.channels import label
from service.core.model import Channel, Phase, Role, Unit
from service.core.trust.view import View, spans

FLUID = frozenset(Phase) - {Phase.SETUP, Phase.COMPLETE}
WARM = frozenset({Phase.HEAT_UP, Phase.DRUG_ADDITION, Phase.PERFUSE})
ALIVE: Mapping[Role, frozenset[Phase]] = {
    **dict.fromkeys((Role.INFLOW, Role.OUTFLOW, Role.RESERVOIR, Role.EXCHANGER), FLUID),
    **dict.fromkeys((Role.SITE, Role.CORE, Role.LINE_IN, Role.LINE_OUT, Role.IAP), WARM),
}
"""When a live channel of the role cannot stand still: perfusate, patient or pump move it."""

WHITE = 1.65
"""The median of second differences of white noise is so many times its deviation (derived)."""

FEWEST = 6


def stuck(view: View) -> Iterator[Finding]:
    """Not one step of its resolution in a minute, while the others of its device moved.

    With a coarse resolution the others must have moved by several of its steps, so that a steady
    reading in a calm room is not accused.
    """
    moved = spans(view, view.limits.flat_s)
    for channel in view.own:
        if view.session.phase not in ALIVE.get(channel.role, ()):
            continue
        if channel.id not in moved:
            yield Finding(source=channel.id, raw=None)
            continue
        fine = view.limits.flat_k if channel.unit is Unit.DEG_C else view.limits.flat_mmhg
        if moved[channel.id] >= max(fine, channel.resolution) * (1 - 1e-6):
            continue
        alive = _alive(view)
        others = [alive[c.id] for c in view.own if _is_peer(c, channel) and c.id in alive]
        step = max(fine, channel.resolution)
        if not others or median(others) < view.limits.flat_others * step:
            yield Finding(source=channel.id, raw=None)
            continue
        unit = "°C" if channel.unit is Unit.DEG_C else channel.unit
        shown = " ".join(_shown(value) for value in view.series(channel, view.limits.flat_s)[-4:])
        text = (
            f"{label(channel)} has not moved by {step:g} {unit} in {view.limits.flat_s:.0f} s "
            f"({shown}); the others kept moving by {median(others):.2f}"
        )
        yield Finding(source=channel.id, raw=True, text=text, value=view.read(channel))


def noisy(view: View) -> Iterator[Finding]:
    """Temperatures that scatter far more than the others of the device."""
    scatter = {c.id: found for c in view.own if (found := _scatter_k(view, c)) is not None}
    for channel in view.own:
        own = scatter.get(channel.id)
        if own is None:
            yield Finding(source=channel.id, raw=None)
            continue
        if own <= view.limits.noise_k:
            continue
        others = [value for name, value in scatter.items() if name != channel.id]
        usual = median(others) if others else 0.0
        if own <= view.limits.noise_times * usual:
            continue
        shown = " ".join(_shown(value) for value in view.series(channel, view.limits.flat_s)[-4:])
        text = f"{label(channel)} scatters by {own:.2f} °C ({shown}); the others by {usual:.2f}"
        yield Finding(source=channel.id, raw=True, text=text, value=own, limit=view.limits.noise_k)


def _alive(view: View) -> Mapping[str, float]:
    """How far each channel moved in both halves of the window: it keeps moving, it did not step."""
    half_s = view.limits.flat_s / 2
    late, early = spans(view, half_s), spans(view, view.limits.flat_s, until_s=half_s)
    return {name: min(late[name], span) for name, span in early.items() if name in late}


def _is_peer(other: Channel, channel: Channel) -> bool:
    return other.id != channel.id and other.unit is channel.unit


def _scatter_k(view: View, channel: Channel) -> float | None:
    """The deviation of the noise, from second differences, which slow change leaves small."""
    if channel.unit is not Unit.DEG_C:
        return None
    values = [v for v in view.series(channel, view.limits.flat_s) if v is not None]
    if len(values) < FEWEST:
        return None
    if max(values) - min(values) <= view.limits.noise_k:
        return 0.0
    bends = (abs(a - 2 * b + c) for a, b, c in zip(values, values[1:], values[2:], strict=False))
    return median(bends) / WHITE


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
