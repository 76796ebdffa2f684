"""Signing in by password, being away, being locked out, and what a station keeps through it all."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.accounts import people, stations
from service.core.authority import AT_THE_STATION
from service.core.model import PersonRole
from service.web import accounts as web_accounts
from service.web.api import COMMANDS_BURST
from tests.web.conftest import Room, issue, open_room, store_of
from tests.web.control_side import next_of, state, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
GOOD = "four quiet green boats"


@pytest.fixture
def room(shared_room: Room) -> Iterator[Room]:
    shared_room.http.cookies.clear()
    shared_room.control.received.clear()
    with store_of(shared_room.parts.settings) as db:
        if people.find(db, "P. One") is None:
            people.add(db, "P. One", PersonRole.PERFUSIONIST, GOOD)
            people.add(db, "Locked", PersonRole.PERFUSIONIST, GOOD)
    yield shared_room
    shared_room.http.cookies.clear()


async def sign_in(room: Room, name: str = "P. One", password: str = GOOD, **more: object):
    body = {"name": name, "password": password} | more
    return await room.http.post("/api/v1/signin", json=body, headers={"Origin": room.origin})


def at_station(room: Room) -> None:
    token = issue(room.parts.settings, PersonRole.PERFUSIONIST, "", "perfusion")
    room.http.cookies.set("hipec-station", token)


async def test_the_right_password_signs_in_and_the_record_says_so(room: Room) -> None:
    at_station(room)
    answer = await sign_in(room, " p. one")
    assert (answer.status_code, answer.json()) == (
        200,
        {"name": "P. One", "role": "perfusionist", "home": "/", "token": None},
    )
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Max-Age" not in cookie
    given = await room.give("pause", "by-password", {"Origin": room.origin})
    assert given.status_code == 202
    assert room.control.commands()[-1][1]["by"]["user"] == "P. One"
    (told,) = room.accesses()
    assert (told["what"], told["who"], told["station"]) == ("signed_in", "P. One", "perfusion")
    assert told["address"] == "127.0.0.1"


@pytest.mark.parametrize(("name", "password"), [("P. One", "wrong"), ("Nobody", GOOD)])
async def test_a_wrong_name_and_a_wrong_password_get_the_same_sentence(
    room: Room, name: str, password: str
) -> None:
    answer = await sign_in(room, name, password)
    assert (answer.status_code, answer.json()) == (
        401,
        {"reason": "Name or password is wrong.", "field": "password", "wait_s": 0.0},
    )
    assert "set-cookie" not in answer.headers
    assert [t["what"] for t in room.accesses()] == ["sign_in_refused"]


@pytest.mark.requirement("RC-153")
@pytest.mark.requirement("RC-151")
async def test_a_locked_account_waits_while_the_station_goes_on_stopping(room: Room) -> None:
    at_station(room)
    own = {"Origin": room.origin}
    for _ in range(5):
        last = await sign_in(room, "Locked", "wrong")
    right = await sign_in(room, "Locked", GOOD)
    assert (last.status_code, right.status_code) == (401, 429)
    assert int(right.headers["retry-after"]) >= 1
    assert "wait" in right.json()["reason"]
    for number, (name, args) in enumerate(
        [("stop", {}), ("heater_off", {}), ("acknowledge", {"occurrence": "a"})]
    ):
        assert (await room.give(name, f"locked-{number}", own, **args)).status_code == 202
    assert len(room.accesses()) == 5  # tries that were not looked at do not fill the record


async def test_a_program_gets_a_bearer_token_of_the_same_kind_of_session(room: Room) -> None:
    answer = await sign_in(room, program=True)
    token = answer.json()["token"]
    assert "set-cookie" not in answer.headers
    room.http.cookies.clear()
    seen = await room.http.get("/api/session", headers={"Authorization": f"Bearer {token}"})
    assert seen.status_code == 200


@pytest.mark.requirement("RC-152")
async def test_a_page_away_from_the_room_shows_and_cannot_act(room: Room) -> None:
    await sign_in(room)
    own = {"Origin": room.origin}
    watched = await room.http.get("/api/session")
    stop = await room.give("stop", "remote-1", own)
    pause = await room.give("pause", "remote-2", own)
    assert (watched.status_code, stop.status_code, pause.status_code) == (200, 403, 403)
    assert "not at an enrolled station" in stop.json()["reason"]
    assert room.control.commands() == []


@pytest.mark.requirement("RC-152")
async def test_a_wall_display_and_a_station_of_another_room_give_nothing(room: Room) -> None:
    with store_of(room.parts.settings) as db:
        other = stations.enrol(db, "perfusion", "or-4", PersonRole.PERFUSIONIST, 1.0)
    wall = room.bearer("display", user="")
    foreign = {"Authorization": f"Bearer {other}"}
    assert (await room.give("stop", "wall-1", wall)).status_code == 403
    assert (await room.give("stop", "other-1", foreign)).status_code == 401
    assert (await room.http.get("/api/session", headers=wall)).status_code == 200


async def test_a_password_from_another_page_or_a_foreign_form_is_not_taken(room: Room) -> None:
    body = {"name": "P. One", "password": GOOD}
    for headers in (
        {"Origin": "https://elsewhere.example"},
        {"Origin": room.origin, "Sec-Fetch-Site": "cross-site"},
    ):
        answer = await room.http.post("/api/v1/signin", json=body, headers=headers)
        assert answer.status_code == 403
    command = {"name": "stop", "args": {}}
    headers = room.cookies() | {"Sec-Fetch-Site": "cross-site", "Idempotency-Key": "csrf"}
    given = await room.http.post("/api/session/commands", json=command, headers=headers)
    assert given.status_code == 403


async def test_whoever_signs_out_gives_control_back_and_leaves_the_station(room: Room) -> None:
    at_station(room)
    await sign_in(room)
    held = state() | {"control": {"holder": "P. One", "station": "perfusion", "since_utc": None}}
    room.control.say("snapshot", state=held)
    await until(lambda: room.parts.hub.control.get("holder") == "P. One")
    out = await room.http.post("/signout", headers={"Origin": room.origin})
    assert out.status_code == 204
    assert [m["name"] for _, m in room.control.commands()] == ["release_control"]
    assert [t["what"] for t in room.accesses()] == ["signed_in", "signed_out"]
    assert (await room.give("stop", "after", {"Origin": room.origin})).status_code == 202
    room.control.say("snapshot", state=state())
    await until(lambda: not room.parts.hub.control)


async def test_a_page_is_told_who_it_is_and_again_when_control_moves(room: Room) -> None:
    async with room.watch() as page:
        first = await next_of(page, "hello")
        held = {"holder": "A", "station": "perfusion", "since_utc": None, "offered_to": ""}
        room.control.say("snapshot", state=state() | {"control": held})
        second = await next_of(page, "hello")
        room.control.say("snapshot", state=state() | {"control": held | {"holder": "P"}})
        third = await next_of(page, "hello")
        room.control.say("snapshot", state=state())
        await next_of(page, "hello")
    you = first["you"]
    assert (you["name"], you["role"], you["station"]) == ("P", "perfusionist", "perfusion")
    assert "set_inflow" in you["may"] and "take_control" in you["may"] and not you["holder"]
    assert "set_inflow" not in second["you"]["may"]
    assert {"stop", "abort", "take_control", "note"} <= set(second["you"]["may"])
    assert third["you"]["holder"] and "hand_over" in third["you"]["may"]


@pytest.mark.requirement("RC-154")
async def test_who_is_away_too_long_watches_on_and_the_station_keeps_its_three_commands(
    tmp_path: Path,
) -> None:
    async with open_room(tmp_path, idle_s=0.2) as room:
        with store_of(room.parts.settings) as db:
            people.add(db, "P. One", PersonRole.PERFUSIONIST, GOOD)
        at_station(room)
        await sign_in(room)
        cookies = "; ".join(f"{c.name}={c.value}" for c in room.http.cookies.jar)
        async with room.watch({"Cookie": cookies, "Origin": room.origin}) as page:
            hello = await next_of(page, "hello")
            while not hello["you"]["idle"]:
                await page.send(json.dumps({"type": "alive"}))
                hello = await next_of(page, "hello", "heartbeat")
                hello = hello if hello["type"] == "hello" else {"you": {"idle": False}}
            await next_of(page, "heartbeat")
        own = {"Origin": room.origin}
        assert set(hello["you"]["may"]) == AT_THE_STATION >= {"acknowledge", "heater_off", "stop"}
        assert (await room.http.get("/api/session")).status_code == 200
        pause = await room.give("pause", "idle-1", own)
        stop = await room.give("stop", "idle-2", own)
        assert (pause.status_code, stop.status_code) == (401, 202)
        assert "been away" in pause.json()["reason"]
        by = room.control.commands()[-1][1]["by"]
        assert by == {"user": "", "role": "display", "station": "perfusion"}
        await sign_in(room)
        assert (await room.give("pause", "idle-3", own)).status_code == 202


@pytest.mark.requirement("RC-151")
async def test_a_known_station_still_stops_when_the_accounts_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_accounts, "KNOWN_S", 0.0)
    async with open_room(tmp_path) as room:
        station, unknown = room.bearer(user=""), room.bearer("qa")
        assert (await room.give("stop", "before", station)).status_code == 202
        with sqlite3.connect(tmp_path / "hipec.db") as broken:
            broken.execute("DROP TABLE enrolments")
            broken.execute("DROP TABLE sign_ins")
        broken.close()
        assert (await room.give("stop", "during", station)).status_code == 202
        answer = await room.http.get("/api/session", headers=unknown)
        assert (answer.status_code, "treatment goes on" in answer.text) == (503, True)


async def test_too_many_commands_are_refused_and_a_stop_among_them_is_not(room: Room) -> None:
    who = room.bearer(user="Busy")
    answers = [
        (await room.give("note", f"many-{n}", who, text="x")).status_code
        for n in range(round(COMMANDS_BURST) + 30)
    ]
    assert answers[0] == 202 and 429 in answers
    assert (await room.give("stop", "many-stop", who)).status_code == 202


async def test_what_cannot_be_told_now_goes_on_record_when_the_control_process_is_back(
    tmp_path: Path,
) -> None:
    async with open_room(tmp_path) as room:
        await room.control.stop()
        await until(lambda: not room.parts.link.alive)
        await sign_in(room, "Nobody", "wrong")
        assert room.accesses() == []
        await room.control.start()
        await until(room.accesses)
        assert room.accesses()[0]["what"] == "sign_in_refused"
