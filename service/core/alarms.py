"""The alarm state machine: from a condition that is true, false or unknown to what is signalled.

Designed with IEC 60601-1-8 in mind. One alarm per condition and source; delays run in treatment
seconds, the times that concern people (acknowledge time-out, escalation, audio pause) in real ones.

| from    | event                        | to                                   |
|---------|------------------------------|--------------------------------------|
| idle    | true                         | pending (its delay starts)           |
| pending | false                        | idle                                 |
| pending | delay over, data or not      | active: onset                        |
| active  | false, not latching          | idle: cleared                        |
| active  | false, latching              | latched: cleared                     |
| active  | acknowledge                  | acked                                |
| active  | escalation time over         | active, one priority up: escalated   |
| acked   | false                        | idle: cleared                        |
| acked   | acknowledge time-out         | active: reannounced                  |
| latched | true                         | active: onset                        |
| latched | acknowledge                  | idle                                 |
| any     | unknown (no valid data)      | the same; missing never clears       |
| raised  | unknown for the first time   | the same: source_lost                |
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from service.core.changing import replace
from service.core.effects import AlarmChanged
from service.core.model import Instant, Presence, Priority
from service.core.state import Alarm, AlarmState, PastAlarm, State

AUDIO_PAUSE_S = 120.0
ESCALATION_S = 60.0
"""Defaults of this project (general practice at the bedside; a site approves its own)."""

ACKNOWLEDGE_TIMEOUT_S: Mapping[Priority, float] = {
    Priority.HIGH: 120.0,
    Priority.MEDIUM: 1800.0,
    Priority.LOW: inf,
}
"""An acknowledged alarm that goes on unchanged is announced again after so long. What somebody has
seen and keeps in view must not sound all the time, or nobody listens to the next one; what grows
worse is a higher alarm of its own."""

KEPT_PAST = 50
"""So many alarms that are over stay in the list."""

ANNOUNCES = frozenset({"onset", "escalated", "reannounced"})
"""Transitions after which a person is to hear or see something new."""

RANK: Mapping[Priority, int] = {Priority.LOW: 0, Priority.MEDIUM: 1, Priority.HIGH: 2}
HIGHER: Mapping[Priority, Priority] = {
    Priority.LOW: Priority.MEDIUM,
    Priority.MEDIUM: Priority.HIGH,
    Priority.HIGH: Priority.HIGH,
}
PRESENCE: Mapping[AlarmState, Presence] = {
    AlarmState.PENDING: Presence.OFF,
    AlarmState.ACTIVE: Presence.ON,
    AlarmState.LATCHED: Presence.LATCHED,
    AlarmState.ACKED: Presence.ACKNOWLEDGED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule saw of one source now: true, false (as if it had said nothing), or None when
    there is no valid data."""

    source: str
    raw: bool | None
    text: str = ""
    value: float | None = None
    limit: float | None = None
    sampled: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A finding together with what its rule says about priority, delay, latching and response."""

    id: str
    priority: Priority
    delay_s: float
    latches: bool
    escalates: bool
    do: str
    finding: Finding

    @property
    def key(self) -> str:
        """The alarm's key in the state: rule and source."""
        return f"{self.id}/{self.finding.source}"


def advance(state: State, judged: Iterable[Judged]) -> tuple[State, list[AlarmChanged]]:
    """Move every alarm by what its rule saw now; an alarm that no rule saw is over."""
    seen = {item.key: item for item in judged}
    if not seen and not state.alarms:
        return state, []
    alarms = dict(state.alarms)
    effects: list[AlarmChanged] = []
    occurrences = state.occurrences
    past: tuple[PastAlarm, ...] = ()
    for key in {**seen, **state.alarms}:
        before, item = alarms.get(key), seen.get(key)
        after, event = _move(state, before, item, occurrences)
        occurrences += before is None and after is not None
        _keep(alarms, key, after)
        if event and (shown := after or before):
            effects.append(_changed(state, shown, event, gone=after is None))
            past += () if after else (_past(state, shown),)
    paused_until = None if _ends_pause(effects) else state.audio_paused_until_ns
    return (
        replace(
            state,
            alarms=alarms,
            occurrences=occurrences,
            audio_paused_until_ns=paused_until,
            past_alarms=(*state.past_alarms, *past)[-KEPT_PAST:] if past else state.past_alarms,
        ),
        effects,
    )


