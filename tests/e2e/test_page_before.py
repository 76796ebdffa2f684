"""Setting up a case on the page: what is wrong stands beside its field, and nothing is lost."""

import pytest
from playwright.sync_api import Page, Request, WebSocketRoute, expect

from tests.e2e.page_checks import SLOW_MS, cut, page, serious
from tests.e2e.room import Client, DemoRoom

__all__ = ["page"]


@pytest.mark.requirement("RC-162")
def test_set_up_says_beside_each_field_what_is_wrong_and_loses_nothing(
    room: DemoRoom, client: Client, page: Page
) -> None:
    asked: list[Request] = []
    page.on("request", lambda one: asked.append(one))
    page.reload()
    expect(page.get_by_test_id("setup-dose")).to_contain_text("= 1.82 m²", timeout=SLOW_MS)
    page.locator("#setup-height").fill("17")
    expect(page.locator("#error-height")).to_contain_text("allowed is 100 to 220 cm")
    page.locator("#setup-height").fill("170")
    expect(page.locator("#error-height")).to_be_empty()
    page.locator("#setup-weight").fill("seventy")
    page.locator("#setup-label").fill("63,6")
    page.get_by_test_id("start-treatment").click()
    expect(page.locator("#error-weight")).to_have_text("Enter a number.")
    expect(page.locator("#setup-weight")).to_have_value("seventy")
    expect(page.locator("#setup-label")).to_have_value("63,6")
    page.locator("#setup-weight").fill("70")
    page.locator("#setup-duration").fill("5")
    page.get_by_test_id("start-treatment").click()
    expect(page.locator("#error-duration")).to_have_text("Duration 5 is outside 90 to 90")
    expect(page.locator("#setup-duration")).to_have_value("5")
    assert client.state["session"] is None
    foreign = [one.url for one in asked if not one.url.startswith(room.address)]
    assert foreign == [], "nothing is fetched from elsewhere"
    assert cut(page) == {}
    assert serious(page) == []


@pytest.mark.requirement("RC-164")
def test_of_two_pages_that_press_the_same_button_the_later_one_says_why_it_was_refused(
    room: DemoRoom, client: Client, page: Page
) -> None:
    before: list[str | bytes] = []
    behind: list[bool] = []

    def pass_on(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def tell(message: str | bytes) -> None:
            if '"type":"snapshot"' not in str(message):
                socket.send(message)
            elif behind:
                socket.send(before[-1])
            else:
                before.append(message)
                socket.send(message)

        server.on_message(tell)

    page.route_web_socket("**/api/live", pass_on)
    page.reload()
    expect(page.get_by_test_id("start-treatment")).to_be_enabled(timeout=SLOW_MS)
    behind.append(True)
    client.command("open_session", protocol="closed-mmc-90", height_cm=180, weight_kg=80)
    page.get_by_test_id("start-treatment").click()
    expect(page.get_by_test_id("setup-message")).to_contain_text("is open", timeout=SLOW_MS)
    expect(page.locator("#setup-height")).to_have_value("170")
    client.command("close_session")
