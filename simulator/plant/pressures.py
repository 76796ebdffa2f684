"""Pressure and flow: pump against inflow tube, passive return, abdominal pressure."""

from math import exp, pi, sin

from simulator.plant.parameters import Parameters

# Tube and rotor settle within a fraction of a second [G].
SETTLING_S = 0.2
BREATHS_PER_S = 14.0 / 60.0
# Pressure trapped between a stopped rotor and a clamp leaks away past the rollers [G].
TRAPPED_S = 20.0


class InflowTube:
    """What the pump really moves (`flow_ml_min`) and at what pressure (`line_mmhg`)."""

    def __init__(self, parameters: Parameters) -> None:
        """Start at rest, without pressure."""
        self._p = parameters
        self.flow_ml_min = 0.0
        self.line_mmhg = 0.0

    def advance(
        self,
        dt_s: float,
        pump_ml_min: float,
        reservoir_ml: float,
        clamped: bool,
        behind_mmhg: float,
    ) -> None:
        """Settle towards what pump, reservoir level, clamp and the pressure behind allow."""
        p = self._p
        driven_ml_min = turned_ml_min(p, pump_ml_min, reservoir_ml)
        if clamped:
            self.flow_ml_min = 0.0
            self.line_mmhg = pushed_mmhg(p, self.line_mmhg, driven_ml_min, dt_s)
        else:
            self.flow_ml_min, self.line_mmhg = flowing(
                p, self.flow_ml_min, self.line_mmhg, driven_ml_min, behind_mmhg, dt_s
            )


def turned_ml_min(p: Parameters, pump_ml_min: float, reservoir_ml: float) -> float:
    """What the pump turns for (mL/min); less when its inlet draws air."""
    fluid = min(1.0, reservoir_ml / p.air_below_ml)
    return min(max(pump_ml_min, 0.0), p.pump_max_ml_min) * p.pump_occlusion * fluid


def pushed_mmhg(p: Parameters, line_mmhg: float, driven_ml_min: float, dt_s: float) -> float:
    """The pressure before a closed clamp (mmHg): it rises while the pump turns, then leaks away."""
    if driven_ml_min <= 0.0:
        return line_mmhg * exp(-dt_s / TRAPPED_S)
    rise_mmhg = driven_ml_min / 60.0 * dt_s / p.line_compliance_ml_mmhg
    return min(line_mmhg + rise_mmhg, p.stall_mmhg)


def flowing(
    p: Parameters,
    flow_ml_min: float,
    line_mmhg: float,
    driven_ml_min: float,
    behind_mmhg: float,
    dt_s: float,
) -> tuple[float, float]:
    """Flow (mL/min) and pressure (mmHg) of the open tube after `dt_s`."""
    flow_l_min = driven_ml_min / 1000.0
    resisted_mmhg = flow_l_min * (p.line_mmhg_per_l_min + p.line_mmhg_per_l_min2 * flow_l_min)
    settled = 1.0 - exp(-dt_s / SETTLING_S)
    flow_ml_min += settled * (driven_ml_min - flow_ml_min)
    line_mmhg += settled * (resisted_mmhg + behind_mmhg - line_mmhg)
    return (flow_ml_min if flow_ml_min >= 1.0 else 0.0), line_mmhg


def passive_return_ml_min(p: Parameters, cavity_ml: float) -> float:
    """Flow of the siphon: nothing below its threshold, then rising with the level (mL/min)."""
    above_ml = max(0.0, cavity_ml - p.return_above_ml)
    return min(above_ml * p.return_per_min, p.return_max_ml_min)


def drain_ml_min(p: Parameters, cavity_ml: float) -> float:
    """Flow to the drain bag (mL/min): steady, then a tail of half a minute."""
    return min(cavity_ml * 2.0, p.drain_max_ml_min)


def elastic_mmhg(p: Parameters, cavity_ml: float) -> float:
    """Mean abdominal pressure (mmHg): exponential in volume when closed, about 1 when open."""
    if p.is_open:
        return min(1.0, cavity_ml / p.wet_at_ml)
    if cavity_ml <= 0.0:
        return 0.0
    return p.iap_at_3_l_mmhg * exp((cavity_ml - 3000.0) / p.iap_e_fold_ml)


def line_in_mmhg(line_mmhg: float, drawn: float) -> float:
    """What is read of the inflow tube (mmHg), with the rollers' ripple; `drawn` is noise."""
    return line_mmhg + (0.8 + 0.015 * line_mmhg) * drawn


def line_out_mmhg(
    p: Parameters, elastic: float, outflow_ml_min: float, blocked: bool, drawn: float
) -> float:
    """What is read of the return tube (mmHg): the siphon pulls as it flows."""
    # Blocked in the abdomen, the whole column hangs.
    pull_mmhg = -p.siphon_mmhg if blocked else elastic - p.siphon_mmhg * outflow_ml_min / 5000.0
    return pull_mmhg + 0.8 * drawn


def iap_mmhg(p: Parameters, cavity_ml: float, now_s: float, drawn: float) -> float:
    """What is read of the abdomen (mmHg), with breathing when closed."""
    swing_mmhg = 0.0 if p.is_open else p.breath_mmhg * min(1.0, cavity_ml / p.wet_at_ml)
    breath_mmhg = swing_mmhg * sin(2.0 * pi * BREATHS_PER_S * now_s)
    return elastic_mmhg(p, cavity_ml) + breath_mmhg + 0.2 * drawn
