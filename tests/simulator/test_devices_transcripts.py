"""The simulated instruments speak the bytes that the drivers are tested on as well."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.devices.bioprott import FlowMeter, FlowMeterSettings
from simulator.devices.instrument import Fault, Instrument
from simulator.devices.julabo import Circulator, CirculatorSettings
from simulator.devices.keller_33x import PressureLine
from simulator.devices.keller_transmitter import BAR_PER_MMHG, TransmitterSettings
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
    ("emtec_bioprott", "no sensor"): lambda: tube(fault="no_sensor", board_c=35),
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
