"""Plays rooms of one seed each, in as many processes as there are processors."""

import logging
import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.hours.chance import Chance
from tests.hours.room import HourRoom
from tests.hours.watch import Watch

LONGEST_H = 2.0
QUIET_EVERY = 4
"""Every so many seeds one in which nothing is wrong, so that automatic's ceilings are looked at."""

REPLAY_EVERY = 20
MEMORY = next(filter(Path.is_dir, [Path("/dev/shm")]), None)
"""Where the journals lie: power cuts and failing disks have campaigns of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One room: how long it was (h), what that took of a processor (s), how it ended."""

    seed: int
    hours: float
    cpu_s: float
    phase: str
    boots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Many rooms."""

    rooms: tuple[Played, ...]

    def __str__(self) -> str:
        hours, cpu_s = sum(r.hours for r in self.rooms), sum(r.cpu_s for r in self.rooms)
        ended = Counter(room.phase for room in self.rooms)
        seeds = [room.seed for room in self.rooms]
        return (
            f"{hours:.1f} room-hours, seeds {min(seeds)} to {max(seeds)}, nothing broken:"
            f" {hours / cpu_s:.4f} per second of a processor ({7200 * hours / cpu_s:.0f} in an"
            f" hour of two), {sum(r.boots for r in self.rooms)} crashes, ended in {dict(ended)}"
        )


def play(seed: int, hours: float = LONGEST_H, *, replays: bool = True) -> Played:
    """One room of this seed, its record replayed or only proved. Raises Broken."""
    logging.getLogger("drivers").setLevel(logging.CRITICAL)
    began_s = time.process_time()
    chance = Chance(seed, quiet=seed % QUIET_EVERY == 0)
    watch = Watch(seed, chance)

    def act(room: HourRoom) -> None:
        watch.look(room)
        chance.act(room)

    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        room = HourRoom(seed, Path(folder))
        room.play(hours, act)
        watch.record(room, replays=replays)
    return Played(
        seed=seed,
        hours=room.now_s / 3600,
        cpu_s=time.process_time() - began_s,
        phase=room.phase or "closed",
        boots=room.boots,
    )


def one_of_many(seed: int) -> Played:
    """One room of many: every record is proved, every twentieth is replayed as well."""
    return play(seed, replays=seed % REPLAY_EVERY == 0)


def played_hours(hours: float, first_seed: int, processes: int) -> Tally:
    """Rooms of one seed after the other until so many hours are over."""
    rooms: list[Played] = []
    if processes == 1:
        for seed in _seeds(rooms, hours, first_seed):
            rooms.append(one_of_many(seed))
        return Tally(rooms=tuple(rooms))
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for room in pool.imap(one_of_many, range(first_seed, first_seed + round(2 * hours) + 1)):
            rooms.append(room)
            if sum(each.hours for each in rooms) >= hours:
                break
    return Tally(rooms=tuple(rooms))


def _seeds(rooms: list[Played], hours: float, first: int) -> Iterator[int]:
    while sum(room.hours for room in rooms) < hours:
        yield first + len(rooms)
