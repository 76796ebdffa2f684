"""The abdominal cavity: six regions of perfusate, each over its layer of warmed tissue."""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.plant.heat import PERFUSATE_J_ML_K, exchanged_j, lost_j, mixed_c
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

AROUND = tuple(index for index in range(len(SITES)) if index != MIDDLE)
VOLUME = tuple(region.volume for region in REGIONS)
INFLOW = tuple(region.inflow for region in REGIONS)
OUTFLOW = tuple(region.outflow for region in REGIONS)
TISSUE = tuple(region.tissue for region in REGIONS)
SURFACE_OPEN = tuple(region.surface_open for region in REGIONS)
IN_TISSUE = tuple(region.probe_in_tissue for region in REGIONS)


Values = list[float]
"""A figure of each region (or a row of a batch's array)."""


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
        self._surface = SURFACE_OPEN if parameters.is_open else VOLUME
        self._inflow = inflow_shares(parameters)

    @property
    def wetted(self) -> float:
        """Share of the surface that the fluid reaches (0 to 1)."""
        return min(1.0, self.volume_ml / self._p.wet_at_ml)

    @property
    def mean_c(self) -> float:
        """Mean temperature of the fluid by volume (°C)."""
        return weighed(VOLUME, self.fluid_c)

    @property
    def tissue_mean_c(self) -> float:
        """Mean temperature of the tissue layer (°C)."""
        return weighed(TISSUE, self.tissue_c)

    @property
    def stored_j(self) -> float:
        """Heat above 0 °C of fluid and tissue layer (J)."""
        fluid_j = self.volume_ml * PERFUSATE_J_ML_K * self.mean_c
        return fluid_j + self._p.tissue_j_k * self.tissue_mean_c

    @property
    def outlet_c(self) -> float:
        """Temperature of the fluid at the outlet tube (°C)."""
        return weighed(OUTFLOW, self.fluid_c)

    def felt_c(self) -> list[float]:
        """What a probe at each site lies in (°C): fluid, some tissue, all tissue when dry."""
        wetted = self.wetted
        return [
            felt(fluid_c, tissue_c, wetted, share)
            for fluid_c, tissue_c, share in zip(self.fluid_c, self.tissue_c, IN_TISSUE, strict=True)
        ]

    def flow_through(
        self, inflow_ml: float, inflow_c: float, outflow_ml: float, *, evenly: bool
    ) -> float:
        """Take in and give out these volumes; the temperature of what leaves (°C).

        `evenly` empties all regions alike (drain, leak), otherwise through the outlet tube.
        `outflow_ml` must not exceed `volume_ml` + `inflow_ml`.
        """
        outlet = VOLUME if evenly else OUTFLOW
        old_ml, new_ml = self.volume_ml, max(0.0, self.volume_ml + inflow_ml - outflow_ml)
        if old_ml + inflow_ml <= 0.0:
            return self.mean_c
        self.volume_ml = new_ml
        return flowed_through(
            self.fluid_c, self._inflow, outlet, old_ml, new_ml, inflow_ml, inflow_c, outflow_ml
        )

    def advance(self, dt_s: float, inflow_ml: float) -> float:
        """Stir, warm the tissue and cool at the surface; the heat lost to the room (J)."""
        p = self._p
        wetted = self.wetted
        stirred_ml = wetted * (p.mixing_ml_min / 60.0 * dt_s + p.mixing_per_flow * inflow_ml)
        stir(self.fluid_c, self.volume_ml, stirred_ml * PERFUSATE_J_ML_K / dt_s, dt_s)
        return warm_tissue(
            p, self.fluid_c, self.tissue_c, self._surface, self.volume_ml, wetted, dt_s
        )

    def give_to_blood(self, dt_s: float, core_c: float) -> float:
        """Heat that blood carries from the tissue layer to the core in `dt_s` (J)."""
        return give_to_core(self._p, self.tissue_c, core_c, dt_s)


def inflow_shares(p: Parameters) -> list[float]:
    """How the inflow divides among the regions, more or less evenly."""
    uneven = p.inflow_unevenness
    return [
        volume + uneven * (inflow - volume) for volume, inflow in zip(VOLUME, INFLOW, strict=True)
    ]


