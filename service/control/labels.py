"""Labels of time in messages."""

from datetime import UTC, datetime


def utc(utc_ns: int) -> str:
    """A UTC label to the millisecond, as every message has it."""
    at = datetime.fromtimestamp(utc_ns / 1e9, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
