"""The heat balance of a perfused abdomen: what inflow and patient do to the sites, in numbers.

Perfusate (mean of the sites) over a layer of warmed tissue over the core. The inflow brings heat,
the field and the tissue take it, blood carries it on. Knows nothing of rooms, phases or limits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from protocols.schema import Technique

PERFUSATE_J_ML_K = 4.15
"""Saline and dialysate: a flow of 1 l/min carries 70 W/K (water-like, general knowledge)."""

ROOM_C = 21.0
INFLOW_LAG_S = 60.0
INFLOW_RISES_C_PER_S = 1.0 / 60.0
"""How the inflow follows its set-point through bath, exchanger and tubing: first order, and upwards
no faster than a bath of 10 l with 1.2-1.4 kW (derived)."""

CORE_SETTLES_PER_S = 1.6e-4
CORE_RESTS_C = 36.0
"""Under anaesthesia 70 W of metabolism balance the losses near 36 °C; a core warmer by 1 °C loses
20-30 W more through skin and periphery (derived)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What hardly changes within minutes: one patient's figures, and the inflow's tubing.

    `fluid_ml` is the volume that has to be warmed, `tissue_w_k` fluid to tissue, `blood_w_k` tissue
    to core, `field_w_k` surface to room; `core_gain_c_s` is the core's drift from all else (°C/s).
    `out_share` is how far the outflow lies from the mean of the sites towards the inflow.
    """

    fluid_ml: float
    tissue_w_k: float
    blood_w_k: float
    field_w_k: float
    tissue_j_k: float = 21_000.0
    core_j_k: float = 140_000.0
    core_gain_c_s: float = 0.0
    out_share: float = 0.0


class Warmth(NamedTuple):
    """What changes: seconds from now, then °C of the sites' mean, tissue, core and inflow."""

    after_s: float
    mean_c: float
    tissue_c: float
    core_c: float
    inflow_c: float


Plan = Callable[[Warmth], float]
"""The inflow set-point (°C) that somebody or the loop gives while things are so."""

FIELD_W_K: dict[Technique, float] = {Technique.OPEN: 4.0, Technique.CLOSED: 0.6}
"""Evaporation from 0.08-0.12 m² of open field 3-5 W/K; closed wall 0.3-1 W/K (derived, Lewis)."""


def typical(technique: Technique, fluid_ml: float) -> Balance:
    """A patient of whom nothing is known yet: the middle of the published ranges."""
    return Balance(
        fluid_ml=fluid_ml, tissue_w_k=130.0, blood_w_k=32.0, field_w_k=FIELD_W_K[technique]
    )


def carried_w_k(balance: Balance, flow_ml_min: float) -> float:
    """What the flow brings for each °C of inflow above the sites (W/K)."""
    return flow_ml_min / 60.0 * PERFUSATE_J_ML_K * (1.0 - balance.out_share)


def taken_w(balance: Balance, now: Warmth) -> float:
    """What tissue and field take from the perfusate now (W)."""
    tissue_w = balance.tissue_w_k * (now.mean_c - now.tissue_c)
    return tissue_w + balance.field_w_k * (now.mean_c - ROOM_C)


def mean_rise_c_s(balance: Balance, now: Warmth, flow_ml_min: float) -> float:
    """How fast the mean of the sites rises now (°C/s)."""
    brought_w = carried_w_k(balance, flow_ml_min) * (now.inflow_c - now.mean_c)
    return (brought_w - taken_w(balance, now)) / (balance.fluid_ml * PERFUSATE_J_ML_K)


def inflow_for(
    balance: Balance, now: Warmth, flow_ml_min: float, goal_c: float, within_s: float
) -> float:
    """The inflow that covers what is taken and brings the mean to its goal in about `within_s`."""
    carried = carried_w_k(balance, flow_ml_min)
    if carried <= 0.0:
        return goal_c
    stored_w = balance.fluid_ml * PERFUSATE_J_ML_K * (goal_c - now.mean_c) / within_s
    return now.mean_c + (taken_w(balance, now) + stored_w) / carried


def steady_mean_c(balance: Balance, core_c: float, inflow_c: float, flow_ml_min: float) -> float:
    """Where the mean of the sites settles under this inflow over a core of this temperature."""
    carried = carried_w_k(balance, flow_ml_min)
    through = to_core_w_k(balance)
    gained = carried * inflow_c + through * core_c + balance.field_w_k * ROOM_C
    return gained / (carried + through + balance.field_w_k)


def to_core_w_k(balance: Balance) -> float:
    """Perfusate to core through tissue and blood, in series (W/K)."""
    return balance.tissue_w_k * balance.blood_w_k / (balance.tissue_w_k + balance.blood_w_k)


def core_rise_c_s(balance: Balance, now: Warmth) -> float:
    """How fast the core rises now (°C/s)."""
    carried_on = balance.blood_w_k / balance.core_j_k * (now.tissue_c - now.core_c)
    settles = CORE_SETTLES_PER_S * (now.core_c - CORE_RESTS_C)
    return carried_on + balance.core_gain_c_s - settles


def ahead(
    balance: Balance, now: Warmth, flow_ml_min: float, plan: Plan, for_s: float, step_s: float
) -> list[Warmth]:
    """The course from now on, one entry for each `step_s`; stable for any step."""
    after_s, mean, tissue, core, inflow = now
    carried = carried_w_k(balance, flow_ml_min)
    fluid_j_k = balance.fluid_ml * PERFUSATE_J_ML_K
    exchanged, blood, field = balance.tissue_w_k, balance.blood_w_k, balance.field_w_k
    lag, most = step_s / (INFLOW_LAG_S + step_s), INFLOW_RISES_C_PER_S * step_s
    fluid_sum = fluid_j_k / step_s + carried + exchanged + field
    tissue_sum = balance.tissue_j_k / step_s + exchanged + blood
    core_rate = blood / balance.core_j_k
    gain = balance.core_gain_c_s
    course = []
    for _ in range(round(for_s / step_s)):
        inflow += min(most, lag * (plan(Warmth(after_s, mean, tissue, core, inflow)) - inflow))
        gained = carried * inflow + exchanged * tissue + field * ROOM_C
        mean = (fluid_j_k / step_s * mean + gained) / fluid_sum
        tissue = (
            balance.tissue_j_k / step_s * tissue + exchanged * mean + blood * core
        ) / tissue_sum
        core += step_s * (
            core_rate * (tissue - core) + gain - CORE_SETTLES_PER_S * (core - CORE_RESTS_C)
        )
        after_s += step_s
        course.append(Warmth(after_s, mean, tissue, core, inflow))
    return course
