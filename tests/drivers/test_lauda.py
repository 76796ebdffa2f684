"""LAUDA: every write is answered, and off is off only when stand-by reads back."""

import pytest

from drivers import lauda
from drivers.classes import Done, SettingError
from drivers.dialogue import BadReply, NoReply, Refused
from drivers.frames import line_of_text, text_of
from drivers.lauda import ERRORS, Lauda
from service.core.model import CommandState, Validity
from simulator.devices.instrument import Fault
from simulator.devices.lauda import Thermostat, ThermostatSettings
from tests.drivers.memory import MemoryLine, scripted
from tests.drivers.transcripts import Exchange, exchanges

CONFIRMED, REFUSED = CommandState.CONFIRMED, CommandState.REFUSED


class Bench:
    """The driver and a simulated thermostat; `instead` are answers that it gives in its place."""

    def __init__(self, *, thermostat: dict | None = None, **settings: object) -> None:
        self.bath_c, self.outside_c = 36.9, 35.2
        self.device = Thermostat(
            lambda: self.bath_c,
            ThermostatSettings(**{"think_s": 0.0} | (thermostat or {})),
            external_c=lambda: self.outside_c,
        )
        self.instead: dict[bytes, bytes] = {}
        self.line = MemoryLine(self._hear)
        self.driver = Lauda(**settings)
        self.identity = self.line.run(self.driver.identify())
        self.line.sent.clear()

    def _hear(self, heard: bytes) -> bytes:
        if heard in self.instead:
            return self.instead[heard]
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


@pytest.mark.parametrize("exchange", exchanges("lauda"), ids=lambda one: one.name)
def test_the_worked_bytes_are_read(exchange: Exchange) -> None:
    framed = exchange.rx[: line_of_text(exchange.rx)]
    prefix = "A015_" if "address" in exchange.decoded else ""
    match exchange.decoded:
        case {"error": number}:
            with pytest.raises(Refused, match=rf"the heater answers ERR_{number}: "):
                lauda.content(framed, prefix)
        case {"number": number}:
            assert lauda.decode_number(lauda.content(framed, prefix)) == number
        case {"running": running}:
            assert lauda.decode_running(text_of(framed)) == running
        case {"faulty": faulty}:
            assert lauda.decode_faulty(text_of(framed)) == faulty
        case {"digits": digits}:
            assert digits in lauda.decode_fault(text_of(framed), ())
        case {"text": text}:
            assert lauda.content(framed, prefix) == text


def test_it_says_its_type_and_what_it_measures() -> None:
    bench = Bench()
    assert bench.identity.model == "LAUDA P10"
    polled = bench.poll()
    assert [one.value for one in polled.measured] == [36.9]
    assert polled.status is not None
    assert (polled.status.running, polled.status.setpoint, polled.status.fault) == (False, 20.0, "")


def test_a_set_point_is_set_started_and_read_back() -> None:
    bench = Bench()
    assert bench.run(41.5) == Done(state=CONFIRMED, value=41.5)
    assert bench.device.heating
    assert bench.line.sent == [
        b"STATUS\r",
        b"OUT_SP_00_41.50\r",
        b"IN_MODE_02\r",
        b"START\r",
        b"IN_MODE_02\r",
        b"IN_SP_00\r",
    ]
    bench.line.sent.clear()
    assert bench.run(42.0).value == 42.0
    assert b"START\r" not in bench.line.sent, "what runs is not started again"


def test_off_is_confirmed_by_stand_by() -> None:
    bench = Bench()
    bench.device.start(41.5)
    assert bench.off() == Done(state=CONFIRMED)
    assert bench.line.sent == [b"STOP\r", b"STOP\r", b"IN_MODE_02\r"]
    assert not bench.device.running


def test_an_ok_alone_is_no_confirmation() -> None:
    bench = Bench()
    bench.device.start(41.5)
    bench.instead = {b"STOP\r": b"OK\r\n"}
    done = bench.off()
    assert done == Done(state=REFUSED, reason="the heater still runs; stop it by hand")
    bench.instead = {b"OUT_SP_00_42.00\r": b"OK\r\n"}
    assert bench.run(42.0).reason == "the heater keeps its set-point of 41.50 °C"
    bench.device.running = False
    bench.instead = {b"START\r": b"OK\r\n"}
    assert bench.run(41.5).reason == "the heater did not start; look at its display"


def test_a_refused_stop_of_a_heater_that_stands_by_anyway_is_off() -> None:
    bench = Bench()
    bench.fault("refuses")
    assert bench.off() == Done(state=CONFIRMED)
    bench.device.running = True
    assert "stop it by hand (the heater answers ERR_6: " in bench.off().reason


@pytest.mark.parametrize("number", sorted(ERRORS))
def test_each_error_of_a_write_is_told_with_what_to_do(number: int) -> None:
    bench = Bench()
    bench.instead = {b"OUT_SP_00_41.50\r": f"ERR_{number}\r\n".encode()}
    with pytest.raises(Refused, match=rf"ERR_{number}: .{{15,}}"):
        bench.run(41.5)
    assert not bench.device.running


def test_a_set_point_beyond_the_heater_s_limits_is_refused_and_nothing_started() -> None:
    bench = Bench()
    with pytest.raises(Refused, match="the value is not allowed; look at its working range"):
        bench.run(61.0)
    assert (bench.device.running, bench.device.set_c) == (False, 20.0)


