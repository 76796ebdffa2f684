"""Commands over HTTP: who may give which, what comes back, and that a key never acts twice."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.authority import MAY
from service.web.control_link import LinkDown
from service.wire import COMMANDS
from tests.web.conftest import Room, open_room
from tests.web.control_side import command, next_of, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
_numbers = itertools.count()


@pytest.fixture
def key() -> str:
    return f"key-{next(_numbers)}"


@pytest.fixture
def room(shared_room: Room) -> Iterator[Room]:
    shared_room.control.answer = "requested"
    shared_room.control.received.clear()
    yield shared_room


async def test_a_command_is_answered_when_the_core_took_it_and_its_outcome_follows(
    room: Room, key: str
) -> None:
    headers = room.bearer()
    async with room.watch() as page:
        answer = await room.give("set_inflow", key, c=45.0)
        room.control.say("command", **command(key, "confirmed") | {"granted": 44.5})
        while (await next_of(page, "command"))["state"] != "confirmed":
            pass
    outcome = await room.http.get(f"/api/session/commands/{key}", headers=headers)
    assert (answer.status_code, answer.json()) == (202, {"key": key, "state": "requested"})
    assert (outcome.json()["state"], outcome.json()["granted"]) == ("confirmed", 44.5)


async def test_the_core_gets_the_command_with_who_gave_it_and_why(room: Room, key: str) -> None:
    body = {
        "name": "confirm_drug", "args": {"fraction": 1, "at": "2026-01-01T11:42:00+01:00"},
        "reason": "entered late", "second": "S",
    }  # fmt: skip
    headers = room.bearer(user="P", station="perfusion") | {"Idempotency-Key": key}
    await room.http.post("/api/session/commands", json=body, headers=headers)
    ((lane, sent),) = room.control.commands()
    assert lane == "main"
    assert sent.pop("asked_ns") > 0
    assert sent == {
        "type": "command", "key": key, "name": "confirm_drug",
        "args": {"fraction": 1, "at": "2026-01-01T10:42:00.000Z"},
        "reason": "entered late", "second": "S",
        "by": {"user": "P", "role": "perfusionist", "station": "perfusion"},
    }  # fmt: skip


@pytest.mark.requirement("RC-226")
@pytest.mark.parametrize(("asked_s_ago", "sent_s_ago"), [(9.0, 9.0), (-9.0, 0.0)])
async def test_a_command_is_as_old_as_its_page_says_and_never_younger_than_its_arrival(
    room: Room, key: str, asked_s_ago: float, sent_s_ago: float
) -> None:
    asked_ns = time.monotonic_ns() - round(asked_s_ago * 1e9)
    headers = room.bearer() | {"Idempotency-Key": key, "Asked-At": str(asked_ns)}
    await room.http.post("/api/session/commands", json={"name": "resume"}, headers=headers)
    ((_, sent),) = room.control.commands()
    ago_s = (time.monotonic_ns() - sent["asked_ns"]) / 1e9
    assert sent_s_ago <= ago_s < sent_s_ago + 5.0


async def test_a_refusal_by_the_core_comes_with_its_reason(room: Room, key: str) -> None:
    room.control.answer = "refused"
    answer = await room.give("resume", key)
    again = await room.give("resume", key)
    assert answer.status_code == 409
    assert answer.json() == {"state": "refused", "reason": "not in this phase"}
    assert again.json() == answer.json()
    assert len(room.control.commands()) == 1


async def test_the_same_key_with_the_same_body_acts_once_also_at_the_same_moment(
    room: Room, key: str
) -> None:
    headers = room.bearer()
    answers = await asyncio.gather(*(room.give("pause", key, headers) for _ in range(5)))
    answers.append(await room.give("pause", key, headers))
    assert {answer.status_code for answer in answers} == {202}
    assert len(room.control.commands()) == 1


async def test_the_same_key_for_another_body_or_person_is_an_error(room: Room, key: str) -> None:
    await room.give("set_flow", key, ml_min=1000)
    other_body = await room.give("set_flow", key, ml_min=1200)
    other_person = await room.give("set_flow", key, room.bearer(user="Q"), ml_min=1000)
    for answer in (other_body, other_person):
        assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")
    assert len(room.control.commands()) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "set_inflow", "args": {"c": "45"}}, "args.c"),
        ({"name": "set_inflow", "args": {"c": None}}, "args.c"),
        ({"name": "set_inflow", "args": {"c": 445}}, "args.c"),
        ({"name": "set_inflow", "args": {}}, "args.c"),
        ({"name": "set_inflow"}, "args"),
        ({"name": "set_inflow", "args": {"c": 44, "f": 1}}, "args.f"),
        ({"name": "confirm_drug", "args": {"fraction": 0}}, "args.fraction"),
        ({"name": "confirm_drug", "args": {"fraction": 1, "at": "10:42"}}, "args.at"),
        ({"name": "confirm_drug", "args": {"fraction": 1, "at": "2026-01-01T10:42"}}, "args.at"),
        ({"name": "start_phase", "args": {"phase": "cool"}}, "args.phase"),
        ({"name": "note", "args": {"text": "x" * 3000}}, "args.text"),
        ({"name": "boil"}, "body"),
        ({"args": {}}, "body"),
        ([], "body"),
        ({"name": "pause", "urgent": True}, "urgent"),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_with_its_field(
    room: Room, key: str, body: object, field: str
) -> None:
    headers = room.bearer() | {"Idempotency-Key": key}
    answer = await room.http.post("/api/session/commands", json=body, headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert room.control.commands() == []
    await until(lambda: room.control.denied())
    note = room.control.denied()[-1]
    assert (note["key"], note["by"]["user"]) == (key, "P")
    assert note["reason"] == answer.json()["reason"][:128]


@pytest.mark.parametrize("key", [None, "", "a b", "../x", "x" * 129])
async def test_a_command_without_a_usable_key_is_refused(room: Room, key: str | None) -> None:
    headers = room.bearer() | ({} if key is None else {"Idempotency-Key": key})
    answer = await room.http.post("/api/session/commands", json={"name": "pause"}, headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")


async def test_nobody_gives_a_command_without_signing_in(room: Room, key: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        answer = await room.give("stop", key, headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "Sign in" in answer.json()["reason"]
    assert room.control.commands() == []


async def test_every_command_has_a_row_in_the_table_of_who_may() -> None:
    assert MAY.keys() == COMMANDS.keys()


@pytest.mark.parametrize(
    ("role", "name", "args", "status"),
    [
        ("perfusionist", "set_inflow", {"c": 44}, 202),
        ("anesthesia", "set_inflow", {"c": 44}, 403),
        ("anesthesia", "request", {"kind": "reduce_heat"}, 202),
        ("anesthesia", "enter_core", {"c": 38.1, "site": "oesophagus"}, 202),
        ("surgeon", "stop", {}, 202),
        ("surgeon", "pause_audio", {}, 403),
        ("qa", "note", {"text": "x"}, 403),
        ("qa", "stop", {}, 403),
        ("admin", "abort", {}, 403),
        ("display", "pause", {}, 401),
    ],
)
async def test_a_role_gives_only_its_own_commands(
    room: Room, key: str, role: str, name: str, args: dict[str, object], status: int
) -> None:
    answer = await room.give(name, key, room.bearer(role), **args)
    assert answer.status_code == status
    assert len(room.control.commands()) == (status == 202)
    if status == 403:
        assert role in answer.json()["reason"]
        await until(lambda: room.control.denied())
        note = room.control.denied()[-1]
        assert (note["name"], note["by"]["role"]) == (name, role)
        assert role in note["reason"]


@pytest.mark.parametrize(
    ("name", "args", "status"),
    [
        ("stop", {}, 202), ("heater_off", {}, 202), ("acknowledge", {"occurrence": "a"}, 202),
        ("abort", {}, 401), ("set_inflow", {"c": 44}, 401),
    ],
)  # fmt: skip
async def test_the_enrolled_station_stops_switches_off_and_acknowledges_by_itself(
    room: Room, key: str, name: str, args: dict[str, object], status: int
) -> None:
    station = room.bearer(user="", station="perfusion")
    answer = await room.give(name, key, station, **args)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [("{own}", 202), (None, 403), ("null", 403), ("http://elsewhere.example", 403)],
)
async def test_a_browsers_command_must_come_from_our_own_page(
    room: Room, key: str, origin: str | None, status: int
) -> None:
    headers = {"Cookie": f"hipec={room.token()}"}
    if origin:
        headers["Origin"] = origin.format(own=room.origin)
    answer = await room.give("pause", key, headers)
    assert answer.status_code == status


@pytest.mark.parametrize("name", ["stop", "heater_off", "abort"])
async def test_stop_heater_off_and_abort_take_the_urgent_lane(
    room: Room, key: str, name: str
) -> None:
    assert (await room.give(name, key)).status_code == 202
    ((lane, sent),) = room.control.commands()
    assert (lane, sent["name"]) == ("urgent", name)


@pytest.mark.requirement("RC-111")
async def test_stop_is_answered_while_the_main_lane_is_stuck(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        room.control.stall("main")
        waiting = asyncio.create_task(room.give("set_inflow", "slow", c=44))
        await until(lambda: room.parts.commands.status("slow"))
        stopped = await room.give("stop", "fast")
        assert not waiting.done()
        slow = await waiting
        again = asyncio.create_task(room.give("set_inflow", "slow", c=44))
        room.control.recover()
        late = await again
    assert stopped.status_code == 202
    assert (slow.status_code, slow.json()["state"]) == (503, "unknown")
    assert "Look at the device" in slow.json()["reason"]
    assert late.status_code == 202
    assert [m["key"] for _, m in room.control.commands()] == ["fast", "slow"]


async def test_a_full_main_lane_takes_nothing_more_and_stop_still_goes(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        room.control.stall("main")
        note = {"type": "command", "name": "note", "key": "n", "args": {"text": "x" * 2000}}
        with pytest.raises(LinkDown, match="nothing was sent"):
            for _ in range(1000):
                room.parts.link.send(note)
        stopped = await room.give("stop", "fast")
    assert stopped.status_code == 202


async def test_a_restarted_control_process_leaves_open_commands_unknown(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        headers = room.bearer()
        await room.give("set_inflow", "open", c=44)
        room.control.say("command", **command("open", "sent"))
        await room.give("pause", "done")
        room.control.say("command", **command("done", "confirmed"))
        await until(lambda: room.parts.commands.status("done").state == "confirmed")
        await room.control.stop()
        room.control.boot, room.control.seq = "boot-2", 0
        await room.control.start()
        await until(lambda: room.parts.hub.boot == "boot-2")
        states = {
            key: (await room.http.get(f"/api/session/commands/{key}", headers=headers)).json()
            for key in ("open", "done", "before")
        }
    assert states["open"]["state"] == "unknown"
    assert "not repeated" in states["open"]["reason"]
    assert states["done"]["state"] == "confirmed"
    assert states["before"]["state"] == "confirmed"


async def test_an_unknown_command_is_not_found(room: Room) -> None:
    answer = await room.http.get("/api/session/commands/never", headers=room.bearer())
    assert answer.status_code == 404
    assert "never" in answer.json()["reason"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
BODIES = st.one_of(
    st.binary(max_size=40),
    JSON_VALUES.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {"name": st.sampled_from(sorted(COMMANDS)) | st.text()},
        optional={
            "args": st.dictionaries(st.sampled_from(["c", "at", "kind", "text"]), JSON_VALUES),
            "reason": JSON_VALUES,
        },
    ).map(lambda value: json.dumps(value).encode()),
)
NASTY = [
    b'{"name":"set_inflow","args":{"c":1e999}}', b'{"name":"set_inflow","args":{"c":NaN}}',
    b'{"name":"\\ud800"}', b'{"name":"stop","\\ud800":1}', b"[" * 10_000, b"\xff\xfe",
    b'{"name":"set_inflow","args":{"c":' + b"9" * 5000 + b"}}", b"x" * 20_000,
    b'{"name":"confirm_drug","args":{"fraction":1,"at":"0001-01-01T00:00:00+14:00"}}',
]  # fmt: skip


async def test_nothing_that_is_posted_makes_the_server_fail(room: Room) -> None:
    """Every answer is one that OpenAPI names, and a sentence."""
    api = (await room.http.get("/api/openapi.json")).json()
    named = api["paths"]["/api/session/commands"]["post"]["responses"].keys()
    bodies: list[bytes] = list(NASTY)

    @settings(max_examples=150, database=None, deadline=None)
    @given(BODIES)
    def collect(body: bytes) -> None:
        bodies.append(body)

    collect()
    headers = room.bearer()
    for body in bodies:
        own = {"Idempotency-Key": f"fuzz-{next(_numbers)}", "Content-Type": "application/json"}
        answer: httpx.Response = await room.http.post(
            "/api/session/commands", content=body, headers=headers | own
        )
        assert str(answer.status_code) in named, (body, answer.text)
        assert answer.status_code == 202 or answer.json()["reason"]
