"""A serial port, by path or as `socket://host:port`, and why one cannot be opened."""

import asyncio
import contextlib
import errno
import fcntl
import grp
import os
import select
import socket
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import serial as pyserial
from serial.tools import list_ports

from drivers.classes import Serial

READ_BYTES = 4096
PORTS_TOLD = 8
NETWORK = "socket://"
CONNECT_S = 5.0
OPENINGS = 3
GROUP_MAY = 0o060  # read and write


class LineLost(Exception):
    """The port is not there or went away; the text says what to do."""


class Port:
    """An open port: bytes in, bytes out, never waiting. Raises `LineLost` when it goes away.

    `lock` False opens a port that another process may hold, for making devices safe after it.
    """

    def __init__(self, path: str, settings: Serial, *, lock: bool = True) -> None:
        self.path = path
        with _told(path):
            self._end = _connect(path) if path.startswith(NETWORK) else _open(path, settings, lock)
        self.fd: int = self._end.fileno()

    def read(self) -> bytes:
        """What is there now; empty when nothing is."""
        try:
            data = os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LineLost(f"{self.path} went away ({error.strerror}); look at the cable") from None
        if not data and self._hung_up():
            raise LineLost(f"{self.path} went away; look at the cable and the adapter")
        return data

    def write(self, data: bytes) -> int:
        """Write what the port takes now; returns how many bytes it took."""
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise LineLost(f"{self.path} went away ({error.strerror}); look at the cable") from None

    def watch(self, arrived: Callable[[], None]) -> None:
        """Have the running event loop call `arrived` whenever there is something to read."""
        asyncio.get_running_loop().add_reader(self.fd, arrived)

    def unwatch(self) -> None:
        """Have it call nobody any more; before `close`."""
        asyncio.get_running_loop().remove_reader(self.fd)

    def close(self) -> None:
        """Close the port, whatever state it is in."""
        with contextlib.suppress(OSError, termios.error):
            self._end.close()

    def _hung_up(self) -> bool:
        """Whether reading nothing means the end: a tty at rest reads nothing, too."""
        if "://" in self.path:
            return True
        poll = select.poll()
        poll.register(self.fd, 0)
        return bool(poll.poll(0))


def _open(path: str, settings: Serial, lock: bool) -> pyserial.Serial:
    """Open by pyserial, anew when another program set the same pty at the same moment."""
    for _ in range(OPENINGS - 1):
        try:
            return _open_once(path, settings, lock)
        except termios.error as error:
            if error.args[0] != errno.EINVAL:
                raise
    return _open_once(path, settings, lock)


def _open_once(path: str, settings: Serial, lock: bool) -> pyserial.Serial:
    if "://" not in path:
        _arm(path, lock)
    port: pyserial.Serial = pyserial.serial_for_url(
        path,
        baudrate=settings.baud,
        bytesize=settings.bytesize,
        parity=settings.parity,
        stopbits=settings.stopbits,
        timeout=0,
        exclusive=True if lock else None,
    )
    # USB adapters otherwise hold bytes back for 16 ms; ptys have no such switch.
    with contextlib.suppress(AttributeError, NotImplementedError, ValueError, OSError):
        port.set_low_latency_mode(True)
    return port


def _connect(path: str) -> socket.socket:
    """A serial server's port. pyserial's own would stand still for 0.3 s whenever it is closed,
    and would stay open after a reset."""
    server = urlsplit(path)
    if not server.hostname or not server.port:
        raise ValueError("a serial server is named socket://host:port")
    end = socket.create_connection((server.hostname, server.port), timeout=CONNECT_S)
    end.setblocking(False)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return end


def _arm(path: str, lock: bool) -> None:
    """Set another speed before the port is opened for use, and keep DTR as it is on closing.

    On a pty `tcsetattr` fails with EINVAL where nothing changes, and a pty cannot keep parity: the
    second opening as 7E1 would fail. A change of speed always takes effect.
    """
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        if lock:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        attributes = termios.tcgetattr(fd)
        attributes[2] &= ~termios.HUPCL
        attributes[4] = attributes[5] = termios.B50
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
    finally:
        os.close(fd)


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except termios.error as error:
        code = error.args[0] if error.args else None
        raise LineLost(_why(path, code, str(error))) from None
    except OSError as error:
        raise LineLost(_why(path, error.errno, str(error))) from None
    except ValueError as error:
        raise LineLost(f"{path} cannot be opened ({error})") from None


def _why(path: str, code: int | None, text: str) -> str:
    if "://" in path:
        return f"{path} does not answer ({text}); look at the serial server and the network"
    match code:
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return f"there is no port {path}; {_present()}"
        case errno.EACCES | errno.EPERM:
            return f"{path} may not be opened; {_admission(path)}"
        case errno.EWOULDBLOCK | errno.EBUSY:
            return f"{path} is in use by {_holder(path)}; end that program first"
        case errno.ENOTTY | errno.EISDIR:
            return f"{path} is not a serial port"
        case _:
            return f"{path} cannot be opened ({text})"


def _present() -> str:
    by_id = Path("/dev/serial/by-id")
    found = sorted(map(str, by_id.iterdir())) if by_id.is_dir() else []
    found = found or sorted(port.device for port in list_ports.comports())
    return f"present are {', '.join(found[:PORTS_TOLD])}" if found else "no serial port is present"


def _admission(path: str) -> str:
    """What lets a user open this port: its group, where that may read and write; else a rule."""
    status = os.stat(path)
    if status.st_mode & GROUP_MAY != GROUP_MAY:
        return (
            f"its mode {status.st_mode & 0o777:04o} lets no group open it: give it to a group by a "
            'udev rule (GROUP="dialout", MODE="0660"), and add the user to that group'
        )
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    return (
        f"add the service's user to the group {group} (usermod -aG {group} USER), then log in or "
        "start the service anew"
    )


def _holder(path: str) -> str:
    """Who holds the lock on a port, from the kernel's list of locks."""
    with contextlib.suppress(OSError, IndexError):
        inode = str(os.stat(path).st_ino)
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5].split(":")[-1] == inode:
                name = Path(f"/proc/{fields[4]}/comm").read_text().strip()
                return f"{name} (process {fields[4]})"
    return "another program"
