"""Accounts and stations over HTTP, for administrators: every change is put on record.

Whoever is signed in may change his or her own password.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from service.accounts import people, sign_ins, stations
from service.core.model import PersonRole
from service.web.accounts import Accounts, SignInRefused
from service.web.answers import Invalid, Reason
from service.web.audit import Audit
from service.web.authority import Caller, require_caller, require_origin, require_role
from service.web.settings import Settings
from service.web.signing_in import address_of
from service.wire import AccessKind

Do = Callable[[Connection], None]
Name = Annotated[str, Path(min_length=1, max_length=100)]
_Responses = dict[int | str, dict[str, Any]]
_WHO: _Responses = {n: {"model": Reason} for n in (401, 403, 503)}
_CHANGE: _Responses = _WHO | {
    400: {"model": Reason, "description": "The body cannot be read"},
    413: {"model": Reason},
    422: {"model": Invalid},
}


class PersonLine(BaseModel):
    """One account."""

    name: str
    role: PersonRole
    disabled: bool
    has_password: bool


class NewPerson(BaseModel):
    """An account to be; without a password its person comes in by a link or by OIDC."""

    name: str = Field(min_length=1, max_length=people.LONGEST_NAME)
    role: PersonRole
    password: str | None = Field(default=None, max_length=200)


class Change(BaseModel):
    """What is to be different with an account; what is left out stays."""

    role: PersonRole | None = None
    disabled: bool | None = None
    password: str | None = Field(default=None, max_length=200)


class OwnPassword(BaseModel):
    """The old password, and the new one."""

    old: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=200)


class StationLine(BaseModel):
    """One enrolled screen; several may share a name."""

    station: str
    room: str
    role: PersonRole
    fingerprint: str
    enrolled_utc: float
    expires_utc: float | None


class NewStation(BaseModel):
    """A screen that is to be enrolled."""

    name: str = Field(min_length=1, max_length=40)
    role: PersonRole


class OneTimeLink(BaseModel):
    """An address of this server, to be opened once within a day."""

    path: str


class Desk:
    """An administrator at work: every change is put on record, with who and from where."""

    def __init__(self, settings: Settings, accounts: Accounts, audit: Audit) -> None:
        self.settings, self.accounts, self.audit = settings, accounts, audit

    async def admin(self, request: Request, *, changes: bool) -> Caller:
        """The administrator who asks; 401 and 403 for everybody else."""
        caller = await require_caller(request, self.settings, self.accounts)
        if changes:
            require_origin(request, self.settings, by_cookie=caller.by_cookie)
            await self.accounts.touch(caller.tokens)
        require_role(caller, PersonRole.ADMIN)
        return caller

    async def change(
        self,
        request: Request,
        caller: Caller,
        what: AccessKind,
        who: str,
        do: Callable[[Connection], Any],
        text: str = "",
    ) -> Any:
        """Do it, and put it on record."""
        done = await self.accounts.change(do)
        self.audit.tell(what, who, text=text, by=caller.session.user, address=address_of(request))
        return done


def build(settings: Settings, accounts: Accounts, audit: Audit) -> APIRouter:
    """The routes of accounts and stations."""
    router = APIRouter(prefix="/api/v1", dependencies=[Depends(HTTPBearer(auto_error=False))])
    desk = Desk(settings, accounts, audit)
    _add_people(router, desk)
    _add_person(router, desk)
    _add_stations(router, desk)
    _add_password(router, desk)
    return router


def _add_people(router: APIRouter, desk: Desk) -> None:
    @router.get("/people", responses=_WHO)
    async def everybody(request: Request) -> list[PersonLine]:
        """All accounts."""
        await desk.admin(request, changes=False)
        found = await desk.accounts.read(people.everybody)
        return [PersonLine.model_validate(each, from_attributes=True) for each in found]

    @router.post("/people", status_code=201, responses=_CHANGE)
    async def add(request: Request, new: NewPerson) -> PersonLine:
        """A new account."""
        caller = await desk.admin(request, changes=True)
        name, text = new.name.strip(), new.role.value

        def do(db: Connection) -> people.Person:
            people.add(db, name, new.role, new.password)
            return people.known(db, name)

        made = await desk.change(request, caller, AccessKind.ACCOUNT_ADDED, name, do, text)
        return PersonLine.model_validate(made, from_attributes=True)


def _add_person(router: APIRouter, desk: Desk) -> None:
    @router.patch("/people/{name}", responses=_CHANGE)
    async def change(request: Request, name: Name, asked: Change) -> PersonLine:
        """Another role or password, closed or open."""
        caller = await desk.admin(request, changes=True)
        if asked.disabled and name.casefold() == caller.session.user.casefold():
            raise people.AccountsError("Nobody closes the own account: ask another one.", "name")
        for what, do, text in _changes(name, asked):
            await desk.change(request, caller, what, name, do, text)
        found = await desk.accounts.read(lambda db: people.known(db, name))
        return PersonLine.model_validate(found, from_attributes=True)

    @router.post("/people/{name}/link", status_code=201, responses=_CHANGE)
    async def link(request: Request, name: Name) -> OneTimeLink:
        """A link that signs this person in once."""
        caller = await desk.admin(request, changes=True)

        def do(db: Connection) -> str:
            person = people.known(db, name)
            opens = sign_ins.Code(person=person.name, station="", role=person.role)
            return sign_ins.make_code(db, opens, time.time())

        code = await desk.change(request, caller, AccessKind.LINK_ISSUED, name, do)
        return OneTimeLink(path=f"/signin?code={code}")


def _changes(name: str, asked: Change) -> Iterator[tuple[AccessKind, Do, str]]:
    if asked.role is not None:
        do: Do = partial(people.set_role, name=name, role=asked.role)
        yield AccessKind.ROLE_CHANGED, do, asked.role.value
    if asked.password is not None:
        do = partial(people.set_password, name=name, password=asked.password)
        yield AccessKind.PASSWORD_CHANGED, do, ""
    if asked.disabled is not None:
        what = AccessKind.ACCOUNT_DISABLED if asked.disabled else AccessKind.ACCOUNT_ENABLED
        yield what, partial(people.set_disabled, name=name, disabled=asked.disabled), ""


def _add_stations(router: APIRouter, desk: Desk) -> None:
    @router.get("/stations", responses=_WHO)
    async def all_stations(request: Request) -> list[StationLine]:
        """All enrolled screens."""
        await desk.admin(request, changes=False)
        found = await desk.accounts.read(stations.all_stations)
        return [StationLine.model_validate(each, from_attributes=True) for each in found]

    @router.post("/stations", status_code=201, responses=_CHANGE)
    async def enroll(request: Request, new: NewStation) -> OneTimeLink:
        """A one-time address that enrols the screen that opens it."""
        caller = await desk.admin(request, changes=True)
        opens = sign_ins.Code(person="", station=new.name, role=new.role)

        def do(db: Connection) -> str:
            return sign_ins.make_code(db, opens, time.time())

        text = f"enrols a station, {new.role}"
        code = await desk.change(request, caller, AccessKind.LINK_ISSUED, new.name, do, text)
        return OneTimeLink(path=f"/signin?code={code}")

    @router.delete("/stations/{which}", status_code=204, responses=_CHANGE)
    async def revoke(
        request: Request, which: Annotated[str, Path(min_length=1, max_length=40)]
    ) -> Response:
        """Make a screen (by fingerprint), or all of a name, strangers again."""
        caller = await desk.admin(request, changes=True)
        kind = AccessKind.STATION_REVOKED
        await desk.change(request, caller, kind, which, lambda db: stations.revoke(db, which))
        return Response(status_code=204)


def _add_password(router: APIRouter, desk: Desk) -> None:
    @router.post("/password", status_code=204, responses=_CHANGE | {429: {"model": Reason}})
    async def password(request: Request, asked: OwnPassword) -> Response:
        """Change the own password, which ends all sign-ins by the old one."""
        caller = await require_caller(request, desk.settings, desk.accounts)
        require_origin(request, desk.settings, by_cookie=caller.by_cookie)
        name = caller.session.user
        if not name:
            raise HTTPException(403, "Nobody is signed in here, so there is no password to change.")
        try:
            await desk.accounts.sign_in(name, asked.old, address_of(request), program=True)
        except SignInRefused as refused:
            if refused.wait_s and str(refused).startswith("Too many"):
                raise HTTPException(429, str(refused)) from refused
            raise people.AccountsError("The old password is wrong.", "old") from refused
        kind, new = AccessKind.PASSWORD_CHANGED, asked.password
        await desk.change(
            request, caller, kind, name, lambda db: people.set_password(db, name, new)
        )
        return Response(status_code=204)
