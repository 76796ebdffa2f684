"""Contacts in, contactors out: closed on purpose only, opened by a silent host."""

import asyncio
import re
from pathlib import Path

import pytest

from drivers import modbus
from drivers.classes import SettingError
from drivers.crc import crc16
from drivers.dialogue import NoReply, Refused
from drivers.icpdas_digital import IcpDasDigital
from drivers.line import Line
from service.core.model import CommandState
from simulator.devices.digital import OUTPUT_POLARITY, DigitalModule, DigitalSettings
from simulator.serve import RoomServer
from tests.drivers.memory import MemoryLine, scripted
from tests.drivers.ptys import now
from tests.drivers.transcripts import Exchange, exchange, exchanges

CONFIRMED, REFUSED = CommandState.CONFIRMED, CommandState.REFUSED


def sealed(body: bytes) -> bytes:
    return body + crc16(body).to_bytes(2, "little")


class Bench:
    """The driver and a simulated module on a line whose clock the test moves."""

    def __init__(self, *, module: dict | None = None, **settings: object) -> None:
        self.contacts = [False, False, False, True]
        self.module = DigitalModule(
            [lambda n=n: self.contacts[n] for n in range(4)], DigitalSettings(**module or {})
        )
        self.deaf_to_writes = False
        self.line = MemoryLine(self._hear)
        self.driver = IcpDasDigital(**settings)

    def _hear(self, heard: bytes) -> bytes:
        if self.deaf_to_writes and heard[1] == modbus.WRITE_COILS:
            return b""
        sends = self.module.receive(heard, self.line.seconds)
        return b"".join(send.data for send in sends)

    def ready(self) -> "Bench":
        """Identified, and closed by a person."""
        self.line.run(self.driver.identify())
        assert self.drop().state is CONFIRMED
        assert self.hold().state is CONFIRMED
        return self

    def hold(self):
        return self.line.run(self.driver.hold())

    def drop(self):
        return self.line.run(self.driver.drop())

    def poll(self):
        self.module.sample(0.1)
        return self.line.run(self.driver.poll())

    def wait(self, seconds: float) -> None:
        self.line.seconds += seconds
        self.module.watch_host(self.line.seconds)

    def closed(self) -> list[bool]:
        return self.module.describe()["closed"]


@pytest.mark.parametrize("one", exchanges("icpdas_digital"), ids=lambda one: one.name)
def test_the_worked_bytes_are_written_and_read(one: Exchange) -> None:
    function, first = one.tx[1], int.from_bytes(one.tx[2:4], "big")
    match one.decoded:
        case {"set_bits": values}:
            assert modbus.write_bits_request(1, first, values) == one.tx
        case {"set_words": values}:
            assert modbus.write_words_request(1, first, values) == one.tx
        case {"inputs": values} | {"bits": values} | {"words": values}:
            assert modbus.read_request(1, function, first, len(values)) == one.tx
    if function in (modbus.WRITE_COILS, modbus.WRITE_HOLDING):
        framer = modbus.write_reply(one.tx)
    else:
        framer = modbus.read_reply(1, function, int.from_bytes(one.tx[4:6], "big"))
    assert framer(one.rx) == len(one.rx)
    if "exception" in one.decoded:
        with pytest.raises(Refused, match=rf"code {one.decoded['exception']}\)"):
            modbus.content(one.rx)
        return
    match one.decoded:
        case {"inputs": values} | {"bits": values}:
            assert modbus.bits(modbus.content(one.rx), len(values)) == tuple(values)
        case {"words": values}:
            assert list(modbus.words(modbus.content(one.rx))) == values


def test_identifying_arms_the_watchdog_and_closes_nothing() -> None:
    bench = Bench(watchdog_s=1.5)
    identity = bench.line.run(bench.driver.identify())
    assert "ICP DAS digital module" in identity.model
    state = bench.module.describe()
    assert (state["watchdog_s"], state["closed"]) == (1.5, [False, False])
    assert not any(bench.module.coil(number) for number in (129, 130, 161, 162))


def test_contacts_are_0_or_1_and_an_inverted_one_is_1_while_it_is_open() -> None:
    bench = Bench(inverted=[4])
    bench.line.run(bench.driver.identify())
    assert [one.value for one in bench.poll().measured] == [0.0, 0.0, 0.0, 0.0]
    bench.contacts[:] = [True, False, False, False]
    assert [one.value for one in bench.poll().measured] == [1.0, 0.0, 0.0, 1.0]


def test_contactors_close_only_by_the_hold_after_a_drop() -> None:
    bench = Bench()
    bench.line.run(bench.driver.identify())
    refused = bench.hold()
    assert (refused.state, bench.closed()) == (REFUSED, [False, False])
    assert "drop them, then hold again" in refused.reason
    assert bench.drop().state is CONFIRMED
    assert bench.hold().state is CONFIRMED
    assert bench.closed() == [True, True]
    assert bench.poll().status.running is True


def test_holding_keeps_them_closed_for_as_long_as_it_goes_on() -> None:
    bench = Bench().ready()
    for _ in range(60):
        bench.wait(0.5)
        assert bench.hold().state is CONFIRMED
    assert bench.closed() == [True, True]


