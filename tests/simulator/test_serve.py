import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.control import ControlError, ask
from simulator.scenario import ScenarioError
from simulator.serve import RoomServer, ServeError

pytestmark = pytest.mark.real_time

PORTS = ("sites", "circuit", "pump", "heater", "pressure", "flow")
PROGRAM = """
import sys
from pathlib import Path
from simulator.serve import serve
sys.exit(serve(Path(sys.argv[1]), None, 1.0))
"""


def start(directory: Path) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(directory)],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_ready(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.strip() == "ready":
            break
    return lines


def test_serve_names_its_ports_answers_and_cleans_up_when_told_to_end(tmp_path):
    directory = tmp_path / "room"
    process = start(directory)
    try:
        lines = wait_ready(process)
        assert [line.split()[0] for line in lines] == [*PORTS, "ready"]
        assert lines[3].split()[1:4] == [str(directory / "heater"), "4800", "7E1"]
        assert all((directory / name).is_symlink() for name in PORTS)
        assert ask(directory, {"do": "state"})["ok"]
        second = start(directory)
        _, complaint = second.communicate(timeout=10)
        assert second.returncode == 2
        assert f"already served by process {process.pid}" in complaint
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert os.listdir(directory) == []
    finally:
        process.kill()
        process.communicate()


def test_what_a_killed_room_left_behind_does_not_stop_the_next(tmp_path):
    directory = tmp_path / "room"
    process = start(directory)
    wait_ready(process)
    process.kill()
    process.communicate()
    assert (directory / "heater").is_symlink()
    with RoomServer(directory):
        assert ask(directory, {"do": "state"})["ok"]


def test_a_file_in_the_way_is_named_and_left_alone(tmp_path):
    (tmp_path / "pump").write_text("notes")
    with pytest.raises(ServeError, match="pump is in the way"):
        RoomServer(tmp_path)
    assert (tmp_path / "pump").read_text() == "notes"


def test_an_impossible_speed_and_a_bad_scenario_are_refused(tmp_path):
    with pytest.raises(ServeError, match="speed 0 is not possible"):
        RoomServer(tmp_path, speed=0)
    with pytest.raises(ScenarioError, match="cannot be read"):
        RoomServer(tmp_path, tmp_path / "none.toml")


def test_a_path_too_long_for_a_socket_is_refused(tmp_path):
    with pytest.raises(ServeError, match="too long"):
        RoomServer(tmp_path / ("x" * 110))


def test_a_room_is_asked_and_changed_over_its_control_channel(tmp_path):
    with RoomServer(tmp_path / "room") as server:
        answer = ask(server.directory, {"do": "plant", "set": {"cooling_w": 60}})
        assert answer == {"ok": True}
        assert ask(server.directory, {"do": "state"})["plant"]["cooling_w"] == 60
        refused = ask(server.directory, {"do": "plant", "set": {"gravity": 1}})
        assert not refused["ok"]
        assert "the plant has no 'gravity'" in refused["error"]


def test_rubbish_on_the_control_channel_is_answered_and_the_room_goes_on(tmp_path):
    with RoomServer(tmp_path / "room") as server:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(5.0)
            client.connect(str(server.directory / "control"))
            client.sendall(b'not json\n[1]\n{"do":"state"}\n')
            answers = client.makefile("rb")
            replies = [json.loads(answers.readline()) for _ in range(3)]
            answers.close()
        assert [reply["ok"] for reply in replies] == [False, False, True]
        assert ask(server.directory, {"do": "state"})["ok"]


def test_asking_where_no_room_is_says_how_to_start_one(tmp_path):
    with pytest.raises(ControlError, match="hipec devices simulate"):
        ask(tmp_path, {"do": "state"})
