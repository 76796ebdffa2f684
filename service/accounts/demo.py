"""The people and stations of a demo or test room: no passwords, tokens and links are printed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from service.accounts import people, sign_ins, stations
from service.accounts.store import AccountStore
from service.accounts.tokens import Tokens
from service.core.model import Mode, PersonRole

PLACES: Mapping[PersonRole, str] = {
    PersonRole.PERFUSIONIST: "perfusion",
    PersonRole.ANESTHESIA: "anesthesia",
    PersonRole.SURGEON: "perfusion",
    PersonRole.QA: "",
    PersonRole.ADMIN: "",
    PersonRole.DISPLAY: "wall",
}
"""At which station each role is found; the others come from somewhere else."""

STATION_ROLES: Mapping[str, PersonRole] = {
    "perfusion": PersonRole.PERFUSIONIST,
    "anesthesia": PersonRole.ANESTHESIA,
    "wall": PersonRole.DISPLAY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What opens a demo or test room: bearer tokens for programs, one-time codes for browsers."""

    tokens: Mapping[str, str]
    codes: Mapping[str, str]


NO_KEYS = Keys(tokens={}, codes={})


def person_of(mode: Mode, role: PersonRole) -> str:
    """The account of a role in a demo or test room, "" for a display, which is no person."""
    return "" if role is PersonRole.DISPLAY else f"{mode} {role}"


def demo_tokens(db: Connection, role: PersonRole, station: str, room: str) -> Tokens:
    """The cookies of one browser of a demo."""
    now_utc, person = time.time(), person_of(Mode.DEMO, role)
    if person:
        people.ensure(db, person, role)
    placed = stations.enrol(db, station, room, STATION_ROLES[station], now_utc) if station else ""
    return Tokens(person=sign_ins.begin(db, person, now_utc) if person else "", screen=placed)


def furnish(store: AccountStore, room: str, mode: Mode) -> Keys:
    """Accounts for every role, stations for the room, and what opens them."""
    now_utc = time.time()
    tokens, codes = {}, {}
    with store.transaction() as db:
        screens = {
            name: stations.enrol(db, name, room, role, now_utc)
            for name, role in STATION_ROLES.items()
        }
        for role, station in PLACES.items():
            person = person_of(mode, role)
            if person:
                people.ensure(db, person, role)
                begun = sign_ins.begin(db, person, now_utc, station=station, program=True)
            tokens[role.value] = begun if person else screens[station]
            opens = STATION_ROLES[station] if station else role
            code = sign_ins.Code(person=person, station=station, role=opens)
            codes[role.value] = sign_ins.make_code(db, code, now_utc)
    return Keys(tokens=tokens, codes=codes)
