"""One call of the journal on its files fails, then the next one, and so on.

strace lets the n-th call of one kind on the journal's files fail (and as many after it as asked)
and everything else pass. What the process says of itself at its end is what the tests look at.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.journal.store import open_reading, open_writing
from service.journal.verify import verify_chain

CAMPAIGN = (
    *(("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("pwrite64", "EROFS")),
    *(("fdatasync", "EIO"), ("fsync", "EIO")),
    *(("ftruncate", "EIO"), ("openat", "EIO"), ("pread64", "EIO")),
)
PASSES = 60
WRITE = """
import json, sys
from service.journal import sqlite
from service.journal.rows import JournalError
from service.journal.store import open_writing
from service.journal.writer import Writer
from tests.journal.material import News, frame, tick

path, count = sys.argv[1], int(sys.argv[2])
sqlite.SETTINGS |= {"wal_autocheckpoint": "20"}
news = News()
try:
    store = open_writing(f"sqlite:///{path}")
except JournalError as error:
    print(json.dumps({"refused": str(error)}))
    raise SystemExit
writer = Writer(store, on_durable=news.on_durable, on_trouble=news.on_trouble, compact_s=0)
for n in range(count):
    ticket = writer.append("room", [tick(n), frame(n + 0.5, 42.0 + n / 100), frame(n + 0.6, 1.0)])
    if n % 3 == 0:
        assert news.wait_durable(ticket), "it is never written"
left = writer.close(60)
store.close()
print(json.dumps({"left": left, "durable": news.durable, "troubles": news.troubles}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Which call fails with which error: the n-th of its kind, and so many in all."""

    call: str
    error: str
    n: int
    times: int = 1

    def __str__(self) -> str:
        return f"{self.call} {self.n} (x{self.times}) fails with {self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How it ended: whether the failure was reached, and what the process said of itself."""

    reached: bool
    refused: str = ""
    troubles: tuple[str | None, ...] = ()


def suffer(folder: Path, failure: Failure, passes: int = PASSES) -> Ending:
    """Writes a journal in this folder while one call fails; AssertionError if anything is lost."""
    path = folder / "hipec.db"
    open_writing(f"sqlite:///{path}").close()
    log = folder / "calls"
    when = f"{failure.n}..{failure.n + failure.times - 1}"
    command = ["strace", "-f", "-o", str(log), "-e", f"trace={failure.call}"]
    for suffix in ("", "-wal", "-shm"):
        command += ["-P", f"{path}{suffix}"]
    command += ["-e", f"inject={failure.call}:error={failure.error}:when={when}"]
    command += [sys.executable, "-c", WRITE, str(path), str(passes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{failure}: {done.stderr[-2000:]}"
    said = json.loads(done.stdout.splitlines()[-1])
    reached = "(INJECTED)" in log.read_text()
    if "refused" in said:
        return Ending(reached=reached, refused=said["refused"])
    assert (said["left"], said["durable"]) == (0, passes), f"{failure}: {said}"
    check(path, passes, failure)
    return Ending(reached=reached, troubles=tuple(said["troubles"]))


def check(path: Path, passes: int, failure: Failure) -> None:
    store = open_reading(f"sqlite:///{path}")
    try:
        kinds = [row.kind for row in store.rows("room")]
        assert (kinds.count("Tick"), kinds.count("Frame")) == (passes, 2 * passes), str(failure)
        assert verify_chain(store, "room").findings == [], str(failure)
    finally:
        store.close()


def in_turn(folder: Path, call: str, error: str, passes: int, times: int) -> Iterator[Ending]:
    """The first call of a kind fails, then the second, until there are no more of them."""
    n = 0
    while True:
        n += 1
        own = folder / f"{call}-{error}-{times}-{n}"
        own.mkdir()
        ending = suffer(own, Failure(call=call, error=error, n=n, times=times), passes)
        if not ending.reached:
            return
        yield ending
