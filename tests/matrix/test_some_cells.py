"""Some cells of every row of the fault matrix; all of them run in `make campaign`."""

from dataclasses import replace

import pytest

from tests.matrix.events import EVENTS, EventRow
from tests.matrix.faults import ROWS, Row, row_of
from tests.matrix.judge import event_faults, faults_of

pytestmark = pytest.mark.integration
SOME = ("perfuse", "heat_up", "prime", "fill", "drain")
PROVEN_HERE = [row for row in EVENTS if not row.proven_in]


def one_cell(row: Row) -> tuple[str, str]:
    """The first target and phase that this row decides about."""
    phases = sorted(row.phases, key=lambda phase: SOME.index(phase) if phase in SOME else 9)
    return next(
        (target, phase)
        for phase in phases
        for target in row.targets
        if row_of(row.kind, target, phase) is row
    )


@pytest.mark.requirement("RC-050")
@pytest.mark.requirement("RC-051")
@pytest.mark.requirement("RC-248")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.kind} {row.targets[0]}")
def test_a_fault_is_found_in_its_time_or_bounded_by_its_error(row: Row) -> None:
    assert list(faults_of(row, *one_cell(row))) == []


@pytest.mark.requirement("RC-248")
@pytest.mark.parametrize("target", ["inflow", "iap", "flow", "thermometer", "heater"])
@pytest.mark.parametrize("kind", ["off", "garbage", "intermittent"])
def test_in_an_open_abdomen_too_one_fault_is_one_alarm_at_a_time(kind: str, target: str) -> None:
    assert list(faults_of(row_of(kind, target, "perfuse"), target, "perfuse", "open")) == []


@pytest.mark.parametrize("event", PROVEN_HERE, ids=lambda row: row.event)
def test_the_response_to_an_event_is_as_written_and_nothing_comes_back_by_itself(
    event: EventRow,
) -> None:
    phase = "perfuse" if "perfuse" in event.phases else event.phases[0]
    assert list(event_faults(event, phase)) == []


def test_a_cell_that_is_not_as_its_row_says_is_told() -> None:
    row = row_of("stuck", "pelvis", "perfuse")
    (told,) = faults_of(replace(row, within_s=30), "pelvis", "perfuse")
    assert told.startswith("none of ('site_probe_stuck',) within 30 s")
    row = row_of("off", "inflow", "perfuse")
    (told,) = faults_of(replace(row, heat_off_s=0.5), "inflow", "perfuse")
    assert told == "heat off at 1.0, due by 0.5 s"
