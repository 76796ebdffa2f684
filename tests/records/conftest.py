"""A small signed session and its export, made once for each file of tests."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from service.journal.elsewhere import Elsewhere
from service.journal.signing import KeySigner
from service.journal.store import open_writing
from service.records.export import export
from tests.journal.conftest import database, path, store, url
from tests.journal.material import SESSION
from tests.journal.signed import key_of, record_signed

__all__ = ["database", "path", "store", "url"]


@dataclass(frozen=True, kw_only=True)
class Made:
    """Where a journal, its export and the checkpoints that were kept elsewhere lie."""

    url: str
    folder: Path
    kept: Path

    def path(self, name: str) -> Path:
        return self.folder / f"SIMULATED-{name}"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A closed session of the toy core, whose effects the real one would not have."""
    folder = tmp_path_factory.mktemp("made")
    url = f"sqlite:///{folder / 'hipec.db'}"
    store = open_writing(url)
    copies = Elsewhere(folder / "kept", lambda said: None)
    record_signed(store, KeySigner(key_of(store, folder / "key"), copies.keep))
    assert copies.close() == 0
    exported = export(store, SESSION, folder)
    store.close()
    return Made(url=url, folder=exported, kept=folder / "kept")
