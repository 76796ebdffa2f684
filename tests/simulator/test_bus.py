"""A room's ports as any program sees them: real ptys, pyserial, real seconds."""

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial

from simulator.control import ask

pytestmark = pytest.mark.real_time

READ_ALL = bytes.fromhex("01 04 00 00 00 08 f1 cc")


# The circulator's quiet times have tests of their own; here only the wire shall take time.
SCENARIO = """
[instrument.heater]
after_in_s = 0.0
after_out_s = 0.0
"""
PROGRAM = """
import sys
from pathlib import Path
from simulator.serve import serve
sys.exit(serve(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
"""
LINES = {
    "sites": {"baudrate": 9600},
    "pump": {"baudrate": 9600, "stopbits": 2},
    "heater": {"baudrate": 4800, "bytesize": 7, "parity": "E"},
    "flow": {"baudrate": 38400},
}


@contextmanager
def serving(directory: Path, speed: float):
    directory.mkdir()
    scenario = directory.with_suffix(".toml")
    scenario.write_text(SCENARIO)
    arguments = [sys.executable, "-c", PROGRAM, str(directory), str(scenario), str(speed)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(arguments, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline() not in ("ready\n", ""):
            pass
        yield directory
        process.terminate()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("bus") / "room", 1.0) as directory:
        yield directory


@pytest.fixture
def room(served):
    yield served
    assert ask(served, {"do": "clear"})["ok"]


def connect(room: Path, name: str) -> serial.Serial:
    port = serial.Serial(str(room / name), timeout=10.0, **LINES[name])
    port.reset_input_buffer()
    return port


def unread(fd: int) -> int:
    """Bytes that wait to be read."""
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))[0]


def pause() -> None:
    """As long as a quick program takes to come back: a port cannot be re-armed in no time."""
    select.select([], [], [], 0.02)


def ask_port(port: serial.Serial, request: bytes, length: int) -> bytes:
    port.write(request)
    return port.read(length)


def test_a_poll_takes_the_time_that_the_wire_takes(room):
    wire_s = (8 + 21 + 3.5) * 10 / 9600
    with connect(room, "sites") as port:
        spent = []
        for _ in range(5):
            began_s = time.monotonic()
            assert len(ask_port(port, READ_ALL, 21)) == 21
            spent.append(time.monotonic() - began_s)
    assert wire_s <= min(spent) < wire_s + 0.040


def test_bytes_of_a_reply_come_in_small_chunks(room):
    with connect(room, "pump") as port:
        port.write(b"1RS\r")
        chunks = []
        while b"!" not in b"".join(chunks):
            select.select([port], [], [], 2.0)
            chunks.append(os.read(port.fileno(), 4096))
    assert len(chunks) > 2, "a busy machine reads several chunks at once, never all"
    assert max(map(len, chunks)) < 25


def test_a_port_can_be_closed_and_opened_again_at_will(room):
    for _ in range(3):
        with connect(room, "sites") as port:
            assert len(ask_port(port, READ_ALL, 21)) == 21


def test_a_seven_bit_even_parity_client_can_reopen_and_change_its_timeout(room):
    for _ in range(3):
        with connect(room, "heater") as port:
            port.write(b"in_sp_00\r")
            assert port.read_until(b"\n") == b"25.00\r\n"
            port.timeout = 1.0
        pause()


def test_an_order_written_just_before_closing_is_carried_out(room):
    for set_c in (41.5, 25.0):
        with connect(room, "heater") as port:
            port.write(f"out_sp_00 {set_c:.2f}\r".encode())
        latest_s = time.monotonic() + 10
        while ask(room, {"do": "state"})["devices"]["heater"]["set_c"] != set_c:
            assert time.monotonic() < latest_s
            pause()


def test_the_flow_meter_speaks_ten_times_a_second_and_keeps_nothing_for_later(room):
    with connect(room, "flow") as port:
        port.readline()
        began_s = time.monotonic()
        lines = [port.readline() for _ in range(5)]
        assert 0.42 < time.monotonic() - began_s < 1.0
    assert {len(line) for line in lines} == {47}
    select.select([], [], [], 0.4)
    fd = os.open(room / "flow", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        assert unread(fd) == 0
    finally:
        os.close(fd)


def test_a_client_that_sets_nothing_at_all_gets_raw_bytes(room):
    fd = os.open(room / "sites", os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(fd, READ_ALL)
        reply = b""
        while len(reply) < 21:
            reply += os.read(fd, 64)
    finally:
        os.close(fd)
    assert reply[:3] == bytes.fromhex("01 04 10")


def test_a_pulled_cable_hangs_up_and_comes_back_under_the_same_name(room):
    port = connect(room, "heater")
    link = Path(port.port)
    assert ask(room, {"do": "fault", "device": "heater", "fault": "unplug"})["ok"]
    assert not link.is_symlink()
    with pytest.raises((serial.SerialException, OSError)):
        for _ in range(3):
            port.write(b"status\r")
            port.read(1)
    port.close()
    assert ask(room, {"do": "clear", "device": "heater"})["ok"]
    with connect(room, "heater") as again:
        again.write(b"status\r")
        assert again.read_until(b"\n") == b"02 REMOTE STOP\r\n"


def test_a_late_reply_is_late_by_its_delay(room):
    with connect(room, "heater") as port:
        fault = {"do": "fault", "device": "heater", "fault": "late", "value": 0.3, "times": 1}
        assert ask(room, fault)["ok"]
        began_s = time.monotonic()
        port.write(b"in_sp_00\r")
        assert port.read_until(b"\n") == b"25.00\r\n"
        assert time.monotonic() - began_s > 0.3


def test_a_client_that_never_reads_stops_nobody_else(room):
    with connect(room, "flow") as flow, connect(room, "sites") as port:
        for _ in range(10):
            assert len(ask_port(port, READ_ALL, 21)) == 21
        assert unread(flow.fileno()) > 47


def test_twenty_times_the_speed_shortens_the_wire_but_not_the_push_interval(tmp_path):
    with serving(tmp_path / "room", 20.0) as room:
        with connect(room, "sites") as port:
            began_s = time.monotonic()
            assert len(ask_port(port, READ_ALL, 21)) == 21
            spent_s = time.monotonic() - began_s
        with connect(room, "flow") as port:
            port.readline()
            before, began_s = ask(room, {"do": "state"}), time.monotonic()
            for _ in range(5):
                port.readline()
            after, passed_s = ask(room, {"do": "state"}), time.monotonic() - began_s
    assert spent_s < 0.060
    assert 0.42 < passed_s < 1.0
    assert after["plant_s"] - before["plant_s"] == pytest.approx(20 * passed_s, rel=0.25)
