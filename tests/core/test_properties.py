"""What must hold for every order of events and commands, and what a replay must reproduce."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.core.effects import (
    AlarmChanged,
    Effect,
    HeaterOff,
    HeaterRun,
    PumpRun,
    PumpStop,
)
from service.core.events import Command, SupervisorLink
from service.core.model import Actor, PersonRole, Role
from service.core.session import ORDER, PUBLISHED, step
from service.core.state import AlarmState, State
from tests.core.bench import Bench, at
from tests.core.room import DEVICES, SITES

HOT = st.sampled_from([None, 36.0, 42.8, 43.6, 44.0, 45.9, 46.0, 48.5])
READINGS = st.one_of(
    st.tuples(st.sampled_from(["inflow", "exchanger", "reservoir", "bath", *SITES]), HOT),
    st.tuples(st.sampled_from(["nasopharynx", "bladder"]), st.sampled_from([None, 37.5, 39.6])),
    st.tuples(st.just("line_in"), st.sampled_from([None, 80.0, 260.0])),
    st.tuples(st.just("iap"), st.sampled_from([None, 12.0, 26.0])),
)
COMMANDS = st.sampled_from(
    [
        ("set_inflow", {"c": 44.0}),
        ("set_inflow", {"c": 60.0}),
        ("set_flow", {"ml_min": 600}),
        ("set_flow", {"ml_min": 1500}),
        ("set_flow", {"ml_min": 0}),
        ("set_controller", {"mode": "automatic"}),
        ("pause", {}),
        ("resume", {}),
        ("resume", {"reason": "r", "second": "S. Two"}),
        ("stop", {}),
        ("heater_off", {}),
        ("abort", {}),
        ("confirm_drug", {"fraction": 2}),
        ("start_phase", {"phase": "drain", "reason": "r"}),
        ("start_phase", {"phase": "rinse", "reason": "r"}),
    ]
)
DEVICE = st.sampled_from(sorted(DEVICES))
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), READINGS),
        st.tuples(st.just("command"), COMMANDS),
        st.tuples(st.just("wait"), st.sampled_from([0.3, 1.0, 3.0, 12.0])),
        st.tuples(st.sampled_from(["pull", "plug", "mute"]), DEVICE),
        st.tuples(st.sampled_from(["clamp", "disobey", "obey"]), st.none()),
        st.tuples(st.sampled_from(["acknowledge", "restart", "orphan", "adopt"]), st.none()),
    ),
    min_size=3,
    max_size=14,
)
PERSON_MAY_START = frozenset({"set_flow", "resume", "start_phase"})
FEW = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def happen(bench: Bench, what: str, how: object) -> None:
    match what, how:
        case "read", (channel, value):
            bench.values[str(channel)] = value
            bench.frames()
        case "command", (name, args):
            bench.command(str(name), **args)
        case "wait", float(seconds):
            bench.run(seconds)
        case "pull", str(device):
            bench.pull(device)
        case "plug", str(device):
            bench.plug(device)
        case "mute", str(device):
            bench.silent.add(device)
        case "acknowledge", _:
            bench.acknowledge_all()
        case "restart", _:
            bench.restart()
        case "clamp", _:
            bench.flow_follows, bench.values["flow"] = False, 0.0
        case "disobey" | "obey", _:
            bench.heater_obeys = bench.pump_obeys = what == "obey"
        case "orphan" | "adopt", _:
            bench.feed(SupervisorLink(at=bench.now, present=what == "adopt"))
        case _:
            raise AssertionError(f"nothing is called {what!r} {how!r}")


class Watched(Bench):
    """A bench that checks every single step for what must always hold."""

    @classmethod
    def over(cls, bench: Bench) -> "Watched":
        watched = cls.__new__(cls)
        watched.__dict__ = bench.__dict__
        return watched

    def feed(self, event: object) -> list[Effect]:
        before = self.state
        effects = super().feed(event)  # type: ignore[arg-type]
        after, told = step(before, event)  # type: ignore[arg-type]
        assert told == effects, "the same event gives the same effects"
        for broken in problems(before, event, after, effects):
            raise AssertionError(f"{broken}: {event} gave {effects}")
        return effects


def problems(before: State, event: object, after: State, effects: list[Effect]) -> Iterator[str]:
    places = [ORDER.get(type(e), 3 if isinstance(e, PUBLISHED) else 1) for e in effects]
    if places != sorted(places):
        yield "safe, record, actuators, publish: in this order"
    yield from heat_problems(after, effects)
    yield from flow_problems(before, event, after, effects)
    yield from alarm_problems(before, event, after)
    session = after.session
    if session is not None:
        c = session.clocks
        if abs(c.elapsed_s - (c.in_band_s + c.out_of_band_s + c.unobserved_s)) > 1e-9:
            yield "the three accounts add up"


def figures(state: State, role: Role) -> list[float | None]:
    """The young readings of a role, by this test's own count of their age."""
    young = []
    for channel in state.room.channels:
        sample = state.samples.get(channel.id)
        if channel.role is role and sample is not None:
            is_young = (state.now.mono_ns - sample.at.mono_ns) / 1e9 <= 3.0
            young.append(sample.value if is_young else None)
    return young


