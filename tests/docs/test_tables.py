"""The rendered tables in `docs/` say what the core does, and the tables themselves are complete."""

import pytest

from protocols.schema import MATRIX_EVENTS
from service.core.alarm_table import ROOM_RULES, RULES
from service.core.guarding import HAZARDS
from service.core.interlocks import OWN_ROWS
from service.core.model import Priority
from tests.docs.render import DOCS, documents

BY_NOBODY = {"iap_not_monitored", "control_process_dead", "host_dead"}
"""Rows of the matrix that no alarm of a living core can set off: shown, or the supervisor's."""


@pytest.mark.requirement("RC-069")
@pytest.mark.parametrize("name", ["alarms.md", "phases.md"])
def test_the_rendered_document_is_current(name: str) -> None:
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == documents()[name], "run `python -m tests.docs.render`"


@pytest.mark.requirement("RC-069")
def test_every_alarm_says_its_condition_and_what_to_do() -> None:
    rules = [*RULES, *ROOM_RULES]
    assert [rule.id for rule in rules if not (rule.condition and rule.do)] == []
    ids = [rule.id for rule in rules]
    assert len(ids) == len(set(ids))


@pytest.mark.requirement("RC-069")
def test_rules_hide_behind_rules_that_stand_before_them_and_set_off_rows_that_exist() -> None:
    before: set[str] = set()
    for rule in RULES:
        hiders = {*rule.hidden_by, *rule.hidden_by_any}
        assert hiders <= before, f"{rule.id} stands before what would hide it: {hiders - before}"
        before.add(rule.id)
        assert rule.event in ("", *MATRIX_EVENTS, *OWN_ROWS), rule.id


@pytest.mark.requirement("RC-069")
def test_every_event_of_the_matrix_is_set_off_by_an_alarm() -> None:
    assert set(MATRIX_EVENTS) - {rule.event for rule in RULES} == BY_NOBODY


@pytest.mark.requirement("RC-035")
def test_every_physiological_or_energy_alarm_belongs_to_a_hazard() -> None:
    watched = {rule for hazard in HAZARDS for rule in hazard.rules}
    assert watched <= {rule.id for rule in RULES}
    hazardous = {r.id for r in RULES if not r.technical and r.priority is Priority.HIGH}
    assert hazardous - watched == set()


def test_no_forward_flow_names_its_causes_outside_the_console() -> None:
    rule = next(rule for rule in RULES if rule.id == "no_flow")
    assert rule.priority is Priority.HIGH and len(rule.outside) >= 6
