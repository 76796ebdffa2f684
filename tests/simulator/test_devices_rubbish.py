"""Whatever arrives, an instrument neither fails nor loses its line for good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.rtu_frame import high_low, low_high
from simulator.room import Room

GOOD = {
    "sites": bytes.fromhex("01 04 00 00 00 08 f1 cc"),
    "pump": b"\r1RS\r",
    "heater": b"\rstatus\r",
    "pressure": bytes.fromhex("01 30 34 00"),
}
ROOM = Room()


@pytest.mark.parametrize("name", GOOD)
@given(chunks=st.lists(st.binary(max_size=40), max_size=5))
def test_after_any_rubbish_and_a_pause_a_proper_request_is_answered(name, chunks):
    line = ROOM.devices[name]
    line.instrument.power_up()
    for chunk in chunks:
        line.receive(chunk, 1.0)
    line.receive(b"\r", 2.0)
    assert line.receive(GOOD[name], 3.0)


@given(chunks=st.lists(st.binary(max_size=40), max_size=5))
def test_the_flow_meter_survives_any_rubbish_by_a_power_cycle_at_worst(chunks):
    line = ROOM.devices["flow"]
    for chunk in chunks:
        line.receive(chunk, 1.0)
    line.instrument.power_up()
    assert line.instrument.line().count(" ") >= 7


@pytest.mark.parametrize("name", ["sites", "pressure"])
@pytest.mark.parametrize("seal", [low_high, high_low])
@given(body=st.binary(min_size=1, max_size=20))
def test_any_frame_with_a_good_checksum_is_answered_or_ignored(name, seal, body):
    for sent in ROOM.devices[name].receive(seal(b"\x01" + body), 1.0):
        assert sent.data[0] == 1
