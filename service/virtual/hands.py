"""What a simulated team does with its hands as a session goes on: clamps, bags, drug, cooling.

The demo room (over its control channel) and virtual sessions (directly) do the same things with it.
Requests are those of the simulator's control channel, `plant` and `bolus`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from service.core.model import Phase
from simulator.plant import AnyPlant

Request = Mapping[str, Any]

PATIENT = {"inflow_to_patient": True, "draining": False}
BYPASS = {"inflow_to_patient": False, "draining": False}
DRAIN = {"inflow_to_patient": False, "draining": True}
CLAMPS: Mapping[str | None, Mapping[str, bool]] = {
    None: BYPASS,
    Phase.SETUP: BYPASS,
    Phase.PRIME: BYPASS,
    Phase.DRAIN: DRAIN,
    Phase.COMPLETE: DRAIN,
}
"""Where the clamps stand in each phase; in all others the patient is connected."""

FRESH_FOR = (Phase.SETUP, Phase.RINSE)
"""Phases that begin with fresh fluid: after a drain the reservoir holds too little to pump."""

FULL_ML, FRESH_C = 3500.0, 38.0
DRUG_ML, DRUG_C = 100.0, 20.0
COOLING_FROM_C, COOLING_W = 38.0, 50.0


class Hands:
    """Follows phase, recorded fractions and core temperature, and says what is to be done."""

    def __init__(self) -> None:
        self._clamps: Mapping[str, bool] | None = None
        self._given: int | None = None
        self._cooled = False
        self._phase: str | None = None

    def follow(
        self,
        phase: str | None,
        given: int,
        core_c: float | None,
        reservoir_ml: Callable[[], float],
    ) -> list[Request]:
        """What to do now that the session is in `phase` with `given` fractions recorded."""
        requests: list[Request] = []
        begins = self._clamps is not None and phase != self._phase
        self._phase = phase
        if begins and phase in FRESH_FOR and (missing_ml := FULL_ML - reservoir_ml()) > 0:
            requests.append(_bolus(missing_ml, FRESH_C, "reservoir"))
        clamps = CLAMPS.get(phase, PATIENT)
        if clamps != self._clamps:
            requests.append({"do": "plant", "set": dict(clamps)})
            self._clamps = clamps
        if self._given is not None and given > self._given:
            # A fraction that was recorded as given goes in, cold, at the patient's port.
            requests.append(_bolus(DRUG_ML, DRUG_C, "cavity"))
        self._given = given
        if core_c is not None and core_c > COOLING_FROM_C and not self._cooled:
            requests.append({"do": "plant", "set": {"cooling_w": COOLING_W}})
            self._cooled = True
        return requests


def carry_out(plant: AnyPlant, request: Request) -> None:
    """Do one of these requests at a plant, as the simulator's control channel would."""
    if request["do"] == "bolus":
        plant.bolus(request["volume_ml"], request["temperature_c"], into=request["into"])
        return
    for name, value in request["set"].items():
        setattr(plant, name, value)


def _bolus(volume_ml: float, temperature_c: float, into: str) -> Request:
    return {"do": "bolus", "volume_ml": volume_ml, "temperature_c": temperature_c, "into": into}
