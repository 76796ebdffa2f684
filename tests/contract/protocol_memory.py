"""`memory://NAME` for pyserial: a port whose cable ends at a simulated wire in this process.

pyserial finds it by this module's name (its documented way to add kinds of ports), so that the
project's own port opens it as it opens any other.
"""

import socket

import serial

from simulator.wire import Wire

serial.protocol_handler_packages.append("tests.contract")
CHUNK = 65536


class Plug:
    """The instruments' end of a memory port. `writes` are when the host wrote what."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.writes: list[tuple[float, bytes]] = []
        self._end: socket.socket | None = None

    def connect(self) -> socket.socket:
        """A host opens the port."""
        if not self.wire.cable.plugged:
            raise serial.SerialException(2, "no cable is plugged in")
        self.hang_up()
        self._end, host = socket.socketpair()
        self._end.setblocking(False)
        host.setblocking(False)
        self.wire.plug()
        return host

    def run(self, now_s: float) -> None:
        """Carry what is due, and follow the cable."""
        if not self.wire.cable.plugged:
            self.hang_up()
        if self._end is None:
            return
        self._hear(now_s)
        ready = self.wire.run(now_s)
        if ready and self._end is not None:
            self._end.send(ready)

    def next_s(self) -> float:
        return float("inf") if self._end is None else self.wire.next_s()

    def sent_s(self, data: bytes, after_s: float) -> float:
        """When the host next wrote exactly this."""
        return next(at_s for at_s, one in self.writes if one == data and at_s >= after_s)

    def say(self, data: bytes) -> None:
        """Put bytes on the wire that no instrument sent."""
        assert self._end is not None
        self._end.send(data)

    def hang_up(self) -> None:
        if self._end is not None:
            self._end.close()
            self._end = None

    def _hear(self, now_s: float) -> None:
        assert self._end is not None
        try:
            data = self._end.recv(CHUNK)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if data:
            self.writes.append((now_s, data))
            self.wire.hear(data, now_s)
        else:
            self.wire.leave()
            self.hang_up()


PLUGS: dict[str, Plug] = {}
"""The memory ports that there are now, by their address."""


class Serial:
    """What pyserial makes of `memory://NAME`."""

    def __init__(self, port: None, *args: object, **kwargs: object) -> None:
        self.port = ""
        self._host: socket.socket | None = None

    def open(self) -> None:
        if self.port not in PLUGS:
            raise serial.SerialException(2, f"there is no port {self.port}")
        self._host = PLUGS[self.port].connect()

    def fileno(self) -> int:
        assert self._host is not None
        return self._host.fileno()

    def close(self) -> None:
        if self._host is not None:
            self._host.close()
            self._host = None
