"""The live stream: what a page sees, when, and what one page may do to another."""

import asyncio
import json
import time
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from service.accounts.tokens import Tokens
from service.web.backlog import MOST_EVENTS
from service.web.live import PAGE_BURST
from tests.web.conftest import Room, open_room
from tests.web.control_side import (
    alarm,
    command,
    connect_and_never_read,
    envelope,
    frame,
    next_of,
    soon,
    state,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def room(shared_room: Room) -> Room:
    await until(lambda: not shared_room.parts.hub.pages)
    shared_room.control.received.clear()
    shared_room.control.say("snapshot", state=state())
    return shared_room


async def test_a_page_gets_a_snapshot_first_and_then_what_happens(room: Room) -> None:
    async with room.watch() as page:
        first = await next_of(page)
        room.control.say("frame", **frame())
        seen = await next_of(page, "frame")
    assert first["type"] == "snapshot"
    assert first["state"]["phase"] == "perfuse"
    assert seen["channels"]["pelvis"]["value"] == 42.71


async def test_a_second_page_starts_with_the_snapshot_and_the_events_since(room: Room) -> None:
    async with room.watch() as early:
        sent = room.control.say("alarm", **alarm())
        await next_of(early, "alarm")
        async with room.watch() as late:
            assert (await next_of(late))["type"] == "snapshot"
            assert (await next_of(late, "alarm"))["seq"] == sent["seq"]


async def test_event_numbers_rise_by_one_and_frames_carry_the_newest(room: Room) -> None:
    async with room.watch() as page:
        newest = first = (await next_of(page))["seq"]
        for _ in range(20):
            room.control.say("alarm", **alarm())
            room.control.say("frame", **frame())
        events: list[int] = []
        while len(events) < 20:
            message = await next_of(page, "alarm", "frame")
            assert message["seq"] >= newest
            newest = message["seq"]
            if message["type"] == "alarm":
                events.append(newest)
    assert events == list(range(first + 1, first + 21))


async def test_every_live_message_fits_the_published_schema(room: Room) -> None:
    schema = (await room.http.get("/api/live/schema.json")).json()
    Draft202012Validator.check_schema(schema)
    fits = Draft202012Validator(schema)
    async with room.watch() as page:
        await next_of(page)
        room.control.say("frame", **frame())
        room.control.say("alarm", **alarm())
        room.control.say("phase", **{"from": "heat_up", "to": "drug_addition", "by": "P"})
        room.control.say("command", **command("k", "sent"))
        room.control.say("snapshot", state=state())
        kinds = {"frame", "alarm", "phase", "command", "snapshot", "heartbeat"}
        while kinds:
            message = await next_of(page, *kinds)
            fits.validate(message)
            kinds.discard(message["type"])
    assert not fits.is_valid(message | {"surprise": 1})


async def test_a_page_gets_the_very_text_that_the_control_process_sent(room: Room) -> None:
    async with room.watch() as page:
        await next_of(page)
        sent = room.control.say("frame", **frame())
        text = ""
        while '"frame"' not in text:
            text = str(await soon(page.recv()))
    assert text == json.dumps(sent)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Cookie": "hipec=x"}])
async def test_without_a_valid_session_there_is_no_stream(
    room: Room, headers: dict[str, str]
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with room.watch(headers):
            pass
    assert refused.value.response.status_code == 401
    assert b"Sign in" in refused.value.response.body


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://elsewhere.example", 403), ("null", 403), (None, 403), ("{own}", None)],
)
async def test_a_browser_must_come_from_one_of_our_own_addresses(
    room: Room, origin: str | None, status: int | None
) -> None:
    headers = {"Cookie": f"hipec={room.token()}"}
    if origin:
        headers["Origin"] = origin.format(own=room.origin)
    if status is None:
        async with room.watch(headers) as page:
            assert (await next_of(page))["type"] == "snapshot"
        return
    with pytest.raises(InvalidStatus) as refused:
        async with room.watch(headers):
            pass
    assert refused.value.response.status_code == status


async def test_what_a_display_has_shown_reaches_the_core_with_the_stations_name(room: Room) -> None:
    async with room.watch(room.bearer(station="perfusion")) as page:
        shown = {"type": "shown", "seq": 41, "id": "core_high", "occurrence": "b-1"}
        await page.send(json.dumps({**shown, "latency_ms": 8.5}))
        await until(lambda: any(m["type"] == "shown" for _, m in room.control.received))
    expected = {**shown, "display": "perfusion", "latency_ms": 8.5}
    assert ("main", expected) in room.control.received


async def test_enrolled_displays_that_say_they_live_are_counted(room: Room) -> None:
    async with room.watch() as display, room.watch(room.bearer("qa")) as other:
        for page in (display, other):
            await page.send(json.dumps({"type": "alive"}))
        await until(lambda: all(page.alive_at for page in room.parts.hub.pages))
        health = (await room.http.get("/healthz")).json()
    assert (health["pages"], health["displays"]) == (2, 1)


@pytest.mark.parametrize(
    "said",
    ["", "{", "[]", '{"type":"stop"}', '{"type":"shown"}', '{"type":"shown","seq":"1"}',
     '{"type":"shown","seq":1e999}', '{"type":"alive","x":1}', b"\x00\x01"],
)  # fmt: skip
async def test_a_page_that_talks_rubbish_is_closed_and_told_why(
    room: Room, said: str | bytes
) -> None:
    async with room.watch() as page, room.watch() as other:
        await page.send(said)
        with pytest.raises(ConnectionClosed) as closed:
            await _drain(page)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, "understood" in closed.value.rcvd.reason) == (1008, True)
        room.control.say("frame", **frame())
        assert await next_of(other, "frame")


