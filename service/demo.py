"""`hipec demo`: one simulated room to try, with its instruments, its site file and its people.

The simulated instruments run in a process of their own behind real serial ports. What people do
with their hands in an operating room (clamps, drug, cooling) follows the phases of the session.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from service.accounts.demo import Keys
from service.site_text import demo_site
from service.supervisor import Plan, Supervisor
from service.virtual.hands import Hands, Request
from simulator.control import ControlError, ask

SCENARIO = Path(__file__).with_name("demo_scenario.toml")
AGAIN_S = 0.5


class Team:
    """The simulated team: follows the room's live messages and works the simulated field."""

    def __init__(self, ports: Path, address: str, token: str) -> None:
        self._ports = ports
        self._url = address.replace("http", "ws", 1) + "/api/live"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._hands = Hands()
        self._to_do: list[Request] = []

    async def work(self) -> None:
        """Follow the room until cancelled."""
        while True:
            with contextlib.suppress(OSError, WebSocketException, ControlError):
                async with connect(self._url, additional_headers=self._headers) as live:
                    async for text in live:
                        message = json.loads(text)
                        if message["type"] == "snapshot":
                            self._follow(message["state"])
            await asyncio.sleep(AGAIN_S)

    def _follow(self, state: Mapping[str, Any]) -> None:
        fractions = (state["drug"] or {"fractions": []})["fractions"]
        given = sum(fraction["given_utc"] is not None for fraction in fractions)
        core_c = state["channels"]["nasopharynx"]["value"]
        self._to_do += self._hands.follow(state["phase"], given, core_c, self._reservoir_ml)
        while self._to_do:
            ask(self._ports, self._to_do[0])
            del self._to_do[0]

    def _reservoir_ml(self) -> float:
        return float(ask(self._ports, {"do": "state"})["plant"]["reservoir_ml"])


def demo(*, speed: float, listen: str, scenario: Path | None) -> int:
    """Serve a demo room in a temporary folder until told to end; the exit code."""
    with TemporaryDirectory(prefix="hipec-demo-") as folder:
        return asyncio.run(_demo(Path(folder), speed, listen, scenario or SCENARIO))


async def _demo(folder: Path, speed: float, listen: str, scenario: Path) -> int:
    ports = folder / "ports"
    site = folder / "site.toml"
    database = f"sqlite:///{folder / 'hipec.db'}"
    site.write_text(demo_site(ports, database=database, listen=listen), encoding="utf-8")
    simulator = await _simulate(ports, scenario, speed)
    if simulator is None:
        return 2
    hands: list[asyncio.Task[None]] = []

    def ready(address: str, keys: Keys) -> None:
        if not hands:
            print(_welcome(address, keys, site, ports, speed), flush=True)
        for task in hands:
            task.cancel()
        hands.append(asyncio.create_task(Team(ports, address, keys.tokens["qa"]).work()))

    try:
        plan = Plan(site=site, speed=speed, on_ready=ready)
        return await Supervisor(plan).run()
    finally:
        for task in hands:
            task.cancel()
        simulator.terminate()
        await simulator.wait()


async def _simulate(ports: Path, scenario: Path, speed: float) -> asyncio.subprocess.Process | None:
    """Start the simulated instruments; None when they cannot be served."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.cli", "devices", "simulate", "--dir", str(ports)),
        *("--scenario", str(scenario), "--speed", str(speed)),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if line.strip() == b"ready":
            return process
    await process.wait()
    return None


def _welcome(address: str, keys: Keys, site: Path, ports: Path, speed: float) -> str:
    pace = "" if speed == 1 else f", {speed:g} times as fast as real time"
    lines = [
        f"A DEMO room is running{pace}: simulated instruments, no patient.",
        "This is not a certified medical device.",
        "",
        f"  Open {address}/",
        "",
        "One-time sign-in links, each for another browser or a private window:",
        *(f"  {role:<13} {address}/signin?code={code}" for role, code in keys.codes.items()),
        "",
        f"  site file    {site}",
        f"  instruments  {ports}",
        "",
        "Bearer tokens for programs, one for each role:",
        *(f"  {role:<13} {token}" for role, token in keys.tokens.items()),
        "",
        "Ctrl-C ends the room and removes everything it made.",
    ]
    return "\n".join(lines)
