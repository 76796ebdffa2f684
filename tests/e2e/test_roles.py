"""A whole accelerated treatment on the pages, as each role sees it, one after the other."""

import re
from collections.abc import Callable, Iterator
from functools import cache

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from service.core.authority import AT_THE_STATION, MAY
from service.core.model import PersonRole
from tests.e2e.conftest import WARM
from tests.e2e.page_checks import SLOW_MS, serious
from tests.e2e.room import WITHOUT, Client, DemoRoom, client_of, demo_room

SPEED = 30.0
WAIT_S = 60.0
PROTOCOL = "closed-oxaliplatin-30"
REQUESTS = ("reduce_heat", "heat_hold", "lower_pressure", "pause")


@pytest.fixture(scope="module")
def room() -> Iterator[DemoRoom]:
    with demo_room(SPEED, WARM) as room:
        yield room


@pytest.fixture(scope="module")
def client(room: DemoRoom) -> Iterator[Client]:
    """A program that looks on, and gives none of the commands of the treatment."""
    with client_of(room) as client:
        client.until(lambda s: s["channels"]["inflow"]["value"], WAIT_S, "values")
        yield client


def opened(browser: Browser, url: str) -> Page:
    """A page in a browser of its own."""
    page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    page.set_default_timeout(SLOW_MS)
    page.goto(url)
    return page


@pytest.fixture(scope="module")
def page(room: DemoRoom, client: Client, browser: Browser) -> Page:
    """The perfusionist's page."""
    return opened(browser, room.address)


@pytest.fixture(scope="module")
def signed_in(room: DemoRoom, browser: Browser) -> Callable[[str], Page]:
    """The page of a role, signed in by its one-time link; the same one when asked again."""
    return cache(lambda role: opened(browser, room.links[role]))


def confirm(page: Page, before: str, client: Client) -> None:
    """Tick what the checklist asks before a phase, on the page."""
    page.locator("#tab-checks").click()
    for item in client.state["checklist"]:
        if item["before"] != before or item["done"]:
            continue
        row = page.locator(f'[data-check="{item["id"]}"]')
        if item["id"] == "audio":
            hear(page, row)
        if item["names"] == 2:
            row.get_by_label("Second name").fill("S. Two")
        if item["id"] == "probe_comparison":
            row.get_by_label("Reason, if not compared").fill(WITHOUT["probe_comparison"])
        row.get_by_role("button", name="Confirm").click()
        expect(row.get_by_role("button", name="Confirm")).to_have_count(0, timeout=SLOW_MS)


def hear(page: Page, row: Locator) -> None:
    """Confirming is refused until the tone was played and heard."""
    row.get_by_role("button", name="Confirm").click()
    expect(page.locator("#message-checks")).to_contain_text("test tone", timeout=SLOW_MS)
    row.get_by_test_id("check-audio-play").click()
    page.get_by_test_id("audio-yes").click()
    expect(page.get_by_test_id("audio")).to_have_attribute("data-state", "ready", timeout=SLOW_MS)
    page.wait_for_function("from => performance.now() > from + 2500", arg=now_ms(page))


def now_ms(page: Page) -> float:
    found: float = page.evaluate("performance.now()")
    return found


def go_on(page: Page, client: Client, phase: str) -> None:
    """Do what the page asks for before a phase, and press its one next action."""
    confirm(page, phase, client)
    action = page.get_by_test_id("next-action")
    for _ in range(3):
        expect(action).to_be_enabled(timeout=SLOW_MS * 4)
        page.wait_for_timeout(450)
        resumes = action.inner_text() == "Resume"
        action.click()
        if not resumes:
            break
    client.until(lambda s: s["phase"] == phase, WAIT_S, f"phase {phase}")


@pytest.mark.requirement("RC-190")
def test_a_perfusionist_comes_from_set_up_to_perfusion_on_one_page(
    page: Page, client: Client
) -> None:
    expect(page.get_by_test_id("protocol-select")).to_be_enabled(timeout=SLOW_MS)
    page.get_by_test_id("protocol-select").select_option(PROTOCOL)
    page.locator("#setup-height").fill("170")
    page.locator("#setup-weight").fill("70")
    expect(page.get_by_test_id("setup-dose")).to_contain_text("m²", timeout=SLOW_MS)
    page.get_by_test_id("start-treatment").click()
    client.until(lambda s: s["phase"] == "setup", WAIT_S, "open")
    assert client.state["protocol"] == PROTOCOL
    for phase in ("prime", "fill", "heat_up", "drug_addition"):
        go_on(page, client, phase)
    page.locator("#tab-drug").click()
    page.get_by_test_id("fraction-1").click()
    client.until(lambda s: s["phase"] == "perfuse", WAIT_S, "the clock runs")
    page.locator('[data-controller="automatic"]').click()
    client.until(lambda s: s["controller"] == "automatic", WAIT_S, "automatic")
    told = client.state["displays"]
    assert [one["audible"] for one in told if one["role"] == "perfusionist"] == [True]


@pytest.mark.requirement("RC-167")
def test_anesthesia_follows_and_each_of_its_requests_is_answered(
    room: DemoRoom, page: Page, client: Client, browser: Browser
) -> None:
    theirs = opened(browser, f"{room.address}/anesthesia")
    expect(theirs.get_by_test_id("value-core")).to_have_text(
        re.compile(r"^3\d\.\d$"), timeout=SLOW_MS
    )
    for number, kind in enumerate(REQUESTS):
        theirs.get_by_test_id(f"ask-{kind}").click()
        asked = page.get_by_test_id(f"request-{kind}")
        accepted = number % 2 == 0
        if accepted:
            asked.get_by_role("button").first.click()
        else:
            asked.get_by_role("button").nth(1).click()
            asked.get_by_role("textbox").fill("not now")
            asked.get_by_role("button").nth(1).click()
        says = "accepted" if accepted else "not now"
        expect(theirs.locator(f"#asked-{kind}")).to_contain_text(says, timeout=SLOW_MS)
    theirs.get_by_test_id("cooling-on").click()
    expect(theirs.get_by_test_id("cooling-words")).to_contain_text("on since", timeout=SLOW_MS)
    answered = [(one["kind"], one["accepted"]) for one in client.state["requests"]]
    assert answered == list(zip(REQUESTS, (True, False, True, False), strict=True))
    theirs.context.close()


