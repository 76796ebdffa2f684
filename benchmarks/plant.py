"""Simulated patient-hours per CPU-second of the plant alone: one patient, and many at once.

    python benchmarks/plant.py

Perfused at 1 l/min, steps of 1 s. The batch is compiled (or fetched) before it is measured.
"""

from time import process_time

from simulator.plant import AnyPlant, Parameters, Plant
from simulator.plant.batch import Batch

SECONDS = 3600
SIZES = (1, 16, 64, 256)
START = Parameters(cavity_start_ml=3000, reservoir_start_c=42.0, bath_start_c=42.6)


def main() -> None:
    alone = Plant(START)
    _perfuse(alone)
    began_s = process_time()
    alone.advance(SECONDS)
    print(f"one patient, plain Python: {1 / (process_time() - began_s):.0f} patient-hours per s")
    for size in SIZES:
        batch = Batch([START] * size, range(size))
        for lane in batch.lanes:
            _perfuse(lane)
        batch.advance(1.0)
        began_s = process_time()
        for _ in range(SECONDS):
            batch.advance(1.0)
        read_s = process_time() - began_s
        began_s = process_time()
        batch.advance(SECONDS)
        print(
            f"{size} at once, compiled: {size / read_s:.0f} patient-hours per s read every second, "
            f"{size / (process_time() - began_s):.0f} without reading"
        )


def _perfuse(plant: AnyPlant) -> None:
    plant.inflow_to_patient = plant.heater_on = True
    plant.pump_ml_min, plant.bath_set_c = 1000.0, 45.5


if __name__ == "__main__":
    main()
