"""The last 60 s on each device's line, for whoever has to find out why it failed.

When a device is lost, or reports a fault of its own, its traffic is put into the folder of the
room's site file as `SITE.traffic/DEVICE/TIME.jsonl`, the newest `KEPT_FILES` of each device. At any
other moment `hipec devices traffic` fetches it from the socket beside the site file. Who may read
is decided by the rights of folder and socket: the service's own user. `hipec devices replay` reads
what comes out.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from drivers.link import Link
from drivers.wire_file import recording_text
from service.core.events import Event, Frame, LinkChanged
from service.core.model import LinkState
from service.site_shape import Site

KEPT_FILES = 10
"""Of each device; one holds a minute, at most a few hundred kilobytes."""
log = logging.getLogger(__name__)


def traffic_folder(site: Path) -> Path:
    """Where a room keeps the traffic before each trouble."""
    return site.with_suffix(".traffic")


def traffic_socket(site: Path) -> Path:
    """Where a running room gives out the traffic of the last minute."""
    return site.with_suffix(".traffic.socket")


class TrafficDesk:
    """Keeps and gives out the traffic of a room's links, by their device's name."""

    def __init__(self, site: Path, room: Site, links: Mapping[str, Link]) -> None:
        self._folder = traffic_folder(site)
        self._socket = traffic_socket(site)
        self._parts = {part.name: part for part in room.device}
        self._links = links
        self._faults: dict[str, str] = {}
        self._live: set[str] = set()
        self._server: asyncio.Server | None = None
        self._writing: set[asyncio.Future[None]] = set()

    def look(self, event: Event) -> None:
        """Keep a device's traffic when this event says that it is in trouble."""
        match event:
            case LinkChanged(device=device, state=LinkState.LIVE):
                self._live.add(device)
            case LinkChanged(device=device, state=LinkState.LOST) if device in self._live:
                self._live.discard(device)
                self._keep(device)
            case Frame(device=device, status=status) if status is not None:
                before, self._faults[device] = self._faults.get(device, ""), status.fault
                if status.fault and status.fault != before:
                    self._keep(device)

    async def start(self) -> None:
        """Give out traffic at the socket; a socket that cannot be made is told and not needed."""
        try:
            self._socket.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._serve, self._socket)
            self._socket.chmod(0o600)
        except OSError as error:
            log.warning("`hipec devices traffic` cannot ask this room: %s", error)

    async def close(self) -> None:
        """Stop giving out, and finish what is being written."""
        if self._server is not None:
            self._server.close()
            self._socket.unlink(missing_ok=True)
        await asyncio.gather(*self._writing)

    def _keep(self, device: str) -> None:
        """Write in a thread: no treatment waits for this disk."""
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        path = self._folder / device / f"{at}.jsonl"
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(None, _write, path, self._told(device))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)

    def _told(self, device: str) -> Callable[[], str]:
        """The recording as it is now; its text is made by whoever calls the result."""
        part, traffic = self._parts[device], self._links[device].traffic()
        return partial(recording_text, part.driver, part.port, part.model_extra or {}, traffic)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):
            device = (await reader.readline()).decode("utf-8", "replace").strip()
            if device in self._links:
                answer = await asyncio.to_thread(self._told(device))
            else:
                answer = f"this room has no device {device!r}; it has {', '.join(self._links)}"
            writer.write(answer.encode())
            await writer.drain()
        writer.close()


def _write(path: Path, told: Callable[[], str]) -> None:
    """A new file, and none but the newest beside it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(told(), encoding="ascii")
        for old in sorted(path.parent.glob("*.jsonl"))[:-KEPT_FILES]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.warning("traffic is not kept in %s: %s", path, error)
