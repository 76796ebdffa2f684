"""A journal of its own for every test, on every kind of database that it does not depend on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.journal.store import Store, open_writing
from tests import postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.Server]:
    """A PostgreSQL server for as long as the tests run."""
    with postgresql.running() as started:
        yield started


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hipec.db"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that does not ask for the SQLite file itself runs on PostgreSQL as well."""
    if "database" in metafunc.fixturenames:
        on_postgresql = pytest.param("postgresql", marks=pytest.mark.integration)
        other = [] if "path" in metafunc.definition.fixturenames else [on_postgresql]
        metafunc.parametrize("database", ["sqlite", *other])


@pytest.fixture
def database() -> str:
    return "sqlite"


@pytest.fixture
def url(database: str, request: pytest.FixtureRequest) -> str:
    if database == "postgresql":
        server: postgresql.Server = request.getfixturevalue("server")
        return server.new_database()
    folder: Path = request.getfixturevalue("tmp_path")
    return f"sqlite:///{folder / 'hipec.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_writing(url)
    yield opened
    opened.close()
