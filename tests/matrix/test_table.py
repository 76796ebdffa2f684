"""The fault matrix is whole, and its page is the one in the documentation."""

from pathlib import Path

import pytest

from service.core.alarm_table import ROOM_RULES, RULES
from tests.matrix.events import EVENTS
from tests.matrix.faults import CHANNELS, INSTRUMENTS, KINDS, PHASES, ROWS, row_of
from tests.matrix.page import rendered

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "fault-matrix.md"


def test_something_is_expected_of_every_fault_of_everything_in_every_phase() -> None:
    used = {
        id(row_of(kind, target, phase))
        for kind in KINDS
        for target in (*CHANNELS, *INSTRUMENTS)
        for phase in PHASES
    }
    assert used == {id(row) for row in ROWS}, "and no row is left over"


def test_a_cell_either_names_alarms_that_there_are_or_says_what_bounds_the_error() -> None:
    known = {rule.id for rule in (*RULES, *ROOM_RULES)}
    for row in ROWS:
        assert set(row.alarms) <= known
        assert row.alarms or row.bound
    for event in EVENTS:
        assert set(event.alarms) <= known
        assert event.alarms or event.command or event.proven_in
        path = event.proven_in.partition(":")[0]
        assert (ROOT / path).is_file() or not path, f"{path} proves nothing: it is not there"


def test_what_is_not_expected_is_no_cell() -> None:
    with pytest.raises(LookupError, match="nothing is expected of off spleen in prime"):
        row_of("off", "spleen", "prime")


def test_the_page_says_what_the_tables_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == rendered(), (
        "run: python -m tests.matrix.page > docs/fault-matrix.md"
    )
