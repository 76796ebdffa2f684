"""Who may do what, and from where: the core's table of roles, the Origin check, the tokens."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from http.cookies import CookieError
from typing import Any

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from service.accounts.tokens import Tokens
from service.core import authority
from service.core.model import Actor, PersonRole
from service.web.accounts import Accounts, Session
from service.web.settings import Settings

REMOTE = (
    "This page is not at an enrolled station of this room: it shows, and cannot act. "
    "Go to the station in the room, or ask an administrator to enrol this screen."
)
AWAY = "You have been away: sign in again to give '{}'."
NOBODY = "Sign in to give '{}': nobody is signed in at this station."
GIVES_AWAY = frozenset({"hand_over", "release_control"})
FOREIGN = frozenset({"cross-site", "same-site"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One request's session, the tokens it came by, and whether a browser's cookie carried them."""

    session: Session
    tokens: Tokens
    by_cookie: bool


def actor(session: Session) -> Actor:
    """Whom the core and the record hear of: the person, or the station itself."""
    role = session.role if session.acts else PersonRole.DISPLAY
    return Actor(user=session.user if session.acts else "", role=role, station=session.station)


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
    if not session.acts and command not in authority.AT_THE_STATION:
        return 401, (AWAY if session.idle else NOBODY).format(command)
    reason = authority.refusal(command, actor(session))
    if not reason and not session.station:
        reason = REMOTE
    return (403, reason) if reason else None


def cookie_names(settings: Settings) -> tuple[str, str]:
    """The cookies of the person and of the screen.

    Browsers bind a `__Host-` cookie to this host and TLS; without TLS they would drop it.
    """
    prefix = "__Host-" if settings.secure else ""
    return f"{prefix}hipec", f"{prefix}hipec-station"


async def find_caller(
    connection: HTTPConnection, settings: Settings, accounts: Accounts
) -> Caller | None:
    """Who sends this request: by a bearer token before cookies."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    by_cookie = scheme.lower() != "bearer"
    tokens = _cookies(connection, settings) if by_cookie else Tokens(bearer=bearer.strip())
    session = await accounts.session(tokens)
    return Caller(session=session, tokens=tokens, by_cookie=by_cookie) if session else None


def _cookies(connection: HTTPConnection, settings: Settings) -> Tokens:
    person, screen = cookie_names(settings)
    try:
        cookies = connection.cookies
    except CookieError:
        return Tokens()
    return Tokens(person=cookies.get(person, ""), screen=cookies.get(screen, ""))


async def require_caller(
    connection: HTTPConnection, settings: Settings, accounts: Accounts
) -> Caller:
    """The caller. Raises 401 when nobody is signed in."""
    caller = await find_caller(connection, settings, accounts)
    if caller is None:
        reason = "Sign in first: open the sign-in page, or send a bearer token that is still valid."
        raise HTTPException(401, reason, headers={"WWW-Authenticate": "Bearer"})
    return caller


def require_role(caller: Caller, *roles: PersonRole) -> None:
    """Raise 403 unless a person of one of these roles is there, and has not been away."""
    if caller.session.idle:
        raise HTTPException(401, "You have been away: sign in again.")
    if not caller.session.user or caller.session.role not in roles:
        wanted = " or ".join(roles)
        raise HTTPException(403, f"This is for {wanted}, not for {caller.session.role}.")


def require_origin(connection: HTTPConnection, settings: Settings, *, by_cookie: bool) -> None:
    """Raise 403 unless the request comes from one of our pages; programs need send no Origin."""
    origin = connection.headers.get("origin")
    ours = origin in settings.allowed_origins or (origin is None and not by_cookie)
    if ours and connection.headers.get("sec-fetch-site") not in FOREIGN:
        return
    raise HTTPException(
        403,
        f"Requests from the origin {origin or '(none)'} are not accepted: open the page "
        "under an address that the room's settings list.",
    )
