"""The JSON API: health, the session, its commands, the protocols, the live stream's schema."""

import json
import logging
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Path, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from starlette.websockets import WebSocket

from service.core.authority import AT_THE_STATION
from service.core.model import CommandState
from service.web.accounts import Accounts
from service.web.answers import (
    Accepted,
    Health,
    Invalid,
    Reason,
    Refused,
    Unknown,
    invalid,
    printable,
)
from service.web.authority import find_caller, refusal, require_caller, require_origin
from service.web.commands import Commands, KeyReused
from service.web.control_link import ControlLink
from service.web.frames import EXTENSION
from service.web.limits import Buckets
from service.web.live import Desk, Hub, converse
from service.web.settings import ProtocolEntry, Settings
from service.wire import URGENT, Body, CommandBody, CommandStatus, Snapshot, live_schema

log = logging.getLogger(__name__)

KEY = r"^[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}$"
COMMANDS_PATH = "/api/session/commands"
LATEST_NS = 2**63 - 1
LONGEST_KEPT = 128
"""So much of what a bad request says is put on record."""

SILENT = "The control process has not been heard for {silent}. Treatment may go on without pages."

COMMANDS_BURST, COMMANDS_HZ = 60.0, 10.0
"""So many commands at once and a second from one person: far more than hands can give."""

UNLIMITED = AT_THE_STATION | URGENT
TOO_MANY = "Too many commands at once; this one was not carried out. Wait a second."

