"""Enrolled stations: screens of a room, apart from people, each known by a token of its own.

A station of a clinical role is in the room and may stop, switch the heat off and acknowledge with
nobody signed in. A display only shows, and has to be enrolled again after 30 days.
"""

import re
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, or_, select

from service.accounts.people import AccountsError
from service.accounts.tables import enrolments, hashed, new_token
from service.core.model import PersonRole

STATION_ROLES = (PersonRole.PERFUSIONIST, PersonRole.ANESTHESIA, PersonRole.DISPLAY)
DISPLAY_S = 30 * 24 * 3600.0
FINGERPRINT = 12
"""So many characters of a token's hash name one enrolled screen."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One enrolled screen; several may share a name."""

    station: str
    room: str
    role: PersonRole
    fingerprint: str
    enrolled_utc: float
    expires_utc: float | None


def check(name: str, role: PersonRole) -> None:
    """Raise AccountsError for a name or a role that no station has."""
    if not _NAME.fullmatch(name):
        text = "A station's name has up to 40 small letters, digits, and - _ . between them."
        raise AccountsError(text, "name")
    if role not in STATION_ROLES:
        roles = ", ".join(STATION_ROLES)
        raise AccountsError(f"A station is one of {roles}, not {role}.", "role")


def enrol(db: Connection, name: str, room: str, role: PersonRole, now_utc: float) -> str:
    """Enrol a screen; its token, which nobody can read back."""
    check(name, role)
    token = new_token()
    lasts_s = DISPLAY_S if role is PersonRole.DISPLAY else None
    db.execute(
        insert(enrolments).values(
            token_sha256=hashed(token),
            station=name,
            room=room,
            role=role.value,
            enrolled_utc=now_utc,
            expires_utc=None if lasts_s is None else now_utc + lasts_s,
        )
    )
    return token


def of_token(db: Connection, token_sha256: str, now_utc: float) -> Station | None:
    """The screen that this token enrolled, None when it is revoked or has run out."""
    row = db.execute(select(enrolments).where(enrolments.c.token_sha256 == token_sha256)).first()
    if row is None or (row.expires_utc is not None and row.expires_utc <= now_utc):
        return None
    return _station(row)


def named(db: Connection, name: str, now_utc: float) -> Station | None:
    """The newest screen of this name that is still enrolled."""
    query = select(enrolments).where(enrolments.c.station == name)
    fresh = or_(enrolments.c.expires_utc.is_(None), enrolments.c.expires_utc > now_utc)
    row = db.execute(query.where(fresh).order_by(enrolments.c.enrolled_utc.desc())).first()
    return _station(row) if row else None


def all_stations(db: Connection) -> list[Station]:
    """All enrolled screens."""
    query = select(enrolments).order_by(enrolments.c.station, enrolments.c.enrolled_utc)
    return [_station(row) for row in db.execute(query)]


def revoke(db: Connection, which: str) -> list[Station]:
    """Revoke a screen by its fingerprint, or all of a name. Raises AccountsError for neither."""
    found = [s for s in all_stations(db) if which in (s.station, s.fingerprint)]
    if not found:
        raise AccountsError(f"No enrolled station has the name or fingerprint {which!r}.", "name")
    for station in found:
        prefix = enrolments.c.token_sha256.startswith(station.fingerprint, autoescape=True)
        db.execute(delete(enrolments).where(prefix))
    return found


def _station(row) -> Station:
    return Station(
        station=row.station,
        room=row.room,
        role=PersonRole(row.role),
        fingerprint=row.token_sha256[:FINGERPRINT],
        enrolled_utc=row.enrolled_utc,
        expires_utc=row.expires_utc,
    )
