"""Which pages count as displays, as the web process tells it to the control process."""

import json
from collections.abc import Mapping

import pytest

from service.accounts.tokens import Tokens
from service.core.model import PersonRole
from service.web.accounts import Session
from service.web.authority import Caller
from service.web.displays import heard
from service.web.live import Page
from tests.web.conftest import Room, until


def page(role: PersonRole, station: str, *, audible: bool = False, visible: bool = True) -> Page:
    screen_role = role if station else None
    session = Session(user="x", role=PersonRole.QA, station=station, screen_role=screen_role)
    caller = Caller(session=session, tokens=Tokens(person="t"), by_cookie=True)
    return Page(caller=caller, take=lambda _: True, audible=audible, visible=visible)


@pytest.mark.requirement("RC-169")
def test_only_pages_at_enrolled_stations_count_and_the_best_of_each_station() -> None:
    said = heard(
        [
            page(PersonRole.PERFUSIONIST, "perfusion"),
            page(PersonRole.PERFUSIONIST, "perfusion", audible=True),
            page(PersonRole.ANESTHESIA, "anesthesia", visible=False),
            page(PersonRole.PERFUSIONIST, ""),
            page(PersonRole.QA, "office"),
        ]
    )
    assert {name: one.audible for name, one in said.heard.items()} == {"perfusion": True}
    assert said.hidden == ("anesthesia",)


@pytest.mark.requirement("RC-169")
@pytest.mark.asyncio(loop_scope="module")
async def test_a_display_that_says_it_lives_is_reported_and_one_that_leaves_is_not_any_more(
    shared_room: Room,
) -> None:
    room = shared_room

    def last() -> Mapping[str, object]:
        reports = [m for _, m in room.control.received if m["type"] == "displays"]
        return dict(reports[-1]["heard"]) if reports else {}

    async with room.watch(room.bearer(station="perfusion")) as display:
        await display.send(json.dumps({"type": "alive", "audible": True}))
        await until(lambda: last() == {"perfusion": {"role": "perfusionist", "audible": True}})
    await until(lambda: last() == {})
