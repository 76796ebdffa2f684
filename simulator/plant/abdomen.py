"""The abdominal cavity: six regions of perfusate, each over its layer of warmed tissue."""

from typing import NamedTuple

from simulator.plant.heat import PERFUSATE_J_ML_K, exchanged_j, lost_j
from simulator.plant.parameters import Parameters


class Region(NamedTuple):
    """One region's shares of the whole: each column adds up to 1, except the probe's placement.

    `probe_in_tissue` is how much of a reading comes from the tissue that the probe lies against.
    All shares are [D]: chosen for the published between-site spread, with the inlet tube under
    the right diaphragm, the outlet tube in the pelvis and a badly rinsed left side.
    """

    site: str
    volume: float
    inflow: float
    outflow: float
    tissue: float
    surface_open: float
    probe_in_tissue: float


# fmt: off
REGIONS = (
    #      site                volume  inflow  outflow  tissue  surface  in tissue
    Region("right_subphrenic", 0.15,   0.25,   0.05,    0.16,   0.10,    0.10),
    Region("left_subphrenic",  0.13,   0.11,   0.05,    0.14,   0.10,    0.15),
    Region("right_paracolic",  0.14,   0.17,   0.10,    0.14,   0.12,    0.10),
    Region("left_paracolic",   0.14,   0.04,   0.10,    0.15,   0.15,    0.20),
    Region("mid_abdomen",      0.28,   0.31,   0.20,    0.26,   0.38,    0.10),
    Region("pelvis",           0.16,   0.12,   0.50,    0.15,   0.15,    0.15),
)
# fmt: on
SITES = tuple(region.site for region in REGIONS)
PELVIS = SITES.index("pelvis")
MIDDLE = SITES.index("mid_abdomen")

_AROUND = tuple(index for index in range(len(SITES)) if index != MIDDLE)
_VOLUME = tuple(region.volume for region in REGIONS)
_INFLOW = tuple(region.inflow for region in REGIONS)
_OUTFLOW = tuple(region.outflow for region in REGIONS)
_TISSUE = tuple(region.tissue for region in REGIONS)
_SURFACE_OPEN = tuple(region.surface_open for region in REGIONS)
_IN_TISSUE = tuple(region.probe_in_tissue for region in REGIONS)


