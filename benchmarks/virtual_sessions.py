"""Simulated patient-hours per CPU-second with the real core at 1 Hz, and where the time goes.

    .venv/bin/python benchmarks/virtual_sessions.py

One 90-minute treatment of the default patient, closed and open. Aim: 2 patient-hours per CPU-second
and a session in under 3 s.
"""

from time import process_time

from service.core import session as core
from service.virtual import session as virtual
from service.virtual.chosen import protocol_of
from service.virtual.session import WARM, Setup, VirtualSession
from simulator.plant import Parameters, Plant

AIM_HOURS_PER_S = 2.0


def main() -> None:
    for technique in ("closed", "open"):
        _treat(technique)
    _plant_alone()


def _treat(technique: str) -> None:
    protocol = protocol_of("mmc-90", technique)
    start = Parameters(
        technique=protocol.technique.value,
        reservoir_start_c=WARM.reservoir_start_c,
        bath_start_c=WARM.bath_start_c,
    )
    spent = {"core": 0.0, "events": 0.0}

    def timed(state, event):  # type: ignore[no-untyped-def]
        began_s = process_time()
        result = core.step(state, event)
        spent["core"] += process_time() - began_s
        spent["events"] += 1
        return result

    room = VirtualSession(Setup(protocol=protocol, parameters=start))
    began_s = process_time()
    room.run()
    whole_s = process_time() - began_s
    hours = room.now_s / 3600.0
    virtual.step = timed
    again = VirtualSession(Setup(protocol=protocol, parameters=start))
    began_s = process_time()
    again.run()
    measured_s = process_time() - began_s
    virtual.step = core.step
    print(
        f"{technique}: {room.now_s / 60:.0f} simulated minutes in {whole_s:.2f} CPU-seconds, "
        f"{hours / whole_s:.2f} patient-hours per CPU-second (aim {AIM_HOURS_PER_S:g}); "
        f"core {spent['core'] / measured_s:.0%} of it, "
        f"{spent['events']:.0f} events, {1e6 * spent['core'] / spent['events']:.0f} µs each"
    )


def _plant_alone() -> None:
    plant = Plant(Parameters(cavity_start_ml=3000))
    plant.inflow_to_patient = plant.heater_on = True
    plant.pump_ml_min = 1000.0
    began_s = process_time()
    plant.advance(3600.0)
    print(f"plant alone, plain Python: {1 / (process_time() - began_s):.1f} patient-hours per s")


if __name__ == "__main__":
    main()
