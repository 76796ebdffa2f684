"""A room with a scale, contacts, and contactors through which heater and pump have their mains."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.site_text import demo_site
from tests.e2e.room import Client, Json, ServedRoom, client_of, essentials, simulated
from tests.whole_site import whole

SCENARIO = Path(__file__).with_name("switched.toml")
WATCHDOG_S = 2.0
SPEED = 20.0
LEAK_ML, LEAK_ML_MIN = 400.0, 400.0
ON, OFF = {"heater": True, "pump": True}, {"heater": False, "pump": False}
CLOSED, OPEN = [True, True], [False, False]


@contextmanager
def switched_room(folder: Path, speed: float = 1.0) -> Iterator[ServedRoom]:
    """Such a room, from the example site file."""
    ports, site = folder / "ports", folder / "site.toml"
    database = f"sqlite:///{folder / 'hipec.db'}"
    text = whole(demo_site(ports, database=database, listen="127.0.0.1:0"))
    site.write_text(text, encoding="utf-8")
    with simulated(ports, SCENARIO, speed):
        room = ServedRoom(site, ports, speed)
        try:
            yield room
        finally:
            room.close()


@contextmanager
def heating(room: ServedRoom) -> Iterator[Client]:
    """A client, with a session in which heat is on."""
    with client_of(room) as client:
        client.to_heat_up()
        client.until(is_heating, 20, "heat")
        yield client


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedRoom]:
    with switched_room(tmp_path_factory.mktemp("room")) as room:
        yield room


@pytest.fixture(scope="module")
def client(room: ServedRoom) -> Iterator[Client]:
    with heating(room) as client:
        yield client


def is_heating(state: Json) -> bool:
    devices = state["devices"]
    runs = devices["heater"]["running"] and devices["pump"]["running"]
    return bool(state["heat"]["on"] and runs)


def drives(room: ServedRoom) -> dict[str, bool]:
    """Which drives do anything, and so have their mains."""
    devices = room.simulate(do="state")["devices"]
    return {name: devices[name]["powered"] and devices[name]["running"] for name in ON}


def powered(room: ServedRoom) -> dict[str, bool]:
    devices = room.simulate(do="state")["devices"]
    return {name: devices[name]["powered"] for name in ON}


def contactors(room: ServedRoom) -> Json:
    found: Json = room.simulate(do="state")["devices"]["switches"]
    return found


def open_within(room: ServedRoom, within_s: float) -> bool:
    """Whether the contactors open, and heater and pump lose their mains, in this time."""
    deadline = time.monotonic() + within_s
    while contactors(room)["closed"] != OPEN or powered(room) != OFF:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def resume(room: ServedRoom, client: Client) -> None:
    """A person resumes until power and heat are back: what has just got its power back may refuse
    the first order."""
    deadline = time.monotonic() + 30
    while not is_heating(client.state):
        assert time.monotonic() < deadline, essentials(client.state)
        client.post("resume")
        time.sleep(1)
    assert contactors(room)["closed"] == CLOSED


def raised(alarm: str) -> Callable[[Json], bool]:
    return lambda state: any(one["id"] == alarm for one in state["alarms"])


def test_contactors_are_closed_for_the_treatment(room: ServedRoom, client: Client) -> None:
    assert contactors(room)["closed"] == CLOSED
    assert drives(room) == ON
    assert client.state["channels"]["level"]["unit"] == "ml"
    assert client.state["channels"]["emergency_stop"]["value"] == 0.0


@pytest.mark.requirement("RC-045")
def test_the_emergency_stop_stops_everything_until_a_person_resumes(
    room: ServedRoom, client: Client
) -> None:
    room.simulate(do="contact", set={"emergency_stop": True})
    client.until(raised("emergency_stop"), 3, "alarm")
    assert open_within(room, 2.0)
    assert not contactors(room)["tripped"], "dropped by order, not by the watchdog"
    room.simulate(do="contact", set={"emergency_stop": False})
    client.until(lambda s: s["channels"]["emergency_stop"]["value"] == 0.0, 3, "released")
    assert (contactors(room)["closed"], drives(room)) == (OPEN, OFF)
    resume(room, client)


@pytest.mark.requirement("RC-045")
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_a_dead_or_stuck_control_process_lets_the_contactors_open_by_themselves(
    room: ServedRoom, client: Client, blow: signal.Signals
) -> None:
    os.kill(room.pid("service.control"), blow)
    assert open_within(room, WATCHDOG_S + 1.0)
    client.until(lambda s: s["side_state"] == "heat_hold", 25, "recovered, heat held")
    assert raised("contactor_open")(client.state)
    assert contactors(room)["closed"] == OPEN, "they wait for a person"
    resume(room, client)


def test_the_room_ends_with_the_contactors_opened_after_heater_and_pump_are_off(
    room: ServedRoom, client: Client
) -> None:
    trips = contactors(room)["trips"]
    room.process.send_signal(signal.SIGTERM)
    seen = []
    while room.process.poll() is None:
        devices = room.simulate(do="state")["devices"]
        seen.append((devices["switches"]["closed"], drives(room)))
        time.sleep(0.01)
    assert seen[0] == (CLOSED, ON)
    assert (CLOSED, OFF) in seen, "off and read back before they are opened"
    assert seen[-1] == (OPEN, OFF)
    assert contactors(room)["trips"] == trips, "opened by order"


@pytest.mark.requirement("RC-044")
def test_a_leak_raises_its_alarm_and_stops_the_pump(tmp_path: Path) -> None:
    with switched_room(tmp_path, SPEED) as room, heating(room) as client:
        assert not client.state["alarms"]
        room.simulate(do="plant", set={"leak_ml_min": LEAK_ML_MIN})
        time.sleep(60 * LEAK_ML / LEAK_ML_MIN / SPEED)
        room.simulate(do="plant", set={"leak_ml_min": 0.0})
        found = client.until(raised("leak"), 5, "alarm")
        (leak,) = [alarm for alarm in found["alarms"] if alarm["id"] == "leak"]
        assert 300 < leak["value"] < LEAK_ML
        client.until(lambda s: s["devices"]["pump"]["running"] is False, 5, "pump stopped")
        assert drives(room) == OFF
        assert contactors(room)["closed"] == CLOSED, "power stays, for what the team does next"
