"""kill -9 of one process of a treating room after the other, at random instants, and what became
of the treatment.

    python -m tests.e2e.kills [TIMES] [SEED]

For each process: the phase, the session, the clocks and the alarms go on, the heater is off until a
person brings it back (where nobody watched it), what was acknowledged is in the record and no
command is there twice: looked at after each kill. The whole record proves itself at the end. The
next kill comes as soon as the room is back and has acknowledged something; the heat is brought back
before the first of every five.
"""

import os
import random
import signal
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from service.journal.codec import CODEC
from service.journal.store import open_reading
from service.records.proof import verify
from tests.e2e.conftest import WARM
from tests.e2e.operator import LongClient
from tests.e2e.room import Client, DemoRoom, Json, Room, ServedRoom, children, demo_room

PROCESSES = ("control", "web", "supervisor")
HEATED = ("prime", "fill", "heat_up")
SPEED = 4.0
ACCEPTED, TOO_MANY = 202, 429
LONG_S = 60.0
DURABLE_WITHIN_S = 0.2
"""A command that is told so soon was on the disk: what is not waits 0.25 s."""
STILL_OFF_S = 0.5
HEAT_EVERY = 5
LONGEST_LULL_S = 0.5
READY_S = 10.0
"""So long a room that has just come back may take to acknowledge something."""


@dataclass(slots=True)
class Tally:
    """How long it took until the room was told again, from the kill on (s), and what was kept."""

    process: str
    seed: int
    back_s: list[float] = field(default_factory=list)
    acknowledged: int = 0

    def __str__(self) -> str:
        back = sorted(self.back_s)
        p99 = back[min(len(back) - 1, int(0.99 * len(back)))]
        return (
            f"{self.process} killed {len(back)} times, seed {self.seed}: the room is told again"
            f" after p50 {statistics.median(back):.2f}, p99 {p99:.2f}, at most {back[-1]:.2f} s;"
            f" same phase, clocks add up, {self.acknowledged} acknowledged commands, 0 lost"
        )


def killed(processes: Sequence[str], times: int, seed: int, phase: str = "heat_up") -> list[Tally]:
    """One room, each of whose processes in turn is killed so many times in a phase.

    AssertionError for whatever is lost.
    """
    tallies = [Tally(process=process, seed=seed) for process in processes]
    chance = random.Random(f"{' '.join(processes)} {seed}")
    with demo_room(SPEED, WARM) as demo:
        room: Room = demo
        others: list[ServedRoom] = []
        instruments = list(children(demo.process.pid))
        client = LongClient(room)
        try:
            _walk(client, phase)
            record = Record(site=demo.site, session=client.state["session"])
            for number in range(times):
                for tally in tallies:
                    if number % HEAT_EVERY == 0:
                        _heats(client, room)
                    time.sleep(chance.uniform(0.0, LONGEST_LULL_S))
                    keys = _acknowledged(client, chance.uniform(0.0, 0.3))
                    alarms = _alarms(client.state)
                    if tally.process == "supervisor":
                        room, client = _supervisor(demo, room, client, tally)
                        others.append(room)  # type: ignore[arg-type]
                    else:
                        (_control if tally.process == "control" else _web)(room, client, tally)
                    _goes_on(client.state, record.session, phase)
                    _same_alarms(alarms, _alarms(client.state))
                    tally.acknowledged += record.holds(keys)
            record.proves_itself()
        finally:
            client.close()
            if others:
                others[-1].close()
                for pid in instruments:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGTERM)
    return tallies


def _walk(client: Client, phase: str) -> None:
    """Open a session and walk it to a phase in which heat is on."""
    client.until(lambda s: s["channels"]["inflow"]["value"], LONG_S, "values")
    client.command("open_session", protocol="closed-mmc-90", height_cm=170, weight_kg=70)
    client.until(lambda s: s["phase"] == "setup", LONG_S, "open")
    for step in HEATED[: HEATED.index(phase) + 1]:
        client.start(step, within_s=2 * LONG_S)


def _heats(client: Client, room: Room) -> None:
    """A person brings the heat back, as far as it is not there."""
    deadline = time.monotonic() + LONG_S
    while not (client.state.get("heat", {}).get("on") and room.heater_runs()):
        assert time.monotonic() < deadline, f"no heat: {client.state.get('heat')}"
        action = client.state["next_action"]
        if action and action["name"] == "resume" and action["enabled"]:
            with suppress(httpx.HTTPError):
                client.post("resume", second="Second Name")
        for alarm in client.state["alarms"]:
            if alarm["presence"] in ("on", "latched"):
                client.post("acknowledge", occurrence=alarm["occurrence"])
        time.sleep(0.25)


def _acknowledged(client: Client, within_s: float) -> list[str]:
    """Notes that were told so soon that they must be on the disk, up to the instant of the kill; at
    least one."""
    began = time.monotonic()
    keys: list[str] = []
    while time.monotonic() < began + within_s or not keys:
        assert time.monotonic() < began + LONG_S, "the room acknowledges nothing"
        given = time.monotonic()
        answer = client.post("note", text="before the kill")
        if answer.status_code != ACCEPTED:
            assert answer.status_code == TOO_MANY or given < began + READY_S, answer.text
            time.sleep(0.1)
            continue
        key = answer.json()["key"]
        with suppress(AssertionError):
            told = client.first(_tells_of(key), DURABLE_WITHIN_S, "told")
            if told - given < DURABLE_WITHIN_S:
                keys.append(key)
    return keys


