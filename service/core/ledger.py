"""Where each millilitre and each milligram is: what people wrote down, what the scale says.

Drug that was drained is an estimate: the perfusate is taken to be mixed, and what the patient has
taken up is not known, so that what is not drained is "in the circuit or the patient".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter

from protocols.schema import Technique
from service.core import channels, volumes
from service.core.model import Phase, Role
from service.core.state import Session, State

IN: Mapping[str, str] = {
    "in": "perfusate in",
    "prime": "priming fluid",
    "drug": "fluid that the drug came in",
    "rinse_in": "rinse in",
}
OUT: Mapping[str, str] = {
    "out": "perfusate out",
    "drained": "drained",
    "rinse_out": "rinse out",
    "sample": "samples",
    "spill": "spilled",
}
"""The lines of the ledger: kinds of volume that go in, and that come out."""

MISMATCH_SHARE = 0.1
EVAPORATES_ML_PER_H = 130.0
"""An open field of about 0.1 m² at 42 °C loses 60-110 W, that is 90-160 ml of water in an hour
(derived from 2.4 MJ/kg)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugLedger:
    """Milligrams: the label's dose, what was given per fraction, and the estimate of the rest."""

    label_mg: float
    given_mg: tuple[float, ...]
    drained_mg_estimate: float
    in_circuit_or_patient_mg_estimate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Volumes (ml) by kind, what the pump has moved, and what does not add up.

    `retained_ml` is in less out: in the circuit and in the patient. `missing_ml` is what the scale
    misses, or what was not drained at the end; None while nothing can be compared. `causes` are
    ranked, the likeliest first.
    """

    in_ml: Mapping[str, float]
    out_ml: Mapping[str, float]
    pumped_ml: float
    reservoir_ml: float | None
    retained_ml: float
    missing_ml: float | None
    causes: tuple[str, ...]
    drug: DrugLedger | None


def ledger(state: State) -> Ledger | None:
    """The ledger of the session now; None without one."""
    session = state.session
    if session is None:
        return None
    missing_ml = _missing_ml(state, session)
    return Ledger(
        in_ml=_by_kind(session, IN),
        out_ml=_by_kind(session, OUT),
        pumped_ml=session.clocks.pumped_ml,
        reservoir_ml=next(iter(channels.valid_values(state, Role.LEVEL)), None),
        retained_ml=session.volume_in_ml - session.volume_out_ml,
        missing_ml=missing_ml,
        causes=() if missing_ml is None else tuple(_causes(state, session, missing_ml)),
        drug=_drug(session),
    )


def dose_mg(session: Session) -> float | None:
    """The pharmacist's dose from the label, or the arithmetic where there is no label."""
    drug, patient = session.protocol.drug, session.patient
    if patient.dose_mg is not None or drug is None or patient.bsa_m2 is None:
        return patient.dose_mg
    return drug.dose_mg_m2 * patient.bsa_m2


def _by_kind(session: Session, kinds: Mapping[str, str]) -> Mapping[str, float]:
    return {
        kind: sum(moved.ml for moved in session.moved if moved.kind == kind)
        for kind in kinds
        if any(moved.kind == kind for moved in session.moved)
    }


def _drug(session: Session) -> DrugLedger | None:
    drug, whole_mg = session.protocol.drug, dose_mg(session)
    if drug is None or whole_mg is None:
        return None
    shares = [fraction.share for fraction in drug.fractions]
    given = [
        (entry.at_s, whole_mg * shares[entry.fraction - 1])
        for entry in session.given
        if entry.fraction <= len(shares)
    ]
    drained_mg = _drained_mg(session, given)
    total_mg = sum(mg for _, mg in given)
    return DrugLedger(
        label_mg=whole_mg,
        given_mg=tuple(mg for _, mg in given),
        drained_mg_estimate=drained_mg,
        in_circuit_or_patient_mg_estimate=total_mg - drained_mg,
    )


def _drained_mg(session: Session, given: list[tuple[float, float]]) -> float:
    """What went out with the fluid, at the concentration that it had then."""
    happened = sorted(
        [(at_s, 0, mg, 0.0) for at_s, mg in given]
        + [(m.at_s, 1, 0.0, m.ml if m.kind in IN else -m.ml) for m in session.moved],
        key=itemgetter(0, 1),
    )
    volume_ml = mg_in = drained_mg = 0.0
    for _, _, mg, ml in happened:
        mg_in += mg
        if ml < 0 and volume_ml > 0:
            out_mg = mg_in * min(1.0, -ml / volume_ml)
            mg_in, drained_mg = mg_in - out_mg, drained_mg + out_mg
        volume_ml = max(0.0, volume_ml + ml)
    return drained_mg


def _missing_ml(state: State, session: Session) -> float | None:
    """What the scale misses while the perfusate circulates; after the drain, what has not come."""
    if found := volumes.missing_ml(state):
        return found[0]
    over = session.phase in (Phase.RINSE, Phase.COMPLETE)
    return session.volume_in_ml - session.volume_out_ml if over and session.volume_in_ml else None


def _causes(state: State, session: Session, missing_ml: float) -> Iterator[str]:
    """Why it may not add up, by what the readings say, the likeliest first."""
    if abs(missing_ml) < min(session.limits.leak_ml, MISMATCH_SHARE * session.volume_in_ml):
        return
    if missing_ml < 0:
        yield "more came out than was written down as in: an entry is missing or twice"
        yield "ascites, blood or rinse came with it"
        return
    compared = volumes.missing_ml(state)
    if compared is None:
        if not any(moved.kind in ("drained", "out") for moved in session.moved):
            yield "what was drained has not been written down"
        yield "fluid is still in the abdomen"
    elif compared[1]:
        yield "it stays in the abdomen: the abdominal pressure has risen, the outflow is blocked"
    else:
        yield "a leak or spill: the abdominal pressure has not risen"
    yield "a volume was moved and not written down"
    if session.protocol.technique is Technique.OPEN:
        lost_ml = EVAPORATES_ML_PER_H * session.clocks.elapsed_s / 3600.0
        yield f"evaporation from the open field: about {lost_ml:.0f} ml so far"
