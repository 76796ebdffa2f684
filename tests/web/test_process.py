"""`python -m service.web` as the supervisor starts it: ready, bounded, and quick to end."""

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from service.core.model import PersonRole
from tests.web.conftest import issue, settings_in
from tests.web.control_side import (
    ControlSide,
    alarm,
    connect_and_never_read,
    control_side,
    next_of,
    soon,
    state,
)

pytestmark = pytest.mark.real_time

ROOT = Path(__file__).parents[2]


async def start(settings: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.web"), cwd=ROOT, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(f"{settings}\n".encode())
    process.stdin.close()
    return process


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[ControlSide]:
    async with control_side(tmp_path / "control.sock") as control:
        yield control


def resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


async def test_it_says_when_it_is_ready_holds_little_and_ends_at_once(
    tmp_path: Path, control: ControlSide
) -> None:
    """With an ordinary page and one that never reads, while 15 MB of snapshots go by."""
    settings = settings_in(tmp_path)
    token = issue(settings, PersonRole.PERFUSIONIST)
    process = await start(settings.model_dump_json())
    assert process.stdout and process.stderr
    origin = json.loads(await soon(process.stdout.readline(), within_s=60))["ready"]
    headers = {"Authorization": f"Bearer {token}"}
    url = origin.replace("http", "ws") + "/api/live"
    with pytest.raises(InvalidStatus):
        async with connect(url, proxy=None):
            pass
    async with connect(url, additional_headers=headers, proxy=None) as page:
        await next_of(page, "snapshot")
        grown_kb = []
        stalled = []
        for _ in range(2):
            before_kb = resident_kb(process.pid)
            for _ in range(250):
                control.say("snapshot", state=state() | {"title": "x" * 30_000})
                sent = control.say("alarm", **alarm())
                while (await next_of(page, "alarm"))["seq"] != sent["seq"]:
                    pass
            grown_kb.append(resident_kb(process.pid) - before_kb)
            stalled.append(await connect_and_never_read(origin, token))
        ended_at = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = await soon(process.communicate())
        took_s = time.monotonic() - ended_at
    for client in stalled:
        client.close()
    assert grown_kb[1] < 1024
    assert took_s < 2.0
    assert b"Traceback" not in errors
    assert (errors.count(b"was not let in"), errors.count(b"handshake")) == (1, 0)


async def test_settings_or_an_address_that_cannot_be_used_end_it_with_a_sentence(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        cases = [
            ("{}", b"room"),
            (settings_in(tmp_path, listen=listen).model_dump_json(), b"Cannot listen"),
        ]
        started = [await start(settings) for settings, _ in cases]
        for process, (_, sentence) in zip(started, cases, strict=True):
            _, errors = await soon(process.communicate(), within_s=60)
            assert process.returncode == 2
            assert sentence in errors
            assert b"Traceback" not in errors
