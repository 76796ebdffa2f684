"""The armed rules look at the state; those that nothing has happened to are not asked again.

A rule that found nothing in the pass before finds nothing now unless something that it watches has
changed. What it watches stands in `WATCHED`, per rule: roles whose readings it looks at, and the
facets below. A rule that is not in the table, and one that found something, looks in every pass.
Everything else that a rule may see (phase, limits, blocks, links ...) seldom changes: when it does,
when a reading or a drive's word reaches its age limit, when a reading is older than the newest
event, and every ten seconds in any case, every rule looks.

What was seen is kept beside the state, never in it: it follows from the state, so a state that
comes without it (from the journal) is looked at in full and gives the same.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from protocols.schema import Limits, Technique
from service.core import calm, channels
from service.core.alarm_table import DOUBT_RULES, ROOM_RULES, RULES, Found, RoomRule, Rule, armed
from service.core.alarms import Finding
from service.core.changing import maker
from service.core.events import Event, Frame
from service.core.findings import Above
from service.core.model import DriveStatus, Phase, Role, Room
from service.core.samples import Samples
from service.core.state import Session, State, Status
from service.core.trust import frames


class Facet(StrEnum):
    """What a rule may watch beside the readings of a role."""

    TIME = "time"
    """Time passing and the session's clocks."""
    OVER = "over"
    """Time passing after the treatment clock has ended."""
    HEAT = "heat"
    """The heat controller's mode and the inflow that it expects."""
    DRIVES = "drives"
    """What is wanted of heater, pump and contactors, and what they say of themselves."""
    BALANCE = "balance"
    """What the reservoir held lately."""
    FORESIGHT = "foresight"
    """What is foreseen, and what the heater's check has summed up."""
    TRUST = "trust"
    """What stands against channels and devices."""
    LOST = "lost"
    """A reading, of any role, that has no valid value."""
    ALARMS = "alarms"
    """A pass while alarms stand that a display could show."""


Watch = Role | Facet

WATCHED: Mapping[str, tuple[Watch, ...]] = {
    "inflow_isolate": (Role.INFLOW,),
    "inflow_still_high": (Role.INFLOW,),
    "inflow_high": (Role.INFLOW,),
    "inflow_above_set": (Role.INFLOW, Facet.HEAT),
    "site_still_high": (Role.SITE, Role.INFLOW),
    "site_ceiling": (Role.SITE,),
    "site_hot": (Role.SITE,),
    "site_warm": (Role.SITE,),
    "sites_low": (Role.SITE, Facet.TIME),
    "core_ceiling": (Role.CORE,),
    "core_high": (Role.CORE,),
    "core_warm": (Role.CORE,),
    "core_forecast": (Facet.FORESIGHT, Facet.TIME),
    "core_by_site": (Role.CORE,),
    "core_lost": (Facet.LOST,),
    "core_rising": (Role.CORE,),
    "core_cool": (Role.CORE, Facet.TIME),
    "bath_high": (Role.BATH,),
    "reservoir_high": (Role.RESERVOIR,),
    "line_pressure_high": (Role.LINE_IN,),
    "line_pressure_warn": (Role.LINE_IN,),
    "patient_unstable": (),
    "iap_high": (Role.IAP,),
    "iap_warn": (Role.IAP,),
    "suction_high": (Role.LINE_OUT,),
    "emergency_stop": (Role.EMERGENCY_STOP,),
    "bubble": (Role.BUBBLE,),
    "reservoir_empty": (Role.LEVEL_LOW,),
    "reservoir_low": (Role.LEVEL,),
    "volume_shift": (Facet.BALANCE,),
    "leak": (Facet.BALANCE,),
    "cut_out": (Role.CUT_OUT,),
    "contactor_open": (Facet.DRIVES,),
    "pump_stopped": (Facet.DRIVES,),
    "heater_stopped": (Facet.DRIVES,),
    "no_flow": (Role.FLOW, Facet.DRIVES),
    "flow_low": (Role.FLOW, Facet.DRIVES),
    "flow_high": (Role.FLOW,),
    "heater_not_gaining": (Facet.FORESIGHT,),
    "heats_unasked": (Facet.FORESIGHT,),
    "flow_differs": (Role.FLOW, Facet.DRIVES),
    "heater_not_off": (Facet.DRIVES, Facet.TIME),
    "pump_not_off": (Facet.DRIVES, Facet.TIME),
    "probe_lost": (Facet.LOST,),
    "site_lost": (Facet.LOST,),
    "sites_few": (Facet.LOST,),
    "automatic_lost": (Facet.HEAT,),
    "treatment_over": (Facet.OVER,),
    "contact_overtime": (Facet.TIME,),
    "overtime": (Facet.OVER,),
    "scale_stuck": (Facet.BALANCE,),
    "request_unanswered": (Facet.TIME,),
    "not_seen": (Facet.ALARMS,),
    "display_lost": (),
    "audio_lost": (),
    "configuration_differs": (),
    "fraction_due": (Facet.TIME,),
    "fraction_late": (Facet.TIME,),
    "reminder_due": (Facet.TIME,),
    "clock_stepped": (),
    "drive_link_lost": (Facet.DRIVES, Facet.TRUST),
    "link_lost": (Facet.DRIVES, Facet.TRUST),
    "channel_stale": (Facet.TRUST,),
    "drive_unknown": (Facet.DRIVES,),
    "not_durable": (),
    "supervisor_lost": (),
    "disk_low": (),
    "probe_bias": (),
    "frame_errors": (Facet.TRUST,),
    "wrong_time": (Facet.TRUST,),
    **{rule.id: (Facet.TRUST,) for rule in DOUBT_RULES},
}
"""What may make a rule find something that it did not find in the pass before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the rules found in one pass, in which state, and until when age alone changes nothing.

    `seldom` is what seldom changes of that state; `until_ns` and `all_ns`, when every rule looked
    last, are monotonic.
    """

    state: State
    found: Found
    seldom: tuple[object, ...]
    until_ns: int
    all_ns: int


