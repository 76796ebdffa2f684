"""What a serial round trip costs this computer, and whether instruments slow each other.

    python benchmarks/serial_round_trip.py [ROUNDS] [SECONDS]

First: one question and its answer (a tM-TH8's, 8 and 21 bytes) through the line, turn, echo check,
framing and check sum included, beside a bare os.write and os.read on the same pty, 20 by 20. A
process of its own answers at once, so that what is measured is this computer, not the wire.

Second: all instruments of a simulated room polled in parallel, their bytes paced as on real wires,
each at its own rate, without and with one more instrument that takes 0.25 s for every answer.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from drivers import modbus
from drivers.classes import Polled, Serial
from drivers.dialogue import Ask, Dialogue
from drivers.line import Line, Lines
from drivers.link import Link
from drivers.registry import make_driver
from service.core.model import Instant
from simulator.control import ask

QUESTION = bytes.fromhex("01 04 00 00 00 08 f1 cc")
ANSWER = bytes.fromhex("01 04 10 0e 80 10 09 10 5e 10 86 10 5c 0e 6f 80 00 7f ff e3 4a")
FRAME = modbus.read_reply(1, modbus.INPUTS, 8)
BLOCKS, WARM_UP, AT_ONCE = 8, 200, 20
WANTED_RATIO, WANTED_HZ = 4.0, 5.0
ROOM: Mapping[str, tuple[str, float, Mapping[str, Any]]] = {
    "circuit": ("icpdas_tm_th8", 5.0, {}),
    "sites": ("icpdas_tm_th8", 5.0, {}),
    "pump": ("watson_marlow", 2.0, {}),
    "heater": ("julabo", 1.0, {}),
    "pressure": ("keller_33x", 5.0, {"addresses": [1, 2]}),
    "flow": ("emtec_bioprott", 10.0, {}),
}
SLOW = "heater"
SLOW_S = 0.25


def now() -> Instant:
    return Instant(mono_ns=time.monotonic_ns(), utc_ns=time.time_ns())


@contextmanager
def answering() -> Iterator[str]:
    """The path of a pty behind which another process answers everything at once."""
    master, slave = os.openpty()
    tty.setraw(slave)
    child = os.fork()
    if child == 0:
        while os.read(master, 64):
            os.write(master, ANSWER)
        os._exit(0)
    try:
        yield os.ttyname(slave)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(master)
        os.close(slave)


def bare(port: int, rounds: int) -> Iterator[float]:
    for _ in range(rounds):
        started = time.perf_counter_ns()
        os.write(port, QUESTION)
        heard = b""
        while len(heard) < len(ANSWER):
            heard += os.read(port, 64)
        yield (time.perf_counter_ns() - started) / 1e3


async def through(line: Line, rounds: int) -> list[float]:
    walls_us = []
    for _ in range(rounds):
        started = time.perf_counter_ns()
        await line.run(asked())
        walls_us.append((time.perf_counter_ns() - started) / 1e3)
    return walls_us


async def in_turns(path: str, rounds: int) -> dict[str, list[float]]:
    """Few of the one, few of the other: what else the computer does meets both alike."""
    line = Lines(now).line(path, Serial(baud=115200))
    await line.open("benchmark")
    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    walls_us: dict[str, list[float]] = {"bare": [], "line": []}
    for _ in range(rounds // AT_ONCE):
        walls_us["bare"] += bare(port, AT_ONCE)
        walls_us["line"] += await through(line, AT_ONCE)
    os.close(port)
    line.close("benchmark")
    return walls_us


def asked() -> Dialogue[bytes]:
    reply = yield Ask(tx=QUESTION, reply=FRAME)
    return reply.data


def round_trips(rounds: int) -> None:
    found: dict[str, list[tuple[float, float]]] = {"bare": [], "line": []}
    with answering() as path:
        asyncio.run(in_turns(path, WARM_UP))
        for _ in range(BLOCKS):
            for way, walls_us in asyncio.run(in_turns(path, rounds)).items():
                cut = statistics.quantiles(walls_us, n=100)
                found[way].append((cut[49], cut[98]))
    print(f"serial round trip: {BLOCKS} runs of {rounds} each way, medians over the runs")
    for index, what in enumerate(("wall p50", "wall p99")):
        bare_us, line_us = (statistics.median(run[index] for run in found[way]) for way in found)
        ratios = [line[index] / base[index] for base, line in zip(*found.values(), strict=True)]
        print(
            f"  {what:<9}  line {line_us:7.0f} µs, bare {bare_us:7.0f} µs, "
            f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    print(f"  wanted: ratio at most {WANTED_RATIO:g}")


@contextmanager
def simulated(directory: Path) -> Iterator[Path]:
    room = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "devices", "simulate", "--dir", str(directory)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert room.stdout is not None
    for line in room.stdout:
        if line.strip() == "ready":
            break
    try:
        yield directory
    finally:
        room.terminate()
        room.wait()


async def poll_all(ports: Mapping[str, Path], seconds: float) -> dict[str, list[float]]:
    """Per instrument the seconds at which a poll was complete."""
    lines, links = Lines(now), []
    at_s: dict[str, list[float]] = {name: [] for name in ports}

    def note(name: str, polled: Polled) -> None:
        at_s[name].append(polled.at.mono_ns / 1e9)

    for name, port in ports.items():
        kind, poll_hz, settings = ROOM[SLOW if name == "slow" else name]
        driver = make_driver(kind, settings)
        links.append(
            Link(
                name=name,
                driver=driver,
                line=lines.line(str(port), driver.serial),
                poll_hz=poll_hz,
                on_frame=lambda polled, name=name: note(name, polled),
                on_link=lambda *told: None,
                on_done=lambda *told: None,
            )
        )
    for link in links:
        link.start()
    await asyncio.sleep(3.0)
    for times_s in at_s.values():
        times_s.clear()
    await asyncio.sleep(seconds)
    for link in links:
        await link.close()
    return at_s


def tell(title: str, at_s: Mapping[str, list[float]]) -> dict[str, float]:
    """Print how often each instrument was read; the rates in Hz."""
    print(f"room polled in parallel, {title}")
    rates_hz = {}
    for name, times_s in at_s.items():
        gaps_ms = [1e3 * (late - early) for early, late in pairwise(times_s)]
        if len(gaps_ms) < 2:
            print(f"  {name:<9} {len(times_s)} polls")
            continue
        cut = statistics.quantiles(gaps_ms, n=100)
        rates_hz[name] = rate_hz = 1e3 / statistics.mean(gaps_ms)
        print(f"  {name:<9} {rate_hz:5.2f} Hz, gap p50 {cut[49]:6.1f} ms, p99 {cut[98]:6.1f} ms")
    return rates_hz


def whole_room(seconds: float) -> None:
    with TemporaryDirectory() as folder, simulated(Path(folder) / "room") as room:
        ports = {name: room / name for name in ROOM}
        alone_hz = tell("alone", asyncio.run(poll_all(ports, seconds)))
        with simulated(Path(folder) / "slow") as slow:
            fault = {"do": "fault", "device": SLOW, "fault": "late", "value": SLOW_S}
            assert ask(slow, fault)["ok"]
            more = ports | {"slow": slow / SLOW}
            slow_hz = tell("with a slow instrument more", asyncio.run(poll_all(more, seconds)))
    ratios = {name: slow_hz[name] / rate_hz for name, rate_hz in alone_hz.items()}
    print("  rate with it over rate alone: " + ", ".join(f"{n} {r:.2f}" for n, r in ratios.items()))
    print(f"  wanted: circuit and sites at {WANTED_HZ:g} Hz or more, every ratio 1")


def main() -> None:
    round_trips(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    whole_room(float(sys.argv[2]) if len(sys.argv) > 2 else 10.0)


if __name__ == "__main__":
    main()
