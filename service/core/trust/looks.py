"""Every few seconds each device is looked at: which looks there are, and what becomes of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from service.core import channels
from service.core.alarms import Finding
from service.core.changing import maker, replace
from service.core.events import Frame
from service.core.model import FLUID, WARM, Phase, Role, Room
from service.core.samples import Samples
from service.core.state import Session, State
from service.core.trust import alone, balance, circuit, sites
from service.core.trust.memory import OF_READINGS, Check, Doubt, Past, Row, Suspect, Trust
from service.core.trust.readings import doubted, sampled
from service.core.trust.standing import counted, kept, limits_of, settled, watched, without
from service.core.trust.view import View, spans

Seen = Callable[[View], Iterator[Finding]]
SLACK_S = 1e-6
MAKE_VIEW = maker(View)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One row: a check, its function, and the phases in which it can tell anything.

    What it yields is bad (true) or cannot be told (None, nothing changes); what it does not yield
    is good. It looks at the channels of each device, or with `anchor` at the whole room, whenever
    the device of that role is looked at.
    """

    check: Check
    see: Seen
    phases: frozenset[Phase]
    anchor: Role | None = None


LOOKS: tuple[Look, ...] = (
    Look(check=Check.STUCK, see=alone.stuck, phases=FLUID),
    Look(check=Check.NOISE, see=alone.noisy, phases=FLUID),
    Look(check=Check.MOVED, see=sites.moved, phases=WARM),
    Look(check=Check.ORDER, see=circuit.out_of_order, phases=WARM, anchor=Role.INFLOW),
    Look(check=Check.TWINS, see=circuit.twins_disagree, phases=WARM, anchor=Role.INFLOW),
    Look(check=Check.LINE, see=circuit.line_differs, phases=WARM, anchor=Role.INFLOW),
    Look(check=Check.EXCHANGER, see=circuit.exchanger_differs, phases=WARM, anchor=Role.BATH),
    Look(check=Check.BALANCE, see=balance.unbalanced, phases=WARM, anchor=Role.BATH),
)


def read(state: State, frame: Frame) -> State:
    """Fold a frame's readings in, and look at its device when a look is due."""
    samples, trust = sampled(state, frame)
    if not watched(state):
        if trust.suspects:
            trust = replace(trust, suspects={})
        past = state.past if not state.past.rows else Past()
        return replace(state, samples=samples, trust=trust, past=past)
    state = replace(state, samples=samples, trust=trust)
    if state.session is not None and _is_due(state, frame.device):
        state = _looked(state, state.session, frame)
    return _marked(state, frame) if state.trust.suspects else state


def _is_due(state: State, device: str) -> bool:
    if not channels.of_device(state, device):
        return False
    rows = state.past.rows.get(device)
    return not rows or state.treat_s - rows[-1][0] >= limits_of(state).look_s - SLACK_S


def _looked(state: State, session: Session, frame: Frame) -> State:
    limits, device = session.protocol.trust, frame.device
    own = channels.of_device(state, device)
    values = tuple(_value(state, frame, channel.id) for channel in own)
    oldest_s = state.treat_s - limits.flat_s - limits.look_s
    before = state.past.rows.get(device, ())
    rows: tuple[Row, ...] = (*(r for r in before if r[0] >= oldest_s), (state.treat_s, values))
    past = replace(state.past, rows={**state.past.rows, device: rows})
    state = replace(state, past=past)
    view = MAKE_VIEW(state, session, limits, device, own, rows, {})
    view = MAKE_VIEW(state, session, limits, device, own, rows, spans(view, limits.flat_s))
    suspects = state.trust.suspects
    anchors = _anchors(state.room, device)
    for look in LOOKS:
        if session.phase not in look.phases:
            suspects = _forgotten(suspects, look.check)
        elif look.anchor is None or look.anchor in anchors:
            suspects = _after(view, look, suspects)
    if suspects is not state.trust.suspects:
        state = replace(state, trust=replace(state.trust, suspects=suspects))
    return replace(state, past=_learned(view, past))


def _value(state: State, frame: Frame, channel: str) -> float | None:
    sample = state.samples.get(channel)
    return sample.value if sample is not None and sample.at == frame.at else None


