"""A room's real web process part (uvicorn on a free port) against a control side on a socket."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import Connection
from websockets.asyncio.client import connect

from service.accounts import people, sign_ins, stations
from service.accounts.sign_ins import Code
from service.accounts.store import AccountStore
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
        return issue(self.parts.settings, PersonRole(role), user, station)

    def cookies(self, role: str = "perfusionist", **where: str) -> dict[str, str]:
        """A browser's headers, from one of our own pages."""
        return {"Cookie": f"hipec={self.token(role, **where)}", "Origin": self.origin}

    def code(self, role: str = "perfusionist", user: str = "P", station: str = "") -> str:
        """A one-time code for a person, at a station that it enrols where one is named."""
        opens = Code(person=user, station=station, role=PersonRole(role))
        with store_of(self.parts.settings) as db:
            people.ensure(db, user, PersonRole(role))
            return sign_ins.make_code(db, opens, time.time())

    def accesses(self) -> list[dict[str, Any]]:
        """What the control process was told of who came in."""
        return [message for _, message in self.control.received if message["type"] == "access"]

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


@contextlib.contextmanager
def store_of(settings: Settings) -> Iterator[Connection]:
    with contextlib.closing(AccountStore(settings.database)) as store, store.transaction() as db:
        yield db


def issue(settings: Settings, role: PersonRole, user: str = "P", station: str = "") -> str:
    """A program's token: of a person, or without one of an enrolled screen."""
    now_utc = time.time()
    with store_of(settings) as db:
        if not user or role is PersonRole.DISPLAY:
            return stations.enrol(db, station or "wall", settings.room, role, now_utc)
        name = user if role is PersonRole.PERFUSIONIST else f"{user} {role}"
        people.ensure(db, name, role)
        if station and stations.named(db, station, now_utc) is None:
            stations.enrol(db, station, settings.room, PersonRole.PERFUSIONIST, now_utc)
        return sign_ins.begin(db, name, now_utc, station=station, program=True)


def settings_in(folder: Path, **changes: Any) -> Settings:
    values = {
        "room": "or-3", "mode": "demo", "socket": folder / "control.sock",
        "database": f"sqlite:///{folder / 'hipec.db'}", "listen": "127.0.0.1:0",
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
