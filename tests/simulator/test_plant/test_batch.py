"""A batch of patients shows the very numbers of the plant, one patient at a time."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulator.plant import Parameters, Plant
from simulator.plant.batch import Batch
from simulator.plant.probes import PLACES

pytestmark = pytest.mark.integration
"""Compiling takes half a minute where nothing is kept yet."""

PATIENTS = (
    Parameters(reservoir_start_c=42.0, bath_start_c=42.6),
    Parameters(technique="open", noise_c=0.02, core_start_c=35.2, inflow_unevenness=1.3),
    Parameters(perfusate_ml=5000, cavity_start_ml=3000, exchanger_w_k=180, return_line_ml=90),
)
SEEDS = (1, 2**63 + 5, 77)
BODIES = ("flow_ml_min", "reservoir_ml", "cavity_ml", "outflow_ml_min", "heater_percent", "now_s")
STORY: tuple[tuple[int, dict[str, float | bool]], ...] = (
    (60, {"pump_ml_min": 1000.0, "heater_on": True, "bath_set_c": 46.0}),
    (300, {"inflow_to_patient": True}),
    (20, {"inflow_clamped": True}),
    (40, {"inflow_clamped": False, "outflow_blocked": True, "cooling_w": 50.0}),
    (60, {"outflow_blocked": False, "leak_ml_min": 200.0}),
    (60, {"leak_ml_min": 0.0, "pump_ml_min": 0.0, "heater_on": False}),
    (200, {"inflow_to_patient": False, "draining": True, "pump_ml_min": 2400.0}),
    (60, {"leak_ml_min": 400.0, "draining": False}),
)


def shown(plant: Plant) -> list[float]:
    pressures = [plant.line_in_mmhg(), plant.line_out_mmhg(), plant.iap_mmhg()]
    bodies = [getattr(plant, name) for name in BODIES]
    return [*(plant.probe_c(place) for place in PLACES), *pressures, *bodies]


def walked(step_s: float, compare: Callable[[Plant, Plant], None]) -> None:
    batch = Batch(PATIENTS, SEEDS)
    plants = [Plant(p, seed=seed) for p, seed in zip(PATIENTS, SEEDS, strict=True)]
    for seconds, orders in STORY:
        for plant in (*plants, *batch.lanes):
            for name, value in orders.items():
                setattr(plant, name, value)
            plant.bolus(50.0, 20.0, into="cavity")
            plant.bolus(30.0, 22.0)
        for _ in range(round(seconds / step_s)):
            batch.advance(step_s)
            for plant, lane in zip(plants, batch.lanes, strict=True):
                plant.advance(step_s)
                compare(plant, lane)  # type: ignore[arg-type]


@pytest.mark.parametrize("step_s", [1.0, 2.5])
def test_every_instrument_of_every_patient_shows_what_that_of_the_plant_shows(
    step_s: float,
) -> None:
    def compare(plant: Plant, lane: Plant) -> None:
        assert shown(lane) == pytest.approx(shown(plant), rel=1e-9, abs=1e-9)

    walked(step_s, compare)


def test_a_lane_has_no_other_actuators_than_the_plant() -> None:
    lane = Batch(PATIENTS[:1], SEEDS[:1]).lanes[0]
    with pytest.raises(AttributeError, match="core_c cannot be set"):
        lane.core_c = 37.0
    with pytest.raises(AttributeError):
        _ = lane.spleen_c
    assert lane.core_c == replace(PATIENTS[0]).core_start_c
