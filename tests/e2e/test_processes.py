"""A process of one room dies or hangs in the middle of its treatment, again and again."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import WARM
from tests.e2e.room import Client, DemoRoom, Json, client_of, demo_room


@pytest.fixture(scope="module")
def room() -> Iterator[DemoRoom]:
    with demo_room(1.0, WARM) as room:
        yield room


@pytest.fixture(scope="module")
def treating(room: DemoRoom) -> Iterator[Client]:
    with client_of(room) as client:
        yield client.to_heat_up()


@pytest.fixture
def client(treating: Client) -> Client:
    """The room's client, while heat is on; every test but the last leaves it so."""
    treating.until(lambda s: s["heat"]["on"] and s["devices"]["heater"]["running"], 30, "heat")
    return treating


def curves(client: Client, steps: int) -> Json:
    """The history that a page would draw, as soon as it has so many steps."""
    deadline = time.monotonic() + 60
    while len(found := client.get("/api/v1/history").json().get("times_s", ())) < steps:
        assert time.monotonic() < deadline, f"only {len(found)} steps are kept"
        time.sleep(0.2)
    history: Json = client.get("/api/v1/history").json()
    return history


@pytest.mark.requirement("RC-108", "RC-161")
def test_a_killed_web_process_comes_back_while_the_treatment_goes_on(
    room: DemoRoom, client: Client
) -> None:
    control = room.pid("service.control")
    drawn = curves(client, 3)
    before = client.state["clocks"]["phase_s"]
    os.kill(room.pid("service.web"), signal.SIGKILL)
    killed = time.monotonic()
    client.first(lambda m: m["type"] == "heartbeat", 15, "any heartbeat")
    deadline = time.monotonic() + 15
    while not (client.messages and client.messages[-1][0] > killed + 0.5):
        assert time.monotonic() < deadline, "the page does not come back"
        time.sleep(0.05)
    away_s = client.messages[-1][0] - killed
    client.until(lambda s: s["clocks"]["phase_s"] > before + away_s - 1, 5, "the clock went on")
    assert room.pid("service.control") == control
    assert client.state["heat"]["on"] and room.heater_runs()
    again = curves(client, 2)
    assert again["times_s"][0] == drawn["times_s"][0], "what was drawn before is drawn again"
    known = {name for name, values in drawn["channels"].items() if values[1] is not None}
    assert known and all(again["channels"][name][1] is not None for name in known)


@pytest.mark.requirement("RC-104", "RC-107")
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_a_dead_or_stuck_control_process_is_replaced_with_the_heater_off_and_the_pump_not_faster(
    room: DemoRoom, client: Client, blow: signal.Signals
) -> None:
    rpm = room.simulate(do="state")["devices"]["pump"]["rpm"]
    os.kill(room.pid("service.control"), blow)
    struck = time.monotonic()
    while room.heater_runs():
        assert time.monotonic() < struck + 8, "the heater still runs"
        time.sleep(0.1)
    client.until(lambda s: s["side_state"] == "heat_hold", 15, "recovered, heat held")
    assert client.state["phase"] == "heat_up"
    assert not client.state["heat"]["on"] and not room.heater_runs()
    assert room.simulate(do="state")["devices"]["pump"]["rpm"] <= rpm + 0.2
    client.until(
        lambda s: all(d["link"] == "live" for d in s["devices"].values()), 15, "all links live"
    )
    client.until(lambda s: s["channels"]["exchanger"]["value"] is not None, 5, "read again")
    client.until(lambda s: s["devices"]["pump"]["running"] is not None, 5, "pump heard")
    client.command("resume")
    client.until(lambda s: s["heat"]["on"], 15, "a person brings the heat back")


def test_the_room_ends_with_heater_and_pump_off(room: DemoRoom, client: Client) -> None:
    heard = []
    room.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            state = room.simulate(do="state")["devices"]
        except Exception:
            break
        heard.append((state["heater"]["running"], state["pump"]["running"]))
        time.sleep(0.02)
    assert heard and heard[-1] == (False, False)
