"""A site file says what the room has; one that cannot be is refused with line, field and advice."""

import tomllib
from pathlib import Path

import pytest

from protocols.loader import SHIPPED, load_all
from protocols.schema import Limits
from service.core.model import DeviceClass, Mode, Role, Unit
from service.site import SiteError, load_site, narrowed
from service.site_text import EXAMPLE, check_text, demo_site, example_text
from tests.whole_site import whole

TEXT = EXAMPLE.read_text(encoding="utf-8")
PROTOCOLS = load_all()
NOT_IN_DEMO = ("level", "level_low", "bubble", "cut_out", "emergency_stop")


@pytest.fixture
def changed(tmp_path: Path):
    """Writes the example site with each (old, new) text exchanged once."""

    def write(*changes: tuple[str, str]) -> Path:
        text = TEXT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "site.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(path: Path) -> SiteError:
    with pytest.raises(SiteError) as refused:
        load_site(path)
    return refused.value


def test_the_example_is_the_complete_demo_room(changed):
    room = load_site(changed()).room()

    assert (room.id, room.mode, room.speed) == ("or-3", Mode.DEMO, 1)
    assert [device.name for device in room.devices] == [
        "circuit",
        "sites",
        "pump",
        "heater",
        "pressure",
        "flow",
    ]
    by_role = {
        role: [each.id for each in room.channels if each.role is role]
        for role in {each.role for each in room.channels}
    }
    assert len(by_role[Role.SITE]) == 6
    assert by_role[Role.CORE] == ["nasopharynx", "bladder"]
    assert by_role[Role.FLOW] == ["pump_flow", "flow"]
    assert by_role[Role.LINE_IN] == ["line_in"]
    assert by_role[Role.IAP] == ["iap"]


def test_the_room_knows_each_device_class_and_each_channels_interval(changed):
    room = load_site(changed()).room()

    classes = {device.name: device.device_class for device in room.devices}
    assert classes["pump"] is DeviceClass.PUMP
    assert classes["heater"] is DeviceClass.HEATER
    intervals_s = {channel.id: channel.interval_s for channel in room.channels}
    assert (intervals_s["pelvis"], intervals_s["bath"]) == (0.2, 1.0)


def test_what_the_example_only_shows_can_be_used_as_well(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(whole(TEXT), encoding="utf-8")
    room = load_site(path).room()

    assert [device.device_class for device in room.devices[-2:]] == ["scale", "switches"]
    shown = {channel.role: channel.unit for channel in room.channels if channel.id in NOT_IN_DEMO}
    assert shown == {
        Role.LEVEL: Unit.ML,
        Role.LEVEL_LOW: Unit.ON_OFF,
        Role.BUBBLE: Unit.ON_OFF,
        Role.CUT_OUT: Unit.ON_OFF,
        Role.EMERGENCY_STOP: Unit.ON_OFF,
    }


def test_a_room_has_one_module_with_relays_and_any_number_that_only_reads_contacts(tmp_path):
    path = tmp_path / "site.toml"
    second = '[[device]]\nname = "more"\ndriver = "icpdas_digital"\nport = "/dev/more"\n'

    path.write_text(f"{whole(TEXT)}\n{second}outputs = 0\n", encoding="utf-8")
    assert len(load_site(path).device) == 9
    path.write_text(f"{whole(TEXT)}\n{second}", encoding="utf-8")
    assert "is a second module with relays" in str(refusal(path))


@pytest.mark.parametrize(("interval_s", "wanted"), [(5, "0.2"), (7, "0.142")])
def test_a_monitor_is_not_expected_to_tell_more_often_than_it_can(
    changed, interval_s: int, wanted: str
) -> None:
    monitor = f"""[[device]]
name = "monitor"
driver = "datex_s5"
port = "/dev/hipec/monitor"
interval_s = {interval_s}
"""
    path = changed(("[limits]", f"{monitor}\n[limits]"))
    refused = str(refusal(path))
    assert f"1 is more than it gives; write poll_hz = {wanted}" in refused
    assert "poll_hz" in refused
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(monitor, f"{monitor}poll_hz = {wanted}\n"), encoding="utf-8")
    assert load_site(path).device[-1].poll_hz == float(wanted)


