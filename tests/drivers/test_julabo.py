"""Julabo: silent to commands, honest once in the next status, and off only when it says so."""

import pytest

from drivers.classes import Done
from drivers.dialogue import BadReply, NoReply, Refused
from drivers.julabo import ALARMS, REJECTIONS, Julabo
from service.core.model import CommandState, Validity
from tests.drivers.devices import FakeHeater
from tests.drivers.memory import MemoryLine

CONFIRMED, REFUSED = CommandState.CONFIRMED, CommandState.REFUSED


def connected(heater: FakeHeater, **settings: object) -> tuple[MemoryLine, Julabo]:
    line, driver = MemoryLine(heater), Julabo(**settings)
    line.run(driver.identify())
    line.sent.clear()
    return line, driver


def test_it_speaks_4800_7e1_unless_the_site_says_otherwise() -> None:
    serial = Julabo().serial
    assert (serial.baud, serial.bytesize, serial.parity, serial.stopbits) == (4800, 7, "E", 1)
    assert Julabo(baud=9600, bytesize=8, parity="N").serial.bits_per_char == 10


@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
def test_bath_power_and_safety_sensor_are_read(ends: str) -> None:
    line, driver = connected(FakeHeater(ends=ends))
    polled = line.run(driver.poll())
    assert [one.value for one in polled.measured] == [36.9, -12.0, 37.1]
    assert polled.status is not None
    assert (polled.status.running, polled.status.remote) == (False, True)


def test_a_set_point_is_set_started_and_read_back() -> None:
    heater = FakeHeater()
    line, driver = connected(heater)
    assert line.run(driver.run(41.5)) == Done(state=CONFIRMED, value=41.5)
    assert heater.running
    assert line.sent == [
        b"STATUS\r",
        b"OUT_SP_00 41.50\r",
        b"STATUS\r",
        b"OUT_MODE_05 1\r",
        b"STATUS\r",
        b"IN_SP_00\r",
        b"IN_MODE_05\r",
    ]
    line.sent.clear()
    assert line.run(driver.run(42.0)).value == 42.0
    assert b"OUT_MODE_05 1\r" not in line.sent, "what runs is not started again"


def test_off_is_confirmed_by_mode_and_status() -> None:
    heater = FakeHeater(running=True)
    line, driver = connected(heater)
    assert line.run(driver.off()) == Done(state=CONFIRMED)
    assert line.sent == [b"OUT_MODE_05 0\r", b"STATUS\r", b"IN_MODE_05\r"]
    assert not heater.running


def test_off_that_is_not_obeyed_is_not_confirmed() -> None:
    line, driver = connected(FakeHeater(running=True, obeys=False))
    done = line.run(driver.off())
    assert done.state is REFUSED
    assert "still runs" in done.reason


def test_in_manual_mode_it_is_told_to_be_set_to_remote() -> None:
    heater = FakeHeater(remote=False, running=True)
    line, driver = connected(heater)
    done = line.run(driver.run(41.5))
    assert done == Done(state=REFUSED, reason="set the heater to remote")
    assert not any(one.startswith(b"OUT") for one in line.sent)
    done = line.run(driver.off())
    assert done.state is REFUSED
    heater.running = False
    assert line.run(driver.off()).state is CONFIRMED, "what stands is off, whoever stopped it"


def test_a_value_that_the_heater_rejects_is_told_with_what_to_do() -> None:
    heater = FakeHeater()
    line, driver = connected(heater)
    done = line.run(driver.run(96.0))
    assert done.state is REFUSED
    assert "too large for the heater; look at its working range" in done.reason
    assert not heater.running


def test_an_old_error_of_somebody_else_s_command_is_not_taken_for_this_one_s() -> None:
    heater = FakeHeater(error="-08 INVALID COMMAND")
    line, driver = connected(heater)
    heater.error = "-08 INVALID COMMAND"
    assert line.run(driver.run(41.5)).state is CONFIRMED


def test_a_set_point_that_is_not_kept_is_refused() -> None:
    heater = FakeHeater(running=True, obeys=False)
    line, driver = connected(heater)
    done = line.run(driver.run(41.5))
    assert done == Done(state=REFUSED, reason="the heater keeps its set-point of 20.00 °C")


@pytest.mark.parametrize("number", sorted(ALARMS))
def test_each_alarm_of_the_heater_is_a_fault_and_refuses_heat(number: int) -> None:
    heater = FakeHeater()
    line, driver = connected(heater)
    heater.alarm = f"-{-number:02d} SOME TEXT"
    polled = line.run(driver.poll())
    assert polled.status is not None
    assert (polled.status.fault, polled.status.remote) == (ALARMS[number], None)
    assert line.run(driver.run(41.5)) == Done(state=REFUSED, reason=ALARMS[number])


def test_a_rejected_command_is_no_fault_of_the_heater() -> None:
    for number in REJECTIONS:
        heater = FakeHeater()
        line, driver = connected(heater)
        heater.error = f"-{-number:02d} REJECTED"
        assert line.run(driver.poll()).status.fault == ""


