"""The enrolled displays: which are there and can sound, who has seen what, and the computer itself.

Only a display at an enrolled station counts here; every other page is for information only.
"""

from collections.abc import Iterator, Mapping

from service.core.alarms import Finding
from service.core.asked import Refusal
from service.core.changing import replace
from service.core.effects import Effect, Recorded
from service.core.events import DisplayChanged, HostNoticed
from service.core.model import PersonRole, Priority
from service.core.state import AlarmState, Display, Session, State

NOT_SEEN_S = 60.0
"""So long anesthesia has for "seen" (real seconds; this project's figure, a site approves it)."""

SOUND_ITEM = "audio"
"""The checklist item that says that the alarms' sound was heard."""

DISK, CONFIGURATION = "disk", "configuration"
"""What is noticed of the computer."""

CONCERNS_ANESTHESIA = frozenset(
    {
        "core_ceiling",
        "core_high",
        "core_warm",
        "core_forecast",
        "core_by_site",
        "core_lost",
        "core_rising",
        "core_cool",
        "inflow_isolate",
        "inflow_still_high",
        "inflow_high",
        "site_still_high",
        "site_ceiling",
        "iap_high",
        "iap_warn",
        "volume_shift",
        "leak",
        "no_flow",
        "bubble",
        "emergency_stop",
        "patient_unstable",
        "contact_overtime",
        "overtime",
        "treatment_over",
        "fraction_due",
        "fraction_late",
        "reminder_due",
        "display_lost",
        "audio_lost",
    }
)
"""Alarms that anesthesia acts on: the patient's heat, pressure and volume, drugs, their screen."""


def changed(state: State, event: DisplayChanged) -> tuple[State, list[Effect]]:
    """Remember what the display can do now; one that leaves while nobody is treated is forgotten.

    A line for the record when it comes, goes, or its sound does.
    """
    before = state.displays.get(event.display)
    others = {name: one for name, one in state.displays.items() if name != event.display}
    text = f"{_title(event.display)}: {_words(event)}"
    effects: list[Effect] = [Recorded(at=state.now, kind="display", text=text)]
    if not event.present and (state.session is None or before is None):
        return replace(state, displays=others), effects
    known = before is not None and before.armed
    display = Display(
        role=event.role,
        present=event.present,
        audible=event.audible and event.present,
        armed=known or event.audible,
        since=state.now,
        reason=event.reason,
    )
    return replace(state, displays={**others, event.display: display}), effects


def _words(event: DisplayChanged) -> str:
    if not event.present:
        return f"lost, {event.reason or 'not heard'}"
    return "there, its sound is on" if event.audible else "there, its sound is off"


def noticed(state: State, event: HostNoticed) -> tuple[State, list[Effect]]:
    """Something about the computer began or ended."""
    host = {what: text for what, text in state.host.items() if what != event.what}
    if event.text:
        host[event.what] = event.text
    text = event.text or f"{event.what.capitalize()}: in order again"
    return replace(state, host=host), [Recorded(at=state.now, kind="host", text=text)]


def present(state: State) -> Mapping[str, Display]:
    """The displays that are there now: a treatment that begins counts on no others."""
    return {name: display for name, display in state.displays.items() if display.present}


def display_lost(state: State, session: Session) -> Iterator[Finding]:
    """An enrolled display that was there is not heard, or nobody can see it."""
    for name, display in state.displays.items():
        if not display.present:
            text = f"{_title(name)} is lost: {display.reason or 'not heard for 2 s'}"
            yield Finding(source=name, raw=True, text=text)


def audio_lost(state: State, session: Session) -> Iterator[Finding]:
    """A display whose sound was heard can no longer sound."""
    for name, display in state.displays.items():
        if display.present and display.armed and not display.audible:
            text = f"{_title(name)} cannot sound: its alarms are silent there"
            yield Finding(source=name, raw=True, text=text)


def silent(state: State) -> Iterator[tuple[str, str]]:
    """Displays whose sound nobody has confirmed to hear, and why that matters."""
    for name, display in state.displays.items():
        if display.present and not display.armed:
            yield _named(name), "nobody has confirmed to hear the test tone"
    confirmed = None if state.session is None else state.session.checklist.get(SOUND_ITEM)
    if confirmed is not None and confirmed.skipped and _unheard(state):
        yield "the displays", f"not heard before use: {confirmed.skipped}"


def skipped_sound(state: State, item: str, reason: str) -> str:
    """Why the sound was not heard ("" when it was, or for another item).

    Refused while a display that should sound was not heard, and no reason is given.
    """
    if item != SOUND_ITEM or not (unheard := _unheard(state)):
        return ""
    if not reason.strip():
        raise Refusal(
            f"{'; '.join(unheard)}: play the test tone there and press Heard, "
            "or give a reason for going on without"
        )
    return reason.strip()


def _unheard(state: State) -> list[str]:
    """What keeps the sound from counting as heard: every display that is there has to sound, and
    one of them has to be the perfusionist's."""
    there = present(state)
    found = [
        f"the test tone was not heard at {_named(name)}"
        for name, display in there.items()
        if not display.audible
    ]
    if all(display.role is not PersonRole.PERFUSIONIST for display in there.values()):
        found.insert(0, "no display of an enrolled perfusionist's station is there to sound")
    return found


def heard_at(state: State, item: str) -> str:
    """Where the sound was heard, for the record; empty for another item."""
    heard = [_named(name) for name, display in present(state).items() if display.audible]
    return f". Heard at: {', '.join(heard)}" if item == SOUND_ITEM and heard else ""


def not_seen(state: State, session: Session) -> Iterator[Finding]:
    """A high alarm that concerns anesthesia stands, and for a minute nobody there has seen it.

    Only where anesthesia has a display at all; without one it is the perfusionist who tells them.
    """
    if not state.alarms or not state.displays:
        return
    if all(display.role is not PersonRole.ANESTHESIA for display in state.displays.values()):
        return
    for alarm in state.alarms.values():
        waits = alarm.state is not AlarmState.PENDING and alarm.priority is Priority.HIGH
        if not waits or alarm.seen_by or alarm.id not in CONCERNS_ANESTHESIA:
            continue
        if (state.now.mono_ns - alarm.active_since_ns) / 1e9 >= NOT_SEEN_S:
            text = f"Anesthesia has not seen: {alarm.text}"
            yield Finding(source="", raw=True, text=text, limit=NOT_SEEN_S)
            return


def of_host(what: str, state: State) -> Iterator[Finding]:
    """What stands about the computer, in its own words."""
    if text := state.host.get(what):
        yield Finding(source="", raw=True, text=text)


def disk_low(state: State) -> Iterator[Finding]:
    """The disk with the record is nearly full."""
    return of_host(DISK, state)


def configuration_differs(state: State, session: Session) -> Iterator[Finding]:
    """The room is configured otherwise than in the session before."""
    return of_host(CONFIGURATION, state)


def _named(name: str) -> str:
    return f"{name.replace('_', ' ')}'s display"


def _title(name: str) -> str:
    return _named(name).capitalize()