_Responses = dict[int | str, dict[str, Any]]
_WHO: _Responses = {401: {"model": Reason}, 503: {"model": Reason}}
_GIVE: _Responses = _WHO | {
    400: {"model": Reason, "description": "The body cannot be read"},
    403: {"model": Reason, "description": "This role or this origin may not"},
    409: {"model": Refused},
    413: {"model": Reason},
    422: {"model": Invalid},
    429: {"model": Reason},
    503: {"model": Unknown},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes work with."""

    settings: Settings
    accounts: Accounts
    link: ControlLink
    hub: Hub
    commands: Commands
    rates: Buckets


def build(parts: Parts) -> APIRouter:
    """All routes of the API."""
    # Declares the token in OpenAPI; `require_caller` reads it, and the cookie that stands for it.
    router = APIRouter(dependencies=[Depends(HTTPBearer(auto_error=False))])
    _add_session(router, parts)
    _add_commands(router, parts)
    open_router = APIRouter()
    _add_health(open_router, parts)
    _add_live(open_router, parts)
    open_router.include_router(router)
    return open_router


def _add_health(router: APIRouter, parts: Parts) -> None:
    settings, hub, link = parts.settings, parts.hub, parts.link

    @router.get("/healthz", response_model=Health, responses={503: {"model": Health}})
    async def healthz() -> Response:
        """200 while the control process is heard, else 503 and why."""
        silent_s = link.silent_s
        since = "ever" if silent_s is None else f"{silent_s:.1f} s"
        health = Health(
            status="ok" if link.alive else "unavailable",
            reason="" if link.alive else SILENT.format(silent=since),
            room=settings.room,
            mode=settings.mode,
            version=settings.version,
            boot=hub.boot,
            processed=hub.processed,
            silent_s=silent_s,
            pages=len(hub.pages),
            displays=hub.displays(settings.heard_within_s),
        )
        return JSONResponse(health.model_dump(mode="json"), 200 if link.alive else 503)


def _add_session(router: APIRouter, parts: Parts) -> None:
    @router.get(
        "/api/session",
        response_model=Snapshot,
        responses=_WHO | {503: {"model": Reason}},
    )
    async def session(request: Request) -> Response:
        """The newest snapshot, as the live stream carries it."""
        await require_caller(request, parts.settings, parts.accounts)
        text = parts.hub.snapshot
        if text is None or not parts.link.alive:
            raise HTTPException(503, "The control process is not heard, so nothing is known now.")
        return Response(text, media_type="application/json")

    @router.get("/api/protocols", responses=_WHO)
    async def protocols(request: Request) -> list[ProtocolEntry]:
        """The treatment protocols that this room may use."""
        await require_caller(request, parts.settings, parts.accounts)
        return list(parts.settings.protocols)


def _add_commands(router: APIRouter, parts: Parts) -> None:
    @router.post(
        COMMANDS_PATH,
        status_code=202,
        response_model=Accepted,
        responses=_GIVE,
    )
    async def give(
        request: Request,
        body: CommandBody,
        idempotency_key: Annotated[str, Header(alias="Idempotency-Key", pattern=KEY)],
        asked_at: Annotated[int | None, Header(alias="Asked-At", ge=0, le=LATEST_NS)] = None,
    ) -> Response:
        """Give a command; the same key never acts twice.

        `Asked-At` is when a person asked, in nanoseconds of the clock of a snapshot's `at_ns`: a
        command that a network held back for over two seconds is refused, other than a stop.
        """
        return await _give(request, body, idempotency_key, parts, asked_at)

    @router.get(
        "/api/session/commands/{key}",
        responses=_WHO | {404: {"model": Reason}, 422: {"model": Invalid}},
    )
    async def outcome(request: Request, key: Annotated[str, Path(pattern=KEY)]) -> CommandStatus:
        """How far a command has come."""
        await require_caller(request, parts.settings, parts.accounts)
        status = parts.commands.status(key) or _in_snapshot(key, parts.hub)
        if status is None:
            raise HTTPException(404, f"No command with the key {key} is known.")
        return status


async def _give(
    request: Request, body: Body, key: str, parts: Parts, asked_ns: int | None
) -> Response:
    caller = await require_caller(request, parts.settings, parts.accounts)
    require_origin(request, parts.settings, by_cookie=caller.by_cookie)
    if denied := refusal(caller.session, body.name):
        parts.commands.denied(key, body.name, denied[1], caller.session)
        raise HTTPException(*denied)
    session = caller.session
    if body.name not in UNLIMITED and not parts.rates.take(f"{session.user}@{session.station}"):
        raise HTTPException(429, TOO_MANY)
    await parts.accounts.touch(caller.tokens)
    try:
        status = await parts.commands.give(key, body, session, asked_ns)
    except KeyReused:
        message = "This key stands for another command. Give each command a key of its own."
        return invalid([{"loc": ("header", "Idempotency-Key"), "msg": message, "type": "reused"}])
    match status.state:
        case CommandState.REFUSED:
            return JSONResponse(Refused(reason=status.reason).model_dump(), 409)
        case CommandState.UNKNOWN:
            return JSONResponse(Unknown(reason=status.reason).model_dump(), 503)
    return JSONResponse(Accepted(key=key).model_dump(), 202)


async def note_refused(parts: Parts, request: Request, body: Any, why: str) -> None:
    """Have a known caller's command that cannot be read put on record."""
    caller = await find_caller(request, parts.settings, parts.accounts)
    if caller is None or request.url.path != COMMANDS_PATH:
        return
    name = body.get("name") if isinstance(body, dict) else None
    key = printable(request.headers.get("idempotency-key", ""))[:LONGEST_KEPT]
    name = printable(name)[:LONGEST_KEPT] if isinstance(name, str) else "unreadable"
    parts.commands.denied(key, name, why[:LONGEST_KEPT], caller.session)


def _in_snapshot(key: str, hub: Hub) -> CommandStatus | None:
    """A command that another web process, before this one, had sent."""
    line = next((line for line in hub.commands if line["key"] == key), None)
    return CommandStatus(**{n: v for n, v in line.items() if n != "at_utc"}) if line else None


def _origin(socket: WebSocket) -> str:
    host = socket.client.host if socket.client else "an unknown address"
    return printable(f"{host} ({socket.headers.get('origin', 'no origin')[:100]})")


def _add_live(router: APIRouter, parts: Parts) -> None:
    schema = json.dumps(live_schema())
    desk = Desk(hub=parts.hub, link=parts.link, accounts=parts.accounts)
    schema_type = "application/schema+json"

    @router.get(
        "/api/live/schema.json",
        response_class=Response,
        responses={200: {"content": {schema_type: {}}}},
    )
    async def live_schema_json() -> Response:
        """JSON Schema of every message of the live stream."""
        return Response(schema, media_type=schema_type)

    @router.websocket("/api/live")
    async def live(socket: WebSocket) -> None:
        try:
            caller = await require_caller(socket, parts.settings, parts.accounts)
            require_origin(socket, parts.settings, by_cookie=caller.by_cookie)
        except HTTPException as error:
            reason = Reason(reason=str(error.detail))
            log.warning("a page was not let in from %s: %s", _origin(socket), error.detail)
            await socket.send_denial_response(
                JSONResponse(reason.model_dump(), error.status_code, error.headers)
            )
            return
        await socket.accept()
        sink = socket.scope["extensions"][EXTENSION]
        page = parts.hub.join(caller, sink, live=parts.link.alive)
        try:
            await converse(socket, page, desk)
        finally:
            parts.hub.pages.discard(page)
