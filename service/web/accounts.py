"""Server-side sessions: who is signed in where, found by a random token that is stored only hashed.

A cookie and a bearer token are two ways to carry the same token. An enrolled station has a session
of its own without a person. The table is a small SQLite file, so that other programs of the
service can issue and revoke tokens while the web process runs.
"""

import hashlib
import secrets
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from service.core.model import PersonRole

KNOWN_S = 60.0
"""A token seen this recently is not looked up again; also the longest that a revocation takes."""

_TABLE = """
CREATE TABLE IF NOT EXISTS web_session (
    token_sha256 TEXT PRIMARY KEY, user TEXT NOT NULL, role TEXT NOT NULL, station TEXT NOT NULL,
    issued_utc REAL NOT NULL
) STRICT
"""


class AccountsError(RuntimeError):
    """The file of sign-ins cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who is signed in: `user` is empty for a station alone, `station` away from enrolled ones."""

    user: str
    role: PersonRole
    station: str


class Accounts:
    """The sessions of one room, in one file. Used from one thread.

    Raises AccountsError when the file cannot be made or is something else.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._db = _open(path)
        except (OSError, sqlite3.Error) as error:
            why = getattr(error, "strerror", None) or error
            raise AccountsError(
                f"The sign-ins cannot be kept in {path}: {why}. The service must be able to write "
                "there, beside the site file."
            ) from error
        self._known: dict[str, tuple[Session, float]] = {}

    def issue(self, role: PersonRole, user: str = "", station: str = "") -> str:
        """Start a session and return its token, which nobody can read back from the file."""
        token = secrets.token_urlsafe(32)
        row = (_hash(token), user, role.value, station, time.time())
        self._db.execute("INSERT INTO web_session VALUES (?, ?, ?, ?, ?)", row)
        return token

    def find(self, token: str) -> Session | None:
        """The session of this token. One known before survives a file that cannot be read."""
        key = _hash(token)
        session, checked_s = self._known.get(key, (None, 0.0))
        if session and time.monotonic() - checked_s < KNOWN_S:
            return session
        try:
            row = self._db.execute(
                "SELECT user, role, station FROM web_session WHERE token_sha256 = ?", (key,)
            ).fetchone()
        except sqlite3.OperationalError:
            return session
        if row is None:
            self._known.pop(key, None)
            return None
        session = Session(user=row[0], role=PersonRole(row[1]), station=row[2])
        self._known[key] = (session, time.monotonic())
        return session

    def revoke(self, token: str) -> None:
        """End this session; its token opens nothing any more."""
        self._known.pop(_hash(token), None)
        self._db.execute("DELETE FROM web_session WHERE token_sha256 = ?", (_hash(token),))

    def sign_out(self, token: str) -> str | None:
        """The person leaves; an enrolled station stays, as a display with a token of its own."""
        session = self.find(token)
        self.revoke(token)
        if session is None or not session.station:
            return None
        return self.issue(PersonRole.DISPLAY, station=session.station)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def _open(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    database = sqlite3.connect(path, timeout=0.2, isolation_level=None)
    try:
        database.execute(_TABLE)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
