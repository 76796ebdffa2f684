"""Whatever is sent to the API gets an answer of its own description, and never a 500."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from service.core.model import PersonRole
from service.web.app import create_app
from tests.web.conftest import Room, issue, open_room, settings_in

FEW = 8
"""Examples of each operation: with the edges of every field, a few seconds for all."""

CHECKS: list[CheckFunction] = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
ROLES = {"people": PersonRole.ADMIN, "stations": PersonRole.ADMIN}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A room in a thread of its own, because the tests ask as ordinary programs do."""
    started, ended = threading.Event(), asyncio.Event()
    kept: dict[str, Any] = {}

    async def serve(folder: Path) -> None:
        async with open_room(folder) as room:
            kept["room"], kept["loop"] = room, asyncio.get_running_loop()
            started.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(tmp_path_factory.mktemp("api")),))
    thread.start()
    assert started.wait(30)
    yield kept["room"]
    kept["loop"].call_soon_threadsafe(ended.set)
    thread.join(30)


def operations() -> list[APIOperation]:
    """Every operation of the description, but the one that waits for a core that calculates."""
    app = create_app(settings_in(Path("/nonexistent")))
    described = schemathesis.openapi.from_dict(app.openapi())
    found = [each.ok() for each in described.get_all_operations()]
    return [each for each in found if each.path != "/api/v1/what-if"]


def cases(operation: APIOperation) -> SearchStrategy[Case]:
    """Requests that fit the description, and such that do not where there is anything to spoil."""
    fits = operation.as_strategy()
    if not (operation.body or operation.query or operation.headers):
        return fits
    return fits | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.label)
def test_no_request_gets_a_500_or_an_answer_that_is_not_described(
    operation: APIOperation, served: Room
) -> None:
    area = operation.path.removeprefix("/api/v1/").partition("/")[0]
    role = ROLES.get(area, PersonRole.PERFUSIONIST)

    @settings(
        max_examples=FEW,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation))
    def ask(case: Case) -> None:
        token = issue(served.parts.settings, role, "P", "perfusion")
        answer = case.call(
            base_url=served.origin,
            headers={"Authorization": f"Bearer {token}"},
            allow_redirects=False,
            timeout=30,
        )
        assert answer.status_code < 500, answer.text
        case.validate_response(answer, checks=CHECKS)

    ask()