def test_a_fault_is_told_in_the_words_of_the_family_and_refuses_heat() -> None:
    bench = Bench()
    bench.bath_c = 66.0
    polled = bench.poll()
    assert polled.status.fault == "the heater reports overtemperature (STAT 0001000)"
    assert bench.run(41.5) == Done(state=REFUSED, reason=polled.status.fault)
    assert bench.off().state is CONFIRMED
    bench = Bench(stat="ecoline")
    bench.fault("alarm", value=3.0)
    assert "low level: fill the bath (STAT 0010000)" in bench.poll().status.fault


def test_a_fault_without_a_digit_that_is_known_is_still_a_fault() -> None:
    bench = Bench()
    bench.instead = {b"STATUS\r": b"-1\r\n", b"STAT\r": b"00000\r\n"}
    assert bench.poll().status.fault == "the heater reports a fault (STAT 00000)"


def test_a_broken_sensor_costs_its_own_value_and_nothing_else() -> None:
    bench = Bench(external="IN_PV_03")
    bench.fault("open", input=2)
    polled = bench.poll()
    assert polled.measured[0].value == 36.9
    assert (polled.measured[1].value, polled.measured[1].validity) == (None, Validity.INVALID)
    assert "external temperature sensor is missing" in polled.measured[1].reason
    assert polled.status.fault == ""


def test_the_bath_is_read_to_a_thousandth_where_the_site_says_so() -> None:
    bench = Bench(fine=True)
    bench.bath_c = 41.5034
    assert bench.poll().measured[0].value == 41.503
    assert bench.driver.inputs[0].resolution == 0.001


def test_the_external_sensor_is_the_command_that_the_site_names() -> None:
    bench = Bench(thermostat={"external_command": "IN_PV_01"}, external="IN_PV_01")
    assert [one.value for one in bench.poll().measured] == [36.9, 35.2]


def test_on_rs_485_only_its_own_address_is_believed() -> None:
    bench = Bench(thermostat={"address": 15}, address=15)
    assert bench.run(41.5).state is CONFIRMED
    assert bench.line.sent[1] == b"A015_OUT_SP_00_41.50\r"
    bench.instead = {b"A015_IN_PV_00\r": b"A016_41.50\r\n"}
    with pytest.raises(BadReply, match=r'"A016_41\.50" arrived, which is not from the heater at A'):
        bench.poll()


def test_a_space_takes_the_place_of_the_underscore_where_the_site_says_so() -> None:
    bench = Bench(separator=" ")
    assert bench.run(41.5).state is CONFIRMED
    assert b"OUT SP 00 41.50\r" in bench.line.sent


def test_a_model_that_cannot_tell_whether_it_runs_is_not_driven() -> None:
    with pytest.raises(Refused, match=r'\("E 200"\) does not tell whether it runs \(IN_MODE_02\)'):
        Bench(thermostat={"model": "E 200", "tells_stand_by": False})


def test_numbers_with_leading_zeros_are_the_same_numbers() -> None:
    bench = Bench(thermostat={"width": 3})
    bench.bath_c = -4.5
    assert bench.poll().measured[0].value == -4.5
    assert bench.run(41.5) == Done(state=CONFIRMED, value=41.5)


@pytest.mark.parametrize("said", [b"4150\r\n", b"41.5\r\n", b"OK\r\n", b"1e2\r\n", b"NaN\r\n"])
def test_what_is_no_number_of_two_decimals_is_told_and_never_shown(said: bytes) -> None:
    bench = Bench()
    bench.instead = {b"IN_PV_00\r": said}
    with pytest.raises(BadReply, match="arrived instead of a number with two decimals"):
        bench.poll()


@pytest.mark.parametrize(
    ("asked", "said", "sentence"),
    [
        (b"IN_MODE_02\r", b"41.50\r\n", "instead of 0 or 1"),
        (b"STATUS\r", b"41.50\r\n", "instead of the status"),
        (b"START\r", b"1\r\n", "instead of OK or ERR"),
    ],
)
def test_an_answer_to_another_question_is_told(asked: bytes, said: bytes, sentence: str) -> None:
    bench = Bench()
    bench.instead = {asked: said}
    with pytest.raises(BadReply, match=sentence):
        bench.run(41.5)


@pytest.mark.parametrize("bath_c", [0.0, -3.0, 120.0, float("nan"), float("inf")])
def test_what_is_no_bath_temperature_is_refused_before_anything_is_sent(bath_c: float) -> None:
    bench = Bench()
    assert bench.run(bath_c).state is REFUSED
    assert bench.line.sent == []


def test_after_a_power_cut_it_shows_as_standing_by() -> None:
    bench = Bench()
    bench.run(41.5)
    bench.device.power_up()
    status = bench.poll().status
    assert (status.running, status.setpoint) == (False, 41.5)


def test_settings_are_refused_with_what_is_allowed() -> None:
    with pytest.raises(SettingError, match="must be one of '', 'IN_PV_01', 'IN_PV_03'"):
        Lauda(external="IN_PV_09")
    with pytest.raises(SettingError, match="address = 128 cannot be used"):
        Lauda(address=128)


def test_a_silent_heater_is_told() -> None:
    with pytest.raises(NoReply, match="no answer"):
        MemoryLine(scripted({})).run(Lauda().poll())
