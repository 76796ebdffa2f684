"""How late the control process's ticks come while the web process is busy, and while it is not.

    PYTHONPATH=. python benchmarks/tick_lateness.py [SECONDS] [RUNS]

A room treats; in turns it is left alone and kept busy: fifty pages whose sockets are never read, a
90-minute session of 650,000 samples exported whole over and over by another process at the web
process's priority, and the web process killed each time that it has come back. Lateness is read
from the journal, where every tick has its stamp: how much later than its interval each came.
"""

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
from journal_session import CHAIN, record

from service.journal.store import open_writing
from tests.e2e.conftest import WARM
from tests.e2e.room import DemoRoom, client_of, demo_room
from tests.e2e.soak import ticks_ns

STALLED = 50
KILL_EVERY_S = 3.0
EXPORT = """
import shutil, sys
from pathlib import Path
from service.journal.store import open_reading
from service.records.export import export
store, out = open_reading(sys.argv[1]), Path(sys.argv[2])
while True:
    shutil.rmtree(export(store, sys.argv[3], out))
"""


@contextmanager
def exporting(url: str, out: Path) -> Iterator[None]:
    """Another process exports the session over and over."""
    process = subprocess.Popen([sys.executable, "-c", EXPORT, url, str(out), CHAIN])
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def stalled(room: DemoRoom) -> Iterator[None]:
    """Pages that open the live stream and never read it."""
    host, _, port = room.address.rpartition("/")[2].rpartition(":")
    sockets = [socket.create_connection((host, int(port))) for _ in range(STALLED)]
    asked = (
        f"GET /api/live HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Sec-WebSocket-Version: 13\r\nAuthorization: Bearer {room.tokens['qa']}\r\n\r\n"
    )
    for page in sockets:
        page.sendall(asked.encode())
    try:
        yield
    finally:
        for page in sockets:
            page.close()


@contextmanager
def crashing(room: DemoRoom) -> Iterator[None]:
    """The web process is killed whenever it has come back."""
    ended = threading.Event()

    def kill() -> None:
        while not ended.wait(KILL_EVERY_S):
            with suppress(AssertionError, ProcessLookupError, OSError):
                os.kill(room.pid("service.web"), signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def p99_ms(stamps_ns: np.ndarray, from_ns: int, to_ns: int) -> float:
    """The 99th percentile of the lateness of the ticks between two moments (ms)."""
    within = stamps_ns[(stamps_ns >= from_ns) & (stamps_ns < to_ns)]
    return float(np.percentile(np.maximum(np.diff(within) / 1e6 - 100.0, 0.0), 99))


def measure(room: DemoRoom, url: str, seconds: float, runs: int) -> list[tuple[int, int, int]]:
    """The beginning, middle and end of each run: first alone, then busy (monotonic ns)."""
    found = []
    for _ in range(runs):
        began = time.monotonic_ns()
        time.sleep(seconds)
        middle = time.monotonic_ns()
        with (
            tempfile.TemporaryDirectory() as out,
            stalled(room),
            exporting(url, Path(out)),
            crashing(room),
        ):
            time.sleep(seconds)
            ended = time.monotonic_ns()
        found.append((began, middle, ended))
        time.sleep(1.0)
    return found


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder, demo_room(1.0, WARM) as room:
        url = f"sqlite:///{folder}/large.db"
        with closing(open_writing(url)) as store:
            record(store, 90)
        with client_of(room) as client:
            client.until(lambda s: s["channels"]["inflow"]["value"], 60, "values")
            client.command("open_session", protocol="closed-mmc-90", height_cm=170, weight_kg=70)
            session = client.until(lambda s: s["session"], 60, "open")["session"]
        found = measure(room, url, seconds, runs)
        stamps_ns = ticks_ns(room.site, session)
    pairs = [(p99_ms(stamps_ns, a, b), p99_ms(stamps_ns, b, c)) for a, b, c in found]
    alone, busy = (statistics.median(values) for values in zip(*pairs, strict=True))
    print(f"tick lateness: median of {runs} interleaved runs of {seconds:g} s")
    print(f"  p99 alone {alone:.2f} ms, beside a busy web process {busy:.2f} ms")
    print("  each: " + ", ".join(f"{a:.1f}/{b:.1f}" for a, b in pairs))


if __name__ == "__main__":
    main()
