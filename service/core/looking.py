"""The armed rules look at the state; those that nothing has happened to are not asked again.

A rule that found nothing in the pass before finds nothing now unless something that it watches has
changed. What it watches stands in `WATCHED`, per rule: roles whose readings it looks at, and the
facets below. A rule that is not in the table, and one that found something, looks in every pass.
Everything else that a rule may see (phase, limits, blocks, links ...) seldom changes: when it does,
when a reading or a drive's word reaches its age limit, or when a reading is older than the newest
event, every rule looks.

What was seen is kept beside the state, never in it: it follows from the state, so a state that
comes without it (from the journal) is looked at in full and gives the same.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from protocols.schema import Technique
from service.core import channels
from service.core.alarm_table import DOUBT_RULES, ROOM_RULES, RULES, Found, RoomRule, Rule, armed
from service.core.alarms import Finding
from service.core.events import Event, Frame
from service.core.model import Phase, Role, Room, Sample, Validity
from service.core.state import Session, State


class Facet(StrEnum):
    """What a rule may watch beside the readings of a role."""

    TIME = "time"
    """Time passing and the session's clocks."""
    HEAT = "heat"
    """What the heat controller wants and expects."""
    DRIVES = "drives"
    """What is wanted of heater, pump and contactors, and what they say of themselves."""
    LOST = "lost"
    """A reading, of any role, that has no valid value."""


Watch = Role | Facet

WATCHED: Mapping[str, tuple[Watch, ...]] = {
    "inflow_isolate": (Role.INFLOW,),
    "inflow_high": (Role.INFLOW,),
    "inflow_above_set": (Role.INFLOW, Facet.HEAT),
    "site_ceiling": (Role.SITE,),
    "site_hot": (Role.SITE,),
    "site_warm": (Role.SITE,),
    "sites_low": (Role.SITE, Facet.TIME),
    "core_ceiling": (Role.CORE,),
    "core_high": (Role.CORE,),
    "core_warm": (Role.CORE,),
    "core_by_site": (Role.CORE,),
    "core_lost": (Facet.LOST,),
    "bath_high": (Role.BATH,),
    "reservoir_high": (Role.RESERVOIR,),
    "line_pressure_high": (Role.LINE_IN,),
    "iap_high": (Role.IAP,),
    "iap_warn": (Role.IAP,),
    "suction_high": (Role.LINE_OUT,),
    "emergency_stop": (Role.EMERGENCY_STOP,),
    "bubble": (Role.BUBBLE,),
    "reservoir_empty": (Role.LEVEL_LOW,),
    "reservoir_low": (Role.LEVEL,),
    "volume_shift": (),
    "leak": (),
    "cut_out": (Role.CUT_OUT,),
    "contactor_open": (Facet.DRIVES,),
    "pump_stopped": (Facet.DRIVES,),
    "heater_stopped": (Facet.DRIVES,),
    "no_flow": (Role.FLOW, Facet.DRIVES),
    "flow_low": (Role.FLOW, Facet.DRIVES),
    "flow_high": (Role.FLOW,),
    "flow_differs": (Role.FLOW, Facet.DRIVES),
    "heater_not_off": (Facet.DRIVES, Facet.TIME),
    "pump_not_off": (Facet.DRIVES, Facet.TIME),
    "probe_bias": (),
    **{rule.id: () for rule in DOUBT_RULES},
    "probe_lost": (Facet.LOST,),
    "site_lost": (Facet.LOST,),
    "sites_few": (Facet.LOST,),
    "automatic_lost": (Facet.HEAT,),
    "treatment_over": (Facet.TIME,),
    "contact_overtime": (Facet.TIME,),
    "overtime": (Facet.TIME,),
    "fraction_due": (Facet.TIME,),
    "drive_link_lost": (Facet.DRIVES,),
    "link_lost": (Facet.DRIVES,),
    "channel_stale": (),
    "drive_unknown": (Facet.DRIVES,),
    "frame_errors": (),
    "wrong_time": (),
    "not_durable": (),
    "supervisor_lost": (),
}
"""What may make a rule find something that it did not find in the pass before."""

