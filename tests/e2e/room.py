"""A whole room in real processes, and a program that uses it as a client would."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from service.core.model import PersonRole
from simulator.control import ask

Json = dict[str, Any]
START_S = 40.0
WITHOUT = {"audio": "A program has no ears", "probe_comparison": "No reference"}
"""Why a program goes on without what only a person can do."""
KEYS = itertools.count(1)
TOKEN = re.compile(r"^  (\w+) +([\w-]{40,})$", re.MULTILINE)
LINK = re.compile(r"^  (\w+) +(http\S+/signin\?code=\S+)$", re.MULTILINE)


class Room:
    """A room that `hipec` serves, on a free port; `ports` are its simulated instruments."""

    address: str
    ports: Path
    tokens: dict[str, str]

    def __init__(self, *arguments: str) -> None:
        self.process = hipec(*arguments)
        self.errors: list[str] = []
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()

    def _read_up_to(self, is_last: Callable[[str], object]) -> str:
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if is_last(line):
                return "".join(lines)
        raise AssertionError("hipec did not start: " + "".join(self.errors))

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(self.process.stderr)

    def simulate(self, **request: Any) -> Json:
        """Ask the simulated instruments for something (a fault, a clamp, the true state)."""
        answer = ask(self.ports, request)
        assert answer["ok"], answer
        return answer

    def fault(self, device: str, fault: str, **values: Any) -> None:
        self.simulate(do="fault", device=device, fault=fault, **values)

    def heater_runs(self) -> bool:
        """What the heater itself says, not what the service believes."""
        return bool(self.simulate(do="state")["devices"]["heater"]["running"])

    def pid(self, module: str) -> int:
        """The process of this room that runs a module."""
        for pid in children(self.process.pid):
            if module in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
                return pid
        raise AssertionError(f"no process runs {module}")

    def close(self) -> int:
        """End the room as Ctrl-C does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self._reader.join(5)
            for pipe in (self.process.stdout, self.process.stderr):
                if pipe is not None:
                    pipe.close()


class DemoRoom(Room):
    """`hipec demo` as a user starts it."""

    def __init__(self, speed: float = 1.0, scenario: Path | None = None) -> None:
        extra = ["--scenario", str(scenario)] if scenario else []
        super().__init__("demo", "--listen", "127.0.0.1:0", "--speed", str(speed), *extra)
        text = self._read_up_to(lambda line: line.startswith("Ctrl-C"))
        self.address = re.search(r"Open (http://\S+)/", text).group(1)  # type: ignore[union-attr]
        self.ports = Path(re.search(r"instruments +(\S+)", text).group(1))  # type: ignore[union-attr]
        self.links = dict(LINK.findall(text))
        self.site = Path(re.search(r"site file +(\S+)", text).group(1))  # type: ignore[union-attr]
        self.tokens = dict(TOKEN.findall(text))


class ServedRoom(Room):
    """`hipec serve` of a site file whose instruments are simulated already."""

    def __init__(self, site: Path, ports: Path, speed: float = 1.0) -> None:
        self.ports = ports
        super().__init__("serve", "--site", str(site), "--speed", str(speed))
        text = self._read_up_to(lambda line: PersonRole.DISPLAY in line)
        self.address = re.search(r"served at (http://\S+)/", text).group(1)  # type: ignore[union-attr]
        self.tokens = dict(TOKEN.findall(text))


