"""The pages themselves: each for whoever is signed in, everybody else is asked to sign in."""

import os
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.web.accounts import Accounts
from service.web.authority import find_caller
from service.web.homes import PAGES, home_of, page
from service.web.settings import Settings
from service.web.signing_in import DemoSignIn, set_cookies

SERVED = frozenset({".html", ".css", ".js", ".mjs", ".json", ".svg", ".png", ".ico", ".woff2"})
COMMENTED = frozenset({".css", ".js"})


class Pages(StaticFiles):
    """The files of the pages, and nothing else that may lie beside them."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Where the file is; not found for other kinds of file and for names no file can have."""
        if os.path.splitext(path)[1] not in SERVED or "\0" in path or "node_modules" in path:
            return "", None
        return super().lookup_path(path)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The file; a module or style of our own goes out without its comments."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        own = os.path.splitext(full_path)[1] in COMMENTED and "vendor" not in Path(full_path).parts
        if not own or not isinstance(response, FileResponse):
            return response
        kept = {name: response.headers[name] for name in ("etag", "last-modified")}
        body = _uncommented(str(full_path), stat_result.st_mtime_ns)
        return Response(body, status_code, kept, response.media_type)


@lru_cache(maxsize=256)
def _uncommented(path: str, _changed_ns: int) -> str:
    return without_comments(Path(path).read_text("utf-8"))


def without_comments(text: str) -> str:
    """The text with each comment that has its lines to itself made empty lines.

    A fifth less to load; line numbers stay as they are in the repository.
    """
    lines, inside = [], False
    for line in text.split("\n"):
        told = line.strip()
        starts = told.startswith("/*") and "*/" not in told[:-2]
        lines.append("" if inside or starts else line)
        inside = (inside or starts) and not told.endswith("*/")
    return "\n".join(lines)


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
