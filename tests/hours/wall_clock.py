"""The same room twice, once with a wall clock that steps and drifts: no timer may notice.

python -m tests.hours.wall_clock [HOURS] [SEED]
"""

import logging
import sys
import tempfile
from itertools import zip_longest
from pathlib import Path

from service.core.effects import AlarmChanged, PhaseChanged
from tests.hours.chance import CLOCK_STEPS_S, DRIFT_NS_PER_S, Chance
from tests.hours.room import HourRoom

STEP_EVERY_S = 60
SAYS_SO = "clock_stepped"
"""The alarm that tells of the step itself."""

Told = tuple[int, str]


def told(seed: int, hours: float, *, moves: bool) -> list[Told]:
    """When (monotonic ns) alarms and phases changed in the room of this seed."""
    logging.getLogger("drivers").setLevel(logging.CRITICAL)
    chance = Chance(seed, quiet=True, clocks=False)
    found: list[Told] = []

    def act(room: HourRoom) -> None:
        for effect in room.effects:
            if isinstance(effect, AlarmChanged) and effect.id != SAYS_SO:
                found.append((effect.at.mono_ns, f"{effect.id} {effect.source} {effect.event}"))
            elif isinstance(effect, PhaseChanged):
                found.append((effect.at.mono_ns, effect.to_phase.value))
        room.effects.clear()
        chance.act(room)
        second = round(room.now_s)
        if moves:
            room.utc_off_ns += DRIFT_NS_PER_S
        if moves and second % STEP_EVERY_S == 0:
            step_s = CLOCK_STEPS_S[second // STEP_EVERY_S % len(CLOCK_STEPS_S)]
            room.utc_off_ns += round(step_s * 1e9)

    with tempfile.TemporaryDirectory() as folder:
        HourRoom(seed, Path(folder)).play(hours, act)
    return found


def apart(seed: int, hours: float) -> tuple[int, int]:
    """How many changes there were, and by how much (ns) the worst of them was moved.

    AssertionError where the clock changed what happened.
    """
    true, moved = told(seed, hours, moves=False), told(seed, hours, moves=True)
    worst_ns = 0
    for before, after in zip_longest(true, moved, fillvalue=(0, "nothing")):
        assert before[1] == after[1], f"seed {seed}: {before} became {after}"
        worst_ns = max(worst_ns, abs(before[0] - after[0]))
    return len(true), worst_ns


def main() -> None:
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    changes, worst_ns = apart(seed, hours)
    print(
        f"wall clock moved every {STEP_EVERY_S} s by up to a day and drifting by 1 ms/s, seed"
        f" {seed}, {hours:g} h: {changes} changes of alarms and phases, at most {worst_ns / 1e6:g}"
        " ms apart from those of a true clock"
    )


if __name__ == "__main__":
    main()
