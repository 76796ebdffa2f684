"""Starts the control and web processes, watches the control process's proof of work, and makes
the devices safe over the drivers' own path when that stops.

Small on purpose: it decides nothing about the treatment. What may be left running is told by each
heartbeat, before it is needed.
"""

import asyncio
import logging
import shutil
import signal
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from protocols.loader import load_all
from protocols.schema import Protocol
from service import runtime, systemd
from service.accounts import audit
from service.accounts.demo import NO_KEYS, Keys, furnish
from service.accounts.people import AccountsError
from service.accounts.store import AccountStore
from service.children import Child, Starter, adopt, end, ready
from service.control import settings as control
from service.core.model import Mode
from service.safe_path import SafePath
from service.site import load_site
from service.web.settings import Oidc, ProtocolEntry
from service.web.settings import Settings as WebSettings
from service.wire import AccessKind, AccessTold, WireError, pack, read_message

SILENT_S = 2.0
"""Without proof of work for so long the control process is ended and the devices are made safe."""

FIRST_BEAT_S = 30.0
"""A starting control process may take so long to read the record of a session."""

MAKE_SAFE_S = 5.0
UNWATCHED_S = 30.0
"""The longest that the pump may turn with no control process watching it."""

ASKED_S = 10.0
"""A second Ctrl-C within so long after the first ends a room that is treating."""

TOLD_S = 0.5
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0
WEB_CANNOT_START, CONTROL_CANNOT_START = 2, 3
SETTLED_S = 2.0
"""A process that has run so long gets a substitute: loaded, waiting, and holding nothing."""

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
    on_ready: Callable[[str, Keys], None] = lambda address, keys: None


