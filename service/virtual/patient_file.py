"""A patient for `hipec simulate --patient FILE`: figures of the plant in a TOML or CSV file.

TOML: `seed` and any figure of `simulator.plant.Parameters`, one a line. CSV: a cohort
file (`service.virtual.cohort`) of which the first patient is taken.
"""

import tomllib
from pathlib import Path

from service.virtual.cohort import CohortError, VirtualPatient, figure_names, read
from service.virtual.session import WARM

START = {
    "reservoir_start_c": WARM.reservoir_start_c,
    "bath_start_c": WARM.bath_start_c,
}
"""What every patient starts with unless the file says otherwise: the reservoir at 42 °C."""


def patient_of(path: Path) -> VirtualPatient:
    """The patient of a file; raises `CohortError` with file, field and what is allowed."""
    return read(path)[0] if path.suffix == ".csv" else _from_toml(path)


def usual_patient(seed: int) -> VirtualPatient:
    """The plant's default patient, with probes of this seed."""
    return VirtualPatient(index=1, seed=seed, figures=START)


def _from_toml(path: Path) -> VirtualPatient:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CohortError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CohortError(f"{path}: is not TOML: {error}") from error
    seed = table.pop("seed", 1)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise CohortError(f"{path}: seed is {seed!r}; it must be a whole number")
    known = figure_names()
    for name, value in table.items():
        if name not in known:
            raise CohortError(
                f"{path}: {name!r} is no figure of a patient; there are seed, {', '.join(known)}"
            )
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise CohortError(f"{path}: {name} is {value!r}; it must be a number")
    patient = VirtualPatient(index=1, seed=seed, figures={**START, **table})
    try:
        patient.parameters("closed")
    except ValueError as error:
        raise CohortError(f"{path}: {error}") from error
    return patient