def acknowledge(state: State, occurrence: str, by: str) -> tuple[State, AlarmChanged] | None:
    """Acknowledge one occurrence; None when it is not sounding (any more)."""
    for key, alarm in state.alarms.items():
        if alarm.occurrence != occurrence:
            continue
        if alarm.state not in (AlarmState.ACTIVE, AlarmState.LATCHED):
            return None
        alarms = dict(state.alarms)
        over = alarm.state is AlarmState.LATCHED
        after = replace(alarm, state=AlarmState.ACKED, acked_ns=state.now.mono_ns)
        _keep(alarms, key, None if over else after)
        effect = _changed(state, alarm if over else after, "acknowledged", gone=over, by=by)
        past = (*state.past_alarms, _past(state, alarm)) if over else state.past_alarms
        return replace(state, alarms=alarms, past_alarms=past[-KEPT_PAST:]), effect
    return None


def seen(state: State, occurrence: str, by: str) -> State | None:
    """Somebody has seen one occurrence, which goes on as before; None when it is not there."""
    for key, alarm in state.alarms.items():
        if alarm.occurrence == occurrence and alarm.state is not AlarmState.PENDING:
            return replace(state, alarms={**state.alarms, key: replace(alarm, seen_by=by)})
    return None


def audible(state: State) -> Alarm | None:
    """The one alarm that sounds now: the highest active or latched one, unless audio is paused."""
    if audio_paused_s(state) > 0:
        return None
    sounding = (AlarmState.ACTIVE, AlarmState.LATCHED)
    return next((alarm for alarm in ranked(state) if alarm.state in sounding), None)


def audio_paused_s(state: State) -> float:
    """Real seconds left of the audio pause; 0 when sound is on."""
    until = state.audio_paused_until_ns
    return 0.0 if until is None else max(0.0, (until - state.now.mono_ns) / 1e9)


def ranked(state: State) -> list[Alarm]:
    """All alarms that are signalled, the highest and newest first."""
    shown = [a for a in state.alarms.values() if a.state is not AlarmState.PENDING]
    return sorted(
        shown,
        key=lambda a: (a.state is not AlarmState.ACKED, RANK[a.priority], a.active_since_ns),
        reverse=True,
    )


def is_signalled(state: State, rule: str, source: str) -> bool:
    """True while this alarm's condition holds, so that its dead-band applies."""
    alarm = state.alarms.get(f"{rule}/{source}")
    return alarm is not None and is_raised(alarm)


def is_raised(alarm: Alarm) -> bool:
    """True while the alarm's condition holds: active or acknowledged."""
    return alarm.state in (AlarmState.ACTIVE, AlarmState.ACKED)


def _keep(alarms: dict[str, Alarm], key: str, alarm: Alarm | None) -> None:
    if alarm is None:
        alarms.pop(key, None)
    else:
        alarms[key] = alarm


def _move(
    state: State, alarm: Alarm | None, item: Judged | None, occurrences: int
) -> tuple[Alarm | None, str]:
    """The alarm after this finding, and the event to record ("" for none)."""
    raw = item.finding.raw if item else False
    if item is None or raw is False:
        return _ended(alarm) if alarm else (None, "")
    lost = ""
    if alarm is not None:
        had_source, alarm = not alarm.source_lost, _refreshed(alarm, item)
        lost = "source_lost" if had_source and alarm.source_lost else ""
    elif raw:
        alarm = _pending(state, item, f"{state.boot}-{occurrences + 1}")
    else:
        return None, ""
    match alarm.state:
        case AlarmState.PENDING:
            if state.treat_s - alarm.pending_since_s >= item.delay_s:
                return _onset(state, alarm, item), "onset"
        case AlarmState.LATCHED:
            if raw:
                return _onset(state, alarm, item), "onset"
        case AlarmState.ACTIVE:
            after, event = _escalated(state, alarm, item)
            return after, event or lost
        case AlarmState.ACKED:
            waited_s = (state.now.mono_ns - alarm.acked_ns) / 1e9
            if waited_s >= ACKNOWLEDGE_TIMEOUT_S[alarm.priority]:
                return _active(state, alarm), "reannounced"
            return alarm, lost
    return alarm, ""


