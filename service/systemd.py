"""What systemd is told and given: signs of life, and the unit that runs a room as a service."""

import contextlib
import os
import shlex
import socket
import sys
from pathlib import Path

REALTIME = "HIPEC_REALTIME"
"""Set by the unit of a room whose control process runs before all ordinary work: its priority."""

REALTIME_PRIORITY = 10
WATCHDOG_S = 10


def notify(text: str) -> None:
    """Tell systemd (sd_notify(3)), where it started us and listens; nothing anywhere else.

    Where it does not listen now, it is not waited for: the supervisor has a room to watch.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.setblocking(False)
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        with contextlib.suppress(BlockingIOError):
            channel.send(text.encode())


def watchdog_interval_s() -> float | None:
    """How often systemd wants a sign of life: a third of its patience; None where it has none."""
    limit_us = os.environ.get("WATCHDOG_USEC", "")
    return int(limit_us) / 3e6 if limit_us.isdigit() else None


def run_before_ordinary_work() -> str | None:
    """Let this process run before all others where its unit asks for it; why not, else None."""
    priority = os.environ.get(REALTIME, "")
    if not priority:
        return None
    try:
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(int(priority)))
    except (ValueError, OSError) as error:
        return f"Real-time scheduling ({REALTIME}={priority}) is not to be had: {error}."
    return None


def unit_text(site: Path, room: str, user: str, *, realtime: bool) -> str:
    """A unit file for /etc/systemd/system, for this installation and this site file."""
    command = shlex.join(
        [sys.executable, "-m", "service.cli", "serve", "--site", str(site.absolute())]
    )
    scheduling = (
        f"LimitRTPRIO={REALTIME_PRIORITY}\nEnvironment={REALTIME}={REALTIME_PRIORITY}\n"
        if realtime
        else ""
    )
    return UNIT.format(
        room=room,
        user=user,
        command=command,
        folder=site.absolute().parent,
        site=site.absolute(),
        watchdog_s=WATCHDOG_S,
        scheduling=scheduling,
    )


UNIT = """\
# HIPEC room {room}. Not a certified medical device.
# `systemctl stop` is refused, because it cannot ask: use `hipec shutdown --site {site}`.
[Unit]
Description=HIPEC room {room}
After=local-fs.target
RefuseManualStop=yes
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User={user}
SupplementaryGroups=dialout
ExecStart={command}
# 2, 3 and 4 are for a person to put right; a new start would not help.
RestartPreventExitStatus=2 3 4
Restart=on-failure
RestartSec=1
WatchdogSec={watchdog_s}
# Only the supervisor is ended: the control process goes on treating and the next one finds it.
KillMode=process
TimeoutStopSec=30
RuntimeDirectory=hipec
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
{scheduling}NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={folder}
ProtectHome=read-only
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
"""
