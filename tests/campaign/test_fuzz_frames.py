"""A million disturbed frames per codec: no crash, and no wrong value beyond the check sum's bound.

Each driver reads what its simulated twin answered, with frames flipped, cut, spliced, grown, of
another length, overwritten with words like nan, or replayed. What is replayed is the answer to
another question and, where answers name their device, its neighbour's answer to the same question.
Where they do not, it is an older answer of its own: nothing in the bytes tells its age, so the
older value is no wrong one.

`FRAMES` and `SEED` in the environment change how many and which.
"""

import math
import os
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from drivers.classes import Driver, Polled
from drivers.dialogue import BadReply, NoReply, Refused
from service.core.model import Validity
from tests.contract.bench import Bench, Station, bench
from tests.contract.pairs import PAIRS
from tests.contract.story import possible
from tests.drivers.memory import MemoryLine

FRAMES = int(os.environ.get("FRAMES", "1000000"))
SEED = int(os.environ.get("SEED", "1"))
COMMAND = ".venv/bin/python -m pytest tests/campaign/test_fuzz_frames.py"
SHOWN = (Validity.VALID, Validity.QUESTIONABLE)
SPOILED_PART = 0.4
WORDS = (b"nan", b"inf", b"-inf", b"1e9", b"\x7f\xc0\x00\x00", b"\x7f\x80\x00\x00", b"\xff" * 4)
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


def flipped(rng: random.Random, one: bytes, other: bytes) -> bytes:
    changed = bytearray(one)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def truncated(rng: random.Random, one: bytes, other: bytes) -> bytes:
    start = rng.randrange(len(one))
    return one[start : rng.randint(start, len(one))]


def spliced(rng: random.Random, one: bytes, other: bytes) -> bytes:
    return one[: rng.randint(0, len(one))] + other[rng.randint(0, len(other)) :]


def grown(rng: random.Random, one: bytes, other: bytes) -> bytes:
    at = rng.randrange(len(one) + 1)
    return one[:at] + rng.randbytes(rng.randint(1, 5)) + one[at:]


def other_length(rng: random.Random, one: bytes, other: bytes) -> bytes:
    return one * rng.randint(2, 9) if rng.random() < 0.5 else rng.randbytes(rng.randint(1, 300))


def no_number(rng: random.Random, one: bytes, other: bytes) -> bytes:
    word, at = rng.choice(WORDS), rng.randrange(len(one))
    return one[:at] + word + one[at + len(word) :]


def replayed(rng: random.Random, one: bytes, other: bytes) -> bytes:
    return other


DISTURB: tuple[Callable[[random.Random, bytes, bytes], bytes], ...] = (
    *(flipped, truncated, spliced, grown),
    *(other_length, no_number, replayed),
)


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


@pytest.mark.parametrize("name", PAIRS)
def test_no_wrong_value_beyond_the_bound_of_the_check_sum(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    known, unasked = bench(name).play(recorded)
    others, others_unasked = other_than(name).play(recorded)
    strange = [*filter(None, others.values()), *unasked, *others_unasked]
    liar = Liar(random.Random(f"{SEED} {name}"), known, strange)
    driver, check_sum = bench(name).driver(), CHECK_SUMS.get(name, NONE)
    MemoryLine(lambda heard: known.get(heard, b""), unasked=unasked * 2).run(driver.identify())
    truths = [read_well(driver, known, unasked)]
    if not is_named(name):
        truths.append(read_well(driver, others, others_unasked))
    wrong = 0
    while liar.told.total() < FRAMES:
        polled = read(driver, liar, unasked)
        wrong += polled is not None and wrong_in(truths, polled)
    with capsys.disabled():
        print(f"\n{name}: {liar.told.total()} disturbed frames, 0 crashes, {wrong} wrong readings")
        print("  " + ", ".join(f"{kind} {count}" for kind, count in sorted(liar.told.items())))
        print(f"  check sum: {check_sum.name}")
        print(f'  again: FRAMES={FRAMES} SEED={SEED} {COMMAND} -k "{" and ".join(name.split())}"')
    assert len(liar.told) == len(DISTURB)
    if check_sum.bits is not None:
        by_chance = liar.told.total() / 2**check_sum.bits
        assert wrong <= by_chance + LUCK * math.sqrt(by_chance) + LUCK
    assert wrong <= WELL_FORMED_PART * liar.told.total()


def read_well(
    driver: Driver, known: Mapping[bytes, bytes], unasked: list[bytes]
) -> dict[int, float]:
    """The values that there are."""
    line = MemoryLine(lambda heard: known.get(heard, b""), unasked=unasked * 2)
    measured = line.run(driver.poll()).measured
    return {one.input: one.value for one in measured if one.value is not None}
