"""Ptys behind stable link names: bytes paced at each line's baud rate, cables that can be pulled.

A pty has no baud rate and no parity. So each byte is held back until a real line would have
carried it, in both directions.

A kernel keeps no parity on a pty, and glibc reports a `tcsetattr` of which nothing took effect as
EINVAL: the second opening of a 7E1 port would fail. So a 7E1 port's speed is set to 50 baud soon
after each client's own setting, and the next one has something to change. "Soon" is 0.3 ms: at
once would hit the client between its setting and glibc's reading back. What remains is a client
that sets the port twice within that time, which no simulator can mend.
"""

import contextlib
import errno
import fcntl
import os
import select
import struct
import termios
import tty
from pathlib import Path

from simulator.faults import Line
from simulator.wire import Wire

TIOCPKT = 0x5420
EXTPROC = 0x10000
DATA = 0
REARM_S = 0.0003
CHUNK = 4096
LOCAL_FLAGS, IN_SPEED, OUT_SPEED = 3, 4, 5
WATCHED = select.EPOLLIN | select.EPOLLPRI | select.EPOLLHUP | select.EPOLLET


class Port:
    """One line's pty. Times are monotonic seconds; `speed` shortens the time on the wire."""

    def __init__(self, line: Line, link: Path, epoll: select.epoll, *, speed: float) -> None:
        self.line = line
        self.link = link
        self._epoll = epoll
        self._wire = Wire((line,), speed=speed)
        self._path = ""
        serial = line.instrument.serial
        self._needs_rearm = (serial.data_bits, serial.parity) != (8, "N")
        self._master: int | None = None

    @property
    def fileno(self) -> int | None:
        """The descriptor that the epoll reports; None while the cable is pulled."""
        return self._master

    def plug(self) -> None:
        """Open a new pty in raw mode and put it behind the link, in one step for who looks."""
        master, slave = self._open_pty()
        tty.setraw(slave)
        self._path = os.ttyname(slave)
        os.set_blocking(master, False)
        # Packet mode tells the master of a client's every tcsetattr, through EXTPROC.
        fcntl.ioctl(master, TIOCPKT, struct.pack("i", 1))
        self._master = master
        self._client = False
        self._wire.plug()
        self._rearm_s: float | None = None
        self._rearm()
        os.close(slave)
        self._epoll.register(master, WATCHED)
        fresh = self.link.with_name(f".{self.link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self._path)
        fresh.replace(self.link)

    def unplug(self) -> None:
        """Take the link away and hang up: a connected client sees EIO or end of file."""
        if self._master is None:
            return
        self.link.unlink(missing_ok=True)
        self._epoll.unregister(self._master)
        os.close(self._master)
        self._master = None

    def follow_cable(self) -> None:
        """Plug in or pull out as the line's faults say."""
        if self.line.plugged and self._master is None:
            self.plug()
        elif not self.line.plugged:
            self.unplug()

    def heard(self, now_s: float) -> None:
        """Take what the host wrote, and see whether one is connected at all."""
        if self._master is None:
            return
        while chunk := self._read():
            if chunk[0] == DATA:
                self._wire.hear(chunk[1:], now_s)
            elif self._needs_rearm:
                self._rearm_s = now_s + REARM_S
        self.look()

    def look(self) -> None:
        """See whether a client has the port open; once it has left, its unread bytes go too."""
        if self._master is None:
            return
        poll = select.poll()
        poll.register(self._master, 0)
        connected = not any(event & select.POLLHUP for _, event in poll.poll(0))
        if self._client and not connected:
            self._rearm()
            self._wire.leave()
            self._discard_unread()
        self._client = connected

    def run(self, now_s: float) -> None:
        """Do everything that is due: requests that arrived, lines pushed, bytes through."""
        if self._master is None:
            return
        if self._rearm_s is not None and now_s >= self._rearm_s:
            self._rearm()
        ready = self._wire.run(now_s)
        if ready and not self._client:
            self.look()
        if ready and self._client and self._master is not None:
            # A client that does not read loses bytes, as a full receive buffer does.
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, ready)

    def tick(self, now_s: float) -> None:
        """Let the instrument say what it says unasked."""
        self._wire.tick(now_s)

    def next_s(self) -> float:
        """When `run` has something to do again."""
        if self._master is None:
            return float("inf")
        rearm_s = float("inf") if self._rearm_s is None else self._rearm_s
        return min(rearm_s, self._wire.next_s())

    def _open_pty(self) -> tuple[int, int]:
        """A new pty, under another name than the last one where the line's fault says so."""
        master, slave = os.openpty()
        if self.line.renamed and os.ttyname(slave) == self._path:
            # A kernel gives the lowest free name; while this one is held, it gives another.
            held = (master, slave)
            master, slave = os.openpty()
            for fd in held:
                os.close(fd)
        return master, slave

    def _read(self) -> bytes:
        """One packet from the pty: a status byte, or a zero and data; nothing when it is empty."""
        assert self._master is not None
        try:
            return os.read(self._master, CHUNK)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return b""

    def _discard_unread(self) -> None:
        slave = os.open(self._path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        termios.tcflush(slave, termios.TCIFLUSH)
        os.close(slave)

    def _rearm(self) -> None:
        """Set 50 baud, so that the next opening has something to change."""
        assert self._master is not None
        self._rearm_s = None
        flags = termios.tcgetattr(self._master)
        # Setting what is set already would report itself, and so never end.
        if flags[OUT_SPEED] == termios.B50 and flags[LOCAL_FLAGS] & EXTPROC:
            return
        flags[LOCAL_FLAGS] |= EXTPROC
        flags[IN_SPEED] = flags[OUT_SPEED] = termios.B50
        termios.tcsetattr(self._master, termios.TCSANOW, flags)


class Bus:
    """All ports of a room, in one directory, on one epoll."""

    def __init__(self, lines: dict[str, Line], directory: Path, *, speed: float) -> None:
        self.epoll = select.epoll()
        self.ports = [
            Port(line, directory / name, self.epoll, speed=speed) for name, line in lines.items()
        ]

    def open(self) -> None:
        """Plug in every port whose cable is not pulled."""
        self.follow_cables()

    def close(self) -> None:
        """Take every link away and hang up."""
        for port in self.ports:
            port.unplug()
        self.epoll.close()

    def follow_cables(self) -> None:
        """Plug in and pull out as the faults of each line say."""
        for port in self.ports:
            port.follow_cable()

    def heard(self, fileno: int, now_s: float) -> bool:
        """Serve the port of this descriptor; False when it is none of ours."""
        for port in self.ports:
            if port.fileno == fileno:
                port.heard(now_s)
                return True
        return False

    def run(self, now_s: float) -> None:
        """Do everything that is due on every port."""
        for port in self.ports:
            if port.next_s() <= now_s:
                port.run(now_s)

    def tick(self, now_s: float) -> None:
        """Look for clients that came or went silently, and let instruments speak unasked."""
        for port in self.ports:
            port.look()
            port.tick(now_s)

    def next_s(self) -> float:
        """When `run` has something to do again."""
        return min(port.next_s() for port in self.ports)
