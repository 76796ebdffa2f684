"""The proof on the command line: a person's words in, a sentence and an exit code out."""

from pathlib import Path

import pytest

from service.cli import main
from service.journal.store import open_writing
from service.site import load_site
from service.site_text import EXAMPLE
from tests.journal.material import SESSION
from tests.journal.signed import key_of
from tests.records.conftest import Made


def site_in(folder: Path, record: str = "") -> Path:
    """A site file with this `[record]`, whose database lies beside it."""
    text = EXAMPLE.read_text(encoding="utf-8")
    text = text.replace("sqlite:///hipec.db", f"sqlite:///{folder / 'hipec.db'}")
    path = folder / "site.toml"
    path.write_text(text + record, encoding="utf-8")
    return path


def test_a_session_is_verified_and_exported_by_its_id(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ["--database", made.url]
    assert main(["sessions", "verify", SESSION, *at, "--checkpoint", str(made.kept)]) == 0
    assert capsys.readouterr().out.endswith("GOOD: nothing was altered.\n")
    assert main(["sessions", "export", SESSION, *at, "--out", str(tmp_path)]) == 0
    folder = capsys.readouterr().out.splitlines()[0]
    assert main(["sessions", "verify", SESSION, "--file", folder]) == 0
    assert main(["keys", "show", *at]) == 0
    assert main(["sessions", "verify", "nobody", *at]) == 1
    assert "There is no session nobody in " in capsys.readouterr().err


def test_a_key_lies_beside_the_database_or_where_the_site_says(tmp_path: Path) -> None:
    site = load_site(site_in(tmp_path))
    assert site.key_path == tmp_path / "hipec.db.key"
    assert site.record.checkpoints is None
    site = load_site(site_in(tmp_path, '[record]\nkey = "safe/key"\ncheckpoints = "/media/usb/c"'))
    assert site.key_path == tmp_path / "safe" / "key"
    assert site.record.checkpoints == Path("/media/usb/c")


def test_a_room_whose_database_is_a_server_has_its_key_in_its_folder(tmp_path: Path) -> None:
    path = site_in(tmp_path)
    text = path.read_text().replace(
        f"sqlite:///{tmp_path / 'hipec.db'}", "postgresql+psycopg://h/d"
    )
    path.write_text(text)
    assert load_site(path).key_path == Path("hipec.key")


def test_the_key_of_a_site_is_rotated_and_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = ["--site", str(site_in(tmp_path))]
    store = open_writing(f"sqlite:///{tmp_path / 'hipec.db'}")
    first = key_of(store, tmp_path / "hipec.db.key")
    store.close()
    assert main(["keys", "rotate", *site]) == 0
    assert f"has taken the place of key {first.id}" in capsys.readouterr().out
    assert main(["keys", "replace", *site, "--reason", "lost"]) == 1
    (tmp_path / "hipec.db.key").unlink()
    assert main(["keys", "replace", *site, "--reason", "lost"]) == 0
    assert main(["sessions", "verify", "room", *site]) == 0