def _learned(view: View, past: Past) -> Past:
    """Sites' usual places among the others, and the heat that flows, each with its own device."""
    if view.session.phase not in WARM:
        return past if not (past.usual_k or past.heat) else replace(past, usual_k={}, heat=None)
    roles = {channel.role for channel in view.own}
    if Role.SITE in roles and len(view.rows) > 1:
        dt_s = view.rows[-1][0] - view.rows[-2][0]
        past = replace(past, usual_k=sites.usual_k(view, past.usual_k, dt_s))
    if Role.POWER in roles:
        past = replace(past, heat=balance.averaged(view, past.heat))
    return past


def _after(view: View, look: Look, suspects: Mapping[str, Suspect]) -> Mapping[str, Suspect]:
    """The suspects after this look: bad ones counted, good ones counted back."""
    seen = tuple(look.see(view))
    if not suspects and not any([finding.raw for finding in seen]):
        return suspects
    found = {finding.source: finding for finding in seen}
    concerned = [
        name
        for name, suspect in suspects.items()
        if name not in found and look.check in suspect.looks and _is_seen(view, name, look)
    ]
    if not concerned and not any(finding.raw for finding in found.values()):
        return suspects
    after = dict(suspects)
    for name in (*found, *concerned):
        finding = found.get(name)
        if finding is None or finding.raw:
            suspect = after.get(name, Suspect())
            after[name] = _counted(view, look.check, suspect, finding)
    return _worth_keeping(after)


def _is_seen(view: View, channel: str, look: Look) -> bool:
    """Whether this look, at this device, would have told if the channel were bad."""
    return look.anchor is not None or any(own.id == channel for own in view.own)


@lru_cache(maxsize=64)
def _anchors(room: Room, device: str) -> frozenset[Role]:
    """The roles whose first channel is on this device."""
    firsts: dict[Role, str] = {}
    for channel in room.channels:
        firsts.setdefault(channel.role, channel.device)
    return frozenset(role for role, name in firsts.items() if name == device)


def _forgotten(suspects: Mapping[str, Suspect], check: Check) -> Mapping[str, Suspect]:
    """The suspects without what a look saw that can tell nothing in this phase."""
    if not any(check in suspect.looks for suspect in suspects.values()):
        return suspects
    return _worth_keeping(
        {
            name: replace(
                suspect,
                looks={key: bits for key, bits in suspect.looks.items() if key != check},
                doubts=without(suspect.doubts, check),
            )
            for name, suspect in suspects.items()
        }
    )


def _worth_keeping(suspects: Mapping[str, Suspect]) -> Mapping[str, Suspect]:
    stand = {name: settled(suspect) for name, suspect in suspects.items()}
    return {name: suspect for name, suspect in stand.items() if suspect is not None}


def _counted(view: View, check: Check, suspect: Suspect, finding: Finding | None) -> Suspect:
    bad, of = view.limits.looks_bad_of
    bits = counted(suspect.looks.get(check, 0), finding is not None, of)
    doubts = suspect.doubts
    if finding is not None and bits.bit_count() >= bad:
        doubt = Doubt(check=check, text=finding.text, value=finding.value, limit=finding.limit)
        doubts = kept(doubts, doubt)
    looks = {name: value for name, value in suspect.looks.items() if name != check}
    return replace(suspect, looks=looks | ({check.value: bits} if bits else {}), doubts=doubts)


def _marked(state: State, frame: Frame) -> State:
    """The frame's samples of doubted channels are questionable from now on."""
    suspects = state.trust.suspects
    if not any(reading.channel in suspects for reading in frame.readings):
        return state
    samples = channels.rewritten(state, frame)
    samples.lost = not isinstance(state.samples, Samples) or state.samples.lost
    for reading in frame.readings:
        suspect = suspects.get(reading.channel)
        if suspect is not None and suspect.doubts:
            samples[reading.channel] = doubted(samples[reading.channel], suspect.doubts[0].text)
            samples.lost = True
    return replace(state, samples=samples)


def looked_after(trust: Trust) -> Trust:
    """A person has looked at every probe: doubts that only a look can lift begin anew."""
    suspects = {
        name: replace(suspect, looks={}, doubts=_lasting(suspect))
        for name, suspect in trust.suspects.items()
    }
    return replace(trust, suspects=_worth_keeping(suspects))


def _lasting(suspect: Suspect) -> tuple[Doubt, ...]:
    lasting = OF_READINGS | {Check.BIAS, Check.CONTACT}
    return tuple(doubt for doubt in suspect.doubts if doubt.check in lasting)
