"""A treatment held at one inflow temperature, run once and shared by the tests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import pytest

from simulator.plant import SITES, Parameters, Plant
from simulator.plant.parameters import Technique


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What was true at the end of one minute (°C, K, W)."""

    cavity_c: float
    core_c: float
    inflow_c: float
    outflow_c: float
    exchanger_c: float
    bath_c: float
    tissue_below_k: float
    probes_spread_k: float
    heater_w: float


@dataclass(frozen=True, slots=True)
class Run:
    """A treatment minute by minute, and the plant as it stood at the end."""

    plant: Plant
    minutes: list[Minute] = field(default_factory=list)

    def minutes_to(self, cavity_c: float) -> int:
        """Minutes until the mean of the cavity first reached this temperature."""
        reached = (at for at, minute in enumerate(self.minutes, 1) if minute.cavity_c >= cavity_c)
        return next(reached)


Perfuse = Callable[..., Run]


def look(plant: Plant) -> Minute:
    sites_c = [plant.probe_c(site) for site in SITES]
    return Minute(
        cavity_c=plant.cavity_c,
        core_c=plant.core_c,
        inflow_c=plant.probe_c("inflow"),
        outflow_c=plant.probe_c("outflow"),
        exchanger_c=plant.probe_c("exchanger"),
        bath_c=plant.probe_c("bath"),
        tissue_below_k=plant.abdomen.mean_c - plant.abdomen.tissue_mean_c,
        probes_spread_k=max(sites_c) - min(sites_c),
        heater_w=plant.circulator.power_w,
    )


def hold_inflow(plant: Plant, inflow_c: float, seconds: int) -> None:
    """Do what a perfusionist does: turn the bath until the inflow probe shows `inflow_c`."""
    for second in range(seconds):
        if second % 10 == 0:
            error_k = inflow_c - plant.probe_c("inflow")
            plant.bath_set_c = min(max(plant.bath_set_c + 0.2 * error_k, 37.0), inflow_c + 2.0)
        plant.advance(1.0)


@cache
def perfused(
    flow_ml_min: float,
    inflow_c: float,
    technique: Technique = "closed",
    cooling_w: float = 0.0,
    minutes: int = 90,
) -> Run:
    """The published check: cavity starts half-way, reservoir preheated to 42 °C."""
    start = Parameters(
        technique=technique,
        cavity_start_ml=3000,
        reservoir_start_c=42.0,
        bath_start_c=inflow_c + 0.5,
    )
    plant = Plant(start)
    plant.inflow_to_patient = plant.heater_on = True
    plant.pump_ml_min = flow_ml_min
    plant.cooling_w = cooling_w
    run = Run(plant)
    for _ in range(minutes):
        hold_inflow(plant, inflow_c, 60)
        run.minutes.append(look(plant))
    return run


@pytest.fixture(scope="session")
def perfuse() -> Perfuse:
    """`perfuse(flow_ml_min, inflow_c, technique, cooling_w, minutes)`, each run only once."""
    return perfused


@pytest.fixture
def running() -> Plant:
    """A closed treatment a quarter of an hour old: 1 L/min, bath at 45.6 °C."""
    plant = Plant(Parameters(cavity_start_ml=3000, reservoir_start_c=42, bath_start_c=45.6))
    plant.inflow_to_patient = plant.heater_on = True
    plant.bath_set_c = 45.6
    plant.pump_ml_min = 1000.0
    plant.advance(900.0)
    return plant
