"""A warm demo room per module, and a treatment in it that has come to heat-up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.room import Client, DemoRoom, client_of, demo_room

WARM = Path(__file__).with_name("warm.toml")


@pytest.fixture(scope="module")
def room() -> Iterator[DemoRoom]:
    with demo_room(1.0, WARM) as room:
        yield room


@pytest.fixture(scope="module")
def client(room: DemoRoom) -> Iterator[Client]:
    with client_of(room) as client:
        client.until(lambda s: s["channels"]["inflow"]["value"], 15, "values")
        yield client


@pytest.fixture(scope="module")
def heat_up(client: Client) -> Client:
    """The client, with a session in which heat is on."""
    return client.to_heat_up()
