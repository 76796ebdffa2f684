"""The control process around the real core, in a room none of whose ports is there."""

import asyncio
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.control.lanes import Lanes
from service.control.process import ControlProcess
from service.control.settings import Settings
from service.control.snapshot import snapshot
from service.core.effects import AlarmChanged
from service.core.events import Event, Sent
from service.journal.codec import CODEC
from service.journal.sealing import Unsealer
from service.journal.store import open_reading
from service.site_text import demo_site
from tests.core.bench import Bench


def priming() -> list[Event]:
    """What the core is told up to a command for another flow while the circuit is primed."""
    bench = Bench()
    bench.to_phase("prime")
    bench.run(2)
    bench.command("set_flow", ml_min=1000.0)
    asks = [n for n, e in enumerate(bench.events) if getattr(e, "name", "") == "set_flow"]
    return bench.events[: asks[-1] + 1]


def process_of(folder: Path) -> ControlProcess:
    """The control process of a demo room, whose links are not started."""
    text = demo_site(
        folder / "ports", database=f"sqlite:///{folder / 'hipec.db'}", listen="127.0.0.1:0"
    )
    site = folder / "site.toml"
    site.write_text(text, encoding="utf-8")
    return ControlProcess(
        Settings(
            site=site,
            socket=folder / "control",
            supervisor=folder / "supervisor",
            boot="b",
            version="test",
        )
    )


async def test_the_refusal_of_a_device_that_is_not_there_is_the_last_word_on_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr("service.control.process.now", lambda: Bench().start.now)
    monkeypatch.setattr(Lanes, "broadcast", lambda self, message: told.append(message))
    # On a slow machine the wait for the disk would be over in the middle, and its real time told.
    monkeypatch.setattr("service.control.publisher.LONGEST_WAIT_NS", 9 * 10**14)
    process = process_of(tmp_path)
    events = priming()
    for event in events:
        process.handle(event)
    process._show()
    process._publisher.release(10**15)
    await process._end()
    states = [m["state"] for m in told if m["type"] == "command" and m["key"] == events[-1].key]
    assert states == ["requested", "sent", "refused"]
    numbers = [message["seq"] for message in told]
    assert numbers == sorted(numbers), "no message goes ahead of an event that waits for the disk"
    events_told = [m["seq"] for m in told if m["type"] in ("command", "alarm", "phase")]
    assert events_told == list(range(1, len(events_told) + 1))


@pytest.mark.requirement("RC-061")
async def test_when_an_alarm_left_for_the_displays_is_recorded_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.control.process.now", lambda: Bench().start.now)
    process = process_of(tmp_path)
    bench = Bench()
    bench.pull("pump")
    for event in bench.events:
        process.handle(event)
    process._publisher.release(10**15)
    assert process._writer.close(60.0) == 0
    await process._end()
    with closing(open_reading(f"sqlite:///{tmp_path / 'hipec.db'}")) as store:
        unsealer = Unsealer(CODEC)
        rows = [unsealer.open(entry) for entry in store.spoken("room")]
    onset = next(row for row in rows if isinstance(row, AlarmChanged) and row.event == "onset")
    sent = next(row for row in rows if isinstance(row, Sent))
    assert (sent.occurrence, sent.event) == (onset.occurrence, "onset")
    assert sent.seq > 0


def test_a_value_too_old_to_count_is_not_told_any_more() -> None:
    bench = Bench()
    bench.run(2)
    shown = snapshot(bench.state, {})["channels"]["pelvis"]
    assert (shown["value"], shown["validity"]) == (43.0, "valid")

    bench.silent.add("sites")
    bench.run(4)
    shown = snapshot(bench.state, {})["channels"]["pelvis"]
    assert (shown["value"], shown["validity"]) == (None, "not_available")
    assert shown["reason"] == "no reading for 4 s"
    assert shown["at_ns"] == bench.now.mono_ns - 4 * 10**9


def test_a_silent_heater_is_not_told_to_run_on_the_strength_of_its_last_word() -> None:
    bench = Bench()
    bench.to_phase("heat_up")
    bench.run(2)
    assert snapshot(bench.state, {})["devices"]["heater"]["running"] is True

    bench.silent.add("heater")
    bench.run(4)
    heater = snapshot(bench.state, {})["devices"]["heater"]
    assert (heater["running"], heater["setpoint"]) == (None, None)


def told(process: ControlProcess) -> str:
    """What the page shows of what happened."""
    return "\n".join(note["text"] for note in snapshot(process._state, {})["events"])


@pytest.mark.requirement("RC-147")
async def test_a_signal_that_ends_a_treatment_is_in_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.control.process.now", lambda: Bench().start.now)
    process = process_of(tmp_path)
    ended = asyncio.Event()
    for event in priming():
        process.handle(event)
    process._told_to_end(signal.SIGTERM, ended)
    assert ended.is_set()
    assert "told to end during the treatment, by SIGTERM" in told(process)
    await process._end()


@pytest.mark.requirement("RC-149")
async def test_a_key_that_is_lost_in_the_middle_of_a_session_is_told_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.control.process.now", lambda: Bench().start.now)
    first = process_of(tmp_path)
    for event in priming():
        first.handle(event)
    await first._end()
    (tmp_path / "hipec.db.key").unlink()
    second = process_of(tmp_path)
    assert second._state.session is not None, "the treatment goes on"
    assert "goes on unsigned" in told(second) and "hipec.db.key is missing" in told(second)
    await second._end()
