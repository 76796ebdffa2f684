"""MasterFlex: `*`, `#` and `~`, serial mode first, and a flow that its site file must explain."""

import pytest

from drivers import masterflex
from drivers.classes import Done, SettingError
from drivers.dialogue import BadReply, NoReply, Refused
from drivers.frames import line_of_text
from drivers.masterflex import MasterFlex
from service.core.model import CommandState, Validity
from simulator.devices.instrument import Fault
from simulator.devices.masterflex import DriveSettings, PumpDrive
from tests.drivers.memory import MemoryLine, scripted
from tests.drivers.transcripts import Exchange, exchanges

CONFIRMED, REFUSED = CommandState.CONFIRMED, CommandState.REFUSED
ML_PER_REV = 8.0


class Bench:
    """The driver and a simulated drive; `instead` are answers that it gives in its place."""

    def __init__(self, *, drive: dict | None = None, **settings: object) -> None:
        self.device = PumpDrive(DriveSettings(**drive or {}))
        self.instead: dict[bytes, bytes] = {}
        self.line = MemoryLine(self._hear)
        self.driver = MasterFlex(**{"ml_per_rev": ML_PER_REV} | settings)
        self.identity = self.line.run(self.driver.identify())
        self.line.sent.clear()

    def _hear(self, heard: bytes) -> bytes:
        if heard in self.instead:
            return self.instead[heard]
        return b"".join(send.data for send in self.device.receive(heard, self.line.seconds))

    def fault(self, name: str) -> None:
        self.device.faults.set(Fault(name=name))
        self.device.on_fault(Fault(name=name))

    def run(self, flow_ml_min: float) -> Done:
        return self.line.run(self.driver.run(flow_ml_min))

    def lower(self, flow_ml_min: float) -> Done:
        return self.line.run(self.driver.lower(flow_ml_min))

    def off(self) -> Done:
        return self.line.run(self.driver.off())

    def poll(self):
        return self.line.run(self.driver.poll())


@pytest.mark.parametrize("exchange", exchanges("masterflex"), ids=lambda one: one.name)
def test_the_worked_bytes_are_read(exchange: Exchange) -> None:
    if not exchange.rx:
        with pytest.raises(NoReply):
            MemoryLine(scripted({exchange.tx: b""})).run(MasterFlex(address=2).poll())
        return
    framed = exchange.rx[: line_of_text(exchange.rx)]
    match exchange.decoded:
        case {"accepted": True}:
            masterflex.decode_done(framed)
        case {"invalid": True}:
            with pytest.raises(Refused, match="invalid; look at its fastest speed"):
                masterflex.decode_done(framed)
        case {"local": True}:
            with pytest.raises(masterflex.NotInSerialMode, match="not in serial mode"):
                masterflex.decode_done(framed)
        case {"rpm": rpm}:
            assert masterflex.decode_rpm(framed) == rpm
        case {"running": running, "direction": direction}:
            state = masterflex.decode_state(framed, 1)
            assert (state.running, state.direction) == (running, direction)
        case {"text": text}:
            assert masterflex.decode_answer(framed) == text


def test_serial_mode_comes_first_and_then_the_model() -> None:
    bench = Bench()
    assert bench.device.serial_mode
    assert (bench.identity.model, bench.identity.firmware) == ("MasterFlex MFLX78002-00", "2")


def test_a_flow_is_set_started_and_read_back() -> None:
    bench = Bench()
    assert bench.run(964.0) == Done(state=CONFIRMED, value=964.0)
    assert bench.line.sent == [b"1RC\r", b"1R012050\r", b"1H\r", b"1RC\r", b"1R\r"]
    polled = bench.poll()
    assert [one.value for one in polled.measured] == [964.0, 120.5]
    status = polled.status
    assert (status.running, status.setpoint, status.remote, status.fault) == (True, 964, True, "")
    bench.line.sent.clear()
    assert bench.run(800.0).value == 800.0
    assert b"1H\r" not in bench.line.sent, "what runs is not started again"


def test_a_standing_pump_has_no_flow_whatever_speed_is_set() -> None:
    polled = Bench().poll()
    assert [one.value for one in polled.measured] == [0.0, 0.0]
    assert polled.status.running is False


def test_stop_is_confirmed_by_the_run_flag() -> None:
    bench = Bench()
    bench.device.start(100.0)
    assert bench.off() == Done(state=CONFIRMED)
    assert bench.line.sent == [b"1I\r", b"1I\r", b"1RC\r"]
    assert not bench.device.running


def test_a_star_alone_is_no_confirmation() -> None:
    bench = Bench()
    bench.device.start(100.0)
    bench.instead = {b"1I\r": b"*\r\n"}
    assert bench.off().reason == "the pump says that it still runs; stop it at its screen"
    bench.device.running = False
    bench.instead = {b"1H\r": b"*\r\n"}
    assert bench.run(800.0).reason == "the pump shows 100 rpm cw, stopped instead of 100 rpm cw"


def test_a_speed_beyond_the_drive_is_refused_and_nothing_started() -> None:
    bench = Bench(drive={"max_rpm": 300.0})
    with pytest.raises(Refused, match="invalid; look at its fastest speed"):
        bench.run(4000.0)
    assert not bench.device.running
    bench = Bench(max_rpm=300)
    done = bench.run(4000.0)
    assert "would be 500 rpm with 8 ml/rev, the pump turns at most 300 rpm" in done.reason
    assert bench.line.sent == []