MAKE_SIGHT = maker(Sight)
ALL_LOOK_NS = 10 * 10**9
"""So long at most a rule goes unasked, should its row in the table ever be wrong (real time)."""


def _names(cls: type, *changing: str) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls) if field.name not in changing)


def _all_but(cls: type, *changing: str) -> Callable[[Any], tuple[object, ...]]:
    return attrgetter(*_names(cls, *changing))


OF_ROOM = _all_but(
    State,
    *("now", "treat_s", "processed", "occurrences", "samples", "over_ceiling", "iap_window"),
    *("statuses", "session", "alarms", "audio_paused_until_ns", "commands", "notes"),
    *("heater", "pump", "contactor", "balance_window", "trust", "past", "dose", "past_alarms"),
)
SELDOM_OF_SESSION = _names(Session, "clocks", "heat", "foresight", "heater_check", "core_above")
OF_SESSION = attrgetter(*SELDOM_OF_SESSION)
"""What seldom changes is all that is not named here: a new field counts as seldom changing, which
is slow where it changes often, and never wrong. Of the alarms a rule sees only its own."""


def look(before: State, state: State, event: Event) -> Sight:
    """What every armed rule finds now; `before` is the state that the pass began with."""
    last: Sight | None = getattr(before, "sight", None)
    seldom = _seldom(state)
    happened = None if last is None else _happened(last, seldom, state, event)
    if last is None or happened is None:
        found = _looked(state, {}, _looks(state, EVERYTHING))
        return MAKE_SIGHT(state, found, seldom, _until_ns(state), state.now.mono_ns)
    old = state.now.mono_ns > last.until_ns
    found = _looked(state, last.found, _looks(state, happened))
    if last.found:
        found = _looked(state, found, _again(last.found))
    until_ns = _until_ns(state) if old or Facet.TRUST in happened else last.until_ns
    return MAKE_SIGHT(state, found, seldom, until_ns, last.all_ns)


def remembered(state: State, sight: Sight) -> State:
    """The same state, new in this pass, with what was seen in it kept beside it."""
    object.__setattr__(state, "sight", sight)
    return state


class Ceilings:
    """The armed rules that look whether channels of a role are above their limits."""

    def __init__(self, role: Role, core_decides: bool | None, rules: tuple[Rule, ...]) -> None:
        """`rules` look through `findings.Above`, all at the same channels of this role."""
        self.role, self.rules, self._core_decides = role, rules, core_decides

    def is_calm(self, state: State, session: Session) -> bool:
        """Whether all their channels are known, and too low for any of the rules."""
        lowest = channels.once(state.room, self, session.limits, self._lowest)
        if self._core_decides is None or session.core_by_hand is not None:
            calm = channels.figures(state, self.role).all_below(lowest)
            return calm and session.core_by_hand is None
        decides = session.protocol.core_decides
        for channel in channels.of_role(state, self.role):
            if (channel.site in decides) is self._core_decides:
                sample = channels.believed(state, channel)
                if sample is None or sample.value is None or sample.value >= lowest:
                    return False
        return True

    def _lowest(self, _: Room, limits: Limits) -> float:
        looks = (rule.look for rule in self.rules)
        return min(look.calm_below(limits) for look in looks if isinstance(look, Above))


