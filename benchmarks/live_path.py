"""Last byte of a frame on the pty to a WebSocket client: the whole service beside a bare floor.

Both get the same flow-meter lines, in turn, ten a second each. The service is `hipec serve` with
core, journal and two process hops; the floor is one process that reads a pty and sends what it
read through uvicorn. Prints p50 and p99 of each, and their ratio: medians over the rounds.

    python benchmarks/live_path.py [--seconds 20] [--rounds 5]
"""

import argparse
import asyncio
import json
import os
import pty
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Sequence
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

LINE = "00 00 100 1.00 {flow:>7} {flow:>7} {flow:>7} +41\r\n"
PERIOD_S = 0.1
FIRST_FLOW, FLOWS = 1000, 3000
FLOOR = """
import asyncio, os, socket, sys, uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
clients = set()
async def live(websocket):
    await websocket.accept()
    clients.add(websocket)
    async for _ in websocket.iter_text():
        pass
async def main():
    fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    lines = asyncio.Queue()
    pending = bytearray()
    def readable():
        pending.extend(os.read(fd, 4096))
        while b"\\n" in pending:
            line, _, rest = bytes(pending).partition(b"\\n")
            pending[:] = rest
            lines.put_nowait(line.decode())
    asyncio.get_running_loop().add_reader(fd, readable)
    async def forward():
        while True:
            line = await lines.get()
            for client in clients:
                await client.send_text(line)
    forwarding = asyncio.create_task(forward())
    app = Starlette(routes=[WebSocketRoute("/live", live)])
    config = uvicorn.Config(app, port=int(sys.argv[2]), ws="websockets-sansio",
                            ws_per_message_deflate=False, log_level="error")
    await uvicorn.Server(config).serve()
asyncio.run(main())
"""
SITE = """
[room]
id = "bench"
mode = "test"
database = "sqlite:///{folder}/bench.db"
listen = "127.0.0.1:0"

[[device]]
name = "flow"
driver = "emtec_bioprott"
port = "{port}"
poll_hz = 10.0

[[channel]]
id = "flow"
device = "flow"
input = 1
role = "flow"
unit = "ml/min"
"""


class Meter:
    """A flow meter that speaks when told to."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)

    def say(self, flow: int) -> float:
        """Write one line; when its last byte was written (monotonic seconds)."""
        os.write(self.master, LINE.format(flow=flow).encode())
        return time.monotonic()


class Listener:
    """Notes when each flow arrives."""

    def __init__(self) -> None:
        self.arrived: dict[int, float] = {}

    async def service(self, socket: ClientConnection) -> None:
        """Follow the service's live messages."""
        async for text in socket:
            at = time.monotonic()
            message = json.loads(text)
            if message["type"] == "frame" and message["channels"]["flow"]["value"] is not None:
                self.arrived.setdefault(int(message["channels"]["flow"]["value"]), at)

    async def floor(self, socket: ClientConnection) -> None:
        """Follow the floor's bare lines."""
        async for text in socket:
            self.arrived.setdefault(int(str(text).split()[4]), time.monotonic())


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies (nearest rank)."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


async def one_round(meters: Sequence[Meter], listeners: Sequence[Listener], seconds: float,
                    start: int) -> list[list[float]]:  # fmt: skip
    """Milliseconds of every line that arrived, for each path, measured in turn."""
    said: list[dict[int, float]] = [{}, {}]
    for number in range(int(seconds / PERIOD_S)):
        flow = FIRST_FLOW + (start + number) % FLOWS
        for path, meter in enumerate(meters):
            said[path][flow] = meter.say(flow)
            await asyncio.sleep(PERIOD_S / len(meters))
    await asyncio.sleep(0.5)
    delays = []
    for path, listener in enumerate(listeners):
        arrived = listener.arrived
        delays.append([1000 * (arrived[f] - at) for f, at in said[path].items() if f in arrived])
        listener.arrived = {}
    return delays


def start_service(
    folder: Path, meter: Meter, role: str = "qa"
) -> tuple[subprocess.Popen[str], str, str]:
    """The process, its address and this role's token."""
    site = folder / "site.toml"
    site.write_text(SITE.format(folder=folder, port=meter.path))
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "serve", "--site", str(site)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = token = ""
    for line in process.stdout:
        if "served at" in line:
            address = line.split()[-1].rstrip("/")
        if line.split()[0] == role:
            token = line.split()[1]
            break
    return process, address.replace("http", "ws", 1) + "/api/live", token


def start_floor(meter: Meter) -> tuple[subprocess.Popen[bytes], str]:
    """The bare process and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", FLOOR, meter.path, str(port)])
    return process, f"ws://127.0.0.1:{port}/live"


async def connected(url: str, headers: dict[str, str]) -> ClientConnection:
    """A connection, tried until the server is there."""
    for _ in range(100):
        try:
            return await connect(url, additional_headers=headers)
        except OSError:
            await asyncio.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


async def measure(seconds: float, rounds: int) -> None:
    """Run all rounds and print the figures."""
    meters = [Meter(), Meter()]
    listeners = [Listener(), Listener()]
    with tempfile.TemporaryDirectory() as folder:
        service, live, token = start_service(Path(folder), meters[0])
        floor, bare = start_floor(meters[1])
        try:
            await rounds_of(meters, listeners, live, token, bare, seconds, rounds)
        finally:
            for process in (service, floor):
                process.terminate()
                process.wait()


async def rounds_of(meters: Sequence[Meter], listeners: Sequence[Listener], live: str, token: str,
                    bare: str, seconds: float, rounds: int) -> None:  # fmt: skip
    """Connect one client to each path and measure both, round after round."""
    sockets = [
        await connected(live, {"Authorization": f"Bearer {token}"}),
        await connected(bare, {}),
    ]
    tasks = [
        asyncio.create_task(listeners[0].service(sockets[0])),
        asyncio.create_task(listeners[1].floor(sockets[1])),
    ]
    await one_round(meters, listeners, 2.0, 0)
    figures: list[list[float]] = []
    lost: list[int] = []
    for number in range(rounds):
        delays = await one_round(meters, listeners, seconds, 100 + int(number * seconds * 10))
        lost += [int(seconds / PERIOD_S) - len(arrived) for arrived in delays]
        figures.append([percentile(d, share) for d in delays for share in (0.5, 0.99)])
        print("  service p50 {:.2f} p99 {:.2f} ms, floor p50 {:.2f} p99 {:.2f} ms"
              .format(*figures[-1]))  # fmt: skip
    service50, service99, floor50, floor99 = (
        statistics.median(column) for column in zip(*figures, strict=True)
    )
    print(f"byte on the pty -> WebSocket client, medians of {rounds} rounds of {seconds:g} s:")
    print(f"  service  p50 {service50:.2f} ms  p99 {service99:.2f} ms")
    print(f"  floor    p50 {floor50:.2f} ms  p99 {floor99:.2f} ms")
    print(f"  lines that did not arrive: {sum(lost)}")
    print(f"  ratio    p50 {service50 / floor50:.1f}  p99 {service99 / floor99:.1f}")
    for task in tasks:
        task.cancel()
    for connection in sockets:
        await connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    asyncio.run(measure(asked.seconds, asked.rounds))
