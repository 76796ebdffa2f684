"""The heat balance: what the heater gives against what the perfusate takes up.

No twin probe can show a wrong curve, a wrong flow or a bias that all probes of a module share; the
heat can. One litre a minute that grows warmer by 1 °C takes up 70 W (water-like perfusate).
"""

from collections.abc import Iterator
from math import exp

from service.core import channels
from service.core.alarms import Finding
from service.core.balance import ROOM_C
from service.core.changing import replace
from service.core.model import Channel, Role
from service.core.trust.memory import HeatFlow
from service.core.trust.view import STEADY_K, View

W_PER_L_MIN_K = 70.0


def averaged(view: View, before: HeatFlow | None) -> HeatFlow | None:
    """The heat given and taken, averaged over the protocol's time; None while nothing is known."""
    known = _watts(view)
    if known is None:
        return None
    given_w, taken_w = known
    now_s = view.state.treat_s
    if before is None:
        return HeatFlow(from_s=now_s, at_s=now_s, given_w=given_w, taken_w=taken_w)
    dt_s = now_s - before.at_s
    share = max(1.0 - exp(-2 * dt_s / view.limits.balance_s), dt_s / (dt_s + now_s - before.from_s))
    return replace(
        before,
        at_s=now_s,
        given_w=before.given_w + share * (given_w - before.given_w),
        taken_w=before.taken_w + share * (taken_w - before.taken_w),
    )


def unbalanced(view: View) -> Iterator[Finding]:
    """The heater gives much more, or much less, than bath, losses and perfusate take up."""
    powers = _powers(view)
    heat = view.state.past.heat
    if not powers:
        return
    if heat is None or heat.at_s - heat.from_s < view.limits.balance_s:
        yield Finding(source=powers[0].id, raw=None)
        return
    limit_w = max(view.limits.balance_w, view.limits.balance_share * abs(heat.taken_w))
    if abs(heat.given_w - heat.taken_w) > limit_w:
        text = (
            f"The heater gives {heat.given_w:.0f} W and the fluid takes up {heat.taken_w:.0f} W "
            f"(limit of the difference {limit_w:.0f} W): flow, exchanger or reservoir reads wrong"
        )
        value = heat.given_w - heat.taken_w
        yield Finding(source=powers[0].id, raw=True, text=text, value=value, limit=limit_w)


def _powers(view: View) -> list[Channel]:
    powers = channels.of_role(view.state, Role.POWER)
    return [channel for channel in powers if channel.device == view.device]


def _watts(view: View) -> tuple[float, float] | None:
    """Heat given and taken up since the look before (W)."""
    full_w, powers = view.state.room.heater_max_w, _powers(view)
    bath = next(iter(channels.of_role(view.state, Role.BATH)), None)
    flow = view.flow_ml_min
    if full_w is None or not powers or bath is None or flow is None or len(view.rows) < 2:
        return None
    percent = view.read(powers[0])
    warm, cold = view.believed_c(Role.EXCHANGER), view.believed_c(Role.RESERVOIR)
    bath_c = view.read(bath)
    (then_s, then), (now_s, _) = view.rows[-2:]
    bath_then_c = then[view.own.index(bath)]
    if percent is None or warm is None or cold is None or bath_c is None or bath_then_c is None:
        return None
    if abs(bath_c - bath_then_c) > STEADY_K:
        return None
    perfusate_w = W_PER_L_MIN_K * flow / 1000.0 * (warm - cold)
    stored_w = 1000.0 * view.limits.bath_kj_k * (bath_c - bath_then_c) / (now_s - then_s)
    lost_w = view.limits.bath_loss_w_k * (bath_c - ROOM_C)
    return full_w * percent / 100.0, perfusate_w + stored_w + lost_w
