"""The plain controllers that a trial compares with: a PI on the mean of the sites, fixed flow.

Inflow set-point = 43 °C + PI (kp 2, ki 0.005 per second) on the mean of the sites, clamped to
40-46 °C, the integral frozen at the clamp. The bath follows the inflow set-point by a cascade of
its own, as the core's does. No core, no ceilings, no gate by hand: patient, circuit, hands, drug
and the definition of every figure are the same as in the core's treatments.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

import numpy as np

from protocols.schema import Protocol
from service.core.model import Phase
from service.virtual.cohort import VirtualPatient
from service.virtual.figures import Course, Figures, figures
from service.virtual.hands import Hands, carry_out
from service.virtual.team import DRUG_AFTER_S, GIVES_UP_S, RETURNS_SHARE
from simulator.plant import SITES, AnyPlant

FLOWS_ML_MIN: Mapping[str, float] = {"baseline-1.0": 1000.0, "baseline-1.5": 1500.0}
SET_C, KP, KI_PER_S = 43.0, 2.0, 0.005
LOWEST_C, HIGHEST_C = 40.0, 46.0

BATH_OVER_INFLOW_C, BATH_KP, BATH_KI_PER_S = 0.6, 1.0, 0.004
BATH_MAX_C = 47.4
"""The cascade: as the core's, but for the bath's maximum, which stays under its ceiling."""

DECIMALS = 2
SEEN = (*SITES, "inflow", "nasopharynx", "reservoir", "bath")


@dataclass(slots=True, kw_only=True)
class Regulator:
    """Set-points of inflow and bath (°C), with the integrals of both."""

    integral_c: float = 0.0
    bath_integral_c: float = 0.0

    def inflow_c(self, mean_c: float) -> float:
        """The inflow set-point of this second."""
        error_c = SET_C - mean_c
        wanted_c = SET_C + KP * error_c + self.integral_c
        set_c = min(max(wanted_c, LOWEST_C), HIGHEST_C)
        if set_c == wanted_c:
            self.integral_c += KI_PER_S * error_c
        return set_c

    def bath_c(self, set_c: float, inflow_c: float) -> float:
        """The bath set-point of this second."""
        error_c = set_c - inflow_c
        wanted_c = set_c + BATH_OVER_INFLOW_C + BATH_KP * error_c + self.bath_integral_c
        if wanted_c <= BATH_MAX_C or error_c < 0.0:
            self.bath_integral_c += BATH_KI_PER_S * error_c
        return min(wanted_c, BATH_MAX_C)


class Baseline:
    """One patient under one baseline, second by second from the fill on."""

    def __init__(self, plant: AnyPlant, protocol: Protocol, flow_ml_min: float) -> None:
        """Everything warm, the pump at the protocol's flow for the fill."""
        self._protocol = protocol
        self._flow_ml_min = flow_ml_min
        self._plant = plant
        self._plant.heater_on = True
        self._hands = Hands()
        self._regulator = Regulator()
        self._rows: list[list[float]] = []
        self._given = 0

    def treat(self) -> Generator[None, None, Course]:
        """Fill, heat up to the gate, give the drug, perfuse for the protocol's time.

        At each `yield` the plant is to be moved on by one second.
        """
        yield from self._fill()
        gate_s = yield from self._heat_up()
        if gate_s is None:
            return self._course(None, None, None)
        for _ in range(round(DRUG_AFTER_S)):
            yield from self._regulated(Phase.DRUG_ADDITION)
        from_s = len(self._rows)
        yield from self._perfuse(round(60.0 * self._protocol.clock.duration_min))
        return self._course(gate_s, from_s, len(self._rows))

    def _fill(self) -> Generator[None, None, None]:
        plant, perfusate = self._plant, self._protocol.perfusate
        plant.pump_ml_min = perfusate.flow_ml_min
        while not plant.outflow_ml_min >= RETURNS_SHARE * plant.flow_ml_min > 0.0:
            seen = yield from self._second(Phase.FILL)
            plant.bath_set_c = self._regulator.bath_c(perfusate.preheat_c, seen[len(SITES)])
        plant.pump_ml_min = self._flow_ml_min
        self._rows.clear()

    def _heat_up(self) -> Generator[None, None, int | None]:
        """Seconds of heat-up until the gate was open; None when it never was."""
        gate, held_s = self._protocol.gate, 0
        while len(self._rows) < GIVES_UP_S:
            sites_c = yield from self._regulated(Phase.HEAT_UP)
            held_s = held_s + 1 if sum(sites_c) / len(SITES) >= gate.threshold_c else 0
            if held_s >= gate.hold_s:
                return len(self._rows)
        return None

    def _perfuse(self, seconds: int) -> Generator[None, None, None]:
        drug = self._protocol.drug
        due_s = [60.0 * fraction.at_min for fraction in drug.fractions] if drug else []
        for second in range(seconds):
            self._given = sum(at_s <= second for at_s in due_s)
            yield from self._regulated(Phase.PERFUSE)

    def _regulated(self, phase: Phase) -> Generator[None, None, list[float]]:
        """One second under the regulator; what the sites' probes show."""
        seen = yield from self._second(phase)
        sites_c = seen[: len(SITES)]
        set_c = self._regulator.inflow_c(sum(sites_c) / len(SITES))
        self._plant.bath_set_c = self._regulator.bath_c(set_c, seen[len(SITES)])
        return sites_c

    def _second(self, phase: Phase) -> Generator[None, None, list[float]]:
        plant = self._plant
        core_c = self._rows[-1][SEEN.index("nasopharynx")] if self._rows else None
        for request in self._hands.follow(phase, self._given, core_c, lambda: plant.reservoir_ml):
            carry_out(plant, request)
        yield
        seen = [round(plant.probe_c(place), DECIMALS) for place in SEEN]
        self._rows.append(seen)
        return seen

    def _course(self, gate_s: int | None, from_s: int | None, to_s: int | None) -> Course:
        rows = np.array(self._rows)
        return Course(
            sites_c=rows[:, : len(SITES)],
            core_c=rows[:, SEEN.index("nasopharynx")],
            inflow_c=rows[:, SEEN.index("inflow")],
            reservoir_c=rows[:, SEEN.index("reservoir")],
            bath_c=rows[:, SEEN.index("bath")],
            gate_s=gate_s,
            from_s=from_s,
            to_s=to_s,
        )


def treatment(
    plant: AnyPlant, patient: VirtualPatient, protocol: Protocol, name: str
) -> Generator[None, None, Figures]:
    """The figures of one patient's treatment under the baseline of this name."""
    course = yield from Baseline(plant, protocol, FLOWS_ML_MIN[name]).treat()
    return figures(course, protocol, index=patient.index, controller=name)
