"""A whole treatment of the real core is recorded, replayed and recovered exactly."""

from collections.abc import Sequence

import pytest

from service.core.events import Command, Event, Started
from service.core.session import initial, step
from service.core.state import State
from service.journal.codec import CODEC
from service.journal.replay import recover, replay, unfinished, verify_chain
from service.journal.store import Store
from service.records.sessions import show_session
from tests.core.bench import Bench, room
from tests.journal.material import writing


@pytest.fixture(scope="module")
def bench() -> Bench:
    """Drug before its gate, a ceiling, a lost probe, a pause, a note and an early drain."""
    bench = Bench()
    bench.run(3)
    bench.to_phase("heat_up")
    bench.command("confirm_drug", fraction=1)
    bench.run(2)
    bench.values["pelvis"] = 44.3
    bench.run(6)
    bench.values["pelvis"] = None
    bench.command("pause")
    bench.run(4)
    bench.values["pelvis"] = 42.8
    bench.run(6)
    bench.command("note", text="43 °C “everywhere”")
    bench.command("resume")
    bench.command("set_inflow", c=60)
    bench.run(10)
    bench.command("start_phase", phase="drain", reason="test")
    bench.run(5)
    return bench


def start(bench: Bench) -> State:
    started = Started(at=bench.events[0].at, boot="b", room=room(), version="test")
    return initial(started)


def record(store: Store, state: State, events: Sequence[Event]) -> tuple[str, State]:
    """What the control process does with the record; the session's id and the last state."""
    with writing(store) as (writer, _):
        chain = "room"
        for event in events:
            before = state
            if isinstance(event, Command) and event.protocol is not None:
                before = CODEC.canonical(state)
            state, effects = step(before, event)
            if state.session is not None and chain == "room":
                chain = state.session.id
                writer.append(chain, [before, event, *effects])
            else:
                writer.append(chain, [event, *effects])
        return chain, state


def test_every_effect_of_a_treatment_is_replayed_byte_for_byte(
    store: Store, url: str, bench: Bench
) -> None:
    session, live = record(store, start(bench), bench.events)
    assert replay(store, session, step) == []
    assert recover(store, session, step) == live
    assert unfinished(store) == [session]
    assert verify_chain(store, session) == []
    told = show_session(url, session)[1]
    for words in (
        "SIMULATED DATA",
        "drain (after perfuse)",
        "Drug given before",
        "set_inflow c 60,",
        "43 °C",
    ):
        assert words in told


def test_the_state_of_a_treatment_is_encoded_exactly(bench: Bench) -> None:
    body = CODEC.encode(bench.state)
    assert CODEC.decode("State", body) == bench.state
    assert CODEC.encode(CODEC.decode("State", body)) == body