@pytest.mark.requirement("RC-026")
@pytest.mark.parametrize("role", ["surgeon", "qa", "admin", "display"])
def test_who_only_looks_on_is_refused_every_command_that_is_not_theirs(
    room: DemoRoom, client: Client, role: str
) -> None:
    may = {name for name, roles in MAY.items() if PersonRole(role) in roles}
    assert may <= {"stop", "heater_off", "abort", "patient_unstable", "note"}
    before = (client.state["phase"], client.state["controller"])
    headers = {"Authorization": f"Bearer {room.tokens[role]}"}
    with httpx.Client(base_url=room.address, headers=headers, timeout=30) as looker:
        for name in sorted(set(MAY) - may - AT_THE_STATION):
            answer = looker.post(
                "/api/session/commands",
                json={"name": name, "args": {}},
                headers={"Idempotency-Key": f"{role}-{name}"},
            )
            assert answer.status_code in (401, 403, 422), (name, answer.text)
    assert (client.state["phase"], client.state["controller"]) == before


def test_a_surgeon_sees_the_treatment_and_has_nothing_to_press_in_it(
    page: Page, signed_in: Callable[[str], Page]
) -> None:
    theirs = signed_in("surgeon")
    assert theirs.url.endswith("/anesthesia")
    expect(theirs.get_by_test_id("connection")).to_have_text("Live", timeout=SLOW_MS)
    expect(theirs.get_by_test_id("value-core")).to_have_text(
        re.compile(r"^3\d\.\d$"), timeout=SLOW_MS
    )
    for closed in ("cooling-on", "cooling-off", "pause-audio"):
        expect(theirs.locator(f"#{closed}")).to_be_disabled(timeout=SLOW_MS)


def test_an_administrator_has_accounts_and_nothing_of_a_treatment(
    page: Page, signed_in: Callable[[str], Page], room: DemoRoom
) -> None:
    theirs = signed_in("admin")
    theirs.goto(room.address)
    theirs.wait_for_url("**/admin", timeout=SLOW_MS)
    assert theirs.locator("#stop, #heat-off, #next-action").count() == 0


def test_the_wall_shows_the_treatment_and_has_nothing_to_press(
    room: DemoRoom, page: Page, browser: Browser
) -> None:
    wall = opened(browser, f"{room.address}/wall")
    expect(wall.get_by_test_id("phase-current")).not_to_be_empty(timeout=SLOW_MS)
    expect(wall.get_by_test_id("connection")).to_have_text("Live", timeout=SLOW_MS)
    assert wall.locator("button, input, a").count() == 0
    wall.context.close()


@pytest.mark.requirement("RC-023", "RC-024")
def test_the_treatment_ends_by_itself_and_is_drained_rinsed_and_signed_off_on_the_page(
    page: Page, client: Client
) -> None:
    clocks = client.until(lambda s: s["clocks"]["left_s"] == 0, 150, "time is over")["clocks"]
    parts = clocks["in_band_s"] + clocks["out_of_band_s"] + clocks["unobserved_s"]
    assert clocks["elapsed_s"] == pytest.approx(30 * 60, abs=0.1)
    assert parts == pytest.approx(clocks["elapsed_s"], abs=0.1)
    assert clocks["in_band_s"] > 0.5 * clocks["elapsed_s"]
    client.until(lambda s: not s["heat"]["on"], WAIT_S, "heat is off by itself")
    for phase in ("drain", "rinse", "complete"):
        go_on(page, client, phase)
    expect(page.get_by_test_id("summary")).to_contain_text("In band", timeout=SLOW_MS)
    page.locator("#sign-second").fill("S. Two")
    page.locator("#sign-remark").fill("nothing to add")
    page.get_by_test_id("sign-close").click()
    client.until(lambda s: s["session"] is None, WAIT_S, "signed off")


def test_quality_assurance_reads_the_session_with_its_curves_and_the_rooms_record(
    room: DemoRoom, page: Page, signed_in: Callable[[str], Page]
) -> None:
    qa = signed_in("qa")
    qa.goto(f"{room.address}/qa")
    qa.locator("#sessions button").first.click()
    expect(qa.get_by_test_id("summary")).to_contain_text("Phases", timeout=SLOW_MS)
    expect(qa.get_by_test_id("curves")).to_be_visible(timeout=SLOW_MS)
    expect(qa.get_by_test_id("dose-head")).to_contain_text("coverage", timeout=SLOW_MS)
    assert qa.locator("#curve-temperature canvas").count() == 1
    assert qa.locator("#dose tbody tr").count() >= 6, "a line for each site"
    expect(qa.locator("#curve-temperature .u-legend")).to_contain_text("Pelvis")
    expect(qa.get_by_test_id("summary")).to_be_hidden()
    qa.locator("#all summary").click()
    expect(qa.get_by_test_id("summary")).to_be_visible()
    assert serious(qa) == []
    qa.goto(f"{room.address}/qa#room")
    expect(qa.get_by_test_id("summary")).to_contain_text("site file read", timeout=SLOW_MS)
