import pytest

from simulator.room import open_room
from simulator.scenario import ScenarioError, load, parse

FULL = """
technique = "open"
seed = 7

[plant]
core_start_c = 35.5

[start]
patient_connected = true
pump_rpm = 63
heater_on = true
bath_set_c = 46.5

[instrument.pump]
calibration_error = 0.03
echo = true

[instrument.heater]
reply_end = "\\n"

[[at]]
s = 600
do = "fault"
device = "heater"
fault = "unplug"

[[at]]
s = 30
do = "plant"
set = { inflow_clamped = true }
"""


def write(tmp_path, text: str):
    path = tmp_path / "room.toml"
    path.write_text(text)
    return path


def test_a_scenario_sets_patient_instruments_start_and_events_in_order(tmp_path):
    scenario = load(write(tmp_path, FULL))
    assert scenario.parameters.technique == "open"
    assert scenario.parameters.core_start_c == 35.5
    assert scenario.parameters.cavity_start_ml == 3000.0
    assert scenario.settings["pump"].calibration_error == 0.03
    assert scenario.settings["heater"].reply_end == "\n"
    assert [timed.at_s for timed in scenario.timed] == [30.0, 600.0]
    room = open_room(tmp_path / "room.toml")
    assert room.pump.rpm == 63.0
    assert room.heater.heating


def test_a_room_that_is_not_connected_starts_with_an_empty_cavity():
    scenario = parse({"start": {"patient_connected": False}})
    assert scenario.parameters.cavity_start_ml == 0.0


def test_the_323_is_chosen_by_its_model_name():
    scenario = parse({"instrument": {"pump": {"model": "323Du"}}})
    assert scenario.settings["pump"].echo
    assert not scenario.settings["pump"].long_status


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("techniqe = 'open'", "unknown field 'techniqe'"),
        ("technique = 'ajar'", "must be 'open' or 'closed'"),
        ("seed = 'x'", "seed is 'x'"),
        ("plant = 3", "plant is 3"),
        ("[plant]\ncore_start_c = 55", "core_start_c is 55"),
        ("[plant]\nweight = 70", "plant.weight: unknown"),
        ("[plant]\ntechnique = 'open'", "at the top"),
        ("[start]\nheater_on = 1", "start.heater_on is 1"),
        ("[instrument.lamp]\nx = 1", "instrument.lamp: no such"),
        ("[instrument]\npump = 3", "instrument.pump is 3"),
        ("[instrument.pump]\necho = 'yes'", "instrument.pump.echo"),
        ("[[at]]\ndo = 'state'", "at 1: s is None"),
        ("at = 3", "must be written as"),
        ("[[at]]\ns = 1\ndo = 'dance'", "must be one of"),
        ("x = ", "is not TOML"),
    ],
)
def test_a_bad_scenario_names_file_and_field(tmp_path, text, word):
    with pytest.raises(ScenarioError, match=word) as caught:
        open_room(write(tmp_path, text))
    assert "room.toml" in str(caught.value)


def test_a_missing_scenario_is_a_sentence(tmp_path):
    with pytest.raises(ScenarioError, match="cannot be read"):
        open_room(tmp_path / "nowhere.toml")
