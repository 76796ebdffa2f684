"""The virtual cohort: patients drawn from published ranges, or read from a file.

Patient `index` of a `seed` is the same whoever draws it, in whatever order: each has a generator of
its own. Figures are rounded to six digits, so that a cohort file holds exactly what was drawn.
"""

import csv
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from hashlib import sha256
from io import StringIO
from math import exp, log
from pathlib import Path
from random import Random
from typing import Any

from simulator.plant import Parameters

RANGES = Path(__file__).with_name("cohort.toml")
DIGITS = 6
OWN_COLUMNS = ("index", "seed")


class CohortError(ValueError):
    """A cohort that cannot be used; the text names the file, the line and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualPatient:
    """One patient of a cohort: its number, the seed of its probes' noise, its figures."""

    index: int
    seed: int
    figures: Mapping[str, float]

    def parameters(self, technique: str) -> Parameters:
        """The plant's parameters for one technique; ValueError for a figure out of its range."""
        return Parameters(technique=technique, **self.figures)  # type: ignore[arg-type]


@cache
def ranges() -> Mapping[str, Any]:
    """The published ranges with their sources, as `cohort.toml` has them."""
    return tomllib.loads(RANGES.read_text(encoding="utf-8"))


def drawn(seed: int, patients: int) -> list[VirtualPatient]:
    """The first `patients` of this seed."""
    return [_drawn(seed, index) for index in range(1, patients + 1)]


def digest(patients: Iterable[VirtualPatient]) -> str:
    """The SHA-256 of a cohort's file: two cohorts are the same when this is."""
    return sha256(to_csv(patients).encode()).hexdigest()


def to_csv(patients: Iterable[VirtualPatient]) -> str:
    """A cohort as a file: one row a patient, a column for each figure that differs."""
    rows = list(patients)
    names = sorted({name for patient in rows for name in patient.figures})
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*OWN_COLUMNS, *names])
    for patient in rows:
        own = [patient.figures[name] for name in names]
        writer.writerow([patient.index, patient.seed, *map(repr, own)])
    return text.getvalue()


def read(path: Path) -> list[VirtualPatient]:
    """The cohort of a file; raises `CohortError` with the line and what is allowed."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CohortError(f"{path}: cannot be read: {error}") from error
    table = csv.reader(StringIO(text))
    header = next(table, [])
    if trouble := _header_trouble(header):
        raise CohortError(f"{path}, line 1: {trouble}")
    rows = [(number, row) for number, row in enumerate(table, start=2) if row]
    found = [_row(f"{path}, line {number}", header, row) for number, row in rows]
    if not found:
        raise CohortError(f"{path}: holds no patient; a row for each is needed")
    if len({patient.index for patient in found}) < len(found):
        raise CohortError(f"{path}: an index stands there twice; each patient needs its own")
    return found


def figure_names() -> list[str]:
    """The plant's figures that a cohort or patient file may set."""
    return [field.name for field in fields(Parameters) if "range" in field.metadata]


def _drawn(seed: int, index: int) -> VirtualPatient:
    random = Random(f"hipec cohort {seed} {index}")
    figures: dict[str, float] = {name: float(at) for name, at in ranges()["start"].items()}
    for draw in ranges()["draw"]:
        value = _even(random, draw)
        for name in draw["of"]:
            of = value * _default(name) if draw.get("times") else value
            figures[name] = float(f"{of:.{DIGITS}g}")
    # A core that starts cooler has a periphery that starts cooler by as much.
    cooler_c = figures["core_start_c"] - _default("core_start_c")
    figures["periphery_start_c"] = round(_default("periphery_start_c") + cooler_c, DIGITS - 2)
    return VirtualPatient(index=index, seed=random.randrange(1, 2**31), figures=figures)


def _even(random: Random, draw: Mapping[str, Any]) -> float:
    low, high = float(draw["low"]), float(draw["high"])
    if draw.get("even") == "log":
        return exp(log(low) + (log(high) - log(low)) * random.random())
    return low + (high - low) * random.random()


@cache
def _default(name: str) -> float:
    default = next(field.default for field in fields(Parameters) if field.name == name)
    assert default is not MISSING
    return float(default)


def _header_trouble(header: Sequence[str]) -> str:
    known = figure_names()
    for name in header:
        if name not in known and name not in OWN_COLUMNS:
            return f"column {name!r} is no figure of a patient; there are {', '.join(known)}"
    missing = [name for name in OWN_COLUMNS if name not in header]
    if missing:
        return f"column {missing[0]!r} is missing; a cohort needs {' and '.join(OWN_COLUMNS)}"
    if len(set(header)) < len(header):
        return "a column stands there twice; each needs its own name"
    return ""


def _row(where: str, header: Sequence[str], row: Sequence[str]) -> VirtualPatient:
    if len(row) != len(header):
        raise CohortError(f"{where}: has {len(row)} values for {len(header)} columns")
    given = dict(zip(header, row, strict=True))
    try:
        index, seed = int(given.pop("index")), int(given.pop("seed"))
        figures = {name: float(text) for name, text in given.items()}
        patient = VirtualPatient(index=index, seed=seed, figures=figures)
        patient.parameters("closed")
    except ValueError as error:
        raise CohortError(f"{where}: {error}") from error
    return patient
