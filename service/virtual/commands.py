"""The commands `hipec simulate` and `hipec trial`."""

import argparse
import json
from pathlib import Path
from typing import TypeAlias

from protocols.loader import ProtocolError
from service.core.model import Controller
from service.virtual import trial_report
from service.virtual.baselines import FLOWS_ML_MIN
from service.virtual.chosen import protocol_of
from service.virtual.cohort import CohortError, digest, drawn, read, to_csv
from service.virtual.faults import FaultError, parse
from service.virtual.patient_file import patient_of, usual_patient
from service.virtual.session import Setup, VirtualSession
from service.virtual.simulate import as_text, ended_clocks, plot, told
from service.virtual.trial import CORES, Trial, TrialError

Answer = tuple[int, str]
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
TECHNIQUES = ("open", "closed")
REFUSALS = (CohortError, FaultError, ProtocolError, TrialError)
"""What is wrong with what was asked; their texts are for the person who asked."""


def add_commands(commands: Commands) -> None:
    """Add both to the command line."""
    one = commands.add_parser("simulate")
    one.add_argument("protocol", help="its id, its file, or its id without the technique")
    who = one.add_mutually_exclusive_group()
    who.add_argument("--patient", type=Path, help="figures of a patient (TOML, or a cohort's CSV)")
    who.add_argument("--seed", type=int, help="a patient drawn from the published ranges")
    one.add_argument("--technique", choices=TECHNIQUES, default="")
    one.add_argument("--controller", choices=CORES, default=CORES[0])
    one.add_argument(
        "--fault", action="append", default=[], help="such as 'inflow_kink@40m for 2m'"
    )
    one.add_argument("--json", action="store_true", help="everything, for programs")
    one.add_argument("--plot", type=Path, help="draw the session into this PNG file")
    one.set_defaults(run=_simulate)
    many = commands.add_parser("trial")
    many.add_argument("--patients", type=int, default=50)
    many.add_argument("--seed", type=int, default=1)
    many.add_argument("--cohort", type=Path, help="the patients of this CSV file instead")
    many.add_argument("--protocol", required=True)
    many.add_argument("--technique", choices=TECHNIQUES, default="")
    many.add_argument("--controller", choices=(*CORES, *FLOWS_ML_MIN), default=CORES[0])
    many.add_argument("--out", type=Path, help="keep what is finished, table, plots and page here")
    many.add_argument("--processes", type=int, default=0, help="0: one for each processor")
    many.set_defaults(run=_trial)


def _simulate(asked: argparse.Namespace) -> Answer:
    try:
        protocol = protocol_of(asked.protocol, asked.technique)
        faults = tuple(parse(spec) for spec in asked.fault)
        if asked.patient:
            patient = patient_of(asked.patient)
        else:
            patient = usual_patient(1) if asked.seed is None else drawn(asked.seed, 1)[0]
        parameters = patient.parameters(protocol.technique.value)
    except REFUSALS as refused:
        return 1, str(refused)
    session = VirtualSession(
        Setup(
            protocol=protocol,
            parameters=parameters,
            seed=patient.seed,
            controller=Controller(asked.controller),
            faults=faults,
        )
    )
    found = told(session, ended_clocks(session))
    if asked.plot:
        plot(session, asked.plot)
    return 0, json.dumps(found, indent=1) if asked.json else as_text(found)


def _trial(asked: argparse.Namespace) -> Answer:
    """The trial of one controller; a mode of the core has both baselines beside it."""
    try:
        protocol = protocol_of(asked.protocol, asked.technique)
        if asked.patients < 1:
            raise TrialError(f"{asked.patients} patients cannot be treated; ask for at least one")
        patients = read(asked.cohort) if asked.cohort else drawn(asked.seed, asked.patients)
        beside = FLOWS_ML_MIN if asked.controller in CORES else ()
        results = {
            controller: Trial(
                patients=patients,
                protocol=asked.protocol,
                technique=asked.technique,
                controller=controller,
                out=asked.out,
                processes=asked.processes,
            ).run()
            for controller in (asked.controller, *beside)
        }
    except REFUSALS as refused:
        return 1, str(refused)
    source = str(asked.cohort) if asked.cohort else f"drawn with seed {asked.seed}"
    about = {
        "protocol": f"{protocol.id}, version {protocol.version}, {protocol.technique.value}",
        "cohort": f"{len(patients)} patients, {source}, SHA-256 {digest(patients)[:16]}",
    }
    if asked.out:
        trial_report.write(asked.out, protocol, results, about)
        (asked.out / "cohort.csv").write_text(to_csv(patients), encoding="utf-8")
    return 0, trial_report.page(protocol, results, about)
