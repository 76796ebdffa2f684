"""NESLAB: binary frames, and an answer that looks like an echo."""

import pytest

from drivers import neslab
from drivers.classes import Done, SettingError
from drivers.dialogue import BadReply, NoReply, Refused
from drivers.neslab import FAULTS, Neslab
from service.core.model import CommandState, Validity
from simulator.devices.instrument import Fault
from simulator.devices.neslab import BathSettings, CirculatingBath
from tests.drivers.memory import MemoryLine
from tests.drivers.transcripts import Exchange, exchange, exchanges

CONFIRMED, REFUSED = CommandState.CONFIRMED, CommandState.REFUSED
SWITCH_ON = exchange("neslab", "on").tx
SWITCH_OFF = exchange("neslab", "off").tx


def answer(command: int, data: bytes, address: int = 1) -> bytes:
    return neslab.request(0xCA, address, command, data)


class Bench:
    """The driver and a simulated bath; `instead` are answers by command in place of its own."""

    def __init__(self, *, bath: dict | None = None, **settings: object) -> None:
        self.bath_c, self.outside_c = 36.9, 35.2
        self.device = CirculatingBath(
            lambda: self.bath_c,
            BathSettings(**{"think_s": 0.0} | (bath or {})),
            external_c=lambda: self.outside_c,
        )
        self.instead: dict[int, bytes] = {}
        self.line = MemoryLine(self._hear)
        self.driver = Neslab(**settings)
        self.identity = self.line.run(self.driver.identify())
        self.line.sent.clear()

    def _hear(self, heard: bytes) -> bytes:
        if heard[3] in self.instead:
            return self.instead[heard[3]]
        return b"".join(send.data for send in self.device.receive(heard, self.line.seconds))

    def fault(self, name: str, **more) -> None:
        fault = Fault(name=name, **more)
        self.device.faults.set(fault)
        self.device.on_fault(fault)
        self.device.sample(0.1)

    def run(self, bath_c: float) -> Done:
        return self.line.run(self.driver.run(bath_c))

    def off(self) -> Done:
        return self.line.run(self.driver.off())

    def poll(self):
        self.device.sample(0.1)
        return self.line.run(self.driver.poll())


@pytest.mark.parametrize("one", exchanges("neslab"), ids=lambda one: one.name)
def test_the_worked_bytes_are_written_and_read(one: Exchange) -> None:
    lead, address, command = one.tx[0], one.tx[2], one.tx[3]
    if "damaged" not in one.decoded:
        assert neslab.request(lead, address, command, one.tx[5:-1]) == one.tx
    assert neslab.reply_to(lead, address, command)(one.rx) == len(one.rx)
    size = one.rx[4]
    match one.decoded:
        case {"refused": sentence}:
            with pytest.raises(Refused, match=sentence):
                neslab.content(one.rx, command, 3)
        case {"damaged": True}:
            with pytest.raises(BadReply, match="got a damaged command; look at the cable"):
                neslab.content(one.rx, command, 3)
        case {"celsius": celsius, "step_c": step_c}:
            value = neslab.decode_temperature(neslab.content(one.rx, command, size))
            assert (value.celsius, value.step_c) == (celsius, step_c)
        case {"running": running, "fault": fault}:
            status = neslab.content(one.rx, command, 5)
            assert bool(status[3] & 0x08) == running
            told = neslab.decode_faults(status)
            assert fault in told
            assert bool(fault) == bool(told)
        case {"version": version}:
            assert list(neslab.content(one.rx, command, 2)) == version
        case {"echo_like": True}:
            assert one.tx == one.rx


def test_it_says_the_version_of_its_protocol_and_what_it_measures() -> None:
    bench = Bench(external=True)
    assert (bench.identity.model, bench.identity.firmware) == ("Thermo NESLAB", "NC protocol 1.2")
    polled = bench.poll()
    assert [one.value for one in polled.measured] == [36.9, 35.2]
    assert (polled.status.running, polled.status.setpoint, polled.status.fault) == (False, 20.0, "")


@pytest.mark.parametrize("echoes_array", [True, False])
def test_a_set_point_is_set_started_and_read_back(echoes_array: bool) -> None:
    bench = Bench(bath={"echoes_array": echoes_array})
    assert bench.run(41.5) == Done(state=CONFIRMED, value=41.5)
    assert bench.device.heating
    assert bench.line.sent[2:4] == [exchange("neslab", "set-point of 41.5").tx, SWITCH_ON]
    bench.line.sent.clear()
    assert bench.run(42.0).value == 42.0
    assert SWITCH_ON not in bench.line.sent, "what runs is not started again"


@pytest.mark.parametrize("echoes_array", [True, False])
def test_off_is_confirmed_by_the_status(echoes_array: bool) -> None:
    bench = Bench(bath={"echoes_array": echoes_array})
    bench.device.start(41.5)
    assert bench.off() == Done(state=CONFIRMED)
    assert bench.line.sent[0] == SWITCH_OFF
    assert bench.line.seconds < 0.5, "no deadline was waited for"
    assert not bench.device.running


def test_switching_touches_nothing_but_the_unit() -> None:
    bench = Bench(bath={"auto_restart": True, "fine": True})
    before = list(bench.device.array)
    bench.run(41.5)
    assert bench.device.array == [1, *before[1:]]


