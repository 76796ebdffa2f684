"""What a person reads of a session: phases, alarms with their delays, commands, facts."""

import re
from pathlib import Path

import pytest

from service.core.effects import (
    AlarmChanged,
    CommandChanged,
    PhaseChanged,
    Recorded,
    SessionClosed,
    SessionOpened,
)
from service.core.events import Command
from service.core.model import (
    Actor,
    CommandState,
    PersonRole,
    Phase,
    Presence,
    Priority,
)
from service.journal.rows import Lost
from service.journal.store import Store
from service.records.sessions import list_sessions, show_session
from tests.journal.material import SESSION, at, falsify, tick, toy_state, writing

PERFUSIONIST = Actor(user="perfusionist", role=PersonRole.PERFUSIONIST, station="station-1")


def command(second: float, key: str, name: str, **args: str | float) -> Command:
    return Command(at=at(second), key=key, name=name, args=args, by=PERFUSIONIST)


def alarm(second: float, event: str, by: str = "") -> AlarmChanged:
    return AlarmChanged(
        at=at(second),
        id="inflow_high",
        source="inflow",
        occurrence="a-1",
        event=event,
        priority=Priority.HIGH,
        presence=Presence.ON,
        text="Inflow 46.2 °C",
        do="Heater is off",
        value=46.2,
        limit=46.0,
        sampled=at(99.9),
        by=by,
    )


@pytest.fixture
def recorded(store: Store) -> None:
    by = "perfusionist"
    granted = CommandChanged(
        at=at(60.5),
        key="k2",
        name="set_inflow",
        state=CommandState.CONFIRMED,
        requested=47.0,
        granted=45.7,
        limited_by="inflow ceiling",
    )
    opened = SessionOpened(at=at(1), session=SESSION, protocol="closed-mmc-90", by=by)
    phase = PhaseChanged(at=at(30), from_phase=Phase.SETUP, to_phase=Phase.PRIME, by=by)
    late = Recorded(at=at(200), kind="deviation", text="Drug given before the gate", by=by)
    clock = Recorded(at=at(5400), kind="clock", text="Treatment clock ended after 90.0 min")
    with writing(store) as (writer, _):
        writer.append("room", [tick(0)])
        writer.append(SESSION, [toy_state(), command(1, "k1", "open_session"), opened])
        writer.append(SESSION, [command(30, "k3", "start_phase", phase="prime"), phase])
        writer.append(SESSION, [command(60, "k2", "set_inflow", c=47.0), granted])
        writer.append(SESSION, [tick(100), alarm(100, "onset")])
        writer.append(SESSION, [tick(107), alarm(107, "acknowledged", by)])
        writer.append(SESSION, [tick(130), alarm(130, "cleared")])
        writer.append(SESSION, [tick(200), late])
        writer.append(SESSION, [tick(5400), clock])


def close(store: Store) -> None:
    closed = SessionClosed(at=at(6000), session=SESSION, by="perfusionist")
    with writing(store) as (writer, _):
        writer.append(SESSION, [tick(6000), closed, Lost(passes=7)])


@pytest.mark.usefixtures("recorded")
def test_the_list_has_one_line_per_session(store: Store, url: str) -> None:
    code, text = list_sessions(url)
    assert code == 0
    head, line = text.splitlines()
    assert head.startswith("SESSION ")
    assert re.split(r"\s{2,}", line) == [
        SESSION,
        "closed-mmc-90",
        "2026-01-01 10:00:01",
        "open",
        "demo",
        "prime",
    ]
    close(store)
    assert "2026-01-01 11:40:00  demo" in list_sessions(url)[1]


@pytest.mark.usefixtures("recorded")
def test_a_session_is_shown_as_its_story(url: str) -> None:
    code, text = show_session(url, SESSION)
    assert code == 0
    for line in (
        f"Session {SESSION}, mode demo",
        "SIMULATED DATA: no patient was treated in this session.",
        "Protocol closed-mmc-90, opened 2026-01-01 10:00:01 UTC by perfusionist",
        "Not closed",
        "  10:00:30  prime (after setup), by perfusionist",
        "  11:30:00  clock: Treatment clock ended after 90.0 min",
        "  10:01:40  high inflow_high inflow: Inflow 46.2 °C; raised 0.10 s after its reading;"
        " acknowledged after 7.0 s by perfusionist; cleared after 30.0 s",
        "  10:01:00  set_inflow c 47.0, by perfusionist; confirmed after 0.50 s;"
        " asked 47, granted 45.7; limited by inflow ceiling",
        "  10:03:20  deviation: Drug given before the gate, by perfusionist",
    ):
        assert line in text.splitlines()
    assert "Not recorded" not in text


@pytest.mark.usefixtures("recorded")
def test_measurements_that_were_not_kept_are_told(store: Store, url: str) -> None:
    close(store)
    text = show_session(url, SESSION)[1]
    assert "Not recorded\n  7 frames and ticks" in text
    assert "Closed 2026-01-01 11:40:00 UTC by perfusionist" in text


@pytest.mark.usefixtures("recorded")
def test_an_unknown_session_is_told_in_a_sentence(url: str) -> None:
    code, text = show_session(url, "nobody")
    assert code == 1
    assert text.startswith("There is no session nobody in ")
    assert "hipec sessions list" in text


def test_an_empty_journal_is_no_error(store: Store, url: str) -> None:
    assert list_sessions(url) == (0, f"There is no session yet in {store.where}.")


def test_a_missing_journal_is_told_in_a_sentence(url: str, path: Path) -> None:
    for code, text in (list_sessions(url), show_session(url, SESSION)):
        assert code == 1
        assert text == f"There is no journal at {path}. Check `database` in the site file."


@pytest.mark.usefixtures("recorded")
def test_a_damaged_record_is_told_in_a_sentence(store: Store, url: str, path: Path) -> None:
    falsify(path, "UPDATE rows SET body = x'7b' WHERE kind = 'SessionOpened'")
    code, text = show_session(url, SESSION)
    assert code == 1
    assert "is damaged" in text