def test_a_port_that_is_not_there_is_no_error(changed):
    path = changed(('"/dev/hipec/pump"', '"/dev/there/is/none"'))

    assert load_site(path).device[2].port == "/dev/there/is/none"


REFUSALS = [
    pytest.param("listen =", "lissten =", "room.lissten", "allowed are id, mode", id="unknown key"),
    pytest.param("[limits]", "[limit]", "limit", "room, device, channel", id="an unknown table"),
    pytest.param('id = "or-3"', "", "room.id", "is missing", id="missing key"),
    pytest.param(
        'mode = "demo"', 'mode = "play"', "room.mode", "'real', 'test'", id="unknown mode"
    ),
    pytest.param('id = "or-3"', 'id = "or 3!"', "room.id", "letters, digits", id="odd room id"),
    pytest.param(
        '"sqlite:///hipec.db"', '"hipec.db"', "room.database", "sqlite:///FILE", id="database"
    ),
    pytest.param('"127.0.0.1:8000"', '"8000"', "room.listen", "HOST:PORT", id="no host"),
    pytest.param("poll_hz = 5.0", "poll_hz = 0", "device.0.poll_hz", "above 0", id="never polled"),
    pytest.param("poll_hz = 5.0", "poll_hz = nan", "device.0.poll_hz", "0 to 20 Hz", id="nan"),
    pytest.param(
        "address = 1", "adress = 1", "device.0", "adress", id="a driver's unknown setting"
    ),
    pytest.param("address = 1", "address = 999", "device.0", "999", id="a driver's bad setting"),
    pytest.param('"julabo"', '"kettle"', "device.3", "kettle", id="unknown driver"),
    pytest.param(
        'name = "sites"', 'name = "circuit"', "device.1.name", "more than once", id="name"
    ),
    pytest.param(
        '"/dev/hipec/sites"', '"/dev/hipec/circuit"', "device.1.port", "more than once", id="port"
    ),
    pytest.param(
        'device = "circuit"', 'device = "cart"', "channel.0.device", "known are", id="cart"
    ),
    pytest.param("input = 6", "input = 9", "channel.5.input", "allowed are 1", id="no such input"),
    pytest.param("input = 2", "input = 1", "channel.1.input", "more than once", id="input twice"),
    pytest.param("input = 2", 'input = "2"', "channel.1.input", "integer", id="input as text"),
    pytest.param('id = "outflow"', 'id = "inflow"', "channel.1.id", "more than once", id="ids"),
    pytest.param('unit = "rpm"', 'unit = "%"', "channel.13.unit", 'write "rpm"', id="wrong unit"),
    pytest.param('unit = "rpm"', 'unit = "Hz"', "channel.13.unit", "'rpm'", id="unknown unit"),
    pytest.param('"line_in"\nunit', '"flow"\nunit', "channel.16.role", "ml/min", id="wrong role"),
    pytest.param('site = "pelvis"\n', "", "channel.11.site", "is missing", id="site without place"),
    pytest.param(
        'role = "bath"', 'role = "bath"\nsite = "pelvis"', "channel.14.site", "remove", id="bath"
    ),
    pytest.param("[limits]", "[limits]\ninflow_c = 45", "limits.inflow_c", "no limit", id="limit"),
    pytest.param("[limits]", "[limits]\nflow_low_share = 80", "flow_low", "from 0 to 1", id="80"),
    pytest.param("[limits]", '[limits]\niap_stop_mmhg = "20"', "iap_stop", "number", id="text"),
    pytest.param(
        "[limits]",
        '[envelope.x]\ntarget_c = [43.5, 41]\nduration_min = [30, 90]\napproved_by = "board"\n'
        "[limits]",
        "envelope.x.target_c",
        "[lowest, highest]",
        id="envelope upside down",
    ),
    pytest.param(
        "[limits]",
        '[envelope.x]\ntarget_c = [41, 60]\nduration_min = [30, 90]\napproved_by = "board"\n'
        "[limits]",
        "envelope.x.target_c.1",
        "46",
        id="envelope too hot for anybody",
    ),
    pytest.param(
        "[limits]",
        '[envelope.x]\ntarget_c = [41, 43]\nduration_min = [30, 90]\napproved_by = " "\n[limits]',
        "envelope.x.approved_by",
        "who approved it",
        id="envelope that nobody approved",
    ),
    pytest.param(
        'listen = "127.0.0.1:8000"',
        'listen = "127.0.0.1:8000"\ntls_certificate = "or-3.pem"',
        "room.tls_key",
        "both",
        id="certificate without its key",
    ),
]


