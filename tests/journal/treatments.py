"""Whole treatments of the real core, put into a journal as the control process does."""

from collections.abc import Sequence
from dataclasses import replace

from service.core.events import Command, Event, Started
from service.core.session import initial, step
from service.core.state import State
from service.journal.codec import CODEC
from service.journal.core_version import core_version
from service.journal.rows import ROOM
from service.journal.signing import CHECKPOINT_S, Signer
from service.journal.store import Store
from service.journal.writer import Writer
from tests.core.bench import Bench
from tests.journal.material import LONG_S, News


def record(
    store: Store,
    bench: Bench,
    signer: Signer | None = None,
    *,
    core: str | None = None,
    first: object | None = None,
) -> tuple[str, State]:
    """Records what happened on a bench; the session's id and the core's last state.

    `core` names another core as the one that is at work; `first` begins the room's chain.
    """
    core = core_version() if core is None else core
    news = News()
    writer = Writer(store, on_durable=news.on_durable, on_trouble=news.on_trouble, signer=signer)
    at, room = bench.events[0].at, bench.start.room
    started = Started(at=at, boot="b", room=room, version="test", core=core)
    recorder = _Recorder(writer, initial(started))
    writer.append(ROOM, [first, started] if first else [started])
    recorder.play([replace(e, core=core) if isinstance(e, Started) else e for e in bench.events])
    assert writer.close(LONG_S) == 0
    return recorder.session, recorder.state


class _Recorder:
    """Steps the core and gives every pass to the writer, a checkpoint and the state each minute."""

    def __init__(self, writer: Writer, state: State) -> None:
        self.state = state
        self.session = ""
        self._writer = writer
        self._kept_utc_ns = state.now.utc_ns

    def play(self, events: Sequence[Event]) -> None:
        for event in events:
            self._pass(event)
            if event.at.utc_ns - self._kept_utc_ns > CHECKPOINT_S * 1e9:
                self._kept_utc_ns = event.at.utc_ns
                if self.state.session is not None:
                    self._writer.append(self.session, (self.state,))
                self._writer.checkpoint(event.at)

    def _pass(self, event: Event) -> None:
        before = self.state
        if isinstance(event, Command) and event.protocol is not None:
            before = CODEC.canonical(before)
        self.state, effects = step(before, event)
        session = before.session or self.state.session
        items = (event, *effects)
        if session is not None and before.session is None:
            self.session = session.id
            items = (before, *items)
        self._writer.append(session.id if session else ROOM, items)


def long_treatment(minutes: float) -> Bench:
    """A treatment of the bench's room that lasts so long: ten ticks and eight frames a second."""
    bench = Bench()
    bench.to_phase("perfuse")
    for _ in range(round(minutes * 3)):
        bench.run(20)
    bench.command("start_phase", phase="drain", reason="so long was wanted")
    bench.run(5)
    for phase in ("rinse", "complete"):
        bench.checklist(phase)
        bench.command("start_phase", phase=phase)
        bench.run(5)
    bench.command("close_session")
    return bench
