"""Whatever call on the journal's files fails: an alarm, and in the end everything is written."""

from pathlib import Path

import pytest

from tests.journal.failing_disk import Failure, suffer

pytestmark = pytest.mark.integration


@pytest.mark.requirement("RC-133")
@pytest.mark.parametrize(
    "failure",
    [
        Failure(call="pwrite64", error="EIO", n=30),
        Failure(call="pwrite64", error="ENOSPC", n=40, times=5),
        Failure(call="pwrite64", error="EROFS", n=35, times=8),
        Failure(call="fdatasync", error="EIO", n=5),
        Failure(call="fdatasync", error="EIO", n=9, times=5),
    ],
    ids=str,
)
def test_a_failing_disk_is_an_alarm_and_loses_nothing(tmp_path: Path, failure: Failure) -> None:
    ending = suffer(tmp_path, failure)
    assert ending.reached
    assert "cannot be written" in str(ending.troubles[0])
    assert ending.troubles[-1] is None, "it says when it can write again"


def test_a_journal_that_cannot_be_opened_is_refused_with_a_sentence(tmp_path: Path) -> None:
    ending = suffer(tmp_path, Failure(call="openat", error="EIO", n=1, times=1_000))
    assert str(tmp_path) in ending.refused