async def test_a_page_that_sends_too_much_is_closed(room: Room) -> None:
    async with room.watch() as large:
        await large.send("x" * 5000)
        with pytest.raises(ConnectionClosed) as closed:
            await _drain(large)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
    async with room.watch() as fast:
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(3 * int(PAGE_BURST)):
                await fast.send('{"type":"alive"}')
            await _drain(fast)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


async def test_a_revoked_session_ends_its_stream(room: Room) -> None:
    token = room.token()
    async with room.watch({"Authorization": f"Bearer {token}"}) as page:
        await room.parts.accounts.sign_out(Tokens(bearer=token))
        await page.send('{"type":"alive"}')
        with pytest.raises(ConnectionClosed) as closed:
            await _drain(page)
    assert closed.value.rcvd is not None and closed.value.rcvd.reason == "signed out"


async def test_a_page_that_never_reads_delays_nobody_and_holds_little(room: Room) -> None:
    stalled = await connect_and_never_read(room.origin, room.token())
    await until(lambda: room.parts.hub.pages)
    (stalled_page,) = room.parts.hub.pages
    large = state() | {"title": "x" * 30_000}
    async with room.watch() as one, room.watch() as two:
        slowest_s, turns_stalled = 0.0, 0
        while turns_stalled < 100:
            sent_at = time.monotonic()
            room.control.say("snapshot", state=large)
            sent = room.control.say("alarm", **alarm())
            for page in (one, two):
                assert (await next_of(page, "alarm"))["seq"] == sent["seq"]
            slowest_s = max(slowest_s, time.monotonic() - sent_at)
            turns_stalled += len(stalled_page.backlog) > 1
        assert len(stalled_page.backlog) <= MOST_EVENTS
    stalled.close()
    assert slowest_s < 0.5


async def test_a_page_that_reads_again_after_a_stop_gets_every_event_and_the_newest_state(
    room: Room,
) -> None:
    stalled = await connect_and_never_read(room.origin, room.token())
    await until(lambda: room.parts.hub.pages)
    (page,) = room.parts.hub.pages
    said, turn = [], 0
    while len(page.backlog) < 10:
        turn += 1
        room.control.say("snapshot", state=state() | {"title": f"<{turn}>" + "x" * 30_000})
        said.append(room.control.say("alarm", **alarm())["seq"])
        await asyncio.sleep(0)
    heard = b""
    while f'"alarm", "seq": {said[-1]},'.encode() not in heard:
        heard += await soon(asyncio.get_running_loop().sock_recv(stalled, 1 << 20))
    stalled.close()
    assert all(f'"alarm", "seq": {seq},'.encode() in heard for seq in said)
    assert f"<{turn}>".encode() in heard
    assert page.lost_events == 0


