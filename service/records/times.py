"""Times as other programs read them: ISO 8601 in UTC, to the nanosecond."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=1)
def utc_text(utc_ns: int) -> str:
    """Such as 2026-01-01T10:42:00.125000000Z; the number itself where that is no such time."""
    seconds, rest_ns = divmod(utc_ns, 10**9)
    try:
        second = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(utc_ns)
    return f"{second}.{rest_ns:09d}Z"
