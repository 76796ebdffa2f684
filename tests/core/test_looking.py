"""What the core keeps beside its state, so as not to look twice, changes nothing."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.core.alarm_table import ROOM_RULES, RULES
from service.core.events import Event
from service.core.looking import CALM, WATCHED
from service.core.session import step
from service.core.state import State
from tests.core.bench import Bench, at
from tests.core.test_properties import HAPPENINGS, happen

FEW = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def forgetful(state: State) -> State:
    """The same state without what is kept beside it: every rule looks, every figure is reckoned."""
    return replace(state, room=replace(state.room), samples=dict(state.samples))


def doubted(start: State, events: list[Event]) -> None:
    """Feed every event twice: as it is, and with every rule looking."""
    state, forgetting = start, forgetful(start)
    for event in events:
        state, effects = step(state, event)
        forgetting, told = step(forgetful(forgetting), event)
        assert effects == told, f"other effects when every rule looks at {event}"
        assert state == forgetting, f"another state when every rule looks at {event}"


def test_every_entry_of_the_table_is_a_rule() -> None:
    assert set(WATCHED) <= {rule.id for rule in (*RULES, *ROOM_RULES)}
    assert set(CALM) <= {rule.id for rule in RULES}


@pytest.mark.requirement("RC-038")
@FEW
@given(
    phase=st.sampled_from(["heat_up", "perfuse"]),
    readings=st.fixed_dictionaries(
        {
            "flow": st.none() | st.floats(0.0, 2500.0),
            "line_out": st.none() | st.floats(-250.0, 20.0),
            "iap": st.none() | st.floats(5.0, 30.0),
            "level": st.none() | st.floats(50.0, 1200.0),
        }
    ),
)
def test_where_one_look_tells_that_all_is_calm_no_rule_finds_anything(
    phase: str, readings: dict[str, float | None]
) -> None:
    bench = at(phase)
    bench.flow_follows = False
    bench.values.update(readings)
    bench.run(2)
    for rule in (rule for rule in RULES if rule.id in CALM):
        if CALM[rule.id](bench.state, bench.session):
            assert not tuple(rule.look(bench.state, bench.session)), rule.id


@pytest.mark.requirement("RC-038")
@FEW
@given(
    happenings=HAPPENINGS,
    phase=st.sampled_from(["heat_up", "perfuse"]),
    protocol=st.sampled_from(["closed-mmc-90", "open-oxaliplatin-30"]),
)
def test_a_rule_that_is_not_asked_would_have_said_nothing_new(
    happenings: list[tuple[str, object]], phase: str, protocol: str
) -> None:
    bench = at(phase, protocol)
    for what, how in happenings:
        happen(bench, what, how)
    bench.run(4)
    doubted(bench.start, bench.events)


def test_a_whole_way_to_perfusion_is_the_same_with_every_rule_looking() -> None:
    bench = Bench()
    start = bench.start
    bench.to_phase("perfuse")
    doubted(start, bench.events)
