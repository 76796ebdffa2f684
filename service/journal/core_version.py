"""Which core it was: two programs with the same core version must give the same effects."""

import hashlib
from functools import cache
from pathlib import Path

_SERVICE = Path(__file__).parents[1]
_SCHEMA = _SERVICE.parent / "protocols" / "schema.py"


@cache
def core_version() -> str:
    """Sixteen hexadecimal digits over the core's source files and the protocol schema.

    A release number would not do: it stays the same while the code changes.
    """
    hashed = hashlib.sha256()
    for path in (*sorted((_SERVICE / "core").glob("*.py")), _SCHEMA):
        source = path.read_bytes()
        hashed.update(f"{path.name} {len(source)}\n".encode() + source)
    return hashed.hexdigest()[:16]
