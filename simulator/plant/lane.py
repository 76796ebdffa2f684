"""One patient of a batch, as `Plant` shows itself."""

from typing import TYPE_CHECKING, Any, Literal

from simulator.plant.parameters import Parameters
from simulator.plant.plant import IAP, LINE_IN, LINE_OUT
from simulator.plant.probes import PLACES

if TYPE_CHECKING:
    from simulator.plant.batch import Batch

SENSORS = {place: index for index, place in enumerate(PLACES)}
ACTUATORS = frozenset({"pump_ml_min", "bath_set_c", "leak_ml_min", "cooling_w", "heater_on"}) | {
    *("inflow_to_patient", "draining", "inflow_clamped", "outflow_blocked")
}


class Lane:
    """One patient of a batch, with the actuators and sensors of `Plant`; see there for both."""

    pump_ml_min: float
    heater_on: bool
    bath_set_c: float
    inflow_to_patient: bool
    draining: bool
    inflow_clamped: bool
    outflow_blocked: bool
    leak_ml_min: float
    cooling_w: float

    def __init__(self, batch: "Batch", body: Any, index: int) -> None:
        """Look at this patient of the batch, which goes on for all of them at once."""
        own = {"_batch": batch, "_index": index, "_body": body}
        self.__dict__.update(own, parameters=batch.parameters[index])
        self.parameters: Parameters

    def __getattr__(self, name: str) -> Any:
        """An actuator or a body by its name in `BODIES`."""
        try:
            return self.__dict__["_body"][name].item()
        except (KeyError, ValueError):
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an actuator; AttributeError for anything else."""
        if name not in ACTUATORS:
            raise AttributeError(f"{name} cannot be set")
        self.__dict__["_body"][name] = value

    def probe_c(self, place: str) -> float:
        """Reading of the probe at a place of `probes.PLACES` (°C)."""
        return self._shown(SENSORS[place])

    def line_in_mmhg(self) -> float:
        """Pressure in the inflow tube after the pump (mmHg)."""
        return self._shown(LINE_IN)

    def line_out_mmhg(self) -> float:
        """Pressure in the return tube at the table (mmHg)."""
        return self._shown(LINE_OUT)

    def iap_mmhg(self) -> float:
        """Abdominal pressure above atmosphere (mmHg)."""
        return self._shown(IAP)

    @property
    def heater_percent(self) -> float:
        """Heating power as a share of its limit (%)."""
        share: float = 100.0 * self.power_w / self.parameters.heater_max_w
        return share

    def bolus(
        self,
        volume_ml: float,
        temperature_c: float,
        *,
        into: Literal["reservoir", "cavity"] = "reservoir",
    ) -> None:
        """Pour in a volume (mL, not negative) at its temperature (°C)."""
        own, cavity = self.__dict__, into == "cavity"
        own["_batch"].pour(own["_index"], volume_ml, temperature_c, cavity=cavity)

    def _shown(self, sensor: int) -> float:
        own = self.__dict__
        shown: float = own["_batch"].shown[own["_index"]][sensor]
        return shown