def flowed_through(
    fluid_c: Values,
    inflow: Sequence[float],
    outlet: Sequence[float],
    old_ml: float,
    new_ml: float,
    inflow_ml: float,
    inflow_c: float,
    outflow_ml: float,
) -> float:
    """Change the regions' fluid (°C) by what enters and leaves; the temperature of what leaves."""
    for index in range(len(VOLUME)):
        own_ml = VOLUME[index] * old_ml
        fluid_c[index] = mixed_c(own_ml, fluid_c[index], inflow[index] * inflow_ml, inflow_c)
    middle_ml = VOLUME[MIDDLE] * old_ml + inflow[MIDDLE] * inflow_ml
    for index in AROUND:
        held_ml = VOLUME[index] * old_ml + inflow[index] * inflow_ml
        spare_ml = held_ml - outlet[index] * outflow_ml - VOLUME[index] * new_ml
        if spare_ml > 0.0:
            fluid_c[MIDDLE] = mixed_c(middle_ml, fluid_c[MIDDLE], spare_ml, fluid_c[index])
            middle_ml += spare_ml
    for index in AROUND:
        held_ml = VOLUME[index] * old_ml + inflow[index] * inflow_ml
        spare_ml = held_ml - outlet[index] * outflow_ml - VOLUME[index] * new_ml
        if spare_ml <= 0.0:
            fluid_c[index] = mixed_c(held_ml, fluid_c[index], -spare_ml, fluid_c[MIDDLE])
    return weighed(outlet, fluid_c)


def weighed(shares: Sequence[float], values: Sequence[float]) -> float:
    """The mean of the regions' values with these shares."""
    total = 0.0
    for index in range(len(VOLUME)):
        total += shares[index] * values[index]
    return total


def stir(fluid_c: Values, volume_ml: float, w_k: float, dt_s: float) -> None:
    """Exchange heat between the middle and every other region."""
    fluid_j_k = volume_ml * PERFUSATE_J_ML_K
    middle_j_k = VOLUME[MIDDLE] * fluid_j_k
    if middle_j_k <= 0.0:
        return
    for index in AROUND:
        region_j_k = VOLUME[index] * fluid_j_k
        heat_j = exchanged_j(fluid_c[index], region_j_k, fluid_c[MIDDLE], middle_j_k, w_k, dt_s)
        fluid_c[index] -= heat_j / region_j_k
        fluid_c[MIDDLE] += heat_j / middle_j_k


def warm_tissue(
    p: Parameters,
    fluid_c: Values,
    tissue_c: Values,
    surface: Sequence[float],
    volume_ml: float,
    wetted: float,
    dt_s: float,
) -> float:
    """Warm the tissue under the fluid and cool that at its surface; the heat lost to the room."""
    room_j = 0.0
    fluid_j_k = volume_ml * PERFUSATE_J_ML_K
    if fluid_j_k <= 0.0:
        return room_j
    for index in range(len(VOLUME)):
        region_j_k, capacity_j_k = VOLUME[index] * fluid_j_k, TISSUE[index] * p.tissue_j_k
        own_c, w_k = fluid_c[index], p.fluid_tissue_w_k * TISSUE[index] * wetted
        heat_j = exchanged_j(own_c, region_j_k, tissue_c[index], capacity_j_k, w_k, dt_s)
        tissue_c[index] += heat_j / capacity_j_k
        loss_w_k = p.surface_w_k * surface[index] * wetted
        surface_j = lost_j(own_c, region_j_k, p.room_c, loss_w_k, dt_s)
        fluid_c[index] = own_c - (heat_j + surface_j) / region_j_k
        room_j += surface_j
    return room_j


def give_to_core(p: Parameters, tissue_c: Values, core_c: float, dt_s: float) -> float:
    """Heat that blood carries from the tissue layer to the core in `dt_s` (J)."""
    total_j = 0.0
    for index in range(len(VOLUME)):
        own_c, capacity_j_k = tissue_c[index], TISSUE[index] * p.tissue_j_k
        rise = 1.0 + p.blood_rise_per_k * (own_c - p.blood_rise_above_c)
        w_k = p.blood_w_k * TISSUE[index] * min(max(rise, 0.5), 2.0)
        heat_j = exchanged_j(own_c, capacity_j_k, core_c, p.core_j_k, w_k, dt_s)
        tissue_c[index] = own_c - heat_j / capacity_j_k
        total_j += heat_j
    return total_j


def felt(fluid_c: float, tissue_c: float, wetted: float, in_tissue: float) -> float:
    """What a probe lies in (°C): fluid, some tissue, all tissue when dry."""
    return fluid_c + (1.0 - wetted * (1.0 - in_tissue)) * (tissue_c - fluid_c)