async def test_a_page_that_lost_events_starts_again_from_a_snapshot(room: Room) -> None:
    async with room.watch() as page:
        await next_of(page)
        (served,) = room.parts.hub.pages
        event = envelope(0, "alarm")
        text = json.dumps(event) + 30_000 * " "
        for _ in range(2000):  # the page cannot read meanwhile: far more than the network holds
            room.parts.hub.publish(text, event)
        assert served.lost_events >= 1
        room.control.say("snapshot", state=state())
        assert (await next_of(page, "snapshot"))["state"] == state()


async def test_when_the_control_process_goes_pages_hear_nothing_and_health_says_so(
    tmp_path: Path,
) -> None:
    async with open_room(tmp_path, heard_within_s=0.5) as room:
        async with room.watch() as page:
            await next_of(page, "heartbeat")
            await room.control.stop()
            await until(lambda: not room.parts.link.alive)
            health = await room.http.get("/healthz")
            session = await room.http.get("/api/session", headers=room.bearer())
            await _read_what_is_left(page)
            with pytest.raises(TimeoutError):
                await soon(page.recv(), within_s=0.3)
            room.control.boot = "boot-2"
            await room.control.start()
            again = await next_of(page, "snapshot")
            health_again = await room.http.get("/healthz")
        assert (health.status_code, session.status_code) == (503, 503)
        assert "control process has not been heard" in health.json()["reason"]
        assert again["boot"] == "boot-2"
        assert (health_again.status_code, health_again.json()["boot"]) == (200, "boot-2")


async def test_a_stuck_control_process_is_noticed_and_no_old_state_looks_live(
    tmp_path: Path,
) -> None:
    async with open_room(tmp_path, heard_within_s=0.5) as room:
        room.control.hang()
        await until(lambda: not room.parts.link.alive)
        assert (await room.http.get("/healthz")).status_code == 503
        async with room.watch() as page:
            assert json.loads(await soon(page.recv()))["type"] == "hello"
            with pytest.raises(TimeoutError):
                await soon(page.recv(), within_s=0.3)
            room.control.recover()
            room.control.say("snapshot", state=state())
            assert (await next_of(page))["type"] == "snapshot"


async def test_rubbish_from_the_control_side_breaks_the_link_and_not_the_pages(room: Room) -> None:
    async with room.watch() as page:
        await next_of(page)
        for rubbish in (b"\xff\xff\xff\xff", b"\0\0\0\2[]", b"\0\0\0\1\xff", b"\0\0\0\2{}"):
            room.control.writers["main"].write(rubbish)
            assert await next_of(page, "snapshot")


async def test_health_names_the_room_its_mode_and_the_boot(room: Room) -> None:
    await until(lambda: room.parts.hub.processed)
    health = (await room.http.get("/healthz")).json()
    assert health["status"] == "ok"
    assert (health["room"], health["mode"], health["boot"]) == ("or-3", "demo", "boot-1")
    assert health["processed"] >= 1


async def test_a_command_to_a_control_process_that_is_gone_is_not_sent(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.control.stop()
        await until(lambda: not room.parts.link.alive)
        given: httpx.Response = await room.give("pause")
        await room.control.start()
    assert given.status_code == 503
    assert given.json()["state"] == "unknown"
    assert "nothing was sent" in given.json()["reason"]


async def test_an_answer_does_not_wait_for_the_networks_timers(room: Room) -> None:
    """A delayed acknowledgement costs 40 ms where small writes are held back (Nagle)."""
    await room.http.get("/healthz")
    began = time.monotonic()
    for _ in range(10):
        await room.http.get("/healthz")
    assert time.monotonic() - began < 0.3


async def _drain(page: ClientConnection) -> None:
    async with asyncio.timeout(5):
        while True:
            await page.recv()


async def _read_what_is_left(page: ClientConnection) -> None:
    try:
        while True:
            await soon(page.recv(), within_s=0.2)
    except TimeoutError:
        return
