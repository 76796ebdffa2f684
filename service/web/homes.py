"""The pages, and which of them is whose."""

from collections.abc import Mapping

from fastapi import HTTPException
from fastapi.responses import FileResponse, Response

from service.core.model import PersonRole
from service.web.accounts import Session
from service.web.settings import Settings

PAGES: Mapping[str, str] = {
    "/": "index.html",
    "/anesthesia": "anesthesia.html",
    "/wall": "wall.html",
    "/qa": "qa.html",
    "/admin": "admin.html",
}
"""Where each page is, as a file of the folder of pages."""

HOMES: Mapping[PersonRole, str] = {
    PersonRole.PERFUSIONIST: "/",
    PersonRole.ANESTHESIA: "/anesthesia",
    PersonRole.SURGEON: "/anesthesia",
    PersonRole.QA: "/qa",
    PersonRole.ADMIN: "/admin",
    PersonRole.DISPLAY: "/wall",
}


def home_of(session: Session, settings: Settings) -> str:
    """The page of a person's role, or of the screen's where nobody is signed in."""
    home = HOMES[session.role if session.user else session.screen_role or session.role]
    return home if (settings.pages / PAGES[home]).is_file() else "/"


def page(settings: Settings, name: str, *, status: int = 200) -> Response:
    """One page. Raises 404 where this installation does not have it."""
    file = settings.pages / name
    if not file.is_file():
        raise HTTPException(404, f"This installation has no such page: {file} is missing.")
    return FileResponse(file, status)
