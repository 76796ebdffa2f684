"""The pages themselves, and how a browser gets and loses its sign-in."""

import os
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.core.model import Mode, PersonRole
from service.web.accounts import Accounts
from service.web.answers import Reason
from service.web.authority import cookie_name, find_caller, require_caller, require_origin
from service.web.settings import LOOPBACK, Settings

SERVED = frozenset({".html", ".css", ".js", ".mjs", ".json", ".svg", ".png", ".ico", ".woff2"})
COOKIE_S = 30 * 24 * 3600
"""An enrolled station keeps its sign-in over a restart of its browser."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">{head}<title>HIPEC room {room}</title></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""
NOBODY = (
    "Nobody is signed in in this browser. Open the sign-in link that the room's service printed; "
    "whoever runs the service can print another."
)


class Pages(StaticFiles):
    """The files of the pages, and nothing else that may lie beside them."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Where the file is; not found for other kinds of file and for names no file can have."""
        if os.path.splitext(path)[1] not in SERVED or "\0" in path or "node_modules" in path:
            return "", None
        return super().lookup_path(path)


class PagesMount(Mount):
    """Everything that is not the API's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Leave the API's own addresses and all WebSockets to their routes."""
        if scope["type"] != "http" or scope["path"].startswith("/api/"):
            return Match.NONE, {}
        return super().matches(scope)


def _set_cookie(response: Response, token: str, settings: Settings) -> None:
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=COOKIE_S,
        secure=settings.secure,
        httponly=True,
        samesite="strict",
    )


def _page(settings: Settings, title: str, text: str, *, head: str = "", status: int) -> Response:
    body = PAGE.format(room=settings.room, title=title, text=text, head=head)
    return HTMLResponse(body, status)


class DemoSignIn:
    """Opening the printed address of a demo just works: one perfusionist at the enrolled station.

    Only in demo mode, only when nobody outside this machine can connect, and only under a name of
    this machine, so that a foreign page that rebinds its own name to 127.0.0.1 is not signed in.
    """

    def __init__(self, settings: Settings, accounts: Accounts) -> None:
        self._settings = settings
        self._accounts = accounts
        self._token = ""

    def token(self, request: Request) -> str | None:
        """A token for this browser, None where it must bring one."""
        settings = self._settings
        local = settings.loopback and request.url.hostname in LOOPBACK
        if settings.mode is not Mode.DEMO or not local:
            return None
        if not self._token or self._accounts.find(self._token) is None:
            self._token = self._accounts.issue(
                PersonRole.PERFUSIONIST, user="demo perfusionist", station=settings.station
            )
        return self._token


def build(settings: Settings, accounts: Accounts) -> APIRouter:
    """The routes of the pages and of signing in and out."""
    router = APIRouter()
    demo = DemoSignIn(settings, accounts)

    @router.get("/", include_in_schema=False)
    async def index(request: Request) -> Response:
        signed_in = find_caller(request, settings, accounts) is not None
        token = None if signed_in else demo.token(request)
        if not signed_in and token is None:
            return _page(settings, "Not signed in", NOBODY, status=401)
        file = settings.pages / "index.html"
        if not file.is_file():
            raise HTTPException(404, f"This installation has no pages: {file} is missing.")
        response = FileResponse(file)
        if token:
            _set_cookie(response, token, settings)
        return response

    @router.get("/signin", status_code=303, responses=_SIGN_IN)
    async def sign_in(
        request: Request, token: Annotated[str, Query(min_length=1, max_length=200)]
    ) -> Response:
        """Take a token into this browser's cookie and go to the page."""
        if accounts.find(token) is None:
            text = "This sign-in link is not valid any more. Ask for a new one."
            return _page(settings, "Not signed in", text, status=401)
        response: Response = RedirectResponse("/", 303)
        if request.headers.get("sec-fetch-site") == "cross-site":
            # After a click in a mail or chat page, the redirect would still count as that page's
            # and carry no Strict cookie; a move that our own page makes does.
            head = '<meta http-equiv="refresh" content="0; url=/">'
            text = '<a href="/">Go to the page</a>'
            response = _page(settings, "Signed in", text, head=head, status=200)
        _set_cookie(response, token, settings)
        return response

    @router.post("/signout", status_code=204, responses=_SIGN_OUT)
    async def sign_out(request: Request) -> Response:
        """Sign the person out; an enrolled station stays enrolled."""
        caller = require_caller(request, settings, accounts)
        require_origin(request, settings, by_cookie=caller.by_cookie)
        response = Response(status_code=204)
        if not caller.by_cookie:
            accounts.revoke(caller.token)
        elif station_token := accounts.sign_out(caller.token):
            _set_cookie(response, station_token, settings)
        else:
            response.delete_cookie(cookie_name(settings), secure=settings.secure, httponly=True)
        return response

    return router


_HTML: dict[str, Any] = {"content": {"text/html": {}}}
_SIGN_IN: dict[int | str, dict[str, Any]] = {
    200: {"description": "Signed in from a link on a foreign page; goes on by itself"} | _HTML,
    303: {"description": "Signed in"},
    401: {"description": "The link is not valid"} | _HTML,
}
_SIGN_OUT: dict[int | str, dict[str, Any]] = {
    401: {"model": Reason},
    403: {"model": Reason},
}
