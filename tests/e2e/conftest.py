"""One browser for all, and one warm demo room for the files that leave it as they found it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.room import Client, DemoRoom, client_of, demo_room

WARM = Path(__file__).with_name("warm.toml")
SHARING = (
    "test_accounts",
    "test_two_pages",
    "test_bad_input",
    "test_page_before",
    "test_page",
    "test_layout",
)
"""These files share one room, in this order, after all others: first without a session, then with
one in heat-up."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(SHARING)}
    items.sort(key=lambda item: place.get(item.path.stem, -1))


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def room() -> Iterator[DemoRoom]:
    with demo_room(1.0, WARM) as room:
        yield room


@pytest.fixture(scope="session")
def client(room: DemoRoom) -> Iterator[Client]:
    with client_of(room) as client:
        client.until(lambda s: s["channels"]["inflow"]["value"], 15, "values")
        yield client


@pytest.fixture(scope="session")
def heat_up(client: Client) -> Client:
    """The client, with a session in which heat is on."""
    return client.to_heat_up()
