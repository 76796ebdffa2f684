"""What the control process notices of its own computer: room on the disk, a changed configuration."""

import shutil
from pathlib import Path

from service.core.model import Room
from service.journal.rows import ROOM
from service.journal.store import Store

LOW_MB = 500.0
"""A treatment's record takes some megabytes; so much is left for many (this project's figure)."""


def disk_text(folder: Path) -> str:
    """What people must know of the disk; empty when there is room, or nobody can tell."""
    try:
        free_mb = shutil.disk_usage(folder).free / 1e6
    except OSError:
        return ""
    if free_mb >= LOW_MB:
        return ""
    return f"Disk nearly full: {free_mb:.0f} MB left where the record is kept"