class Together:
    """Armed rules of which one look tells that none of them would find anything."""

    def __init__(self, is_calm: Callable[[State, Session], bool], rules: tuple[Rule, ...]) -> None:
        """While `is_calm` holds none of `rules` finds anything, true or unknown."""
        self.is_calm, self.rules = is_calm, rules


class Rules(NamedTuple):
    """Rules that are to look: those of the room, those asked together, and all others."""

    of_room: tuple[RoomRule, ...]
    together: tuple[Ceilings | Together, ...]
    others: tuple[Rule, ...]


def _looked(state: State, found: Found, rules: Rules) -> Found:
    """What was found before, with what these rules find now in place of what they found then."""
    now: dict[str, tuple[Finding, ...]] = dict(found)
    session = state.session
    for room_rule in rules.of_room:
        if seen := tuple(room_rule.look(state)):
            now[room_rule.id] = seen
        elif now:
            now.pop(room_rule.id, None)
    if session is None:
        return now
    for together in rules.together:
        if not together.is_calm(state, session):
            _look_at(now, together.rules, state, session)
        elif now:
            for rule in together.rules:
                now.pop(rule.id, None)
    _look_at(now, rules.others, state, session)
    return now


def _look_at(
    now: dict[str, tuple[Finding, ...]], rules: tuple[Rule, ...], state: State, session: Session
) -> None:
    for rule in rules:
        if seen := tuple(rule.look(state, session)):
            now[rule.id] = seen
        elif now:
            now.pop(rule.id, None)


def _again(found: Found) -> Rules:
    """The armed rules that found something in the pass before."""
    return Rules(
        tuple([ROOM_RULE[rule] for rule in found if rule in ROOM_RULE]),
        (),
        tuple([RULE[rule] for rule in found if rule in RULE]),
    )


ROOM_RULE: Mapping[str, RoomRule] = {rule.id: rule for rule in ROOM_RULES}
RULE: Mapping[str, Rule] = {rule.id: rule for rule in RULES}


CALM: Mapping[str, Callable[[State, Session], bool]] = {
    **dict.fromkeys(("no_flow", "flow_low", "flow_high", "flow_differs"), calm.flows),
    **dict.fromkeys(
        ("contact_overtime", "reminder_due", "fraction_due", "fraction_late"), calm.nothing_due
    ),
    **dict.fromkeys(("heater_not_off", "pump_not_off"), calm.nothing_off),
    "request_unanswered": calm.nothing_asked,
    "core_forecast": calm.forecast,
    "suction_high": calm.suction,
    "reservoir_low": calm.reservoir,
    "iap_warn": calm.abdomen,
}
"""Rules with the one look that tells of several that none of them would find anything."""


def _looks(state: State, happened: frozenset[Watch]) -> Rules:
    session = state.session
    if session is None:
        return _watching(None, None, happened)
    return _watching(session.phase, session.protocol.technique, happened)


@cache
def _watching(
    phase: Phase | None, technique: Technique | None, happened: frozenset[Watch]
) -> Rules:
    """The armed rules that may find something new after this has happened."""
    rules = () if phase is None or technique is None else armed(phase, technique)
    watching = [rule for rule in rules if _watches(rule.id, happened)]
    above: dict[tuple[Role, bool | None], list[Rule]] = {}
    calmed: dict[Callable[[State, Session], bool], list[Rule]] = {}
    others = []
    for rule in watching:
        if isinstance(rule.look, Above):
            above.setdefault((rule.look.role, rule.look.core_decides), []).append(rule)
        elif rule.id in CALM:
            calmed.setdefault(CALM[rule.id], []).append(rule)
        else:
            others.append(rule)
    return Rules(
        tuple(rule for rule in ROOM_RULES if _watches(rule.id, happened)),
        (
            *(Ceilings(*which, tuple(own)) for which, own in above.items()),
            *(Together(is_calm, tuple(own)) for is_calm, own in calmed.items()),
        ),
        tuple(others),
    )


def _watches(rule: str, happened: frozenset[Watch]) -> bool:
    watched = WATCHED.get(rule)
    return watched is None or happened is EVERYTHING or not happened.isdisjoint(watched)


