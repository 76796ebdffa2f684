"""Server-side sessions: who is signed in, found by a random token that is stored only hashed."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from service.accounts import stations
from service.accounts.people import AccountsError, known
from service.accounts.tables import codes, hashed, new_token, people, sign_ins
from service.core.model import PersonRole

LASTS_S = 12 * 3600.0
"""A sign-in ends after a working day, whatever happens."""

CODE_S = 24 * 3600.0
"""A one-time link or code that nobody used is void after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """One person's session; `station` is where a program acts, browsers bring their own."""

    person: str
    role: PersonRole
    station: str
    program: bool
    seen_utc: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What a one-time code opens: a person's sign-in, a station's enrolment, or both."""

    person: str
    station: str
    role: PersonRole


def begin(
    db: Connection,
    person: str,
    now_utc: float,
    *,
    station: str = "",
    program: bool = False,
    lasts_s: float = LASTS_S,
) -> str:
    """Start a session and return its token. Raises AccountsError for nobody's name."""
    token = new_token()
    db.execute(
        insert(sign_ins).values(
            token_sha256=hashed(token),
            person=known(db, person).name,
            station=station,
            program=program,
            issued_utc=now_utc,
            seen_utc=now_utc,
            expires_utc=now_utc + lasts_s,
        )
    )
    db.execute(delete(sign_ins).where(sign_ins.c.expires_utc <= now_utc))
    return token


def of_token(db: Connection, token_sha256: str, now_utc: float) -> SignIn | None:
    """The session of this token, None when it has ended or its person may not in any more.

    A program acts at its station only while that is enrolled, in the room and clinical.
    """
    query = select(sign_ins, people.c.role, people.c.disabled).join(
        people, people.c.name == sign_ins.c.person
    )
    row = db.execute(query.where(sign_ins.c.token_sha256 == token_sha256)).first()
    if row is None or row.disabled or row.expires_utc <= now_utc:
        return None
    at = stations.named(db, row.station, now_utc) if row.station else None
    return SignIn(
        person=row.person,
        role=PersonRole(row.role),
        station=at.station if at and at.role is not PersonRole.DISPLAY else "",
        program=row.program,
        seen_utc=row.seen_utc,
    )


def seen(db: Connection, token_sha256: str, now_utc: float) -> None:
    """The person has just done something."""
    mine = sign_ins.c.token_sha256 == token_sha256
    db.execute(update(sign_ins).where(mine).values(seen_utc=now_utc))


def end(db: Connection, token_sha256: str) -> None:
    """End this session; its token opens nothing any more."""
    db.execute(delete(sign_ins).where(sign_ins.c.token_sha256 == token_sha256))


def make_code(db: Connection, code: Code, now_utc: float) -> str:
    """A code that opens this once."""
    if code.person:
        known(db, code.person)
    if code.station:
        stations.check(code.station, code.role)
    text = new_token()
    values = {"person": code.person, "station": code.station, "role": code.role.value}
    expires_utc = now_utc + CODE_S
    row = insert(codes).values(code_sha256=hashed(text), expires_utc=expires_utc, **values)
    db.execute(row)
    db.execute(delete(codes).where(codes.c.expires_utc <= now_utc))
    return text


def use_code(db: Connection, text: str, now_utc: float) -> Code:
    """What the code opens, once. Raises AccountsError when it opens nothing any more."""
    mine = codes.c.code_sha256 == hashed(text)
    row = db.execute(select(codes).where(mine)).first()
    if (
        row is None
        or row.expires_utc <= now_utc
        or not db.execute(delete(codes).where(mine)).rowcount
    ):
        raise AccountsError(
            "This link or code has been used, or has run out. Ask for a new one.", "code"
        )
    return Code(person=row.person, station=row.station, role=PersonRole(row.role))