def test_a_bath_that_does_not_obey_is_refused() -> None:
    bench = Bench()
    bench.device.start(41.5)
    bench.fault("refuses")
    assert bench.off() == Done(state=REFUSED, reason="the bath still runs; stop it at its keys")
    with pytest.raises(Refused, match="the bath does not know command F0"):
        bench.run(42.0)


def test_a_bath_counted_in_hundredths_is_set_in_hundredths() -> None:
    bench = Bench(bath={"fine": True})
    assert bench.run(41.57) == Done(state=CONFIRMED, value=41.57)
    assert Bench().run(41.57) == Done(state=CONFIRMED, value=41.6)


def test_a_set_point_that_is_limited_by_the_bath_is_refused() -> None:
    bench = Bench(bath={"highest_c": 40.0})
    assert bench.run(41.5) == Done(state=REFUSED, reason="the bath keeps its set-point of 40 °C")


@pytest.mark.parametrize(("at", "bits", "text"), FAULTS)
def test_each_fault_of_the_bath_is_told_and_refuses_heat(at: int, bits: int, text: str) -> None:
    bench = Bench()
    status = bytearray(5)
    status[at] = bits
    bench.instead = {neslab.STATUS: answer(neslab.STATUS, bytes(status))}
    assert text in bench.poll().status.fault
    assert bench.run(41.5).state is REFUSED
    assert not bench.device.running


def test_a_broken_sensor_costs_its_own_value_and_nothing_else() -> None:
    bench = Bench(external=True)
    bench.fault("open", input=2)
    polled = bench.poll()
    assert polled.measured[0].value == 36.9
    assert (polled.measured[1].value, polled.measured[1].validity) == (None, Validity.INVALID)
    bench.fault("short", input=1)
    polled = bench.poll()
    assert polled.measured[0].value is None
    assert "bath sensor open or shorted" in polled.status.fault


def test_a_value_in_another_unit_is_never_taken_for_celsius() -> None:
    bench = Bench()
    bench.instead = {neslab.INTERNAL: answer(neslab.INTERNAL, b"\x12\x01\x9f")}
    with pytest.raises(BadReply, match="qualifier 12; set the bath to °C"):
        bench.poll()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (answer(neslab.INTERNAL, b"\x11\x01\x9f", address=2), "is not from bath 1"),
        (answer(neslab.SETPOINT, b"\x11\x01\x9f"), "answers another question"),
        (answer(neslab.ERROR, b"\x01\x70"), "answers another question"),
        (answer(neslab.INTERNAL, b"\x11\x01\x9f")[:-1] + b"\x00", "with a wrong check sum"),
        (answer(neslab.INTERNAL, b"\x11\x01"), "is 2 bytes instead of 3"),
        (b"41.50\r\n", "is not from bath 1"),
    ],
)
def test_an_answer_to_another_question_is_told_and_never_shown(said: bytes, sentence: str) -> None:
    bench = Bench()
    bench.instead = {neslab.INTERNAL: said}
    with pytest.raises(BadReply, match=sentence):
        bench.poll()


def test_one_flipped_bit_never_passes_the_check_sum() -> None:
    good = exchange("neslab", "internal temperature of 41.5").rx
    framer = neslab.reply_to(0xCA, 1, neslab.INTERNAL)
    for at in range(8 * len(good)):
        wrong = bytearray(good)
        wrong[at // 8] ^= 1 << at % 8
        try:
            assert framer(bytes(wrong)) is None, "it waits for more bytes"
        except BadReply as told:
            assert "arrived" in str(told)


def test_half_a_frame_and_what_ends_it_do_not_cost_the_stop() -> None:
    for half in (SWITCH_ON[:size] for size in range(1, len(SWITCH_ON))):
        bench = Bench()
        bench.device.start(41.5)
        bench.device.receive(half, 10.0)
        bench.device.receive(bench.driver.terminator, 10.01)
        bench.line.seconds = 10.05
        assert bench.off() == Done(state=CONFIRMED)


def test_on_rs_485_the_lead_and_the_address_differ() -> None:
    bench = Bench(bath={"address": 3}, address=3)
    assert bench.run(30.0).state is CONFIRMED
    assert exchange("neslab", "set-point of 30.0 on RS-485, address 3").tx in bench.line.sent


@pytest.mark.parametrize("bath_c", [0.0, -3.0, 120.0, float("nan"), float("inf")])
def test_what_is_no_bath_temperature_is_refused_before_anything_is_sent(bath_c: float) -> None:
    bench = Bench()
    assert bench.run(bath_c).state is REFUSED
    assert bench.line.sent == []


def test_after_a_power_cut_it_shows_as_off() -> None:
    bench = Bench()
    bench.run(41.5)
    bench.device.power_up()
    status = bench.poll().status
    assert (status.running, status.setpoint) == (False, 41.5)


def test_a_silent_bath_is_told_with_the_button_to_press() -> None:
    with pytest.raises(NoReply, match="no answer; is serial communication switched on at the bath"):
        MemoryLine().run(Neslab().identify())


def test_an_address_that_no_bath_can_have_is_refused() -> None:
    with pytest.raises(SettingError, match="address = 101 cannot be used"):
        Neslab(address=101)
