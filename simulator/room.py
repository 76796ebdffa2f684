"""The standard room: the plant, its instruments, and the wires between them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simulator.actions import ActionError, act, check
from simulator.devices.bioprott import FlowMeter
from simulator.devices.julabo import Circulator
from simulator.devices.keller_33x import PressureLine
from simulator.devices.keller_transmitter import TransmitterSettings
from simulator.devices.probe import Source
from simulator.devices.tm_th8 import ThermistorModule
from simulator.devices.watson_marlow import PeristalticPump
from simulator.faults import Line
from simulator.plant import SITES, Plant
from simulator.scenario import Scenario, ScenarioError, load

CIRCUIT = ("inflow", "outflow", "reservoir", "exchanger", "nasopharynx", "bladder")
LINE_IN_ADDRESS, IAP_ADDRESS = 1, 2
STEP_S = 0.25


class Room:
    """Plant and instruments in plant time. `devices` holds each port's line by name; without
    ptys, give bytes to `devices[name].receive(data, now_s)` and time to `advance`."""

    def __init__(self, scenario: Scenario | None = None) -> None:
        self.scenario = scenario or Scenario()
        start = self.scenario.start
        self.plant = Plant(self.scenario.parameters, seed=self.scenario.seed)
        self.plant.inflow_to_patient = start.patient_connected
        self.now_s = 0.0
        self.places = {
            place: (device, number)
            for device, wired in (("circuit", CIRCUIT), ("sites", SITES))
            for number, place in enumerate(wired, start=1)
        }
        self._install()
        self._start()
        self._waiting = list(self.scenario.timed)
        for timed in self._waiting:
            check(self, timed.request)

    def advance(self, dt_s: float, now_s: float | None = None) -> None:
        """Let `dt_s` of plant time pass, timed actions included. `now_s` is the real second that
        faults count from; in virtual time it is plant time."""
        end_s = self.now_s + dt_s
        while self._waiting and self._waiting[0].at_s <= end_s:
            timed = self._waiting.pop(0)
            self._pass(max(0.0, timed.at_s - self.now_s))
            act(self, timed.request, self.now_s if now_s is None else now_s)
        self._pass(end_s - self.now_s)

    def act(self, request: Mapping[str, Any], now_s: float) -> dict[str, Any]:
        """Do one request of the control channel. Raises ActionError and then changes nothing."""
        return act(self, request, now_s)

    def state(self) -> dict[str, Any]:
        """The plant's true values and every instrument's state, as JSON values."""
        plant = self.plant
        places_c = {place: round(plant.probe_c(place), 3) for place in (*self.places, "bath")}
        return {
            "plant_s": round(self.now_s, 3),
            "plant": {
                "probe_c": places_c,
                "flow_ml_min": round(plant.flow_ml_min, 1),
                "line_in_mmhg": round(plant.line_in_mmhg(), 2),
                "line_out_mmhg": round(plant.line_out_mmhg(), 2),
                "iap_mmhg": round(plant.iap_mmhg(), 2),
                "heater_percent": round(plant.heater_percent, 1),
                "reservoir_ml": round(plant.reservoir_ml, 1),
                "cavity_ml": round(plant.cavity_ml, 1),
                "cavity_c": round(plant.cavity_c, 3),
                "core_c": round(plant.core_c, 3),
                "spread_c": round(plant.spread_c, 3),
                "inflow_to_patient": plant.inflow_to_patient,
                "inflow_clamped": plant.inflow_clamped,
                "outflow_blocked": plant.outflow_blocked,
                "draining": plant.draining,
                "leak_ml_min": plant.leak_ml_min,
                "cooling_w": plant.cooling_w,
            },
            "devices": {name: line.describe() for name, line in self.devices.items()},
        }

    def _install(self) -> None:
        settings, plant = self.scenario.settings, self.plant
        self.pump = PeristalticPump(settings.get("pump"))
        self.heater = Circulator(
            self._probe("bath"), lambda: plant.heater_percent, settings.get("heater")
        )
        pressures = PressureLine(
            [
                (plant.line_in_mmhg, TransmitterSettings(address=LINE_IN_ADDRESS)),
                (
                    plant.iap_mmhg,
                    TransmitterSettings(address=IAP_ADDRESS, serial_number=1_208_332),
                ),
            ],
            settings.get("pressure"),
        )
        instruments = {
            "sites": ThermistorModule([self._probe(s) for s in SITES], settings.get("sites")),
            "circuit": ThermistorModule([self._probe(p) for p in CIRCUIT], settings.get("circuit")),
            "pump": self.pump,
            "heater": self.heater,
            "pressure": pressures,
            "flow": FlowMeter(lambda: plant.flow_ml_min, settings.get("flow")),
        }
        seed = self.scenario.seed
        self.devices = {name: Line(name, each, seed=seed) for name, each in instruments.items()}

    def _probe(self, place: str) -> Source:
        read: Callable[[str], float] = self.plant.probe_c
        return lambda: read(place)

    def _start(self) -> None:
        start = self.scenario.start
        if start.pump_rpm:
            self.pump.start(start.pump_rpm)
        if start.bath_set_c is not None:
            self.heater.set_c = start.bath_set_c
        if start.heater_on:
            self.heater.start(self.heater.set_c)
        self._drive()

    def _pass(self, dt_s: float) -> None:
        left_s = dt_s
        while left_s > 1e-9:
            step_s = min(STEP_S, left_s)
            self._drive()
            self.plant.advance(step_s)
            for line in self.devices.values():
                line.instrument.sample(step_s)
            left_s -= step_s
        self.now_s += dt_s
        self._drive()

    def _drive(self) -> None:
        """Pass on what pump and heater do. A pump that turns backwards pushes nothing forward."""
        self.plant.pump_ml_min = max(0.0, self.pump.ml_min)
        self.plant.heater_on = self.heater.heating
        self.plant.bath_set_c = self.heater.set_c


def open_room(path: Path | None) -> Room:
    """The room of a scenario file, or the default one. Raises ScenarioError naming the field."""
    if path is None:
        return Room()
    scenario = load(path)
    try:
        return Room(scenario)
    except ActionError as error:
        raise ScenarioError(f"{path}: at: {error}") from error
