"""A small signed session: a toy core, a key of its own, one checkpoint in the middle."""

from pathlib import Path

from service.core.effects import SessionClosed
from service.core.events import Frame, Tick
from service.journal.keys import Key
from service.journal.rows import ROOM
from service.journal.signing import Signer, open_key
from service.journal.store import Store
from service.journal.writer import Writer
from tests.journal.material import (
    LONG_S,
    SESSION,
    News,
    at,
    frame,
    tick,
    toy_state,
    toy_step,
)

EVENTS = [tick(1), frame(2, 42.5, None), tick(3), frame(4, 43.5, 42.0), tick(5)]


def key_of(store: Store, path: Path) -> Key:
    """The room's key, which its chain then names."""
    key, introduction = open_key(store, path, at(0))
    if introduction is not None:
        write(store, None, [introduction])
    return key


def write(store: Store, signer: Signer | None, items: list[object], chain: str = ROOM) -> None:
    news = News()
    writer = Writer(store, on_durable=news.on_durable, on_trouble=news.on_trouble, signer=signer)
    writer.append(chain, items)
    assert writer.close(LONG_S) == 0


def record_signed(
    store: Store, signer: Signer, events: list[Frame | Tick] = EVENTS, *, close: bool = True
) -> None:
    """What the control process does: events and effects, a checkpoint after the third, the end."""
    news = News()
    writer = Writer(store, on_durable=news.on_durable, on_trouble=news.on_trouble, signer=signer)
    state = toy_state()
    writer.append(ROOM, [tick(0)])
    writer.append(SESSION, [state])
    for number, event in enumerate(events):
        state, effects = toy_step(state, event)
        writer.append(SESSION, [event, *effects])
        if number == 2:
            writer.checkpoint(event.at)
    if close:
        ended = tick(9)
        writer.append(SESSION, [ended, SessionClosed(at=ended.at, session=SESSION, by="P. One")])
    assert writer.close(LONG_S) == 0
