"""What happens in a room by chance: faults at instruments, cables, circuit; commands, crashes."""

import random
from collections.abc import Callable

from service.core.model import Actor, Controller, PersonRole, Phase
from simulator.actions import ActionError
from simulator.faults import FAULTS
from tests.hours.room import HourRoom

FAULT_EVERY_S, COMMAND_EVERY_S, CRASH_EVERY_S, CLOCK_EVERY_S = 240.0, 90.0, 1800.0, 900.0
FAULT_LASTS_S = (2.0, 60.0)
CLOCK_STEPS_S = (1.0, -1.0, 3600.0, -3600.0, 86_400.0, -86_400.0)
DRIFT_NS_PER_S = 1_000_000
PLANT = {
    "inflow_clamped": (True, False),
    "outflow_blocked": (True, False),
    "leak_ml_min": (300.0, 0.0),
}
VALUES = {"offset": 1.5, "drift": 0.5}
STATIONS = ("perfusion", "")


class Chance:
    """The chance of one seed; `quiet` leaves out what is wrong, so that only commands come."""

    def __init__(self, seed: int, *, quiet: bool = False, clocks: bool = True) -> None:
        self.disturbed_s: float | None = None
        self._random = random.Random(f"hours {seed}")
        self._quiet = quiet
        self._clocks = clocks
        self._drifts = 0
        self._ends: list[tuple[float, Callable[[], object]]] = []

    def act(self, room: HourRoom) -> None:
        """What happens in this second."""
        now_s = room.now_s
        for _, end in [each for each in self._ends if each[0] <= now_s]:
            end()
        self._ends = [each for each in self._ends if each[0] > now_s]
        wall = random.Random(f"{self._random.random()} wall")
        if self._clocks:
            self._wall_clock(room, wall)
        if self._comes(COMMAND_EVERY_S):
            self._command(room)
        if not self._quiet and self._comes(FAULT_EVERY_S):
            self.disturbed_s = now_s
            self._fault(room)
            room.cables.look()
        if not self._quiet and self._comes(CRASH_EVERY_S):
            self.disturbed_s = now_s
            room.crash()

    def _comes(self, every_s: float) -> bool:
        return self._random.random() < 1.0 / every_s

    def _wall_clock(self, room: HourRoom, wall: random.Random) -> None:
        room.utc_off_ns += self._drifts * DRIFT_NS_PER_S
        if wall.random() < 1.0 / CLOCK_EVERY_S:
            room.utc_off_ns += round(wall.choice(CLOCK_STEPS_S) * 1e9)
        elif wall.random() < 1.0 / CLOCK_EVERY_S:
            self._drifts = wall.choice((-1, 0, 1))

    def _fault(self, room: HourRoom) -> None:
        lasts_s = self._random.uniform(*FAULT_LASTS_S)
        if self._random.random() < 0.2:
            name = self._random.choice(sorted(PLANT))
            wrong, well = PLANT[name]
            setattr(room.plant, name, wrong)
            self._ends.append((room.now_s + lasts_s, lambda: setattr(room.plant, name, well)))
            return
        device = self._random.choice(sorted(room.simulated.devices))
        fault = self._random.choice(sorted(FAULTS))
        line = room.simulated.devices[device]
        request = {"do": "fault", "device": device, "fault": fault}
        if line.instrument.inputs:
            request["input"] = self._random.choice(line.instrument.inputs)
        if fault in VALUES:
            request["value"] = VALUES[fault]
        try:
            room.simulated.act(request, room.now_s)
        except ActionError:
            return
        self._ends.append((room.now_s + lasts_s, line.clear))

    def _command(self, room: HourRoom) -> None:
        name = self._random.choice(sorted(COMMANDS))
        args = COMMANDS[name](self._random)
        role = self._random.choice([PersonRole.PERFUSIONIST] * 3 + list(PersonRole))
        by = Actor(user="By chance", role=role, station=self._random.choice(STATIONS))
        second = self._random.choice(("", "Second Name"))
        room.command(
            name, by=by, reason=self._random.choice(("", "why not")), second=second, **args
        )


Args = dict[str, str | float | int | bool | None]
COMMANDS: dict[str, Callable[[random.Random], Args]] = {
    "start_phase": lambda chance: {"phase": chance.choice(list(Phase)[:6]).value},
    "confirm_drug": lambda chance: {"fraction": chance.choice((1, 2, 9))},
    "set_controller": lambda chance: {"mode": chance.choice(list(Controller)).value},
    "set_inflow": lambda chance: {"c": chance.choice((30.0, 42.0, 44.5, 46.0, 60.0, -5.0))},
    "set_flow": lambda chance: {"ml_min": chance.choice((0.0, 600.0, 1200.0, 2500.0, 9000.0))},
    "heater_off": lambda _: {},
    "stop": lambda _: {},
    "pause": lambda _: {},
    "resume": lambda chance: chance.choice(({}, {"surgeon": "S. Two", "anesthesia": "A. Three"})),
    "patient_unstable": lambda _: {},
    "pause_audio": lambda _: {},
    "note": lambda chance: {"text": chance.choice(("", "a note", "ß" * 300))},
    "volume": lambda chance: {"kind": chance.choice(("in", "out", "spill", "x")), "ml": 100.0},
    "enter_core": lambda chance: {"c": chance.choice((36.5, 38.2, 50.0))},
    "acknowledge": lambda chance: {"occurrence": chance.choice(("", "none"))},
    "close_session": lambda _: {},
    "no_such_command": lambda _: {},
}
