"""Finished records for quality assurance: the list, one session, its proof, its export.

Each is read by a process of its own, one at a time, so that no live page waits for it.
"""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.background import BackgroundTask

from service.core.model import PersonRole
from service.web.accounts import Accounts
from service.web.answers import Invalid, Reason
from service.web.audit import Audit
from service.web.authority import Caller, require_caller, require_role
from service.web.settings import Settings
from service.web.signing_in import address_of
from service.wire import AccessKind

READ_S = 300.0
MOST_WAITING = 4
Id = Annotated[str, InPath(pattern=r"^[0-9A-Za-z][0-9A-Za-z_.-]{0,99}$")]
_Responses = dict[int | str, dict[str, Any]]
_READ: _Responses = {n: {"model": Reason} for n in (401, 403, 429, 503)}
_ONE: _Responses = _READ | {404: {"model": Reason}, 422: {"model": Invalid}}


class SessionLine(BaseModel):
    """One session of the record; times as text, UTC."""

    id: str
    protocol: str
    opened: str
    closed: str
    mode: str
    phases: str


class CurveChannel(BaseModel):
    """One channel: its highest valid reading of each step in its unit, null where there is none."""

    id: str
    role: str
    site: str
    unit: str
    values: list[float | None]


class CurveEvent(BaseModel):
    """A phase, a drug's fraction, a deviation, or an alarm (`alarm_high`) at its time."""

    at_utc: str
    kind: str
    text: str


class CurveTarget(BaseModel):
    """The band of the session's protocol."""

    low_c: float
    high_c: float


class CurveCourse(BaseModel):
    """One site's dose, or a statistic's, with its coverage (0 to 1)."""

    name: str
    cem43_min: float
    mean_c: float | None
    min_c: float | None
    max_c: float | None
    in_band_min: float
    coverage: float


class CurveDose(BaseModel):
    """The thermal dose of a closed session and the coverage that it rests on (0 to 1)."""

    treatment_min: float
    coverage: float
    t90_c: float | None
    t50_c: float | None
    t10_c: float | None
    courses: list[CurveCourse]


class Curve(BaseModel):
    """A session's curves over treatment seconds since its opening."""

    mode: str
    simulated: bool
    speed: float
    opened_utc: str
    step_s: float
    times_s: list[float]
    target: CurveTarget | None
    channels: list[CurveChannel]
    events: list[CurveEvent]
    dose: CurveDose | None


class Text(BaseModel):
    """What is said of a session, and whether its proof succeeds."""

    ok: bool
    text: str


class Reader:
    """Reads the record in processes of their own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def ask(self, what: str, *rest: str) -> dict[str, Any]:
        """What that process says. Raises 429 while too many wait, 503 when it says nothing."""
        if self._waiting >= MOST_WAITING:
            raise HTTPException(429, "Too many records are being read. Try again in a minute.")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._ask(what, *rest)
        finally:
            self._waiting -= 1

    async def _ask(self, *what: str) -> dict[str, Any]:
        asked = (what[0], self._url, *what[1:])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service.records.for_pages", *asked),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), READ_S)
            found: dict[str, Any] = json.loads(said)
        except (TimeoutError, ValueError) as error:
            raise HTTPException(503, "The record cannot be read now. Try again.") from error
        finally:
            if process.returncode is None:
                process.kill()
        return found


def build(settings: Settings, accounts: Accounts, audit: Audit) -> APIRouter:
    """The routes of the record."""
    router = APIRouter(
        prefix="/api/v1/records", dependencies=[Depends(HTTPBearer(auto_error=False))]
    )
    reader = Reader(settings.database)

    async def qa(request: Request) -> Caller:
        caller = await require_caller(request, settings, accounts)
        require_role(caller, PersonRole.QA)
        return caller

    @router.get("", responses=_READ)
    async def listed(request: Request) -> list[SessionLine]:
        """All sessions, the newest first."""
        await qa(request)
        found = await reader.ask("list")
        if not found["ok"]:
            raise HTTPException(503, found["text"])
        return [SessionLine(**line) for line in found["sessions"]]

    @router.get("/{session}", responses=_ONE)
    async def shown(request: Request, session: Id) -> Text:
        """Phases, clocks, alarms, commands, dose and facts of one session."""
        await qa(request)
        found = await reader.ask("show", session)
        if not found["ok"]:
            raise HTTPException(404, found["text"])
        return Text(**found)

    @router.get("/{session}/curve", responses=_ONE)
    async def curve(request: Request, session: Id) -> Curve:
        """Temperatures, pressures and flow, thinned with their gaps; events; dose by site."""
        await qa(request)
        found = await reader.ask("curve", session)
        if not found["ok"]:
            raise HTTPException(404, found["text"])
        return Curve(**found["curve"])

    @router.get("/{session}/proof", responses=_ONE)
    async def proof(request: Request, session: Id) -> Text:
        """Whether the record is as it was written, row by row and through the core."""
        await qa(request)
        return Text(**await reader.ask("verify", session))

    @router.get(
        "/{session}/export",
        responses=_ONE | {200: {"content": {"application/zip": {}}}},
        response_class=Response,
    )
    async def export(request: Request, session: Id) -> Response:
        """The session as files for other programs, with a verifier; put on record."""
        caller = await qa(request)
        fd, name = tempfile.mkstemp(suffix=".zip")
        os.close(fd)
        archive = Path(name)
        found = await reader.ask("export", session, name)
        if not found["ok"]:
            archive.unlink()
            raise HTTPException(404, found["text"])
        audit.tell(
            AccessKind.EXPORTED, session, by=caller.session.user, address=address_of(request)
        )
        gone = BackgroundTask(archive.unlink)
        kind = "application/zip"
        return FileResponse(archive, media_type=kind, filename=f"{session}.zip", background=gone)

    return router
