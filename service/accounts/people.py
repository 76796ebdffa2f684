"""The table of people: a name, a role, perhaps a password; disabled rather than deleted."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from service.accounts import passwords
from service.accounts.tables import people, sign_ins
from service.core.model import PersonRole

LONGEST_NAME = 60


class AccountsError(RuntimeError):
    """Something about accounts that cannot be done; `field` names the entry that is wrong."""

    def __init__(self, says: str, field: str = "") -> None:
        super().__init__(says)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One account."""

    name: str
    role: PersonRole
    disabled: bool
    has_password: bool


def add(db: Connection, name: str, role: PersonRole, password: str | None = None) -> None:
    """A new account. Raises AccountsError for a name that is taken, or a password that is weak."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise AccountsError(f"A name has 1 to {LONGEST_NAME} printable characters.", "name")
    if role is PersonRole.DISPLAY:
        raise AccountsError("A display is a station, not a person: enrol it as one.", "role")
    if find(db, name) is not None:
        raise AccountsError(f"There is an account {name!r} already.", "name")
    stored = None if password is None else _stored(password, name)
    db.execute(
        insert(people).values(
            name=name, folded=name.casefold(), role=role.value, password=stored, disabled=False
        )
    )


def ensure(db: Connection, name: str, role: PersonRole) -> None:
    """An account of a demo or test, made where it is not there yet."""
    if find(db, name) is None:
        add(db, name, role)


def find(db: Connection, name: str) -> Person | None:
    """The account of this name, however it is capitalised."""
    row = db.execute(select(people).where(people.c.folded == name.strip().casefold())).first()
    return _person(row) if row else None


def everybody(db: Connection) -> list[Person]:
    """All accounts by name."""
    return [_person(row) for row in db.execute(select(people).order_by(people.c.folded))]


def set_role(db: Connection, name: str, role: PersonRole) -> None:
    """Another role, from the next request on."""
    if role is PersonRole.DISPLAY:
        raise AccountsError("A display is a station, not a person: enrol it as one.", "role")
    _change(db, name, role=role.value)


def set_disabled(db: Connection, name: str, disabled: bool) -> None:
    """Close an account, which ends all its sign-ins, or open it again."""
    _change(db, name, disabled=disabled)
    if disabled:
        end_all(db, name)


def set_password(db: Connection, name: str, password: str) -> None:
    """Another password, which ends all sign-ins by the old one."""
    person = known(db, name)
    _change(db, name, password=_stored(password, person.name))
    end_all(db, name)


def end_all(db: Connection, name: str) -> None:
    """End every sign-in of this person."""
    db.execute(delete(sign_ins).where(sign_ins.c.person == known(db, name).name))


def known(db: Connection, name: str) -> Person:
    """The account of this name. Raises AccountsError when there is none."""
    person = find(db, name)
    if person is None:
        raise AccountsError(f"There is no account {name!r}.", "name")
    return person


def password_of(db: Connection, name: str) -> tuple[str, str | None] | None:
    """The account's own spelling of its name and its password's hash; None when it may not in."""
    query = select(people).where(people.c.folded == name.strip().casefold())
    row = db.execute(query).first()
    return (row.name, row.password) if row and not row.disabled else None


def lines(everyone: list[Person]) -> Iterator[str]:
    """One line of text per account."""
    for person in everyone:
        state = "disabled" if person.disabled else "" if person.has_password else "no password"
        yield f"{person.name:<30} {person.role:<13} {state}".rstrip()


def _change(db: Connection, name: str, **values: object) -> None:
    db.execute(update(people).where(people.c.name == known(db, name).name).values(**values))


def _stored(password: str, name: str) -> str:
    if why := passwords.objection(password, name):
        raise AccountsError(why, "password")
    return passwords.hash_of(password)


def _person(row) -> Person:
    return Person(
        name=row.name,
        role=PersonRole(row.role),
        disabled=row.disabled,
        has_password=row.password is not None,
    )
