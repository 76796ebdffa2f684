"""Looks across channels: swapped probes by the order of temperatures, and twins that disagree.

Of two that disagree the colder one is doubted: a cold reading could raise heat, a hot one only
lower it.
"""

from collections.abc import Iterator
from itertools import combinations

from service.core import channels
from service.core.alarms import Finding
from service.core.channels import label
from service.core.model import Channel, Phase, Role
from service.core.trust.view import View

RISING_K = 0.3
"""An inflow that fell by more than this within a minute no longer is the hottest of all."""

MINUTE_S = 60.0


def out_of_order(view: View) -> Iterator[Finding]:
    """While heating up, inflow ≥ sites ≥ outflow ≥ core: what is not so looks swapped."""
    inflow = channels.of_role(view.state, Role.INFLOW)[0]
    if not _heats_up(view, inflow):
        yield from (Finding(source=name, raw=None) for name in view.state.trust.suspects)
        return
    sites = channels.of_role(view.state, Role.SITE)
    outflows = channels.of_role(view.state, Role.OUTFLOW)
    cores = channels.deciding_core(view.state, view.session.protocol)
    for site in (*sites, *outflows):
        yield from _must_not_exceed(view, site, inflow)
    for core in cores:
        for site in (*sites, *outflows):
            yield from _must_not_exceed(view, core, site, blame_upper=False)
    values = [value for site in sites if (value := view.read(site)) is not None]
    for outflow in outflows:
        value = view.read(outflow)
        if value is not None and values and value > max(values) + view.limits.order_k:
            text = f"Outflow {value:.1f} °C, hotter than every site ({max(values):.1f})"
            yield Finding(source=outflow.id, raw=True, text=f"{text}: swapped?", value=value)


def _must_not_exceed(
    view: View, upper: Channel, limit: Channel, *, blame_upper: bool = True
) -> Iterator[Finding]:
    value, limit_value = view.read(upper), view.read(limit)
    if value is None or limit_value is None or value <= limit_value + view.limits.order_k:
        return
    text = (
        f"{label(upper)} {value:.1f} °C is above {label(limit).lower()} {limit_value:.1f} °C while "
        "heating up: swapped?"
    )
    for channel in (limit, upper) if blame_upper else (limit,):
        yield Finding(source=channel.id, raw=True, text=text, value=value, limit=limit_value)


def _heats_up(view: View, inflow: Channel) -> bool:
    """The heater has been at work long enough, with flow, and the inflow is not falling."""
    session, flow = view.session, view.flow_ml_min
    since_s = view.state.treat_s - session.phase_from_s
    if session.phase is not Phase.HEAT_UP or since_s < view.limits.order_from_s:
        return False
    if not view.heats or flow is None or flow < session.limits.no_flow_ml_min:
        return False
    bath_c, inflow_c = view.believed_c(Role.BATH), view.read(inflow)
    if bath_c is not None and inflow_c is not None and bath_c <= inflow_c:
        return False
    past = [value for value in view.series(inflow, MINUTE_S) if value is not None]
    return len(past) > 1 and past[-1] >= past[0] - RISING_K


def twins_disagree(view: View) -> Iterator[Finding]:
    """Two probes at one place that are further apart than both can be wrong."""
    for role in (Role.SITE, Role.CORE, Role.INFLOW, Role.RESERVOIR, Role.EXCHANGER):
        for one, other in combinations(_comparable(view, role), 2):
            if role is Role.CORE or one.site == other.site:
                yield from _apart(view, one, other, view.limits.twin_k)


def _comparable(view: View, role: Role) -> tuple[Channel, ...]:
    """Deciding cores are at one place, the patient's core; the others lie against perfusate."""
    if role is Role.CORE:
        return tuple(channels.deciding_core(view.state, view.session.protocol))
    return channels.of_role(view.state, role)


def _apart(view: View, one: Channel, other: Channel, limit_k: float) -> Iterator[Finding]:
    values = {channel.id: view.read(channel) for channel in (one, other)}
    a, b = values[one.id], values[other.id]
    if a is None or b is None:
        yield from (Finding(source=channel.id, raw=None) for channel in (one, other))
        return
    if abs(a - b) > limit_k:
        text = (
            f"{label(one)} {a:.1f} °C and {label(other).lower()} {b:.1f} °C are "
            f"{abs(a - b):.1f} °C apart, at most {limit_k:g}"
        )
        colder = one if a < b else other
        yield Finding(source=colder.id, raw=True, text=text, value=min(a, b), limit=max(a, b))


def line_differs(view: View) -> Iterator[Finding]:
    """Exchanger outlet and inflow are one fluid, some seconds of tube apart."""
    exchangers = channels.of_role(view.state, Role.EXCHANGER)
    inflows = channels.of_role(view.state, Role.INFLOW)
    if not exchangers or not inflows:
        return
    pair = (exchangers[0], inflows[0])
    if not _flows(view) or not all(view.is_steady(channel) for channel in pair):
        yield from (Finding(source=channel.id, raw=None) for channel in pair)
        return
    yield from _apart(view, *pair, view.limits.line_k)


def exchanger_differs(view: View) -> Iterator[Finding]:
    """What leaves the exchanger lies between reservoir and bath, nearer to the bath."""
    exchangers = channels.of_role(view.state, Role.EXCHANGER)
    baths = channels.of_role(view.state, Role.BATH)
    reservoirs = channels.of_role(view.state, Role.RESERVOIR)
    if not exchangers or not baths or not reservoirs:
        return
    exchanger, bath, reservoir = exchangers[0], baths[0], reservoirs[0]
    warm, hot, cold = view.read(exchanger), view.read(bath), view.read(reservoir)
    steady = all(view.is_steady(channel) for channel in (exchanger, bath, reservoir))
    if warm is None or hot is None or cold is None or not (steady and view.heats and _flows(view)):
        yield from (Finding(source=channel.id, raw=None) for channel in (exchanger, bath))
        return
    tolerance_k = view.limits.order_k
    least = cold + view.limits.exchanger_share * (hot - cold) - tolerance_k
    text = f"Exchanger outlet {warm:.1f} °C between reservoir {cold:.1f} and bath {hot:.1f}"
    if hot > cold and warm < least:
        text += f": at least {least:.1f} expected"
        yield Finding(source=exchanger.id, raw=True, text=text, value=warm, limit=least)
    elif warm > max(hot, cold) + tolerance_k:
        text += ": hotter than both"
        yield Finding(source=bath.id, raw=True, text=text, value=hot, limit=warm)


def _flows(view: View) -> bool:
    """At least half of the least flow that the protocol wants."""
    flow = view.flow_ml_min
    return flow is not None and flow >= 0.5 * view.session.protocol.perfusate.flow_min_ml_min
