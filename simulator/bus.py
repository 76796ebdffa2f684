"""Ptys behind stable link names: bytes paced at each line's baud rate, cables that can be pulled.

A pty has no baud rate and no parity. So each byte is held back until a real line would have
carried it, in both directions.

A kernel keeps no parity on a pty, and glibc reports a `tcsetattr` of which nothing took effect as
EINVAL: the second opening of a 7E1 port would fail. So a 7E1 port's speed is set to 50 baud soon
after each client's own setting, and the next one has something to change. "Soon" is 0.3 ms: at
once would hit the client between its setting and glibc's reading back. What remains is a client
that sets the port twice within that time, which no simulator can mend.
"""

import errno
import fcntl
import os
import select
import struct
import termios
import tty
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from simulator.devices.instrument import Send
from simulator.faults import Line

TIOCPKT = 0x5420
EXTPROC = 0x10000
DATA = 0
PACE_S = 0.004
REARM_S = 0.0003
CHUNK = 4096
LOCAL_FLAGS, IN_SPEED, OUT_SPEED = 3, 4, 5
WATCHED = select.EPOLLIN | select.EPOLLPRI | select.EPOLLHUP | select.EPOLLET


@dataclass(slots=True)
class Transfer:
    """Bytes on the wire from the instrument; each is through `byte_s` after the one before."""

    data: bytes
    start_s: float
    byte_s: float
    sent: int = 0

    @property
    def end_s(self) -> float:
        """When the last byte is through."""
        return self.start_s + len(self.data) * self.byte_s

    def take(self, now_s: float) -> bytes:
        """The bytes that have come through by now and were not yet taken."""
        through = len(self.data)
        if now_s < self.end_s:
            through = max(self.sent, int((now_s - self.start_s) / self.byte_s + 1e-6))
        taken = self.data[self.sent : through]
        self.sent = through
        return taken


@dataclass(frozen=True, slots=True)
class Arriving:
    """Bytes on the wire from the host; the instrument gets them when the last one is through."""

    data: bytes
    sent_s: float
    end_s: float


class Port:
    """One line's pty. Times are monotonic seconds; `speed` shortens the time on the wire."""

    def __init__(self, line: Line, link: Path, epoll: select.epoll, *, speed: float) -> None:
        self.line = line
        self.link = link
        self._epoll = epoll
        self._byte_s = line.instrument.serial.byte_s / speed
        serial = line.instrument.serial
        self._needs_rearm = (serial.data_bits, serial.parity) != (8, "N")
        self._master: int | None = None

    @property
    def fileno(self) -> int | None:
        """The descriptor that the epoll reports; None while the cable is pulled."""
        return self._master

    def plug(self) -> None:
        """Open a new pty in raw mode and put it behind the link, in one step for who looks."""
        master, slave = os.openpty()
        tty.setraw(slave)
        self._path = os.ttyname(slave)
        os.set_blocking(master, False)
        # Packet mode tells the master of a client's every tcsetattr, through EXTPROC.
        fcntl.ioctl(master, TIOCPKT, struct.pack("i", 1))
        self._master = master
        self._client = False
        self._incoming: deque[Arriving] = deque()
        self._outgoing: deque[Transfer] = deque()
        self._heard_until_s = self._spoken_until_s = self._woke_s = float("-inf")
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
                self._take(chunk[1:], now_s)
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
            self._outgoing.clear()
            self._discard_unread()
        self._client = connected

    def run(self, now_s: float) -> None:
        """Do everything that is due: requests that arrived, lines pushed, bytes through."""
        if self._master is None:
            return
        if self._rearm_s is not None and now_s >= self._rearm_s:
            self._rearm()
        while self._incoming and self._incoming[0].end_s <= now_s:
            arrived = self._incoming.popleft()
            answers = self.line.receive(
                arrived.data, arrived.end_s, sent_s=arrived.sent_s, byte_s=self._byte_s
            )
            self._queue(answers, arrived.end_s)
        due_s = self.line.due_s()
        if due_s is not None and due_s <= now_s:
            self.tick(now_s)
        self._speak(now_s)

    def tick(self, now_s: float) -> None:
        """Let the instrument say what it says unasked."""
        self._queue(self.line.tick(now_s), now_s)

    def next_s(self) -> float:
        """When `run` has something to do again."""
        if self._master is None:
            return float("inf")
        times = [self._incoming[0].end_s] if self._incoming else []
        if self._outgoing:
            head = self._outgoing[0]
            times.append(min(head.end_s, max(self._woke_s, head.start_s) + PACE_S))
        due_s = self.line.due_s()
        times += [each for each in (self._rearm_s, due_s) if each is not None]
        return min(times, default=float("inf"))

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

    def _take(self, data: bytes, now_s: float) -> None:
        end_s = max(now_s, self._heard_until_s) + len(data) * self._byte_s
        self._heard_until_s = end_s
        self._incoming.append(Arriving(data, now_s, end_s))

    def _queue(self, sends: list[Send], after_s: float) -> None:
        for send in sends:
            start_s = max(after_s + send.delay_s, self._spoken_until_s)
            transfer = Transfer(send.data, start_s, self._byte_s)
            self._spoken_until_s = transfer.end_s
            self._outgoing.append(transfer)

    def _speak(self, now_s: float) -> None:
        """Put the bytes on the pty that are through; nobody keeps them when nobody listens."""
        self._woke_s = now_s
        ready = b""
        while self._outgoing and self._outgoing[0].start_s <= now_s:
            ready += self._outgoing[0].take(now_s)
            if now_s < self._outgoing[0].end_s:
                break
            self._outgoing.popleft()
        if ready and not self._client:
            self.look()
        if ready and self._client and self._master is not None:
            # A client that does not read loses bytes, as a full receive buffer does.
            try:
                os.write(self._master, ready)
            except BlockingIOError:
                return

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
