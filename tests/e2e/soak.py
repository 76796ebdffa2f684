"""A room that treats one patient after the other for hours: is anything growing or slowing down?

    python -m tests.e2e.soak HOURS [SPEED]

HOURS are the room's own (at speed 20 eight of them take 24 minutes). Memory, descriptors and
processor time of each process are looked at all the time; how late the ticks came is read from the
journal, where every tick of a session has its stamp.
"""

import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray

from service.control.process import TICK_S
from service.journal.rows import TICK
from service.journal.store import open_reading
from tests.e2e.conftest import WARM
from tests.e2e.operator import LongClient, Operator
from tests.e2e.room import DemoRoom, demo_room

LOOK_S = 1.0
TELL_S = 60
PROCESSES = ("supervisor", "control", "web")
CLOCK_HZ = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at a process: when (s), its memory (MB), descriptors, processor time (s)."""

    at_s: float
    memory_mb: float
    descriptors: int
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a process went: means of its second and of its last quarter, and its share of a core."""

    memory_mb: tuple[float, float]
    descriptors: tuple[float, float]
    core_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Soaked:
    """What a soak found. Lateness is that of ticks beyond their interval (ms: p50, p99)."""

    hours: float
    speed: float
    treated: int
    courses: dict[str, Course]
    ticks: int
    early_ms: tuple[float, float]
    late_ms: tuple[float, float]

    def told(self) -> str:
        """The figures, a line for each process."""
        lines = [f"{self.hours:g} h of the room at speed {self.speed:g}, {self.treated} treated"]
        for name, course in self.courses.items():
            lines.append(
                f"  {name:<10} memory {course.memory_mb[0]:.1f} -> {course.memory_mb[1]:.1f} MB,"
                f" descriptors {course.descriptors[0]:.1f} -> {course.descriptors[1]:.1f},"
                f" {100 * course.core_share:.1f} % of a core"
            )
        (p50, p99), (late_p50, late_p99) = self.early_ms, self.late_ms
        lines.append(
            f"  {self.ticks} ticks late by p50 {p50:.2f} -> {late_p50:.2f} ms,"
            f" p99 {p99:.1f} -> {late_p99:.1f} ms (second -> last quarter)"
        )
        return "\n".join(lines)


def look(pid: int, at_s: float) -> Look:
    """What /proc says of a process now."""
    folder = Path(f"/proc/{pid}")
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return Look(
        at_s=at_s,
        memory_mb=int((folder / "statm").read_text().split()[1]) * PAGE_BYTES / 1e6,
        descriptors=len(list((folder / "fd").iterdir())),
        cpu_s=(int(fields[11]) + int(fields[12])) / CLOCK_HZ,
    )


def pids(room: DemoRoom) -> dict[str, int]:
    """The three processes of a room."""
    web, control = room.pid("service.web"), room.pid("service.control")
    return dict(zip(PROCESSES, (room.process.pid, control, web), strict=True))


def course_of(looks: list[Look]) -> Course:
    """Second and last quarter of a process's looks: the first is still filling its memory."""
    quarter = max(len(looks) // 4, 1)
    early, late = looks[quarter : 2 * quarter] or looks, looks[-quarter:]
    spent_s = looks[-1].at_s - looks[0].at_s or 1.0

    def means(of: str) -> tuple[float, float]:
        return tuple(statistics.fmean(getattr(x, of) for x in part) for part in (early, late))  # type: ignore[return-value]

    return Course(
        memory_mb=means("memory_mb"),
        descriptors=means("descriptors"),
        core_share=(looks[-1].cpu_s - looks[0].cpu_s) / spent_s,
    )


def ticks_ns(site: Path, session: str) -> NDArray[np.int64]:
    """When the ticks of a session were, from the journal beside its site file (monotonic ns)."""
    with closing(open_reading(f"sqlite:///{site.with_name('hipec.db')}")) as store:
        found = []
        for streams, single in store.measurements(session, lambda kind, _: kind == TICK):
            found += [stream.mono_ns for stream in streams]
            found += [np.array([row[2].mono_ns]) for _, row in single if row[0] == TICK]
    return np.sort(np.concatenate([np.empty(0, np.int64), *found]))


def lateness_ms(site: Path, session: str) -> NDArray[np.float64]:
    """How much later than its interval each tick of a session came (ms)."""
    return np.maximum(np.diff(ticks_ns(site, session)) / 1e6 - 1e3 * TICK_S, 0.0)


def quantiles(late_ms: NDArray[np.float64]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    p50, p99 = np.percentile(late_ms, [50, 99])
    return float(p50), float(p99)


def seconds(hours: float, speed: float) -> Iterator[float]:
    """Real seconds that have passed, once per look, until the room's hours are over."""
    began = time.monotonic()
    while (past_s := time.monotonic() - began) * speed < hours * 3600:
        yield past_s
        time.sleep(LOOK_S)


def soak(hours: float, speed: float) -> Soaked:
    """Treat for so many hours of the room; what became of its processes."""
    looks: dict[str, list[Look]] = {name: [] for name in PROCESSES}
    with demo_room(speed, WARM) as room:
        client = LongClient(room)
        operator = Operator(client)
        for past_s in seconds(hours, speed):
            with suppress(httpx.HTTPError):
                operator.look()
            for name, pid in pids(room).items():
                looks[name].append(look(pid, past_s))
            if int(past_s) % TELL_S == 0:
                phase = client.state.get("phase")
                print(f"  {past_s:.0f} s: {phase}, {operator.treated} treated", file=sys.stderr)
        late = [lateness_ms(room.site, session) for session in operator.sessions]
        client.close()
    late_ms = np.concatenate(late)
    quarter = len(late_ms) // 4
    return Soaked(
        hours=hours,
        speed=speed,
        treated=operator.treated,
        courses={name: course_of(of) for name, of in looks.items()},
        ticks=len(late_ms),
        early_ms=quantiles(late_ms[quarter : 2 * quarter]),
        late_ms=quantiles(late_ms[-quarter:]),
    )


def main() -> None:
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    speed = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    print(f"python -m tests.e2e.soak {hours:g} {speed:g}", flush=True)
    print(soak(hours, speed).told())


if __name__ == "__main__":
    main()
