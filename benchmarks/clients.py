"""Many WebSocket clients on one web process, beside a raw TCP floor in the same run.

(a) byte on the pty → 20 clients that read, one that never does, through the whole service; then the
real web process, fed by a control side that sends frames of eight probes ten times a second: (b)
processor time per message to 200 clients; (c) how many clients one core serves; (d) what one that
never reads costs the server and the others. The floor sends the same bytes with `socket.send`.
Server and clients are separate processes; in (b) to (d) the server (or the floor) stays on core 0,
the clients and what feeds the server on core 1.

    PYTHONPATH=. python benchmarks/clients.py [--seconds 10] [--rounds 3] [--parts abcd]
"""

import argparse
import asyncio
import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from feeding import CLIENTS, PERIOD_S, SERVER, Web, floor, on_core, rss_mb, web_process
from live_path import FIRST_FLOW, Meter, start_service
from reading import Figures, Heard, figures, listen, median

from tests.web.control_side import connect_and_never_read

STAMPED = rb'"type":"frame".*?"at_ns":(\d+)'
FLOW = rb'"type":"frame".*?"flow":\{"value":(\d+)'
FLOW_LINE = rb"^\S+ \S+ \S+ \S+ +(\d+)"


class Bench:
    """Starts the runs."""

    def __init__(self, seconds: float, rounds: int, folder: Path) -> None:
        self.seconds, self.rounds, self.folder = seconds, rounds, folder
        spawning = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(2, spawning)

    async def read(self, port: int, token: str, pattern: bytes, count: int, pid: int) -> Heard:
        """So many clients read for the time of a run."""
        asked = (port, token, pattern, count, self.seconds, pid)
        return await asyncio.get_running_loop().run_in_executor(self.pool, listen, *asked)

    async def room(self) -> None:
        """(a): the whole service and the floor, each with a flow meter of its own."""
        meters = [Meter(), Meter()]
        service, live, token = start_service(self.folder, meters[0])
        port = int(live.split(":")[2].split("/")[0])
        with open(meters[1].path, "rb") as line, floor(line.fileno()) as (bare, bare_port):
            try:
                stalled = await connect_and_never_read(f"http://127.0.0.1:{port}", token)
                said: list[dict[int, float]] = [{}, {}]
                speaking = asyncio.create_task(speak(meters, said))
                heard = await asyncio.gather(
                    self.read(port, token, FLOW, 20, service.pid),
                    self.read(bare_port, "", FLOW_LINE, 20, bare.pid),
                )
                speaking.cancel()
                stalled.close()
            finally:
                service.terminate()
                service.wait()
        ours, least = (figures(h, s, 20) for h, s in zip(heard, said, strict=True))
        row("a: byte on the pty -> 20 clients, and one that never reads", ours, least,
            "p50 <= 4 ms, p99 <= 15 ms, 0 lost")  # fmt: skip

    async def fan_out(self, web: Web, count: int) -> tuple[Figures, Figures]:
        """The web process and the floor in turn, serving so many clients; medians of the rounds."""
        ours, least = [], []
        for _ in range(self.rounds):
            heard = await self.read(web.port, web.token, STAMPED, count, web.pid)
            ours.append(figures(heard, web.feeder.said, count))
            with on_core(SERVER), floor() as (bare, port):
                web.feeder.floor = bare
                heard = await self.read(port, "", STAMPED, count, bare.pid)
                web.feeder.floor = None
            least.append(figures(heard, web.feeder.said, count))
        return median(ours), median(least)

    async def cost(self, web: Web) -> None:
        """(b): processor time per message to 200 clients."""
        ours, least = await self.fan_out(web, 200)
        row(f"b: 200 clients, server CPU per message {ours.cpu_us:.1f} us, floor "
            f"{least.cpu_us:.1f} us, ratio {ours.cpu_us / least.cpu_us:.1f}", ours, least,
            "ratio <= 3")  # fmt: skip

    async def most(self, web: Web) -> None:
        """(c): more and more clients, until the slowest hundredth waits 100 ms."""
        for count in (400, 800, 1600, 3200):
            ours, least = await self.fan_out(web, count)
            row(f"c: {count} clients at 10 Hz on one core", ours, least,
                "1,600 with p99 < 100 ms")  # fmt: skip
            if ours.p99_ms >= 100 or ours.lost:
                return

    async def stalled(self, web: Web) -> None:
        """(d): 20 clients without and with one that never reads, with 30 kB snapshots at 10 Hz."""
        web.feeder.big_snapshots = True
        alone = await self.read(web.port, web.token, STAMPED, 20, web.pid)
        before_mb = highest_mb = rss_mb(web.pid)
        client = await connect_and_never_read(f"http://127.0.0.1:{web.port}", web.token)
        reading = asyncio.create_task(self.read(web.port, web.token, STAMPED, 20, web.pid))
        while not reading.done():
            await asyncio.sleep(0.1)
            highest_mb = max(highest_mb, rss_mb(web.pid))
        client.close()
        web.feeder.big_snapshots = False
        ours = figures(await reading, web.feeder.said, 20)
        without = figures(alone, web.feeder.said, 20)
        row(f"d: 20 clients beside one that never reads, server grew by "
            f"{highest_mb - before_mb:.2f} MB", ours, without,
            "< 1 MB, the others as without it")  # fmt: skip


async def speak(meters: list[Meter], said: list[dict[int, float]]) -> None:
    """Each meter says another flow ten times a second, in turn."""
    for flow in range(FIRST_FLOW, 2 * FIRST_FLOW):
        for meter, when in zip(meters, said, strict=True):
            when[flow] = meter.say(flow)
            await asyncio.sleep(PERIOD_S / len(meters))


def row(what: str, ours: Figures, floor: Figures, wanted: str) -> None:
    print(f"| {what} | {ours} | beside it: {floor} | wanted: {wanted} |", flush=True)


async def main(seconds: float, rounds: int, parts: str) -> None:
    print(f"load {os.getloadavg()[0]:.1f}, median of {rounds} rounds in turn")
    with tempfile.TemporaryDirectory() as name:
        if "a" in parts:
            await Bench(seconds, rounds, Path(name)).room()
        with on_core(CLIENTS):
            bench = Bench(seconds, rounds, Path(name))
            of_web = {"b": bench.cost, "c": bench.most, "d": bench.stalled}
            if wanted := [of_web[part] for part in parts if part in of_web]:
                async with web_process(Path(name)) as web:
                    for measure in wanted:
                        await measure(web)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", default="abcd")
    asked = parser.parse_args()
    asyncio.run(main(asked.seconds, asked.rounds, asked.parts))