class Abdomen:
    """Fluid and tissue of the six regions; the middle connects all others (°C, mL).

    Regions keep their shares of the volume, so what a region receives too much flows on
    through the middle, and what it gives away too much comes from there.
    """

    def __init__(self, parameters: Parameters) -> None:
        """Start with `cavity_start_ml` of fluid over tissue slightly cooler than the core."""
        self._p = parameters
        self.volume_ml = parameters.cavity_start_ml
        filled = parameters.cavity_start_ml > 0.0
        tissue_c = parameters.core_start_c - 0.3
        self.fluid_c = [parameters.cavity_start_c if filled else tissue_c] * len(SITES)
        self.tissue_c = [tissue_c] * len(SITES)
        self._surface = _SURFACE_OPEN if parameters.technique == "open" else _VOLUME
        self._capacity_j_k = [share * parameters.tissue_j_k for share in _TISSUE]
        uneven = parameters.inflow_unevenness
        self._inflow = [
            volume + uneven * (inflow - volume)
            for volume, inflow in zip(_VOLUME, _INFLOW, strict=True)
        ]

    @property
    def wetted(self) -> float:
        """Share of the surface that the fluid reaches (0 to 1)."""
        return min(1.0, self.volume_ml / self._p.wet_at_ml)

    @property
    def mean_c(self) -> float:
        """Mean temperature of the fluid by volume (°C)."""
        return sum(map(float.__mul__, _VOLUME, self.fluid_c))

    @property
    def tissue_mean_c(self) -> float:
        """Mean temperature of the tissue layer (°C)."""
        return sum(map(float.__mul__, _TISSUE, self.tissue_c))

    @property
    def stored_j(self) -> float:
        """Heat above 0 °C of fluid and tissue layer (J)."""
        fluid_j = self.volume_ml * PERFUSATE_J_ML_K * self.mean_c
        return fluid_j + self._p.tissue_j_k * self.tissue_mean_c

    @property
    def outlet_c(self) -> float:
        """Temperature of the fluid at the outlet tube (°C)."""
        return sum(map(float.__mul__, _OUTFLOW, self.fluid_c))

    def felt_c(self) -> list[float]:
        """What a probe at each site lies in (°C): fluid, some tissue, all tissue when dry."""
        wetted = self.wetted
        return [
            fluid_c + (1.0 - wetted * (1.0 - share)) * (tissue_c - fluid_c)
            for fluid_c, tissue_c, share in zip(
                self.fluid_c, self.tissue_c, _IN_TISSUE, strict=True
            )
        ]

    def flow_through(
        self, inflow_ml: float, inflow_c: float, outflow_ml: float, *, evenly: bool
    ) -> float:
        """Take in and give out these volumes; the temperature of what leaves (°C).

        `evenly` empties all regions alike (drain, leak), otherwise through the outlet tube.
        `outflow_ml` must not exceed `volume_ml` + `inflow_ml`.
        """
        outlet = _VOLUME if evenly else _OUTFLOW
        old_ml, new_ml = self.volume_ml, max(0.0, self.volume_ml + inflow_ml - outflow_ml)
        if old_ml + inflow_ml <= 0.0:
            return self.mean_c
        fluid_c = self.fluid_c
        held_ml = [share * old_ml for share in _VOLUME]
        for index, share in enumerate(self._inflow):
            self._mix_into(held_ml, index, share * inflow_ml, inflow_c)
        wanting: list[tuple[int, float]] = []
        for index in _AROUND:
            spare_ml = held_ml[index] - outlet[index] * outflow_ml - _VOLUME[index] * new_ml
            if spare_ml > 0.0:
                self._mix_into(held_ml, MIDDLE, spare_ml, fluid_c[index])
            else:
                wanting.append((index, -spare_ml))
        for index, missing_ml in wanting:
            self._mix_into(held_ml, index, missing_ml, fluid_c[MIDDLE])
        self.volume_ml = new_ml
        return sum(map(float.__mul__, outlet, fluid_c))

    def advance(self, dt_s: float, inflow_ml: float) -> float:
        """Stir, warm the tissue and cool at the surface; the heat lost to the room (J)."""
        p = self._p
        wetted = self.wetted
        stirred_ml = wetted * (p.mixing_ml_min / 60.0 * dt_s + p.mixing_per_flow * inflow_ml)
        self._stir(stirred_ml * PERFUSATE_J_ML_K / dt_s, dt_s)
        room_j = 0.0
        fluid_j_k = self.volume_ml * PERFUSATE_J_ML_K
        for index, capacity_j_k in enumerate(self._capacity_j_k):
            region_j_k = _VOLUME[index] * fluid_j_k
            if region_j_k <= 0.0:
                continue
            fluid_c, tissue_c = self.fluid_c[index], self.tissue_c[index]
            w_k = p.fluid_tissue_w_k * _TISSUE[index] * wetted
            heat_j = exchanged_j(fluid_c, region_j_k, tissue_c, capacity_j_k, w_k, dt_s)
            self.tissue_c[index] = tissue_c + heat_j / capacity_j_k
            loss_w_k = p.surface_w_k * self._surface[index] * wetted
            surface_j = lost_j(fluid_c, region_j_k, p.room_c, loss_w_k, dt_s)
            self.fluid_c[index] = fluid_c - (heat_j + surface_j) / region_j_k
            room_j += surface_j
        return room_j

    def give_to_blood(self, dt_s: float, core_c: float, core_j_k: float) -> float:
        """Heat that blood carries from the tissue layer to the core in `dt_s` (J)."""
        p = self._p
        total_j = 0.0
        for index, capacity_j_k in enumerate(self._capacity_j_k):
            tissue_c = self.tissue_c[index]
            rise = 1.0 + p.blood_rise_per_k * (tissue_c - p.blood_rise_above_c)
            w_k = p.blood_w_k * _TISSUE[index] * min(max(rise, 0.5), 2.0)
            heat_j = exchanged_j(tissue_c, capacity_j_k, core_c, core_j_k, w_k, dt_s)
            self.tissue_c[index] = tissue_c - heat_j / capacity_j_k
            total_j += heat_j
        return total_j

    def _mix_into(
        self, held_ml: list[float], index: int, volume_ml: float, temperature_c: float
    ) -> None:
        total_ml = held_ml[index] + volume_ml
        if total_ml > 0.0:
            own_c = self.fluid_c[index]
            self.fluid_c[index] = own_c + (temperature_c - own_c) * volume_ml / total_ml
        held_ml[index] = total_ml

    def _stir(self, w_k: float, dt_s: float) -> None:
        fluid_j_k = self.volume_ml * PERFUSATE_J_ML_K
        middle_j_k = _VOLUME[MIDDLE] * fluid_j_k
        fluid_c = self.fluid_c
        if middle_j_k <= 0.0:
            return
        for index in _AROUND:
            region_j_k = _VOLUME[index] * fluid_j_k
            heat_j = exchanged_j(fluid_c[index], region_j_k, fluid_c[MIDDLE], middle_j_k, w_k, dt_s)
            fluid_c[index] -= heat_j / region_j_k
            fluid_c[MIDDLE] += heat_j / middle_j_k
