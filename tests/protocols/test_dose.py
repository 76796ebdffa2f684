"""Body surface area and dose arithmetic, checked against figures worked out by hand."""

import pytest

from protocols.dose import (
    BsaFormula,
    DoseError,
    body_surface_m2,
    difference_share,
    dose_mg,
    fraction_doses_mg,
)
from protocols.loader import load_all


def test_a_patient_of_180_cm_and_80_kg_has_exactly_two_square_metres_by_mosteller():
    assert body_surface_m2(180, 80, BsaFormula.MOSTELLER) == 2.0


def test_a_patient_of_170_cm_and_70_kg_has_1_81_square_metres_by_du_bois():
    assert body_surface_m2(170, 70, BsaFormula.DU_BOIS) == pytest.approx(1.810, abs=0.001)


@pytest.mark.parametrize("formula", BsaFormula)
@pytest.mark.parametrize(
    ("height_cm", "weight_kg", "what"),
    [
        (99, 70, "height"),
        (221, 70, "height"),
        (1.7, 70, "height"),
        (170, 29, "weight"),
        (170, 201, "weight"),
        (float("nan"), 70, "height"),
    ],
)
def test_a_slip_in_height_or_weight_is_refused(formula, height_cm, weight_kg, what):
    with pytest.raises(DoseError, match=f"The {what} .* allowed is"):
        body_surface_m2(height_cm, weight_kg, formula)


def test_mitomycin_for_two_square_metres_is_70_mg_given_as_35_and_twice_17_5():
    drug = load_all()["open-mmc-90"].drug
    assert drug is not None

    whole_mg = dose_mg(drug.dose_mg_m2, 2.0)

    assert whole_mg == 70
    assert fraction_doses_mg(whole_mg, drug.fractions) == (35, 17.5, 17.5)


def test_a_label_of_74_mg_against_70_differs_by_more_than_five_percent():
    drug = load_all()["open-mmc-90"].drug
    assert drug is not None

    assert difference_share(74, 70) == pytest.approx(0.0571, abs=0.0001)
    assert abs(difference_share(74, 70)) > drug.dose_tolerance
    assert difference_share(68, 70) < 0


@pytest.mark.parametrize("entered_mg", [0.0, -1.0, float("nan")])
def test_no_difference_is_worked_out_from_no_dose(entered_mg):
    with pytest.raises(DoseError, match="above 0 mg"):
        difference_share(entered_mg, 70)
