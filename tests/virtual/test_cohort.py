"""The virtual cohort is frozen, every range has a source, and a file of no use is refused."""

from pathlib import Path

import pytest

from service.virtual.cohort import CohortError, digest, drawn, ranges, read, to_csv

FROZEN = "e3a23b9af00083a97dcc9e1cac1d5a6fe33d0e21c2d9de2d7ec4098f382d8464"


def test_the_first_thousand_patients_of_seed_1_are_those_that_were_frozen_before_tuning() -> None:
    assert digest(drawn(1, 1000)) == FROZEN


def test_every_range_has_a_source_with_its_grade() -> None:
    for draw in ranges()["draw"]:
        assert any(grade in draw["source"] for grade in ("[S]", "[G]", "[D]")), draw["of"]
        assert draw["low"] < draw["high"]


def test_a_patient_is_the_same_however_many_are_drawn_and_another_seed_is_another() -> None:
    assert drawn(1, 3)[2] == drawn(1, 7)[2]
    assert drawn(1, 1)[0] != drawn(2, 1)[0]


def test_a_cohort_file_holds_exactly_what_was_drawn(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text(to_csv(drawn(5, 20)))
    assert read(path) == drawn(5, 20)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("index,seed,mood\n1,1,3\n", "line 1: column 'mood' is no figure of a patient; there are"),
        ("index,core_start_c\n1,36\n", "line 1: column 'seed' is missing"),
        ("index,seed,room_c,room_c\n1,1,20,20\n", "line 1: a column stands there twice"),
        ("index,seed,room_c\n1,1,warm\n", "line 2: could not convert string to float: 'warm'"),
        ("index,seed,room_c\n1,1,nan\n", "line 2: room_c is nan; allowed is 15 to 30 degC"),
        ("index,seed,room_c\n1,1,99\n", "line 2: room_c is 99.0; allowed is 15 to 30 degC"),
        ("index,seed,room_c\n1,1\n", "line 2: has 2 values for 3 columns"),
        ("index,seed\n1,1\n1,2\n", "an index stands there twice"),
        ("index,seed\n", "holds no patient"),
    ],
)
def test_a_cohort_file_that_cannot_be_used_is_refused_with_line_and_reason(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text(text)
    with pytest.raises(CohortError, match=says):
        read(path)
