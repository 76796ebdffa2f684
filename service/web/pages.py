"""The pages themselves: each for whoever is signed in, everybody else is asked to sign in."""

import os

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.web.accounts import Accounts
from service.web.authority import find_caller
from service.web.homes import PAGES, home_of, page
from service.web.settings import Settings
from service.web.signing_in import DemoSignIn, set_cookies

SERVED = frozenset({".html", ".css", ".js", ".mjs", ".json", ".svg", ".png", ".ico", ".woff2"})


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


def build(settings: Settings, accounts: Accounts) -> APIRouter:
    """The routes of the pages."""
    router = APIRouter()
    demo = DemoSignIn(settings, accounts)
    for path, name in PAGES.items():
        router.add_api_route(
            path, _serving(path, name, settings, accounts, demo), include_in_schema=False
        )
    return router


def _serving(path: str, name: str, settings: Settings, accounts: Accounts, demo: DemoSignIn):
    async def serve(request: Request) -> Response:
        caller = await find_caller(request, settings, accounts)
        tokens = None if caller else await demo.tokens(request)
        if caller is None and tokens is None:
            return RedirectResponse("/signin", 303)
        home = home_of(caller.session, settings) if caller else path
        if path == "/" != home:
            return RedirectResponse(home, 303)
        response = page(settings, name)
        if tokens:
            set_cookies(response, tokens, settings)
        return response

    return serve
