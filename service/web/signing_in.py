"""How somebody gets and loses a sign-in: by password, by a one-time link, by the demo's address.

The person and the screen have a cookie each, so that signing out leaves the station enrolled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from service.accounts import sign_ins
from service.accounts.demo import demo_tokens
from service.accounts.people import AccountsError
from service.accounts.tokens import Tokens
from service.core.model import Mode, PersonRole
from service.web.accounts import Accounts, Session, SignInRefused
from service.web.answers import Invalid, Reason
from service.web.audit import Audit
from service.web.authority import cookie_names, find_caller, require_caller, require_origin
from service.web.commands import Commands, KeyReused
from service.web.homes import home_of, page
from service.web.live import Hub
from service.web.settings import LOOPBACK, Settings
from service.wire import BODY, AccessKind

STATION_COOKIE_S = 400 * 24 * 3600
"""As long as browsers keep a cookie at all; the enrolment itself is revoked, or runs out, here."""

_Responses = dict[int | str, dict[str, Any]]


class SignIn(BaseModel):
    """Name and password; `program` asks for a bearer token instead of cookies."""

    name: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=200)
    program: bool = False


class SignedIn(BaseModel):
    """Who is signed in, the page to go to, and a program's bearer token."""

    name: str
    role: PersonRole
    home: str
    token: str | None = None


class Kept(Reason):
    """Nobody was signed in: which entry is wrong, and how long to wait, s."""

    field: str = "password"
    wait_s: float = 0.0


