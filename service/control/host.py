"""What the control process notices of its own computer: the disk, and a changed configuration."""

import shutil
from collections.abc import Callable
from pathlib import Path

from service.core.changing import replace
from service.core.displays import CONFIGURATION, DISK
from service.core.events import HostNoticed
from service.core.model import Instant, Room
from service.core.state import State
from service.journal.replay import opened_with
from service.journal.rows import ROOM, JournalError
from service.journal.store import Store

LOW_MB = 500.0
"""A treatment's record takes some megabytes; so much is left for many (this project's figure)."""

LOOK_EVERY_S = 30.0


class Host:
    """Looks at the disk beside the site file now and then, and tells the core what changes."""

    def __init__(self, folder: Path, tell: Callable[[HostNoticed], None]) -> None:
        self._folder = folder
        self._tell = tell
        self._looked_s = -LOOK_EVERY_S

    def look(self, state: State, at: Instant, now_s: float) -> None:
        """Look when it is time to."""
        if now_s - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = now_s
        text = disk_text(self._folder)
        if bool(text) is not (DISK in state.host):
            self._tell(HostNoticed(at=at, what=DISK, text=text))


def disk_text(folder: Path) -> str:
    """What people must know of the disk; empty when there is room, or nobody can tell."""
    try:
        free_mb = shutil.disk_usage(folder).free / 1e6
    except OSError:
        return ""
    if free_mb >= LOW_MB:
        return ""
    return f"Disk nearly full: {free_mb:.0f} MB left where the record is kept"


def configuration(store: Store, room: Room, at: Instant) -> list[HostNoticed]:
    """What is configured otherwise than in the newest recorded session, as one event or none.

    A record of another version that cannot be read says nothing.
    """
    sessions = [chain for chain in store.chains() if chain != ROOM]
    try:
        before = opened_with(store, sessions[-1]).room if sessions else room
    except JournalError:
        return []
    apart = differences(before, replace(room, speed=before.speed))
    text = f"Configured otherwise than in the session before: {', '.join(apart)}"
    return [HostNoticed(at=at, what=CONFIGURATION, text=text)] if apart else []


def differences(before: Room, now: Room) -> list[str]:
    """The names of what differs: channels, devices, limits, the heater's power."""
    then = {one.id: one for one in before.channels} | {one.name: one for one in before.devices}
    new = {one.id: one for one in now.channels} | {one.name: one for one in now.devices}
    apart = [name for name in {**then, **new} if then.get(name) != new.get(name)]
    if before.limits != now.limits:
        apart.append("limits")
    if before.heater_max_w != now.heater_max_w:
        apart.append("heater power")
    return apart
