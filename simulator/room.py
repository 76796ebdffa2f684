"""The standard room: the plant, its instruments, and the wires between them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from simulator.actions import ActionError, act, check
from simulator.catalogue import (
    CATALOGUE,
    CIRCUIT,
    EVERY_ROOM,
    HeaterTwin,
    PumpTwin,
    Wires,
    usual,
)
from simulator.devices.digital import DigitalModule
from simulator.faults import Line
from simulator.plant import SITES, Plant
from simulator.scenario import Scenario, ScenarioError, load

RELAYS = {"heater": 1, "pump": 2}
"""Relay of the switches through which each drive has its mains, in rooms that have switches."""
CUTS: Mapping[str, frozenset[str]] = {
    "heater": frozenset({"cut_out", "emergency_stop"}),
    "pump": frozenset({"emergency_stop"}),
}
"""Contacts that take the mains from a drive by hardware, whatever a program does."""
STEP_S = 0.25


class Room:
    """Plant and instruments in plant time. `devices` holds each port's line by name; without
    ptys, give bytes to `devices[name].receive(data, now_s)` and time to `advance`.

    Where the scenario has switches, heater and pump have their mains through its relays. The plant
    goes on in steps of at most `step_s`."""

    def __init__(self, scenario: Scenario | None = None, *, step_s: float = STEP_S) -> None:
        self.scenario = scenario or Scenario()
        self._step_s = step_s
        start = self.scenario.start
        self.plant = Plant(self.scenario.parameters, seed=self.scenario.seed)
        self.plant.inflow_to_patient = start.patient_connected
        self.wires = Wires(plant=self.plant)
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
            self._pass(max(0.0, timed.at_s - self.now_s), now_s)
            act(self, timed.request, self.now_s if now_s is None else now_s)
        self._pass(end_s - self.now_s, now_s)

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
            "tripped": sorted(self.wires.tripped),
            "devices": {name: line.describe() for name, line in self.devices.items()},
        }

    def _install(self) -> None:
        scenario = self.scenario
        named = {*EVERY_ROOM, *scenario.models, *scenario.settings}
        made = {}
        for port in CATALOGUE:
            if port in named:
                model = CATALOGUE[port][scenario.models.get(port, usual(port))]
                made[port] = model.make(self.wires, scenario.settings.get(port))
        self.pump = cast(PumpTwin, made["pump"])
        self.heater = cast(HeaterTwin, made["heater"])
        self.switches = cast(DigitalModule | None, made.get("switches"))
        self.devices = {port: Line(port, each, seed=scenario.seed) for port, each in made.items()}

    def _start(self) -> None:
        start = self.scenario.start
        if self.switches and (start.pump_rpm or start.heater_on):
            self.switches.close()
        self._drive()
        if start.pump_rpm:
            self.pump.start(start.pump_rpm)
        if start.bath_set_c is not None:
            self.heater.set_c = start.bath_set_c
        if start.heater_on:
            self.heater.start(self.heater.set_c)
        self._drive()

    def _pass(self, dt_s: float, now_s: float | None) -> None:
        end_s = self.now_s + dt_s
        while end_s - self.now_s > 1e-9:
            step_s = min(self._step_s, end_s - self.now_s)
            self._drive()
            self.plant.advance(step_s)
            for line in self.devices.values():
                line.instrument.sample(step_s)
            self.now_s += step_s
            if self.switches:
                self.switches.watch_host(self.now_s if now_s is None else now_s)
        self.now_s = end_s
        self._drive()

    def _drive(self) -> None:
        """Pass on what pump and heater do. A pump that turns backwards pushes nothing forward."""
        mains = {drive: self._has_mains(drive) for drive in RELAYS}
        for drive, powered in mains.items():
            self.devices[drive].supply(powered)
        self.plant.pump_ml_min = max(0.0, self.pump.ml_min) if mains["pump"] else 0.0
        self.plant.heater_on = self.heater.heating and mains["heater"]
        self.plant.bath_set_c = self.heater.set_c

    def _has_mains(self, drive: str) -> bool:
        if self.wires.tripped & CUTS[drive]:
            return False
        return self.switches is None or self.switches.closed(RELAYS[drive])


def open_room(path: Path | None) -> Room:
    """The room of a scenario file, or the default one. Raises ScenarioError naming the field."""
    if path is None:
        return Room()
    scenario = load(path)
    try:
        return Room(scenario)
    except ActionError as error:
        raise ScenarioError(f"{path}: at: {error}") from error
