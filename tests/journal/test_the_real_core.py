"""A whole treatment of the real core is recorded, replayed and recovered exactly."""

import pytest

from service.core.session import step
from service.journal.codec import CODEC
from service.journal.comparing import compare
from service.journal.replay import recover, unfinished
from service.journal.store import Store
from service.journal.verify import verify_chain
from service.records.sessions import show_session
from tests.core.bench import Bench
from tests.journal.treatments import record


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


def test_every_effect_of_a_treatment_is_replayed_byte_for_byte(
    store: Store, url: str, bench: Bench
) -> None:
    session, live = record(store, bench)
    assert list(compare(store.rows(session), step)) == []
    assert recover(store, session, step) == live
    assert unfinished(store) == [session]
    assert verify_chain(store, session).findings == []
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


def test_a_core_that_was_read_back_at_any_moment_goes_on_as_if_nothing_had_happened(
    bench: Bench,
) -> None:
    state = read_back = bench.start
    for number, event in enumerate(bench.events):
        if number % 25 == 0:
            read_back = CODEC.canonical(read_back)
        state, effects = step(state, event)
        read_back, again = step(read_back, event)
        assert again == effects
