"""Whichever instrument a scenario chooses, it stands at its port and acts on the same plant."""

import re

import pytest

from simulator.actions import ActionError
from simulator.catalogue import CATALOGUE, CONTACTS
from simulator.devices.rtu_frame import low_high
from simulator.room import Room
from simulator.scenario import ScenarioError, parse

TITLES = {
    ("sites", "dcon"): "DCON",
    ("sites", "nt18b07"): "NT18B07",
    ("circuit", "pm6rtd"): "PM6RTD",
    ("pump", "720Du"): "720Du",
    ("pump", "323Du"): "323Du",
    ("pump", "masterflex"): "MasterFlex",
    ("heater", "lauda"): "LAUDA",
    ("heater", "neslab"): "NESLAB",
    ("scale", "mettler"): "Mettler",
    ("switches", "icpdas_digital"): "digital module",
    ("monitor", "datex_s5"): "Datex",
}
KEEP = low_high(bytes.fromhex("01 0f 0000 0002 01 03"))


def room_with(start: dict | None = None, **instruments: dict) -> Room:
    return Room(parse({"start": start or {}, "instrument": instruments}))


def guarded(**start) -> Room:
    """A running room behind contactors that drop after 2 s without a message."""
    room = room_with({"pump_rpm": 63, "heater_on": True, "bath_set_c": 46.5, **start}, switches={})
    for body in ("01 06 01e8 0014", "01 05 0104 ff00"):
        room.devices["switches"].receive(low_high(bytes.fromhex(body)), 0.0)
    return room


def kept(room: Room, seconds: int) -> None:
    for _ in range(seconds):
        room.devices["switches"].receive(KEEP, room.now_s)
        room.advance(1.0)


@pytest.mark.parametrize(
    ("port", "model"), [(port, model) for port in CATALOGUE for model in CATALOGUE[port]]
)
def test_every_instrument_of_the_catalogue_stands_in_a_room_and_is_described(port, model):
    room = room_with(**{port: {"model": model}})
    room.advance(1.0)
    assert TITLES.get((port, model), "") in room.state()["devices"][port]["title"]


@pytest.mark.parametrize("model", CATALOGUE["pump"])
def test_every_pump_moves_the_perfusate(model):
    room = room_with({"pump_rpm": 100}, pump={"model": model})
    room.advance(30.0)
    assert room.plant.flow_ml_min == pytest.approx(room.pump.ml_min, rel=0.02)
    assert room.plant.flow_ml_min > 200.0


@pytest.mark.parametrize("model", CATALOGUE["heater"])
def test_every_heater_warms_the_bath(model):
    room = room_with(
        {"pump_rpm": 63, "heater_on": True, "bath_set_c": 46.5}, heater={"model": model}
    )
    room.advance(900.0)
    assert room.plant.probe_c("bath") == pytest.approx(46.5, abs=0.3)


def test_the_default_room_has_neither_scale_nor_switches_nor_monitor():
    assert list(Room().devices) == ["sites", "circuit", "pump", "heater", "pressure", "flow"]


def test_a_port_that_the_scenario_names_is_there_with_its_usual_instrument():
    room = room_with(scale={}, switches={"fed_by": "output"})
    assert list(room.devices)[6:] == ["scale", "switches"]
    assert room.switches.settings.fed_by == "output"