class Ways(BaseModel):
    """How one may sign in here, beside name and password."""

    oidc: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What signing in and out works with."""

    settings: Settings
    accounts: Accounts
    audit: Audit
    hub: Hub
    commands: Commands


def address_of(request: Request) -> str:
    """Where a request comes from, as far as the socket knows."""
    return request.client.host if request.client else ""


def set_cookies(response: Response, tokens: Tokens, settings: Settings) -> None:
    """Give the browser the tokens that are there."""
    lasts_s = (None, STATION_COOKIE_S)
    for name, token, max_age in zip(
        cookie_names(settings), (tokens.person, tokens.screen), lasts_s, strict=True
    ):
        if token:
            response.set_cookie(
                name,
                token,
                max_age=max_age,
                secure=settings.secure,
                httponly=True,
                samesite="strict",
            )


def build(door: Door) -> APIRouter:
    """The routes of signing in and out."""
    router = APIRouter()
    _add_password(router, door)
    _add_link(router, door)
    _add_sign_out(router, door)
    return router


def _add_password(router: APIRouter, door: Door) -> None:
    @router.get("/api/v1/signin")
    async def ways() -> Ways:
        """How one may sign in here."""
        return Ways(oidc=door.settings.oidc is not None)

    @router.post(
        "/api/v1/signin",
        response_model=SignedIn,
        responses={
            400: {"model": Reason, "description": "The body cannot be read"},
            401: {"model": Kept},
            403: {"model": Reason},
            413: {"model": Reason},
            422: {"model": Invalid},
            429: {"model": Kept},
            503: {"model": Reason},
        },
    )
    async def sign_in(request: Request, asked: SignIn) -> Response:
        """Sign a person in by name and password."""
        require_origin(request, door.settings, by_cookie=False)
        where = {"address": address_of(request)}
        try:
            name, token = await door.accounts.sign_in(
                asked.name, asked.password, where["address"], program=asked.program
            )
        except SignInRefused as refused:
            return _kept_out(door, asked.name, refused, where)
        before = await find_caller(request, door.settings, door.accounts)
        tokens = (
            Tokens(bearer=token)
            if asked.program
            else Tokens(person=token, screen=before.tokens.screen if before else "")
        )
        session = await door.accounts.session(tokens)
        assert session is not None
        door.audit.tell(AccessKind.SIGNED_IN, name, station=session.screen, **where)
        answer = SignedIn(
            name=name,
            role=session.role,
            home=home_of(session, door.settings),
            token=token if asked.program else None,
        )
        response = JSONResponse(answer.model_dump(mode="json"))
        if not asked.program:
            set_cookies(response, Tokens(person=token), door.settings)
        return response


def _kept_out(door: Door, name: str, refused: SignInRefused, where: dict[str, str]) -> Response:
    looked_at = refused.wait_s == 0 or not str(refused).startswith("Too many")
    if looked_at:  # tries that were not looked at would only fill the record
        text = f"next try in {refused.wait_s:.0f} s" if refused.wait_s else ""
        door.audit.tell(AccessKind.SIGN_IN_REFUSED, name, text=text, **where)
    body = Kept(reason=str(refused), wait_s=refused.wait_s)
    headers = {"Retry-After": f"{refused.wait_s:.0f}"} if refused.wait_s else {}
    return JSONResponse(body.model_dump(), 401 if looked_at else 429, headers)


def _add_link(router: APIRouter, door: Door) -> None:
    settings = door.settings
    html: dict[str, Any] = {"content": {"text/html": {}}}

    @router.get(
        "/signin",
        responses={
            200: {"description": "The sign-in page, or signed in from a foreign page"} | html,
            303: {"description": "Signed in by a one-time link"},
            401: {"description": "The link is not valid"} | html,
            503: {"model": Reason},
        },
        response_class=Response,
    )
    async def sign_in(
        request: Request, code: Annotated[str | None, Query(min_length=1, max_length=200)] = None
    ) -> Response:
        """The sign-in page; with a one-time code, take it and go to the page of that role."""
        if code is None:
            return page(settings, "signin.html")
        where = {"address": address_of(request)}
        try:
            opened, tokens = await door.accounts.use_code(code)
        except AccountsError:
            door.audit.tell(AccessKind.SIGN_IN_REFUSED, "a one-time link", **where)
            return page(settings, "signin.html", status=401)
        _tell_opened(door, opened, where)
        foreign = request.headers.get("sec-fetch-site") == "cross-site"
        response = await go_to(door, request, tokens, foreign=foreign)
        set_cookies(response, tokens, settings)
        return response


async def go_to(door: Door, request: Request, tokens: Tokens, *, foreign: bool) -> Response:
    """On to the page of whoever these tokens, with the screen's own, are.

    After a click on a `foreign` page the redirect would still count as that page's and carry no
    Strict cookie; a move that our own page makes does.
    """
    before = await find_caller(request, door.settings, door.accounts)
    screen = tokens.screen or (before.tokens.screen if before else "")
    session = await door.accounts.session(Tokens(person=tokens.person, screen=screen))
    home = home_of(session, door.settings) if session else "/"
    if not foreign:
        return RedirectResponse(home, 303)
    head = f'<meta http-equiv="refresh" content="0; url={home}">'
    body = f'<!doctype html><html lang="en"><head>{head}<title>Signed in</title></head>'
    body += f'<body><a href="{home}">Go to the page</a></body></html>'
    return Response(body, 200, media_type="text/html")


def _tell_opened(door: Door, opened: sign_ins.Code, where: dict[str, str]) -> None:
    if opened.station:
        text = f"as {opened.role}" if not opened.person else ""
        door.audit.tell(AccessKind.STATION_ENROLLED, opened.station, text=text, **where)
    if opened.person:
        station = opened.station
        door.audit.tell(
            AccessKind.SIGNED_IN, opened.person, text="by link", station=station, **where
        )


def _add_sign_out(router: APIRouter, door: Door) -> None:
    @router.post(
        "/signout",
        status_code=204,
        responses={401: {"model": Reason}, 403: {"model": Reason}, 503: {"model": Reason}},
    )
    async def sign_out(request: Request) -> Response:
        """Sign the person out, who gives control back; an enrolled station stays enrolled."""
        caller = await require_caller(request, door.settings, door.accounts)
        require_origin(request, door.settings, by_cookie=caller.by_cookie)
        session = caller.session
        await _give_control_back(door, session)
        if session.user:
            await door.accounts.sign_out(caller.tokens)
            door.audit.tell(
                AccessKind.SIGNED_OUT,
                session.user,
                station=session.screen,
                address=address_of(request),
            )
        response = Response(status_code=204)
        response.delete_cookie(
            cookie_names(door.settings)[0], secure=door.settings.secure, httponly=True
        )
        return response


async def _give_control_back(door: Door, session: Session) -> None:
    if not session.station or door.hub.control.get("holder") != session.user or not session.acts:
        return
    body = BODY.validate_python({"name": "release_control"})
    try:
        await door.commands.give(f"sign-out-{uuid4()}", body, session)
    except KeyReused:
        return


DEMO: Mapping[str, tuple[PersonRole, str]] = {
    "/": (PersonRole.PERFUSIONIST, "perfusion"),
    "/anesthesia": (PersonRole.ANESTHESIA, "anesthesia"),
    "/wall": (PersonRole.DISPLAY, "wall"),
    "/qa": (PersonRole.QA, ""),
    "/admin": (PersonRole.ADMIN, ""),
}
"""Who opens which page of a demo, at which station."""


class DemoSignIn:
    """Opening an address of a demo just works: the page's own role, at the station that it is for.

    Only in demo mode, only when nobody outside this machine can connect, and only under a name of
    this machine, so that a foreign page that rebinds its own name to 127.0.0.1 is not signed in.
    """

    def __init__(self, settings: Settings, accounts: Accounts) -> None:
        self._settings = settings
        self._accounts = accounts

    async def tokens(self, request: Request) -> Tokens | None:
        """Tokens for this browser, None where it must bring its own."""
        settings = self._settings
        local = settings.loopback and request.url.hostname in LOOPBACK
        if settings.mode is not Mode.DEMO or not local:
            return None
        role, station = DEMO[request.url.path]
        room = settings.room
        return await self._accounts.change(lambda db: demo_tokens(db, role, station, room))
