"""The simulated instruments speak the bytes that the drivers are tested on as well."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.devices.bioprott import FlowMeter, FlowMeterSettings
from simulator.devices.datex_s5 import MonitorSettings, PatientMonitor
from simulator.devices.dcon import AsciiModule, AsciiModuleSettings
from simulator.devices.instrument import Fault, Instrument
from simulator.devices.julabo import Circulator, CirculatorSettings
from simulator.devices.keller_33x import PressureLine
from simulator.devices.keller_transmitter import BAR_PER_MMHG, TransmitterSettings
from simulator.devices.lauda import Thermostat, ThermostatSettings
from simulator.devices.masterflex import DriveSettings, PumpDrive
from simulator.devices.mettler import Scale, ScaleSettings
from simulator.devices.neslab import BathSettings, CirculatingBath
from simulator.devices.rtu_frame import high_low
from simulator.devices.tm_th8 import ThermistorModule, ThermistorSettings
from simulator.devices.watson_marlow import PeristalticPump, PumpSettings

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts"
BODY_C = (37.12, 41.05, 41.90, 42.30, 41.88, 36.95)


def module(*values_c: float, short: int | None = None, **settings) -> Instrument:
    sources = [lambda c=c: c for c in values_c]
    device = ThermistorModule(sources, ThermistorSettings(**settings))
    if short:
        device.faults.set(Fault(name="short", input=short))
        device.sample(1.0)
    return device


def pump(*commands: str, **settings) -> Instrument:
    device = PeristalticPump(PumpSettings(reply_end=" !", **settings))
    return typed(device, *commands)


def pump_323(*commands: str, **changes) -> Instrument:
    device = PeristalticPump(PumpSettings.dialect_323(reply_end=" !", **changes))
    return typed(device, *commands)


def heater(*commands: str, fault: Fault | None = None, **settings) -> Instrument:
    device = Circulator(lambda: 41.5, lambda: 0.0, CirculatorSettings(**settings))
    typed(device, *commands)
    if fault:
        device.faults.set(fault)
        device.on_fault(fault)
    return device


def typed(device: Instrument, *commands: str) -> Instrument:
    for second, command in enumerate(commands):
        device.receive(command.encode() + b"\r", float(second))
    return device


def pressure(
    bar: float = 0.0, *, asked: bool = True, address: int = 1, broken: bool = False, **settings
) -> Instrument:
    device = PressureLine(
        [(lambda: bar / BAR_PER_MMHG, TransmitterSettings(address=address, **settings))]
    )
    if asked:
        device.receive(high_low(bytes((address, 48))), 0.0)
    if broken:
        device.faults.set(Fault(name="open"))
        device.sample(0.1)
    return device


def tube(
    ml_min: float = 0.0, fault: str | None = None, command: str = "", **settings
) -> Instrument:
    device = FlowMeter(lambda: ml_min, FlowMeterSettings(padded=False, **settings))
    if command:
        typed(device, *command.split())
        for _ in range(3):
            device.line()
    device.faults.set(Fault(name=fault))
    return device


def ascii_module(
    *values_c: float, short: int | None = None, refuses: bool = False, **settings
) -> Instrument:
    sources = [lambda c=c: c for c in values_c or BODY_C]
    device = AsciiModule(sources, AsciiModuleSettings(**settings))
    if short:
        device.faults.set(Fault(name="short", input=short))
        device.sample(1.0)
    if refuses:
        device.faults.set(Fault(name="refuses"))
    return device


def scale(grams: float = 100.0, *, fault: str = "", moving: bool = False, **settings) -> Instrument:
    content_g = [0.0 if moving else grams]
    device = Scale(lambda: content_g[0], ScaleSettings(**{"vessel_g": 12.0} | settings))
    content_g[0] = grams
    device.sample(0.1)
    if fault:
        device.faults.set(Fault(name=fault))
    return device


def patient_monitor(*values_c: float, asked: bool = True, **settings) -> Instrument:
    device = PatientMonitor([lambda c=c: c for c in values_c], MonitorSettings(**settings))
    if asked:
        table = tomllib.loads((TRANSCRIPTS / "datex_s5.toml").read_text())
        ask = "ask for the basic class every 5 s"
        request = next(each for each in table["exchange"] if each["name"] == ask)
        device.receive(wire(request, "tx"), 95.0)
    return device


def thermostat(*commands: str, bath_c: float = 41.5, alarm: float = 0.0, **settings) -> Instrument:
    external_c = (lambda: 39.87) if "external_command" in settings else None
    device = Thermostat(
        lambda: bath_c, ThermostatSettings(think_s=0.0, **settings), external_c=external_c
    )
    typed(device, *commands)
    if alarm:
        device.on_fault(Fault(name="alarm", value=alarm))
    return device


def drive(*commands: str, fault: str = "", **settings) -> Instrument:
    device = PumpDrive(DriveSettings(**settings))
    typed(device, *(() if fault == "local_mode" else ("1RE1",)), *commands)
    return device


def pump_that_delivered(ml: float) -> Instrument:
    device = drive("1R000100", "1H", ml_per_rev=ml, ramp_s=0.001)
    device.sample(0.001)
    device.sample(59.9995)
    return device


def nc_bath(
    bath_c: float = 41.5, *, on: bool = False, alarm: float = 0.0, fault: str = "", **settings
) -> Instrument:
    device = CirculatingBath(
        lambda: bath_c,
        BathSettings(**{"first_c": 41.5, "lowest_c": -20.0, "low_limit_c": 5.0} | settings),
        external_c=lambda: 39.9,
    )
    device.array[0] = int(on)
    if fault:
        device.faults.set(Fault(name=fault, input=1))
        device.sample(0.1)
    if alarm:
        device.on_fault(Fault(name="alarm", value=alarm))
    return device


CASES: dict[tuple[str, str], Callable[[], Instrument]] = {
    ("icpdas_tm_th8", "eight channels, one below and one above range"): lambda: module(
        *BODY_C, 20.0, short=7
    ),
    ("icpdas_tm_th8", "eight open probes"): lambda: module(),
    ("icpdas_tm_th8", "below zero and exactly zero are values"): lambda: module(
        -5.0, *BODY_C[1:], 0.0, -0.01
    ),
    ("icpdas_tm_th8", "range flags of the eight channels (10129-10136)"): lambda: module(
        *BODY_C, 20.0, short=7
    ),
    ("icpdas_tm_th8", "no range flag"): lambda: module(*BODY_C, 37.0, 37.0),
    ("icpdas_tm_th8", "type codes of the eight channels, all 65 hex (40257-40264)"): lambda: module(
        type_code=0x65
    ),
    ("icpdas_tm_th8", "type codes as delivered, all 60 hex"): lambda: module(type_code=0x60),
    ("icpdas_tm_th8", "firmware and name (40481-40484)"): lambda: module(
        firmware=0x0000_A110, module_name=0x4830_0054
    ),
    ("icpdas_tm_th8", "temperature unit is Celsius (00267)"): lambda: module(),
    ("icpdas_tm_th8", "data format is engineering units (00269)"): lambda: module(),
    ("icpdas_tm_th8", "data format is hexadecimal (00269)"): lambda: module(engineering=False),
    (
        "icpdas_tm_th8",
        "the module was restarted since the last reading of its reset status (00273)",
    ): lambda: module(),
    ("julabo", "who is there"): lambda: heater(version="JULABO CORIO CD VERSION 1.0"),
    ("julabo", "bath temperature, answered with CR LF"): lambda: heater(),
    ("julabo", "bath temperature, answered with LF"): lambda: heater(reply_end="\n"),
    ("julabo", "set-point"): lambda: heater("out_sp_00 41.50"),
    ("julabo", "running"): lambda: heater("out_mode_05 1"),
    ("julabo", "not running"): lambda: heater(),
    ("julabo", "set-point of 41.50"): lambda: heater(),
    ("julabo", "start"): lambda: heater(),
    ("julabo", "stop"): lambda: heater("out_mode_05 1"),
    ("julabo", "stopped at the device's keys"): lambda: heater(remote=False),
    ("julabo", "started at the device's keys"): lambda: heater(
        "out_mode_05 1", fault=Fault(name="local_mode")
    ),
    ("julabo", "stopped in remote mode, also after a power cycle"): lambda: heater(),
    ("julabo", "started in remote mode"): lambda: heater("out_mode_05 1"),
    ("julabo", "unknown command, told once"): lambda: heater("out_heat 1"),
    ("julabo", "command not possible in this mode, told once"): lambda: heater(
        "out_mode_05 1", remote=False
    ),
    ("julabo", "value too large, told once"): lambda: heater("out_sp_00 300"),
    ("keller_33x", "first contact: initialise"): lambda: pressure(
        asked=False, identity=(5, 20, 12, 45, 10)
    ),
    ("keller_33x", "initialise again: stat is 1"): lambda: pressure(identity=(5, 20, 12, 45, 10)),
    ("keller_33x", "initialise address 2"): lambda: pressure(
        address=2, identity=(5, 20, 12, 45, 10)
    ),
    ("keller_33x", "pressure P1 of 0.0213 bar"): lambda: pressure(0.0213),
    ("keller_33x", "pressure below ambient"): lambda: pressure(-0.05),
    ("keller_33x", "pressure P1 of address 2, 10 mmHg"): lambda: pressure(0.0133322, address=2),
    ("keller_33x", "not a number: the channel failed"): lambda: pressure(broken=True),
    ("keller_33x", "plus infinity: above range"): lambda: pressure(9.0),
    ("keller_33x", "minus infinity: below range"): lambda: pressure(-9.0),
    ("keller_33x", "not initialised since power-on"): lambda: pressure(asked=False),
    ("keller_33x", "serial number"): lambda: pressure(serial_number=0x0001E240),
    ("watson_marlow", "status of a 323 that runs"): lambda: pump_323("1SP110", "1GO", echo=False),
    ("watson_marlow", "status of a 323 that stands, with decimals"): lambda: pump_323(
        "1SP400", "1RL", echo=False, rpm_digits=1
    ),
    ("watson_marlow", "status of a 323 with the echo on, as delivered"): lambda: pump_323(
        "1SP110", "1GO"
    ),
    ("watson_marlow", "speed of 220 rpm"): lambda: pump(),
    ("watson_marlow", "speed of 120.5 rpm"): lambda: pump(),
    ("watson_marlow", "start"): lambda: pump(),
    ("watson_marlow", "stop"): lambda: pump("1GO"),
    ("watson_marlow", "another pump's number is not answered"): lambda: pump(),
    ("emtec_bioprott", "poor coupling"): lambda: tube(
        fault="coupling", command="T2 C0.99", board_c=43
    ),
    ("dcon_temperature", "configuration of an ADAM module"): lambda: ascii_module(
        address=0x45, type_code=0x05
    ),
    ("dcon_temperature", "six probes, two disabled channels"): lambda: ascii_module(
        disabled=frozenset({7, 8})
    ),
    (
        "dcon_temperature",
        "six probes, two disabled channels, with a check sum",
    ): lambda: ascii_module(address=4, checksum=True, disabled=frozenset({7, 8})),
    (
        "dcon_temperature",
        "above and below the range, codes of seven characters",
    ): lambda: ascii_module(*BODY_C, 20.0, short=7),
    ("dcon_temperature", "the module refuses the values"): lambda: ascii_module(refuses=True),
    (
        "dcon_temperature",
        "the module refuses a question, with a check sum",
    ): lambda: ascii_module(address=5, checksum=True, refuses=True),
    ("dcon_temperature", "name of the module"): lambda: ascii_module(),
    ("dcon_temperature", "configuration in engineering units"): lambda: ascii_module(),
    (
        "dcon_temperature",
        "a question without the check sum that the module wants",
    ): lambda: ascii_module(address=4, checksum=True),
    ("mettler_sics", "stable weight"): lambda: scale(),
    ("mettler_sics", "moving weight"): lambda: scale(moving=True),
    ("mettler_sics", "two and a half kilograms"): lambda: scale(
        2500.0, moving=True, unit="kg", decimals=3
    ),
    ("mettler_sics", "pounds"): lambda: scale(2494.76, unit="lb", decimals=3),
    ("mettler_sics", "a little less than nothing"): lambda: scale(-5.0),
    ("mettler_sics", "pieces instead of a mass"): lambda: scale(500.0, unit="PCS", decimals=0),
    ("mettler_sics", "not executable now"): lambda: scale(fault="refuses"),
    ("mettler_sics", "overload"): lambda: scale(12_001.0),
    ("mettler_sics", "underload"): lambda: scale(-40.0),
    ("mettler_sics", "serial number"): lambda: scale(),
    ("mettler_sics", "reset answers like a scale after power-on"): lambda: scale(),
    ("mettler_sics", "zeroed"): lambda: scale(),
    ("mettler_sics", "tared"): lambda: scale(0.0, tared=False),
    ("mettler_sics", "tare value"): lambda: scale(),
    ("mettler_sics", "stable weight that is waited for"): lambda: scale(),
    ("emtec_bioprott", "no sensor"): lambda: tube(fault="no_sensor", board_c=35),
    ("datex_s5", "ask for all classes every 10 s"): lambda: patient_monitor(asked=False),
    ("datex_s5", "end the records"): lambda: patient_monitor(),
    ("datex_s5", "four temperatures"): lambda: patient_monitor(37.12, 36.95, 38.40, 41.05),
    ("datex_s5", "one probe, three leads off"): lambda: patient_monitor(37.12),
    ("datex_s5", "37.10 and 37.09 °C hold 7e and 7d"): lambda: patient_monitor(37.10, 37.09),
    ("datex_s5", "above and below the monitor's range"): lambda: patient_monitor(50.0, 5.0),
    ("datex_s5", "a sum of 7e is escaped"): lambda: patient_monitor(37.12, clock_s=0x64FFFFE6),
    ("lauda", "outflow temperature"): lambda: thermostat(),
    ("lauda", "outflow temperature, answered with CR"): lambda: thermostat(reply_end="\r"),
    ("lauda", "outflow temperature in fixed decimal format, below zero"): lambda: thermostat(
        bath_c=-12.34, width=3
    ),
    ("lauda", "outflow temperature in 0.001"): lambda: thermostat(bath_c=41.503),
    ("lauda", "external temperature, Ecoline"): lambda: thermostat(external_command="IN_PV_01"),
    ("lauda", "no external temperature sensor"): lambda: thermostat(),
    ("lauda", "set-point"): lambda: thermostat("OUT_SP_00_41.5"),
    ("lauda", "set-point of 41.50"): lambda: thermostat(),
    ("lauda", "set-point of 41.50, written with spaces"): lambda: thermostat(),
    ("lauda", "pump step 4"): lambda: thermostat(),
    ("lauda", "start"): lambda: thermostat(),
    ("lauda", "stop"): lambda: thermostat("START"),
    ("lauda", "on"): lambda: thermostat("START"),
    ("lauda", "stand-by"): lambda: thermostat(),
    ("lauda", "who is there"): lambda: thermostat(model="MC"),
    ("lauda", "no fault"): lambda: thermostat(),
    ("lauda", "a fault"): lambda: thermostat(alarm=5.0),
    ("lauda", "which fault: none"): lambda: thermostat(),
    ("lauda", "which fault: low level, PRO and ECO"): lambda: thermostat(alarm=5.0),
    ("lauda", "which fault: low level, Ecoline"): lambda: thermostat(alarm=3.0),
    ("lauda", "wrong command"): lambda: thermostat(),
    ("lauda", "wrong entry"): lambda: thermostat(),
    ("lauda", "syntax error in the value"): lambda: thermostat(),
    ("lauda", "value not allowed"): lambda: thermostat(),
    ("lauda", "upper limit not above the lower one"): lambda: thermostat(),
    ("lauda", "outflow temperature on RS-485"): lambda: thermostat(address=15),
    ("lauda", "start on RS-485"): lambda: thermostat(address=15),
    ("lauda", "wrong command on RS-485"): lambda: thermostat(address=15),
    ("masterflex", "serial mode on"): lambda: drive(fault="local_mode"),
    ("masterflex", "start"): lambda: drive(),
    ("masterflex", "stop"): lambda: drive("1H"),
    ("masterflex", "clockwise"): lambda: drive(),
    ("masterflex", "counter-clockwise"): lambda: drive(),
    ("masterflex", "speed of 120.50 rpm"): lambda: drive(),
    ("masterflex", "speed beyond the drive"): lambda: drive(),
    ("masterflex", "unknown command"): lambda: drive(),
    ("masterflex", "start without serial mode"): lambda: drive(fault="local_mode"),
    ("masterflex", "speed that is set"): lambda: drive("1R012050"),
    ("masterflex", "stands, clockwise"): lambda: drive(),
    ("masterflex", "stands, counter-clockwise"): lambda: drive("1K"),
    ("masterflex", "runs clockwise"): lambda: drive("1H"),
    ("masterflex", "runs counter-clockwise"): lambda: drive("1K", "1H"),
    ("masterflex", "delivered volume"): lambda: pump_that_delivered(12.5),
    ("masterflex", "delivered volume back to zero"): lambda: drive(),
    ("masterflex", "model and version of its serial interface"): lambda: drive(),
    ("masterflex", "another pump's address is not answered"): lambda: drive(),
    ("neslab", "who is there"): lambda: nc_bath(),
    ("neslab", "internal temperature of 41.5"): lambda: nc_bath(),
    ("neslab", "internal temperature of 62.5"): lambda: nc_bath(62.5),
    ("neslab", "internal temperature of -10.5"): lambda: nc_bath(-10.5),
    ("neslab", "internal temperature of 41.50, in 0.01"): lambda: nc_bath(fine=True),
    ("neslab", "external temperature of 39.9"): lambda: nc_bath(),
    ("neslab", "set-point"): lambda: nc_bath(),
    ("neslab", "low limit"): lambda: nc_bath(),
    ("neslab", "high limit"): lambda: nc_bath(),
    ("neslab", "set-point of 41.5"): lambda: nc_bath(first_c=20.0),
    ("neslab", "on"): lambda: nc_bath(),
    ("neslab", "off"): lambda: nc_bath(on=True),
    ("neslab", "status: off, no fault"): lambda: nc_bath(),
    ("neslab", "status: on and heating"): lambda: nc_bath(36.0, on=True),
    ("neslab", "status: low level"): lambda: nc_bath(alarm=33.0),
    ("neslab", "status: bath sensor open"): lambda: nc_bath(fault="open"),
    ("neslab", "unknown command"): lambda: nc_bath(),
    ("neslab", "damaged command"): lambda: nc_bath(),
    ("neslab", "set-point of 30.0 on RS-485, address 3"): lambda: nc_bath(address=3),
}


def wire(exchange: dict, side: str) -> bytes:
    text = exchange.get(f"{side}_text")
    return bytes.fromhex(exchange[side]) if text is None else text.encode()


@pytest.mark.parametrize(("file", "name"), CASES, ids=lambda part: part)
def test_an_instrument_sends_the_bytes_of_the_shared_transcript(file, name):
    table = tomllib.loads((TRANSCRIPTS / f"{file}.toml").read_text())
    exchange = next(each for each in table["exchange"] if each["name"] == name)
    device = CASES[file, name]()
    request = wire(exchange, "tx")
    sends = device.receive(request, 100.0) if request else device.tick(100.0)
    assert b"".join(send.data for send in sends) == wire(exchange, "rx")
