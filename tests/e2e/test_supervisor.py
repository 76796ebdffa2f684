"""The supervisor dies, comes back, is told to end, or is started twice, during a treatment."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import WARM
from tests.e2e.room import Client, DemoRoom, ServedRoom, children, client_of, demo_room


def heated(client: Client) -> Client:
    client.to_heat_up()
    client.until(lambda s: s["heat"]["on"] and s["devices"]["heater"]["running"], 30, "heat")
    return client


@pytest.fixture(scope="module")
def systemd() -> Iterator[list[str]]:
    """What a room of this file tells systemd, which wants a sign of life every 0.6 s."""
    heard: list[str] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
        pytest.MonkeyPatch.context() as environment,
    ):
        channel.bind(f"{folder}/notify")
        environment.setenv("NOTIFY_SOCKET", f"{folder}/notify")
        environment.setenv("WATCHDOG_USEC", "600000")

        def listen() -> None:
            while "STOPPING=1" not in heard:
                heard.append(channel.recv(100).decode())

        threading.Thread(target=listen, daemon=True).start()
        yield heard


@pytest.fixture(scope="module")
def room(systemd: list[str]) -> Iterator[DemoRoom]:
    """One that goes on treating until the last test with it ends it."""
    with demo_room(1.0, WARM) as room:
        yield room


@pytest.fixture(scope="module")
def client(room: DemoRoom) -> Iterator[Client]:
    with client_of(room) as client:
        yield heated(client)


def alarm_ids(state: dict) -> set[str]:
    return {alarm["id"] for alarm in state["alarms"] if alarm["presence"] == "on"}


def shutdown(room: DemoRoom, *arguments: str, says: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service.cli", "shutdown", "--site", str(room.site)]
    return subprocess.run(
        [*command, *arguments], input=says, capture_output=True, text=True, check=False
    )


@pytest.mark.requirement("RC-140")
def test_a_second_service_of_the_same_room_is_refused_and_the_first_goes_on(
    room: DemoRoom, client: Client
) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "service.cli", "serve", "--site", str(room.site)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 4
    assert f"served already, by process {room.process.pid}" in second.stderr
    client.until(lambda s: room.heater_runs(), 5, "heat goes on")


def test_a_shutdown_asks_for_the_rooms_name_and_without_it_the_treatment_goes_on(
    room: DemoRoom, client: Client
) -> None:
    refused = shutdown(room, says="no\n")
    assert refused.returncode == 1 and "is treating" in refused.stderr
    assert room.process.poll() is None
    client.until(lambda s: room.heater_runs(), 5, "heat goes on")


def test_the_first_ctrl_c_during_a_treatment_asks_and_the_second_ends_it(
    room: DemoRoom, client: Client
) -> None:
    room.process.send_signal(signal.SIGINT)
    client.until(
        lambda s: any("asked whether to end" in note["text"] for note in s["events"]),
        5,
        "the question is in the record",
    )
    assert room.process.poll() is None
    client.until(lambda s: room.heater_runs(), 5, "heat goes on")
    _wait(lambda: any("Press Ctrl-C again" in line for line in room.errors), "it says how")
    room.process.send_signal(signal.SIGINT)
    client.until(
        lambda s: any("to end during the treatment, by Ctrl-C" in n["text"] for n in s["events"]),
        5,
        "the end is in the record",
    )
    assert room.process.wait(20) == 0


def test_systemd_heard_when_the_room_was_ready_that_it_lived_and_that_it_ended(
    room: DemoRoom, client: Client, systemd: list[str]
) -> None:
    _wait(lambda: "STOPPING=1" in systemd, "systemd hears of the end")
    assert systemd[0] == "READY=1"
    assert systemd[-1] == "STOPPING=1"
    assert len(systemd) > 4
    assert set(systemd[1:-1]) == {"WATCHDOG=1"}


@pytest.mark.requirement("RC-140")
def test_a_control_process_without_supervisor_alarms_adds_no_heat_and_takes_the_next_one() -> None:
    """The next one ends the room, when told the room's name, and who ended it is recorded."""
    with demo_room(1.0, WARM) as room, client_of(room) as client:
        session = heated(client).state["session"]
        processes = list(children(room.process.pid))
        control, web = room.pid("service.control"), room.pid("service.web")
        room.process.kill()
        room.process.wait(5)
        try:
            client.until(lambda s: "supervisor_lost" in alarm_ids(s), 3, "the room says so")
            client.until(lambda s: not s["heat"]["on"], 3, "no heat")
            _wait(lambda: not room.heater_runs(), "heater off", within_s=5)
            follower = ServedRoom(room.site, room.ports)
            with client_of(follower) as after:
                after.until(lambda s: "supervisor_lost" not in alarm_ids(s), 5, "watched again")
                assert after.state["session"] == session
                assert after.state["phase"] == "heat_up"
                assert Path(f"/proc/{control}").exists(), "the same process goes on treating"
                assert not _runs(web), "the web process left behind is replaced"
                _is_ended_by_name(room, follower, after)
            assert not _runs(control)
        finally:
            for pid in processes:
                if _runs(pid):
                    os.kill(pid, signal.SIGTERM)


def _wait(holds: Callable[[], object], what: str, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.05)


def _is_ended_by_name(room: DemoRoom, follower: ServedRoom, after: Client) -> None:
    try:
        name = shutdown(room, says="no\n").stderr.split()[1]
        why = ("--by", "Technician", "--reason", "wrong room")
        ended = shutdown(room, *why, says=f"{name}\n")
        assert ended.returncode == 0, ended.stderr
        after.until(
            lambda s: any("by Technician: wrong room" in note["text"] for note in s["events"]),
            5,
            "the end is in the record",
        )
        assert follower.process.wait(20) == 0
    finally:
        follower.close()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
