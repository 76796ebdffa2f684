"""What one line owes to the devices on it, in virtual time: the right answer to the right question.

Late, cut and doubled answers, reads that were given up, neighbours on RS-485, and stop before all.
"""

import asyncio
import random
from collections.abc import Mapping

import pytest

from drivers.classes import Polled
from drivers.dialogue import BadReply, NoReply, Refused
from drivers.line import Line
from simulator.devices.instrument import Fault
from simulator.faults import SPOILING, FaultError
from tests.contract.bench import Bench, Station, bench, fault_of
from tests.contract.expected import may_be_believed
from tests.contract.pairs import PAIRS, SHARING
from tests.contract.story import untrue

OFFSETS_S = (0.0, 0.01, 0.03, 0.08, 0.15, 0.25)
DELAYS_S = (0.15, 0.35, 0.45, 0.6, 1.0, 1.7)
NEIGHBOUR = 3.0
each_pair = pytest.mark.parametrize("name", PAIRS)


async def read(line: Line, driver) -> Polled | None:
    """One poll; None where it ends with a sentence."""
    try:
        return await line.run(driver.poll())
    except (NoReply, BadReply, Refused) as told:
        assert str(told)
        return None


def shows(truth: Mapping[int, float], polled: Polled | None) -> bool:
    """All that the instrument measures, and nothing else."""
    assert polled is not None
    shown = {one.input for one in polled.measured if one.value is not None}
    return shown == truth.keys() and not any(untrue(truth, one) for one in polled.measured)


def spoilers(name: str) -> list[str]:
    twin = bench(name).twin
    found = []
    for fault in sorted({*SPOILING} - {"late", "slow"}):
        try:
            twin.check(fault_of(twin, fault))
        except FaultError:
            continue
        found.append(fault)
    return found


@pytest.mark.parametrize(("name", "fault"), [(n, f) for n in PAIRS for f in spoilers(n)])
def test_after_one_spoiled_reply_the_next_reading_is_right(name: str, fault: str) -> None:
    async def scene(here: Bench) -> list[tuple[Polled | None, Polled | None]]:
        line, driver = await here.connected()
        pairs = []
        for offset_s in OFFSETS_S:
            reading = asyncio.create_task(read(line, driver))
            await asyncio.sleep(offset_s)
            here.twin.fault(fault_of(here.twin, fault, times=1), here.clock.now_s)
            spoiled = await reading
            here.twin.clear()
            pairs.append((spoiled, await read(line, driver)))
        return pairs

    for spoiled, reading in bench(name).play(scene):
        assert shows(PAIRS[name].truth, reading)
        if spoiled is not None and not may_be_believed(name, fault):
            assert not any(untrue(PAIRS[name].truth, one) for one in spoiled.measured)


@each_pair
def test_after_a_burst_of_garbage_the_next_reading_is_right(name: str) -> None:
    rng = random.Random(name)

    async def scene(here: Bench) -> list[Polled | None]:
        line, driver = await here.connected()
        readings = []
        for size in (1, 3, 40, 300, 2000):
            here.plug.say(rng.randbytes(size))
            await asyncio.sleep(0)
            reading = await read(line, driver)
            if reading is None and driver.pushes:  # it had to read the garbage to know
                reading = await read(line, driver)
            readings.append(reading)
        return readings

    for reading in bench(name).play(scene):
        assert shows(PAIRS[name].truth, reading)


@each_pair
@pytest.mark.parametrize("late_s", DELAYS_S)
def test_a_late_answer_is_never_the_answer_to_another_question(name: str, late_s: float) -> None:
    async def scene(here: Bench) -> None:
        told = here.start()
        await told.live()
        here.twin.fault(Fault(name="late", value=late_s), here.clock.now_s)
        await asyncio.sleep(8)
        here.twin.clear()
        await told.live()
        return told

    told = bench(name).play(scene)
    truth = PAIRS[name].truth
    assert not [one for _, polled in told.frames for one in polled.measured if untrue(truth, one)]


@each_pair
def test_a_reading_that_is_given_up_eats_nothing_of_the_next(name: str) -> None:
    async def scene(here: Bench) -> list[Polled | None]:
        line, driver = await here.connected()
        readings = []
        for offset_s in OFFSETS_S:
            given_up = asyncio.create_task(line.run(driver.poll()))
            await asyncio.sleep(offset_s)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
            readings.append(await read(line, driver))
        return readings

    for reading in bench(name).play(scene):
        assert shows(PAIRS[name].truth, reading)


@pytest.mark.parametrize("name", SHARING)
@pytest.mark.parametrize(
    "fault",
    [None, *(Fault(name="late", value=late_s) for late_s in DELAYS_S)]
    + [Fault(name=name) for name in ("silent", "garbage", "truncated", "doubled", "power_cycle")],
    ids=lambda one: f"{one.name} {one.value or ''}".strip() if one else "well",
)
def test_two_devices_on_one_line_are_read_in_turn_and_never_taken_for_each_other(
    name: str, fault: Fault | None
) -> None:
    async def alone(here: Bench) -> Mapping[int, float]:
        line, driver = await here.connected()
        polled = await line.run(driver.poll())
        return {one.input: one.value for one in polled.measured if one.value is not None}

    async def scene(here: Bench) -> None:
        here.start()
        for told in here.told:
            await told.live()
        if fault:
            here.twins[0].fault(fault, here.clock.now_s)
        await asyncio.sleep(8)

    other = Station(pair=PAIRS[name], address=2, shift=NEIGHBOUR)
    truths = [PAIRS[name].truth, Bench(other).play(alone)]
    here = bench(name, NEIGHBOUR)
    here.play(scene)
    for told, truth in zip(here.told, truths, strict=True):
        wrong = [one for _, polled in told.frames for one in polled.measured if untrue(truth, one)]
        restarted = fault and fault.name == "power_cycle" and told is here.told[0]
        assert not wrong or restarted
    # One that always answers too late may drown its neighbour out, which is lost then, not wrong.
    assert len(here.told[1].frames) > 10 or (fault and fault.name == "late")
