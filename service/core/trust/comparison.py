"""Probes compared before use with an independent reference, in the primed circuit near 42 °C.

A person enters what the reference says. Without a named probe all probes of the circuit are
compared; one that was exchanged, or a catheter held beside the reference, by its name.
"""

from collections.abc import Iterator, Mapping

from service.core import channels
from service.core.alarms import Finding
from service.core.asked import Done, Refusal, number_arg, recorded, session_of, who
from service.core.changing import replace
from service.core.effects import Effect
from service.core.events import Command
from service.core.model import Channel, Role, Unit
from service.core.state import Confirmed, Session, State
from service.core.trust.looks import looked_after
from service.core.trust.memory import Check, Compared, Doubt, Suspect, Trust
from service.core.trust.standing import kept, watched, with_suspect, without

CIRCUIT = (Role.INFLOW, Role.OUTFLOW, Role.RESERVOIR, Role.EXCHANGER)
ITEM = "probe_comparison"
"""The checklist item that a comparison without a difference confirms."""


def compare_probes(state: State, command: Command) -> Done:
    """Compare the circuit's probes, or the one that is named, with the reference (°C)."""
    session = session_of(state)
    if not watched(state):
        raise Refusal(f"nothing to compare in phase {session.phase}: prime the circuit first")
    low, high = session.protocol.trust.comparison_range_c
    reference_c = number_arg(command, "c", low, high)
    probes = _named(state, command)
    found = {}
    for channel in probes:
        sample = channels.believed(state, channel)
        if sample is None or sample.value is None:
            raise Refusal(f"{channels.label(channel)} gives no value: nothing to compare")
        found[channel.id] = Compared(
            at=state.now, value_c=sample.value, reference_c=reference_c, by=who(command)
        )
    session = replace(session, compared={**session.compared, **found})
    trust = _judged(state, session, found)
    apart = failures(state, session)
    effects: list[Effect] = [recorded(state, command, "comparison", _text(state, found))]
    if not apart and not command.args.get("channel") and _has_item(session):
        confirmed = Confirmed(at=state.now, by=who(command))
        session = replace(session, checklist={**session.checklist, ITEM: confirmed})
    worst = max(abs(one.value_c - reference_c) for one in found.values())
    return Done(
        state=replace(state, session=session, trust=trust),
        effects=tuple(effects),
        requested=reference_c,
        granted=reference_c,
        limited_by=f"largest difference {worst:.2f} °C" if apart else "",
    )


def failures(state: State, session: Session) -> list[str]:
    """The probes whose last comparison was too far off, each in words."""
    limit_k = session.protocol.trust.comparison_k
    return [
        f"{channels.named(state.room, name)} {one.value_c:.2f} °C, reference "
        f"{one.reference_c:.2f}: "
        f"{abs(one.value_c - one.reference_c):.2f} °C apart, at most {limit_k:g}"
        for name, one in session.compared.items()
        if is_off(session, one)
    ]


def within_limits(state: State, session: Session) -> str:
    """What keeps the patient from being connected: probes that differ from the reference."""
    return "; ".join(failures(state, session))


def differs(state: State, session: Session) -> Iterator[Finding]:
    """A probe that differed from the reference, until it is exchanged and compared again."""
    limit_k = session.protocol.trust.comparison_k
    for text, (name, one) in zip(
        failures(state, session),
        ((n, c) for n, c in session.compared.items() if is_off(session, c)),
        strict=True,
    ):
        value = one.value_c - one.reference_c
        yield Finding(source=name, raw=True, text=text, value=value, limit=limit_k, sampled=one.at)


def was_compared(state: State) -> bool:
    """Whether every probe of the circuit was compared in figures."""
    session = state.session
    return session is not None and all(probe.id in session.compared for probe in _circuit(state))


def skipped(state: State, item: str, reason: str) -> str:
    """Why the comparison is left out ("" when it was made, or for another item).

    Refused without figures and without a reason.
    """
    if item != ITEM or was_compared(state):
        return ""
    if not reason.strip():
        raise Refusal(
            "enter what the reference reads and compare the circuit's probes, or give a reason for "
            "going on without"
        )
    return reason.strip()


def why_not_compared(session: Session | None) -> str:
    """Why not every probe of the circuit was compared, for the strip of what is not guarded."""
    confirmed = None if session is None else session.checklist.get(ITEM)
    said = f": {confirmed.skipped}" if confirmed is not None and confirmed.skipped else ""
    return f"not compared in figures with an independent reference{said}"


def confirmed_again(state: State, item: str) -> State:
    """A person has looked at every probe: what only a look can lift is looked at anew."""
    if item != "probe_map":
        return state
    past = replace(state.past, usual_k={})
    return replace(state, trust=looked_after(state.trust), past=past)


def _named(state: State, command: Command) -> tuple[Channel, ...]:
    name = command.args.get("channel")
    if not name:
        return _circuit(state)
    channel = channels.by_id(state.room).get(str(name))
    if channel is None or channel.unit is not Unit.DEG_C:
        known = ", ".join(c.id for c in state.room.channels if c.unit is Unit.DEG_C)
        raise Refusal(f"there is no probe {name!r}: {known}")
    return (channel,)


def _circuit(state: State) -> tuple[Channel, ...]:
    return tuple(channel for channel in state.room.channels if channel.role in CIRCUIT)


def is_off(session: Session, one: Compared) -> bool:
    """Whether this probe lay further from the reference than the protocol allows."""
    return round(abs(one.value_c - one.reference_c), 3) > session.protocol.trust.comparison_k


def _judged(state: State, session: Session, found: Mapping[str, Compared]) -> Trust:
    suspects = state.trust.suspects
    for name, one in found.items():
        suspect = suspects.get(name, Suspect())
        doubts = without(suspect.doubts, Check.BIAS)
        if is_off(session, one):
            text = f"{one.value_c - one.reference_c:+.2f} °C off the reference"
            doubts = kept(doubts, Doubt(check=Check.BIAS, text=text))
        suspects = with_suspect(suspects, name, replace(suspect, doubts=doubts))
    return replace(state.trust, suspects=suspects)


def _has_item(session: Session) -> bool:
    return any(item.id == ITEM for item in session.protocol.checklist)


def _text(state: State, found: Mapping[str, Compared]) -> str:
    shown = (f"{channels.named(state.room, name)} {one.value_c:.2f}" for name, one in found.items())
    reference_c = next(iter(found.values())).reference_c
    return f"Probes compared with {reference_c:.2f} °C: {', '.join(shown)}"
