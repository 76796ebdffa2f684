"""The record of a real room, with a crash in the middle, proves itself while the room goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.journal.store import open_writing
from service.site_text import demo_site
from tests.e2e.conftest import WARM
from tests.e2e.room import Room, client_of, demo_room
from tests.journal.signed import key_of


def hipec(*arguments: str) -> str:
    """What a command answers that has to succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def crash(room: Room) -> None:
    os.kill(room.pid("service.control"), signal.SIGKILL)


@pytest.mark.requirement("RC-135", "RC-138", "RC-139")
def test_a_session_with_a_crash_is_verified_replayed_and_exported(tmp_path: Path) -> None:
    with demo_room(20.0, WARM) as room, client_of(room) as client:
        client.to_heat_up()
        client.until(lambda s: s["heat"]["on"], 15, "heat")
        crash(room)
        client.until(lambda s: not s["heat"]["on"], 30, "recovered, the heater off")
        client.command("note", text="after the crash")
        session, site = client.state["session"], str(room.site)
        told = hipec("sessions", "verify", session, "--site", site)
        assert "not closed, mode demo\nSIMULATED DATA" in told
        assert "of this very core" in told
        assert told.endswith("GOOD: nothing was altered.\n")
        folder = hipec("sessions", "export", session, "--site", site, "--out", str(tmp_path))
        exported = folder.splitlines()[0]
        assert "SIMULATED" in exported
        assert "GOOD" in hipec("sessions", "verify", session, "--file", exported)
        alone = [sys.executable, f"{exported}/SIMULATED-verify.py"]
        assert subprocess.run(alone, stdout=subprocess.DEVNULL).returncode == 0
        assert "since" in hipec("keys", "show", "--site", site)


@pytest.mark.requirement("RC-137")
def test_a_room_whose_key_is_lost_does_not_start_until_somebody_says_why(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hipec.db'}"
    site = tmp_path / "site.toml"
    site.write_text(demo_site(tmp_path, database=url, listen="127.0.0.1:0"))
    store = open_writing(url)
    key_of(store, tmp_path / "hipec.db.key")
    store.close()
    (tmp_path / "hipec.db.key").unlink()
    command = [sys.executable, "-m", "service.cli", "serve", "--site", str(site)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "hipec.db.key is missing" in done.stderr
    assert "hipec keys replace --reason" in done.stderr
    assert "Traceback" not in done.stderr
    assert "takes the place" in hipec("keys", "replace", "--site", str(site), "--reason", "lost")
