import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.digital import DigitalModule, DigitalSettings
from simulator.devices.instrument import Fault
from simulator.devices.rtu_frame import low_high

TRANSCRIPT = Path(__file__).parents[1] / "transcripts" / "icpdas_digital.toml"
EXCHANGES = tomllib.loads(TRANSCRIPT.read_text(encoding="utf-8"))["exchange"]
ON, ARM, FAST = "0f 0000 0002 01 03", "0f 0104 0001 01 01", "06 01e8 0014"
TRIPPED, CLEAR = "01 010d 0001", "05 010d ff00"


def module(**settings) -> DigitalModule:
    return DigitalModule([lambda n=n: n in (0, 2) for n in range(4)], DigitalSettings(**settings))


def pdu(device: DigitalModule, body: str, now_s: float = 0.0) -> bytes:
    (send,) = device.receive(low_high(b"\x01" + bytes.fromhex(body)), now_s)
    return send.data[1:-2]


def armed(**settings) -> DigitalModule:
    """On, with a time-out of 2.0 s, last fed at 0 s."""
    device = module(**settings)
    for body in (FAST, ARM, ON):
        pdu(device, body)
    return device


def closed(device: DigitalModule) -> list[bool]:
    return [device.closed(1), device.closed(2)]


PREPARED = {
    "contacts 1 to 4: all open": lambda: DigitalModule([lambda: False] * 4),
    "both outputs on (00001)": lambda: armed(),
    "the time-out is 2.0 s": lambda: armed(),
    "the host watchdog is on": lambda: armed(),
    "outputs are inverted (00266)": lambda: written("05 0109 ff00"),
    "the host watchdog has tripped (00270)": lambda: silent(),
    "firmware and name (40481-40484)": lambda: module(firmware=0xA210, module_name=0x5205_0054),
    "the module has no contacts": lambda: DigitalModule([]),
}
BEYOND = {"the module has no safe values"}


def written(body: str) -> DigitalModule:
    device = module()
    pdu(device, body)
    return device


def silent() -> DigitalModule:
    device = armed()
    device.watch_host(3.0)
    return device


@pytest.mark.parametrize(
    "one", [one for one in EXCHANGES if one["name"] not in BEYOND], ids=lambda one: one["name"]
)
def test_the_module_sends_the_bytes_of_the_shared_transcript(one):
    device = PREPARED.get(one["name"], module)()
    sends = device.receive(bytes.fromhex(one["tx"]), 1.5)
    assert b"".join(send.data for send in sends) == bytes.fromhex(one["rx"])


def test_relays_drop_when_the_host_is_silent_for_longer_than_the_time_out():
    device = armed()
    device.watch_host(2.0)
    assert closed(device) == [True, True]
    device.watch_host(2.01)
    assert closed(device) == [False, False]
    assert device.describe()["trips"] == 1


def test_relays_stay_open_until_the_time_out_status_is_cleared():
    device = silent()
    assert pdu(device, TRIPPED, 4.0)[2] == 1
    assert pdu(device, ON, 4.1) == bytes.fromhex("0f 0000 0002")
    assert closed(device) == [False, False]
    pdu(device, CLEAR, 4.2)
    assert pdu(device, TRIPPED, 4.3)[2] == 0
    pdu(device, ON, 4.4)
    assert closed(device) == [True, True]


def test_in_mode_1_output_commands_clear_the_status_as_well():
    device = silent()
    pdu(device, "05 0103 ff00", 4.0)
    pdu(device, ON, 4.1)
    assert closed(device) == [True, True]


@pytest.mark.parametrize(
    ("fed_by", "message", "kept"),
    [
        ("request", low_high(bytes.fromhex("01 02 0020 0004")), True),
        ("request", low_high(bytes.fromhex("02 02 0020 0004")), False),
        ("request", b"\x01\x02\x00\x20\x00\x04\xff\xff", False),
        ("output", low_high(bytes.fromhex("01 02 0020 0004")), False),
        ("output", low_high(bytes.fromhex("01 0f 0000 0002 01 03")), True),
        ("host_ok", low_high(bytes.fromhex("01 0f 0000 0002 01 03")), False),
        ("host_ok", b"~**\r", True),
    ],
)
def test_only_what_feeds_this_module_keeps_its_relays(fed_by, message, kept):
    device = armed(fed_by=fed_by)
    for tenth in range(1, 100):
        if tenth % 10 == 0:
            device.receive(message, tenth / 10)
        device.watch_host(tenth / 10)
    assert closed(device) == [kept, kept]


