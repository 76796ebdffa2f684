"""The alarm machine: each row of its table, and every short sequence of what can happen to it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import alarms
from service.core.alarm_table import RULES, judge
from service.core.alarms import Finding, Judged
from service.core.effects import AlarmChanged
from service.core.model import Instant, Phase, Presence, Priority
from service.core.session import initial
from service.core.state import Alarm, AlarmState, State
from tests.core.bench import at
from tests.core.room import started

LOW, MEDIUM, HIGH = Priority.LOW, Priority.MEDIUM, Priority.HIGH
PENDING, ACTIVE = AlarmState.PENDING, AlarmState.ACTIVE
LATCHED, ACKED = AlarmState.LATCHED, AlarmState.ACKED
DELAY_S = 5.0
KEY = "rule/source"


def rule(
    raw: bool | None,
    priority: Priority = HIGH,
    *,
    delay_s: float = DELAY_S,
    escalates: bool = True,
    latches: bool = True,
) -> Judged:
    finding = Finding(source="source", raw=raw, text="Hot", value=46.2, limit=46.0)
    return Judged(
        id="rule",
        priority=priority,
        delay_s=delay_s,
        latches=latches,
        escalates=escalates,
        do="Cool.",
        finding=finding,
    )


ALARM = Alarm(
    id="rule",
    source="source",
    state=ACTIVE,
    priority=HIGH,
    reached=HIGH,
    occurrence="b-1",
    latches=True,
    do="Cool.",
    pending_since_s=0.0,
)


def later(state: State, seconds: float) -> State:
    now = Instant(
        mono_ns=state.now.mono_ns + round(seconds * 1e9),
        utc_ns=state.now.utc_ns + round(seconds * 1e9),
    )
    return replace(state, now=now, treat_s=state.treat_s + seconds)


def step_of(
    state: State,
    what: str,
    priority: Priority,
    delay_s: float = DELAY_S,
    *,
    latches: bool = True,
    escalates: bool = True,
) -> tuple[State, list[AlarmChanged]]:
    """One word of a sequence: a condition with the seconds before it, or a person's act."""
    name, _, seconds = what.partition("+")
    state = later(state, float(seconds or 0))
    if name == "ack":
        done = alarms.acknowledge(state, "b-1", "P. One")
        return (done[0], [done[1]]) if done else (state, [])
    if name == "pause":
        until = state.now.mono_ns + int(alarms.AUDIO_PAUSE_S * 1e9)
        return replace(state, audio_paused_until_ns=until), []
    raw = {"true": True, "false": False, "none": None}[name]
    judged = rule(raw, priority, delay_s=delay_s, latches=latches, escalates=escalates)
    return alarms.advance(state, [judged])


def run(words: str, priority: Priority) -> tuple[AlarmState | None, list[str], State]:
    state, events = initial(started()), []
    for word in words.split():
        state, effects = step_of(state, word, priority)
        events += [effect.event for effect in effects]
    alarm = state.alarms.get(KEY)
    return (alarm.state if alarm else None), events, state


ROWS = [
    ("true", HIGH, PENDING, []),
    ("true false+1", HIGH, None, []),
    ("true true+4", HIGH, PENDING, []),
    ("true true+5", HIGH, ACTIVE, ["onset"]),
    ("true none+1 none+5", HIGH, ACTIVE, ["onset"]),
    ("none none+9", HIGH, None, []),
    ("true true+5 false", MEDIUM, None, ["onset", "cleared"]),
    ("true true+5 false", HIGH, LATCHED, ["onset", "cleared"]),
    ("true true+5 none+9", HIGH, ACTIVE, ["onset", "source_lost"]),
    ("true true+5 none+1 none+1", HIGH, ACTIVE, ["onset", "source_lost"]),
    ("true true+5 none true none", HIGH, ACTIVE, ["onset", "source_lost", "source_lost"]),
    ("true true+5 ack", HIGH, ACKED, ["onset", "acknowledged"]),
    ("true true+5 ack ack", HIGH, ACKED, ["onset", "acknowledged"]),
    ("true true+5 ack none+9", HIGH, ACKED, ["onset", "acknowledged", "source_lost"]),
    ("true true+5 ack false", HIGH, None, ["onset", "acknowledged", "cleared"]),
    ("true true+5 ack true+119", HIGH, ACKED, ["onset", "acknowledged"]),
    ("true true+5 ack true+120", HIGH, ACTIVE, ["onset", "acknowledged", "reannounced"]),
    ("true true+5 ack true+1799", MEDIUM, ACKED, ["onset", "acknowledged"]),
    ("true true+5 ack true+1800", MEDIUM, ACTIVE, ["onset", "acknowledged", "reannounced"]),
    ("true true+5 ack true+9999", LOW, ACKED, ["onset", "acknowledged"]),
    ("true true+5 false none+9 false+9", HIGH, LATCHED, ["onset", "cleared"]),
    ("true true+5 false ack", HIGH, None, ["onset", "cleared", "acknowledged"]),
    ("true true+5 false true", HIGH, ACTIVE, ["onset", "cleared", "onset"]),
    ("true true+5 true+59", MEDIUM, ACTIVE, ["onset"]),
    ("true true+5 true+60", MEDIUM, ACTIVE, ["onset", "escalated"]),
    ("true true+5 true+60 false", MEDIUM, LATCHED, ["onset", "escalated", "cleared"]),
    ("true true+5 true+60 true+60", LOW, ACTIVE, ["onset", "escalated", "escalated"]),
    ("true true+5 true+90", HIGH, ACTIVE, ["onset"]),
]