def test_a_drive_that_refuses_to_stop_says_so_with_what_it_answered() -> None:
    bench = Bench()
    bench.device.start(100.0)
    bench.fault("refuses")
    assert "still runs; stop it at its screen (the pump calls the command" in bench.off().reason


def test_without_ml_per_rev_it_is_read_and_stopped_but_never_run() -> None:
    bench = Bench(ml_per_rev=None)
    bench.device.start(100.0)
    polled = bench.poll()
    assert (polled.measured[0].value, polled.measured[1].value) == (None, 100.0)
    assert polled.measured[0].validity is Validity.NOT_AVAILABLE
    assert polled.status.setpoint is None
    for told in (polled.status.fault, bench.run(800.0).reason, bench.lower(80.0).reason):
        assert "set ml_per_rev in the site file" in told
    assert bench.off().state is CONFIRMED


def test_switched_off_and_on_it_shows_no_values_until_an_order_takes_it_back() -> None:
    bench = Bench()
    bench.device.power_up()
    polled = bench.poll()
    assert [one.value for one in polled.measured] == [None, None]
    assert (polled.status.running, polled.status.remote) == (None, False)
    assert "not in serial mode" in polled.status.fault
    assert b"1RE1\r" not in bench.line.sent, "a poll takes the drive from nobody"
    assert bench.off().state is CONFIRMED
    assert bench.line.sent[-3:] == [b"1RE1\r", b"1I\r", b"1RC\r"]
    assert bench.run(800.0) == Done(state=CONFIRMED, value=800.0)


def test_a_drive_that_somebody_holds_at_its_screen_is_refused() -> None:
    bench = Bench()
    bench.fault("local_mode")
    for order in (bench.off, lambda: bench.run(800.0), lambda: bench.lower(80.0)):
        with pytest.raises(Refused, match="not in serial mode; look whether somebody works at its"):
            order()


def test_a_pump_that_stands_is_turned_the_right_way_before_it_starts() -> None:
    bench = Bench(direction="ccw")
    assert bench.run(800.0).state is CONFIRMED
    assert bench.line.sent[1] == b"1K\r"
    assert bench.device.clockwise is False
    assert bench.poll().measured[0].value == 800.0


def test_a_pump_that_turns_the_wrong_way_is_a_fault_and_shows_a_negative_flow() -> None:
    bench = Bench()
    bench.device.start(100.0)
    bench.device.clockwise = False
    polled = bench.poll()
    assert [one.value for one in polled.measured] == [-800.0, -100.0]
    assert "turns ccw, the site file says cw: stop it" in polled.status.fault
    assert bench.run(800.0) == Done(state=REFUSED, reason=polled.status.fault)
    assert bench.off().state is CONFIRMED


@pytest.mark.parametrize(
    ("rpm", "running", "rpm_after"), [(100.0, True, 50.0), (30.0, True, 30.0), (100.0, False, 100)]
)
def test_lowering_never_starts_a_pump_and_never_makes_it_faster(
    rpm: float, running: bool, rpm_after: float
) -> None:
    bench = Bench()
    bench.device.start(rpm)
    bench.device.running = running
    assert bench.lower(400.0).state is CONFIRMED
    assert (bench.device.set_rpm, bench.device.running) == (rpm_after, running)
    assert b"1H\r" not in bench.line.sent


@pytest.mark.parametrize("flow_ml_min", [0.0, -5.0, float("nan"), float("inf"), 1e9])
def test_a_flow_that_is_none_is_refused_before_anything_is_sent(flow_ml_min: float) -> None:
    bench = Bench()
    assert bench.run(flow_ml_min).state is REFUSED
    assert bench.line.sent == []


@pytest.mark.parametrize(
    ("asked", "said", "sentence"),
    [
        (b"1RC\r", b"2,1,0\r\n", "pump 2 answered instead of pump 1"),
        (b"1RC\r", b"1,2,0\r\n", "instead of address, running and direction"),
        (b"1RC\r", b"*\r\n", "instead of address, running and direction"),
        (b"1R\r", b"1,1,0\r\n", "instead of a speed"),
        (b"1R\r", b"-5\r\n", "instead of a speed"),
        (b"1R\r", b"1e3\r\n", "instead of a speed"),
    ],
)
def test_an_answer_to_another_question_is_told_and_never_shown(
    asked: bytes, said: bytes, sentence: str
) -> None:
    bench = Bench()
    bench.instead = {asked: said}
    with pytest.raises(BadReply, match=sentence):
        bench.poll()


def test_a_value_in_the_place_of_a_star_is_told() -> None:
    bench = Bench()
    bench.instead = {b"1H\r": b"120.50\r\n"}
    with pytest.raises(BadReply, match="instead of "):
        bench.run(800.0)


def test_settings_are_refused_with_what_is_allowed() -> None:
    with pytest.raises(SettingError, match="must be one of 'cw', 'ccw'"):
        MasterFlex(direction="left")
    with pytest.raises(SettingError, match="address = 9 cannot be used"):
        MasterFlex(address=9)


def test_a_silent_pump_is_told() -> None:
    with pytest.raises(NoReply, match="no answer"):
        MemoryLine().run(MasterFlex().poll())
