"""Rubbish on the wire never crashes a driver and never becomes a value that no frame holds.

Each test reads 10 000 replies, four in ten of them disturbed in one of the seven ways of
`disturbing`. Modbus and Keller frames carry a 16-bit check sum: one in 65 536 random frames of the
right head passes it. The ASCII protocols have none: what is still well formed after the disturbance
is believed, so the tests ask that it is read as it stands.
"""

import math
import random
import re
import struct
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.classes import Driver, Polled
from drivers.crc import crc16
from drivers.dialogue import BadReply, NoReply, Refused
from drivers.frames import Inbox
from drivers.mettler_sics import GRAMS
from drivers.registry import DRIVERS, make_driver
from service.core.model import Instant, Validity
from tests.drivers.disturbing import DISTURB
from tests.drivers.memory import MemoryLine
from tests.drivers.register_maps import MAPS
from tests.drivers.transcripts import exchange, exchanges

pytestmark = pytest.mark.integration

BATCHES, BATCH = 200, 50
WITH_VALUE = (Validity.VALID, Validity.QUESTIONABLE)
START = Instant(mono_ns=0, utc_ns=0)


def disturbed(rng: random.Random, frames: list[bytes]) -> bytes:
    return rng.choice(DISTURB)(rng, rng.choice(frames), rng.choice(frames))


def replies(family: str) -> list[bytes]:
    return [one.rx for one in exchanges(family) if one.rx]


def polled(driver: Driver, device: Callable[[bytes], bytes]) -> Polled | None:
    """What a poll makes of it; a value must come with a validity that allows one."""
    line = MemoryLine(device, unasked=[device(b"")] * 3)
    try:
        result = line.run(driver.poll())
    except (BadReply, NoReply, Refused) as told:
        assert str(told)
        return None
    for one in result.measured:
        assert (one.value is not None) == (one.validity in WITH_VALUE)
        assert one.value is None or math.isfinite(one.value)
        assert one.validity is Validity.VALID or one.reason
    return result


def disturbed_answer(
    rng: random.Random,
    known: dict[bytes, bytes],
    frames: list[bytes],
    said: list[bytes],
    heard: bytes,
) -> bytes:
    """The right answer, or now and then something else; `said` keeps what it was."""
    right = known.get(heard) or rng.choice(frames)
    said.append(disturbed(rng, [*frames, right]) if rng.random() < 0.4 else right)
    return said[-1]


def fuzzed(family: str, check: Callable[[Polled, list[bytes]], None], **given_: object) -> int:
    """Read `BATCHES * BATCH` disturbed replies; `check` sees what was read and what was said."""
    read = 0
    frames = replies(family)
    known = {one.tx: one.rx for one in exchanges(family) if one.rx}

    @settings(max_examples=BATCHES, deadline=None, derandomize=True, database=None)
    @given(seed=st.integers(0, 2**32 - 1))
    def batch(seed: int) -> None:
        nonlocal read
        rng = random.Random(seed)
        for _ in range(BATCH):
            said: list[bytes] = []
            answers = partial(disturbed_answer, rng, known, frames, said)
            result = polled(make_driver(family, given_), answers)
            if result is not None:
                read += 1
                check(result, said)

    batch()
    return read


def modbus_frames(said: list[bytes]) -> list[bytes]:
    """What was said by module 1 to a reading, wherever it stands, with a good check sum."""
    found = []
    for data in said:
        for head in re.finditer(rb"(?s)(?=\x01[\x01-\x04](.))", data):
            whole = data[head.start() : head.start() + head[1][0] + 5]
            if crc16(whole[:-2]) == int.from_bytes(whole[-2:], "little"):
                found.append(whole)
    return found


def numbers_in(said: list[bytes]) -> set[float]:
    text = b" ".join(said).decode("latin-1")
    return {float(one) for one in re.findall(r"(?=([+-]?\d+(?:\.\d+)?))", text)} | {0.0}


def test_tm_th8_shows_only_what_a_frame_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        words = {said[-1][at : at + 2] for at in range(len(said[-1]))}
        for one in result.measured:
            if one.value is not None:
                assert struct.pack(">h", round(one.value * 100)) in words

    assert fuzzed("icpdas_tm_th8", check) > 0


def test_keller_shows_only_what_a_frame_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        floats = {
            round(struct.unpack(">f", one[at : at + 4])[0] * 750.062, 1)
            for one in said
            for at in range(len(one) - 3)
        }
        assert all(one.value is None or one.value in floats for one in result.measured)

    assert fuzzed("keller_33x", check, addresses=[1, 2]) > 0


def test_julabo_shows_only_what_a_line_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        seen = {round(one, 2) for one in numbers_in(said)}
        assert all(one.value is None or one.value in seen for one in result.measured)

    assert fuzzed("julabo", check) > 0


def test_watson_marlow_shows_only_what_a_status_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        seen = {round(one, 1) for one in numbers_in(said)}
        assert result.measured[1].value in seen

    assert fuzzed("watson_marlow", check, ml_per_rev=15.84) > 0


