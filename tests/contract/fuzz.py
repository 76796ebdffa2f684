"""Disturbed frames of one pair: how many were read, and how many of those wrongly.

Each driver reads what its simulated twin answered, with frames disturbed in every way of
`disturbing`. What is replayed is the answer to another question and, where answers name their
device, its neighbour's answer to the same question. Where they do not, it is an older answer of its
own: nothing in the bytes tells its age, so the older value is no wrong one.
"""

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from drivers.classes import Driver, Polled
from drivers.dialogue import BadReply, NoReply, Refused
from service.core.model import Validity
from tests.contract.bench import Bench, Station, bench
from tests.contract.pairs import PAIRS
from tests.contract.story import possible
from tests.drivers.disturbing import DISTURB
from tests.drivers.memory import MemoryLine

SHOWN = (Validity.VALID, Validity.QUESTIONABLE)
SPOILED_PART = 0.4
WELL_FORMED_PART = 0.05
"""Without a check sum only the form of a frame is checked: more than this means that it is not."""
LUCK = 6.0
"""Standard deviations that chance may add to what the bound says."""


@dataclass(frozen=True)
class CheckSum:
    """`bits` is the part of all disturbed frames that passes by chance: 1 in 2 ** bits."""

    name: str
    bits: int | None


CRC16 = CheckSum("CRC-16: 1 in 65 536", 16)
SUM8 = CheckSum("8-bit sum: 1 in 256; and it does not see bytes that change places", 8)
NONE = CheckSum("none: what is still well formed is read as it stands", None)
CHECK_SUMS: Mapping[str, CheckSum] = {
    "icpdas_tm_th8": CRC16,
    "icpdas_digital": CRC16,
    "keller_33x": CRC16,
    "modbus_map": CRC16,
    "neslab": SUM8,
    "datex_s5": SUM8,
    "dcon_temperature with check sum": SUM8,
}


@dataclass(frozen=True)
class Fuzzed:
    """What came of it: disturbed frames by kind, and polls that show a value nobody measured."""

    told: Counter[str]
    wrong: int
    check_sum: CheckSum

    def check(self) -> None:
        """Every kind was played, and no more is wrong than the check sum's bound lets through."""
        assert len(self.told) == len(DISTURB)
        if self.check_sum.bits is not None:
            by_chance = self.told.total() / 2**self.check_sum.bits
            assert self.wrong <= by_chance + LUCK * math.sqrt(by_chance) + LUCK
        assert self.wrong <= WELL_FORMED_PART * self.told.total()


def fuzzed(name: str, frames: int, seed: int) -> Fuzzed:
    """Read so many disturbed frames of one pair; a crash of its driver goes through."""
    known, unasked = bench(name).play(recorded)
    others, others_unasked = other_than(name).play(recorded)
    strange = [*filter(None, others.values()), *unasked, *others_unasked]
    liar = Liar(random.Random(f"{seed} {name}"), known, strange)
    driver = bench(name).driver()
    MemoryLine(lambda heard: known.get(heard, b""), unasked=unasked * 2).run(driver.identify())
    truths = [read_well(driver, known, unasked)]
    if not is_named(name):
        truths.append(read_well(driver, others, others_unasked))
    wrong = 0
    while liar.told.total() < frames:
        polled = read(driver, liar, unasked)
        wrong += polled is not None and wrong_in(truths, polled)
    return Fuzzed(told=liar.told, wrong=wrong, check_sum=CHECK_SUMS.get(name, NONE))


@dataclass
class Liar:
    """A device that gives its right answers, or disturbed ones; `told` counts those by kind."""

    rng: random.Random
    known: Mapping[bytes, bytes]
    strange: Sequence[bytes]
    told: Counter[str] = field(default_factory=Counter)
    frames: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.frames = sorted({*filter(None, self.known.values()), *self.strange})

    def __call__(self, heard: bytes) -> bytes:
        right = self.known.get(heard, b"")
        return self.maybe(right) if right else b""

    def maybe(self, right: bytes) -> bytes:
        if self.rng.random() > SPOILED_PART:
            return right
        disturb = self.rng.choice(DISTURB)
        said = disturb(self.rng, right, self.rng.choice(self.frames))
        self.told[disturb.__name__] += said != right
        return said


async def recorded(here) -> tuple[dict[bytes, bytes], list[bytes]]:
    """What the twin answers to identification and reading, and what it says unasked."""
    line, driver = await here.connected()
    await line.run(driver.poll())
    known: dict[bytes, bytes] = {}
    asked, unasked = b"", []
    for chunk in line.traffic():
        if chunk.sent:
            asked = chunk.data
            known[asked] = b""
        elif asked and not driver.pushes:
            known[asked] += chunk.data
        else:
            unasked.append(chunk.data)
    return known, [b"".join(unasked)] if unasked else []


def is_named(name: str) -> bool:
    """Answers of this pair's device tell whose they are."""
    return PAIRS[name].shares and "wrong_unit" in possible(name)


def other_than(name: str) -> Bench:
    """The neighbour of a named device on its line; else the device itself, measuring more."""
    return Bench(Station(pair=PAIRS[name], address=2 if is_named(name) else 1, shift=1.0))


def wrong_in(truths: Sequence[Mapping[int, float]], polled: Polled) -> bool:
    """A shown value is not the instrument's. A value must be finite and allowed by its validity."""
    for one in polled.measured:
        assert (one.value is not None) == (one.validity in SHOWN)
        assert one.value is None or math.isfinite(one.value)
    return any(
        not any(math.isclose(one.value, truth.get(one.input, math.nan)) for truth in truths)
        for one in polled.measured
        if one.value is not None
    )


def read(driver: Driver, liar: Liar, unasked: list[bytes]) -> Polled | None:
    line = MemoryLine(liar, unasked=[liar.maybe(one) for one in unasked * 2])
    try:
        return line.run(driver.poll())
    except (BadReply, NoReply, Refused) as told:
        assert str(told)
        return None


def read_well(
    driver: Driver, known: Mapping[bytes, bytes], unasked: list[bytes]
) -> dict[int, float]:
    """The values that there are."""
    line = MemoryLine(lambda heard: known.get(heard, b""), unasked=unasked * 2)
    measured = line.run(driver.poll()).measured
    return {one.input: one.value for one in measured if one.value is not None}