def test_after_a_power_cut_in_remote_mode_it_shows_as_stopped() -> None:
    heater = FakeHeater()
    line, driver = connected(heater)
    line.run(driver.run(41.5))
    heater.running, heater.setpoint = False, "20.00"
    status = line.run(driver.poll()).status
    assert (status.running, status.setpoint, status.fault) == (False, 20.0, "")


def test_a_model_without_sensors_to_tell_is_asked_once() -> None:
    heater = FakeHeater(values={"PV_00": "36.90"})
    line, driver = connected(heater)
    assert heater.error == "", "the error that the questions left behind is cleared"
    measured = line.run(driver.poll()).measured
    assert [one.validity for one in measured[1:]] == [Validity.NOT_AVAILABLE] * 2
    assert b"IN_PV_01\r" not in line.sent


def test_the_external_sensor_is_an_input_where_the_site_says_so() -> None:
    heater = FakeHeater()
    heater.values["PV_02"] = "39.87"
    line, driver = connected(heater, external=True)
    assert [one.number for one in driver.inputs] == [1, 2, 3, 4]
    external = line.run(driver.poll()).measured[-1]
    assert (external.input, external.value) == (4, 39.87)


def test_an_excess_temperature_set_too_high_refuses_heat_but_not_off() -> None:
    heater = FakeHeater(running=True)
    heater.values["PV_04"] = "95.0"
    line, driver = connected(heater, excess_temperature_max_c=60.0)
    done = line.run(driver.run(41.5))
    assert done.state is REFUSED
    assert "excess temperature protection is set to 95 °C; turn it down to 60 °C" in done.reason
    assert line.run(driver.poll()).status.fault == done.reason
    assert line.run(driver.off()).state is CONFIRMED


def test_another_device_on_the_port_is_named() -> None:
    with pytest.raises(Refused, match=r'not a Julabo heater: "ECO RE1050" answered'):
        connected(FakeHeater(version="ECO RE1050"))


@pytest.mark.parametrize("bath_c", [0.0, -3.0, 120.0, float("nan"), float("inf")])
def test_what_is_no_bath_temperature_is_refused_before_anything_is_sent(bath_c: float) -> None:
    line, driver = connected(FakeHeater())
    assert line.run(driver.run(bath_c)).state is REFUSED
    assert not any(one.startswith(b"OUT") for one in line.sent)


def test_words_instead_of_a_number_are_told_and_never_shown() -> None:
    heater = FakeHeater()
    line, driver = connected(heater)
    heater.values["PV_00"] = "ERROR"
    with pytest.raises(BadReply, match='"ERROR" arrived instead of a number'):
        line.run(driver.poll())


def test_a_broken_sensor_costs_its_own_value_and_nothing_else() -> None:
    heater = FakeHeater(running=True)
    line, driver = connected(heater)
    heater.values["PV_00"] = "---.--"
    polled = line.run(driver.poll())
    assert (polled.measured[0].value, polled.measured[0].validity) == (None, Validity.INVALID)
    assert polled.measured[2].value == 37.1
    assert polled.status.running is True


def test_a_temperature_in_the_place_of_the_run_mode_is_told() -> None:
    line = MemoryLine(lambda heard: b"41.50\r\n")
    with pytest.raises(BadReply, match="instead of 0 or 1"):
        line.run(Julabo().poll())


def test_a_silent_heater_is_told() -> None:
    with pytest.raises(NoReply, match="no answer"):
        MemoryLine().run(Julabo().identify())


def test_a_heater_whose_status_is_words_alone_is_driven_by_what_it_reads_back() -> None:
    heater = FakeHeater(alarm="Hello from the heater")
    line, driver = MemoryLine(heater), Julabo()
    identity = line.run(driver.identify())
    assert identity.model.endswith("(status in words: its alarms are not seen)")
    assert line.run(driver.run(41.5)) == Done(state=CONFIRMED, value=41.5)
    assert heater.running
    polled = line.run(driver.poll())
    assert polled.status is not None
    assert (polled.status.running, polled.status.remote) == (True, None)
    assert line.run(driver.off()) == Done(state=CONFIRMED)
    heater.alarm = "-14 EXCESS TEMPERATURE"
    assert line.run(driver.run(41.5)) == Done(state=REFUSED, reason=ALARMS[-14])


def test_words_where_a_status_number_stood_before_are_no_status() -> None:
    heater = FakeHeater()
    line, driver = connected(heater)
    heater.alarm = "JULABO CORIO CD VERSION 1.0"
    with pytest.raises(BadReply):
        line.run(driver.poll())


def test_a_bath_told_with_all_its_decimals_is_rounded() -> None:
    heater = FakeHeater()
    line, driver = connected(heater)
    heater.values["PV_00"] = "24.025031916666666"
    assert line.run(driver.poll()).measured[0].value == 24.03
