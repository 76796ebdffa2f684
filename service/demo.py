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

from service.core.model import Phase
from service.site_text import demo_site
from service.supervisor import Plan, Supervisor
from simulator.control import ControlError, ask

SCENARIO = Path(__file__).with_name("demo_scenario.toml")
PATIENT = {"inflow_to_patient": True, "draining": False}
BYPASS = {"inflow_to_patient": False, "draining": False}
DRAIN = {"inflow_to_patient": False, "draining": True}
CLAMPS: Mapping[str | None, Mapping[str, bool]] = {
    None: BYPASS,
    Phase.SETUP: BYPASS,
    Phase.PRIME: BYPASS,
    Phase.DRAIN: DRAIN,
    Phase.COMPLETE: DRAIN,
}
"""Where the clamps stand in each phase; in all others the patient is connected."""

FRESH_FOR = (Phase.SETUP, Phase.RINSE)
"""Phases that begin with fresh fluid: after a drain the reservoir holds too little to pump."""

FULL_ML, FRESH_C = 3500.0, 38.0
DRUG_ML, DRUG_C = 100.0, 20.0
COOLING_FROM_C, COOLING_W = 38.0, 50.0
AGAIN_S = 0.5


class Hands:
    """The simulated team: follows the room's live messages and works the simulated field."""

    def __init__(self, ports: Path, address: str, token: str) -> None:
        self._ports = ports
        self._url = address.replace("http", "ws", 1) + "/api/live"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._clamps: Mapping[str, bool] | None = None
        self._given: int | None = None
        self._cooled = False
        self._phase: str | None = None

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
        begins = self._clamps is not None and state["phase"] != self._phase
        self._phase = state["phase"]
        if begins and self._phase in FRESH_FOR:
            self._fill_up()
        clamps = CLAMPS.get(state["phase"], PATIENT)
        if clamps != self._clamps:
            ask(self._ports, {"do": "plant", "set": dict(clamps)})
            self._clamps = clamps
        self._give(
            sum(
                f["given_utc"] is not None
                for f in (state["drug"] or {"fractions": []})["fractions"]
            )
        )
        core = state["channels"]["nasopharynx"]["value"]
        if core is not None and core > COOLING_FROM_C and not self._cooled:
            ask(self._ports, {"do": "plant", "set": {"cooling_w": COOLING_W}})
            self._cooled = True

    def _fill_up(self) -> None:
        """Hang fresh bags until the reservoir is as full as it was at first."""
        missing_ml = FULL_ML - ask(self._ports, {"do": "state"})["plant"]["reservoir_ml"]
        if missing_ml > 0:
            fresh = {"volume_ml": missing_ml, "temperature_c": FRESH_C, "into": "reservoir"}
            ask(self._ports, {"do": "bolus", **fresh})

    def _give(self, given: int) -> None:
        """A fraction that was recorded as given goes in, cold, at the patient's port."""
        if self._given is not None and given > self._given:
            dose = {"volume_ml": DRUG_ML, "temperature_c": DRUG_C, "into": "cavity"}
            ask(self._ports, {"do": "bolus", **dose})
        self._given = given


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

    def ready(address: str, tokens: Mapping[str, str]) -> None:
        if not hands:
            print(_welcome(address, tokens, site, ports, speed), flush=True)
        for task in hands:
            task.cancel()
        hands.append(asyncio.create_task(Hands(ports, address, tokens["qa"]).work()))

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


def _welcome(address: str, tokens: Mapping[str, str], site: Path, ports: Path, speed: float) -> str:
    pace = "" if speed == 1 else f", {speed:g} times as fast as real time"
    lines = [
        f"A DEMO room is running{pace}: simulated instruments, no patient.",
        "This is not a certified medical device.",
        "",
        f"  Open {address}/",
        "",
        f"  site file    {site}",
        f"  instruments  {ports}",
        "",
        "Bearer tokens for programs, one for each role:",
        *(f"  {role:<13} {token}" for role, token in tokens.items()),
        "",
        "Ctrl-C ends the room and removes everything it made.",
    ]
    return "\n".join(lines)
