"""What the journal's tests write: a toy core, frames, and a writer whose news can be waited for."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine

from service.core.effects import HeaterOff, HeaterRun, Recorded
from service.core.events import Frame, Tick
from service.core.model import (
    DriveStatus,
    Instant,
    Mode,
    Reading,
    Room,
    Unit,
    Validity,
)
from service.core.state import State
from service.journal.store import Store
from service.journal.writer import Writer

SESSION = "20260101T100000Z"
HOT_C = 46.0
LONG_S = 20.0


def at(second: float) -> Instant:
    """So many seconds after 2026-01-01 10:00:00 UTC and after the boot."""
    ns = round(second * 1e9)
    return Instant(mono_ns=ns, utc_ns=1_767_261_600_000_000_000 + ns)


def tick(second: float) -> Tick:
    return Tick(at=at(second))


def frame(second: float, *values: float | None, device: str = "sites") -> Frame:
    readings = tuple(
        Reading(
            channel=f"{device}_{number}",
            value=value,
            unit=Unit.DEG_C,
            validity=Validity.INVALID if value is None else Validity.VALID,
            reason="open probe" if value is None else "",
        )
        for number, value in enumerate(values)
    )
    return Frame(
        at=at(second),
        device=device,
        readings=readings,
        status=DriveStatus(running=True, setpoint=45),
    )


def toy_state() -> State:
    room = Room(id="or-3", mode=Mode.DEMO, speed=1.0, channels=(), devices=())
    return State(room=room, boot="b1", now=at(0))


def toy_step(state: State, event: Frame | Tick) -> tuple[State, list[object]]:
    """A core of three lines: counts its events, heats, and switches off when it is too hot."""
    order = state.processed + 1
    state = State(room=state.room, boot=state.boot, now=event.at, processed=order)
    if isinstance(event, Tick):
        return state, []
    if any(reading.value and reading.value > HOT_C for reading in event.readings):
        return state, [HeaterOff(order=order, reason="too hot")]
    return state, [
        HeaterRun(order=order, bath_c=44.0 + order / 10, lease_s=3),
        Recorded(at=event.at, kind="note", text="heats", data={"order": order}),
    ]


class News:
    """Collects what a writer tells, and lets a test wait for it."""

    def __init__(self) -> None:
        self.troubles: list[str | None] = []
        self.acknowledged: list[int] = []
        self._changed = threading.Condition()

    def on_durable(self, ticket: int) -> None:
        with self._changed:
            self.acknowledged.append(ticket)
            self._changed.notify_all()

    def on_trouble(self, reason: str | None) -> None:
        with self._changed:
            self.troubles.append(reason)
            self._changed.notify_all()

    @property
    def durable(self) -> int:
        return self.acknowledged[-1] if self.acknowledged else 0

    def wait_durable(self, ticket: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.durable >= ticket, LONG_S)

    def wait_troubles(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.troubles) >= count, LONG_S)


@contextmanager
def writing(store: Store, **settings: int) -> Iterator[tuple[Writer, News]]:
    news = News()
    writer = Writer(store, on_durable=news.on_durable, on_trouble=news.on_trouble, **settings)
    try:
        yield writer, news
    finally:
        left = writer.close(LONG_S)
    assert left == 0, f"{left} passes were never written"


def record_toy_session(store: Store, events: list[Frame | Tick]) -> None:
    """What the control process does: the state, then each event and its effects."""
    state = toy_state()
    with writing(store) as (writer, _):
        writer.append("room", [tick(0)])
        opening: tuple[object, ...] = (state,)
        for event in events:
            state, effects = toy_step(state, event)
            writer.append(SESSION, [*opening, event, *effects])
            opening = ()


@contextmanager
def holding(url: str) -> Iterator[None]:
    """As long as this lasts another program keeps the journal from being written."""
    engine = create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("LOCK TABLE rows IN EXCLUSIVE MODE")
        yield
        connection.rollback()
    engine.dispose()


def falsify(path: Path, sql: str, *values: object) -> None:
    """Changes the rows as somebody would who owns the disk: without the triggers."""
    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(sql, values)
    connection.close()
