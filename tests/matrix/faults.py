"""The fault matrix as data: every fault of every instrument and probe in every phase.

The first row that fits a cell holds. A row either names the alarms of which one is raised within
its time and stays while the fault lasts, or says what bounds the error. `make campaign` runs every
cell; `make test` some of each row.
"""

from dataclasses import dataclass
from math import inf

from simulator.plant import SITES

OUTSIDE = ("setup", "complete")
PHASES = (
    *("setup", "prime", "fill", "heat_up", "drug_addition", "perfuse", "drain", "rinse"),
    "complete",
)
WARM = ("heat_up", "drug_addition", "perfuse")
FLUID = ("prime", "fill", *WARM, "drain", "rinse")
PATIENT = FLUID[1:]
HEATED = ("prime", "fill", *WARM)
PUMPED = ("prime", "fill", *WARM, "rinse")

CIRCUIT = ("inflow", "outflow", "reservoir", "exchanger")
CORES = ("nasopharynx", "bladder")
PRESSURES = ("line_in", "line_out", "iap")
FLOWS = ("flow", "pump_flow")
TOLD = ("pump_speed", "heater_power")
"""Nothing is decided on these, so that nothing watches them."""

PROBES = (*SITES, *CIRCUIT, *CORES, "bath")
CHANNELS = (*PROBES, *PRESSURES, *FLOWS, "level", *TOLD)
SENSORS = ("thermometer", "analog")
DRIVES = ("pump", "heater")
INSTRUMENTS = (*SENSORS, *DRIVES)
KINDS = ("off", "stuck", "garbage", "offset", "slow", "delayed", "intermittent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What becomes of a fault in some targets and phases.

    `alarms`: one of these is raised within `within_s` and, from `stands_s` on, one always is (none
    needs to stand where that is infinite). `heat_off_s`: the heater is off by then where it ran.
    `bound`: what limits the error where no alarm must come; `bound_c`: by how much the true inflow
    or a true site may pass its ceiling meanwhile. `value`: another than the fault's own.
    `together`: alarms that may stand at once, where the fault looks like several causes.
    """

    kind: str
    targets: tuple[str, ...]
    phases: tuple[str, ...] = PHASES
    alarms: tuple[str, ...] = ()
    within_s: float = 0.0
    stands_s: float | None = None
    heat_off_s: float = inf
    bound: str = ""
    bound_c: float = 0.3
    value: float | None = None
    together: tuple[str, ...] = ()

    @property
    def stands_from_s(self) -> float:
        """From when on one of the alarms always stands."""
        return self.within_s if self.stands_s is None else self.stands_s


def row_of(kind: str, target: str, phase: str) -> Row:
    """The row of one cell; raises LookupError where nothing is expected of it."""
    for row in ROWS:
        if row.kind == kind and target in row.targets and phase in row.phases:
            return row
    raise LookupError(f"nothing is expected of {kind} {target} in {phase}")


JUMPS = ("reading_jump", "reading_range", "probe_noise")
SITE_JUMPS = ("site_reading_jump", "site_reading_range", "site_probe_noise", "site_ceiling")
CEILINGS = ("inflow_high", "inflow_isolate", "reservoir_high", "bath_high", "core_ceiling")
FLOW_ALARMS = ("flow_high", "flow_low", "no_flow", "flow_differs", "probe_noise")
PRESSURE_ALARMS = (
    *("probe_noise", "line_pressure_high", "iap_high", "suction_high"),
    *("line_pressure_warn", "iap_warn"),
)
VOLUME_ALARMS = ("reservoir_low", "leak", "volume_shift", "probe_noise")

NOTHING_RUNS = "no heat, no flow and no patient; the next phase's own row finds it"
NOTHING_DECIDED = "nothing is decided on it"
NO_PATIENT = "not in the patient yet; heat looks at inflow and reservoir"
AS_LAST_SET = (
    "it goes on as last set; the next order is not confirmed, and off that is not confirmed is a "
    "high alarm within 5 s"
)
LAG = "wrong by its lag times the slope, ordinarily below 0.5 °C; ceilings act late by that"

ROWS: tuple[Row, ...] = (
    # No fluid, no patient: nothing runs, and only instruments are watched.
    *(Row(kind=kind, targets=CHANNELS, phases=OUTSIDE, bound=NOTHING_RUNS) for kind in KINDS),
    *(
        Row(kind=kind, targets=(*SENSORS, *DRIVES), phases=OUTSIDE, bound=NOTHING_RUNS)
        for kind in ("stuck", "offset")
    ),
    # Nothing is read, or the instrument is silent.
    Row(kind="off", targets=SITES, phases=("prime",), bound=NO_PATIENT),
    Row(kind="off", targets=SITES, phases=PATIENT, alarms=("site_lost",), within_s=3),
    Row(
        kind="off",
        targets=("inflow", *FLOWS),
        phases=HEATED,
        alarms=("probe_lost",),
        within_s=3,
        heat_off_s=3,
    ),
    Row(
        kind="off",
        targets=("reservoir",),
        phases=("prime", "fill"),
        alarms=("probe_lost",),
        within_s=3,
        heat_off_s=3,
    ),
    Row(
        kind="off",
        targets=("nasopharynx",),
        phases=WARM,
        alarms=("probe_lost",),
        within_s=3,
        heat_off_s=65,
    ),
    Row(kind="off", targets=TOLD, bound=NOTHING_DECIDED),
    Row(kind="off", targets=CHANNELS, alarms=("probe_lost",), within_s=3),
    Row(kind="off", targets=SENSORS, alarms=("link_lost",), within_s=4, heat_off_s=6),
    Row(kind="off", targets=("pump",), alarms=("drive_link_lost",), within_s=4, heat_off_s=6),
    Row(kind="off", targets=("heater",), alarms=("drive_link_lost",), within_s=4),
    # The same plausible figure for ever.
    Row(kind="stuck", targets=CIRCUIT, alarms=("probe_stuck",), within_s=75),
    Row(kind="stuck", targets=SITES, phases=WARM, alarms=("site_probe_stuck",), within_s=75),
    Row(kind="stuck", targets=CORES, phases=WARM, alarms=("probe_stuck",), within_s=75),
    Row(kind="stuck", targets=PRESSURES, phases=WARM, alarms=("probe_stuck",), within_s=75),
    Row(
        kind="stuck",
        targets=(*SITES, *CORES),
        bound="not looked at while filling and draining: no heat depends on it there",
    ),
    Row(
        kind="stuck",
        targets=PRESSURES,
        bound="not looked at, as nothing may ripple there; flow and volume are watched",
    ),
    Row(
        kind="stuck",
        targets=("bath",),
        bound="a good bath stands still too; exchanger outlet and inflow have ceilings of their "
        "own, the set-point a maximum; 0.75 °C below it the heater's check tells",
    ),
    Row(
        kind="stuck",
        targets=FLOWS,
        bound="15 % (and 100 ml/min upwards) of what the other says; the meter within 75 s of a "
        "flow set anew by 100 ml/min. A steady flow stands still too",
    ),
    Row(
        kind="stuck",
        targets=("level",),
        bound="found within a minute of the first 100 ml that are written down (`scale_stuck`); "
        "until then its error is what has left since, seen by a level switch or by people only",
    ),
    Row(kind="stuck", targets=TOLD, bound=NOTHING_DECIDED),
    Row(kind="stuck", targets=("thermometer",), alarms=("probe_stuck",), within_s=75),
    Row(kind="stuck", targets=("analog",), phases=WARM, alarms=("probe_stuck",), within_s=75),
    Row(kind="stuck", targets=("analog",), bound="as for each of its channels"),
    Row(kind="stuck", targets=DRIVES, bound=AS_LAST_SET),
    # Anything from 0 to full scale.
    Row(kind="garbage", targets=SITES, phases=("prime",), bound=NO_PATIENT),
    Row(
        kind="garbage", targets=SITES, phases=PATIENT, alarms=SITE_JUMPS, within_s=30, stands_s=inf
    ),
    Row(
        kind="garbage",
        targets=(*CIRCUIT, *CORES, "bath"),
        alarms=(*JUMPS, *CEILINGS),
        within_s=30,
        stands_s=inf,
    ),
    Row(
        kind="garbage",
        targets=PRESSURES,
        alarms=PRESSURE_ALARMS,
        within_s=150,
        stands_s=inf,
        together=PRESSURE_ALARMS,
    ),
    Row(
        kind="garbage",
        targets=FLOWS,
        alarms=FLOW_ALARMS,
        within_s=150,
        stands_s=inf,
        together=FLOW_ALARMS,
    ),
    Row(
        kind="garbage",
        targets=("level",),
        alarms=VOLUME_ALARMS,
        within_s=150,
        stands_s=inf,
        together=VOLUME_ALARMS,
    ),
    Row(kind="garbage", targets=TOLD, bound=NOTHING_DECIDED),
    Row(kind="garbage", targets=SENSORS, alarms=("link_lost",), within_s=4, heat_off_s=6),
    Row(kind="garbage", targets=DRIVES, alarms=("drive_link_lost",), within_s=4),
    # Wrong by 1 °C, 300 ml/min, 15 mmHg, 300 ml.
    Row(
        kind="offset",
        targets=("flow",),
        phases=PUMPED,
        alarms=("flow_differs", "flow_high"),
        within_s=20,
        value=800.0,
        bound="here 800 ml/min; below 115 % and 100 ml/min more than the other it is not told",
    ),
    Row(
        kind="offset",
        targets=("pump",),
        phases=PUMPED,
        alarms=("flow_differs", "flow_high"),
        within_s=20,
        value=800.0,
        bound="here 800 ml/min; below 115 % and 100 ml/min more than the other it is not told",
    ),
    Row(
        kind="offset",
        targets=PROBES,
        bound="its own size, 1 °C: the comparison before use finds 0.3 °C; a step above 1 °C "
        "of a site, or 1.5 °C between inflow and exchanger outlet, is found",
        bound_c=1.3,
    ),
    Row(
        kind="offset",
        targets=PRESSURES,
        bound="its own size, 15 mmHg: limits act that much off; zeroing is on the checklist",
    ),
    Row(
        kind="offset",
        targets=(*FLOWS, "level"),
        bound="its own size; heat counts on the lower of two flows, a step of the level is a leak",
    ),
    Row(kind="offset", targets=TOLD, bound=NOTHING_DECIDED),
    Row(
        kind="offset",
        targets=("thermometer", "heater"),
        bound="its own size, 1 °C: bath and exchanger outlet, on two instruments, show 0.5 °C",
        bound_c=1.3,
    ),
    Row(
        kind="offset",
        targets=("analog", "pump"),
        bound="as for each of its channels",
        together=(*PRESSURE_ALARMS, *FLOW_ALARMS, *VOLUME_ALARMS),
    ),
    # Follows with a time constant of a minute; an instrument answers every 5 s.
    Row(kind="slow", targets=CHANNELS, bound=LAG, bound_c=0.8),
    Row(
        kind="slow",
        targets=SENSORS,
        alarms=("channel_stale", "link_lost"),
        within_s=6,
        stands_s=17,
        heat_off_s=6,
    ),
    Row(
        kind="slow",
        targets=DRIVES,
        alarms=("channel_stale", "drive_link_lost"),
        within_s=6,
        stands_s=17,
    ),
    # Half a minute late; an instrument 5 s.
    Row(kind="delayed", targets=CHANNELS, bound=LAG, bound_c=0.8),
    Row(
        kind="delayed",
        targets=INSTRUMENTS,
        alarms=("channel_stale",),
        within_s=6,
        stands_s=inf,
        bound="then all it says is 5 s late",
    ),
    # 5 s without a reading, 5 s with one.
    Row(kind="intermittent", targets=SITES, phases=("prime",), bound=NO_PATIENT),
    Row(
        kind="intermittent",
        targets=SITES,
        phases=PATIENT,
        alarms=("site_lost", "site_probe_contact"),
        within_s=3,
        stands_s=13,
    ),
    Row(kind="intermittent", targets=TOLD, bound=NOTHING_DECIDED),
    Row(
        kind="intermittent",
        targets=CHANNELS,
        alarms=("probe_lost", "probe_contact"),
        within_s=3,
        stands_s=13,
    ),
    Row(
        kind="intermittent",
        targets=SENSORS,
        alarms=("link_lost",),
        within_s=4,
        stands_s=14,
        heat_off_s=6,
    ),
    Row(
        kind="intermittent",
        targets=DRIVES,
        alarms=("drive_link_lost",),
        within_s=4,
        stands_s=14,
    ),
)