def test_a_silent_host_opens_them_within_the_time_out_and_they_stay_open() -> None:
    bench = Bench(watchdog_s=2.0).ready()
    bench.wait(1.9)
    assert bench.closed() == [True, True]
    bench.wait(0.2)
    assert bench.closed() == [False, False]
    status = bench.poll().status
    assert status.running is False
    assert "host watchdog of the module has opened the contactors" in status.fault
    for _ in range(5):
        refused = bench.hold()
        assert (refused.state, bench.closed()) == (REFUSED, [False, False])
        assert "nothing fed it for 2 s" in refused.reason


def test_after_a_time_out_a_person_closes_them_by_drop_and_hold() -> None:
    bench = Bench().ready()
    bench.wait(3.0)
    assert bench.drop().state is CONFIRMED
    assert bench.module.describe()["tripped"], "drop alone clears nothing"
    assert bench.hold().state is CONFIRMED
    assert bench.poll().status.fault == ""
    assert bench.closed() == [True, True]


def test_a_hold_whose_answer_was_lost_gives_no_leave_to_close_again_later() -> None:
    bench = Bench()
    bench.line.run(bench.driver.identify())
    bench.drop()
    closing = bench.driver.hold()
    heard = bench.line.device
    bench.line.device = lambda data: heard(data) if not bench.closed()[0] else b""
    with pytest.raises(NoReply):
        bench.line.run(closing)
    assert bench.closed() == [True, True]
    bench.line.device = heard
    bench.wait(3.0)
    assert (bench.hold().state, bench.closed()) == (REFUSED, [False, False])


def test_a_tripped_module_that_still_names_its_outputs_on_is_not_held() -> None:
    tripped = exchange("icpdas_digital", "the host watchdog has tripped (00270)")
    on = exchange("icpdas_digital", "both outputs on (00001)")
    line = MemoryLine(scripted({tripped.tx: tripped.rx, on.tx: on.rx}))
    refused = line.run(IcpDasDigital().hold())
    assert (refused.state, "host watchdog" in refused.reason) == (REFUSED, True)


def test_a_hold_that_failed_is_not_tried_again_without_another_drop() -> None:
    bench = Bench()
    bench.line.run(bench.driver.identify())
    bench.drop()
    bench.deaf_to_writes = True
    with pytest.raises(NoReply):
        bench.hold()
    bench.deaf_to_writes = False
    assert (bench.hold().state, bench.closed()) == (REFUSED, [False, False])
    bench.drop()
    assert (bench.hold().state, bench.closed()) == (CONFIRMED, [True, True])


def test_a_restarted_program_finds_held_contactors_and_keeps_them() -> None:
    bench = Bench().ready()
    bench.driver = IcpDasDigital()
    bench.line.run(bench.driver.identify())
    assert bench.closed() == [True, True]
    assert bench.hold().state is CONFIRMED


def test_a_restart_of_the_module_opens_them_and_hold_does_not_close_them_again() -> None:
    bench = Bench(module={"keeps_watchdog": False}).ready()
    bench.module.power_up()
    refused = bench.hold()
    assert (refused.state, bench.closed()) == (REFUSED, [False, False])
    assert bench.drop().state is CONFIRMED
    assert bench.hold().state is CONFIRMED
    assert bench.module.describe()["watchdog_s"] == 2.0, "nothing closes without its watchdog"


@pytest.mark.parametrize(
    ("fed_by", "settings"),
    [("output", {}), ("host_ok", {"feed_message": "7e 2a 2a 0d"})],
)
def test_where_only_hold_feeds_the_watchdog_polling_does_not_keep_them_closed(
    fed_by: str, settings: dict
) -> None:
    bench = Bench(module={"fed_by": fed_by}, **settings).ready()
    for _ in range(10):
        bench.wait(0.5)
        assert bench.hold().state is CONFIRMED
    for _ in range(5):
        bench.wait(0.5)
        bench.poll()
    assert bench.closed() == [False, False]


def test_a_module_that_is_fed_by_something_else_drops_out_and_says_so() -> None:
    bench = Bench(module={"fed_by": "host_ok"}).ready()
    for _ in range(5):
        bench.wait(0.5)
        last = bench.hold()
    assert (last.state, bench.closed()) == (REFUSED, [False, False])
    assert "host watchdog" in last.reason


def test_output_commands_are_kept_from_clearing_a_time_out() -> None:
    bench = Bench()
    bench.module.write_coil(260, True)
    bench.line.run(bench.driver.identify())
    assert not bench.module.coil(260)


def test_contactors_that_do_not_open_are_told() -> None:
    bench = Bench().ready()
    bench.deaf_to_writes = True
    stuck = bench.drop()
    assert (stuck.state, stuck.reason[:26]) == (REFUSED, "the contactors stay closed")
    assert "emergency stop" in stuck.reason
    with pytest.raises(NoReply):
        bench.hold()


def test_one_contactor_of_two_is_neither_on_nor_off() -> None:
    bench = Bench().ready()
    bench.module.write_coil(2, False)
    status = bench.poll().status
    assert status.running is None
    assert "only some of the contactors" in status.fault
    assert bench.hold().state is REFUSED