@pytest.mark.parametrize(("old", "new", "field", "advice"), REFUSALS)
def test_a_site_is_refused_for(changed, old, new, field, advice):
    path = changed((old, new))

    refused = refusal(path)

    assert any(
        line.startswith(f"{path}:") and field in line and advice in line for line in refused.lines
    ), str(refused)


def test_the_line_of_the_field_is_named(changed):
    path = changed(('unit = "rpm"', 'unit = "%"  # here'))
    lines = path.read_text(encoding="utf-8").splitlines()

    number = lines.index('unit = "%"  # here') + 1

    assert f"{path}:{number}: channel.13.unit:" in str(refusal(path))


@pytest.mark.parametrize(
    ("driver", "name"), [("julabo", "heater"), ("watson_marlow", "pump")], ids=str
)
def test_a_second_heater_or_pump_is_refused(changed, driver, name):
    second = f'[[device]]\nname = "spare"\ndriver = "{driver}"\nport = "/dev/spare"\n'
    path = changed(("[[channel]]", f"{second}\n[[channel]]"))

    assert f"is a second {name} of this room" in str(refusal(path))


def test_all_problems_are_listed_at_once(changed):
    path = changed(('unit = "rpm"', 'unit = "%"'), ("input = 6", "input = 9"), ('"julabo"', '"x"'))

    assert len(refusal(path).lines) >= 3


def test_a_site_file_that_is_not_toml_or_not_there_is_refused(tmp_path):
    path = tmp_path / "site.toml"
    assert "site.toml: cannot be read" in str(refusal(path))

    path.write_text("[room\n", encoding="utf-8")
    assert str(refusal(path)).startswith(f"{path}:1: is not valid TOML")


@pytest.mark.parametrize("mode", ["demo", "test"])
def test_time_may_run_faster_in_demo_and_test(changed, mode):
    site = load_site(changed(('mode = "demo"', f'mode = "{mode}"')))

    assert site.room(20).speed == 20


def test_time_may_not_run_faster_in_a_real_room(changed):
    site = load_site(changed(('mode = "demo"', 'mode = "real"')))

    assert site.room(1).speed == 1
    with pytest.raises(SiteError, match="speed 20 is refused"):
        site.room(20)


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(changed, speed):
    with pytest.raises(SiteError, match="give a number above 0"):
        load_site(changed()).room(speed)


NARROWER = {
    "inflow_margin_c": 0.5,
    "line_out_min_mmhg": -80.0,
    "no_flow_ml_min": 150.0,
    "flow_low_share": 0.9,
    "core_cool_c": 36.5,
    "site_lost_keep": 4.0,
    "reservoir_low_ml": 200.0,
}