@pytest.mark.requirement("RC-018", "RC-019", "RC-141")
@pytest.mark.parametrize(("words", "priority", "expected", "events"), ROWS)
def test_each_row_of_the_table(
    words: str, priority: Priority, expected: AlarmState | None, events: list[str]
) -> None:
    state, happened, _ = run(words, priority)
    assert (state, happened) == (expected, events)


@dataclass(frozen=True, slots=True)
class Move:
    """One transition of the walk: before, the word, after, what was signalled."""

    before: State
    word: str
    after: State
    effects: list[AlarmChanged]

    def alarm(self, state: State) -> Alarm | None:
        return state.alarms.get(KEY)


WALK_DELAY_S = 60.0
WORDS = ("true", "true+60", "true+120", "false", "false+60", "none", "none+60", "ack", "pause")
"""All times of the machine are multiples of a minute here, so that its states can be counted."""

LONG_ENOUGH_S = 180.0
"""Beyond every time of the machine: what is older is not told apart."""


def seen(state: State) -> tuple[object, ...]:
    """The state as far as anything that follows can tell it apart."""
    alarm = state.alarms.get(KEY)
    paused = alarms.audio_paused_s(state)
    if alarm is None:
        return (None, paused)
    since = min(LONG_ENOUGH_S, (state.now.mono_ns - alarm.active_since_ns) / 1e9)
    acked = min(LONG_ENOUGH_S, (state.now.mono_ns - alarm.acked_ns) / 1e9)
    waited = min(LONG_ENOUGH_S, state.treat_s - alarm.pending_since_s)
    lost = alarm.source_lost
    return (alarm.state, alarm.priority, alarm.reached, since, acked, waited, paused, lost)


def walk(priority: Priority, *, latches: bool, escalates: bool) -> Iterator[Move]:
    """Every transition from every state that any sequence of words can ever reach."""
    states = {seen(s): s for s in [initial(started())]}
    known = set(states)
    while states:
        reached: dict[tuple[object, ...], State] = {}
        for before in states.values():
            for word in WORDS:
                after, effects = step_of(
                    before, word, priority, WALK_DELAY_S, latches=latches, escalates=escalates
                )
                yield Move(before, word, after, effects)
                reached[seen(after)] = after
        states = {key: state for key, state in reached.items() if key not in known}
        known |= states.keys()


NEWS = ("onset", "escalated", "reannounced")
SIGNALS = {
    None: Presence.OFF,
    PENDING: Presence.OFF,
    ACTIVE: Presence.ON,
    LATCHED: Presence.LATCHED,
    ACKED: Presence.ACKNOWLEDGED,
}


