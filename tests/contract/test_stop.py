"""Stop and heater off come first: how long after the order their first byte is on the wire."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from drivers.classes import Done, Driver
from drivers.dialogue import BadReply, Dialogue, NoReply, Refused, Step, Tell
from drivers.link import is_drive
from service.core.model import CommandState, DeviceClass, LinkState
from simulator.devices.instrument import Fault
from simulator.faults import FAULTS
from tests.contract.bench import Bench, Told, bench
from tests.contract.pairs import PAIRS

STOP_S = 0.2
OFFSETS_S = (0.0, 0.004, 0.02, 0.05, 0.11, 0.19, 0.26, 0.33, 0.41, 0.7)
ON_THE_LINE = (None, "silent", "garbage", "late", "slow", "doubled", "truncated", "spliced")


def off_of(driver: Driver) -> Callable[[], Dialogue[Done]]:
    """What makes this drive safe: `off`, or `drop` of a contactor."""
    return driver.off if is_drive(driver) else driver.drop


def first_bytes(driver: Driver) -> bytes:
    step: Step = next(off_of(driver)())
    return step.tx


DRIVES = [name for name in PAIRS if is_drive(bench(name).driver())]
STOPPABLE = DRIVES + [
    name for name in PAIRS if bench(name).driver().device_class is DeviceClass.SWITCHES
]


@pytest.mark.requirement("RC-120")
@pytest.mark.parametrize("name", STOPPABLE)
def test_stop_begins_with_bytes_that_wait_for_no_late_answer(name: str) -> None:
    assert isinstance(next(off_of(bench(name).driver())()), Tell)


@pytest.mark.requirement("RC-120")
@pytest.mark.parametrize("name", STOPPABLE)
@pytest.mark.parametrize("fault", ON_THE_LINE)
def test_stop_is_on_the_wire_within_the_bound_that_the_driver_states(
    name: str, fault: str | None
) -> None:
    async def scene(here: Bench, offset_s: float) -> float:
        told = here.start()
        await told.live()
        await asyncio.sleep(0.5)
        if fault:
            here.twin.fault(Fault(name=fault, value=FAULTS[fault].default), here.clock.now_s)
        await asyncio.sleep(offset_s)
        ordered_s = here.clock.now_s
        line, driver = here.links[0]._line, here.links[0].driver
        try:
            await line.run(off_of(driver)(), urgent=True)
        except (NoReply, BadReply, Refused) as failure:
            assert str(failure)
        return here.plug.sent_s(first_bytes(driver), ordered_s) - ordered_s

    waits_s = [bench(name).play(partial(scene, offset_s=offset_s)) for offset_s in OFFSETS_S]
    assert max(waits_s) <= max(STOP_S, bench(name).driver().stop_bound_s)


@pytest.mark.parametrize("name", DRIVES)
def test_stop_for_a_lost_device_goes_out_at_once_where_its_port_opens(name: str) -> None:
    async def scene(here: Bench) -> tuple[Told, float]:
        told = here.start()
        await told.live()
        here.twin.fault(Fault(name="silent"), here.clock.now_s)
        await told.until(lambda: told.state is LinkState.LOST, 5)
        await asyncio.sleep(12.3)
        ordered_s = here.clock.now_s
        here.links[0].orders.off(1)
        await asyncio.sleep(3)
        waited_s = here.plug.sent_s(first_bytes(here.driver()), ordered_s) - ordered_s
        here.twin.clear()
        await told.until(lambda: told.done and told.done[-1][1].state is CommandState.CONFIRMED, 20)
        return told, waited_s

    told, waited_s = bench(name).play(scene)
    assert waited_s <= max(STOP_S, bench(name).driver().stop_bound_s)
    assert [done.state for _, done in told.done] == [CommandState.UNKNOWN, CommandState.CONFIRMED]


@pytest.mark.parametrize("name", DRIVES)
def test_stop_stops_the_instrument_and_is_confirmed(name: str) -> None:
    async def scene(here: Bench) -> Told:
        told = here.start()
        await told.live()
        here.links[0].orders.off(1)
        await told.until(lambda: told.done, 5)
        await told.until(lambda: told.frames[-1][1].status.running is False, 5)
        return told

    here = bench(name)
    told = here.play(scene)
    assert [done.state for _, done in told.done] == [CommandState.CONFIRMED]
    assert here.twin.instrument.running is False
