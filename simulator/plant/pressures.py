"""Pressure and flow: pump against inflow tube, passive return, abdominal pressure."""

from math import exp

from simulator.plant.parameters import Parameters

# Tube and rotor settle within a fraction of a second [G].
SETTLING_S = 0.2
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
        fluid = min(1.0, reservoir_ml / p.air_below_ml)
        driven_ml_min = min(max(pump_ml_min, 0.0), p.pump_max_ml_min) * p.pump_occlusion * fluid
        if clamped:
            self._push_against_clamp(dt_s, driven_ml_min)
            return
        flow_l_min = driven_ml_min / 1000.0
        resisted_mmhg = flow_l_min * (p.line_mmhg_per_l_min + p.line_mmhg_per_l_min2 * flow_l_min)
        settled = 1.0 - exp(-dt_s / SETTLING_S)
        self.flow_ml_min += settled * (driven_ml_min - self.flow_ml_min)
        self.line_mmhg += settled * (resisted_mmhg + behind_mmhg - self.line_mmhg)
        if self.flow_ml_min < 1.0:
            self.flow_ml_min = 0.0

    def _push_against_clamp(self, dt_s: float, driven_ml_min: float) -> None:
        self.flow_ml_min = 0.0
        if driven_ml_min <= 0.0:
            self.line_mmhg *= exp(-dt_s / TRAPPED_S)
            return
        rise_mmhg = driven_ml_min / 60.0 * dt_s / self._p.line_compliance_ml_mmhg
        self.line_mmhg = min(self.line_mmhg + rise_mmhg, self._p.stall_mmhg)


def passive_return_ml_min(p: Parameters, cavity_ml: float) -> float:
    """Flow of the siphon: nothing below its threshold, then rising with the level (mL/min)."""
    above_ml = max(0.0, cavity_ml - p.return_above_ml)
    return min(above_ml * p.return_per_min, p.return_max_ml_min)


def drain_ml_min(p: Parameters, cavity_ml: float) -> float:
    """Flow to the drain bag (mL/min): steady, then a tail of half a minute."""
    return min(cavity_ml * 2.0, p.drain_max_ml_min)


def elastic_mmhg(p: Parameters, cavity_ml: float) -> float:
    """Mean abdominal pressure (mmHg): exponential in volume when closed, about 1 when open."""
    if p.technique == "open":
        return min(1.0, cavity_ml / p.wet_at_ml)
    if cavity_ml <= 0.0:
        return 0.0
    return p.iap_at_3_l_mmhg * exp((cavity_ml - 3000.0) / p.iap_e_fold_ml)
