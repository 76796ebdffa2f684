"""The accounts of one room, beside its journal, on every kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from service.accounts.store import AccountStore
from tests import postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.Server]:
    with postgresql.running() as started:
        yield started


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return request.getfixturevalue("server").new_database()
    return f"sqlite:///{tmp_path / 'hipec.db'}"


@pytest.fixture
def store(url: str) -> Iterator[AccountStore]:
    opened = AccountStore(url)
    yield opened
    opened.close()


@pytest.fixture
def db(store: AccountStore) -> Iterator[Connection]:
    with store.transaction() as db:
        yield db
