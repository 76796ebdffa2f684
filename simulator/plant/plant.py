"""The plant put together: actuators in, physics forward, what perfect instruments see out."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

from simulator.plant.abdomen import PELVIS, Abdomen
from simulator.plant.circuit import Circulator, Exchanger, Line
from simulator.plant.heat import PERFUSATE_J_ML_K, MixedFluid, lost_j
from simulator.plant.parameters import Parameters
from simulator.plant.patient import Patient
from simulator.plant.pressures import (
    InflowTube,
    drain_ml_min,
    elastic_mmhg,
    iap_mmhg,
    line_in_mmhg,
    line_out_mmhg,
    passive_return_ml_min,
)
from simulator.plant.probes import PLACES, Probes, noise

LONGEST_STEP_S = 1.0
# Streams of noise that are no thermistor's.
LINE_IN, LINE_OUT, IAP = range(len(PLACES), len(PLACES) + 3)


@dataclass(slots=True)
class Ledger:
    """Heat since the start (J, above 0 °C for fluid that comes or goes)."""

    heater_j: float = 0.0
    metabolism_j: float = 0.0
    bolus_j: float = 0.0
    cooling_j: float = 0.0
    room_j: float = 0.0
    carried_off_j: float = 0.0

    @property
    def net_j(self) -> float:
        """Everything that came in less everything that went out (tubes' loss not included)."""
        gained_j = self.heater_j + self.metabolism_j + self.bolus_j
        return gained_j - self.cooling_j - self.room_j - self.carried_off_j


class Plant:
    """One virtual patient and circuit; the same seed and orders give the same numbers.

    Set the actuators below at any time, call `advance`, read the sensors. Nothing here knows
    a device, a wall clock or randomness that is not seeded.
    """

    def __init__(self, parameters: Parameters | None = None, *, seed: int = 1) -> None:
        """Start circuit filled, pump and heater off, patient not connected."""
        p = parameters or Parameters()
        self.parameters = p
        self.now_s = 0.0
        # Actuators: mL/min, °C and W.
        self.pump_ml_min = 0.0
        self.heater_on = False
        self.bath_set_c = p.bath_start_c
        self.inflow_to_patient = False
        self.draining = False
        self.inflow_clamped = False
        self.outflow_blocked = False
        self.leak_ml_min = 0.0
        self.cooling_w = 0.0
        # Bodies.
        self.circulator = Circulator(p)
        self.exchanger = Exchanger(p)
        self.inflow_line = Line(p, p.inflow_line_ml)
        self.return_line = Line(p, p.return_line_ml)
        self.reservoir = MixedFluid(p.reservoir_start_ml, p.reservoir_start_c)
        self.abdomen = Abdomen(p)
        self.patient = Patient(p)
        # Accounts.
        self.outflow_ml_min = 0.0
        self.drained_ml = 0.0
        self.leaked_ml = 0.0
        self.ledger = Ledger()
        self._tube = InflowTube(p)
        self._seed = seed
        self._probes = Probes(p, seed, self._truth_c())

    def bolus(
        self,
        volume_ml: float,
        temperature_c: float,
        *,
        into: Literal["reservoir", "cavity"] = "reservoir",
    ) -> None:
        """Pour in a volume (mL, not negative) at its temperature (°C): a drug dose, rinse fluid.

        A dose into the reservoir is warmed by the exchanger on its way and hardly cools the
        cavity; one into the port beside the patient (`cavity`) cools it at once.
        """
        if volume_ml < 0.0:
            raise ValueError(f"a bolus of {volume_ml} mL cannot be given; use 0 or more")
        if into == "cavity":
            self.abdomen.flow_through(volume_ml, temperature_c, 0.0, evenly=False)
        else:
            self.reservoir.add(volume_ml, temperature_c)
        self.ledger.bolus_j += volume_ml * PERFUSATE_J_ML_K * temperature_c

    def advance(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass (0 or more), in equal steps of at most LONGEST_STEP_S."""
        if dt_s < 0.0:
            raise ValueError(f"time cannot go back by {-dt_s} s; advance by 0 or more")
        steps = ceil(dt_s / LONGEST_STEP_S)
        for _ in range(steps):
            self._step(dt_s / steps)

    # Sensors: after probe lag, placement and noise.

    def probe_c(self, place: str) -> float:
        """Reading of the probe at a place of `probes.PLACES` (°C); ValueError for any other."""
        return self._probes.read_c(place, self.now_s)

    def line_in_mmhg(self) -> float:
        """Pressure in the inflow tube after the pump (mmHg), with the rollers' ripple."""
        return line_in_mmhg(self._tube.line_mmhg, noise(self._seed, LINE_IN, self.now_s))

    def line_out_mmhg(self) -> float:
        """Pressure in the return tube at the table (mmHg): the siphon pulls as it flows."""
        return line_out_mmhg(
            self.parameters,
            self.iap_elastic_mmhg,
            self.outflow_ml_min,
            self.outflow_blocked,
            noise(self._seed, LINE_OUT, self.now_s),
        )

    def iap_mmhg(self) -> float:
        """Abdominal pressure above atmosphere (mmHg), with breathing when closed."""
        drawn = noise(self._seed, IAP, self.now_s)
        return iap_mmhg(self.parameters, self.cavity_ml, self.now_s, drawn)

    # Truth, for tests and for instruments that measure without lag.

    @property
    def flow_ml_min(self) -> float:
        """True flow in the inflow tube (mL/min)."""
        return self._tube.flow_ml_min

    @property
    def heater_percent(self) -> float:
        """Heating power as a share of its limit (%)."""
        return 100.0 * self.circulator.power_w / self.parameters.heater_max_w

    @property
    def reservoir_ml(self) -> float:
        """Level of the reservoir (mL)."""
        return self.reservoir.volume_ml

    @property
    def cavity_ml(self) -> float:
        """Perfusate in the abdomen (mL)."""
        return self.abdomen.volume_ml

    @property
    def circulating_ml(self) -> float:
        """All perfusate in reservoir, exchanger, tubes and cavity (mL)."""
        tubes_ml = self.inflow_line.volume_ml + self.return_line.volume_ml
        return self.reservoir_ml + self.exchanger.content.volume_ml + tubes_ml + self.cavity_ml

    @property
    def cavity_c(self) -> float:
        """Mean temperature of the fluid in the abdomen (°C)."""
        return self.abdomen.mean_c

    @property
    def core_c(self) -> float:
        """Core temperature (°C)."""
        return self.patient.core_c

    @property
    def spread_c(self) -> float:
        """Hottest less coldest of what the six sites' probes lie in (K)."""
        felt_c = self.abdomen.felt_c()
        return max(felt_c) - min(felt_c)

    @property
    def iap_elastic_mmhg(self) -> float:
        """Abdominal pressure without breathing and noise (mmHg)."""
        return elastic_mmhg(self.parameters, self.abdomen.volume_ml)

    @property
    def stored_j(self) -> float:
        """Heat above 0 °C in everything (J)."""
        circuit_j = (
            self.circulator.bath.stored_j + self.exchanger.stored_j + self.reservoir.stored_j
        )
        tubes_j = self.inflow_line.stored_j(self.now_s) + self.return_line.stored_j(self.now_s)
        return circuit_j + tubes_j + self.abdomen.stored_j + self.patient.stored_j

    @property
    def tubes_lost_j(self) -> float:
        """Heat that both tubes have given to the room (J)."""
        return self.inflow_line.lost_j(self.now_s) + self.return_line.lost_j(self.now_s)

    def _step(self, dt_s: float) -> None:
        self.now_s += dt_s
        behind_mmhg = self.iap_elastic_mmhg if self.inflow_to_patient else 0.0
        self._tube.advance(
            dt_s, self.pump_ml_min, self.reservoir_ml, self.inflow_clamped, behind_mmhg
        )
        entering_ml, entering_c = self._pump_through(dt_s)
        self._empty_cavity(dt_s, entering_ml, entering_c)
        self._leak(dt_s)
        self._exchange_heat(dt_s, entering_ml)
        self._probes.advance(dt_s, self._truth_c())

    def _pump_through(self, dt_s: float) -> tuple[float, float]:
        """Move fluid from the reservoir on; volume (mL) and temperature (°C) into the cavity."""
        moved_ml = self.reservoir.take(self._tube.flow_ml_min / 60.0 * dt_s)
        warmed_c = self.exchanger.pass_through(moved_ml, self.reservoir.temperature_c, dt_s)
        arriving_c = self.inflow_line.push(moved_ml, warmed_c, self.now_s)
        if self.inflow_to_patient:
            return moved_ml, arriving_c
        self._give_back(moved_ml, arriving_c)
        return 0.0, arriving_c

    def _give_back(self, volume_ml: float, leaving_c: float) -> None:
        returned_c = self.return_line.push(volume_ml, leaving_c, self.now_s)
        self.reservoir.add(volume_ml, returned_c)

    def _empty_cavity(self, dt_s: float, entering_ml: float, entering_c: float) -> None:
        """Perfuse the cavity: passive return to the reservoir, or drain to the bag."""
        flow_ml_min = 0.0
        if self.draining:
            flow_ml_min = drain_ml_min(self.parameters, self.cavity_ml)
        elif self.inflow_to_patient:
            flow_ml_min = passive_return_ml_min(self.parameters, self.cavity_ml)
        if self.outflow_blocked:
            flow_ml_min = 0.0
        self.outflow_ml_min = flow_ml_min
        leaving_ml = flow_ml_min / 60.0 * dt_s
        leaving_c = self.abdomen.flow_through(
            entering_ml, entering_c, leaving_ml, evenly=self.draining
        )
        if self.draining:
            self.drained_ml += leaving_ml
            self.ledger.carried_off_j += leaving_ml * PERFUSATE_J_ML_K * leaving_c
        else:
            self._give_back(leaving_ml, leaving_c)

    def _leak(self, dt_s: float) -> None:
        """Lose fluid from the cavity, or from the reservoir while the cavity is empty."""
        wanted_ml = max(0.0, self.leak_ml_min) / 60.0 * dt_s
        if wanted_ml <= 0.0:
            return
        if self.cavity_ml > 0.0:
            leaked_ml = min(wanted_ml, self.cavity_ml)
            leaving_c = self.abdomen.flow_through(0.0, 0.0, leaked_ml, evenly=True)
        else:
            leaking_c = self.reservoir.temperature_c
            leaked_ml, leaving_c = self.reservoir.take(wanted_ml), leaking_c
        self.leaked_ml += leaked_ml
        self.ledger.carried_off_j += leaked_ml * PERFUSATE_J_ML_K * leaving_c

    def _exchange_heat(self, dt_s: float, entering_ml: float) -> None:
        p, ledger, bath = self.parameters, self.ledger, self.circulator.bath
        ledger.heater_j += self.circulator.advance(dt_s, self.heater_on, self.bath_set_c)
        ledger.room_j += self.exchanger.advance(dt_s, bath, self.heater_on)
        for fluid, loss_w_k in (
            (bath, p.bath_loss_w_k),
            (self.reservoir, p.reservoir_loss_w_k),
        ):
            room_j = lost_j(fluid.temperature_c, fluid.capacity_j_k, p.room_c, loss_w_k, dt_s)
            fluid.warm(-room_j)
            ledger.room_j += room_j
        ledger.room_j += self.abdomen.advance(dt_s, entering_ml)
        blood_j = self.abdomen.give_to_blood(dt_s, self.core_c)
        metabolism_j, cooling_j = p.metabolism_w * dt_s, self.cooling_w * dt_s
        ledger.room_j += self.patient.advance(dt_s, blood_j + metabolism_j - cooling_j)
        ledger.metabolism_j += metabolism_j
        ledger.cooling_j += cooling_j

    def _truth_c(self) -> list[float]:
        """Temperatures at the probes' places, in the order of PLACES."""
        abdomen, core_c = self.abdomen, self.patient.core_c
        inflow_c = self.inflow_line.end_c(self.now_s)
        at_patient = self.inflow_to_patient or self.draining
        pelvis_share = self.parameters.bladder_pelvis_share
        return [
            *abdomen.felt_c(),
            inflow_c,
            abdomen.outlet_c if at_patient else inflow_c,
            self.reservoir.temperature_c,
            self.exchanger.content.temperature_c,
            self.circulator.bath.temperature_c,
            core_c,
            core_c + pelvis_share * (abdomen.tissue_c[PELVIS] - core_c),
        ]
