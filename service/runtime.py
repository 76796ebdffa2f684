"""Where a running room keeps its sockets and locks: one folder per site file, ours alone.

The folder outlives a supervisor that died, so that the next one finds the control process that is
still treating. A lock is held by its process for as long as that lives, and holds its number.
"""

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path

SUPERVISOR, CONTROL, WEB = "supervisor.lock", "control.lock", "web.lock"
BASES = ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR")
"""Set by systemd for a service, and for a person who is signed in; /tmp where there is neither."""


class RuntimeFolderError(OSError):
    """The folder cannot be used, or another process has the room; the sentence says which."""


def runtime_folder(site: Path) -> Path:
    """The folder of the room with this site file, made if needed, readable by its owner only."""
    base = next((Path(os.environ[name]) for name in BASES if os.environ.get(name)), None)
    if base is None:
        base = _private(Path(tempfile.gettempdir()) / f"hipec-{os.getuid()}")
    name = hashlib.sha256(bytes(site.absolute())).hexdigest()[:12]
    return _private(base / f"room-{name}")


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or not folder.is_dir():
        raise RuntimeFolderError(
            f"{folder} is not a folder of this user alone. Remove it or mend its rights (0700)."
        )
    return folder


class Lock:
    """A process's lock, held until it is released or the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises RuntimeFolderError when another process has it."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = holder_of(path)
            os.close(self._fd)
            raise RuntimeFolderError(
                f"This room is served already, by process {holder or 'unknown'} ({path.stem})."
            ) from None
        os.ftruncate(self._fd, 0)
        os.write(self._fd, str(os.getpid()).encode())

    def release(self) -> None:
        """Let another process take it."""
        os.close(self._fd)


def holder_of(path: Path) -> int | None:
    """The number of the process that holds a lock, None when nobody does."""
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(fd, 32, 0)
        return int(text) if text.isdigit() else None
    finally:
        os.close(fd)
    return None
