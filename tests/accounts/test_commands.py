"""`hipec users` and `hipec stations`: the command line of accounts, every change in the chain."""

import io
from pathlib import Path

import pytest

from service.accounts import audit
from service.accounts.people import AccountsError
from service.cli import main
from service.journal.codec import CODEC
from service.journal.rows import ROOM, Access
from service.journal.store import open_reading, open_writing
from service.runtime import CONTROL, Lock, runtime_folder
from service.site_text import demo_site
from service.wire import AccessKind, AccessTold

GOOD = "four quiet green boats"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    database = f"sqlite:///{tmp_path / 'hipec.db'}"
    path = tmp_path / "site.toml"
    path.write_text(demo_site(tmp_path, database=database, listen="127.0.0.1:8000"), "utf-8")
    return path


def run(site: Path, *words: str) -> int:
    return main([*words[:2], "--site", str(site), *words[2:]])


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def told(site: Path) -> list[Access]:
    store = open_reading(f"sqlite:///{site.parent / 'hipec.db'}")
    found = [CODEC.decode(e.kind, e.body, e.schema) for e in store.spoken(ROOM, ["Access"])]
    store.close()
    return found


@pytest.mark.requirement("RC-155")
def test_every_change_of_accounts_and_stations_is_in_a_chain_that_verifies(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, f"{GOOD}\nfive loud red trains\n")
    assert run(site, "users", "add", "P. One", "--role", "perfusionist") == 0
    assert run(site, "users", "role", "P. One", "qa") == 0
    assert run(site, "users", "password", "P. One") == 0
    assert run(site, "users", "link", "P. One") == 0
    assert run(site, "users", "token", "P. One", "--hours", "1") == 0
    assert run(site, "users", "disable", "P. One") == 0
    assert run(site, "users", "enable", "P. One") == 0
    assert run(site, "stations", "enroll", "wall", "--role", "display") == 0
    assert [entry.what for entry in told(site)] == [
        *("account_added", "role_changed", "password_changed", "link_issued", "token_issued"),
        *("account_disabled", "account_enabled", "link_issued"),
    ]
    assert {entry.who for entry in told(site)} == {"P. One", "wall"}
    assert all("command line" in entry.by for entry in told(site))
    assert not any(GOOD in entry.text for entry in told(site))
    capsys.readouterr()
    assert run(site, "sessions", "verify", "room") == 0
    assert "http://127.0.0.1:8000/signin?code=" not in capsys.readouterr().out


def test_the_lists_say_what_there_is_and_what_to_do_when_there_is_nothing(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(site, "users", "list") == 0
    assert run(site, "stations", "list") == 0
    empty = capsys.readouterr().out
    assert "hipec users add" in empty and "hipec stations enroll" in empty
    typed(monkeypatch, f"{GOOD}\n")
    run(site, "users", "add", "P. One", "--role", "perfusionist")
    run(site, "users", "add", "Q", "--role", "qa", "--no-password")
    capsys.readouterr()
    run(site, "users", "list")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["P.", "One", "perfusionist"], ["Q", "qa", "no", "password"]]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("users", "role", "Nobody", "qa"), "no account 'Nobody'"),
        (("users", "add", "X", "--role", "qa"), "12 characters"),
        (("stations", "enroll", "Big Wall", "--role", "display"), "small letters"),
        (("stations", "revoke", "wall"), "'wall'"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_nothing_on_record(
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    says: str,
) -> None:
    open_writing(f"sqlite:///{site.parent / 'hipec.db'}").close()
    typed(monkeypatch, "short\n")
    assert run(site, *words) == 1
    assert says in capsys.readouterr().err
    assert told(site) == []


@pytest.mark.requirement("RC-155")
def test_what_cannot_be_put_on_record_is_not_done(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{site.parent / 'hipec.db'}"
    open_writing(url).close()
    lock = Lock(runtime_folder(site) / CONTROL)  # a control process that does not listen
    assert run(site, "users", "add", "Q", "--role", "qa", "--no-password") == 1
    assert "Nothing was changed" in capsys.readouterr().err
    with pytest.raises(AccountsError, match="Nothing was changed"):
        audit.tell(site, url, [AccessTold(what=AccessKind.ACCOUNT_ADDED, who="Q")])
    lock.release()
    run(site, "users", "list")
    assert "Q" not in capsys.readouterr().out.split()
