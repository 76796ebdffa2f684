"""What people say: acknowledgements, notes, volumes, readings by hand, what was seen."""

from service.core import alarms, ledger
from service.core.asked import (
    Done,
    Refusal,
    number_arg,
    recorded,
    session_of,
    text_arg,
    who,
)
from service.core.changing import replace
from service.core.events import Command
from service.core.model import PersonRole
from service.core.state import ByHand, Moved, State


def acknowledge(state: State, command: Command) -> Done:
    """Acknowledge one occurrence of an alarm; who does so for anesthesia has seen it too."""
    occurrence, by = text_arg(command, "occurrence"), who(command)
    found = alarms.acknowledge(state, occurrence, by)
    if found is None:
        raise Refusal("this alarm is not sounding any more")
    state, effect = found
    if _is_anesthesia(state, command):
        state = alarms.seen(state, occurrence, by) or state
    return Done(state=state, effects=(effect,))


def seen(state: State, command: Command) -> Done:
    """Somebody has seen an alarm; it sounds and stands as before.

    Only anesthesia's word answers the wait for it: whoever runs the pump cannot see for them.
    """
    occurrence, by = text_arg(command, "occurrence"), who(command)
    after = alarms.seen(state, occurrence, by)
    if after is None:
        raise Refusal("this alarm is over")
    text = next(alarm.text for alarm in after.alarms.values() if alarm.occurrence == occurrence)
    fact = recorded(state, command, "seen", f"Seen: {text}")
    return Done(state=after if _is_anesthesia(state, command) else state, effects=(fact,))


def _is_anesthesia(state: State, command: Command) -> bool:
    """Anesthesia by name, or nobody by name at a screen that is enrolled for them."""
    by = command.by
    display = state.displays.get(by.station)
    theirs = display is not None and display.role is PersonRole.ANESTHESIA
    return by.role is PersonRole.ANESTHESIA or (theirs and not by.user)


def pause_audio(state: State, command: Command) -> Done:
    """Silence what sounds now for two minutes; anything new sounds."""
    until = state.now.mono_ns + int(alarms.AUDIO_PAUSE_S * 1e9)
    fact = recorded(state, command, "audio_pause", f"Audio paused {alarms.AUDIO_PAUSE_S:.0f} s")
    return Done(state=replace(state, audio_paused_until_ns=until), effects=(fact,))


def note(state: State, command: Command) -> Done:
    """A line of a person for the record."""
    return Done(state=state, effects=(recorded(state, command, "note", text_arg(command, "text")),))


def volume(state: State, command: Command) -> Done:
    """A volume that was put in or taken out."""
    session = session_of(state)
    ml = number_arg(command, "ml", 0, 20_000)
    kind = text_arg(command, "kind")
    if kind not in ledger.IN and kind not in ledger.OUT:
        raise Refusal(f"kind must be one of {', '.join((*ledger.IN, *ledger.OUT))}")
    in_ml, out_ml = (ml, 0.0) if kind in ledger.IN else (0.0, ml)
    session = replace(
        session,
        volume_in_ml=session.volume_in_ml + in_ml,
        volume_out_ml=session.volume_out_ml + out_ml,
        moved=(*session.moved, Moved(at_s=state.treat_s, kind=kind, ml=ml)),
    )
    text = f"Volume {kind.replace('_', ' ')}: {ml:.0f} ml"
    fact = recorded(state, command, "volume", text)
    return Done(state=replace(state, session=session), effects=(fact,))


def enter_core(state: State, command: Command) -> Done:
    """A core temperature read from another monitor: for five minutes it counts for alarms."""
    value = number_arg(command, "c", 20, 45)
    site = str(command.args.get("site") or "")
    fact = recorded(state, command, "core", f"Core read by hand {value:.1f} °C {site}".rstrip())
    if state.session is not None:
        entry = ByHand(value_c=value, at_s=state.treat_s, site=site, entered=state.now)
        state = replace(state, session=replace(state.session, core_by_hand=entry))
    return Done(state=state, effects=(fact,))
