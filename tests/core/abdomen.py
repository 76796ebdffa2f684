"""The simulated patient looked at every ten seconds, without a core: for observer and loop."""

from dataclasses import dataclass, field

from protocols.schema import Technique
from service.core import loop
from service.core.balance import typical
from service.core.estimate import STEP_S, Estimate, Sight, begun, looked
from simulator.plant import Parameters, Plant
from simulator.plant.abdomen import SITES

AIMS = loop.Aims(low_c=42.5, high_c=43.5, core_high_c=39.5, inflow_most_c=45.7)
BATH_OVER_INFLOW_C, BATH_MOST_C = 0.6, 46.5


@dataclass
class Abdomen:
    """A perfused patient from heat-up on; `sick` changes what is read, not what is."""

    parameters: Parameters
    flow_ml_min: float = 1500.0
    hidden: set[str] = field(default_factory=set)
    off_c: dict[str, float] = field(default_factory=dict)
    estimate: Estimate | None = None
    at_s: float = 0.0

    def __post_init__(self) -> None:
        self.plant = Plant(self.parameters)
        self.plant.inflow_to_patient = self.plant.heater_on = True
        self.plant.pump_ml_min = self.flow_ml_min

    def sight(self) -> Sight:
        read = {site: round(self.plant.probe_c(site), 2) for site in SITES}
        return Sight(
            sites_c={
                site: value + self.off_c.get(site, 0.0)
                for site, value in read.items()
                if site not in self.hidden
            },
            inflow_c=round(self.plant.probe_c("inflow"), 2),
            outflow_c=None if "outflow" in self.hidden else self.plant.probe_c("outflow"),
            core_c=None if "core" in self.hidden else self.plant.probe_c("nasopharynx"),
            flow_ml_min=self.plant.flow_ml_min,
        )

    def look(self, inflow_c: float) -> Estimate:
        """Ten seconds at this inflow set-point, then a look."""
        above = inflow_c - self.plant.probe_c("inflow")
        bath = inflow_c + BATH_OVER_INFLOW_C + above
        self.plant.bath_set_c = round(min(BATH_MOST_C, bath), 1)
        self.plant.advance(STEP_S)
        self.at_s += STEP_S
        sight, typed = self.sight(), typical(Technique(self.parameters.technique), 3000.0)
        self.estimate = (
            begun(self.at_s, sight, typed)
            if self.estimate is None
            else looked(self.estimate, self.at_s, sight)
        )
        return self.estimate

    def wanted_c(self) -> float:
        """What the outer loop asks for now."""
        assert self.estimate is not None
        estimate, flow = self.estimate, self.flow_ml_min
        aim = loop.goal(estimate, AIMS, flow)
        hot = max(estimate.shares.values())
        b, now = estimate.balance, estimate.now
        return min(45.7, loop.wanted_inflow_c(b, now, flow, aim.mean_c, hot, AIMS))

    def minutes(self, minutes: float, inflow_c: float | None = None) -> Estimate:
        """Let time pass at this inflow, or under the loop."""
        for _ in range(round(minutes * 60 / STEP_S)):
            known = self.estimate is not None
            wanted = self.wanted_c() if inflow_c is None and known else inflow_c or 45.0
            self.look(wanted)
        assert self.estimate is not None
        return self.estimate

    @property
    def truth_c(self) -> list[float]:
        """What the sites' probes lie in."""
        return self.plant.abdomen.felt_c()