def broken_rules(move: Move, *, latches: bool, escalates: bool) -> Iterator[str]:
    before, after = move.alarm(move.before), move.alarm(move.after)
    now = after.state if after else None
    was = before.state if before else None
    if any(effect.presence is not SIGNALS[now] for effect in move.effects):
        yield "what is told is what stands"
    told = {effect.event for effect in move.effects}
    if "source_lost" in told and not (move.word.startswith("none") and after and after.source_lost):
        yield "a lost source is told when it is lost"
    if not escalates and "escalated" in told:
        yield "only what may escalate escalates"
    if not latches and now is LATCHED:
        yield "only what may latch latches"
    if not latches and was is ACTIVE and move.word.startswith("false") and after:
        yield "what does not latch falls silent with its cause"
    silent = alarms.audible(move.after) is None
    if now in (ACTIVE, LATCHED) and silent and alarms.audio_paused_s(move.after) <= 0:
        yield "silent only inside a pause"
    news = [e for e in move.effects if e.event in NEWS]
    if any(e.priority is not LOW for e in news) and silent:
        yield "a new medium or high alarm sounds, pause or not"
    if latches and before and was is ACTIVE and before.reached is HIGH and now is None:
        yield "a latching alarm does not end without an acknowledgement"
    if was is LATCHED and now not in (LATCHED, ACTIVE) and move.word != "ack":
        yield "latched ends only by an acknowledgement"
    if move.word.startswith("none") and before and now is not was and was is not PENDING:
        reannounced = was is ACKED and now is ACTIVE
        if not reannounced:
            yield "missing data clears nothing"
    if now is ACKED and was is not ACKED and move.word != "ack":
        yield "acknowledged only by an acknowledgement"
    rank = alarms.RANK
    if before and after and rank[after.priority] < rank[before.priority]:
        yield "a priority never falls by itself"


@pytest.mark.requirement("RC-018", "RC-019", "RC-020")
@pytest.mark.parametrize("escalates", [True, False], ids=["escalates", "stays"])
@pytest.mark.parametrize("latches", [True, False], ids=["latches", "technical"])
@pytest.mark.parametrize("priority", [LOW, MEDIUM, HIGH])
def test_no_rule_of_the_alarm_machine_is_broken_in_any_state_that_can_be_reached(
    priority: Priority, latches: bool, escalates: bool
) -> None:
    count, states = 0, set()
    for move in walk(priority, latches=latches, escalates=escalates):
        count += 1
        states.add(move.alarm(move.after).state if move.alarm(move.after) else None)
        broken = list(broken_rules(move, latches=latches, escalates=escalates))
        assert broken == [], (move.word, seen(move.before), seen(move.after))
    high = priority is HIGH or escalates
    assert states == {None, PENDING, ACTIVE, ACKED} | ({LATCHED} if latches and high else set())
    assert count > 300


PLACE = {rule.id: place for place, rule in enumerate(RULES)}
HIDING = [
    (hider, rule.id)
    for rule in RULES
    for hider in (*rule.hidden_by, *rule.hidden_by_any)
    if PLACE[hider] < PLACE[rule.id]
]


@pytest.mark.requirement("RC-141")
def test_of_two_alarms_of_one_cause_only_the_one_that_hides_the_other_is_raised() -> None:
    bench, there = at(), Finding(source="x", raw=True, text="there")
    for hider, hidden in HIDING:
        both = [r for r in RULES if r.id in (hider, hidden)]
        alarm = replace(ALARM, id=hider, source="x", state=ACTIVE)
        for phase in Phase:
            if not all(phase in r.phases for r in both):
                continue
            state = replace(
                bench.state,
                session=replace(bench.session, phase=phase),
                alarms={f"{hider}/x": alarm},
            )
            judged = [item.id for item in judge(state, {hider: (there,), hidden: (there,)})]
            assert judged == [hider], (hider, hidden, phase)
            unknown = replace(there, raw=None)
            judged = [item.id for item in judge(state, {hider: (unknown,), hidden: (there,)})]
            assert judged == [hider, hidden], "what is not known hides nothing"


def test_only_the_highest_alarm_sounds_and_an_acknowledged_one_does_not() -> None:
    bench = at()
    bench.values["line_in"] = 300.0
    bench.values["nasopharynx"] = 39.2
    bench.run(1)
    first = alarms.audible(bench.state)
    assert first is not None and first.id == "line_pressure_high"
    bench.command("acknowledge", occurrence=first.occurrence)
    second = alarms.audible(bench.state)
    assert second is not None and second.id == "core_warm"


@pytest.mark.requirement("RC-020")
def test_an_audio_pause_lasts_two_minutes_and_no_longer() -> None:
    bench = at()
    bench.values["nasopharynx"] = 39.2
    bench.run(1)
    bench.command("pause_audio")
    assert alarms.audible(bench.state) is None
    assert alarms.audio_paused_s(bench.state) == 120.0
    bench.run(30)
    assert alarms.audio_paused_s(bench.state) == pytest.approx(90.0)
    bench.values["line_in"] = 300.0
    bench.run(1)
    assert alarms.audio_paused_s(bench.state) == 0.0, "a new high alarm ends the pause"