def test_without_enabling_the_watchdog_nothing_drops():
    device = module()
    pdu(device, ON)
    device.watch_host(1000.0)
    assert closed(device) == [True, True]


def test_safe_and_power_on_values_are_what_the_host_has_set():
    device = armed()
    pdu(device, "05 0081 ff00")
    pdu(device, "05 00a0 ff00")
    device.watch_host(10.0)
    assert closed(device) == [False, True]
    device.power_up()
    assert closed(device) == [True, False]


def test_a_power_cut_opens_the_relays_and_shows_once_in_the_reset_status():
    device = armed()
    assert pdu(device, "01 0110 0001")[2] == 1
    device.power_up()
    assert closed(device) == [False, False]
    assert [pdu(device, "01 0110 0001")[2] for _ in range(2)] == [1, 0]
    assert device.describe()["watchdog_s"] == 2.0
    forgetful = armed(keeps_watchdog=False)
    forgetful.power_up()
    assert forgetful.describe()["watchdog_s"] is None


def test_the_time_out_takes_up_to_25_5_s_and_the_count_only_zero():
    device = silent()
    assert pdu(device, "06 01e8 0100", 3.0) == bytes.fromhex("86 03")
    assert pdu(device, "03 01eb 0001", 3.0)[2:] == bytes.fromhex("0001")
    assert pdu(device, "06 01eb 0005", 3.0) == bytes.fromhex("86 03")
    pdu(device, "06 01eb 0000", 3.0)
    assert pdu(device, "03 01eb 0001", 3.0)[2:] == bytes.fromhex("0000")


def test_a_broken_a_bridged_and_a_stuck_contact():
    now = [False, False, False]
    device = DigitalModule([lambda n=n: now[n] for n in range(3)])
    for name, number in (("short", 1), ("open", 2), ("stuck", 3)):
        device.faults.set(Fault(name=name, input=number))
    now[:] = [False, True, True]
    device.sample(0.1)
    assert device.describe()["contacts"] == [True, False, False]
    assert pdu(device, "02 0020 0003")[2] == 0b001
    assert pdu(device, "01 0020 0003")[2] == 0b001


def test_polarity_inverts_contacts_and_relays():
    device = written("05 0108 ff00")
    assert pdu(device, "02 0020 0004")[2] == 0b1010
    assert closed(written("05 0109 ff00")) == [True, True]


def test_what_the_module_does_not_have_gets_exception_2():
    device = module()
    for body in ("01 0030 0001", "02 0000 0001", "03 0000 0001", "04 0000 0001", "05 0111 ff00"):
        assert pdu(device, body)[1:] == b"\x02"
    assert pdu(device, "06 0000 0001") == bytes.fromhex("86 02")


def test_a_refusing_module_answers_device_failure():
    device = module()
    device.faults.set(Fault(name="refuses"))
    assert pdu(device, ON) == bytes.fromhex("8f 04")
    assert closed(device) == [False, False]


def test_a_module_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="fed_by is 'hope'"):
        DigitalSettings(fed_by="hope")
    with pytest.raises(ValueError, match="outputs is 0"):
        DigitalSettings(outputs=0)


@given(chunks=st.lists(st.binary(max_size=40), max_size=5))
def test_after_any_rubbish_and_a_pause_a_proper_request_is_answered(chunks):
    device = module()
    for chunk in chunks:
        device.receive(chunk, 1.0)
    assert device.receive(bytes.fromhex("01 02 00 20 00 04 78 03"), 3.0)


@given(body=st.binary(min_size=1, max_size=20))
def test_any_frame_with_a_good_checksum_is_answered_or_ignored(body):
    for sent in module().receive(low_high(b"\x01" + body), 1.0):
        assert sent.data[0] == 1
