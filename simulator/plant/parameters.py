"""Every number of the virtual patient and circuit, with unit, range and source.

Sources: [S] read in the named publication; [G] general knowledge of the field; [D] derived by
arithmetic or fitted so that the lumped model meets the published figures (agreement with
those figures is therefore calibration, not validation).
"""

from dataclasses import dataclass, field, fields
from typing import Any, Literal

Technique = Literal["open", "closed"]


def _figure(default: float, low: float, high: float, unit: str, source: str) -> Any:
    """One physical parameter: its default, allowed range (limits included), unit and source."""
    return field(default=default, metadata={"range": (low, high), "unit": unit, "source": source})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """One virtual patient with one circuit; vary it with `dataclasses.replace` for a population.

    Raises ValueError naming the field and its allowed range when a value lies outside.
    """

    technique: Technique = "closed"

    # How it starts
    perfusate_ml: float = _figure(4000, 2000, 8000, "mL", "[G] 2 L/m2; all of it, tubes included")
    cavity_start_ml: float = _figure(0, 0, 5000, "mL", "0 before the fill, 3000 when perfused")
    cavity_start_c: float = _figure(39.0, 20, 44, "degC", "[D] half-way between body and inflow")
    reservoir_start_c: float = _figure(37.0, 4, 46, "degC", "[G] bags from a warming cabinet")
    bath_start_c: float = _figure(38.0, 4, 60, "degC", "[G] switched on while the room is set up")
    core_start_c: float = _figure(36.0, 30, 39, "degC", "[G] 35-36.5 after long surgery")
    periphery_start_c: float = _figure(33.2, 25, 38, "degC", "[D] near balance with the core")
    room_c: float = _figure(21.0, 15, 30, "degC", "[G] operating room")

    # Heating circulator
    bath_ml: float = _figure(10_000, 3000, 25_000, "mL", "[G] bench circulator")
    heater_max_w: float = _figure(1300, 500, 2000, "W", "[G] 1.2-1.4 kW; circulators to 2 kW")
    heater_gain_w_k: float = _figure(1500, 100, 5000, "W/K", "[D] proportional band of about 1 K")
    heater_reset_s: float = _figure(150, 30, 1000, "s", "[D] no overshoot above 0.2 K")
    bath_loss_w_k: float = _figure(3.0, 0.5, 10, "W/K", "[D] insulated 10 L bath: slow loss")
    bath_circulation_ml_min: float = _figure(18_000, 5000, 30_000, "mL/min", "[G] built-in pump")

    # Heat exchanger
    exchanger_w_k: float = _figure(300, 100, 600, "W/K", "[D] inflow within 0.5-0.7 K of the bath")
    exchanger_ml: float = _figure(120, 30, 300, "mL", "[G] perfusate side")
    exchanger_shell_j_k: float = _figure(2100, 200, 8000, "J/K", "[D] 0.35 L and the plates")
    exchanger_loss_w_k: float = _figure(2.5, 0.5, 5, "W/K", "[D] standing: cools 1-2 K/min")
    exchanger_soak_w_k: float = _figure(25, 5, 100, "W/K", "[D] free convection, no flow")

    # Tubes, reservoir and pump
    inflow_line_ml: float = _figure(160, 30, 500, "mL", "[D] 2 m of 10 mm bore")
    return_line_ml: float = _figure(160, 30, 500, "mL", "[D] 2 m of 10 mm bore")
    line_loss_w_k: float = _figure(1.1, 0, 3, "W/K", "[D] 1-1.5 per 2 m line of 14 mm outside")
    reservoir_loss_w_k: float = _figure(0.8, 0, 5, "W/K", "[G] covered soft bag")
    air_below_ml: float = _figure(60, 10, 300, "mL", "[G] level at which the outlet draws air")
    pump_max_ml_min: float = _figure(
        5000, 500, 8000, "mL/min", "[G] wide tube in a 500-series head"
    )
    pump_occlusion: float = _figure(1.0, 0.7, 1.1, "1", "delivered over commanded flow")
    stall_mmhg: float = _figure(700, 300, 1500, "mmHg", "[G] rollers slip, several hundred mmHg")
    line_compliance_ml_mmhg: float = _figure(0.05, 0.01, 0.5, "mL/mmHg", "[G] stiff tube wall")
    line_mmhg_per_l_min: float = _figure(35, 5, 100, "mmHg/(L/min)", "[G] below 150 at 2 L/min")
    line_mmhg_per_l_min2: float = _figure(8, 0, 40, "mmHg/(L/min)2", "[G] holes of the catheter")

    # Cavity: volume, return, pressure
    return_above_ml: float = _figure(2875, 500, 6000, "mL", "[D] 3 L in the cavity at 1 L/min")
    return_per_min: float = _figure(8.0, 1, 30, "1/min", "[D] 125 mL more for each L/min")
    return_max_ml_min: float = _figure(5000, 500, 8000, "mL/min", "[G] siphon of 40 cm")
    siphon_mmhg: float = _figure(30, 5, 80, "mmHg", "[D] 40 cm below the table")
    drain_max_ml_min: float = _figure(1000, 200, 4000, "mL/min", "[G] drained in 5-10 min")
    iap_at_3_l_mmhg: float = _figure(12, 3, 20, "mmHg", "[S] Goldenshluger 2018: target 10-20")
    iap_e_fold_ml: float = _figure(545, 200, 2000, "mL", "[D] 25 mmHg with 0.4 L too much")
    breath_mmhg: float = _figure(1.0, 0, 4, "mmHg", "[G] half the swing of the ventilator")

    # Cavity: heat
    fluid_tissue_w_k: float = _figure(120, 60, 180, "W/K", "[D] 100 W/m2K over 1.2-1.7 m2")
    tissue_j_k: float = _figure(21_000, 10_000, 40_000, "J/K", "[D] 6 kg x 3.5 kJ/kg/K")
    wet_at_ml: float = _figure(1500, 500, 4000, "mL", "[D] volume that wets all of the surface")
    surface_open_w_k: float = _figure(4.0, 3, 5, "W/K", "[D] evaporation from 0.08-0.12 m2")
    surface_closed_w_k: float = _figure(0.6, 0.3, 1, "W/K", "[D] through the abdominal wall")
    mixing_open_ml_min: float = _figure(400, 150, 10_000, "mL/min", "[D] spread 0.5-1.5 K [G]")
    mixing_closed_ml_min: float = _figure(50, 20, 1000, "mL/min", "[D] spread 1-3 K [G]")
    inflow_unevenness: float = _figure(
        1.0, 0, 1.4, "1", "[D] 0: each region gets its share of the volume; 1.4: a dead zone"
    )
    mixing_per_flow: float = _figure(0.05, 0, 2, "1", "[D] the inflow's jet stirs as well")

    # Patient
    blood_w_k: float = _figure(30, 25, 45, "W/K", "[D] 30-35, fitted to the published core course")
    blood_rise_per_k: float = _figure(0.15, 0, 0.4, "1/K", "[D] flow rises with tissue warmth")
    blood_rise_above_c: float = _figure(39.5, 36, 42, "degC", "[D] tissue at which it is blood_w_k")
    core_j_k: float = _figure(140_000, 80_000, 220_000, "J/K", "[D] 40 kg")
    periphery_j_k: float = _figure(79_000, 40_000, 150_000, "J/K", "[D] 24 kg")
    core_periphery_w_k: float = _figure(18, 5, 50, "W/K", "[D] constricted skin at 37 degC")
    dilation_per_k: float = _figure(0.5, 0, 2, "1/K", "[D] skin opens above 37 degC")
    metabolism_w: float = _figure(70, 40, 120, "W", "[S] 60 kcal/h under anaesthesia, PMC1409744")
    core_loss_w_k: float = _figure(1.5, 0.5, 4, "W/K", "[D] airway and wound")
    periphery_loss_w_k: float = _figure(3.5, 1, 8, "W/K", "[D] 52 W in all, PMC1409744 [S]")

    # Probes
    catheter_lag_s: float = _figure(6, 3, 10, "s", "[G] catheter thermistor")
    core_lag_s: float = _figure(30, 15, 40, "s", "[G] nasopharynx, bladder")
    noise_c: float = _figure(0.012, 0, 0.1, "K rms", "[G] thermistor and converter")
    bias_c: float = _figure(0.03, 0, 0.3, "K rms", "[G] one fixed error for each probe")
    bladder_pelvis_share: float = _figure(0.3, 0, 0.7, "1", "[G] the bladder lies in perfusate")

    def __post_init__(self) -> None:
        """Refuse a technique that does not exist and any figure outside its range."""
        if self.technique not in ("open", "closed"):
            raise ValueError(f"technique is {self.technique!r}; it must be 'open' or 'closed'")
        for figure in fields(self):
            if "range" not in figure.metadata:
                continue
            low, high = figure.metadata["range"]
            value = getattr(self, figure.name)
            if not low <= value <= high:
                unit = figure.metadata["unit"]
                raise ValueError(f"{figure.name} is {value}; allowed is {low} to {high} {unit}")
        if self.reservoir_start_ml < 0:
            raise ValueError(
                f"perfusate_ml is {self.perfusate_ml}; the tubes and the cavity at the start "
                f"already hold {self.perfusate_ml - self.reservoir_start_ml} mL, so give more"
            )

    @property
    def reservoir_start_ml(self) -> float:
        """What is left for the reservoir after tubes, exchanger and cavity are filled (mL)."""
        tubes_ml = self.inflow_line_ml + self.exchanger_ml + self.return_line_ml
        return self.perfusate_ml - tubes_ml - self.cavity_start_ml

    @property
    def is_open(self) -> bool:
        """Whether the abdomen is open."""
        return self.technique == "open"

    @property
    def surface_w_k(self) -> float:
        """Heat loss of the cavity's surface to the room for this technique (W/K)."""
        return self.surface_open_w_k if self.technique == "open" else self.surface_closed_w_k

    @property
    def mixing_ml_min(self) -> float:
        """Exchange of each region with the middle of the abdomen, this technique (mL/min)."""
        return self.mixing_open_ml_min if self.technique == "open" else self.mixing_closed_ml_min
