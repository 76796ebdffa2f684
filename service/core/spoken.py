"""What people say: acknowledgements, notes, volumes, readings by hand, requests and answers."""

from service.core import alarms
from service.core.asked import (
    Done,
    Handler,
    Refusal,
    number_arg,
    recorded,
    session_of,
    text_arg,
    who,
)
from service.core.changing import replace
from service.core.events import Command
from service.core.state import State


def acknowledge(state: State, command: Command) -> Done:
    """Acknowledge one occurrence of an alarm."""
    found = alarms.acknowledge(state, text_arg(command, "occurrence"), who(command))
    if found is None:
        raise Refusal("this alarm is not sounding any more")
    state, effect = found
    return Done(state=state, effects=(effect,))


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
    if kind not in ("in", "out"):
        raise Refusal("kind must be in or out")
    if kind == "in":
        session = replace(session, volume_in_ml=session.volume_in_ml + ml)
    else:
        session = replace(session, volume_out_ml=session.volume_out_ml + ml)
    fact = recorded(state, command, "volume", f"Volume {kind}: {ml:.0f} ml")
    return Done(state=replace(state, session=session), effects=(fact,))


def enter_core(state: State, command: Command) -> Done:
    """A core temperature read from another monitor."""
    value = number_arg(command, "c", 30, 43)
    return Done(
        state=state,
        effects=(recorded(state, command, "core", f"Core read by hand {value:.1f} °C"),),
    )


def say(kind: str) -> Handler:
    """A request from anesthesia, or the pump's answer to it: recorded and shown."""

    def handler(state: State, command: Command) -> Done:
        text = text_arg(command, "kind").replace("_", " ")
        return Done(state=state, effects=(recorded(state, command, kind, text),))

    return handler