def _tells_of(key: str) -> Callable[[Json], bool]:
    return lambda message: message.get("key") == key


def _alarms(state: Json) -> dict[str, str]:
    """The presence of each alarm by its occurrence."""
    return {alarm["occurrence"]: alarm["presence"] for alarm in state["alarms"]}


def _same_alarms(before: dict[str, str], after: dict[str, str]) -> None:
    """A latched alarm does not go by itself, and one that was acknowledged does not call again."""
    for occurrence, presence in before.items():
        now = after.get(occurrence)
        assert presence != "latched" or now is not None, f"{occurrence} was latched and is gone"
        calls = presence == "acknowledged" and now in ("on", "latched")
        assert not calls, f"{occurrence} was acknowledged and is {now}"


def _goes_on(state: Json, session: str, phase: str) -> None:
    assert state["session"] == session and state["phase"] == phase
    clocks = state["clocks"]
    parts = clocks["in_band_s"] + clocks["out_of_band_s"] + clocks["unobserved_s"]
    assert abs(parts - clocks["elapsed_s"]) < 0.1, clocks


def _until(client: Client, holds: Callable[[Json], object], since: float, what: str) -> float:
    """When the first message after `since` is so."""
    deadline = time.monotonic() + LONG_S
    while time.monotonic() < deadline:
        for at, message in list(client.messages):
            if at > since and holds(message):
                return at
        time.sleep(0.005)
    raise AssertionError(f"not within {LONG_S} s: {what}; {client.state.get('phase')}")


def _control(room: Room, client: Client, tally: Tally) -> None:
    boot = next(m["boot"] for _, m in reversed(client.messages))
    phase_s = client.state["clocks"]["phase_s"]
    os.kill(room.pid("service.control"), signal.SIGKILL)
    struck = time.monotonic()

    def is_back(message: Json) -> bool:
        return bool(message["type"] == "snapshot" and message["boot"] != boot)

    back = _until(client, is_back, struck, "another control process")
    tally.back_s.append(back - struck)
    assert not room.heater_runs(), "the heater runs and nobody has brought it back"
    assert not client.state["heat"]["on"]
    gone_s = client.state["clocks"]["phase_s"] - phase_s
    least_s = SPEED * (back - struck - 1.5)
    assert gone_s >= least_s, f"the clock lost time: {gone_s} of {least_s}"
    time.sleep(STILL_OFF_S)
    assert not room.heater_runs(), "the heater came back by itself"


def _web(room: Room, client: Client, tally: Tally) -> None:
    boot = next(m["boot"] for _, m in reversed(client.messages))
    heated = room.heater_runs(), client.state["heat"]["on"]
    os.kill(room.pid("service.web"), signal.SIGKILL)
    struck = time.monotonic()
    back = _until(client, lambda m: m["type"] == "snapshot", struck + 0.2, "pages again")
    tally.back_s.append(back - struck)
    assert next(m["boot"] for _, m in reversed(client.messages)) == boot, "another control process"
    assert (room.heater_runs(), client.state["heat"]["on"]) == heated, "the treatment went on"


def _supervisor(
    demo: DemoRoom, room: Room, client: Client, tally: Tally
) -> tuple[ServedRoom, LongClient]:
    """The supervisor dies and another takes its place, as systemd would see to it."""
    boot = next(m["boot"] for _, m in reversed(client.messages))
    room.process.kill()
    struck = time.monotonic()
    room.process.wait(10)
    client.close()
    room.close()
    follower = ServedRoom(demo.site, demo.ports)
    after = LongClient(follower)

    def is_watched(message: Json) -> bool:
        lost = any(a["id"] == "supervisor_lost" for a in message.get("state", {}).get("alarms", ()))
        return message["type"] == "snapshot" and not lost

    back = _until(after, is_watched, struck, "watched again")
    tally.back_s.append(back - struck)
    assert after.messages[-1][1]["boot"] == boot, "the same control process goes on"
    return follower, after


@dataclass(slots=True, kw_only=True)
class Record:
    """The record of the session, read on after each kill."""

    site: Path
    session: str
    _read: int = -1
    _recorded: set[str] = field(default_factory=set)

    def holds(self, keys: list[str]) -> int:
        """What was acknowledged is there, so many records, and no command is there twice."""
        with closing(open_reading(self._url)) as store:
            for row in store.spoken(self.session, ["Command"], after=self._read):
                key = CODEC.decode(row.kind, row.body, row.schema).key
                assert key not in self._recorded, f"{key} was carried out twice"
                self._recorded.add(key)
                self._read = row.n
        lost = set(keys) - self._recorded
        assert not lost, f"{len(lost)} acknowledged records are lost"
        return len(keys)

    def proves_itself(self) -> None:
        """The whole chain, and every effect of every event once more."""
        code, text = verify(self._url, self.session)
        assert code == 0, text

    @property
    def _url(self) -> str:
        return f"sqlite:///{self.site.with_name('hipec.db')}"


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for process in PROCESSES:
        began = time.monotonic()
        print(*killed([process], times, seed), flush=True)
        print(f"  {(time.monotonic() - began) / times:.1f} s each", flush=True)


if __name__ == "__main__":
    main()
