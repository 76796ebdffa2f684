"""Every fault of every instrument and probe in every phase, and every event in its phases."""

import pytest

from tests.matrix.events import EVENTS, EventRow
from tests.matrix.faults import CHANNELS, INSTRUMENTS, KINDS, PHASES, row_of
from tests.matrix.judge import event_faults, faults_of
from tests.matrix.story import PROTOCOLS

pytestmark = pytest.mark.campaign
PROVEN_HERE = [(row, phase) for row in EVENTS if not row.proven_in for phase in row.phases]


@pytest.mark.parametrize("technique", PROTOCOLS)
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", (*CHANNELS, *INSTRUMENTS))
def test_every_cell(target: str, kind: str, phase: str, technique: str) -> None:
    assert list(faults_of(row_of(kind, target, phase), target, phase, technique)) == []


@pytest.mark.parametrize(("event", "phase"), PROVEN_HERE, ids=str)
def test_every_event(event: EventRow, phase: str) -> None:
    assert list(event_faults(event, phase)) == []