NEVER_NS = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the rules found in one pass, in which state, and until when age alone changes nothing.

    `seldom` is what seldom changes of that state; `until_ns` is monotonic.
    """

    state: State
    found: Found
    seldom: tuple[object, ...]
    until_ns: int


def _all_but(cls: type, *changing: str) -> Callable[[Any], tuple[object, ...]]:
    return attrgetter(*(field.name for field in fields(cls) if field.name not in changing))


OF_ROOM = _all_but(
    State,
    *("now", "treat_s", "processed", "occurrences", "samples", "over_ceiling", "iap_window"),
    *("statuses", "session", "alarms", "audio_paused_until_ns", "commands", "notes"),
    *("heater", "pump", "contactor", "past"),
)
OF_SESSION = _all_but(Session, "clocks", "heat")
"""What seldom changes is all that is not named here: a new field counts as seldom changing, which
is slow where it changes often, and never wrong. Of the alarms a rule sees only its own."""


def look(before: State, state: State, event: Event) -> Sight:
    """What every armed rule finds now; `before` is the state that the pass began with."""
    last: Sight | None = getattr(before, "sight", None)
    seldom = _seldom(state)
    happened = _happened(last, seldom, state, event) if last else None
    if last is None or happened is None:
        found = _looked(state, {}, _rules(state))
        return Sight(state=state, found=found, seldom=seldom, until_ns=_until_ns(state))
    asked = _asked(state, happened)
    if last.found:
        asked = (*asked, *(RULE[rule] for rule in last.found))
    found = _looked(state, last.found, asked)
    return Sight(state=state, found=found, seldom=seldom, until_ns=last.until_ns)


def remembered(state: State, sight: Sight) -> State:
    """The same state, new in this pass, with what was seen in it kept beside it."""
    object.__setattr__(state, "sight", sight)
    return state


def _looked(state: State, found: Found, rules: Iterable[Rule | RoomRule]) -> Found:
    """What was found before, with what these rules find now in place of what they found then."""
    now = dict(found)
    for rule in rules:
        if seen := _seen(rule, state):
            now[rule.id] = seen
        else:
            now.pop(rule.id, None)
    return now


def _seen(rule: Rule | RoomRule, state: State) -> tuple[Finding, ...]:
    if isinstance(rule, RoomRule):
        return tuple(rule.look(state))
    return () if state.session is None else tuple(rule.look(state, state.session))


ALL_RULES: tuple[Rule | RoomRule, ...] = (*ROOM_RULES, *RULES)
RULE: Mapping[str, Rule | RoomRule] = {rule.id: rule for rule in ALL_RULES}


def _happened(
    last: Sight, seldom: tuple[object, ...], state: State, event: Event
) -> frozenset[Watch] | None:
    """What has changed since the last look; None when every rule has to look."""
    was = last.state
    if state.now.mono_ns > last.until_ns or seldom != last.seldom:
        return None
    happened = _moved(was, state)
    if isinstance(event, Frame):
        late = event.at.mono_ns < was.now.mono_ns
        return None if late else happened | _told(was, state, event)
    return happened if state.samples is was.samples else None


def _moved(was: State, state: State) -> frozenset[Watch]:
    """What has changed beside readings and a drive's word."""
    session, then = state.session, was.session
    happened = NOTHING
    if session is not None and then is not None:
        if state.now.mono_ns != was.now.mono_ns or session.clocks is not then.clocks:
            happened |= TIME
        if session.heat is not then.heat:
            happened |= HEAT
    same = state.heater is was.heater and state.pump is was.pump
    return happened if same and state.contactor is was.contactor else happened | DRIVES


def _told(was: State, state: State, frame: Frame) -> frozenset[Watch]:
    """What a frame tells: the roles that it reads, lost readings, a drive's new word."""
    happened = _roles(state.room, tuple([reading.channel for reading in frame.readings]))
    samples = state.samples
    if any(_is_lost(samples[reading.channel]) for reading in frame.readings):
        happened |= LOST
    before = was.statuses.get(frame.device)
    if frame.status is not None and (before is None or before.drive != frame.status):
        happened |= DRIVES
    return happened


def _is_lost(sample: Sample) -> bool:
    return sample.value is None or sample.validity is not Validity.VALID


@lru_cache(maxsize=1024)
def _roles(room: Room, ids: tuple[str, ...]) -> frozenset[Watch]:
    known = channels.roles(room)
    return frozenset(known[channel] for channel in ids if channel in known)


NOTHING: frozenset[Watch] = frozenset()
TIME: frozenset[Watch] = frozenset({Facet.TIME})
HEAT: frozenset[Watch] = frozenset({Facet.HEAT})
DRIVES: frozenset[Watch] = frozenset({Facet.DRIVES})
LOST: frozenset[Watch] = frozenset({Facet.LOST})


def _seldom(state: State) -> tuple[object, ...]:
    session = state.session
    return (OF_ROOM(state), None if session is None else OF_SESSION(session))


def _rules(state: State) -> tuple[Rule | RoomRule, ...]:
    session = state.session
    if session is None:
        return ROOM_RULES
    return (*ROOM_RULES, *armed(session.phase, session.protocol.technique))


def _asked(state: State, happened: frozenset[Watch]) -> tuple[Rule | RoomRule, ...]:
    session = state.session
    if session is None:
        return _watching(None, None, happened)
    return _watching(session.phase, session.protocol.technique, happened)


@cache
def _watching(
    phase: Phase | None, technique: Technique | None, happened: frozenset[Watch]
) -> tuple[Rule | RoomRule, ...]:
    """The armed rules that may find something new after this has happened."""
    rules: tuple[Rule | RoomRule, ...] = ROOM_RULES
    if phase is not None and technique is not None:
        rules = (*ROOM_RULES, *armed(phase, technique))
    return tuple(r for r in rules if r.id not in WATCHED or not happened.isdisjoint(WATCHED[r.id]))


def _until_ns(state: State) -> int:
    """When the next reading, word or wait for a first reading is over (monotonic)."""
    ends = [
        status.at.mono_ns + round(1e9 * channels.STATUS_GONE_S)
        for status in state.statuses.values()
    ]
    for channel in state.room.channels:
        gone_ns = int(1e9 * channels.gone_s(channel))
        sample, link = state.samples.get(channel.id), state.links.get(channel.device)
        ends += [
            seen.mono_ns + gone_ns for seen in (sample and sample.at, link and link.since) if seen
        ]
    return min((end for end in ends if end >= state.now.mono_ns), default=NEVER_NS)
