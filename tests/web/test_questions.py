"""What a page may ask besides the live stream."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.conftest import Room, open_room
from tests.web.control_side import soon, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def room(shared_room: Room) -> Iterator[Room]:
    shared_room.control.received.clear()
    yield shared_room


ENTRY = {
    "id": "p", "title": "P", "technique": "open", "duration_min": 30.0,
    "drug": "oxaliplatin", "dose_mg_m2": 460.0,
}  # fmt: skip
COURSE = {
    "gate_in_s": None, "core_peak_c": 38.5, "hottest_c": 43.4, "mean_c": 42.9, "coldest_c": 42.1,
}  # fmt: skip
FOUND = {
    "inflow_c": 45.0, "flow_ml_min": 1500.0, "planned": COURSE, "changed": COURSE, "text": "so",
}  # fmt: skip


async def test_nobody_asks_without_signing_in(room: Room) -> None:
    for path in ("history", "what-if", "dose?protocol=p&height_cm=170&weight_kg=70"):
        assert (await room.http.get(f"/api/v1/{path}")).status_code == 401


async def test_a_question_goes_to_the_control_process_and_its_answer_to_who_asked(
    room: Room,
) -> None:
    asking = asyncio.create_task(
        room.http.get("/api/v1/what-if?inflow_c=45", headers=room.bearer("qa"))
    )
    await until(lambda: any(m["type"] == "what_if" for _, m in room.control.received))
    asked = next(m for _, m in room.control.received if m["type"] == "what_if")
    assert (asked["inflow_c"], asked["flow_ml_min"]) == (45.0, None)
    room.control.say("what_if", key="other", found=None)
    room.control.say("what_if", key=asked["key"], found=FOUND)
    answer = await soon(asking)
    assert (answer.status_code, answer.json()["changed"]["mean_c"]) == (200, 42.9)


async def test_where_nothing_can_be_foretold_it_is_said(room: Room) -> None:
    asking = asyncio.create_task(room.http.get("/api/v1/what-if", headers=room.bearer("qa")))
    await until(lambda: any(m["type"] == "what_if" for _, m in room.control.received))
    asked = next(m for _, m in room.control.received if m["type"] == "what_if")
    room.control.say("what_if", key=asked["key"], found=None)
    answer = await soon(asking)
    assert (answer.status_code, answer.json()["reason"][:6]) == (409, "Nobody")


async def test_a_dose_is_shown_with_its_arithmetic(tmp_path: Path) -> None:
    async with open_room(tmp_path, protocols=[ENTRY]) as room:
        asked = "/api/v1/dose?protocol=p&height_cm=170&weight_kg=70"
        found = (await room.http.get(asked, headers=room.bearer())).json()
        assert (found["bsa_m2"], found["dose_mg"]) == (1.818, 836.33)
        assert found["text"] == (
            "√(170 cm × 70 kg / 3600) = 1.82 m²; oxaliplatin 460 mg/m² × 1.82 m² = 836.3 mg"
        )
        child = await room.http.get(asked.replace("170", "17"), headers=room.bearer())
        assert (child.status_code, child.json()["field"]) == (422, "height_cm")
        assert "allowed is 100 to 220 cm" in child.json()["reason"]
        unknown = await room.http.get(asked.replace("=p&", "=q&"), headers=room.bearer())
        assert unknown.status_code == 404


async def test_the_history_is_what_has_passed_and_its_gaps(room: Room) -> None:
    reading = {"value": 42.5, "unit": "degC", "validity": "valid"}
    room.control.say("snapshot", state={"speed": 1.0, "channels": {"pelvis": {"gone_s": 3}}})
    for second in (0, 5, 20):
        at_ns = second * 1_000_000_000
        room.control.say("frame", device="sites", at_ns=at_ns, channels={"pelvis": reading})
    headers = room.bearer("anesthesia")

    async def last() -> float:
        told = (await room.http.get("/api/v1/history", headers=headers)).json()
        return told["times_s"][-1] if told["times_s"] else -1

    async with asyncio.timeout(5):
        while await last() < 20:
            await asyncio.sleep(0.01)
    told = (await room.http.get("/api/v1/history?minutes=1", headers=headers)).json()
    assert told["channels"] == {"pelvis": [42.5, 42.5, None, None, 42.5]}
    assert told["boot"] == "boot-1"
    wrong = await room.http.get("/api/v1/history?minutes=900", headers=headers)
    assert (wrong.status_code, wrong.json()["field"]) == (422, "minutes")
