"""The control process's end of the socket, as the contract describes it, and examples to send."""

import asyncio
import contextlib
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection

DEADLINE_S = 5.0


async def until(condition: Callable[[], object], within_s: float = DEADLINE_S) -> None:
    """Wait until the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        await asyncio.sleep(0.005)


async def soon(waiting: Awaitable[Any], within_s: float = DEADLINE_S) -> Any:
    """The result, or a failure when it does not come in time."""
    async with asyncio.timeout(within_s):
        return await waiting


async def next_of(page: ClientConnection, *kinds: str) -> dict[str, Any]:
    """The next live message of one of these kinds (of any kind when none is named)."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            message = json.loads(await page.recv())
            if (not kinds and message["type"] != "hello") or message["type"] in kinds:
                return message


def frame_of(message: dict[str, Any]) -> bytes:
    payload = json.dumps(message).encode()
    return struct.pack(">I", len(payload)) + payload


class ControlSide:
    """Answers every command with `answer` ("requested", "refused", or None for silence)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.boot = "boot-1"
        self.seq = 40
        self.answer: str | None = "requested"
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.writers: dict[str, asyncio.StreamWriter] = {}
        self._may_read = {"main": asyncio.Event(), "urgent": asyncio.Event()}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._converse, self.path)
        self.recover()

    async def stop(self) -> None:
        """As when the process is killed: all connections end, the socket is gone."""
        self._beating.cancel()
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        self.path.unlink(missing_ok=True)

    def stall(self, lane: str) -> None:
        """As when the process is stuck on this lane: nothing more is taken from it."""
        self._may_read[lane].clear()

    def hang(self) -> None:
        """As when the process is stuck: it holds its sockets, says nothing and takes nothing."""
        self._beating.cancel()
        self.stall("main")
        self.stall("urgent")

    def recover(self) -> None:
        for may_read in self._may_read.values():
            may_read.set()
        self._beating = asyncio.create_task(self._heartbeats())

    def commands(self) -> list[tuple[str, dict[str, Any]]]:
        return [(lane, m) for lane, m in self.received if m["type"] == "command"]

    def denied(self) -> list[dict[str, Any]]:
        return [message for _, message in self.received if message["type"] == "denied"]

    def say(self, kind: str, *, lane: str = "main", **fields: Any) -> dict[str, Any]:
        """Send one live message; events get the next number."""
        if kind in ("alarm", "phase", "command"):
            self.seq += 1
        message = envelope(self.seq, kind, boot=self.boot) | fields
        self.writers[lane].write(frame_of(message))
        return message

    async def _heartbeats(self) -> None:
        processed = 0
        while True:
            processed += 1
            if "main" in self.writers:
                self.say("heartbeat", processed=processed)
            await asyncio.sleep(0.05)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        lane = "?"
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            try:
                hello = await self._read(reader)
                assert hello["type"] == "hello"
                lane = hello["lane"]
                self.writers[lane] = writer
                if lane == "main":
                    self.say("snapshot", state=state())
                await self._listen(lane, reader)
            finally:
                self.writers.pop(lane, None)
                self._tasks.discard(task)
                writer.transport.abort()

    async def _listen(self, lane: str, reader: asyncio.StreamReader) -> None:
        while True:
            message = await self._read(reader)
            await self._may_read[lane].wait()
            self.received.append((lane, message))
            if message["type"] == "command" and self.answer:
                self.say("command", lane=lane, **command(message["key"], self.answer))

    @staticmethod
    async def _read(reader: asyncio.StreamReader) -> dict[str, Any]:
        (length,) = struct.unpack(">I", await reader.readexactly(4))
        message = json.loads(await reader.readexactly(length))
        assert isinstance(message, dict)
        return message


@contextlib.asynccontextmanager
async def control_side(path: Path) -> AsyncIterator[ControlSide]:
    control = ControlSide(path)
    await control.start()
    try:
        yield control
    finally:
        await control.stop()


def envelope(seq: int, kind: str, boot: str = "boot-1") -> dict[str, Any]:
    return {"v": 1, "type": kind, "seq": seq, "room": "or-3", "boot": boot, "mode": "demo"}


def command(key: str, now: str, name: str = "pause") -> dict[str, Any]:
    reason = "not in this phase" if now == "refused" else ""
    return {
        "key": key, "name": name, "state": now, "requested": None, "granted": None,
        "limited_by": "", "reason": reason,
    }  # fmt: skip


def frame(device: str = "sites", value: float | None = 42.71) -> dict[str, Any]:
    validity = {"validity": "valid"} if value else {"validity": "invalid", "reason": "open probe"}
    return {
        "device": device, "at_ns": 123456789, "at_utc": "2026-01-01T10:42:00.125Z",
        "channels": {"pelvis": {"value": value, "unit": "degC"} | validity},
    }  # fmt: skip


def alarm() -> dict[str, Any]:
    return {
        "event": "onset", "id": "inflow_high", "source": "inflow", "occurrence": "a-1",
        "priority": "high", "presence": "on", "text": "Inflow 46.2 °C", "do": "Check the heater.",
        "value": 46.2, "limit": 46.0, "sampled_ns": 1, "decided_ns": 2, "sent_ns": 3,
        "durable": True, "by": "",
    }  # fmt: skip


def state() -> dict[str, Any]:
    """A session that perfuses, with every part filled in once."""
    channel = {
        "value": 42.7, "unit": "degC", "validity": "valid", "reason": "", "at_ns": 1,
        "at_utc": "2026-01-01T10:42:00Z", "role": "site", "site": "pelvis", "device": "sites",
        "interval_s": 0.2, "grey_s": 1.5, "gone_s": 3.0, "measured": True,
    }  # fmt: skip
    heater = {
        "class": "heater", "driver": "julabo", "link": "live", "reason": "", "identity": "F25",
        "running": True, "setpoint": 46.0, "fault": "",
    }  # fmt: skip
    clocks = {
        "elapsed_s": 60.0, "in_band_s": 50.0, "out_of_band_s": 10.0, "unobserved_s": 0.0,
        "left_s": 5340.0, "duration_s": 5400.0, "contact_s": 60.0, "phase_s": 60.0,
        "next_fraction_s": None, "total_pumped_ml": 1000.0,
    }  # fmt: skip
    shown_alarm = {key: value for key, value in alarm().items() if key not in ("event", "durable")}
    del shown_alarm["by"]
    return {
        "session": "2026-01-01-1", "protocol": "closed-mmc-90", "phase": "perfuse",
        "controller": "advisory", "speed": 20.0, "at_ns": 1, "at_utc": "2026-01-01T10:42:00Z",
        "title": "Mitomycin C, closed", "technique": "closed", "envelope": "", "side_state": "",
        "clocks": clocks,
        "target": {"role": "site", "statistic": "mean", "low_c": 42.5, "high_c": 43.5},
        "gate": {"held_s": 60.0, "hold_s": 60.0, "threshold_c": 42.0, "value_c": 42.7,
                 "open": True, "text": "Reached"},
        "limits": {"inflow_ceiling_c": 46.0}, "channels": {"pelvis": channel},
        "devices": {"heater": heater},
        "figures": {"sites_mean_c": 42.7, "sites_min_c": 42.7, "sites_max_c": None},
        "heat": {"on": True, "requested_c": 45.0, "granted_c": 44.5, "limited_by": "ceiling",
                 "bath_set_c": 46.0, "waits_for": "", "advice": ""},
        "pump": {"on": True, "flow_set_ml_min": 1500.0, "requested_ml_min": None,
                 "limited_by": ""},
        "steps": [{"phase": "prime", "title": "Prime", "state": "done", "needs": []}],
        "next_action": {"name": "start_phase", "args": {"phase": "drain"}, "label": "Drain",
                        "enabled": False, "needs": ["the clock"]},
        "checklist": [{"id": "zero", "text": "Zeroed", "before": "prime", "names": 2,
                       "done": True, "by": "A", "second": "B"}],
        "drug": {"name": "mitomycin C", "dose_mg_m2": 35.0, "bsa_m2": 1.8, "dose_mg": 63.0,
                 "carrier": "saline", "fractions": [
                     {"number": 1, "share": 0.5, "due_s": 0.0, "given_utc": None, "mg": 31.5}]},
        "reminders": [{"drug": "leucovorin", "dose_mg_m2": 20.0, "dose_mg": None, "due_s": 0.0,
                       "infusion_min": 10.0}],
        "volumes": {"in_ml": 4000.0, "out_ml": 3500.0, "retained_ml": 500.0},
        "alarms": [shown_alarm | {"since_utc": "2026-01-01T10:42:00Z", "seq": 40}],
        "audible": None,
        "audio_paused_s": 0.0,
        "commands": [command("before", "confirmed") | {"at_utc": "2026-01-01T10:41:00Z"}],
        "not_guarded": [{"hazard": "level", "why": "no scale"}],
        "events": [{"at_utc": "2026-01-01T10:41:00Z", "kind": "note", "text": "x", "by": "A"}],
    }  # fmt: skip


async def connect_and_never_read(origin: str, token: str) -> socket.socket:
    """A page that asks for the live stream and then takes nothing of it."""
    host, port = origin.removeprefix("http://").split(":")
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    await loop.sock_connect(client, (host, int(port)))
    lines = [
        "GET /api/live HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Authorization: Bearer {token}",
    ]  # fmt: skip
    await loop.sock_sendall(client, ("\r\n".join(lines) + "\r\n\r\n").encode())
    return client
