"""The supervisor's path to a safe drive: ends half a command, stops, reads back, never starts."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from drivers.julabo import Julabo
from drivers.port import Port
from drivers.safe import LOCK_PATIENCE_S, make_safe
from drivers.watson_marlow import WatsonMarlow
from tests.drivers.devices import FakeHeater, FakePump
from tests.drivers.ptys import Plugged

pytestmark = pytest.mark.real_time


@pytest.fixture
def heater() -> FakeHeater:
    return FakeHeater(running=True)


@pytest.fixture
def heater_port(tmp_path: Path, heater: FakeHeater) -> Iterator[Plugged]:
    plugged = Plugged(tmp_path / "heater", heater)
    yield plugged
    plugged.unplug()


def safely(plugged: Plugged, drive: object, act: object, **stop: threading.Event) -> tuple:
    told: list[str] = []
    confirmed = make_safe(
        str(plugged.path),
        drive.serial,
        drive,
        act,
        stop=stop.get("stop", threading.Event()),
        tell=told.append,
    )
    return confirmed, told


def test_the_heater_is_off_and_half_a_command_is_ended_first(
    heater: FakeHeater, heater_port: Plugged
) -> None:
    holder = Port(str(heater_port.path), Julabo().serial)
    holder.write(b"OUT_SP_0")
    holder.close()
    drive = Julabo()
    assert safely(heater_port, drive, drive.off) == (True, ["confirmed"])
    assert not heater.running
    assert heater_port.messages()[:2] == [b"OUT_SP_0\r", b"OUT_MODE_05 0\r"]


def test_a_port_that_is_still_locked_is_used_all_the_same(
    heater: FakeHeater, heater_port: Plugged
) -> None:
    holder = Port(str(heater_port.path), Julabo().serial)
    drive = Julabo()
    confirmed, told = safely(heater_port, drive, drive.off)
    assert confirmed
    assert "is in use by" in told[0]
    assert not heater.running
    holder.close()
    assert LOCK_PATIENCE_S == 0.5


def test_it_is_repeated_until_confirmed(heater: FakeHeater, heater_port: Plugged) -> None:
    heater.obeys = False
    drive = Julabo()
    told: list[str] = []

    def tell(news: str) -> None:
        told.append(news)
        heater.obeys = True

    assert make_safe(
        str(heater_port.path), drive.serial, drive, drive.off, stop=threading.Event(), tell=tell
    )
    assert "still runs" in told[0]
    assert told[-1] == "confirmed"


def test_it_ends_when_told_to_stop(tmp_path: Path) -> None:
    stop = threading.Event()
    told: list[str] = []

    def tell(news: str) -> None:
        told.append(news)
        stop.set()

    drive = Julabo()
    port = str(tmp_path / "nothing")
    assert not make_safe(port, drive.serial, drive, drive.off, stop=stop, tell=tell)
    assert "there is no port" in told[0]


@pytest.mark.parametrize(
    ("pump", "rpm", "running"),
    [
        (FakePump(running=True, rpm=100.0), 25.3, True),
        (FakePump(running=True, rpm=10.0), 10.0, True),
        (FakePump(running=False, rpm=100.0), 100.0, False),
    ],
)
def test_a_pump_is_slowed_down_but_never_started_or_made_faster(
    tmp_path: Path, pump: FakePump, rpm: float, running: bool
) -> None:
    plugged = Plugged(tmp_path / "pump", pump)
    drive = WatsonMarlow()
    assert safely(plugged, drive, partial(drive.lower, 400.0)) == (True, ["confirmed"])
    plugged.unplug()
    assert (pump.rpm, pump.running) == (rpm, running)


def test_a_pump_is_stopped_with_its_echo_on(tmp_path: Path) -> None:
    pump = FakePump(ml_per_rev=None, running=True, echo=True)
    plugged = Plugged(tmp_path / "pump", pump)
    drive = WatsonMarlow(ml_per_rev=9.0)
    assert safely(plugged, drive, drive.off) == (True, ["confirmed"])
    plugged.unplug()
    assert not pump.running