def _pending(state: State, item: Judged, occurrence: str) -> Alarm:
    return _refreshed(
        Alarm(
            id=item.id,
            source=item.finding.source,
            state=AlarmState.PENDING,
            priority=item.priority,
            reached=item.priority,
            occurrence=occurrence,
            latches=item.latches,
            do=item.do,
            pending_since_s=state.treat_s,
        ),
        item,
    )


def _refreshed(alarm: Alarm, item: Judged) -> Alarm:
    """The alarm with what the rule sees now; the text and value of the last valid sight stay."""
    seen = item.finding
    if seen.raw is None:
        return alarm if alarm.source_lost else replace(alarm, source_lost=True)
    return replace(
        alarm,
        source_lost=False,
        text=seen.text,
        value=seen.value,
        limit=seen.limit,
        sampled=seen.sampled or alarm.sampled,
    )


def _active(state: State, alarm: Alarm) -> Alarm:
    return replace(
        alarm,
        state=AlarmState.ACTIVE,
        active_since_ns=state.now.mono_ns,
        decided_ns=state.now.mono_ns,
        seen_by="",
    )


def _onset(state: State, alarm: Alarm, item: Judged) -> Alarm:
    onset = replace(_active(state, alarm), since_utc_ns=state.now.utc_ns)
    reached = max(alarm.reached, item.priority, key=RANK.__getitem__)
    return replace(onset, reached=reached)


def _escalated(state: State, alarm: Alarm, item: Judged) -> tuple[Alarm, str]:
    waited_s = (state.now.mono_ns - alarm.active_since_ns) / 1e9
    if not item.escalates or alarm.priority is Priority.HIGH or waited_s < ESCALATION_S:
        return alarm, ""
    higher = HIGHER[alarm.priority]
    return replace(_active(state, alarm), priority=higher, reached=higher), "escalated"


def _ended(alarm: Alarm) -> tuple[Alarm | None, str]:
    """The alarm when its condition is no longer true."""
    match alarm.state:
        case AlarmState.PENDING:
            return None, ""
        case AlarmState.LATCHED:
            return alarm, ""
        case AlarmState.ACTIVE if alarm.latches and alarm.reached is Priority.HIGH:
            return replace(alarm, state=AlarmState.LATCHED), "cleared"
    return None, "cleared"


def _changed(state: State, alarm: Alarm, event: str, *, gone: bool, by: str = "") -> AlarmChanged:
    return AlarmChanged(
        at=state.now,
        id=alarm.id,
        source=alarm.source,
        occurrence=alarm.occurrence,
        event=event,
        priority=alarm.priority,
        presence=Presence.OFF if gone else PRESENCE[alarm.state],
        text=alarm.text,
        do=alarm.do,
        value=alarm.value,
        limit=alarm.limit,
        sampled=alarm.sampled,
        by=by,
    )


def _past(state: State, alarm: Alarm) -> PastAlarm:
    return PastAlarm(
        id=alarm.id,
        source=alarm.source,
        occurrence=alarm.occurrence,
        priority=alarm.priority,
        text=alarm.text,
        since_utc_ns=alarm.since_utc_ns,
        until_utc_ns=state.now.utc_ns,
    )


def _ends_pause(effects: list[AlarmChanged]) -> bool:
    """A new medium or high onset, escalation or re-announcement ends an audio pause."""
    return any(
        effect.event in ANNOUNCES and effect.priority is not Priority.LOW for effect in effects
    )
