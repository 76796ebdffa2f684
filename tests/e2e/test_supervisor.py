"""The supervisor dies, comes back, is told to end, or is started twice, during a treatment."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import WARM
from tests.e2e.room import Client, DemoRoom, ServedRoom, children, client_of, demo_room


@pytest.fixture
def room() -> Iterator[DemoRoom]:
    with demo_room(1.0, WARM) as room:
        yield room


@pytest.fixture
def client(room: DemoRoom) -> Iterator[Client]:
    with client_of(room) as client:
        client.to_heat_up()
        client.until(lambda s: s["heat"]["on"] and s["devices"]["heater"]["running"], 15, "heat")
        yield client


def alarm_ids(state: dict) -> set[str]:
    return {alarm["id"] for alarm in state["alarms"] if alarm["presence"] == "on"}


@pytest.mark.requirement("RC-140")
def test_a_control_process_without_supervisor_alarms_adds_no_heat_and_takes_the_next_one(
    room: DemoRoom, client: Client
) -> None:
    processes = list(children(room.process.pid))
    control, web = room.pid("service.control"), room.pid("service.web")
    session = client.state["session"]
    room.process.kill()
    room.process.wait(5)
    try:
        client.until(lambda s: "supervisor_lost" in alarm_ids(s), 3, "the room says so")
        client.until(lambda s: not s["heat"]["on"], 3, "no heat")
        deadline = time.monotonic() + 5
        while room.heater_runs():
            assert time.monotonic() < deadline, "the heater still runs"
            time.sleep(0.05)
        follower = ServedRoom(room.site, room.ports)
        try:
            with client_of(follower) as after:
                after.until(lambda s: "supervisor_lost" not in alarm_ids(s), 5, "watched again")
                assert after.state["session"] == session
                assert after.state["phase"] == "heat_up"
            assert Path(f"/proc/{control}").exists(), "the same process goes on treating"
            assert not _runs(web), "the web process left behind is replaced"
        finally:
            assert follower.close() == 0
        assert not _runs(control)
    finally:
        for pid in processes:
            if _runs(pid):
                os.kill(pid, signal.SIGTERM)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


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
    assert any("Press Ctrl-C again" in line for line in room.errors)
    room.process.send_signal(signal.SIGINT)
    client.until(
        lambda s: any("to end during the treatment, by Ctrl-C" in n["text"] for n in s["events"]),
        5,
        "the end is in the record",
    )
    assert room.process.wait(20) == 0


def test_a_shutdown_asks_for_the_rooms_name_and_records_who_ended_it(
    room: DemoRoom, client: Client
) -> None:
    def shutdown(*arguments: str, says: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "service.cli", "shutdown", "--site", str(room.site)]
        return subprocess.run(
            [*command, *arguments], input=says, capture_output=True, text=True, check=False
        )

    refused = shutdown(says="no\n")
    assert refused.returncode == 1 and "is treating" in refused.stderr
    assert room.process.poll() is None
    client.until(lambda s: room.heater_runs(), 5, "heat goes on")
    name = refused.stderr.split()[1]
    ended = shutdown("--by", "Technician", "--reason", "wrong room", says=f"{name}\n")
    assert ended.returncode == 0, ended.stderr
    client.until(
        lambda s: any("by Technician: wrong room" in note["text"] for note in s["events"]),
        5,
        "the end is in the record",
    )
    assert room.process.wait(20) == 0


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


def test_systemd_hears_when_the_room_is_ready_that_it_lives_and_that_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    def listen() -> None:
        while "STOPPING=1" not in heard:
            heard.append(channel.recv(100).decode())

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        systemd = threading.Thread(target=listen)
        systemd.start()
        with demo_room(1.0, WARM):
            deadline = time.monotonic() + 30
            while len(heard) < 4:
                assert time.monotonic() < deadline, heard
                time.sleep(0.05)
        systemd.join(70)
    assert heard[0] == "READY=1"
    assert heard[-1] == "STOPPING=1"
    assert set(heard[1:-1]) == {"WATCHDOG=1"}
