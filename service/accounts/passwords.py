"""Passwords: argon2id by argon2-cffi with its defaults (RFC 9106, second recommended option)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 200
_HASHER = PasswordHasher()


def objection(password: str, name: str) -> str:
    """Why this may not be the password of this person, "" when it may."""
    if len(password) < SHORTEST:
        return f"A password needs at least {SHORTEST} characters: three or four words will do."
    if len(password) > LONGEST:
        return f"A password has at most {LONGEST} characters."
    if name.casefold() in password.casefold():
        return "A password must not hold the person's own name."
    if len(set(password)) < 5:
        return "A password needs at least five different characters."
    return ""


def hash_of(password: str) -> str:
    """What is stored of a password; takes about 50 ms and 64 MiB on purpose."""
    return _HASHER.hash(password)


def is_right(password: str, stored: str | None) -> bool:
    """Whether this is the password. Takes as long where there is none to compare it with."""
    try:
        return _HASHER.verify(stored or _nobodys(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return hash_of("no person has this password")
