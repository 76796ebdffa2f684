"""A trial: a cohort of virtual patients under one controller, in parallel, resumable.

    results = Trial(patients=drawn(1, 50), protocol="closed-mmc-90", controller="automatic").run()

or, from a shell, `hipec trial --patients 50 --seed 1 --protocol closed-mmc-90`. What is finished is
kept in a folder and not done again; results come back in the order of the patients, the same to the
last digit however many processes worked.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from protocols.schema import Protocol
from service.core.model import Controller
from service.virtual import baselines, treating
from service.virtual.chosen import protocol_of
from service.virtual.cohort import VirtualPatient, digest
from service.virtual.figures import Figures
from simulator.plant import Lane

CORES = (Controller.AUTOMATIC.value, Controller.ADVISORY.value)
BATCH = 16

CONTROLLERS = (*CORES, *baselines.FLOWS_ML_MIN)


class TrialError(ValueError):
    """A trial that cannot be run or continued; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Which patients, under what, where what is finished is kept (`out`, None: nowhere).

    `batch` patients are treated in step; what is finished is kept batch by batch.
    """

    patients: list[VirtualPatient]
    protocol: str
    technique: str = ""
    controller: str = Controller.AUTOMATIC.value
    out: Path | None = None
    processes: int = 0
    quiet: bool = False
    batch: int = BATCH

    @property
    def identity(self) -> Mapping[str, str]:
        """What must be the same for a finished patient to count: another core is another trial."""
        protocol = protocol_of(self.protocol, self.technique)
        return {
            "controller": self.controller,
            "protocol": f"{protocol.id} {protocol.sha256}",
            "cohort": digest(self.patients),
            "software": software(),
        }

    def run(self) -> list[Figures]:
        """Treat everybody who is not finished; all results, in the order of the patients."""
        if self.controller not in CONTROLLERS:
            raise TrialError(
                f"no controller is called {self.controller!r}; there are {', '.join(CONTROLLERS)}"
            )
        kept = Kept(self.out, self.identity)
        done = {figures.index: figures for figures in kept.read()}
        waiting = [patient for patient in self.patients if patient.index not in done]
        jobs = [
            (tuple(waiting[n : n + self.batch]), self.protocol, self.technique, self.controller)
            for n in range(0, len(waiting), self.batch)
        ]
        label = f"{self.controller}, {protocol_of(self.protocol, self.technique).id}"
        with (
            kept,
            tqdm(
                total=len(self.patients),
                initial=len(self.patients) - len(waiting),
                desc=label,
                unit="patient",
                disable=self.quiet,
            ) as bar,
        ):
            for batch in _worked(jobs, self.processes or os.cpu_count() or 1):
                for figures in batch:
                    kept.add(figures)
                    done[figures.index] = figures
                bar.update(len(batch))
        return [done[patient.index] for patient in self.patients]


class Kept:
    """Finished patients in a file of the trial's folder, one line each, after the identity's."""

    def __init__(self, out: Path | None, identity: Mapping[str, str]) -> None:
        """Name the file; nothing is written before the first patient is finished."""
        self._identity = json.dumps(identity)
        self._path = None if out is None else out / f"finished-{identity['controller']}.jsonl"
        self._file: TextIO | None = None

    def read(self) -> Iterator[Figures]:
        """The finished patients; a last line that broke off is done again."""
        if self._path is None or not self._path.exists():
            return
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        if not lines or lines[0].rstrip("\n") != self._identity:
            raise TrialError(
                f"{self._path} is of another trial (protocol, cohort or software differ); "
                "give another folder, or remove the file"
            )
        whole = [line for line in lines[1:] if line.endswith("\n")]
        self._path.write_text("".join([lines[0], *whole]), encoding="utf-8")
        for line in whole:
            yield Figures(**json.loads(line))

    def add(self, figures: Figures) -> None:
        """Keep one finished patient, on the disk before the next one is waited for."""
        if self._path is None:
            return
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            begins = not self._path.exists()
            self._file = self._path.open("a", encoding="utf-8")
            if begins:
                self._file.write(f"{self._identity}\n")
        self._file.write(f"{json.dumps(asdict(figures))}\n")
        self._file.flush()

    def __enter__(self) -> "Kept":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def software() -> str:
    """The digest of all code that decides a result: core, virtual room and plant."""
    root = Path(__file__).parents[2]
    folders = ("service/core", "service/virtual", "simulator/plant")
    found = sha256()
    for path in sorted(path for folder in folders for path in (root / folder).rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def _worked(jobs: list[Any], processes: int) -> Iterator[list[Figures]]:
    """The results of each batch as it is finished; in this process when there is one only."""
    if processes == 1 or len(jobs) <= 1:
        yield from map(_treated, jobs)
        return
    with get_context("spawn").Pool(min(processes, len(jobs))) as pool:
        yield from pool.imap_unordered(_treated, jobs)


def _treated(job: tuple[tuple[VirtualPatient, ...], str, str, str]) -> list[Figures]:
    """A batch of patients, treated in step: their plants move on together."""
    # Here, because compiled code takes a second that no other command of `hipec` should wait for.
    from simulator.plant.batch import Batch

    patients, name, technique, controller = job
    protocol = protocol_of(name, technique)
    parameters = [patient.parameters(protocol.technique.value) for patient in patients]
    batch = Batch(parameters, [patient.seed for patient in patients])
    treatments = [
        _treatment(lane, patient, protocol, controller)
        for lane, patient in zip(batch.lanes, patients, strict=True)
    ]
    done: dict[int, Figures] = {}
    while len(done) < len(patients):
        for index, treatment in enumerate(treatments):
            if index in done:
                continue
            try:
                next(treatment)
            except StopIteration as ended:
                done[index] = ended.value
        batch.advance(1.0)
    return [done[index] for index in range(len(patients))]


def _treatment(
    plant: Lane, patient: VirtualPatient, protocol: Protocol, controller: str
) -> treating.Treatment:
    if controller in baselines.FLOWS_ML_MIN:
        return baselines.treatment(plant, patient, protocol, controller)
    return treating.treatment(plant, patient, protocol, Controller(controller))
