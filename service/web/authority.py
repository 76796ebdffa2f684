"""Who may do what, and from where: the core's table of roles, the Origin check, the token."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from http.cookies import CookieError
from typing import Any

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from service.core import authority
from service.core.model import Actor
from service.web.accounts import Accounts, Session
from service.web.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One request's session, the token it came by, and whether a browser's cookie carried it."""

    session: Session
    token: str
    by_cookie: bool


REMOTE = (
    "This page is not at an enrolled station of this room: it shows, and cannot act. "
    "Go to the station in the room, or ask an administrator to enrol this screen."
)


GIVES_AWAY = frozenset({"hand_over", "release_control"})


def may(session: Session, control: Mapping[str, Any]) -> list[str]:
    """The commands that this session may give now; `control` is the snapshot's."""
    holder = control.get("holder")
    if holder is None:
        without: Set[str] = GIVES_AWAY
    elif holder == session.user:
        without = {"take_control"}
    else:
        without = authority.NEEDS_CONTROL | GIVES_AWAY
    return [n for n in authority.MAY if n not in without and refusal(session, n) is None]


def refusal(session: Session, command: str) -> tuple[int, str] | None:
    """Status and sentence when this session may not give this command, else None."""
    by = Actor(user=session.user, role=session.role, station=session.station)
    if not session.user and command not in authority.AT_THE_STATION:
        return 401, f"Sign in to give '{command}': nobody is signed in at this station."
    reason = authority.refusal(command, by)
    if not reason and not session.station:
        reason = REMOTE
    return (403, reason) if reason else None


def cookie_name(settings: Settings) -> str:
    """Browsers bind a `__Host-` cookie to this host and TLS; without TLS they would drop it."""
    return "__Host-hipec" if settings.secure else "hipec"


def find_caller(
    connection: HTTPConnection, settings: Settings, accounts: Accounts
) -> Caller | None:
    """The session that this request carries: a bearer token before a cookie."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    by_cookie = scheme.lower() != "bearer"
    token = _cookie(connection, settings) if by_cookie else bearer.strip()
    session = accounts.find(token) if token else None
    return Caller(session=session, token=token, by_cookie=by_cookie) if session else None


def _cookie(connection: HTTPConnection, settings: Settings) -> str:
    try:
        return connection.cookies.get(cookie_name(settings), "")
    except CookieError:
        return ""


def require_caller(connection: HTTPConnection, settings: Settings, accounts: Accounts) -> Caller:
    """The caller. Raises 401 when nobody is signed in."""
    caller = find_caller(connection, settings, accounts)
    if caller is None:
        reason = "Sign in first: open a sign-in link, or send a bearer token that is still valid."
        raise HTTPException(401, reason, headers={"WWW-Authenticate": "Bearer"})
    return caller


def require_origin(connection: HTTPConnection, settings: Settings, *, by_cookie: bool) -> None:
    """Raise 403 unless the request comes from one of our pages; programs need send no Origin."""
    origin = connection.headers.get("origin")
    if origin in settings.allowed_origins or (origin is None and not by_cookie):
        return
    raise HTTPException(
        403,
        f"Requests from the origin {origin or '(none)'} are not accepted: open the page "
        "under an address that the room's settings list.",
    )
