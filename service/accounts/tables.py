"""The tables of accounts as this program reads and writes them; the journal's migrations make them.

Tokens and codes are 256-bit random and stored as their SHA-256 only. Times are UTC seconds.
"""

import hashlib
import secrets

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, String, Table

metadata = MetaData()
people = Table(
    "people",
    metadata,
    Column("name", String, primary_key=True),
    Column("folded", String, nullable=False, unique=True),
    Column("role", String, nullable=False),
    Column("password", String),
    Column("disabled", Boolean, nullable=False),
)
enrolments = Table(
    "enrolments",
    metadata,
    Column("token_sha256", String, primary_key=True),
    Column("station", String, nullable=False),
    Column("room", String, nullable=False),
    Column("role", String, nullable=False),
    Column("enrolled_utc", Float, nullable=False),
    Column("expires_utc", Float),
)
sign_ins = Table(
    "sign_ins",
    metadata,
    Column("token_sha256", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("station", String, nullable=False),
    Column("program", Boolean, nullable=False),
    Column("issued_utc", Float, nullable=False),
    Column("seen_utc", Float, nullable=False),
    Column("expires_utc", Float, nullable=False),
)
codes = Table(
    "codes",
    metadata,
    Column("code_sha256", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("station", String, nullable=False),
    Column("role", String, nullable=False),
    Column("expires_utc", Float, nullable=False),
)
failures = Table(
    "failures",
    metadata,
    Column("subject", String, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("until_utc", Float, nullable=False),
    Column("last_utc", Float, nullable=False),
)


def new_token() -> str:
    """A token or code that nobody can guess: 256 bits."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
