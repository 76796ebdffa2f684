"""The command lines `hipec users` and `hipec stations`: who may come in, and from which screens.

Every change is put on record first; what cannot be recorded is not done.
"""

import argparse
import getpass
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Connection

from service.accounts import audit, passwords, people, sign_ins, stations
from service.accounts.people import AccountsError
from service.accounts.store import AccountStore
from service.core.model import PersonRole
from service.site import load_site
from service.site_shape import Site
from service.wire import AccessKind, AccessTold

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Answer = tuple[int, str]
SITE = Path("site.toml")
PERSONS = [role.value for role in PersonRole if role is not PersonRole.DISPLAY]
STATIONS = [role.value for role in stations.STATION_ROLES]


def add_users_commands(users: Commands) -> None:
    """Add add, list, role, password, disable, enable, link and token."""
    _of_site(users, "list", "every account", _list)
    new = _of_person(users, "add", "a new account; asks for its password", _add)
    new.add_argument("--role", choices=PERSONS, required=True)
    new.add_argument("--no-password", action="store_true", help="comes in by links or by OIDC only")
    role = _of_person(users, "role", "another role", _role)
    role.add_argument("role", choices=PERSONS)
    _of_person(users, "password", "another password; ends all sign-ins", _password)
    _of_person(users, "disable", "close an account; ends all sign-ins", _disable)
    _of_person(users, "enable", "open a closed account again", _enable)
    _of_person(users, "link", "a link that signs this person in once", _link)
    token = _of_person(users, "token", "a bearer token for a program", _token)
    token.add_argument("--station", default="", help="the enrolled station in whose name it acts")
    token.add_argument("--hours", type=float, default=sign_ins.LASTS_S / 3600)


def add_stations_commands(commands: Commands) -> None:
    """Add enroll, list and revoke."""
    _of_site(commands, "list", "every enrolled screen", _list_stations)
    enroll = _of_site(commands, "enroll", "a one-time code for a screen in the room", _enroll)
    enroll.add_argument("name", help="such as perfusion, anesthesia, wall")
    enroll.add_argument("--role", choices=STATIONS, required=True)
    revoke = _of_site(commands, "revoke", "make a screen a stranger again", _revoke)
    revoke.add_argument("name", help="a station's name (all its screens) or one fingerprint")