@pytest.mark.parametrize(
    ("instrument", "sentence"),
    [
        ({"heater": {"model": "kettle"}}, "instrument.heater.model is 'kettle'; it must be one of"),
        ({"heater": {"model": 3}}, "instrument.heater.model is 3"),
        ({"lamp": {}}, "instrument.lamp: no such instrument; there are sites, circuit"),
        ({"switches": {"fed_by": "hope"}}, "fed_by is 'hope'; it must be one of request, output"),
        ({"sites": {"model": "nt18b07", "type_code": 1}}, "instrument.sites.type_code: unknown"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_in_a_sentence(instrument, sentence):
    with pytest.raises(ScenarioError, match=re.escape(sentence)):
        parse({"instrument": instrument})


def test_a_settings_number_may_stand_where_a_device_has_none_by_default():
    assert (
        parse({"instrument": {"heater": {"model": "lauda", "address": 15}}})
        .settings["heater"]
        .address
        == 15
    )


def test_with_open_contactors_neither_pump_nor_heater_runs_or_answers():
    room = room_with(switches={})
    room.advance(1.0)
    assert room.devices["pump"].receive(b"1RS\r", 1.0) == []
    assert room.devices["heater"].receive(b"status\r", 1.0) == []
    room.devices["switches"].receive(KEEP, 2.0)
    room.advance(1.0)
    assert room.devices["heater"].receive(b"status\r", 3.0)[0].data == b"02 REMOTE STOP\r\n"
    assert b" 0 !" in room.devices["pump"].receive(b"1RS\r", 3.0)[0].data


def test_a_dead_computer_drops_the_contactors_and_with_them_heat_and_flow():
    room = guarded()
    kept(room, 60)
    assert room.plant.heater_on
    assert room.plant.flow_ml_min > 900.0
    room.advance(2.5)
    assert not room.plant.heater_on
    room.advance(5.0)
    assert room.plant.flow_ml_min == pytest.approx(0.0, abs=1.0)
    assert room.state()["devices"]["switches"]["tripped"]


def test_the_module_drops_even_when_its_own_cable_is_pulled():
    room = guarded()
    kept(room, 5)
    room.act({"do": "fault", "device": "switches", "fault": "unplug"}, room.now_s)
    for _ in range(10):
        room.devices["switches"].receive(KEEP, room.now_s)
        room.advance(0.25)
    assert room.switches.describe()["tripped"]
    assert not room.plant.heater_on


def test_closing_the_heater_s_contactor_again_is_a_power_cycle():
    room = guarded()
    kept(room, 5)
    room.advance(3.0)
    clear = low_high(bytes.fromhex("01 05 010d ff00"))
    room.devices["switches"].receive(clear, room.now_s)
    kept(room, 3)
    assert room.devices["heater"].powered
    assert not room.heater.running
    assert not room.pump.running


def test_an_emergency_stop_takes_the_mains_whatever_the_program_does():
    room = guarded()
    kept(room, 5)
    room.act({"do": "contact", "set": {"emergency_stop": True}}, room.now_s)
    kept(room, 5)
    assert room.state()["devices"]["switches"]["contacts"] == [True, True, True, False]
    assert not room.plant.heater_on
    assert room.plant.flow_ml_min == pytest.approx(0.0, abs=1.0)
    room.act({"do": "contact", "set": {"emergency_stop": False}}, room.now_s)
    kept(room, 5)
    assert room.state()["tripped"] == []
    assert not room.heater.running


def test_the_cut_out_takes_the_heat_and_leaves_the_flow():
    room = guarded()
    kept(room, 5)
    room.act({"do": "contact", "set": {"cut_out": True}}, room.now_s)
    kept(room, 5)
    assert not room.plant.heater_on
    assert room.plant.flow_ml_min > 900.0


def test_the_level_switch_opens_when_the_reservoir_runs_low():
    room = guarded()
    assert room.switches.describe()["contacts"][CONTACTS.index("level")]
    room.act({"do": "plant", "set": {"outflow_blocked": True}}, room.now_s)
    kept(room, 60)
    assert room.plant.reservoir_ml < 300.0
    assert not room.switches.describe()["contacts"][CONTACTS.index("level")]


def test_the_scale_weighs_the_reservoir():
    room = room_with(scale={})
    room.advance(5.0)
    (send,) = room.devices["scale"].receive(b"SI\r\n", 5.0)
    assert float(send.data.split()[2]) == pytest.approx(room.plant.reservoir_ml, abs=2.0)


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        ({"do": "contact"}, "contact needs set"),
        ({"do": "contact", "set": {}}, "set must be an object"),
        ({"do": "contact", "set": {"door": True}}, "no contact is called 'door'; there are level"),
        ({"do": "contact", "set": {"bubble": True, "level": 1}}, "level is 1; it must be true"),
    ],
)
def test_a_bad_contact_is_refused_in_a_sentence_and_changes_nothing(request_, word):
    room = room_with(switches={})
    with pytest.raises(ActionError, match=word):
        room.act(request_, 0.0)
    assert room.state()["tripped"] == []
