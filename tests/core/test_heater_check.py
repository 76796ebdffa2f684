"""The heater does what it is told: it gains with heat asked for, and holds off without."""

import pytest

from service.core.alarms import is_raised
from tests.core.bench import Bench, at
from tests.core.live import alive, live

SPEED = 20.0


def bath_moves(bench: Bench, c_per_min: float, minutes: int, from_c: float = 45.5) -> None:
    """The bath drifts by so much a minute, read every twenty treatment seconds."""
    for step in range(minutes * 3 + 1):
        bench.values["bath"] = from_c + c_per_min * step / 3
        bench.run(1)


def carries(bench: Bench, kelvin: float) -> None:
    """The perfusate leaves the exchanger warmer than it came."""
    bench.values["exchanger"] = (bench.values["reservoir"] or 0.0) + kelvin


@pytest.mark.requirement("RC-073")
def test_a_bath_that_falls_with_heat_asked_for_is_told_within_two_minutes() -> None:
    bench = alive(at(speed=SPEED))
    carries(bench, 1.5)
    bath_moves(bench, -0.4, 2, from_c=44.5)
    assert "heater_not_gaining" in bench.raised()
    assert bench.pump == 1500.0 and bench.heater is not None, "it is told, nothing is taken away"


@pytest.mark.requirement("RC-073")
def test_a_bath_that_stands_still_below_its_set_point_gains_too_little() -> None:
    bench = at(speed=SPEED)
    bath_moves(bench, 0.0, 4, from_c=43.0)
    assert "heater_not_gaining" in bench.raised()


def test_a_heater_at_full_power_under_a_cold_return_is_no_failure() -> None:
    bench = at(speed=SPEED)
    carries(bench, 7.0)
    bath_moves(bench, 0.3, 5, from_c=43.0)
    assert "heater_not_gaining" not in bench.raised()


def test_a_bath_at_its_set_point_is_no_failure_however_long() -> None:
    bench = at(speed=SPEED)
    bath_moves(bench, 0.0, 10, from_c=45.6)
    assert bench.raised() == set()


@pytest.mark.requirement("RC-073")
@pytest.mark.parametrize(("carried", "c_per_min"), [(0.0, 0.4), (4.0, 0.0)])
def test_a_bath_that_gains_or_gives_without_falling_while_off_loses_its_power(
    carried: float, c_per_min: float
) -> None:
    bench = at(speed=SPEED)
    bench.command("heater_off")
    carries(bench, carried)
    bath_moves(bench, c_per_min, 6)
    assert "heats_unasked" in bench.raised()
    assert bench.contactor is None, "the contactor takes the heater's power away"
    assert bench.heater is None


def test_a_bath_that_cools_while_off_is_as_it_should_be() -> None:
    bench = at(speed=SPEED)
    bench.command("heater_off")
    carries(bench, 3.0)
    bath_moves(bench, -0.5, 8)
    assert "heats_unasked" not in bench.raised()


@pytest.mark.requirement("RC-073")
def test_a_lost_bath_reading_clears_neither() -> None:
    bench = at(speed=SPEED)
    bench.command("heater_off")
    bath_moves(bench, 0.4, 4)
    bench.values["bath"] = None
    bench.run(2)
    assert is_raised(bench.state.alarms["heats_unasked/heater"])


@pytest.mark.requirement("RC-248")
@pytest.mark.parametrize("phase", ["heat_up", "perfuse"])
def test_a_bath_that_reads_garbage_accuses_no_heater(phase: str) -> None:
    bench = live(phase)
    for turn in range(90):
        bench.values["bath"] = (12.0, 44.0, 3.0, 31.0, 22.0)[turn % 5]
        bench.run(1)
    assert "reading_jump" in bench.alarms()
    assert not {"heater_not_gaining", "heats_unasked"} & set(bench.alarms())
