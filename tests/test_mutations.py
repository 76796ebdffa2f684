"""The table of removals stays true to the code and to the risk file; `make campaign` runs it."""

import pytest

from tests.campaign.mutations import ROOT, Mutation, mutations
from tests.requirements_plugin import controls_in

ALL = mutations()


@pytest.mark.parametrize("mutation", ALL, ids=lambda mutation: mutation.control)
def test_a_removal_still_applies_and_names_tests_that_are_there(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text("utf-8")
    assert mutation.applied(text) != text
    said = ""
    for test in mutation.tests:
        path, _, name = test.partition("::")
        told = (ROOT / path).read_text("utf-8")
        assert name in told
        said += mutation.control if name or path.endswith(".mjs") else told
    assert mutation.control in said, "no test of the named files says that it shows this control"


def test_every_risk_control_has_a_removal() -> None:
    controls = controls_in((ROOT / "docs" / "risks.md").read_text("utf-8"))
    removed = [mutation.control for mutation in ALL]
    assert sorted(set(removed)) == sorted(controls)


def test_a_text_that_is_no_longer_there_is_named_with_its_file() -> None:
    with pytest.raises(ValueError, match=r"stands 0 times in service/.*mutations\.toml"):
        ALL[0].applied("nothing of the kind")
