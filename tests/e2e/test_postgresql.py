"""A whole room with its record in PostgreSQL: it treats, comes back from a crash, proves it."""

import os
import signal
from collections.abc import Iterator

import pytest

from service.records.proof import verify
from service.site_text import demo_site
from tests import postgresql
from tests.e2e.conftest import WARM
from tests.e2e.room import Client, ServedRoom, client_of, simulated

SPEED = 4.0
LONG_S = 60.0


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgresql.running() as server:
        yield server.new_database()


@pytest.fixture(scope="module")
def room(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedRoom]:
    folder = tmp_path_factory.mktemp("room")
    ports = folder / "ports"
    site = folder / "site.toml"
    key = f'\n[record]\nkey = "{folder / "room.key"}"\n'
    site.write_text(demo_site(ports, database=url, listen="127.0.0.1:0") + key)
    with simulated(ports, WARM, SPEED):
        served = ServedRoom(site, ports, SPEED)
        try:
            yield served
        finally:
            served.close()


@pytest.fixture(scope="module")
def client(room: ServedRoom) -> Iterator[Client]:
    with client_of(room) as client:
        client.until(lambda s: s["channels"]["inflow"]["value"], LONG_S, "values")
        client.command("open_session", protocol="closed-mmc-90", height_cm=170, weight_kg=70)
        client.until(lambda s: s["phase"] == "setup", LONG_S, "open")
        client.start("prime", within_s=LONG_S)
        yield client


def test_a_room_on_postgresql_treats_and_nothing_waits_for_its_disk(client: Client) -> None:
    client.until(lambda s: s["heat"]["on"], LONG_S, "heat")
    assert "not_durable" not in {alarm["id"] for alarm in client.state["alarms"]}


def test_a_room_on_postgresql_comes_back_from_a_crash_and_proves_its_record(
    room: ServedRoom, client: Client, url: str
) -> None:
    session = client.state["session"]
    os.kill(room.pid("service.control"), signal.SIGKILL)
    client.until(lambda s: s["side_state"] == "heat_hold", LONG_S, "recovered, heat held")
    assert (client.state["session"], client.state["phase"]) == (session, "prime")
    assert not room.heater_runs()
    code, text = verify(url, session)
    assert code == 0, text