def _happened(
    last: Sight, seldom: tuple[object, ...], state: State, event: Event
) -> frozenset[Watch] | None:
    """What has changed since the last look; None when every rule has to look."""
    was, now_ns = last.state, state.now.mono_ns
    if seldom != last.seldom or now_ns - last.all_ns > ALL_LOOK_NS:
        return None
    if now_ns > last.until_ns and _grown_old(last, state):
        return None
    if isinstance(event, Frame):
        if event.at.mono_ns < was.now.mono_ns:
            return None
        return _told(was, state, event, _moved(was, state))
    return _moved(was, state) if state.samples is was.samples else None


def _moved(was: State, state: State) -> frozenset[Watch]:
    """What has changed beside readings and a drive's word."""
    session, then = state.session, was.session
    happened = NOTHING
    if session is not None and then is not None:
        if state.now.mono_ns != was.now.mono_ns or session.clocks is not then.clocks:
            happened |= TIME_OVER if session.clocks.ended else TIME
        heat, before = session.heat, then.heat
        if heat.expected_c != before.expected_c or heat.controller is not before.controller:
            happened |= HEAT
        if session.foresight is not then.foresight or session.heater_check is not then.heater_check:
            happened |= FORESIGHT
    if state.alarms and state.displays:
        happened |= ALARMS
    if state.balance_window is not was.balance_window:
        happened |= BALANCE
    if state.trust is not was.trust:
        happened |= TRUST
    same = state.heater is was.heater and state.pump is was.pump
    return happened if same and state.contactor is was.contactor else happened | DRIVES


def _told(was: State, state: State, frame: Frame, happened: frozenset[Watch]) -> frozenset[Watch]:
    """What a frame tells beside: the roles that it reads, lost readings, a drive's new word."""
    samples = state.samples
    if isinstance(samples, Samples) and samples is not was.samples:
        happened |= samples.written
        if samples.lost:
            happened |= LOST
    before = was.statuses.get(frame.device)
    if frame.status is not None and (before is None or _is_news(before, frame.status, state)):
        happened |= DRIVES
    return happened


def _is_news(before: Status, drive: DriveStatus, state: State) -> bool:
    """A drive's word is news when it differs from the one before, or that is no longer believed."""
    return before.drive != drive or state.now.seconds_since(before.at) > channels.STATUS_GONE_S


NOTHING: frozenset[Watch] = frozenset()
TIME: frozenset[Watch] = frozenset({Facet.TIME})
TIME_OVER: frozenset[Watch] = frozenset({Facet.TIME, Facet.OVER})
HEAT: frozenset[Watch] = frozenset({Facet.HEAT})
DRIVES: frozenset[Watch] = frozenset({Facet.DRIVES})
FORESIGHT: frozenset[Watch] = frozenset({Facet.FORESIGHT})
BALANCE: frozenset[Watch] = frozenset({Facet.BALANCE})
TRUST: frozenset[Watch] = frozenset({Facet.TRUST})
LOST: frozenset[Watch] = frozenset({Facet.LOST})
ALARMS: frozenset[Watch] = frozenset({Facet.ALARMS})
EVERYTHING: frozenset[Watch] = frozenset((*Role, *Facet))


def _seldom(state: State) -> tuple[object, ...]:
    session = state.session
    return (OF_ROOM(state), None if session is None else OF_SESSION(session))


def _grown_old(last: Sight, state: State) -> bool:
    """Whether any of these has ended since the last look."""
    return any(last.until_ns <= end < state.now.mono_ns for end in _ends_ns(state))


def _until_ns(state: State) -> int:
    """When the next reading, word, wait for a first reading or doubt of a link ends (monotonic)."""
    ends = (end for end in _ends_ns(state) if end >= state.now.mono_ns)
    return min(ends, default=channels.NEVER_NS)


def _ends_ns(state: State) -> Iterator[int]:
    for status in state.statuses.values():
        yield status.at.mono_ns + WORD_NS
    for losses_ns in state.trust.losses_ns.values():
        yield losses_ns[-1] + frames.STAYS_NS
    samples, links = state.samples, state.links
    known = channels.tables(state.room).gone_ns
    for channel in state.room.channels:
        gone_ns = known[channel.id]
        if (sample := samples.get(channel.id)) is not None:
            yield sample.at.mono_ns + gone_ns
        if (link := links.get(channel.device)) is not None:
            yield link.since.mono_ns + gone_ns


WORD_NS = int(1e9 * channels.STATUS_GONE_S)