def hipec(*arguments: str, stdin: int | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "service.cli", *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def children(parent: int) -> Iterator[int]:
    """The processes that a process has started itself."""
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            yield int(entry.name)


class Client:
    """A program with a bearer token: follows the live messages and gives commands."""

    def __init__(self, room: Room, role: str = "perfusionist") -> None:
        self.room = room
        self.messages: list[tuple[float, Json]] = []
        self.state: Json = {}
        self._headers = {"Authorization": f"Bearer {room.tokens[role]}"}
        self._http = httpx.Client(base_url=room.address, headers=self._headers, timeout=10)
        self._news = threading.Condition()
        self._ended = False
        self._socket: ClientConnection | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        url = self.room.address.replace("http", "ws", 1) + "/api/live"
        while not self._ended:
            try:
                with connect(url, additional_headers=self._headers) as self._socket:
                    for text in self._socket:
                        self._take(json.loads(text))
            except (OSError, ConnectionClosed):
                time.sleep(0.1)

    def _take(self, message: Json) -> None:
        with self._news:
            self.messages.append((time.monotonic(), message))
            if message["type"] == "snapshot":
                self.state = message["state"]
            self._news.notify_all()

    def until(self, holds: Callable[[Json], object], within_s: float, what: str) -> Json:
        """Wait until the state is so; fails with the state's essentials otherwise."""
        deadline = time.monotonic() + within_s
        with self._news:
            while not (self.state and holds(self.state)):
                left_s = deadline - time.monotonic()
                assert left_s > 0, f"not within {within_s} s: {what}; {essentials(self.state)}"
                self._news.wait(left_s)
            return self.state

    def first(self, holds: Callable[[Json], object], within_s: float, what: str) -> float:
        """When the first message (of all so far or to come) is so; monotonic seconds."""
        deadline = time.monotonic() + within_s
        seen = 0
        with self._news:
            while True:
                for at, message in self.messages[seen:]:
                    if holds(message):
                        return at
                seen = len(self.messages)
                left_s = deadline - time.monotonic()
                assert left_s > 0, f"not within {within_s} s: {what}; {essentials(self.state)}"
                self._news.wait(left_s)

    def post(self, name: str, *, reason: str = "", second: str = "", **args: Any) -> httpx.Response:
        body = {"name": name, "args": args, "reason": reason, "second": second}
        key = f"key-{os.getpid()}-{next(KEYS)}"
        headers = {"Idempotency-Key": key}
        return self._http.post("/api/session/commands", json=body, headers=headers)

    def command(self, name: str, *, reason: str = "", second: str = "", **args: Any) -> Json:
        """Give a command that must be accepted."""
        answer = self.post(name, reason=reason, second=second, **args)
        assert answer.status_code == 202, f"{name}: {answer.status_code} {answer.text}"
        found: Json = answer.json()
        return found

    def get(self, path: str) -> httpx.Response:
        return self._http.get(path)

    def checklist(self, before: str) -> None:
        for item in self.state["checklist"]:
            if item["before"] == before and not item["done"]:
                self.command(
                    "confirm_checklist",
                    item=item["id"],
                    second="Second Name",
                    reason=WITHOUT.get(item["id"], ""),
                )

    def start(self, phase: str, within_s: float = 180) -> None:
        """Confirm what the phase needs, wait until it may start, and start it."""
        self.checklist(phase)
        wanted = {"name": "start_phase", "args": {"phase": phase}}
        self.until(
            lambda s: (
                (action := s["next_action"])
                and action["enabled"]
                and {k: action[k] for k in wanted} == wanted
            ),
            within_s,
            f"{phase} may start",
        )
        self.command("start_phase", phase=phase)
        self.until(lambda s: s["phase"] == phase, 5, f"phase {phase}")

    def to_heat_up(self) -> "Client":
        """Open a session and walk it to heat-up, which the warm patient is ready for."""
        self.until(lambda s: s["channels"]["inflow"]["value"], 15, "values")
        self.command("open_session", protocol="closed-mmc-90", height_cm=170, weight_kg=70)
        self.until(lambda s: s["phase"] == "setup", 5, "open")
        for phase in ("prime", "fill", "heat_up"):
            self.start(phase)
        return self

    def close(self) -> None:
        self._ended = True
        if self._socket is not None:
            self._socket.close()
        self._thread.join(5)
        self._http.close()


def essentials(state: Json) -> Json:
    """What a person wants to see of a state when a test fails."""
    if not state:
        return {}
    return {
        "phase": state["phase"],
        "next": state["next_action"],
        "alarms": [(a["id"], a["source"], a["text"]) for a in state["alarms"]],
        "heat": state["heat"],
        "pump": state["pump"],
        "gate": state["gate"],
        "figures": state["figures"],
        "devices": {n: (d["link"], d["reason"]) for n, d in state["devices"].items()},
        "values": {n: c["value"] for n, c in state["channels"].items()},
    }


@contextmanager
def demo_room(speed: float = 1.0, scenario: Path | None = None) -> Iterator[DemoRoom]:
    room = DemoRoom(speed, scenario)
    try:
        yield room
    finally:
        room.close()


@contextmanager
def simulated(ports: Path, scenario: Path, speed: float = 1.0) -> Iterator[None]:
    pace = ("--scenario", str(scenario), "--speed", str(speed))
    process = hipec("devices", "simulate", "--dir", str(ports), *pace)
    try:
        assert process.stdout is not None
        assert "ready\n" in iter(process.stdout.readline, ""), "no simulated instruments"
        yield
    finally:
        process.terminate()
        process.communicate(timeout=20)


@contextmanager
def client_of(room: Room, role: str = "perfusionist") -> Iterator[Client]:
    client = Client(room, role)
    try:
        yield client
    finally:
        client.close()
