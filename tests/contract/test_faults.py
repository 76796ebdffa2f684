"""Every driver meets every fault that its instrument can have, in virtual time."""

import math

import pytest

from drivers.registry import DRIVERS
from service.core.model import LinkState
from simulator.faults import FAULTS, Level
from tests.contract.bench import bench
from tests.contract.expected import EXCEPTIONS, EXPECTED, expected, may_be_believed
from tests.contract.pairs import PAIRS
from tests.contract.story import COMBINATIONS, Outcome, story, untrue

OPENING, IDENTIFYING = LinkState.OPENING, LinkState.IDENTIFYING
LIVE, LOST = LinkState.LIVE, LinkState.LOST
each_fault = pytest.mark.parametrize(("name", "fault"), COMBINATIONS)
on_the_way = pytest.mark.parametrize(
    ("name", "fault"), [one for one in COMBINATIONS if FAULTS[one[1]].level is not Level.DEVICE]
)


def test_every_registered_driver_has_a_twin_in_the_table_of_pairs() -> None:
    assert set(DRIVERS) == {pair.driver for pair in PAIRS.values()}


def test_what_is_expected_of_a_fault_or_a_pair_names_one_that_exists() -> None:
    assert set(EXPECTED) <= set(FAULTS)
    assert set(EXCEPTIONS) <= set(COMBINATIONS)


@pytest.mark.parametrize("name", PAIRS)
def test_a_device_is_identified_and_only_then_read_and_shows_what_it_measures(name: str) -> None:
    async def scene(here):
        told = here.start()
        await told.live()
        return told

    told = bench(name).play(scene)
    assert [state for _, state, _ in told.links] == [OPENING, IDENTIFYING, LIVE]
    assert told.frames[0][0] >= told.links[-1][0]
    shown = {one.input: one.value for one in told.frames[0][1].measured if one.value is not None}
    assert shown.keys() == PAIRS[name].truth.keys()
    for number, true in PAIRS[name].truth.items():
        assert math.isclose(shown[number], true, abs_tol=0.02)


@each_fault
def test_a_fault_ends_as_it_should(name: str, fault: str) -> None:
    assert story(name, fault).outcome in expected(name, fault)


@on_the_way
def test_a_fault_on_the_way_never_shows_what_the_instrument_did_not_measure(
    name: str, fault: str
) -> None:
    if fault != "power_cycle":
        assert not story(name, fault).untrue() or may_be_believed(name, fault)


@on_the_way
def test_once_the_fault_is_over_the_device_is_live_and_shows_the_truth(
    name: str, fault: str
) -> None:
    seen = story(name, fault)
    assert seen.told.state is LIVE
    last = {one.input: one for one in seen.after[-1].measured}
    assert last[min(seen.truth)].value is not None
    for number in seen.truth:
        assert not untrue(seen.truth, last[number])
        assert last[number].value is not None or last[number].reason == "not told"


@each_fault
def test_a_device_is_logged_once_when_lost_and_once_when_back(name: str, fault: str) -> None:
    seen = story(name, fault)
    losses = [text for text in seen.logged if "is lost" in text]
    returns = [text for text in seen.logged if "is back" in text]
    assert len(losses) == len(returns) == len(seen.logged) / 2
    if fault != "noise":  # comes and goes by itself
        assert len(losses) == (seen.outcome in (Outcome.LOST, Outcome.BACK))


@each_fault
def test_a_device_that_is_found_with_a_fault_invents_nothing_before_its_first_frame(
    name: str, fault: str
) -> None:
    seen = story(name, fault, from_start=True)
    came_live = [at for at, state, _ in seen.told.links if state is LIVE]
    assert all(at >= came_live[0] for at, _ in seen.told.frames)
    if seen.outcome is Outcome.LOST and fault != "noise":
        assert seen.during == []
    if FAULTS[fault].level is not Level.DEVICE:
        assert not seen.untrue() or may_be_believed(name, fault)
    assert sum("is lost" in text for text in seen.logged) <= 1 + 2 * (fault == "noise")
