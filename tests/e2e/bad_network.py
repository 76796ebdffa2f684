"""A network between browser and room that can hang, drag or be cut: an HTTP proxy of few lines."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import sleep
from typing import Literal

Mood = Literal["well", "hangs", "drags", "cut"]
DRAG_S = 0.5
CHUNK = 65536


class BadNetwork:
    """Carries everything to one address, as its mood is: `hangs` swallows and closes nothing."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self.mood: Mood = "well"
        self._upstream = upstream
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def turn(self, mood: Mood) -> None:
        """From now on so; what was open breaks unless the network hangs or drags."""
        self.mood = mood
        if mood in ("well", "cut"):
            self._break()

    def close(self) -> None:
        self._listening.close()
        self._break()

    def _break(self) -> None:
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(browser,), daemon=True).start()

    def _carry(self, browser: socket.socket) -> None:
        with suppress(OSError), browser:
            if self.mood == "cut":
                return
            self._open.add(browser)
            first = browser.recv(CHUNK)
            with socket.create_connection(self._upstream) as room:
                self._open.add(room)
                if first.startswith(b"CONNECT "):
                    browser.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                else:
                    room.sendall(first)
                back = threading.Thread(target=self._pump, args=(room, browser), daemon=True)
                back.start()
                self._pump(browser, room)
                back.join()
                self._open -= {browser, room}

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if self.mood == "drags":
                    sleep(DRAG_S)
                if self.mood != "hangs":
                    sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def bad_network(upstream: tuple[str, int]) -> Iterator[BadNetwork]:
    network = BadNetwork(upstream)
    try:
        yield network
    finally:
        network.close()
