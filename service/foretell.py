"""The text of `hipec what-if`: what a protocol would lead to, before anybody is cut."""

from dataclasses import replace

from protocols.loader import SHIPPED, protocol_files
from protocols.loader import load as load_protocol
from protocols.schema import Technique
from service.core.what_if import before_incision


def what_if_text(
    identity: str, technique: str | None = None, flow_ml_min: float | None = None
) -> tuple[int, str]:
    """Gate, core and sites over the published range of patients; 1 and why when it cannot be."""
    known = {path.stem: path for path in protocol_files(SHIPPED)}
    if identity not in known:
        return 1, f'There is no protocol "{identity}"; known are {", ".join(sorted(known))}.'
    protocol = load_protocol(known[identity])
    if technique is not None:
        protocol = replace(protocol, technique=Technique(technique))
    if flow_ml_min is not None and not LEAST_ML_MIN <= flow_ml_min <= MOST_ML_MIN:
        return 1, f"flow {flow_ml_min:g} ml/min is outside {LEAST_ML_MIN:g} to {MOST_ML_MIN:g}."
    return 0, f"{before_incision(protocol, flow_ml_min).text}\n{DISCLAIMER}"


LEAST_ML_MIN, MOST_ML_MIN = 300.0, 5000.0
DISCLAIMER = (
    "Arithmetic over published ranges of patients, not a measurement; each centre judges it."
)
