"""A journal of its own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.journal.store import Store, open_writing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hipec.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_writing(url)
    yield opened
    opened.close()
