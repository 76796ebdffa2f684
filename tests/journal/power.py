"""Power cuts on the real journal, rebuilt from the system calls that it made.

A process writes a journal under strace. For a cut at any of its calls the files are rebuilt as a
disk may hold them then: what was synced, and of everything written since any part, by sectors of
512 bytes, in any order. Assumed: a sync that returns has happened, a sector is whole, the entries
of the folder are durable.
"""

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from service.core.events import Tick
from service.journal.codec import CODEC
from service.journal.rows import JournalError
from service.journal.sealing import Unsealer
from service.journal.store import open_writing
from service.journal.verify import verify_chain

SECTOR = 512
CHAIN = "room"
CALLS = "pwrite64,write,fsync,fdatasync,ftruncate,unlink"
WRITE = """
import os, sys
from service.journal import sqlite
from service.journal.store import open_writing
from service.journal.writer import Writer
from tests.journal.material import frame, tick

path, count, synchronous = sys.argv[1], int(sys.argv[2]), sys.argv[3]
sqlite.SETTINGS |= {"synchronous": synchronous, "wal_autocheckpoint": "150"}
said = os.open(path + ".said", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
writer = Writer(
    open_writing(f"sqlite:///{path}"),
    on_durable=lambda ticket: os.write(said, b"%d\\n" % ticket),
    on_trouble=print,
    compact_s=0,
)
for n in range(count):
    ticket = writer.append("room", [tick(n), frame(n + 0.5, 42.0 + n / 100)])
    while writer.waiting > 3:
        pass
assert writer.close(60) == 0
"""
_CALL = re.compile(r"^\d+ +(\w+)\((?:\d+<([^>]*)>|\"([^\"]*)\")(?:, (.*))?\) = (-?\d+)")
_DATA = re.compile(r'^"([^"]*)"(?:, \d+)?(?:, (\d+))?$')


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that changed a file or said that it is on the disk."""

    name: str
    file: str
    at: int = 0
    data: bytes = b""


@dataclass(slots=True)
class Disk:
    """One file as it is on the disk for certain, and what was done to it since."""

    synced: bytearray = field(default_factory=bytearray)
    since: list[Call] = field(default_factory=list)

    def do(self, call: Call) -> None:
        if call.name in ("fsync", "fdatasync"):
            self.synced = self.after(lambda: True)
            self.since = []
        else:
            self.since.append(call)

    def after(self, survives) -> bytearray:
        """The file, when each sector and each change of length is asked whether it got there."""
        content = bytearray(self.synced)
        for call in self.since:
            if call.name == "ftruncate":
                if survives():
                    del content[call.at :]
                    content.extend(bytes(call.at - len(content)))
                continue
            for start in range(0, len(call.data), SECTOR):
                if survives():
                    put(content, call.at + start, call.data[start : start + SECTOR])
        return content


def put(content: bytearray, at: int, data: bytes) -> None:
    content.extend(bytes(max(0, at + len(data) - len(content))))
    content[at : at + len(data)] = data


@dataclass(slots=True, kw_only=True)
class Tally:
    """How a number of cuts ended."""

    cuts: int = 0
    whole: int = 0
    lost: int = 0
    corrupt: int = 0

    def __str__(self) -> str:
        return f"{self.cuts} cuts: {self.whole} whole, {self.lost} lost, {self.corrupt} corrupt"


def record(folder: Path, count: int, synchronous: str = "FULL") -> list[Call]:
    """The calls of a process that writes `count` passes to a journal in this folder."""
    path, log = folder / "hipec.db", folder / "calls"
    store = open_writing(f"sqlite:///{path}")
    store.close()
    (folder / "before").write_bytes(path.read_bytes())
    command = ["strace", "-f", "-y", "-xx", "-s", "1000000", "-o", str(log), "-e", f"trace={CALLS}"]
    command += [sys.executable, "-c", WRITE, str(path), str(count), synchronous]
    subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL)
    return list(calls(log, path))


def calls(log: Path, path: Path) -> Iterator[Call]:
    """The calls on the journal's files in the order in which they returned."""
    begun: dict[str, str] = {}
    for line in log.read_text().splitlines():
        process = line.split(maxsplit=1)[0]
        if line.endswith(" <unfinished ...>"):
            begun[process] = line.removesuffix(" <unfinished ...>")
            continue
        if "resumed>" in line:
            line = begun.pop(process) + line.partition("resumed>")[2]
        matched = _CALL.match(line)
        if matched is None or matched[5].startswith("-"):
            continue
        file = unescaped(matched[2] or matched[3]).decode()
        if file.startswith(str(path)) and not file.endswith(("-shm", ".lock")):
            yield call_of(matched[1], file.removeprefix(str(path)), matched[4] or "")


def call_of(name: str, file: str, arguments: str) -> Call:
    if name in ("pwrite64", "write"):
        matched = _DATA.match(arguments)
        assert matched, arguments[-60:]
        return Call(name=name, file=file, at=int(matched[2] or 0), data=unescaped(matched[1]))
    return Call(name=name, file=file, at=int(arguments) if name == "ftruncate" else 0)


def unescaped(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", "")) if text.startswith("\\x") else text.encode()


def cut(folder: Path, made: list[Call], cuts: int, seed: int, work: Path) -> Tally:
    """Cuts the power so many times, at calls and with survivors that the seed chooses."""
    chance = random.Random(seed)
    places = sorted(chance.randrange(len(made) + 1) for _ in range(cuts))
    disks = {"": Disk(synced=bytearray((folder / "before").read_bytes()))}
    said, done, tally = 0, 0, Tally()
    for place in places:
        for call in made[done:place]:
            if call.file == ".said":
                said = int(call.data)
            elif call.name == "unlink":
                disks.pop(call.file, None)
            else:
                disks.setdefault(call.file, Disk()).do(call)
        done = place
        rebuild(disks, work, chance)
        judge(work, said, tally)
    return tally


def rebuild(disks: dict[str, Disk], work: Path, chance: random.Random) -> None:
    for old in work.iterdir():
        old.unlink()
    share = chance.choice((0.02, 0.5, 0.98))
    for file, disk in disks.items():
        content = disk.after(lambda: chance.random() < share)
        (work / f"hipec.db{file}").write_bytes(content)


def judge(work: Path, said: int, tally: Tally) -> None:
    """Opens the journal as the service does, and looks for what was called durable."""
    tally.cuts += 1
    try:
        store = open_writing(f"sqlite:///{work / 'hipec.db'}")
        try:
            opener = Unsealer(CODEC)
            items = [opener.open(row) for row in store.rows(CHAIN)]
            ticks = [item.at.mono_ns // 10**9 for item in items if isinstance(item, Tick)]
            assert verify_chain(store, CHAIN).findings == [] or not ticks
            assert ticks == list(range(len(ticks)))
        finally:
            store.close()
    except (JournalError, SQLAlchemyError, AssertionError):
        tally.corrupt += 1
        return
    # Every pass holds one tick, and tickets count passes from 1.
    tally.lost += len(ticks) < said
    tally.whole += len(ticks) >= said