def test_missing_data_keeps_the_last_value_of_an_alarm_and_says_that_its_source_is_lost() -> None:
    _, _, state = run("true true+5 none", HIGH)
    alarm = state.alarms[KEY]
    assert (alarm.value, alarm.source_lost) == (46.2, True)
    state, _ = step_of(state, "true", HIGH)
    assert not state.alarms[KEY].source_lost


SOURCES = ("a", "b", "c")
HAPPENS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 5.0, 59.0, 61.0, 121.0]),
        st.sampled_from(["look", "ack", "pause"]),
        st.tuples(*[st.sampled_from([True, False, None])] * len(SOURCES)),
    ),
    max_size=25,
)


KINDS = {"a": (True, True), "b": (False, True), "c": (False, False)}
"""Whether the alarm of each source latches, and whether it escalates."""


def of_source(source: str, raw: bool | None, priority: Priority) -> Judged:
    latches, escalates = KINDS[source]
    judged = rule(raw, priority, latches=latches, escalates=escalates)
    return replace(judged, finding=replace(judged.finding, source=source))


def moved(
    state: State, what: str, raws: tuple[bool | None, ...], priorities: tuple[Priority, ...]
) -> tuple[State, list[AlarmChanged]]:
    """One happening in a room with three alarms."""
    if what == "ack":
        first = next(iter(alarms.ranked(state)), None)
        done = alarms.acknowledge(state, first.occurrence, "P. One") if first else None
        return (done[0], [done[1]]) if done else (state, [])
    if what == "pause":
        until = state.now.mono_ns + int(alarms.AUDIO_PAUSE_S * 1e9)
        return replace(state, audio_paused_until_ns=until), []
    seen_now = zip(SOURCES, raws, priorities, strict=True)
    return alarms.advance(state, [of_source(*one) for one in seen_now])


def broken_in_the_room(
    before: State,
    what: str,
    raws: tuple[bool | None, ...],
    after: State,
    effects: list[AlarmChanged],
) -> Iterator[str]:
    sounding = [a for a in after.alarms.values() if a.state in (ACTIVE, LATCHED)]
    audible, paused = alarms.audible(after), alarms.audio_paused_s(after) > 0
    if bool(sounding) is not (audible is not None) and not paused:
        yield "something active or latched sounds, and nothing else"
    if audible and any(alarms.RANK[a.priority] > alarms.RANK[audible.priority] for a in sounding):
        yield "only the highest sounds"
    news = [e for e in effects if e.event in alarms.ANNOUNCES and e.priority is not LOW]
    if news and paused:
        yield "a new medium or high alarm ends a pause"
    for source, raw in zip(SOURCES, raws, strict=True):
        was, now = before.alarms.get(f"rule/{source}"), after.alarms.get(f"rule/{source}")
        if was and now is None and was.state is LATCHED and what != "ack":
            yield "latched ends only by an acknowledgement"
        if was and now is None and raw is None and what == "look":
            yield "missing data clears nothing"
        if now and now.state is LATCHED and not KINDS[source][0]:
            yield "only what may latch latches"
        if now and now.priority is not now.reached and not KINDS[source][1]:
            yield "only what may escalate escalates"
        if was and now and alarms.RANK[now.priority] < alarms.RANK[was.priority]:
            yield "a priority never falls by itself"
    gone = {a.occurrence for a in before.alarms.values() if a.state is not PENDING}
    gone -= {a.occurrence for a in after.alarms.values()}
    if not gone <= {past.occurrence for past in after.past_alarms}:
        yield "what is over stays in the list"


@pytest.mark.requirement("RC-018", "RC-019", "RC-020", "RC-069")
@settings(max_examples=150, deadline=None, derandomize=True)
@given(happens=HAPPENS, priorities=st.tuples(*[st.sampled_from([LOW, MEDIUM, HIGH])] * 3))
def test_no_order_of_events_breaks_a_rule_in_a_room_with_several_alarms(
    happens: list[tuple[float, str, tuple[bool | None, ...]]], priorities: tuple[Priority, ...]
) -> None:
    state = initial(started())
    for seconds, what, raws in happens:
        state = later(state, seconds)
        after, effects = moved(state, what, raws, priorities)
        assert list(broken_in_the_room(state, what, raws, after, effects)) == []
        state = after
