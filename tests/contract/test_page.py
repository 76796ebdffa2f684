"""The page about instruments says what the drivers do."""

from pathlib import Path

from tests.contract.page import MEANING, rendered
from tests.contract.story import Outcome

DOCS = Path(__file__).parents[2] / "docs"


def test_each_word_of_the_page_has_a_meaning() -> None:
    assert set(MEANING) == set(Outcome)


def test_the_page_is_what_the_contract_tests_see() -> None:
    page = (DOCS / "instruments.md").read_text("utf-8")
    assert page == rendered(), "write it anew: python -m tests.contract.page > docs/instruments.md"


def test_the_page_about_adding_a_device_leads_to_it() -> None:
    assert "(instruments.md)" in (DOCS / "adding-a-device.md").read_text("utf-8")
