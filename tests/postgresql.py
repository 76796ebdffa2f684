"""A PostgreSQL server of the tests' own: in a folder, behind a socket, gone afterwards.

The programs are those of `$POSTGRES_BIN`, of `pg_config --bindir`, of Debian's package, or of
/usr/local/bin. They refuse to run as root; then the user `postgres` runs them.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

NUMBERS = count(1)
START_S = 60
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "dynamic_shared_memory_type": "mmap",
}


class Server:
    """A running server; `new_database` gives an empty database of its own."""

    def __init__(self, folder: Path, user: str) -> None:
        self.folder = folder
        self._user = user

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://{self._user}@/{name}?host={self.folder}"

    def connect(self, name: str = "postgres") -> psycopg.Connection:
        """A connection of the database's owner, outside of any transaction."""
        return psycopg.connect(host=str(self.folder), user=self._user, dbname=name, autocommit=True)

    def new_database(self) -> str:
        name = f"room_{next(NUMBERS)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)


def programs() -> Path:
    """The folder of `initdb` and `postgres`; FileNotFoundError says how to get them."""
    asked = os.environ.get("POSTGRES_BIN")
    found = [Path(asked)] if asked else []
    if shutil.which("pg_config"):
        told = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
        found.append(Path(told.stdout.strip()))
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found.append(Path("/usr/local/bin"))
    for folder in found:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise FileNotFoundError(
        "There is no PostgreSQL server here: install Debian's package postgresql, or name the"
        " folder of initdb in $POSTGRES_BIN."
    )


@contextmanager
def running() -> Iterator[Server]:
    """Starts a server in a new folder and ends it by its process."""
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, account.pw_uid, account.pw_gid)
        data = folder / "data"
        _run("initdb", "-D", data, "-A", "trust", "-U", account.pw_name, "-E", "UTF8", "--no-sync")
        options = " ".join(f"-c {key}={value!r}" for key, value in SETTINGS.items())
        options += f" -k {folder}"
        log = folder / "log"
        _run("pg_ctl", "-D", data, "-l", log, "-w", "-t", START_S, "-o", options, "start")
        try:
            yield Server(folder, account.pw_name)
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _run(program: str, *arguments: object) -> None:
    command = [str(programs() / program), *map(str, arguments)]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
        stderr=subprocess.STDOUT if program == "initdb" else subprocess.DEVNULL,
        text=True,
        cwd="/",
        timeout=2 * START_S,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stdout}")