def test_a_module_that_inverts_by_itself_is_refused() -> None:
    bench = Bench()
    bench.module.write_coil(OUTPUT_POLARITY, True)
    with pytest.raises(Refused, match=r"inverts its outputs \(00266\); set that to 0"):
        bench.line.run(bench.driver.identify())


def test_a_module_without_safe_values_or_a_watchdog_that_keeps_its_time_is_refused() -> None:
    known = {
        one.tx: one.rx for one in exchanges("icpdas_digital") if "exception" not in one.decoded
    }
    contacts = exchange("icpdas_digital", "contacts 1 to 4: all open")
    upright = exchange("icpdas_digital", "outputs are not inverted (00266)")
    safe = exchange("icpdas_digital", "the module has no safe values")
    answers = known | {contacts.tx: contacts.rx, upright.tx: upright.rx, safe.tx: safe.rx}
    with pytest.raises(Refused, match="refuses function 15: it does not have the address"):
        MemoryLine(scripted(answers)).run(IcpDasDigital().identify())
    off = exchange("icpdas_digital", "the host watchdog is off")
    answers = known | {upright.tx: upright.rx, off.tx: off.rx}
    with pytest.raises(Refused, match=r"does not keep its host watchdog on \(00261\)"):
        MemoryLine(scripted(answers)).run(IcpDasDigital().identify())


def test_a_module_of_contacts_alone_is_only_read() -> None:
    bench = Bench(outputs=0, inputs=2)
    bench.line.run(bench.driver.identify())
    assert bench.module.describe()["watchdog_s"] is None
    polled = bench.poll()
    assert (len(polled.measured), polled.status) == (2, None)
    assert "no outputs in use" in bench.hold().reason
    assert "no outputs in use" in bench.drop().reason


def test_a_module_of_contactors_alone_has_no_inputs() -> None:
    bench = Bench(inputs=0).ready()
    assert bench.poll().measured == ()
    assert bench.poll().status.running is True


def test_a_silent_module_is_silence_for_every_order() -> None:
    for order in (IcpDasDigital().identify, IcpDasDigital().hold, IcpDasDigital().drop):
        with pytest.raises(NoReply):
            MemoryLine().run(order())


def test_a_drop_is_on_the_wire_before_anything_is_asked() -> None:
    bench = Bench().ready()
    already = len(bench.line.sent)
    bench.drop()
    off = exchange("icpdas_digital", "switch both outputs off")
    assert bench.line.sent[already] == off.tx


def test_no_answer_to_a_write_looks_like_the_beginning_of_its_echo() -> None:
    """An echo is stripped; an answer that were its beginning would be waited on for ever."""
    answers = {one.tx: one.rx for one in exchanges("icpdas_digital") if one.tx[1] > 14}
    for unit in range(1, 248):
        for tx, rx in answers.items():
            if not rx[1] & 0x80:
                request = sealed(bytes([unit]) + tx[1:-2])
                reply = sealed(bytes([unit]) + rx[1:-2])
                assert not request.startswith(reply)


async def test_over_a_real_port_the_contactors_stay_while_held_and_drop_in_silence(
    tmp_path: Path,
) -> None:
    scenario = tmp_path / "room.toml"
    scenario.write_text("[instrument.switches]\n")
    driver = IcpDasDigital(watchdog_s=0.5, inverted=[1, 2, 3, 4])
    with RoomServer(tmp_path / "ports", scenario) as server:
        line = Line(str(server.directory / "switches"), driver.serial, now)
        await line.open(driver)
        await line.run(driver.identify())
        assert (await line.run(driver.drop(), urgent=True)).state is CONFIRMED
        for _ in range(8):
            assert (await line.run(driver.hold())).state is CONFIRMED
            await asyncio.sleep(0.1)
        assert server.room.devices["heater"].powered
        line.close(driver)
        silent_at = now()
        while server.room.devices["heater"].powered:
            assert now().seconds_since(silent_at) < 1.0
            await asyncio.sleep(0.02)
        await line.open(driver)
        assert "host watchdog" in (await line.run(driver.poll())).status.fault
        assert (await line.run(driver.hold())).state is REFUSED
        line.close(driver)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"address": 0}, "address = 0 cannot be used; it must be a whole number from 1 to 247"),
        ({"outputs": 17}, "whole number from 0 to 16"),
        (
            {"watchdog_s": 60},
            "watchdog_s = 60 cannot be used; it must be a number from 0.5 to 25.5",
        ),
        ({"inverted": [5]}, "it must be a list of inputs from 1 to 4"),
        ({"inverted": 1}, "it must be a list of inputs from 1 to 4"),
        ({"feed_message": "ok"}, 'it must be hexadecimal bytes, as "7e 2a 2a 0d"'),
        ({"feed_message": 7}, "hexadecimal bytes"),
        ({"colour": 1}, "icpdas_digital has no setting colour"),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(settings: dict, sentence: str) -> None:
    with pytest.raises(SettingError, match=re.escape(sentence)):
        IcpDasDigital(**settings)
