"""Sessions that an earlier version recorded are still read, verified and replayed by this one."""

import tarfile
from pathlib import Path

import pytest

from service.records import stand_alone
from service.records.proof import verify
from service.records.sessions import list_sessions, show_session

STORED = sorted((Path(__file__).parents[1] / "data" / "sessions").glob("*.tar.xz"))


@pytest.fixture(params=STORED, ids=lambda path: path.stem)
def unpacked(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    with tarfile.open(request.param) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path


def test_sessions_of_this_release_are_kept() -> None:
    assert [path.name for path in STORED] == ["clean.tar.xz", "faults.tar.xz"]


@pytest.mark.requirement("RC-138")
def test_a_stored_session_is_read_verified_and_replayed(unpacked: Path) -> None:
    url, kept = f"sqlite:///{unpacked / 'hipec.db'}", unpacked / "checkpoints"
    session = list_sessions(url)[1].splitlines()[1].split()[0]
    assert show_session(url, session)[0] == 0
    answers = [verify(url, session, checkpoint=kept)]
    for exported in unpacked.glob("SIMULATED-*"):
        answers.append(verify("", session, file=exported, checkpoint=kept))
        assert stand_alone.verified(exported, kept)[1] == []
    for code, text in answers:
        # Another core may decide otherwise, which is listed; what was written must be unaltered.
        assert code == 0, text
        assert "Replayed: " in text
        assert "The replay ended early" not in text