def heat_problems(state: State, effects: list[Effect]) -> Iterator[str]:
    if not any(isinstance(effect, HeaterRun) for effect in effects):
        return
    inflow, sites = figures(state, Role.INFLOW), figures(state, Role.SITE)
    flows = figures(state, Role.FLOW)
    if not state.supervised:
        yield "no heat without a supervisor"
    if None in inflow or any(value is not None and value >= 46.0 for value in inflow):
        yield "no heat without an inflow below its ceiling"
    if any(value is not None and value >= 44.0 for value in sites):
        yield "no heat while a site is at its ceiling"
    if len(flows) < 2 or any(value is None or value < 800.0 for value in flows):
        yield "no heat without flow, pumped and measured"
    if any(effect.bath_c > 46.5 for effect in effects if isinstance(effect, HeaterRun)):
        yield "the bath set-point has a maximum"
    if any(isinstance(effect, HeaterOff) for effect in effects):
        yield "on and off in one pass"


def flow_problems(
    before: State, event: object, after: State, effects: list[Effect]
) -> Iterator[str]:
    asked = isinstance(event, Command) and event.name in PERSON_MAY_START
    for effect in effects:
        if isinstance(effect, PumpRun):
            was = before.pump.wanted
            if not asked and (was is None or effect.flow_ml_min > was):
                yield "only a person starts the pump or makes it faster"
            if effect.flow_ml_min > 2000.0:
                yield "the flow has a maximum"
    blocks = after.session.blocks.values() if after.session else ()
    if after.pump.wanted is not None and any(block.pump for block in blocks):
        yield "a stop of an interlock is carried out in its own pass"


def alarm_problems(before: State, event: object, after: State) -> Iterator[str]:
    acknowledges = isinstance(event, Command) and event.name == "acknowledge"
    for key, alarm in before.alarms.items():
        now = after.alarms.get(key)
        if alarm.state is AlarmState.LATCHED and now is None and not acknowledges:
            yield f"{key} was latched and ended without an acknowledgement"
        newly = now is not None and now.state is AlarmState.ACKED is not alarm.state
        if newly and not acknowledges:
            yield f"{key} was acknowledged by nobody"


@pytest.mark.requirement("RC-012", "RC-016", "RC-017", "RC-019", "RC-023", "RC-030")
@FEW
@given(happenings=HAPPENINGS)
def test_whatever_happens_in_whatever_order_the_rules_of_the_room_hold(
    happenings: list[tuple[str, object]],
) -> None:
    bench = Watched.over(at())
    for what, how in happenings:
        happen(bench, what, how)
    bench.run(2)


@pytest.mark.requirement("RC-038")
@settings(FEW, max_examples=8)
@given(happenings=HAPPENINGS)
def test_replaying_the_events_reproduces_every_effect_exactly(
    happenings: list[tuple[str, object]],
) -> None:
    bench = at("heat_up")
    for what, how in happenings:
        happen(bench, what, how)
    state, effects = bench.start, []
    for event in bench.events:
        state, told = step(state, event)
        effects += told
    assert state == bench.state
    assert effects == bench.effects


@pytest.mark.requirement("RC-026")
@settings(FEW, max_examples=10)
@given(
    role=st.sampled_from([PersonRole.QA, PersonRole.ADMIN, PersonRole.DISPLAY]),
    commands=st.lists(COMMANDS, min_size=1, max_size=6),
)
def test_no_command_of_a_role_without_rights_moves_anything(
    role: PersonRole, commands: list[tuple[str, dict[str, object]]]
) -> None:
    bench = at()
    for name, args in commands:
        bench.command_as(Actor(user="X. Three", role=role), name, **args)  # type: ignore[arg-type]
    drives = (HeaterOff, HeaterRun, PumpRun, PumpStop, AlarmChanged)
    assert not any(isinstance(effect, drives) for effect in bench.effects)
