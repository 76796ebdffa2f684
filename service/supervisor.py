"""Starts the control and web processes, watches the control process's proof of work, and makes
the devices safe over the drivers' own path when that stops.

Small on purpose: it decides nothing about the treatment. What may be left running is told by each
heartbeat, before it is needed.
"""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from protocols.loader import load_all
from protocols.schema import Protocol
from service.control import settings as control
from service.core.model import Mode, PersonRole
from service.safe_path import SafePath
from service.site import load_site
from service.web.accounts import Accounts
from service.web.settings import ProtocolEntry
from service.web.settings import Settings as WebSettings
from service.wire import WireError, read_message

SILENT_S = 2.0
"""Without proof of work for so long the control process is ended and the devices are made safe."""

FIRST_BEAT_S = 30.0
"""A starting control process may take so long to read the record of a session."""

MAKE_SAFE_S = 5.0
UNWATCHED_S = 30.0
"""The longest that the pump may turn with no control process watching it."""

END_S = 8.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0
CONTROL_CANNOT_START, WEB_CANNOT_START = 3, 2
STATION = "perfusion"
log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Proof:
    """The control process's newest heartbeat, and when it came (seconds of the loop)."""

    at: float
    processed: int = -1
    pump_ml_min: float | None = None
    heater_ours: bool = False
    treating: bool = False


@dataclass(slots=True, kw_only=True)
class Plan:
    """What the supervisor runs: one room from its site file."""

    site: Path
    speed: float = 1.0
    on_ready: Callable[[str, Mapping[str, str]], None] = lambda address, tokens: None


