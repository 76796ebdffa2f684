"""One driver meets one fault: live, the fault, cleared, live again; and what was seen of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from drivers.classes import Measured, Polled
from service.core.model import LinkState, Validity
from simulator.faults import FAULTS, FaultError
from tests.contract.bench import Bench, Told, bench, fault_of
from tests.contract.pairs import PAIRS, Pair

GRACE_S = 1.6
"""A module may measure once per second only, and a poll or two may be under way."""
FAULTY_S, WELL_S = 4.0, 1.0
BACK_S = 12.0
"""Two attempts, 5 s apart: the first may end what half a command left in the instrument."""


class Outcome(StrEnum):
    """What a driver makes of a fault that lasts; the words of docs/instruments.md."""

    GOES_ON = "goes on"
    LOST = "lost"
    BACK = "lost, back by itself"
    FAULT = "tells a fault"
    NO_VALUE = "no value"
    DOUBTED = "doubted"
    AS_SENT = "as sent"


@dataclass(frozen=True, kw_only=True)
class Story:
    """What was told before, during and after a fault. Times are seconds of the bench."""

    outcome: Outcome
    told: Told
    logged: list[str]
    truth: Mapping[int, float]
    set_s: float
    cleared_s: float

    @property
    def during(self) -> list[Polled]:
        return [polled for at, polled in self.told.frames if self.set_s < at <= self.cleared_s]

    @property
    def after(self) -> list[Polled]:
        return self.told.since(self.cleared_s)

    def untrue(self) -> list[Measured]:
        """Values that the instrument never measured, from the fault on."""
        frames = [polled for at, polled in self.told.frames if at > self.set_s]
        return [one for polled in frames for one in polled.measured if untrue(self.truth, one)]


def possible(name: str) -> list[str]:
    """The faults that the twin of this pair can have."""
    twin = bench(name).twin
    found = []
    for fault in FAULTS:
        try:
            twin.check(fault_of(twin, fault))
        except FaultError:
            continue
        found.append(fault)
    return found


COMBINATIONS = [(name, fault) for name in PAIRS for fault in possible(name)]


@cache
def story(name: str, fault: str, *, from_start: bool = False) -> Story:
    """Play it, with the fault set once the device is live, or before it is looked for."""
    return bench(name).play(lambda here: _scene(here, fault, from_start))


async def _scene(here: Bench, fault: str, from_start: bool) -> Story:
    some_frames_s = 6 * here.pair.interval_s
    if not from_start:
        await here.start().live(BACK_S + some_frames_s)
        await asyncio.sleep(WELL_S + some_frames_s)
    set_s = here.clock.now_s
    here.twin.fault(fault_of(here.twin, fault), set_s)
    told = here.start() if from_start else here.told[0]
    await asyncio.sleep(FAULTY_S + some_frames_s)
    here.twin.clear()
    cleared_s, by_itself = here.clock.now_s, told.state is LinkState.LIVE
    await told.live(BACK_S + some_frames_s)
    await asyncio.sleep(WELL_S + some_frames_s)
    return Story(
        outcome=outcome(here.pair, told, set_s, cleared_s, by_itself=by_itself),
        told=told,
        logged=[text for _, text in here.logged.told],
        truth=here.pair.truth,
        set_s=set_s,
        cleared_s=cleared_s,
    )


def outcome(pair: Pair, told: Told, set_s: float, cleared_s: float, *, by_itself: bool) -> Outcome:
    """What the driver made of a fault; `by_itself`: it was live again before that was cleared."""
    began_s = set_s + GRACE_S + pair.interval_s
    seen = [polled for at_s, polled in told.frames if began_s < at_s <= cleared_s]
    lost = any(s is LinkState.LOST for at, s, _ in told.links if set_s <= at <= cleared_s)
    return _lost(by_itself) if lost or not seen else _outcome(pair.truth, seen)


def _lost(by_itself: bool) -> Outcome:
    return Outcome.BACK if by_itself else Outcome.LOST


def _outcome(truth: Mapping[int, float], seen: list[Polled]) -> Outcome:
    if any(polled.status and polled.status.fault for polled in seen):
        return Outcome.FAULT
    measured = [one for polled in seen for one in polled.measured if one.input in truth]
    if any(one.value is None for one in measured):
        return Outcome.NO_VALUE
    if any(one.validity is Validity.QUESTIONABLE for one in measured):
        return Outcome.DOUBTED
    return Outcome.AS_SENT if any(untrue(truth, one) for one in measured) else Outcome.GOES_ON


def untrue(truth: Mapping[int, float], one: Measured) -> bool:
    """A value is shown that the instrument does not measure."""
    true = truth.get(one.input)
    return one.value is not None and (true is None or abs(one.value - true) > 0.02)
