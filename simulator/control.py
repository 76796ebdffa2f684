"""The control channel: one Unix socket DIR/control, one JSON request and one answer per line."""

import json
import select
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simulator.actions import ActionError

NAME = "control"
LONGEST = 65536

Act = Callable[[Mapping[str, Any]], dict[str, Any]]


class ControlError(RuntimeError):
    """The room could not be asked, or refused; the text says why."""


def ask(directory: Path, request: Mapping[str, Any], *, timeout_s: float = 5.0) -> dict[str, Any]:
    """Ask the room served in `directory` and give its answer.

    The answer has "ok": true, or "ok": false and "error". Raises ControlError when no room
    answers there.
    """
    path = Path(directory) / NAME
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout_s)
            client.connect(str(path))
            client.sendall(json.dumps(request).encode() + b"\n")
            line = client.makefile("rb").readline()
    except OSError as error:
        raise ControlError(
            f"{path}: no simulated room answers there ({error.strerror or error}); start one with "
            f"hipec devices simulate --dir {directory}"
        ) from error
    if not line:
        raise ControlError(f"{path}: the room ended before it answered")
    answer: dict[str, Any] = json.loads(line)
    return answer


def answer(line: bytes, act: Act) -> dict[str, Any]:
    """The answer to one line: what `act` gives with "ok", or the error that it raised."""
    try:
        request = json.loads(line)
    except ValueError:
        return {"ok": False, "error": "a request must be one JSON object on one line"}
    if not isinstance(request, dict):
        return {"ok": False, "error": "a request must be a JSON object with a field do"}
    try:
        return {"ok": True, **act(request)}
    except ActionError as error:
        return {"ok": False, "error": str(error)}


class ControlSocket:
    """The listening side, on the room's epoll."""

    def __init__(self, directory: Path, epoll: select.epoll, act: Act) -> None:
        self._path = directory / NAME
        self._epoll = epoll
        self._act = act
        self._clients: dict[int, tuple[socket.socket, bytearray]] = {}
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        self._listener.listen()
        self._listener.setblocking(False)
        self._epoll.register(self._listener.fileno(), select.EPOLLIN)

    def close(self) -> None:
        """End all connections and take the socket away."""
        for fileno in list(self._clients):
            self._drop(fileno)
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def heard(self, fileno: int) -> None:
        """Accept a client, or answer the requests that one of them sent."""
        if fileno == self._listener.fileno():
            client, _ = self._listener.accept()
            client.setblocking(False)
            self._clients[client.fileno()] = (client, bytearray())
            self._epoll.register(client.fileno(), select.EPOLLIN)
        elif fileno in self._clients:
            self._serve(fileno)

    def _serve(self, fileno: int) -> None:
        client, pending = self._clients[fileno]
        try:
            data = client.recv(LONGEST)
            pending += data
            while b"\n" in pending:
                line, _, rest = bytes(pending).partition(b"\n")
                pending[:] = rest
                client.sendall(json.dumps(answer(line, self._act)).encode() + b"\n")
        except OSError:
            data = b""
        if not data or len(pending) > LONGEST:
            self._drop(fileno)

    def _drop(self, fileno: int) -> None:
        client, _ = self._clients.pop(fileno)
        self._epoll.unregister(fileno)
        client.close()
