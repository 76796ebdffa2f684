"""The event × response matrix as data: what brings each row about, and what must follow.

`fault` is written as `hipec simulate --fault` takes it; `command` is a person's. Times are seconds
from the event; the pump either goes on, or stands by `pump_stops_s`.
"""

from dataclasses import dataclass
from math import inf

from tests.matrix.faults import HEATED, PUMPED, WARM

STARTED = ("prime", "fill", *WARM)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One row of the matrix and how it is brought about, in which phases."""

    event: str
    phases: tuple[str, ...]
    fault: str = ""
    command: str = ""
    alarms: tuple[str, ...] = ()
    within_s: float = 3.0
    heat_off_s: float = inf
    pump_stops_s: float = inf
    proven_in: str = ""

    @property
    def pump_goes_on(self) -> bool:
        """Whether the pump must not stop."""
        return self.pump_stops_s == inf


EVENTS: tuple[EventRow, ...] = (
    EventRow(
        event="no flow while the pump runs, line pressure ordinary",
        phases=PUMPED,
        fault="pump_stall@0s",
        alarms=("no_flow",),
        within_s=6,
        heat_off_s=6,
        pump_stops_s=18,
    ),
    EventRow(
        event="line pressure above its limit",
        phases=("fill", *WARM),
        fault="inflow_kink@0s",
        alarms=("line_pressure_high",),
        within_s=8,
        heat_off_s=8,
        pump_stops_s=8,
    ),
    EventRow(
        event="abdominal pressure above 25 mmHg for 5 s",
        phases=WARM,
        fault="offset:iap=25@0s",
        alarms=("iap_high",),
        within_s=8,
        heat_off_s=8,
        pump_stops_s=8,
    ),
    EventRow(
        event="reservoir low",
        phases=STARTED,
        fault="offset:level=-5000@0s",
        alarms=("reservoir_low", "leak", "reading_range"),
        within_s=4,
        heat_off_s=6,
        pump_stops_s=6,
    ),
    EventRow(
        event="suction below -100 mmHg",
        phases=WARM,
        fault="offset:line_out=-150@0s",
        alarms=("suction_high",),
        within_s=3,
        heat_off_s=3,
        pump_stops_s=14,
    ),
    EventRow(
        event="outflow blocked",
        phases=WARM,
        fault="outflow_block@0s",
        alarms=("volume_shift", "iap_high", "leak", "iap_warn"),
        within_s=60,
        heat_off_s=90,
        pump_stops_s=90,
    ),
    EventRow(
        event="leak above 0.3 L in 5 min",
        phases=WARM,
        fault="leak=200@0s",
        alarms=("leak", "reservoir_low", "volume_shift"),
        within_s=150,
        heat_off_s=150,
        pump_stops_s=170,
    ),
    EventRow(
        event="inflow at its ceiling",
        phases=("drug_addition", "perfuse"),
        fault="offset:inflow=2@0s",
        alarms=("inflow_high", "inflow_isolate"),
        within_s=2,
        heat_off_s=2,
    ),
    EventRow(
        event="site at its ceiling",
        phases=WARM,
        fault="offset:mid_abdomen=6.5@0s",
        alarms=("site_ceiling",),
        within_s=3,
        heat_off_s=3,
    ),
    EventRow(
        event="core at its ceiling",
        phases=WARM,
        fault="offset:nasopharynx=5@0s",
        alarms=("core_ceiling", "core_high"),
        within_s=2,
        heat_off_s=2,
    ),
    EventRow(
        event="bath too hot whatever it is told",
        phases=WARM,
        fault="heater_runaway=55@0s",
        alarms=("bath_high", "inflow_high"),
        within_s=240,
        pump_stops_s=500,
    ),
    EventRow(
        event="inflow above 48 °C",
        phases=HEATED,
        fault="offset:inflow=12@0s",
        alarms=("inflow_isolate",),
        within_s=3,
        heat_off_s=2,
        pump_stops_s=3,
    ),
    EventRow(
        event="pump stopped at its keypad",
        phases=PUMPED,
        fault="pump_stop@0s",
        alarms=("pump_stopped",),
        within_s=3,
        heat_off_s=5,
        pump_stops_s=3,
    ),
    EventRow(
        event="heater stopped at its keypad (between two orders)",
        phases=WARM,
        fault="heater_stop@0s",
        alarms=("heater_stopped",),
        within_s=3,
        heat_off_s=3,
    ),
    EventRow(
        event="the heater does not obey when it is switched off",
        phases=WARM,
        fault="stuck:heater@0s",
        command="heater_off",
        alarms=("heater_not_off",),
        within_s=8,
        pump_stops_s=140,
    ),
    EventRow(
        event="the pump does not obey when it is stopped",
        phases=WARM,
        fault="stuck:pump@0s",
        command="stop",
        alarms=("pump_not_off",),
        within_s=8,
        heat_off_s=2,
    ),
    EventRow(
        event="heater gives no heat",
        phases=("heat_up", "perfuse"),
        fault="heater_dead@0s",
        alarms=("heater_not_gaining", "heat_balance", "probe_exchanger", "sites_low"),
        within_s=300,
    ),
    EventRow(
        event="patient unstable",
        phases=STARTED,
        command="patient_unstable",
        alarms=("patient_unstable",),
        within_s=1,
        heat_off_s=1,
        pump_stops_s=1,
    ),
    EventRow(event="stop", phases=STARTED, command="stop", heat_off_s=1, pump_stops_s=1),
    EventRow(event="abort", phases=STARTED, command="abort", heat_off_s=1, pump_stops_s=1),
    EventRow(
        event="closed technique without abdominal pressure",
        phases=WARM,
        proven_in="tests/core/test_channels.py: it stands on the strip of what is not guarded",
    ),
    EventRow(
        event="bubble, level switch, cut-out, emergency stop",
        phases=STARTED,
        proven_in="tests/core/test_volumes_and_switches.py",
    ),
    EventRow(
        event="control process dead",
        phases=STARTED,
        proven_in="tests/e2e/test_processes.py: the supervisor makes safe",
    ),
    EventRow(
        event="host or power dead",
        phases=STARTED,
        proven_in="tests/e2e/test_contactor.py: the watchdog opens the contactors",
    ),
)
