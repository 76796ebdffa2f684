"""The seven ways in which a fuzzed frame is disturbed, for every test that reads such frames.

Each takes the right frame and another one that was heard on the same line.
"""

import random
from collections.abc import Callable

WORDS = (b"nan", b"inf", b"-inf", b"1e9", b"\x7f\xc0\x00\x00", b"\x7f\x80\x00\x00", b"\xff" * 4)


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
