"""How doubts stand: bad looks counted, doubts as they were seen, and the raw values."""

from collections.abc import Mapping
from functools import cache

from protocols import schema
from service.core import channels
from service.core.changing import replace
from service.core.model import Phase, Sample, Unit
from service.core.state import State
from service.core.trust.memory import OF_READINGS, Check, Doubt, Suspect

WATCHED = frozenset(Phase) - {Phase.SETUP, Phase.COMPLETE}
"""Phases with perfusate in the circuit; before and after, probes lie anywhere."""

SHOWN_VALUES = 4


def watched(state: State) -> bool:
    """Whether readings are judged now."""
    return state.session is not None and state.session.phase in WATCHED


@cache
def _defaults() -> schema.Trust:
    return schema.Trust()


def limits_of(state: State) -> schema.Trust:
    """The thresholds of the session's protocol, the defaults where none is open."""
    return _defaults() if state.session is None else state.session.protocol.trust


def counted(bits: int, bad: bool, of: int) -> int:
    """The last `of` looks as bits, this one included (1 is bad, the newest is bit 0)."""
    return (bits << 1 | bad) & ((1 << of) - 1)


def kept(doubts: tuple[Doubt, ...], new: Doubt) -> tuple[Doubt, ...]:
    """The doubts with this one; what was seen first of a check stays as it was told."""
    return doubts if any(doubt.check is new.check for doubt in doubts) else (*doubts, new)


def settled(suspect: Suspect) -> Suspect | None:
    """The suspect as it stands: without doubts when nothing is bad any more, None when nothing is
    worth remembering."""
    if suspect.doubts and not any(_is_bad(suspect, doubt.check) for doubt in suspect.doubts):
        suspect = replace(suspect, doubts=())
    worth = suspect.doubts or suspect.readings or suspect.looks or suspect.losses_s
    return suspect if worth else None


def _is_bad(suspect: Suspect, check: Check) -> bool:
    if check is Check.BIAS:
        return True
    if check is Check.CONTACT:
        return bool(suspect.losses_s)
    return suspect.readings != 0 if check in OF_READINGS else check in suspect.looks


def without(doubts: tuple[Doubt, ...], check: Check) -> tuple[Doubt, ...]:
    """The doubts but that of one check."""
    return tuple(doubt for doubt in doubts if doubt.check is not check)


def with_suspect(
    suspects: Mapping[str, Suspect], channel: str, suspect: Suspect
) -> Mapping[str, Suspect]:
    """The suspects with this one as it stands, or without it."""
    stands = settled(suspect)
    others = {name: other for name, other in suspects.items() if name != channel}
    return others if stands is None else {**others, channel: stands}


def raw_values(state: State, sample: Sample) -> str:
    """The last raw values of the sample's channel, as far as they are remembered."""
    channel = channels.by_id(state.room)[sample.channel]
    own = channels.of_device(state, channel.device)
    index = own.index(channel)
    before = [row[1][index] for row in state.past.rows.get(channel.device, ())]
    newest = [*before, sample.value][-SHOWN_VALUES:]
    digits = 2 if sample.unit is Unit.DEG_C else 0
    return " ".join("–" if value is None else f"{value:.{digits}f}" for value in newest)
