"""Accounts and stations for administrators, each change on record; nobody else gets near them."""

from collections.abc import Iterator

import pytest

from service.accounts import people
from service.core.model import PersonRole
from tests.web.conftest import Room, store_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
GOOD = "four quiet green boats"


@pytest.fixture
def room(shared_room: Room) -> Iterator[Room]:
    shared_room.http.cookies.clear()
    shared_room.control.received.clear()
    yield shared_room


def told(room: Room) -> list[tuple[str, str, str]]:
    return [(t["what"], t["who"], t["by"]) for t in room.accesses()]


async def test_an_administrator_adds_changes_and_closes_an_account(room: Room) -> None:
    admin = room.bearer("admin")
    new = {"name": "A. Two", "role": "anesthesia", "password": GOOD}
    made = await room.http.post("/api/v1/people", json=new, headers=admin)
    path = "/api/v1/people/a. two"
    for change in ({"role": "qa"}, {"password": "five loud red trains"}, {"disabled": True}):
        changed = await room.http.patch(path, json=change, headers=admin)
        assert changed.status_code == 200
    listed = (await room.http.get("/api/v1/people", headers=admin)).json()
    line = {"name": "A. Two", "role": "qa", "disabled": True, "has_password": True}
    assert (made.status_code, made.json()["role"]) == (201, "anesthesia")
    assert line in listed
    who, by = "A. Two", "P admin"
    assert told(room) == [
        ("account_added", who, by),
        ("role_changed", "a. two", by),
        ("password_changed", "a. two", by),
        ("account_disabled", "a. two", by),
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [({"name": "X", "role": "admin", "password": "short"}, "password"),
     ({"name": " ", "role": "qa"}, "name"), ({"name": "X", "role": "display"}, "role"),
     ({"name": "X", "role": "king"}, "role"), ({"role": "qa"}, "name")],
)  # fmt: skip
async def test_what_does_not_fit_is_told_with_its_field_and_changes_nothing(
    room: Room, body: dict[str, str], field: str
) -> None:
    answer = await room.http.post("/api/v1/people", json=body, headers=room.bearer("admin"))
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert told(room) == []


async def test_a_link_for_a_person_opens_once(room: Room) -> None:
    admin = room.bearer("admin")
    await room.http.post("/api/v1/people", json={"name": "Q", "role": "qa"}, headers=admin)
    link = await room.http.post("/api/v1/people/Q/link", headers=admin)
    opened = await room.http.get(link.json()["path"])
    assert (link.status_code, opened.status_code, opened.headers["location"]) == (201, 303, "/qa")
    assert (await room.http.get(link.json()["path"])).status_code == 401


@pytest.mark.requirement("RC-152")
async def test_a_screen_is_enrolled_by_a_link_and_is_a_stranger_when_revoked(room: Room) -> None:
    admin = room.bearer("admin")
    new = {"name": "pump-2", "role": "perfusionist"}
    link = await room.http.post("/api/v1/stations", json=new, headers=admin)
    assert (await room.http.get(link.json()["path"])).status_code == 303
    own = {"Origin": room.origin}
    assert (await room.give("stop", "enrolled", own)).status_code == 202
    listed = (await room.http.get("/api/v1/stations", headers=admin)).json()
    (screen,) = [each for each in listed if each["station"] == "pump-2"]
    gone = await room.http.delete(f"/api/v1/stations/{screen['fingerprint']}", headers=admin)
    assert gone.status_code == 204
    assert (await room.give("stop", "revoked", own)).status_code == 401
    assert [what for what, _, _ in told(room)] == [
        "link_issued", "station_enrolled", "station_revoked"
    ]  # fmt: skip
    again = await room.http.delete("/api/v1/stations/pump-2", headers=admin)
    assert (again.status_code, again.json()["field"]) == (422, "name")


@pytest.mark.parametrize("role", ["perfusionist", "anesthesia", "surgeon", "qa", "display"])
async def test_nobody_but_an_administrator_sees_or_changes_accounts(room: Room, role: str) -> None:
    who = room.bearer(role)
    asked = [
        await room.http.get("/api/v1/people", headers=who),
        await room.http.get("/api/v1/stations", headers=who),
        await room.http.post("/api/v1/people", json={"name": "X", "role": "admin"}, headers=who),
        await room.http.patch("/api/v1/people/P", json={"role": "admin"}, headers=who),
        await room.http.post("/api/v1/people/P/link", headers=who),
        await room.http.post(
            "/api/v1/stations", json={"name": "x", "role": "display"}, headers=who
        ),
        await room.http.delete("/api/v1/stations/perfusion", headers=who),
    ]
    assert {answer.status_code for answer in asked} == {403}
    assert told(room) == []
    assert (await room.http.get("/api/v1/people")).status_code == 401


async def test_an_administrator_does_not_lock_everybody_out_alone(room: Room) -> None:
    admin = room.bearer("admin")
    answer = await room.http.patch("/api/v1/people/P admin", json={"disabled": True}, headers=admin)
    assert (answer.status_code, answer.json()["field"]) == (422, "name")


async def test_whoever_is_signed_in_changes_the_own_password_with_the_old_one(room: Room) -> None:
    with store_of(room.parts.settings) as db:
        people.add(db, "Own qa", PersonRole.QA, GOOD)
    headers = room.bearer("qa", user="Own")
    new = "five loud red trains"
    wrong = await room.http.post(
        "/api/v1/password", json={"old": "wrong", "password": new}, headers=headers
    )
    weak = await room.http.post(
        "/api/v1/password", json={"old": GOOD, "password": "short"}, headers=headers
    )
    done = await room.http.post(
        "/api/v1/password", json={"old": GOOD, "password": new}, headers=headers
    )
    after = await room.http.get("/api/session", headers=headers)
    assert (wrong.status_code, wrong.json()["field"]) == (422, "old")
    assert (weak.status_code, weak.json()["field"]) == (422, "password")
    assert (done.status_code, after.status_code) == (204, 401)
    assert told(room)[-1] == ("password_changed", "Own qa", "Own qa")
