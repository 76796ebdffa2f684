"""Clients that read a live stream in a process of its own, and figures of what they heard.

No program: `clients.py` starts it. A client parses just enough to note when each frame came.
"""

import asyncio
import re
import statistics
import time
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import uvloop
from live_path import percentile

SETTLE_S, LATE_S = 1.5, 1.0


class Heard(NamedTuple):
    """What all clients of one process heard: marks of frames and when (monotonic seconds)."""

    marks: array
    times: array
    from_s: float
    to_s: float
    messages: int
    server_cpu_s: float


class Client(asyncio.Protocol):
    """The least WebSocket client that reads everything and answers pings."""

    def __init__(self, pattern: re.Pattern[bytes], heard: Heard) -> None:
        self._pattern, self._heard, self._bytes = pattern, heard, b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.messages = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        self._transport = transport

    def data_received(self, data: bytes) -> None:  # noqa: D102
        at = time.monotonic()
        self._bytes += data
        if not self.opened.done():
            head, end, rest = self._bytes.partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head, head
            self._bytes = rest
            self.opened.set_result(None)
        while (begin_end := self._payload()) is not None:
            begin, end = begin_end
            self._take(self._bytes[0] & 15, self._bytes[begin:end], at)
            self._bytes = self._bytes[end:]

    def _payload(self) -> tuple[int, int] | None:
        """Where the first frame's payload begins and ends, None while it is not whole."""
        if len(self._bytes) < 2:
            return None
        wide = {126: 2, 127: 8}.get(self._bytes[1], 0)
        if len(self._bytes) < 2 + wide:
            return None
        size = int.from_bytes(self._bytes[2 : 2 + wide], "big") if wide else self._bytes[1]
        end = 2 + wide + size
        return (2 + wide, end) if len(self._bytes) >= end else None

    def _take(self, opcode: int, payload: bytes, at: float) -> None:
        if opcode == 9:
            self._transport.write(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
            return
        self.messages += 1
        if found := self._pattern.search(payload):
            self._heard.marks.append(int(found[1]))
            self._heard.times.append(at)


def cpu_s(pid: int) -> float:
    """Processor time of all threads of a process so far."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def listen(port: int, token: str, pattern: bytes, count: int, seconds: float, pid: int) -> Heard:
    """In a process of its own: so many clients, for so long; `pid` is the server's."""
    return uvloop.run(_listen(port, token, re.compile(pattern, re.DOTALL), count, seconds, pid))


async def _listen(port: int, token: str, pattern: re.Pattern[bytes], count: int, seconds: float,
                  pid: int) -> Heard:  # fmt: skip
    heard = Heard(array("q"), array("d"), 0.0, 0.0, 0, 0.0)
    asked = (
        f"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Sec-WebSocket-Version: 13\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()
    clients: list[Client] = []
    loop = asyncio.get_running_loop()
    for _ in range(count):
        transport, client = await loop.create_connection(
            lambda: Client(pattern, heard), "127.0.0.1", port
        )
        transport.write(asked)
        clients.append(client)
        await asyncio.wait_for(client.opened, 10)
    await asyncio.sleep(SETTLE_S)
    from_s, used_s = time.monotonic(), cpu_s(pid)
    before = sum(client.messages for client in clients)
    await asyncio.sleep(seconds)
    messages, server_s = sum(client.messages for client in clients) - before, cpu_s(pid) - used_s
    await asyncio.sleep(LATE_S)
    return heard._replace(
        from_s=from_s, to_s=from_s + seconds, messages=messages, server_cpu_s=server_s
    )


class Figures(NamedTuple):
    """Delays of the frames of a run, frames that did not come, server time per message."""

    p50_ms: float
    p99_ms: float
    lost: int
    cpu_us: float

    def __str__(self) -> str:
        return f"p50 {self.p50_ms:.2f} p99 {self.p99_ms:.2f} ms, {self.lost} lost"


def figures(heard: Heard, said: Mapping[int, float], count: int) -> Figures:
    """What was heard of what was said (mark → monotonic seconds)."""
    due = {mark: at for mark, at in said.items() if heard.from_s <= at <= heard.to_s}
    came = zip(heard.marks, heard.times, strict=True)
    delays = [1000 * (at - due[mark]) for mark, at in came if mark in due]
    lost = len(due) * count - len(delays)
    cpu_us = 1e6 * heard.server_cpu_s / max(1, heard.messages)
    return Figures(percentile(delays, 0.5), percentile(delays, 0.99), lost, cpu_us)


def median(runs: list[Figures]) -> Figures:
    """Of each figure the middle one; of the lost ones all."""
    p50_ms, p99_ms, _, cpu_us = (statistics.median(column) for column in zip(*runs, strict=True))
    return Figures(p50_ms, p99_ms, sum(run.lost for run in runs), cpu_us)
