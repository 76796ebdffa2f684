"""KELLER 33X: two transmitters on one line, each initialised after every power-on."""

import pytest

from drivers.classes import SettingError
from drivers.dialogue import NoReply
from drivers.keller_33x import MMHG_PER_BAR, Keller33X, request
from service.core.model import Validity
from tests.drivers.memory import MemoryLine
from tests.drivers.transcripts import exchange


def rx(name: str) -> bytes:
    return exchange("keller_33x", name).rx


class Bus:
    """Transmitters by address; each needs F48 after power-on."""

    def __init__(self, *addresses: int) -> None:
        self.initialised = dict.fromkeys(addresses, False)
        self.silent: set[int] = set()
        self.corrupt: set[int] = set()

    def __call__(self, heard: bytes) -> bytes:
        address, function = heard[:2]
        if address not in self.initialised or address in self.silent:
            return b""
        if address in self.corrupt:
            return request(address, function, b"\0" * 5)[:-1] + b"\0"
        if function == 48:
            self.initialised[address] = True
            return request(address, 48, bytes([5, 20, 12, 45, 10, 0]))
        if not self.initialised[address]:
            return request(address, function | 0x80, bytes([32]))
        if function == 69:
            return request(address, 69, (123456).to_bytes(4, "big"))
        return request(
            address, 73, bytes.fromhex("3cae7d56" if address == 1 else "3c5a6f4d") + b"\0"
        )


def connected(bus: Bus, **settings: object) -> tuple[MemoryLine, Keller33X]:
    line, driver = MemoryLine(bus), Keller33X(**(settings or {"addresses": [1, 2]}))
    line.run(driver.identify())
    line.sent.clear()
    return line, driver


def test_two_addresses_are_two_inputs() -> None:
    line, driver = connected(Bus(1, 2))
    measured = line.run(driver.poll()).measured
    assert [(one.input, one.value) for one in measured] == [(1, 16.0), (2, 10.0)]
    assert [one.number for one in driver.inputs] == [1, 2]


def test_the_identity_names_each_transmitter() -> None:
    identity = MemoryLine(Bus(1, 2)).run(Keller33X(addresses=[1, 2]).identify())
    assert identity.model == "1: KELLER 5.20, 2: KELLER 5.20"
    assert identity.serial == "1: 123456, 2: 123456"


def test_after_a_power_cycle_a_transmitter_is_initialised_in_the_same_poll() -> None:
    bus = Bus(1, 2)
    line, driver = connected(bus)
    bus.initialised[2] = False
    measured = line.run(driver.poll()).measured
    assert [one.value for one in measured] == [16.0, 10.0]
    assert request(2, 48) in line.sent


def test_a_silent_address_does_not_take_the_other_with_it() -> None:
    bus = Bus(1, 2)
    line, driver = connected(bus)
    bus.silent.add(2)
    first, second = line.run(driver.poll()).measured
    assert first.value == 16.0
    assert (second.value, second.validity) == (None, Validity.INVALID)
    assert second.reason == "no answer from address 2"


def test_a_silent_address_costs_the_other_little_and_comes_back() -> None:
    bus = Bus(1, 2)
    line, driver = connected(bus)
    bus.silent.add(2)
    for _ in range(20):
        line.run(driver.poll())
    assert sum(one[0] == 2 for one in line.sent) <= 5
    bus.silent.clear()
    values = [line.run(driver.poll()).measured[1].value for _ in range(5)]
    assert values[-1] == 10.0


def test_a_disturbed_address_is_marked_with_what_arrived() -> None:
    bus = Bus(1, 2)
    line, driver = connected(bus)
    bus.corrupt.add(1)
    first, second = line.run(driver.poll()).measured
    assert (first.value, second.value) == (None, 10.0)
    assert "wrong check sum" in first.reason


def test_nobody_there_is_told_with_the_addresses() -> None:
    with pytest.raises(NoReply, match="no answer from address 1 or 2"):
        MemoryLine().run(Keller33X(addresses=[1, 2]).identify())
    bus = Bus(1, 2)
    line, driver = connected(bus)
    bus.silent |= {1, 2}
    for _ in range(3):
        with pytest.raises(NoReply, match="no answer from address 1 or 2"):
            line.run(driver.poll())


def test_one_address_is_enough() -> None:
    line, driver = connected(Bus(2), address=2)
    assert line.run(driver.poll()).measured[0].value == 10.0


def test_the_neighbour_s_answer_is_not_shown_as_this_one_s() -> None:
    line = MemoryLine(lambda heard: rx("pressure P1 of address 2, 10 mmHg"))
    measured = line.run(Keller33X(addresses=[1, 2]).poll()).measured
    assert [one.value for one in measured] == [None, 10.0]


def test_the_factor_from_bar_is_the_conventional_one() -> None:
    assert pytest.approx(1e5 / 133.322387415, rel=1e-6) == MMHG_PER_BAR


@pytest.mark.parametrize("addresses", [[], [0], [1, 1], [1, "2"], "1", [250], 7])
def test_addresses_that_cannot_be_are_refused(addresses: object) -> None:
    with pytest.raises(SettingError, match="list of different numbers from 1 to 249"):
        Keller33X(addresses=addresses)
