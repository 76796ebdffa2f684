"""Frames on the control socket, and the shapes of commands."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from service.wire import (
    BODY,
    COMMANDS,
    FROM_WEB,
    LIVE,
    MAX_MESSAGE_BYTES,
    URGENT,
    WireError,
    pack,
    read_message,
)
from tests.web.control_side import alarm, envelope, frame, frame_of, state


def reader_of(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def all_of(data: bytes) -> list[object]:
    reader, found = reader_of(data), []
    while (message := await read_message(reader)) is not None:
        found.append(message)
    return found


async def test_a_message_is_its_length_in_four_bytes_and_its_json() -> None:
    assert pack({"type": "alive", "text": "°"}) == b'\0\0\0\x1c{"type":"alive","text":"\xc2\xb0"}'
    assert await all_of(frame_of({"a": 1}) + pack({"b": None})) == [{"a": 1}, {"b": None}]


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_every_message_arrives_as_it_was_sent(message: dict[str, object]) -> None:
    assert asyncio.run(all_of(pack(message))) == [message]


@pytest.mark.parametrize(
    "data",
    [b"\0\0", b"\0\0\0\5{}", b"\0\0\0\2{]", b"\0\0\0\2[]", b"\0\0\0\1\xff", b"\0\x10\0\1",
     b'\0\0\0\x09{"a":NaN}'],
)  # fmt: skip
async def test_a_broken_frame_is_an_error_and_never_a_message(data: bytes) -> None:
    with pytest.raises(WireError):
        await all_of(data)


def test_what_is_not_a_number_or_too_long_is_not_sent() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        pack({"c": float("nan")})
    with pytest.raises(ValueError, match="bytes is over"):
        pack({"text": "x" * MAX_MESSAGE_BYTES})


@pytest.mark.parametrize(
    "message",
    [
        envelope(1, "snapshot") | {"state": state()},
        envelope(1, "frame") | frame(value=None),
        envelope(1, "alarm") | alarm(),
        envelope(1, "phase") | {"from": None, "to": "setup", "by": "P"},
        envelope(1, "heartbeat") | {"processed": 1},
    ],
    ids=lambda message: message["type"],
)
def test_a_live_message_survives_its_model_unchanged(message: dict[str, object]) -> None:
    assert LIVE.validate_python(message).model_dump(mode="json", exclude_unset=True) == message


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"seq": -1}, {"mode": "play"}, {"at_ns": None}, {"extra": 1},
     {"channels": {"pelvis": {"value": float("inf"), "unit": "degC", "validity": "valid"}}}],
)  # fmt: skip
def test_a_live_message_of_another_shape_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LIVE.validate_python(envelope(1, "frame") | frame() | change)


def test_the_commands_are_those_of_the_contract() -> None:
    contract = (
        "open_session close_session confirm_checklist compare_probes start_phase confirm_drug "
        "set_controller set_inflow set_flow stop heater_off pause resume abort acknowledge "
        "pause_audio note volume enter_core request answer patient_unstable confirm_reminder "
        "take_control hand_over release_control seen cooling confirm_blood_test"
    )
    assert set(COMMANDS) == set(contract.split())
    assert set(COMMANDS) > URGENT


@pytest.mark.parametrize("name", [n for n, args in COMMANDS.items() if not args.model_fields])
def test_a_command_without_arguments_needs_no_args(name: str) -> None:
    assert BODY.validate_python({"name": name}).args == COMMANDS[name]()


def test_what_comes_from_the_web_process_has_its_shapes() -> None:
    by = {"user": "", "role": "display", "station": "perfusion"}
    request = {
        "type": "command", "key": "k", "name": "volume", "args": {"kind": "in", "ml": 250.0},
        "reason": "", "second": "", "by": by, "asked_ns": 1,
    }  # fmt: skip
    for message in (
        {"type": "hello", "lane": "urgent"},
        {
            "type": "shown",
            "display": "perfusion",
            "seq": 1,
            "id": "core_high",
            "occurrence": "b-1",
            "latency_ms": 12.5,
        },
        {
            "type": "displays",
            "heard": {"perfusion": {"role": "perfusionist", "audible": True}},
            "hidden": [],
        },
        request,
    ):
        assert FROM_WEB.validate_python(message).model_dump(mode="json") == message
    with pytest.raises(ValidationError):
        FROM_WEB.validate_python({"type": "alive"})