def test_bioprott_shows_only_what_a_line_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        value = result.measured[0].value
        assert value is None or value in numbers_in(said)

    assert fuzzed("emtec_bioprott", check) > 0


def test_datex_s5_shows_only_what_a_record_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        sent = b"".join(said).replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
        words = {sent[at : at + 2] for at in range(len(sent))}
        for one in result.measured:
            if one.value is not None:
                assert struct.pack("<h", round(one.value * 100)) in words

    assert fuzzed("datex_s5", check) > 0


def test_dcon_shows_only_what_a_line_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        seen = {round(one, 2) for one in numbers_in(said)}
        assert all(one.value is None or one.value in seen for one in result.measured)

    assert fuzzed("dcon_temperature", check) > 0


def test_dcon_with_a_check_sum_shows_only_what_a_line_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        seen = {round(one, 2) for one in numbers_in(said)}
        assert all(one.value is None or one.value in seen for one in result.measured)

    assert fuzzed("dcon_temperature", check, address=4, checksum=True) > 0


def test_mettler_shows_only_what_a_weight_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        seen = {round(one * mass_g, 1) for one in numbers_in(said) for mass_g in GRAMS.values()}
        assert result.measured[0].value is None or result.measured[0].value in seen

    assert fuzzed("mettler_sics", check) > 0


def test_a_digital_module_shows_only_contacts_that_a_frame_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        told = {whole[3] & 15 for whole in modbus_frames(said) if whole[1:3] == b"\x02\x01"}
        shown = sum(int(one.value or 0) << one.input - 1 for one in result.measured)
        assert shown in told

    assert fuzzed("icpdas_digital", check) > 0


def test_a_register_map_shows_only_what_a_frame_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        words = {
            int.from_bytes(whole[at : at + 2], "big", signed=True)
            for whole in modbus_frames(said)
            for at in range(3, len(whole) - 3, 2)
        }
        assert all(one.value in {round(word * 0.1, 1) for word in words} for one in result.measured)

    assert fuzzed("modbus_map", check, **MAPS["nt18b07"]) > 0


def test_lauda_shows_only_what_a_line_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        assert all(one.value is None or one.value in numbers_in(said) for one in result.measured)

    assert fuzzed("lauda", check, external="IN_PV_03") > 0


def test_masterflex_shows_only_what_a_line_holds() -> None:
    def check(result: Polled, said: list[bytes]) -> None:
        rpm = result.measured[1].value
        assert rpm is None or abs(rpm) in numbers_in(said)

    assert fuzzed("masterflex", check, ml_per_rev=8.0) > 0


def test_neslab_shows_only_what_a_frame_holds() -> None:
    """Its 8-bit check sum lets one in 256 random frames of the right head pass."""

    def check(result: Polled, said: list[bytes]) -> None:
        words = {int.from_bytes(a, "big", signed=True) for one in said for a in pairs(one)}
        seen = {round(word * step, 2) for word in words for step in (0.1, 0.01)}
        assert all(one.value is None or one.value in seen for one in result.measured)

    def pairs(data: bytes) -> list[bytes]:
        return [data[at : at + 2] for at in range(len(data) - 1)]

    assert fuzzed("neslab", check, external=True) > 0


def with_flipped(rng: random.Random, data: bytes, bits: int) -> bytes:
    changed = bytearray(data)
    for _ in range(bits):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("icpdas_tm_th8", "eight channels, one below and one above range"),
        ("keller_33x", "pressure P1 of 0.0213 bar"),
    ],
)
def test_one_or_two_flipped_bits_never_pass_the_check_sum(family: str, name: str) -> None:
    good = exchange(family, name)
    rng = random.Random(1)
    for bits in (1, 2) * 1000:
        wrong = with_flipped(rng, good.rx, bits)
        result = polled(make_driver(family, {}), lambda heard, wrong=wrong: wrong)
        assert wrong == good.rx or result is None or result.measured[0].value is None


@pytest.mark.parametrize("family", sorted(DRIVERS))
def test_whatever_arrives_identification_ends_with_an_answer_or_a_sentence(family: str) -> None:
    rng = random.Random(2)
    frames = replies(family)
    for _ in range(1000):
        line = MemoryLine(
            lambda heard: disturbed(rng, frames),
            unasked=[disturbed(rng, frames) for _ in range(3)],
        )
        try:
            assert line.run(make_driver(family, {}).identify()).model
        except (BadReply, NoReply, Refused) as told:
            assert len(str(told)) > 5


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80), st.lists(st.integers(0, 80), max_size=6))
def test_it_does_not_matter_how_the_wire_cuts_what_arrives(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    inbox = Inbox()
    for start, end in pairwise(edges):
        inbox.feed(data[start:end], START)
    whole = Inbox()
    whole.feed(data, START)
    ends = lambda seen: seen.find(b"!") + 1 or None  # noqa: E731
    assert inbox.take(ends) == whole.take(ends)