@pytest.mark.requirement("RC-102")
@pytest.mark.parametrize("name", Limits.__dataclass_fields__)
def test_a_site_may_narrow_every_limit_and_widen_none(name):
    protocol = PROTOCOLS["closed"]
    now = getattr(protocol.limits, name)
    narrower = NARROWER.get(name, now * 0.99)
    wider = now - (narrower - now)

    assert getattr(narrowed(protocol, {name: narrower}), name) == narrower
    assert narrowed(protocol, {name: now}) == protocol.limits
    with pytest.raises(SiteError, match=rf"limits\.{name}: .* would widen protocol closed"):
        narrowed(protocol, {name: wider})


def test_a_lower_inflow_ceiling_takes_the_baths_maximum_down_with_it():
    limits = narrowed(PROTOCOLS["closed"], {"inflow_ceiling_c": 45.5})

    assert limits.bath_max_c == 46.0
    assert (
        narrowed(PROTOCOLS["closed"], {"inflow_ceiling_c": 45.5, "bath_max_c": 45.0}).bath_max_c
        == 45.0
    )


def test_a_named_envelope_reaches_the_rooms_protocols(changed, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    text = (SHIPPED / "closed.toml").read_text(encoding="utf-8")
    for old, new in (
        ('id = "closed"', 'id = "icarus-100"\nenvelope = "icarus"'),
        ("[30.0, 90.0]", "[30.0, 100.0]"),
        ("cap_min = 90.0", "cap_min = 100.0"),
    ):
        assert old in text
        text = text.replace(old, new)
    (own / "icarus.toml").write_text(text, encoding="utf-8")
    path = changed(
        (
            "[limits]",
            "[envelope.icarus]\ntarget_c = [41.0, 43.5]\nduration_min = [30, 100]\n"
            'approved_by = "tumour board"\n[protocols]\ndirectory = "own"\n[limits]',
        )
    )

    protocols = load_site(path).load_protocols()

    assert list(protocols) == ["icarus-100"]
    assert protocols["icarus-100"].envelope.name == "icarus"


def test_the_shipped_protocols_are_used_when_no_folder_is_named(changed):
    assert set(load_site(changed()).load_protocols()) == set(PROTOCOLS)


def test_the_printed_example_is_the_file_that_loads():
    code, text = example_text()

    assert (code, text) == (0, TEXT)
    assert tomllib.loads(text)["room"]["mode"] == "demo"


def test_a_demo_site_is_the_example_with_its_ports_in_the_simulators_folder(tmp_path):
    directory = tmp_path / 'a "room"'
    text = demo_site(directory, database="sqlite:////tmp/d.db", listen="127.0.0.1:8123")
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")

    site = load_site(path)

    assert [device.port for device in site.device] == [
        str(directory / name) for name in ("circuit", "sites", "pump", "heater", "pressure", "flow")
    ]
    assert site.about.database == "sqlite:////tmp/d.db"
    assert site.host_port == ("127.0.0.1", 8123)
    assert site.room().channels == load_site(EXAMPLE).room().channels


def test_a_good_site_is_called_good(changed):
    path = changed()

    code, text = check_text(path)

    assert code == 0
    assert text.startswith(f"{path}: good (room or-3, mode demo, 6 devices, 19 channels")


@pytest.mark.requirement("RC-220")
def test_a_module_that_reads_circuit_and_sites_is_told(changed):
    code, text = check_text(
        changed(('role = "core"\nsite = "bladder"', 'role = "site"\nsite = "bladder"'))
    )

    assert code == 0
    assert "note: circuit reads circuit and site probes: its error shows in neither" in text


def test_a_site_that_would_widen_a_protocols_limit_is_not_good(changed):
    code, text = check_text(changed(("[limits]", "[limits]\ninflow_ceiling_c = 46.5")))

    assert code == 1
    assert "46.5 would widen protocol closed" in text
    assert "allowed is at most 46" in text


def test_units_of_the_example_are_those_of_the_drivers(changed):
    units = {channel.id: channel.unit for channel in load_site(changed()).room().channels}

    assert units["bath"] is Unit.DEG_C
    assert units["iap"] is Unit.MMHG
    assert units["pump_speed"] is Unit.RPM
