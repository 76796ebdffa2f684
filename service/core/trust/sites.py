"""Looks at one site among the others: moved out of the fluid, onto the wall, near the inflow.

A site that is simply colder than the others is no fault (a pouch may never warm): it is doubted
when it moves away from its usual place among them, at once or far. It is believed again when it is
back there, or when a person has looked where it lies.
"""

from collections.abc import Iterator, Mapping
from statistics import median

from service.core import channels
from service.core.alarms import Finding
from service.core.channels import label
from service.core.model import Channel, Phase, Role
from service.core.trust.memory import Check
from service.core.trust.view import View

TREATED = frozenset({Phase.DRUG_ADDITION, Phase.PERFUSE})
FEWEST_OTHERS = 2
STILL_SHARE = 0.5
"""The others stand still when their median moved less than this share of a step."""

FAR_TIMES = 2.0
"""So many times the drift limit from the median is no usual place of a site, however slow."""


def moved(view: View) -> Iterator[Finding]:
    """A step while the others did not, or a drift away from them; it stands until it is back."""
    limits = view.limits
    sites = [channel for channel in view.own if channel.role is Role.SITE]
    offsets = offsets_k(view) if sites else {}
    for channel in sites:
        offset = offsets.get(channel.id)
        if offset is None:
            yield Finding(source=channel.id, raw=None)
            continue
        away = abs(offset - view.state.past.usual_k.get(channel.id, offset))
        step = _step(view, channel) if away > limits.step_k else ""
        drifted = view.session.phase in TREATED and (
            (abs(offset) > limits.drift_k and away > limits.step_k)
            or abs(offset) > FAR_TIMES * limits.drift_k
        )
        if step and away > limits.step_k:
            yield Finding(source=channel.id, raw=True, text=step, value=view.read(channel))
        elif drifted:
            text = (
                f"{label(channel)} is {offset:+.1f} °C from the median of the other sites: "
                f"{_values(view, channel)}"
            )
            yield Finding(
                source=channel.id, raw=True, text=text, value=offset, limit=limits.drift_k
            )
        elif away > STILL_SHARE * limits.step_k and _stands(view, channel):
            yield Finding(source=channel.id, raw=True)


def offsets_k(view: View) -> Mapping[str, float]:
    """Each site less the median of the others that nothing stands against (K)."""
    sites = channels.of_role(view.state, Role.SITE)
    believed = {site.id: value for site in sites if (value := view.undoubted(site)) is not None}
    found = {}
    for site in sites:
        value = view.read(site)
        others = [v for name, v in believed.items() if name != site.id]
        if value is not None and len(others) >= FEWEST_OTHERS:
            found[site.id] = value - median(others)
    return found


def usual_k(view: View, before: Mapping[str, float], dt_s: float) -> Mapping[str, float]:
    """Each site's usual place among the others, learned slowly, and not while it is doubted."""
    share = min(1.0, dt_s / view.limits.drift_usual_s)
    return {**before} | {
        name: offset if (usual := before.get(name)) is None else usual + share * (offset - usual)
        for name, offset in offsets_k(view).items()
        if not view.doubts(name)
    }


def _step(view: View, channel: Channel) -> str:
    """What a step of this site looks like in words; empty when there is none."""
    limits = view.limits
    change, passed_s = _change(view, channel)
    others = [
        _change(view, other)[0]
        for other in channels.of_role(view.state, Role.SITE)
        if other.id != channel.id and not view.doubts(other.id)
    ]
    known = [abs(value) for value in others if value is not None]
    if change is None or len(known) < FEWEST_OTHERS:
        return ""
    limit = limits.step_k * max(1.0, passed_s / limits.step_s)
    if abs(change) <= limit or median(known) > STILL_SHARE * limit:
        return ""
    return (
        f"{label(channel)} moved {abs(change):.1f} °C in {passed_s:.0f} s: "
        f"{_values(view, channel)}; the others moved {median(known):.1f}"
    )


def _change(view: View, channel: Channel) -> tuple[float | None, float]:
    """How far a site has moved over the window of a step, and over how many seconds."""
    rows = view.rows if channel.device == view.device else view.state.past.rows.get(channel.device)
    if not rows:
        return None, 0.0
    index = channels.position(view.state.room, channel)
    from_s = rows[-1][0] - view.limits.step_s
    first = next((row for row in reversed(rows[:-1]) if row[0] <= from_s + 0.5), None)
    if first is None:
        return None, 0.0
    then, now = first[1][index], rows[-1][1][index]
    if then is None or now is None:
        return None, 0.0
    return now - then, rows[-1][0] - first[0]


def _values(view: View, channel: Channel) -> str:
    values = view.series(channel, 3 * view.limits.look_s)
    return " ".join("–" if value is None else f"{value:.1f}" for value in values)


def _stands(view: View, channel: Channel) -> bool:
    """Whether this site is doubted as moved already."""
    suspect = view.state.trust.suspects.get(channel.id)
    return suspect is not None and any(d.check is Check.MOVED for d in suspect.doubts)
