import struct

import pytest

from simulator.actions import ActionError
from simulator.devices.rtu_frame import high_low
from simulator.devices.watson_marlow import PumpSettings
from simulator.plant import SITES, Parameters
from simulator.room import CIRCUIT, Room
from simulator.scenario import Scenario, Start, Timed

READ_ALL = bytes.fromhex("01 04 00 00 00 08 f1 cc")


class Host:
    """A program that talks to a room in virtual time, a second apart."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.now_s = 0.0

    def ask(self, device: str, request: bytes) -> bytes:
        self.now_s += 1.0
        sends = self.room.devices[device].receive(request, self.now_s)
        return b"".join(send.data for send in sends)

    def temperatures_c(self, device: str) -> list[float]:
        reply = self.ask(device, READ_ALL)
        words = [int.from_bytes(reply[at : at + 2], "big", signed=True) for at in range(3, 19, 2)]
        return [word / 100 for word in words]


def running(**start) -> Room:
    return Room(Scenario(start=Start(pump_rpm=63.0, heater_on=True, bath_set_c=46.5, **start)))


def test_the_default_room_is_filled_connected_and_waits_for_orders():
    room = Room()
    state = room.state()
    assert state["plant"]["inflow_to_patient"]
    assert state["plant"]["cavity_ml"] == pytest.approx(3000.0)
    assert state["devices"]["heater"]["remote"]
    assert not state["devices"]["heater"]["running"]
    assert not state["devices"]["pump"]["running"]


def test_every_probe_is_wired_to_the_input_of_the_standard_room():
    room = Room()
    room.advance(5.0)
    host = Host(room)
    for device, places in (("circuit", CIRCUIT), ("sites", SITES)):
        shown_c = host.temperatures_c(device)
        true_c = [room.plant.probe_c(place) for place in places]
        assert shown_c[:6] == pytest.approx(true_c, abs=0.1)
        assert shown_c[6:] == [327.67, 327.67]


def test_orders_on_the_wire_circulate_and_warm_the_patient():
    room = Room()
    host = Host(room)
    for device, order in (
        ("pump", b"1SP63\r"),
        ("pump", b"1GO\r"),
        ("heater", b"out_sp_00 46.5\r"),
        ("heater", b"out_mode_05 1\r"),
    ):
        assert host.ask(device, order) == b""
    room.advance(1800.0)
    assert room.plant.flow_ml_min == pytest.approx(63 * 15.84, rel=0.02)
    assert min(host.temperatures_c("sites")[:6]) > 40.0
    assert float(host.ask("heater", b"in_pv_00\r")) == pytest.approx(46.5, abs=0.2)
    assert float(host.ask("heater", b"in_pv_01\r")) > 5.0
    assert room.devices["flow"].instrument.line().split()[6].isdecimal()


def test_a_pump_with_a_wrong_stroke_shows_on_the_clamp_on_meter_only():
    settings = {"pump": PumpSettings(calibration_error=-0.2)}
    room = Room(Scenario(start=Start(pump_rpm=100.0), settings=settings))
    room.advance(30.0)
    assert b" 15.84 520R 9.6MM 100.0 " in Host(room).ask("pump", b"1RS\r")
    assert float(room.devices["flow"].instrument.line().split()[4]) == pytest.approx(
        0.8 * 1584, rel=0.02
    )


def test_a_pump_that_turns_backwards_pushes_nothing_to_the_patient():
    room = running()
    Host(room).ask("pump", b"1RL\r")
    room.advance(10.0)
    assert room.plant.flow_ml_min == pytest.approx(0.0, abs=1.0)


def test_both_pressures_are_read_at_their_addresses():
    room = running()
    host = Host(room)
    for address in (1, 2):
        host.ask("pressure", high_low(bytes((address, 48))))
    room.advance(60.0)
    bars = [
        struct.unpack(">f", host.ask("pressure", high_low(bytes((address, 73, 1))))[2:6])[0]
        for address in (1, 2)
    ]
    mmhg = [bar * 750.0617 for bar in bars]
    assert mmhg == pytest.approx([room.plant.line_in_mmhg(), room.plant.iap_mmhg()], abs=3.0)


def test_a_tripped_heater_lets_the_bath_cool():
    room = running()
    room.advance(600.0)
    before = room.plant.probe_c("bath")
    room.act({"do": "fault", "device": "heater", "fault": "alarm", "value": -1}, 600.0)
    room.advance(300.0)
    assert not room.plant.heater_on
    assert room.plant.probe_c("bath") < before - 0.3


def test_the_same_scenario_gives_the_same_bytes():
    first, second = (Host(room) for room in (running(), running()))
    for host in (first, second):
        host.room.advance(120.0)
    assert first.temperatures_c("sites") == second.temperatures_c("sites")


def test_timed_actions_happen_at_their_plant_second():
    clamp = {"do": "plant", "set": {"inflow_clamped": True}}
    room = Room(Scenario(start=Start(pump_rpm=63.0), timed=(Timed(at_s=10.0, request=clamp),)))
    room.advance(9.9)
    assert not room.plant.inflow_clamped
    room.advance(20.0)
    assert room.plant.inflow_clamped
    assert room.plant.line_in_mmhg() > 100.0
    assert room.now_s == pytest.approx(29.9)


def test_a_timed_action_that_cannot_be_done_is_refused_before_the_start():
    timed = Timed(at_s=5.0, request={"do": "fault", "device": "pump", "fault": "coupling"})
    with pytest.raises(ActionError, match="its own are"):
        Room(Scenario(timed=(timed,)))


def test_a_patient_who_is_not_connected_leaves_the_circuit_recirculating():
    room = Room(
        Scenario(parameters=Parameters(), start=Start(patient_connected=False, pump_rpm=63.0))
    )
    room.advance(120.0)
    assert room.plant.cavity_ml == 0.0
    assert room.plant.flow_ml_min > 900.0


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        ({}, "do is None"),
        ({"do": "dance"}, "must be one of"),
        ({"do": "fault", "device": "pump"}, "needs fault"),
        ({"do": "fault", "device": "lamp", "fault": "silent"}, "no device is called"),
        ({"do": "fault", "device": ["pump"], "fault": "silent"}, "no device is called"),
        ({"do": "fault", "device": "pump", "fault": "silent", "x": 1}, "no field 'x'"),
        ({"do": "fault", "device": "sites", "fault": "open", "input": "1"}, "input is '1'"),
        ({"do": "fault", "device": "sites", "fault": "open", "input": 1.5}, "whole number"),
        ({"do": "clear", "fault": "wobble"}, "no fault is called"),
        ({"do": "plant", "set": {}}, "set must be"),
        ({"do": "plant", "set": {"gravity": 1}}, "the plant has no"),
        ({"do": "plant", "set": {"draining": 1}}, "true or false"),
        ({"do": "plant", "set": {"draining": True, "cooling_w": -1}}, "cooling_w is -1"),
        ({"do": "bolus", "volume_ml": -5, "temperature_c": 20}, "volume_ml is -5"),
        ({"do": "bolus", "volume_ml": 250}, "needs temperature_c"),
        ({"do": "probe", "place": "elbow"}, "no probe lies"),
        ({"do": "probe", "place": "pelvis", "fault": "coupling"}, "its own are"),
    ],
)
def test_a_bad_request_is_refused_in_a_sentence_and_changes_nothing(request_, word):
    room = Room()
    before = room.state()
    with pytest.raises(ActionError, match=word):
        room.act(request_, 0.0)
    assert room.state() == before


def test_a_probe_is_broken_and_mended_by_its_place():
    room = Room()
    assert room.act({"do": "probe", "place": "pelvis"}, 0.0)["input"] == 6
    room.act({"do": "probe", "place": "pelvis", "fault": "open"}, 0.0)
    room.advance(1.0)
    assert Host(room).temperatures_c("sites")[5] == 327.67
    room.act({"do": "probe", "place": "pelvis", "fault": "none"}, 1.0)
    room.advance(1.0)
    assert Host(room).temperatures_c("sites")[5] < 45.0


def test_a_cold_bolus_cools_the_reservoir():
    room = running()
    room.advance(600.0)
    before = room.plant.probe_c("reservoir")
    room.act({"do": "bolus", "volume_ml": 250, "temperature_c": 20}, 600.0)
    room.advance(10.0)
    assert room.plant.probe_c("reservoir") < before - 1.0


def test_a_cold_bolus_at_the_port_beside_the_patient_cools_the_cavity():
    room = running()
    room.advance(600.0)
    before = room.plant.cavity_c
    room.act({"do": "bolus", "volume_ml": 250, "temperature_c": 20, "into": "cavity"}, 600.0)
    assert room.plant.cavity_c < before - 1.0


def test_every_fault_can_be_cleared_in_the_whole_room():
    room = Room()
    room.act({"do": "fault", "device": "sites", "fault": "silent"}, 0.0)
    room.act({"do": "fault", "device": "pump", "fault": "stall"}, 0.0)
    room.act({"do": "clear"}, 0.0)
    assert all(not each["faults"] for each in room.state()["devices"].values())
