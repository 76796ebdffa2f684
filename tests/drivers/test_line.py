"""One serial line on a real pty: what is sent, what comes back, what is told when it is gone."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.classes import Serial, SettingError
from drivers.dialogue import Ask, BadReply, Dialogue, Listen, NoReply, Tell
from drivers.frames import line_of_text, text_of
from drivers.julabo import Julabo
from drivers.line import LATE_S, Line, Lines, Overtaken
from drivers.port import LineLost
from tests.drivers.devices import FakeHeater
from tests.drivers.ptys import Plugged, now

pytestmark = pytest.mark.real_time

FAST = Serial(baud=115200)


@pytest.fixture
def plugged(tmp_path: Path) -> Iterator[Plugged]:
    device = Plugged(tmp_path / "port", lambda heard: b"<" + heard.rstrip() + b">\r\n")
    yield device
    device.unplug()


def ask(question: bytes, timeout_s: float = 0.3) -> Dialogue[str]:
    reply = yield Ask(tx=question + b"\r", reply=line_of_text, timeout_s=timeout_s)
    return text_of(reply.data)


async def opened(plugged: Plugged, serial: Serial = FAST) -> Line:
    line = Line(str(plugged.path), serial, now)
    await line.open("test")
    return line


async def test_a_question_is_answered(plugged: Plugged) -> None:
    line = await opened(plugged)
    assert await line.run(ask(b"A")) == "<A>"
    assert [(one.sent, one.data) for one in line.traffic()] == [(True, b"A\r"), (False, b"<A>\r\n")]
    line.close("test")


async def test_a_7e1_port_on_a_pty_opens_again_and_again(tmp_path: Path) -> None:
    plugged = Plugged(tmp_path / "heater", FakeHeater())
    for _ in range(3):
        line = await opened(plugged, Julabo().serial)
        assert "JULABO" in (await line.run(Julabo().identify())).model
        line.close("test")
        assert not line.is_open
    plugged.unplug()


async def test_what_came_unasked_is_not_the_answer(plugged: Plugged) -> None:
    line = await opened(plugged)
    plugged.say(b"<old>\r\n")
    assert await line.run(ask(b"A")) == "<A>"
    line.close("test")


async def test_an_answer_after_its_deadline_is_not_the_next_question_s(plugged: Plugged) -> None:
    line = await opened(plugged)
    plugged.late_s = 0.08
    with pytest.raises(NoReply, match="no answer"):
        await line.run(ask(b"A", timeout_s=0.03))
    plugged.late_s = 0.0
    assert await line.run(ask(b"B")) == "<B>"
    line.close("test")


async def test_a_doubled_answer_is_let_pass_before_the_next_question(plugged: Plugged) -> None:
    plugged.device = lambda heard: b"<" + heard.rstrip() + b">\r\n<doubled>\r\n"
    line = await opened(plugged)
    for question in (b"A", b"B", b"C"):
        assert await line.run(ask(question)) == f"<{question.decode()}>"
    line.close("test")


async def test_an_echo_is_stripped(plugged: Plugged) -> None:
    plugged.device = lambda heard: heard + b"<A>\r\n"
    line = await opened(plugged)
    assert await line.run(ask(b"A")) == "<A>"
    line.close("test")


async def test_rubbish_is_told_with_what_arrived(plugged: Plugged) -> None:
    plugged.device = lambda heard: b"\xff\x80\xfe\r\n"
    line = await opened(plugged)
    with pytest.raises(BadReply, match="ff 80 fe 0d arrived instead of text"):
        await line.run(ask(b"A"))
    plugged.device = lambda heard: b"fine\r\n"
    assert await line.run(ask(b"A")) == "fine"
    line.close("test")


async def test_the_quiet_time_is_kept_between_commands(plugged: Plugged) -> None:
    def two() -> Dialogue[None]:
        yield Tell(tx=b"A\r", quiet_s=0.05)
        yield Tell(tx=b"B\r", quiet_s=0.0)

    line = await opened(plugged)
    await line.run(two())
    await line.run(ask(b"C"))
    (a_at, _), (b_at, _), _ = plugged.heard
    assert b_at - a_at >= 0.045
    line.close("test")


async def test_a_pulled_cable_is_told_at_once(plugged: Plugged) -> None:
    plugged.mute = True
    line = await opened(plugged)
    waiting = asyncio.create_task(line.run(ask(b"A", timeout_s=5.0)))
    while not plugged.heard:
        await asyncio.sleep(0)
    plugged.unplug()
    with pytest.raises(LineLost, match=r"port went away.*look at the cable"):
        async with asyncio.timeout(1):
            await waiting
    assert not line.is_open
    with pytest.raises(LineLost, match="went away"):
        await line.run(ask(b"A"))


async def test_off_breaks_into_a_dialogue_between_two_steps(plugged: Plugged) -> None:
    def many() -> Dialogue[None]:
        for _ in range(100):
            yield from ask(b"POLL")

    line = await opened(plugged)
    poll = asyncio.create_task(line.run(many()))
    waits = asyncio.create_task(line.run(ask(b"RUN")))
    while len(plugged.heard) < 3:
        await asyncio.sleep(0)
    assert await line.run(ask(b"OFF"), urgent=True) == "<OFF>"
    with pytest.raises(Overtaken):
        await poll
    assert await waits == "<RUN>"
    heard = plugged.messages()
    assert heard.index(b"OFF\r") < heard.index(b"RUN\r") < 20
    line.close("test")


async def test_to_look_for_what_came_unasked_costs_the_next_question_nothing(
    plugged: Plugged,
) -> None:
    def look() -> Dialogue[None]:
        with pytest.raises(NoReply):
            yield Listen(reply=line_of_text, timeout_s=0.0)

    line = await opened(plugged)
    begun = now()
    await line.run(look())
    assert await line.run(ask(b"A")) == "<A>"
    (asked,) = (one.at for one in line.traffic() if one.sent)
    assert asked.seconds_since(begun) < LATE_S
    plugged.say(b"<unasked>\r\n")
    assert await line.run(heard_unasked()) == "<unasked>"
    line.close("test")


def heard_unasked() -> Dialogue[str]:
    reply = None
    while reply is None:
        with contextlib.suppress(NoReply):
            reply = yield Listen(reply=line_of_text, timeout_s=0.0)
    return text_of(reply.data)


async def test_whoever_stops_waiting_for_the_line_does_not_keep_it(plugged: Plugged) -> None:
    line = await opened(plugged)
    plugged.late_s = 0.05
    first = asyncio.create_task(line.run(ask(b"A")))
    second = asyncio.create_task(line.run(ask(b"B")))
    third = asyncio.create_task(line.run(ask(b"C")))
    await asyncio.sleep(0)
    second.cancel()
    assert (await first, await third) == ("<A>", "<C>")
    assert second.cancelled()
    line.close("test")


async def test_a_port_that_is_not_there_is_told() -> None:
    line = Line("/dev/serial/by-id/none", FAST, now)
    with pytest.raises(LineLost, match=r"there is no port /dev/serial/by-id/none; .*present"):
        await line.open("test")


async def test_a_port_in_use_is_told_with_by_whom(plugged: Plugged) -> None:
    holder = await opened(plugged)
    with pytest.raises(LineLost, match=rf"in use by .*process {os.getpid()}.*end that program"):
        await opened(plugged)
    holder.close("test")
    (await opened(plugged)).close("test")


async def test_a_file_is_no_serial_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(LineLost, match="is not a serial port"):
        await Line(str(tmp_path / "file"), FAST, now).open("test")


async def test_a_serial_server_on_the_network_is_a_line_too() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"<" + (await reader.readuntil(b"\r"))[:-1] + b">\r\n")
        await reader.readuntil(b"\r")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        line = Line(f"socket://127.0.0.1:{port}", FAST, now)
        await line.open("test")
        assert await line.run(ask(b"A")) == "<A>"
        with pytest.raises(LineLost, match="went away"):
            await line.run(ask(b"B"))
    with pytest.raises(LineLost, match=r"does not answer .*look at the serial server"):
        await Line(f"socket://127.0.0.1:{port}", FAST, now).open("test")


async def test_devices_on_one_port_share_a_line_and_its_settings() -> None:
    lines = Lines(now)
    assert lines.line("/dev/a", FAST) is lines.line("/dev/a", FAST)
    assert lines.line("/dev/b", FAST) is not lines.line("/dev/a", FAST)
    with pytest.raises(SettingError, match="two devices on /dev/a want different baud rates"):
        lines.line("/dev/a", Serial(baud=9600))


async def test_the_port_stays_open_until_its_last_user_leaves(plugged: Plugged) -> None:
    line = Line(str(plugged.path), FAST, now)
    await line.open("one")
    await line.open("other")
    line.close("one")
    assert await line.run(ask(b"A")) == "<A>"
    line.close("other")
    with pytest.raises(LineLost, match="is not open"):
        await line.run(ask(b"A"))


async def test_an_unknown_kind_of_port_is_told() -> None:
    with pytest.raises(LineLost, match=r"carrier://pigeon cannot be opened"):
        await Line("carrier://pigeon", FAST, now).open("test")
