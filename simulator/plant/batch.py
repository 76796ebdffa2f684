"""Many virtual patients at once: the plant of `Plant`, stepped by compiled code.

    batch = Batch([Parameters(), Parameters(technique="open")], seeds=[1, 2])
    batch.lanes[0].pump_ml_min = 1000.0
    batch.advance(1.0)
    batch.lanes[0].probe_c("pelvis")

A lane is one of them as `Plant` shows itself: the same actuators, sensors and numbers.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np

from simulator.plant.abdomen import inflow_shares
from simulator.plant.compiled import BODIES, FIGURES, KERNELS
from simulator.plant.lane import Lane
from simulator.plant.parameters import Parameters
from simulator.plant.plant import LONGEST_STEP_S
from simulator.plant.probes import PLACES, biases_c, followed


class Batch:
    """Patients and circuits in step; the same seeds and orders give the numbers of `Plant`."""

    def __init__(self, parameters: Sequence[Parameters], seeds: Sequence[int]) -> None:
        """Start as `Plant` does: circuits filled, pumps and heaters off, nobody connected."""
        self.parameters = list(parameters)
        self.figures = np.zeros(len(parameters), FIGURES)
        self.bodies = np.zeros(len(parameters), BODIES)
        self._seeds = np.array([seed & 0xFFFFFFFFFFFFFFFF for seed in seeds], np.uint64)
        pairs = zip(parameters, seeds, strict=True)
        self._biases_c = np.array([biases_c(p, seed) for p, seed in pairs])
        self._out = np.zeros((len(parameters), len(PLACES) + 3))
        self._step_s = 0.0
        for own, body, p in zip(self.figures, self.bodies, parameters, strict=True):
            _fill_in(own, p)
            _begin(body, p)
        KERNELS.settle(self.figures, self.bodies)
        self.shown: list[list[float]] = []
        self._read()
        self.lanes = [Lane(self, self.bodies[index], index) for index in range(len(parameters))]

    def advance(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass (above 0) for all, in equal steps of at most LONGEST_STEP_S."""
        steps = ceil(dt_s / LONGEST_STEP_S)
        step_s = dt_s / steps
        if step_s != self._step_s:
            self.figures["follow"] = [followed(p, step_s) for p in self.parameters]
            self._step_s = step_s
        KERNELS.advance(self.figures, self.bodies, step_s, steps)
        self._read()

    def pour(self, patient: int, volume_ml: float, temperature_c: float, *, cavity: bool) -> None:
        """Pour a volume (mL) at its temperature (°C) into the cavity or the reservoir of one."""
        KERNELS.pour(self.figures, self.bodies, patient, volume_ml, temperature_c, cavity)

    def _read(self) -> None:
        """What every instrument shows now; kept, because each is read more than once."""
        KERNELS.read(self.figures, self.bodies, self._seeds, self._biases_c, self._out)
        self.shown = self._out.tolist()


def _fill_in(own: np.void, p: Parameters) -> None:
    for name in FIGURES.names or ():
        if name not in ("inflow", "follow"):
            own[name] = getattr(p, name)
    own["inflow"] = inflow_shares(p)


def _begin(body: np.void, p: Parameters) -> None:
    tissue_c = p.core_start_c - 0.3
    body["bath_set_c"] = body["bath_c"] = p.bath_start_c
    body["shell_c"] = body["content_c"] = body["reservoir_c"] = p.reservoir_start_c
    body["reservoir_ml"], body["cavity_ml"] = p.reservoir_start_ml, p.cavity_start_ml
    body["core_c"], body["periphery_c"] = p.core_start_c, p.periphery_start_c
    body["fluid_c"] = p.cavity_start_c if p.cavity_start_ml > 0.0 else tissue_c
    body["tissue_c"] = tissue_c
    for tube, whole_ml in (("there", p.inflow_line_ml), ("back", p.return_line_ml)):
        body[tube]["ml"][0] = body[tube]["whole_ml"] = whole_ml
        body[tube]["c"][0], body[tube]["count"] = p.reservoir_start_c, 1
