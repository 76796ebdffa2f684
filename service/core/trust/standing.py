"""How doubts stand: bad looks counted, doubts in their rank, and the raw values that were seen."""

from functools import cache

from protocols import schema
from service.core import channels
from service.core.model import Phase, Sample, Unit
from service.core.state import State
from service.core.trust.memory import RANK, Check, Doubt

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
    if any(doubt.check is new.check for doubt in doubts):
        return doubts
    return tuple(sorted((*doubts, new), key=lambda doubt: RANK[doubt.check]))


def without(doubts: tuple[Doubt, ...], check: Check) -> tuple[Doubt, ...]:
    """The doubts but that of one check."""
    return tuple(doubt for doubt in doubts if doubt.check is not check)


def raw_values(state: State, sample: Sample) -> str:
    """The last raw values of the sample's channel, as far as they are remembered."""
    channel = channels.by_id(state.room)[sample.channel]
    own = channels.of_device(state, channel.device)
    index = own.index(channel)
    before = [row[1][index] for row in state.past.rows.get(channel.device, ())]
    newest = [*before, sample.value][-SHOWN_VALUES:]
    digits = 2 if sample.unit is Unit.DEG_C else 0
    return " ".join("–" if value is None else f"{value:.{digits}f}" for value in newest)
