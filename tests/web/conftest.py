"""A room's real web process part (uvicorn on a free port) against a control side on a socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from service.core.authority import CLINICAL
from service.core.model import PersonRole
from service.web.__main__ import bind, build_server
from service.web.api import Parts
from service.web.settings import Settings
from tests.web.control_side import ControlSide, control_side, until


@dataclass(kw_only=True)
class Room:
    control: ControlSide
    parts: Parts
    origin: str
    http: httpx.AsyncClient

    def token(self, role: str = "perfusionist", user: str = "P", station: str | None = None) -> str:
        """A token of a person: the clinical ones at the perfusion station, others far away."""
        if station is None:
            station = "perfusion" if PersonRole(role) in CLINICAL else ""
        return self.parts.accounts.issue(PersonRole(role), user=user, station=station)

    def bearer(self, *args: str, **who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(*args, **who)}"}

    def watch(self, headers: dict[str, str] | None = None, **options: Any) -> connect:
        """A WebSocket client of the live stream, by default a program's."""
        url = self.origin.replace("http", "ws") + "/api/live"
        headers = self.bearer() if headers is None else headers
        return connect(url, additional_headers=headers, proxy=None, **options)

    async def give(
        self, name: str, key: str = "k-1", headers: dict[str, str] | None = None, **args: Any
    ) -> httpx.Response:
        headers = self.bearer() if headers is None else headers
        return await self.http.post(
            "/api/session/commands",
            json={"name": name, "args": args},
            headers=headers | {"Idempotency-Key": key},
        )


def settings_in(folder: Path, **changes: Any) -> Settings:
    values = {
        "room": "or-3", "mode": "demo", "socket": folder / "control.sock",
        "accounts": folder / "accounts.db", "listen": "127.0.0.1:0",
    }  # fmt: skip
    return Settings(**values | changes)


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[str, Parts]]:
    listening = bind(settings)
    server = build_server(settings, listening)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    await until(lambda: server.started)
    try:
        yield (
            f"http://127.0.0.1:{listening.getsockname()[1]}",
            server.config.app.state.parts,
        )
    finally:
        server.should_exit = True
        await running


@contextlib.asynccontextmanager
async def open_room(folder: Path, **changes: Any) -> AsyncIterator[Room]:
    settings = settings_in(folder, **changes)
    async with (
        control_side(settings.socket) as control,
        serving(settings) as (origin, parts),
        httpx.AsyncClient(base_url=origin, trust_env=False) as http,
    ):
        await until(lambda: parts.hub.snapshot and len(control.writers) == 2)
        yield Room(control=control, parts=parts, origin=origin, http=http)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    """One room for all tests of a file that leave it as it was."""
    async with open_room(tmp_path_factory.mktemp("room")) as room:
        yield room
