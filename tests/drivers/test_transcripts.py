"""Each driver reads the makers' worked bytes as the manuals say."""

import pytest

from drivers import (
    datex_s5,
    dcon,
    emtec_bioprott,
    icpdas_tm_th8,
    julabo,
    keller_33x,
    mettler_sics,
    modbus,
    watson_marlow,
)
from drivers.crc import crc16
from drivers.dialogue import BadReply, NoReply, Refused
from drivers.frames import line_of_text, text_of
from drivers.registry import make_driver
from service.core.model import Validity
from tests.drivers.memory import MemoryLine, scripted
from tests.drivers.transcripts import Exchange, exchanges


def each(family: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("exchange", exchanges(family), ids=lambda one: one.name)


def test_the_check_sum_is_the_one_of_the_makers_test_vectors() -> None:
    assert crc16(bytes.fromhex("02 30")) == 0xC400
    assert crc16(bytes.fromhex("01 04 00 00 00 08")) == 0xCCF1


@each("icpdas_tm_th8")
def test_tm_th8_reads_the_worked_bytes(exchange: Exchange) -> None:
    _, function, *_ = exchange.tx
    first, count = (int.from_bytes(exchange.tx[at : at + 2], "big") for at in (2, 4))
    assert modbus.read_request(1, function, first, count) == exchange.tx
    assert modbus.read_reply(1, function, count)(exchange.rx) == len(exchange.rx)
    expected = exchange.decoded
    if "exception" in expected:
        with pytest.raises(Refused, match=rf"module 1 refuses .*\(code {expected['exception']}\)"):
            modbus.content(exchange.rx)
        return
    data = modbus.content(exchange.rx)
    match expected:
        case {"values": values, "validity": validity}:
            measured = icpdas_tm_th8.decode_values(data)
            shown = {str(one.input): one.value for one in measured if one.value is not None}
            assert shown == values
            doubt = {str(o.input): o.validity for o in measured if o.validity is not Validity.VALID}
            assert doubt == validity
        case {"flagged": flagged}:
            flags = modbus.bits(data, 8)
            assert [number for number, flag in enumerate(flags, 1) if flag] == flagged
        case {"words": words}:
            assert list(modbus.words(data)) == words
        case {"coil": coil}:
            assert modbus.bits(data, 1) == (coil,)


@each("watson_marlow")
def test_watson_marlow_reads_the_worked_bytes(exchange: Exchange) -> None:
    driver = make_driver("watson_marlow", {"ml_per_rev": 10.0, "address": int(exchange.tx[:1])})
    line = MemoryLine(scripted({exchange.tx: exchange.rx}))
    if not exchange.rx:
        with pytest.raises(NoReply):
            line.run(driver.identify())
        return
    received = exchange.rx.removeprefix(exchange.tx) if exchange.echo else exchange.rx
    assert watson_marlow.frame_status(received) == len(received)
    state = watson_marlow.decode_status(received)
    for name, value in exchange.decoded.items():
        assert getattr(state, name) == value
    if "ml_per_rev" not in exchange.decoded:
        assert (state.ml_per_rev, state.tacho, state.pump_number) == (None, None, None)
    assert exchange.decoded["model"] in line.run(driver.identify()).model


@each("julabo")
def test_julabo_reads_the_worked_bytes(exchange: Exchange) -> None:
    if not exchange.rx:
        assert exchange.tx.startswith(b"OUT_")
        return
    framed = exchange.rx[: line_of_text(exchange.rx)]
    match exchange.decoded:
        case {"number": number}:
            assert julabo.decode_number(framed) == number
        case {"status": status}:
            assert julabo.decode_status(framed) == status
        case {"text": text}:
            assert text_of(framed) == text


@each("keller_33x")
def test_keller_reads_the_worked_bytes(exchange: Exchange) -> None:
    address, function = exchange.tx[:2]
    assert keller_33x.request(address, function, exchange.tx[2:-2]) == exchange.tx
    assert keller_33x.reply_to(address, function)(exchange.rx) == len(exchange.rx)
    expected = exchange.decoded
    if "exception" in expected:
        with pytest.raises(Refused, match=rf"code {expected['exception']}\)"):
            keller_33x.content(exchange.rx)
        return
    data = keller_33x.content(exchange.rx)
    match expected:
        case {"serial": serial}:
            assert int.from_bytes(data, "big") == serial
        case {"stat": stat, "group": group, "year": year, "week": week}:
            greeting = keller_33x.decode_greeting(data)
            assert (greeting.stat, greeting.group) == (stat, group)
            assert (greeting.year, greeting.week) == (year, week)
        case {"validity": validity}:
            measured = keller_33x.decode_pressure(data, address)
            assert measured.validity == validity
            assert measured.value == expected.get("mmhg")
            assert measured.input == address


@each("emtec_bioprott")
@pytest.mark.parametrize("column", ["0.1", "1", "10"])
def test_bioprott_reads_the_worked_bytes(exchange: Exchange, column: str) -> None:
    line = emtec_bioprott.decode_line(exchange.rx[: line_of_text(exchange.rx)])
    for name in ("error", "status", "board_c"):
        assert getattr(line, name) == exchange.decoded[name]
    assert line.coupling_percent == exchange.decoded.get("coupling_percent")
    measured = emtec_bioprott.decode_flow(line, column)
    assert measured.value == exchange.decoded["flow_ml_min"].get(column)
    assert measured.validity == exchange.decoded["validity"]


@each("datex_s5")
def test_datex_s5_reads_the_worked_bytes(exchange: Exchange) -> None:
    if exchange.tx:
        asked = exchange.decoded
        mask, level = asked["class_mask"], asked["dri_level"]
        assert datex_s5.request(asked["interval_s"], mask, level) == exchange.tx
        return
    assert datex_s5.flagged(exchange.rx) == len(exchange.rx)
    line = MemoryLine(unasked=[exchange.rx] * 3)
    if "refused" in exchange.decoded:
        with pytest.raises(BadReply, match=exchange.decoded["refused"]):
            line.run(make_driver("datex_s5", {}).identify())
        return
    measured = line.run(make_driver("datex_s5", {}).poll()).measured
    shown = {str(one.input): one.value for one in measured if one.value is not None}
    assert shown == exchange.decoded["values"]
    doubt = {str(o.input): o.validity for o in measured if o.validity is not Validity.VALID}
    assert doubt == exchange.decoded["validity"]
    line.unasked = [exchange.rx]
    identity = line.run(make_driver("datex_s5", {}).identify())
    assert identity.model.endswith(f"plug {exchange.decoded['plug']}")
    assert identity.firmware == f"DRI level {exchange.decoded['level']}"


@each("dcon_temperature")
def test_dcon_reads_the_worked_bytes(exchange: Exchange) -> None:
    expected = exchange.decoded
    given = expected["settings"]
    lead, command = exchange.tx[:1].decode(), exchange.tx[3:-1].decode()
    summed = {"checksum": given.get("checksum", False)}
    command = command[:-2] if summed["checksum"] else command
    assert dcon.request(lead, given["address"], command, **summed) == exchange.tx
    line = MemoryLine(scripted({exchange.tx: exchange.rx}))
    driver = make_driver("dcon_temperature", given)
    if not exchange.rx:
        with pytest.raises(NoReply):
            line.run(driver.poll())
        return
    framer = dcon.reply_to(lead, given["address"], **summed)
    assert framer(exchange.rx) == len(exchange.rx)
    match expected:
        case {"refused": True}:
            with pytest.raises(Refused, match=rf"module {given['address']} refuses"):
                dcon.content(exchange.rx, **summed)
        case {"content": content}:
            assert dcon.content(exchange.rx, **summed) == content
        case {"values": values, "validity": validity}:
            measured = line.run(driver.poll()).measured
            shown = {str(one.input): one.value for one in measured if one.value is not None}
            assert shown == values
            doubt = {str(o.input): o.validity for o in measured if o.validity is not Validity.VALID}
            assert doubt == validity


@each("mettler_sics")
def test_mettler_reads_the_worked_bytes(exchange: Exchange) -> None:
    known = {one.tx: one.rx for one in exchanges("mettler_sics")}
    line = MemoryLine(scripted(known | {b"SI\r\n": exchange.rx}))
    driver = make_driver("mettler_sics", {})
    match exchange.decoded:
        case {"serial": serial}:
            line.device = scripted(
                known | {b"I4\r\n": exchange.rx, b"SI\r\n": b"S S       1.00 g\r\n"}
            )
            assert line.run(driver.identify()).serial == serial
        case {"refused": sentence}:
            with pytest.raises(Refused, match=sentence):
                line.run(driver.poll())
        case {"misheard": sentence}:
            with pytest.raises(BadReply, match=sentence):
                line.run(driver.poll())
        case {"volume_ml": volume_ml}:
            (measured,) = line.run(driver.poll()).measured
            assert (measured.value, measured.validity) == (volume_ml, Validity.VALID)
        case {"validity": validity}:
            (measured,) = line.run(driver.poll()).measured
            assert (measured.value, measured.validity) == (None, validity)
            assert measured.reason
        case {"tare_g": tare_g}:
            found = mettler_sics.TARE.fullmatch(text_of(exchange.rx))
            assert found is not None
            assert float(found[1]) == tare_g
        case _:
            assert exchange.tx[:1] in (b"Z", b"T"), "what a person does at the scale"
