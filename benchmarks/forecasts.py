"""How far the core's forecasts were off, on virtual patients under automatic: tables for docs.

    python benchmarks/forecasts.py [--patients 10] [--seed 11] [PROTOCOL ...]

Each minute of treatment the forecasts are noted and compared with what was read when their time had
come. The gate is compared from the second minute of heat-up on, before incision with its range.
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping
from statistics import median

from service.core.model import Phase
from service.core.outlook import CORE, HORIZONS_S, MEAN
from service.core.what_if import BeforeIncision, before_incision
from service.virtual.chosen import protocol_of
from service.virtual.cohort import drawn
from service.virtual.session import Setup, VirtualSession
from simulator.plant import SITES

NOTED_EVERY_S = 60
FROM_HEAT_UP_S = 120.0


class Errors:
    """Errors of all patients by what was foreseen, and how often the truth lay in the range."""

    def __init__(self) -> None:
        self.off: dict[tuple[str, float], list[float]] = defaultdict(list)
        self.inside: dict[tuple[str, float], list[bool]] = defaultdict(list)
        self.gate_min: list[float] = []
        self.gates_min: list[float] = []

    def take(self, session: VirtualSession) -> None:
        """Run one treatment, then compare everything that was foreseen with what was read."""
        read: dict[int, Mapping[str, float]] = {}
        noted = []
        while not session.over and session.phase is not Phase.DRAIN:
            session.second()
            at_s, room = int(session.now_s), session.state.session
            read[at_s] = {name: session.plant.probe_c(name) for name in (*SITES, "nasopharynx")}
            if room is not None and room.foresight is not None and at_s % NOTED_EVERY_S == 0:
                noted.append((at_s, room.foresight.outlook))
        began_s = session.log.began_s(Phase.HEAT_UP) or 0.0
        gate_c = session.setup.protocol.gate.threshold_c
        gate_s = next((s for s in read if s > began_s and _mean(read[s]) >= gate_c), None)
        if gate_s is not None:
            self.gates_min.append((gate_s - began_s) / 60)
        for at_s, seen in noted:
            for name, horizons in seen.ahead.items():
                for horizon_s, foreseen in zip(HORIZONS_S, horizons, strict=True):
                    later = read.get(at_s + int(horizon_s))
                    if later is not None:
                        off = foreseen.value_c - _figure(later, name)
                        self.off[name, horizon_s].append(abs(off))
                        self.inside[name, horizon_s].append(abs(off) <= foreseen.within_c)
            before = gate_s is not None and began_s + FROM_HEAT_UP_S <= at_s < gate_s
            if before and gate_s is not None and seen.gate_in_s is not None:
                self.gate_min.append(abs(at_s + seen.gate_in_s - gate_s) / 60)


def _mean(read: Mapping[str, float]) -> float:
    return sum(read[site] for site in SITES) / len(SITES)


def _figure(read: Mapping[str, float], name: str) -> float:
    return read["nasopharynx"] if name == CORE else _mean(read) if name == MEAN else read[name]


def table(protocol: str, seed: int, patients: int) -> str:
    """The errors of one protocol as rows of Markdown."""
    errors, chosen = Errors(), protocol_of(protocol, "")
    for patient in drawn(seed, patients):
        parameters = patient.parameters(chosen.technique.value)
        errors.take(
            VirtualSession(Setup(protocol=chosen, parameters=parameters, seed=patient.seed))
        )
    lines = [
        f"\n{protocol}, {patients} patients of seed {seed}\n",
        "| foreseen | median error | 90 % of errors below | truth inside the range |",
        "|---|---|---|---|",
    ]
    groups = {"mean of the sites": (MEAN,), "each site": SITES, "core": (CORE,)}
    for title, names in groups.items():
        for horizon_s in HORIZONS_S:
            off = sorted(e for name in names for e in errors.off[name, horizon_s])
            held = [h for name in names for h in errors.inside[name, horizon_s]]
            lines.append(
                f"| {title}, {horizon_s / 60:.0f} min ahead | {median(off):.2f} °C | "
                f"{off[int(0.9 * len(off))]:.2f} °C | {sum(held) / len(held):.0%} |"
            )
    gate = sorted(errors.gate_min)
    lines.append(
        f"| time of the gate, from minute 2 of heat-up | {median(gate):.1f} min | "
        f"{gate[int(0.9 * len(gate))]:.1f} min | |"
    )
    return "\n".join([*lines, "", _foretold(before_incision(chosen), errors.gates_min)])


def _foretold(before: BeforeIncision, gates_min: list[float]) -> str:
    if before.gate_min is None or not gates_min:
        return f"Before incision: not all reach the gate; {len(gates_min)} did."
    low, high = before.gate_min.low, before.gate_min.high
    inside = sum(low <= gate <= high for gate in gates_min) / len(gates_min)
    return (
        f"Gate foretold before incision: {low:.1f} to {high:.1f} min, "
        f"middle {before.gate_min.middle:.1f}; found: median {median(gates_min):.1f}, "
        f"{inside:.0%} inside."
    )


def main() -> None:
    """Print a table for each protocol."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("protocols", nargs="*", default=["closed-mmc-90", "open-mmc-90"])
    parser.add_argument("--patients", type=int, default=10)
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    for protocol in asked.protocols:
        print(table(protocol, asked.seed, asked.patients))


if __name__ == "__main__":
    main()
