"""Body surface area and dose arithmetic: figures beside the pharmacist's, never an order."""

from collections.abc import Sequence
from enum import StrEnum
from math import sqrt

from protocols.schema import Fraction

HEIGHT_CM = (100.0, 220.0)
"""Heights that the formulas are used for; outside it is more likely a slip than a patient."""
WEIGHT_KG = (30.0, 200.0)
"""Weights that the formulas are used for; outside it is more likely a slip than a patient."""


class DoseError(ValueError):
    """A figure that no dose can be worked out from; the text says what is allowed."""


class BsaFormula(StrEnum):
    """A named formula of the body surface area; the name is recorded beside the figure."""

    MOSTELLER = "mosteller"
    DU_BOIS = "du_bois"


def body_surface_m2(height_cm: float, weight_kg: float, formula: BsaFormula) -> float:
    """Body surface area in m² for 100-220 cm and 30-200 kg; raises `DoseError` outside these.

    Mosteller, N Engl J Med 1987;317:1098: root of (cm x kg / 3600). Du Bois and Du Bois, Arch
    Intern Med 1916;17:863: 0.007184 x cm^0.725 x kg^0.425.
    """
    _inside("height", height_cm, HEIGHT_CM, "cm")
    _inside("weight", weight_kg, WEIGHT_KG, "kg")
    match formula:
        case BsaFormula.MOSTELLER:
            return sqrt(height_cm * weight_kg / 3600.0)
        case BsaFormula.DU_BOIS:
            return float(0.007184 * height_cm**0.725 * weight_kg**0.425)


def dose_mg(dose_mg_m2: float, surface_m2: float) -> float:
    """The whole dose in mg for a body surface area in m²."""
    return dose_mg_m2 * surface_m2


def fraction_doses_mg(whole_mg: float, fractions: Sequence[Fraction]) -> tuple[float, ...]:
    """The dose of each fraction in mg, in the order of the protocol."""
    return tuple(whole_mg * fraction.share for fraction in fractions)


def difference_share(entered_mg: float, arithmetic_mg: float) -> float:
    """By which share of the arithmetic the pharmacist's entry is higher (or, negative, lower).

    Compared with `Drug.dose_tolerance`: above it a second name is needed. Raises `DoseError`
    when either is not above 0 mg.
    """
    if not (entered_mg > 0 and arithmetic_mg > 0):
        raise DoseError("A dose must be above 0 mg; read it again from the pharmacist's label.")
    return (entered_mg - arithmetic_mg) / arithmetic_mg


def _inside(what: str, value: float, allowed: tuple[float, float], unit: str) -> None:
    low, high = allowed
    if not low <= value <= high:
        raise DoseError(
            f"The {what} {value:g} {unit} cannot be right; allowed is {low:g} to {high:g} {unit}."
        )
