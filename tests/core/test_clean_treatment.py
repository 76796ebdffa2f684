"""An ordinary treatment of the simulated patient, twenty times faster: nothing sounds in vain."""

import pytest

from service.core.events import Frame
from service.core.model import CommandState
from simulator.plant import Parameters, Plant
from simulator.plant.parameters import Technique
from tests.core.bench import Bench
from tests.core.room import CHANNELS, SITES

SPEED = 20.0
PROBES = [name for name, device, *_ in CHANNELS if device in ("circuit", "sites")] + ["bath"]


class PatientBench(Bench):
    """A bench whose readings come from the virtual patient and circuit."""

    def __init__(self, protocol_id: str, technique: Technique) -> None:
        self.plant = Plant(Parameters(technique=technique, bath_start_c=40.0))
        self.plant.cooling_w = 60.0
        self.flow_follows = False
        super().__init__(protocol_id, SPEED)
        self.flow_follows = False

    def read(self, device: str) -> Frame:
        plant, phase = self.plant, self.state.session.phase if self.state.session else ""
        plant.inflow_to_patient = phase in ("fill", "heat_up", "drug_addition", "perfuse")
        plant.draining = phase == "drain"
        plant.heater_on, plant.pump_ml_min = self.heater is not None, self.pump or 0.0
        plant.bath_set_c = self.heater or plant.bath_set_c
        plant.advance(self._real_ns / 1e9 * SPEED - plant.now_s)
        self.values |= {name: round(plant.probe_c(name), 2) for name in PROBES}
        self.values |= {"line_in": plant.line_in_mmhg(), "iap": plant.iap_mmhg()}
        self.values |= {"line_out": plant.line_out_mmhg(), "flow": plant.flow_ml_min}
        return super().read(device)

    def minutes(self, minutes: float) -> None:
        self.run(60 * minutes / SPEED)

    def go(self, phase: str) -> None:
        self.checklist(phase)
        answer = self.command("start_phase", phase=phase)
        assert answer.state is not CommandState.REFUSED, answer.reason

    def waits_for_the_gate(self) -> bool:
        return self.session.clocks.gate_held_s < self.protocol.gate.hold_s

    def watch_the_hottest_site(self) -> None:
        """What a perfusionist does: a little less inflow before a site reaches the band's edge."""
        hottest_c = max(value for name in SITES if (value := self.values[name]) is not None)
        granted_c = self.session.heat.granted_c
        if hottest_c > self.protocol.target.high_c - 0.15 and granted_c is not None:
            self.command("set_inflow", c=granted_c - 0.2)


CASES = [
    ("closed-oxaliplatin-30", "closed", "automatic", ["reminder_due", "treatment_over"]),
    ("open-oxaliplatin-30", "open", "automatic", ["reminder_due", "treatment_over"]),
    ("closed-mmc-90", "closed", "advisory", ["fraction_due", "fraction_due", "treatment_over"]),
]


@pytest.mark.requirement("RC-036")
@pytest.mark.parametrize(("protocol", "technique", "controller", "alarms"), CASES)
def test_a_clean_treatment_sounds_only_what_is_due(
    protocol: str, technique: Technique, controller: str, alarms: list[str]
) -> None:
    bench = PatientBench(protocol, technique)
    bench.minutes(1)
    bench.command("open_session")
    bench.go("prime")
    bench.minutes(6)
    bench.go("fill")
    bench.minutes(3)
    bench.go("heat_up")
    bench.command("set_controller", mode=controller)
    for number in range(1, 1 + len(bench.protocol.reminders)):
        bench.command("confirm_reminder", reminder=number)
    while bench.waits_for_the_gate():
        bench.minutes(1)
    bench.go("drug_addition")
    bench.command("confirm_drug", fraction=1)
    while not bench.session.clocks.ended:
        bench.minutes(1)
        bench.watch_the_hottest_site()
        for alarm in list(bench.state.alarms.values()):
            if alarm.id == "fraction_due":
                bench.command("confirm_drug", fraction=int(alarm.source))
    bench.minutes(1)
    bench.go("drain")
    bench.minutes(8)
    bench.go("rinse")
    bench.minutes(3)
    bench.go("complete")
    bench.command("close_session")
    bench.minutes(1)
    assert bench.alarms() == alarms
    assert bench.state.alarms == {}