class Desk:
    """One command's work: the site, its accounts, and who is at the keyboard."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.site: Site = load_site(path)
        self.by = f"{getpass.getuser()} (command line)"
        self.now_utc = time.time()

    def read(self, ask: Callable[[Connection], str]) -> str:
        """What a look into the accounts gives."""
        with (
            closing(AccountStore(self.site.about.database)) as store,
            store.transaction(reads=True) as db,
        ):
            return ask(db)

    def change(
        self, what: AccessKind, who: str, do: Callable[[Connection], str], text: str = ""
    ) -> str:
        """Try it, record it, do it."""
        url = self.site.about.database
        with closing(AccountStore(url)) as store:
            with store.transaction() as db:
                do(db)
                db.rollback()
            audit.tell(self.path, url, [AccessTold(what=what, who=who, by=self.by, text=text)])
            with store.transaction() as db:
                return do(db)

    def address(self) -> str:
        """Where browsers open the pages."""
        about = self.site.about
        scheme = "https" if about.tls_certificate else "http"
        return about.origins[0] if about.origins else f"{scheme}://{about.listen}"


def _of_site(
    commands: Commands, name: str, about: str, work: Callable[[Desk, argparse.Namespace], str]
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about)
    parser.add_argument("--site", type=Path, default=SITE)
    parser.set_defaults(run=lambda asked: _answer(work, asked))
    return parser


def _of_person(
    commands: Commands, name: str, about: str, work: Callable[[Desk, argparse.Namespace], str]
) -> argparse.ArgumentParser:
    parser = _of_site(commands, name, about, work)
    parser.add_argument("name")
    return parser


def _answer(work: Callable[[Desk, argparse.Namespace], str], asked: argparse.Namespace) -> Answer:
    try:
        return 0, work(Desk(asked.site), asked)
    except AccountsError as error:
        return 1, str(error)


def _list(desk: Desk, _: argparse.Namespace) -> str:
    found = desk.read(lambda db: "\n".join(people.lines(people.everybody(db))))
    return found or "There is no account yet: `hipec users add NAME --role admin` makes the first."


def _add(desk: Desk, asked: argparse.Namespace) -> str:
    role = PersonRole(asked.role)
    password = None if asked.no_password else _asked_password(asked.name)

    def do(db: Connection) -> str:
        people.add(db, asked.name, role, password)
        return f"{asked.name.strip()} may sign in as {role}."

    return desk.change(AccessKind.ACCOUNT_ADDED, asked.name.strip(), do, role.value)


def _role(desk: Desk, asked: argparse.Namespace) -> str:
    role = PersonRole(asked.role)

    def do(db: Connection) -> str:
        people.set_role(db, asked.name, role)
        return f"{asked.name} is {role} from now on."

    return desk.change(AccessKind.ROLE_CHANGED, asked.name, do, role.value)


def _password(desk: Desk, asked: argparse.Namespace) -> str:
    password = _asked_password(asked.name)

    def do(db: Connection) -> str:
        people.set_password(db, asked.name, password)
        return f"{asked.name} has another password and is signed in nowhere."

    return desk.change(AccessKind.PASSWORD_CHANGED, asked.name, do)


def _disable(desk: Desk, asked: argparse.Namespace) -> str:
    def do(db: Connection) -> str:
        people.set_disabled(db, asked.name, True)
        return f"{asked.name} cannot sign in any more and is signed in nowhere."

    return desk.change(AccessKind.ACCOUNT_DISABLED, asked.name, do)


def _enable(desk: Desk, asked: argparse.Namespace) -> str:
    def do(db: Connection) -> str:
        people.set_disabled(db, asked.name, False)
        return f"{asked.name} may sign in again."

    return desk.change(AccessKind.ACCOUNT_ENABLED, asked.name, do)


def _link(desk: Desk, asked: argparse.Namespace) -> str:
    def do(db: Connection) -> str:
        person = people.known(db, asked.name)
        opens = sign_ins.Code(person=person.name, station="", role=person.role)
        return f"{desk.address()}/signin?code={sign_ins.make_code(db, opens, desk.now_utc)}"

    return desk.change(AccessKind.LINK_ISSUED, asked.name, do)


def _token(desk: Desk, asked: argparse.Namespace) -> str:
    def do(db: Connection) -> str:
        if asked.station and stations.named(db, asked.station, desk.now_utc) is None:
            raise AccountsError(f"There is no enrolled station {asked.station!r}.", "station")
        lasts_s = asked.hours * 3600
        name, now = asked.name, desk.now_utc
        return sign_ins.begin(db, name, now, station=asked.station, program=True, lasts_s=lasts_s)

    text = f"{asked.hours:g} h, station {asked.station or 'none'}"
    return desk.change(AccessKind.TOKEN_ISSUED, asked.name, do, text)


def _list_stations(desk: Desk, _: argparse.Namespace) -> str:
    found = desk.read(lambda db: "\n".join(map(_station_line, stations.all_stations(db))))
    return found or "No screen is enrolled yet: `hipec stations enroll NAME --role ROLE`."


def _station_line(station: stations.Station) -> str:
    since = datetime.fromtimestamp(station.enrolled_utc, UTC)
    until = ""
    if station.expires_utc is not None:
        until = f"until {datetime.fromtimestamp(station.expires_utc, UTC):%Y-%m-%d}"
    line = f"{station.station:<20} {station.role:<13} {station.fingerprint}  {since:%Y-%m-%d %H:%M}"
    return f"{line} {until}".rstrip()


def _enroll(desk: Desk, asked: argparse.Namespace) -> str:
    role = PersonRole(asked.role)

    def do(db: Connection) -> str:
        opens = sign_ins.Code(person="", station=asked.name, role=role)
        code = sign_ins.make_code(db, opens, desk.now_utc)
        return (
            "Open this address once, on that screen and within a day:\n"
            f"{desk.address()}/signin?code={code}"
        )

    return desk.change(AccessKind.LINK_ISSUED, asked.name, do, f"enrols a station, {role}")


def _revoke(desk: Desk, asked: argparse.Namespace) -> str:
    def do(db: Connection) -> str:
        gone = stations.revoke(db, asked.name)
        return f"{len(gone)} of {gone[0].station}: revoked. It is a stranger within seconds."

    return desk.change(AccessKind.STATION_REVOKED, asked.name, do)


def _asked_password(name: str) -> str:
    """A password from the terminal, typed twice, or one line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass(f"Password for {name}: ")
    if why := passwords.objection(password, name):
        raise AccountsError(why, "password")
    if getpass.getpass("Once more: ") != password:
        raise AccountsError("The two are not the same. Nothing was changed.", "password")
    return password
