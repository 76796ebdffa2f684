"""`hipec devices` as a technician uses it, on real ptys with simulated instruments behind them."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.dialogue import BadReply, NoReply, Refused
from drivers.port import Port
from drivers.registry import DRIVERS, make_driver
from service.cli import main
from service.devices.overheard import recognise
from service.devices.stranger import ASKING, ask_masterflex, ask_modbus
from simulator.control import ask
from simulator.devices.instrument import Instrument
from simulator.devices.masterflex import PumpDrive
from simulator.serve import RoomServer
from tests.contract.bench import bench
from tests.contract.fuzz import recorded
from tests.contract.pairs import PAIRS
from tests.drivers.devices import FakeHeater
from tests.drivers.memory import MemoryLine
from tests.drivers.ptys import Plugged

pytestmark = [pytest.mark.integration, pytest.mark.real_time]

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def paced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A room whose bytes take the time that they take on a real wire."""
    with RoomServer(tmp_path_factory.mktemp("paced")) as server:
        yield server.directory


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with RoomServer(tmp_path_factory.mktemp("room"), speed=20) as server:
        yield server.directory


@pytest.fixture
def room(served: Path) -> Iterator[Path]:
    yield served
    for device in ("heater", "pump", "circuit", "flow"):
        ask(served, {"do": "clear", "device": device})


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `hipec devices …`: exit code, what it printed, what it complained about."""

    def devices(*arguments: object) -> tuple[int, str, str]:
        code = main(["devices", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return devices


def fault(room: Path, device: str, name: str) -> None:
    assert ask(room, {"do": "fault", "device": device, "fault": name})["ok"]


def state_of(room: Path, device: str) -> dict:
    return ask(room, {"do": "state"})["devices"][device]


def started(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "service.cli", "devices", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(process: subprocess.Popen[str], wanted: str) -> list[str]:
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if re.search(wanted, line):
            return lines
    raise AssertionError(f"{wanted} did not come: {lines}")


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    return process.returncode, out, err


def test_list_tells_what_each_driver_measures_its_line_and_its_manual(run: Run) -> None:
    code, text, _ = run("list")
    assert code == 0
    for name in DRIVERS:
        assert f"\n{name}  ({make_driver(name, {}).device_class})\n" in "\n" + text
    assert text.count("  manual") == text.count("  revision") == len(DRIVERS)
    assert "4800 7E1" in text
    assert "38400 8N1, speaks unasked" in text


def test_list_is_there_for_programs_too(run: Run) -> None:
    listed = {one["driver"]: one for one in json.loads(run("list", "--json")[1])}
    assert set(listed) == set(DRIVERS)
    assert listed["julabo"]["measures"][0] == {
        "input": 1,
        "name": "bath",
        "unit": "degC",
        "resolution": 0.01,
    }


def test_a_probe_says_who_answers_what_it_reads_and_how_long_it_takes(run: Run, room: Path) -> None:
    code, text, _ = run("probe", "--driver", "julabo", "--port", room / "heater", "--polls", 2)
    assert code == 0
    assert "identity    JULABO" in text
    assert re.search(r"  1  bath +\d\d\.\d\d degC +valid\n", text)
    assert "stands, set to" in text
    assert "2 of 2 good" in text
    assert re.search(r"p50 \d+\.\d ms, max \d+\.\d ms; wire time p50 \d+\.\d ms", text)


def test_a_probe_for_a_program_has_every_reading_with_its_validity(run: Run, paced: Path) -> None:
    port = paced / "circuit"
    code, text, _ = run("probe", "--driver", "icpdas_tm_th8", "--port", port, "--json")
    probed = json.loads(text)
    assert code == 0
    assert [one["validity"] for one in probed["readings"]] == ["valid"] * 6 + ["overflow"] * 2
    assert probed["readings"][6]["value"] is None
    assert probed["readings"][6]["reason"] == "open probe or over range"
    times = probed["round_trip"]
    assert 0 < times["wire_p50_ms"] < times["p50_ms"] <= times["max_ms"]
    assert probed["polls"] == {"asked": 10, "failed": []}


def test_a_meter_that_speaks_unasked_is_timed_by_its_messages(run: Run, room: Path) -> None:
    port = room / "flow"
    _, text, _ = run("probe", "--driver", "emtec_bioprott", "--port", port, "--polls", 4, "--json")
    assert 80 < json.loads(text)["round_trip"]["p50_ms"] < 120


def test_settings_are_written_as_in_the_site_file(run: Run, room: Path) -> None:
    port = room / "pressure"
    code, text, _ = run(
        "probe", "--driver", "keller_33x", "--port", port, "--setting", "addresses=[1, 2]"
    )
    assert code == 0
    assert "pressure, bus 1" in text
    assert "pressure, bus 2" in text


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("--driver", "julubo"), r'there is no driver "julubo"; known are: .*julabo'),
        (
            ("--driver", "julabo", "--setting", "colour=red"),
            "julabo has no setting colour; allowed",
        ),
        (("--driver", "julabo", "--setting", "external"), r'"external" cannot be used; write key='),
        (("--driver", "julabo", "--baud", "1"), "julabo: baud = 1 cannot be used; it must be a"),
        (("--driver", "julabo"), r"there is no port /dev/none; (present are|no serial port)"),
    ],
)
def test_what_was_typed_wrongly_is_told_in_a_sentence(run: Run, typed: tuple, told: str) -> None:
    code, text, complaint = run("probe", "--port", "/dev/none", *typed)
    assert (code, text) == (1, "")
    assert re.search(told, complaint)
    assert "Traceback" not in complaint


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (0o660, r"add the service's user to the group (\w+) \(usermod -aG \1 USER\), then log in"),
        (
            0o600,
            r'its mode 0600 lets no group open it: .*udev rule \(GROUP="dialout", MODE="0660"\)',
        ),
    ],
)
def test_a_port_that_may_not_be_opened_says_what_opens_it(run: Run, mode: int, told: str) -> None:
    master, slave = os.openpty()
    path = os.ttyname(slave)
    os.fchmod(slave, mode)
    os.fchown(slave, -1, 5)  # a group that this process is not in
    was = os.geteuid()
    try:
        if was == 0:
            os.seteuid(65534)
        code, _, complaint = run("probe", "--driver", "julabo", "--port", path)
    finally:
        os.seteuid(was)
        os.close(slave)
        os.close(master)
    assert code == 1
    assert re.search(rf"{path} may not be opened; {told}", complaint)


def test_a_file_is_no_serial_port(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("x")
    _, _, complaint = run("probe", "--driver", "julabo", "--port", tmp_path / "notes")
    assert "notes is not a serial port" in complaint


def test_a_silent_port_says_how_it_was_asked(run: Run, room: Path) -> None:
    code, _, complaint = run(
        "probe", "--driver", "icpdas_tm_th8", "--port", room / "circuit", "--address", 3
    )
    assert code == 1
    assert "circuit: no answer; asked as icpdas_tm_th8 at 9600 8N1, address 3" in complaint
    assert "look at its power, its cable, its address and baud rate" in complaint


def test_another_line_setting_than_usual_is_pointed_out(run: Run, room: Path) -> None:
    fault(room, "heater", "silent")
    _, _, complaint = run("probe", "--driver", "julabo", "--port", room / "heater", "--baud", 9600)
    assert "at 9600 7E1 (its usual line is 4800 7E1)" in complaint


def test_wrong_line_settings_show_what_arrived_instead(run: Run, room: Path) -> None:
    fault(room, "heater", "garbage")
    _, _, complaint = run("probe", "--driver", "julabo", "--port", room / "heater")
    assert re.search(r"([0-9a-f]{2} ){3,}.*asked as julabo at 4800 7E1; look at", complaint)
    assert "baud rate" in complaint


def test_a_meter_at_another_baud_rate_shows_its_bytes_and_is_asked_nothing(
    run: Run, room: Path
) -> None:
    fault(room, "flow", "baud")
    _, _, complaint = run("probe", "--driver", "emtec_bioprott", "--port", room / "flow")
    assert re.search(r"flow: .*\b[0-9a-f]{2}\b.*asked as emtec_bioprott at 38400 8N1", complaint)
    assert "so no other question was sent" in complaint
    assert not state_of(room, "flow")["hung"]


def test_another_maker_s_answer_is_quoted(run: Run, tmp_path: Path) -> None:
    port = Plugged(tmp_path / "port", FakeHeater(version="LAUDA ECO SILVER"))
    _, _, complaint = run("probe", "--driver", "julabo", "--port", port.path)
    port.unplug()
    assert 'this is not a Julabo heater: "LAUDA ECO SILVER" answered' in complaint


def test_an_instrument_that_speaks_unasked_is_named_and_nothing_is_sent(
    run: Run, room: Path
) -> None:
    code, _, complaint = run("probe", "--driver", "julabo", "--port", room / "flow")
    assert code == 1
    assert "em-tec BioProTT (driver emtec_bioprott) speaks there, not julabo" in complaint
    assert "nothing was sent" in complaint
    assert not state_of(room, "flow")["hung"]


@pytest.mark.parametrize(
    ("asked", "device", "told"),
    [
        ("lauda", "heater", r"JULABO .* \(driver julabo\) answers there"),
        ("julabo", "pump", r"Watson-Marlow 520Du \(driver watson_marlow\) answers there"),
        ("julabo", "pressure", r"KELLER .* \(driver keller_33x\) answers there"),
        ("watson_marlow", "circuit", r"tM-TH8 .* \(driver icpdas_tm_th8\), address 1, answers"),
    ],
)
def test_another_instrument_that_answers_is_named_and_nothing_of_it_is_changed(
    run: Run, room: Path, asked: str, device: str, told: str
) -> None:
    before = state_of(room, device)
    code, _, complaint = run("probe", "--driver", asked, "--port", room / device)
    assert code == 1
    assert re.search(told, complaint)
    after = state_of(room, device)
    for name in ("running", "set_c", "set_rpm", "remote", "faults"):
        assert after.get(name) == before.get(name)


def test_who_answers_is_found_out_by_questions_alone() -> None:
    questions = set()
    for name, settings in ASKING:
        (pair,) = [one for one in PAIRS.values() if one.driver == name][:1]
        twin = pair.twin(1, 0.0)
        line = MemoryLine(lambda heard, twin=twin: said(twin, heard))
        with contextlib.suppress(NoReply, BadReply, Refused):
            line.run(make_driver(name, settings).identify())
        questions |= set(line.sent)
    assert questions <= {
        *(b"VERSION\r", b"IN_PV_01\r", b"IN_PV_03\r", b"IN_PV_04\r", b"STATUS\r"),
        *(b"TYPE\r", b"A001_TYPE\r", b"A001_IN_MODE_02\r"),
        *(b"SI\r\n", b"I4\r\n", b"TA\r\n", b"1RS\r"),
        *(b"$012\r", b"$01M\r", b"#01\r", b"$012B7\r"),
        *map(bytes.fromhex, ("01303400", "0145d3c1", "ca00010000fe", "cc00010000fe")),
    }


@pytest.mark.parametrize("name", ["icpdas_tm_th8", "icpdas_digital", "modbus_map"])
def test_a_modbus_device_is_named_by_reading_alone(name: str) -> None:
    twin = PAIRS[name].twin(1, 0.0)
    line = MemoryLine(lambda heard: said(twin, heard))
    assert f"(driver {name}" in line.run(ask_modbus(1))
    assert {sent[1] for sent in line.sent} <= {1, 2, 3, 4}


def test_a_masterflex_pump_is_named_in_serial_mode_and_out_of_it_by_one_question() -> None:
    local, remote = PumpDrive(), PumpDrive()
    remote.start(50.0)
    for twin, told in ((local, "a MasterFlex pump that is not in serial mode"), (remote, "MFLX78")):
        line = MemoryLine(lambda heard, twin=twin: said(twin, heard))
        assert told in line.run(ask_masterflex(1))
        assert line.sent == [b"1#\r"]
    assert not local.serial_mode


def test_the_masterflex_question_does_nothing_to_a_watson_marlow() -> None:
    pump = PAIRS["watson_marlow"].twin(1, 0.0)
    before = dict(pump.describe())
    line = MemoryLine(lambda heard: said(pump, heard))
    with pytest.raises(NoReply):
        line.run(ask_masterflex(1))
    assert dict(pump.describe()) == before


@pytest.mark.parametrize("name", ["emtec_bioprott", "datex_s5"])
def test_what_speaks_unasked_is_named_from_its_bytes(name: str) -> None:
    (heard,) = bench(name).play(recorded)[1]
    speaker = recognise(heard[7:] + heard)
    assert speaker is not None
    assert speaker.driver == name
    assert recognise(heard[: len(heard) // 3]) is None


def test_a_scale_that_repeats_its_weight_is_named_from_its_bytes() -> None:
    speaker = recognise(b"98.12 g\r\nS D    1998.13 g\r\nS S    1998.1")
    assert speaker is not None
    assert speaker.driver == "mettler_sics"
    assert recognise(b"ES\r\nES\r\n") is None


def said(twin: Instrument, heard: bytes) -> bytes:
    return b"".join(send.data for send in twin.receive(heard, 0.0))


@pytest.mark.parametrize("command", ["probe", "watch", "set"])
def test_a_port_that_a_room_uses_is_left_alone(run: Run, room: Path, command: str) -> None:
    held = Port(str(room / "heater"), make_driver("julabo", {}).serial)
    order = ("--bench", "run", 40) if command == "set" else ()
    code, _, complaint = run(command, "--driver", "julabo", "--port", room / "heater", *order)
    held.close()
    assert code == 1
    assert re.search(rf"in use by .*\(process {os.getpid()}\); end that program first", complaint)
    assert not state_of(room, "heater")["running"]


def test_watch_tells_reading_after_reading_over_a_pulled_cable_until_ctrl_c(room: Path) -> None:
    watching = started("watch", "--driver", "julabo", "--port", room / "heater", "--hz", 5)
    try:
        assert "live: JULABO" in "".join(read_until(watching, r"bath \d\d\.\d\d degC, .*stands"))
        fault(room, "heater", "unplug")
        assert "heater went away; look at the cable" in read_until(watching, "lost: ")[-1]
        ask(room, {"do": "clear", "device": "heater"})
        read_until(watching, "live: JULABO")
        read_until(watching, "bath")
    finally:
        code, _, complaint = ended(watching)
    assert (code, complaint) == (0, "")


def test_watch_for_a_program_is_one_json_object_per_line(room: Path) -> None:
    port = room / "flow"
    watching = started("watch", "--driver", "emtec_bioprott", "--port", port, "--json")
    try:
        lines = [json.loads(line) for line in read_until(watching, "readings")]
    finally:
        ended(watching)
    assert lines[0]["link"] == "live"
    assert lines[-1]["readings"][0]["unit"] == "ml/min"


def test_watch_ends_with_a_sentence_where_nothing_answers_at_first(run: Run, room: Path) -> None:
    fault(room, "heater", "silent")
    code, _, complaint = run("watch", "--driver", "julabo", "--port", room / "heater")
    assert code == 1
    assert "heater: no answer, asked at 4800 7E1; look at its power" in complaint


def test_set_runs_a_heater_for_a_while_and_switches_it_off_again(run: Run, room: Path) -> None:
    port = room / "heater"
    code, text, _ = run(
        "set", "--driver", "julabo", "--port", port, "--bench", "run", 40.5, "--for", 1
    )
    assert code == 0
    assert text.index("run: confirmed") < text.index("off: confirmed")
    assert state_of(room, "heater")["running"] is False
    assert state_of(room, "heater")["set_c"] == 40.5


def test_set_off_stops_a_pump_that_somebody_left_running(run: Run, room: Path) -> None:
    server_pump = Port(str(room / "pump"), make_driver("watson_marlow", {}).serial)
    server_pump.write(b"1SP50\r1GO\r")
    server_pump.close()
    code, text, _ = run(
        "set", "--driver", "watson_marlow", "--port", room / "pump", "--bench", "off"
    )
    assert code == 0
    assert "off: confirmed" in text
    assert state_of(room, "pump")["running"] is False


def test_set_closes_contactors_for_a_while_and_opens_them_again(tmp_path: Path) -> None:
    scenario = tmp_path / "room.toml"
    scenario.write_text("[instrument.switches]\n", encoding="utf-8")
    with RoomServer(tmp_path / "ports", scenario, speed=20) as server:
        port = server.directory / "switches"
        typed = ("set", "--driver", "icpdas_digital", "--port", port, "--bench", "run", "--for", 3)
        moving = started(*typed)
        read_until(moving, "run: confirmed")
        assert state_of(server.directory, "switches")["closed"] == [True, True]
        out, _ = moving.communicate(timeout=20)
        assert moving.returncode == 0
        assert "off: confirmed" in out
        assert state_of(server.directory, "switches")["closed"] == [False, False]


def test_ctrl_c_ends_a_run_with_off(room: Path) -> None:
    port = room / "pump"
    moving = started("set", "--driver", "watson_marlow", "--port", port, "--bench", "run", 300)
    read_until(moving, "run: confirmed")
    assert state_of(room, "pump")["running"] is True
    code, text, _ = ended(moving)
    assert code == 0
    assert "off: confirmed" in text
    assert state_of(room, "pump")["running"] is False


def test_a_run_that_nobody_reads_any_more_ends_with_off(room: Path) -> None:
    port = room / "pump"
    moving = started("set", "--driver", "watson_marlow", "--port", port, "--bench", "run", 300)
    read_until(moving, "run: confirmed")
    assert moving.stdout is not None
    moving.stdout.close()
    assert moving.wait(timeout=10) == 0
    assert moving.stderr is not None
    assert moving.stderr.read() == ""
    moving.stderr.close()
    assert state_of(room, "pump")["running"] is False


def test_a_refused_run_is_told_and_fails(run: Run, room: Path) -> None:
    port = room / "heater"
    code, text, complaint = run("set", "--driver", "julabo", "--port", port, "--bench", "run", 250)
    assert code == 1
    assert "run: refused, 250.0 °C is not a bath temperature" in text
    assert "the order was not carried out" in complaint


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("--driver", "julabo", "--port", "/dev/x", "off"), "with no patient connected"),
        (("--driver", "julabo", "--port", "/dev/x", "--bench", "run"), "write run VALUE"),
        (("--driver", "julabo", "--port", "/dev/x", "--bench", "off", "3"), "write run VALUE"),
        (
            ("--driver", "julabo", "--port", "socket://h:1", "--bench", "off"),
            "nobody can tell whether a room uses the port",
        ),
        (
            ("--driver", "icpdas_digital", "--port", "/dev/x", "--bench", "run", "1"),
            "contactors take no value; write run to close them",
        ),
        (
            (
                *("--driver", "icpdas_digital", "--setting", "outputs=0", "--port", "/dev/x"),
                *("--bench", "run"),
            ),
            "has no contactors; say how many with --setting outputs=2",
        ),
        (
            ("--driver", "icpdas_tm_th8", "--port", "/dev/x", "--bench", "off"),
            "icpdas_tm_th8 moves nothing; set is for icpdas_digital, julabo, .*watson_marlow",
        ),
    ],
)
def test_set_refuses_what_is_not_bench_use(run: Run, typed: tuple, told: str) -> None:
    code, _, complaint = run("set", *typed)
    assert code == 1
    assert re.search(told, complaint)


@pytest.mark.parametrize(
    ("driver", "device", "shown"),
    [
        ("julabo", "heater", r"JULABO .*\n.*bath \d\d\.\d\d degC, heating power"),
        ("icpdas_tm_th8", "circuit", r"tM-TH8 .*\n.*thermistor 7 - degC \(overflow: open probe"),
        ("watson_marlow", "pump", r"Watson-Marlow 520Du\n.*flow \(calculated\) 0 ml/min"),
        ("keller_33x", "pressure", r"KELLER .*\n.*pressure, bus 1 \d+\.\d mmHg"),
        ("emtec_bioprott", "flow", r"em-tec BioProTT\n.*flow \(measured\) 0 ml/min"),
    ],
)
def test_recorded_traffic_is_replayed_through_the_driver(
    run: Run, room: Path, tmp_path: Path, driver: str, device: str, shown: str
) -> None:
    wire = tmp_path / "wire.jsonl"
    run("probe", "--driver", driver, "--port", room / device, "--polls", 2, "--record", wire)
    code, text, _ = run("replay", wire)
    assert code == 0
    assert re.search(shown, text)
    heard_first = 2 if driver == "emtec_bioprott" else 0
    assert f"{driver}: {3 + heard_first} decoded, 0 not" in text


def test_a_recording_that_starts_in_the_middle_is_read_all_the_same(
    run: Run, room: Path, tmp_path: Path
) -> None:
    wire = tmp_path / "wire.jsonl"
    run("probe", "--driver", "julabo", "--port", room / "heater", "--polls", 3, "--record", wire)
    lines = wire.read_text().splitlines()
    polls = [n for n, line in enumerate(lines) if b"IN_PV_00\r".hex() in line]
    late = tmp_path / "late.jsonl"
    late.write_text("\n".join(lines[polls[1] + 2 :]) + "\n")
    code, text, _ = run("replay", late, "--driver", "julabo")
    assert code == 0
    assert "julabo: 1 decoded, 0 not" in text
    assert 'neither identity nor readings: sent "IN_PV_01"' in text


def test_replay_shows_where_the_traffic_is_not_understood(run: Run, tmp_path: Path) -> None:
    wire = tmp_path / "wire.jsonl"
    chunks = [(0, True, "01040000 0008f1cc"), (30_000_000, False, "0104 1000"), (10**9, True, "ff")]
    wire.write_text(
        "\n".join(json.dumps({"at_ns": at, "sent": sent, "hex": hex_}) for at, sent, hex_ in chunks)
    )
    code, text, _ = run("replay", wire, "--driver", "icpdas_tm_th8")
    assert code == 1
    assert "0.000 s  not decoded: the answer broke off after 01 04 10 00" in text
    assert "1.000 s  neither identity nor readings: sent ff" in text
    assert "icpdas_tm_th8: 0 decoded, 1 not" in text


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            '{"at_ns": 1, "sent": true, "hex": "0d"}',
            "does not say whose traffic it is; add --driver",
        ),
        ("", "holds no traffic"),
        ('{"at_ns": 1, "sent": true, "hex": "0"}', r"wire.jsonl:1: hex: .*wanted is \{"),
        ('{"at_ns": 1, "sent": true}', "wire.jsonl:1: hex: Field required"),
        ("not json", "wire.jsonl:1: the line: Invalid JSON"),
        ('{"wire": 2, "driver": "julabo"}', "wire.jsonl:1: wire: Input should be 1"),
        ('{"wire": 1, "driver": "x"}\n{"at_ns": 1, "sent": true, "hex": "0d"}', "no driver"),
    ],
)
def test_a_recording_that_cannot_be_used_is_told_with_its_line(
    run: Run, tmp_path: Path, content: str, told: str
) -> None:
    wire = tmp_path / "wire.jsonl"
    wire.write_text(content)
    code, _, complaint = run("replay", wire)
    assert code == 1
    assert re.search(told, complaint)


def test_no_recording_is_ever_written_over(run: Run, room: Path, tmp_path: Path) -> None:
    wire = tmp_path / "wire.jsonl"
    wire.write_text("yesterday's\n")
    code, _, complaint = run(
        "probe", "--driver", "julabo", "--port", room / "heater", "--record", wire
    )
    assert code == 1
    assert "wire.jsonl cannot be written (File exists)" in complaint
    assert wire.read_text() == "yesterday's\n"


def test_a_port_that_says_nothing_at_all_is_told(run: Run) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    _, _, complaint = run("probe", "--driver", "emtec_bioprott", "--port", os.ttyname(slave))
    os.close(slave)
    os.close(master)
    assert "no answer; asked as emtec_bioprott at 38400 8N1" in complaint