class Supervisor:
    """One room's two processes, kept alive until it is told to end; `run` returns the exit code.

    Raises RuntimeFolderError when another supervisor serves this site.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._site = load_site(plan.site)
        self._site.room(plan.speed)
        self._protocols = load_all(self._site.protocols.directory, self._site.envelopes())
        self._safe = SafePath(self._site)
        self._folder = runtime.runtime_folder(plan.site)
        self._lock = runtime.Lock(self._folder / runtime.SUPERVISOR)
        self._ended = asyncio.Event()
        self._exit_code = 0
        self._proof: Proof | None = None
        self._last: Proof | None = None
        self._acts: tuple[str, ...] = ()
        self._controls = Starter("service.control")
        self._webs = Starter("service.web", answers=True)
        self._proven = asyncio.Event()
        self._control: asyncio.StreamWriter | None = None
        self._asked_at: float | None = None
        self._looked_at = 0.0
        self._keys = NO_KEYS

    async def run(self) -> int:
        """Serve the room; 0 after an ordered end, else why it could not go on."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._ordered, "SIGTERM")
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        socket = self._folder / "supervisor"
        socket.unlink(missing_ok=True)
        beats = await asyncio.start_unix_server(self._listen, socket)
        keepers = [
            asyncio.create_task(keep())
            for keep in (self._keep_control, self._keep_web, self._feed_watchdog)
        ]
        await self._ended.wait()
        systemd.notify("STOPPING=1")
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        await self._controls.close()
        await self._webs.close()
        beats.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.release()
        return self._exit_code

    def _interrupted(self) -> None:
        """Ctrl-C asks before it ends a treatment; SIGTERM cannot: the machine may be going down."""
        asked_at, self._asked_at = self._asked_at, self._time()
        again = asked_at is not None and self._asked_at - asked_at <= ASKED_S
        if again or not self._treats():
            self._ordered("Ctrl-C")
            return
        question = (
            f"A treatment is running. Press Ctrl-C again within {ASKED_S:.0f} s to end the "
            "service: heater and pump are then switched off."
        )
        log.warning("%s", question)
        self._record("Ctrl-C at the service's terminal: asked whether to end the treatment")

    def _ordered(self, by: str) -> None:
        """End the room; a treatment's record says by whom."""
        if self._treats():
            self._record(f"the service is told to end during the treatment, by {by}")
        asyncio.get_running_loop().call_later(TOLD_S if self._treats() else 0, self._ended.set)

    def _treats(self) -> bool:
        return self._last is not None and self._last.treating

    def _record(self, act: str) -> None:
        """Put what happened at the supervisor into the session's record."""
        if self._control is not None and not self._control.is_closing():
            self._control.write(pack({"type": "act", "act": f"supervisor: {act}"}))

    async def _feed_watchdog(self) -> None:
        """A sign of life for systemd while the control process is being looked at."""
        interval_s = systemd.watchdog_interval_s()
        await self._proven.wait()
        systemd.notify("READY=1")
        while interval_s is not None:
            if self._time() - self._looked_at < FIRST_BEAT_S:
                systemd.notify("WATCHDOG=1")
            await asyncio.sleep(interval_s)

    def _end(self, exit_code: int) -> None:
        self._exit_code = exit_code
        self._ended.set()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Heartbeats from the control process, or one request to end from a person."""
        try:
            while (message := await read_message(reader)) is not None:
                if message.get("type") == "shutdown":
                    writer.write(pack(self._asked_to_end(message)))
                    await writer.drain()
                else:
                    self._control = writer
                    self._beat(message)
        except (WireError, OSError) as error:
            log.warning("a message to the supervisor cannot be read: %s", error)
        finally:
            if self._control is writer:
                self._control = None
            writer.close()

    def _asked_to_end(self, message: Mapping[str, object]) -> dict[str, object]:
        """Whether the room ends now; while it treats only for somebody who has been asked."""
        if self._treats() and message.get("confirmed") is not True:
            self._record("asked whether to end the treatment")
            return {"ends": False, "treating": True}
        reason = str(message.get("reason", ""))
        self._ordered(str(message.get("by", "")) + (f": {reason}" if reason else ""))
        return {"ends": True, "treating": self._treats()}

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
        found = adopt(self._folder / runtime.CONTROL)
        if found:
            log.warning("control process %d was left by another supervisor; watching it", found.pid)
            self._last = Proof(at=self._time(), heater_ours=True, treating=True)
        while True:
            self._proof = None
            process: Child = found or await self._start_control()
            patience_s = SILENT_S if found else FIRST_BEAT_S
            found = None
            try:
                code = await self._watch(process, patience_s)
            except asyncio.CancelledError:
                if not await end(process):
                    await self._make_safe()
                raise
            if code == CONTROL_CANNOT_START:
                self._end(code)
                return
            log.error("the control process ended (%s); making the devices safe", code)
            wait_s = FIRST_WAIT_S if self._proof else min(2 * wait_s, LONGEST_WAIT_S)
            # Where none waits, the next one loads its program while the devices are made safe.
            await self._controls.prepare()
            await self._make_safe()
            await asyncio.sleep(wait_s)

    async def _watch(self, process: Child, patience_s: float) -> int | str | None:
        """Wait until the control process ends or stops proving its work."""
        started = self._time()
        while True:
            try:
                async with asyncio.timeout(SILENT_S / 4):
                    return await process.wait()
            except TimeoutError:
                proof: Proof | None = self._proof
                now = self._looked_at = self._time()
                silent_s = now - (proof.at if proof else started)
                late = silent_s > (SILENT_S if proof else patience_s)
                if late or self._pump_is_unwatched(now):
                    process.kill()
                    await process.wait()
                    return f"no proof of work for {silent_s:.1f} s"
                if proof and now - started > SETTLED_S:
                    await self._controls.prepare()

    def _pump_is_unwatched(self, now: float) -> bool:
        """The pump was left turning, and nobody has watched it for as long as is allowed.

        What is left of the time is for stopping it.
        """
        last = self._last
        turns = last is not None and last.treating and last.pump_ml_min != 0
        return last is not None and turns and now - last.at > UNWATCHED_S - MAKE_SAFE_S

    async def _make_safe(self) -> None:
        """Heater off; the pump never started and never faster. Nothing that was not ours."""
        last = self._last
        if last is None or not (last.heater_ours or last.treating):
            return
        if self._pump_is_unwatched(self._time()):
            last = self._last = replace(last, pump_ml_min=0.0)
        acts = await self._safe.make_safe(pump_ml_min=last.pump_ml_min, within_s=MAKE_SAFE_S)
        for act in acts:
            log.warning("%s", act)
        self._acts += tuple(acts)

    async def _start_control(self) -> asyncio.subprocess.Process:
        settings = control.Settings(
            site=self._plan.site.absolute(),
            socket=self._folder / "control",
            supervisor=self._folder / "supervisor",
            speed=self._plan.speed,
            boot=uuid4().hex[:8],
            version=version("hipec-monitor"),
            acts=self._acts,
        )
        self._acts = ()
        return await self._controls.start(settings.model_dump_json())

    async def _keep_web(self) -> None:
        """Serve pages from the first proof of work on: then there is a room to show."""
        await self._proven.wait()
        if (left := adopt(self._folder / runtime.WEB)) is not None:
            await end(left)
        settings = self._web_settings()
        if self._site.about.mode is not Mode.REAL:
            self._keys = await asyncio.to_thread(self._furnish)
        wait_s = FIRST_WAIT_S
        while True:
            process = await self._webs.start(settings.model_dump_json())
            try:
                address = await ready(process)
                if address:
                    wait_s = FIRST_WAIT_S
                    listen = address.partition("://")[2]
                    settings = settings.model_copy(update={"listen": listen})
                    self._plan.on_ready(address, self._keys)
                code = await self._outlived(process)
            except asyncio.CancelledError:
                await end(process)
                raise
            if code == WEB_CANNOT_START:
                self._end(code)
                return
            log.error("the web process ended (%s); starting it again", code)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _outlived(self, process: asyncio.subprocess.Process) -> int:
        """The exit code of a web process; one that has run for a while gets a substitute."""
        try:
            async with asyncio.timeout(SETTLED_S):
                return await process.wait()
        except TimeoutError:
            await self._webs.prepare()
        return await process.wait()

    def _web_settings(self) -> WebSettings:
        about, oidc = self._site.about, self._site.accounts.oidc
        return WebSettings(
            room=about.id,
            mode=about.mode,
            socket=self._folder / "control",
            database=about.database,
            listen=about.listen,
            origins=about.origins,
            protocols=tuple(_entry(protocol) for protocol in self._protocols.values()),
            idle_s=60 * self._site.accounts.idle_min,
            version=version("hipec-monitor"),
            oidc=Oidc.model_validate(oidc.model_dump()) if oidc else None,
            tls_certificate=about.tls_certificate,
            tls_key=about.tls_key,
        )

    def _furnish(self) -> Keys:
        """What opens a demo or test room, for each role; a real one has its own people."""
        about, site = self._site.about, self._plan.site
        text = f"a token and a link for each role of a room in mode {about.mode}"
        told = AccessTold(what=AccessKind.TOKEN_ISSUED, who="every role", by="hipec", text=text)
        try:
            with closing(AccountStore(about.database)) as store:
                audit.tell(site, about.database, [told])
                return furnish(store, about.id, about.mode)
        except AccountsError as error:
            log.error("there are no sign-in links: %s", error)
            return NO_KEYS

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
