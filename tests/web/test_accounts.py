"""Server-side sessions: tokens that open, tokens that do not, and what lies in the file."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.core.model import PersonRole
from service.web.accounts import Accounts, AccountsError, Session


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "accounts.db"


@pytest.fixture
def accounts(file: Path) -> Iterator[Accounts]:
    accounts = Accounts(file)
    yield accounts
    accounts.close()


def test_a_token_finds_its_session_and_no_other(accounts: Accounts) -> None:
    token = accounts.issue(PersonRole.ANESTHESIA, user="A", station="head")
    expected = Session(user="A", role=PersonRole.ANESTHESIA, station="head")
    assert accounts.find(token) == expected
    assert accounts.find(token[:-1]) is None
    assert accounts.find("\ud800") is None


def test_tokens_are_long_all_different_and_not_in_the_file(accounts: Accounts, file: Path) -> None:
    tokens = {accounts.issue(PersonRole.QA, user="Q") for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(token) >= 43 for token in tokens)  # 256 bits in base 64
    assert not any(token.encode() in file.read_bytes() for token in tokens)
    assert file.stat().st_mode & 0o077 == 0


def test_a_token_issued_by_another_process_opens_at_once(accounts: Accounts, file: Path) -> None:
    other = Accounts(file)
    token = other.issue(PersonRole.SURGEON, user="S")
    other.close()
    assert accounts.find(token) is not None


def test_a_revoked_token_opens_nothing(accounts: Accounts) -> None:
    token = accounts.issue(PersonRole.PERFUSIONIST, user="P")
    assert accounts.find(token)
    accounts.revoke(token)
    assert accounts.find(token) is None


def test_signing_out_at_a_station_leaves_a_display_there(accounts: Accounts) -> None:
    token = accounts.issue(PersonRole.PERFUSIONIST, user="P", station="perfusion")
    station = accounts.sign_out(token)
    assert station is not None
    assert accounts.find(token) is None
    assert accounts.find(station) == Session(user="", role=PersonRole.DISPLAY, station="perfusion")
    assert accounts.sign_out(accounts.issue(PersonRole.QA, user="Q")) is None


def test_a_known_station_still_stops_when_the_file_cannot_be_read(
    accounts: Accounts, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.web.accounts.KNOWN_S", 0.0)
    token = accounts.issue(PersonRole.DISPLAY, station="perfusion")
    session = accounts.find(token)
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    assert accounts.find(token) == session
    with pytest.raises(sqlite3.OperationalError):
        accounts.issue(PersonRole.QA, user="Q")
    blocker.close()


@pytest.mark.parametrize("in_the_way", [None, b"this is no database at all, but some text\n" * 50])
def test_a_file_that_cannot_be_used_is_told_with_its_place(
    tmp_path: Path, in_the_way: bytes | None
) -> None:
    path = tmp_path / "missing" / "accounts.db"
    if in_the_way is not None:
        path.parent.mkdir()
        path.write_bytes(in_the_way)
    with pytest.raises(AccountsError, match=r"cannot be kept in .*accounts.db: .+ must be able"):
        Accounts(path)
