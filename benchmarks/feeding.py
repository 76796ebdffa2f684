"""What the clients are fed by: the web process with a control side, and a raw TCP floor.

No program: `clients.py` starts it.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

from service.core.model import PersonRole
from service.wire import pack
from tests.web.conftest import issue, settings_in
from tests.web.control_side import ControlSide, envelope, frame, state

PERIOD_S = 0.1
CORES, SERVER, CLIENTS = os.sched_getaffinity(0), 0, 1
PROBES = {f"probe_{n}": frame()["channels"]["pelvis"] for n in range(8)}
FLOOR = """
import os, selectors, socket, struct
look = selectors.DefaultSelector()
door = socket.create_server(("127.0.0.1", 0), backlog=4096)
look.register(door, selectors.EVENT_READ)
look.register(0, selectors.EVENT_READ)
print(door.getsockname()[1], flush=True)
clients, pending = [], b""
while True:
    for key, _ in look.select():
        if key.fileobj is door:
            client = door.accept()[0]
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.sendall(b"HTTP/1.1 101 Floor\\r\\n\\r\\n")
            clients.append(client)
            continue
        *lines, pending = (pending + os.read(0, 65536)).split(b"\\n")
        for line in lines:
            framed = struct.pack(">BBH", 0x81, 126, len(line)) + line
            for client in clients:
                client.send(framed)
"""


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


class Feeder(ControlSide):
    """A control side that says a frame ten times a second and a heartbeat each second."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.said: dict[int, float] = {}
        self.floor: subprocess.Popen[bytes] | None = None
        self.big_snapshots = False

    async def _heartbeats(self) -> None:
        begun = time.monotonic()
        for number in range(sys.maxsize):
            if "main" in self.writers:
                self._feed(number)
            await asyncio.sleep(max(0.0, begun + (number + 1) * PERIOD_S - time.monotonic()))

    def _feed(self, number: int) -> None:
        now_ns = time.monotonic_ns()
        body = frame() | {"at_ns": now_ns, "channels": PROBES}
        packed = pack(envelope(self.seq, "frame") | body)
        self.said[now_ns] = now_ns / 1e9
        self.writers["main"].write(packed)
        if number % 10 == 0:
            self.say("heartbeat", processed=number)
        if self.big_snapshots:
            self.say("snapshot", state=state() | {"title": "x" * 30_000})
        if self.floor and self.floor.stdin:
            self.floor.stdin.write(packed[4:] + b"\n")
            self.floor.stdin.flush()


@contextmanager
def floor(feed: int | None = None) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The raw fan-out and its port; it sends each line of its input (default: a pipe)."""
    command = [sys.executable, "-c", FLOOR]
    stdin = subprocess.PIPE if feed is None else feed
    process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


class Web(NamedTuple):
    """A running web process, what feeds it, and a token that may look."""

    port: int
    pid: int
    token: str
    feeder: Feeder


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started within runs on this core alone, where there is more than one."""
    before = os.sched_getaffinity(0)
    if core in CORES:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@asynccontextmanager
async def web_process(folder: Path) -> AsyncIterator[Web]:
    """The web process kept on core 0, fed by a control side."""
    settings = settings_in(folder)
    token = issue(settings, PersonRole.PERFUSIONIST)
    feeder = Feeder(settings.socket)
    await feeder.start()
    with on_core(SERVER):
        process = subprocess.Popen(
            [sys.executable, "-m", "service.web"],
            env=os.environ | {"HIPEC_WEB": settings.model_dump_json()},
            stdout=subprocess.PIPE,
        )
    assert process.stdout
    try:
        said = await asyncio.to_thread(process.stdout.readline)
        port = int(json.loads(said)["ready"].rpartition(":")[2])
        yield Web(port, process.pid, token, feeder)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)
        while feeder.writers:  # both lanes end with the process
            await asyncio.sleep(0.01)
        await feeder.stop()
