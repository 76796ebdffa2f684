"""How warm the inflow can get: the ceiling, the bath through exchanger and tubing, the heater.

What exchanger and line leave of bath less reservoir is learned while the inflow stands still; a
flow that passes quicker leaves less of it (an exchanger's effectiveness falls with its flow).
"""

from dataclasses import dataclass
from math import exp, log

from service.core import channels
from service.core.balance import PERFUSATE_J_ML_K
from service.core.model import Controller, Role
from service.core.outlook import Way
from service.core.state import Session, State

LEAST_APART_C = 2.0
"""Bath and reservoir closer than this tell too little of what lies between them."""

STEADY_C = 0.08
"""An inflow that moves less within a look (ten seconds) has followed its bath."""

LEARNS = 0.2
FEWEST_LOOKS = 6
LEAST_LOST, MOST_LOST = 0.01, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The highest inflow (°C) at some flow, and in words what sets it."""

    inflow_c: float
    limited_by: str


CEILING = "inflow at its ceiling"
ALLOWED = "inflow as a person allows"
BATH = "bath at its maximum"
HEATER = "heater at its full power"


def learned(
    before: Way | None, state: State, inflow_c: float, moved_c: float, flow_ml_min: float
) -> Way | None:
    """The way after one more look; `moved_c` is by how much the inflow moved since the last."""
    bath_c, reservoir_c = _highest_c(state, Role.BATH), _highest_c(state, Role.RESERVOIR)
    if bath_c is None or reservoir_c is None or abs(moved_c) > STEADY_C or flow_ml_min <= 0.0:
        return before
    apart_c = bath_c - reservoir_c
    if state.heater.wanted is None or apart_c < LEAST_APART_C:
        return before
    lost = min(max((bath_c - inflow_c) / apart_c, LEAST_LOST), MOST_LOST)
    passes = -log(lost) * flow_ml_min
    if before is None:
        return Way(passes_ml_min=passes)
    moved = before.passes_ml_min + LEARNS * (passes - before.passes_ml_min)
    return Way(passes_ml_min=moved, looks=before.looks + 1)


def highest(
    state: State, session: Session, way: Way | None, most_c: float, mean_c: float, flow: float
) -> Reach:
    """How warm the inflow gets at this flow (ml/min), the sites at the band's edge.

    `most_c` is the controller's own limit, `mean_c` the sites now. The unknown bounds nothing.
    """
    bounds = [Reach(inflow_c=most_c, limited_by=CEILING)]
    heat, returns_c = session.heat, _returns_c(state, session, mean_c)
    if heat.controller is Controller.AUTOMATIC and heat.requested_c is not None:
        bounds.append(Reach(inflow_c=heat.requested_c, limited_by=ALLOWED))
    if returns_c is not None and flow > 0.0:
        if way is not None and way.looks >= FEWEST_LOOKS:
            bath_c = session.limits.bath_max_c
            inflow_c = bath_c - exp(-way.passes_ml_min / flow) * (bath_c - returns_c)
            bounds.append(Reach(inflow_c=inflow_c, limited_by=BATH))
        if state.room.heater_max_w is not None:
            warmer_c = state.room.heater_max_w / (flow / 60.0 * PERFUSATE_J_ML_K)
            bounds.append(Reach(inflow_c=returns_c + warmer_c, limited_by=HEATER))
    return min(bounds, key=lambda reach: reach.inflow_c)


def _returns_c(state: State, session: Session, mean_c: float) -> float | None:
    """The reservoir once the sites are at the band's lower edge: as far below them as now."""
    reservoir_c = _highest_c(state, Role.RESERVOIR)
    if reservoir_c is None:
        return None
    return session.protocol.target.low_c - max(0.0, mean_c - reservoir_c)


def _highest_c(state: State, role: Role) -> float | None:
    return max(channels.valid_values(state, role), default=None)
