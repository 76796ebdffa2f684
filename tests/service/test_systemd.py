"""What systemd is told and given."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from service import systemd
from service.systemd import notify, unit_text, watchdog_interval_s

pytestmark = pytest.mark.real_time


def test_a_sign_of_life_reaches_systemd_and_nobody_is_told_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(address)
        channel.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify("WATCHDOG=1")
        assert channel.recv(100) == b"WATCHDOG=1"
        monkeypatch.delenv("NOTIFY_SOCKET")
        notify("WATCHDOG=1")
        channel.setblocking(False)
        with pytest.raises(BlockingIOError):
            channel.recv(100)


def test_signs_of_life_come_three_times_within_the_patience_of_systemd(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert watchdog_interval_s() is None
    monkeypatch.setenv("WATCHDOG_USEC", "9000000")
    assert watchdog_interval_s() == 3.0


def test_real_time_is_only_asked_for_by_the_unit_and_its_refusal_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda *a: asked.append(a))
    monkeypatch.delenv(systemd.REALTIME, raising=False)
    assert systemd.run_before_ordinary_work() is None
    assert asked == []
    monkeypatch.setenv(systemd.REALTIME, "10")
    assert systemd.run_before_ordinary_work() is None
    assert [policy for _, policy, _ in asked] == [os.SCHED_FIFO | os.SCHED_RESET_ON_FORK]  # type: ignore[misc]
    monkeypatch.setenv(systemd.REALTIME, "high")
    assert "Real-time scheduling (HIPEC_REALTIME=high)" in str(systemd.run_before_ordinary_work())


def test_the_unit_leaves_the_control_process_to_the_next_supervisor_and_refuses_a_silent_stop(
    tmp_path: Path,
) -> None:
    unit = unit_text(tmp_path / "site.toml", "or-3", "hipec", realtime=False)
    lines = unit.splitlines()
    for line in ("KillMode=process", "RefuseManualStop=yes", "Type=notify", "WatchdogSec=10"):
        assert line in lines
    assert "RestartPreventExitStatus=2 3 4" in lines
    assert "RTPRIO" not in unit
    assert "LimitRTPRIO=10" in unit_text(tmp_path / "s.toml", "or-3", "hipec", realtime=True)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "hipec.service"
    unit.write_text(unit_text(tmp_path / "site.toml", "or-3", "root", realtime=True))
    found = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert "hipec.service" not in found.stderr