class Supervisor:
    """One room's two processes, kept alive until SIGTERM; `run` returns the exit code."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._site = load_site(plan.site)
        self._site.room(plan.speed)
        self._protocols = load_all(self._site.protocols.directory, self._site.envelopes())
        self._safe = SafePath(self._site)
        self._ended = asyncio.Event()
        self._exit_code = 0
        self._proof: Proof | None = None
        self._last: Proof | None = None
        self._acts: tuple[str, ...] = ()
        self._proven = asyncio.Event()
        self._tokens = self._issue_tokens()

    async def run(self) -> int:
        """Serve the room; 0 after an ordered end, else why it could not go on."""
        with TemporaryDirectory(prefix="hipec-") as sockets:
            self._sockets = Path(sockets)
            return await self._serve()

    async def _serve(self) -> int:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._ended.set)
        beats = await asyncio.start_unix_server(self._listen, self._sockets / "supervisor")
        keepers = [asyncio.create_task(self._keep_control()), asyncio.create_task(self._keep_web())]
        await self._ended.wait()
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        beats.close()
        return self._exit_code

    def _end(self, exit_code: int) -> None:
        self._exit_code = exit_code
        self._ended.set()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (beat := await read_message(reader)) is not None:
                self._beat(beat)
        except (WireError, OSError) as error:
            log.warning("a heartbeat cannot be read: %s", error)
        finally:
            writer.close()

    def _beat(self, beat: Mapping[str, object]) -> None:
        """Only a beat that says that more was processed is proof of work."""
        processed = beat.get("processed")
        if not isinstance(processed, int) or (self._proof and processed <= self._proof.processed):
            return
        pump = beat.get("pump_ml_min")
        self._proof = self._last = Proof(
            at=self._time(),
            processed=processed,
            pump_ml_min=float(pump) if isinstance(pump, int | float) else None,
            heater_ours=beat.get("heater_ours") is True,
            treating=beat.get("treating") is True,
        )
        self._proven.set()

    async def _keep_control(self) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            self._proof = None
            process = await self._start_control()
            try:
                code = await self._watch(process)
            except asyncio.CancelledError:
                if not await _end_process(process):
                    await self._make_safe()
                raise
            if code == CONTROL_CANNOT_START:
                self._end(code)
                return
            log.error("the control process ended (%s); making the devices safe", code)
            wait_s = FIRST_WAIT_S if self._proof else min(2 * wait_s, LONGEST_WAIT_S)
            await self._make_safe()
            await asyncio.sleep(wait_s)

    async def _watch(self, process: asyncio.subprocess.Process) -> int | str:
        """Wait until the control process ends or stops proving its work."""
        started = self._time()
        while True:
            try:
                async with asyncio.timeout(SILENT_S / 4):
                    return await process.wait()
            except TimeoutError:
                proof: Proof | None = self._proof
                silent_s = self._time() - (proof.at if proof else started)
                if silent_s > (SILENT_S if proof else FIRST_BEAT_S):
                    process.kill()
                    await process.wait()
                    return f"no proof of work for {silent_s:.1f} s"

    async def _make_safe(self) -> None:
        """Heater off; the pump never started and never faster. Nothing that was not ours."""
        last = self._last
        if last is None or not (last.heater_ours or last.treating):
            return
        unwatched = self._time() - last.at > UNWATCHED_S
        pump_ml_min = 0.0 if unwatched and last.treating else last.pump_ml_min
        acts = await self._safe.make_safe(pump_ml_min=pump_ml_min, within_s=MAKE_SAFE_S)
        for act in acts:
            log.warning("%s", act)
        self._acts += tuple(acts)

    async def _start_control(self) -> asyncio.subprocess.Process:
        settings = control.Settings(
            site=self._plan.site.absolute(),
            socket=self._sockets / "control",
            supervisor=self._sockets / "supervisor",
            speed=self._plan.speed,
            boot=uuid4().hex[:8],
            version=version("hipec-monitor"),
            acts=self._acts,
        )
        self._acts = ()
        return await _start("service.control", control.VARIABLE, settings.model_dump_json())

    async def _keep_web(self) -> None:
        """Serve pages from the first proof of work on: then there is a room to show."""
        await self._proven.wait()
        settings = self._web_settings()
        wait_s = FIRST_WAIT_S
        while True:
            process = await _start("service.web", "HIPEC_WEB", settings.model_dump_json())
            try:
                address = await _ready(process)
                if address:
                    wait_s = FIRST_WAIT_S
                    listen = address.partition("://")[2]
                    settings = settings.model_copy(update={"listen": listen})
                    self._plan.on_ready(address, self._tokens)
                code = await process.wait()
            except asyncio.CancelledError:
                await _end_process(process)
                raise
            if code == WEB_CANNOT_START:
                self._end(code)
                return
            log.error("the web process ended (%s); starting it again", code)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _web_settings(self) -> WebSettings:
        about = self._site.about
        return WebSettings(
            room=about.id,
            mode=about.mode,
            socket=self._sockets / "control",
            accounts=accounts_path(self._plan.site),
            listen=about.listen,
            origins=about.origins,
            protocols=tuple(_entry(protocol) for protocol in self._protocols.values()),
            station=STATION,
            version=version("hipec-monitor"),
        )

    def _issue_tokens(self) -> Mapping[str, str]:
        """A token for each role of a demo or test room; none in a real one."""
        mode = self._site.about.mode
        accounts = Accounts(accounts_path(self._plan.site))
        tokens = {}
        if mode is not Mode.REAL:
            for role in PersonRole:
                tokens[role.value] = accounts.issue(role, f"{mode} {role}", STATION)
        accounts.close()
        return tokens

    @staticmethod
    def _time() -> float:
        return asyncio.get_running_loop().time()


def _entry(protocol: Protocol) -> ProtocolEntry:
    drug = protocol.drug
    return ProtocolEntry(
        id=protocol.id,
        title=protocol.title,
        technique=protocol.technique,
        duration_min=protocol.clock.duration_min,
        version=protocol.version,
        description=protocol.description.strip(),
        drug=drug.name if drug else None,
        dose_mg_m2=drug.dose_mg_m2 if drug else None,
        carriers=drug.carriers if drug else (),
    )


def accounts_path(site: Path) -> Path:
    """Where a room keeps who is signed in: beside its site file."""
    return site.with_suffix(".accounts.db")


async def _start(module: str, variable: str, settings: str) -> asyncio.subprocess.Process:
    """Start one of our processes in a group of its own, so that a Ctrl-C reaches only us."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env={**os.environ, variable: settings},
        stdout=asyncio.subprocess.PIPE if module == "service.web" else None,
        start_new_session=True,
    )


async def _ready(process: asyncio.subprocess.Process) -> str:
    """The address that the web process answers at, "" when it ended before it did."""
    assert process.stdout is not None
    line = await process.stdout.readline()
    return str(json.loads(line)["ready"]) if line else ""


async def _end_process(process: asyncio.subprocess.Process) -> bool:
    """Ask a process to end; False when it had to be ended because it did not."""
    if process.returncode is not None:
        return True
    process.terminate()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        return False
    return True
