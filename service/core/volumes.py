"""Where the perfusate is: the reservoir's balance over the last minutes, for leaks and shifts.

In circulation the reservoir keeps its level. What leaves it unexplained is either lost (a leak, a
spill) or stays in the abdomen because the outflow is blocked; in the closed technique the abdominal
pressure tells which.

People write a volume down a little before or after they move it: what went in counts as far as the
scale has shown it, what came out is allowed for at once. So writing down alone is never a loss.
"""

from collections.abc import Iterator, Sequence
from math import inf

from service.core import channels
from service.core.changing import replace
from service.core.model import WARM, Role
from service.core.state import Balance, Moved, Session, State

IN_KINDS = frozenset({"in", "prime", "drug", "rinse_in"})
SAMPLE_S, SLACK_S = 5.0, 1e-6
SUSTAINED = 3
"""So many samples in a row say what the scale holds: a knock of it is no loss (derived)."""

WRITTEN_WITHIN_S = 60.0
"""A volume is written down within a minute before or after it is moved (derived)."""

IAP_RISE_MMHG = 3.0
"""A rise beyond this over the window says that the missing volume is in the abdomen (derived: a
compliance of about 100-200 ml/mmHg at the pressures of closed perfusion)."""


def remembered(state: State, session: Session) -> State:
    """Keep one reading every few seconds while the perfusate circulates, none otherwise.

    While the scale tells nothing to believe, what it told before is kept.
    """
    window = state.balance_window
    if session.phase not in WARM:
        return replace(state, balance_window=()) if window else state
    if window and state.treat_s - window[-1].at_s < SAMPLE_S - SLACK_S:
        return state
    levels_ml = channels.valid_values(state, Role.LEVEL)
    if not levels_ml:
        return state
    pressures = channels.valid_values(state, Role.IAP)
    now = Balance(at_s=state.treat_s, ml=levels_ml[0], iap_mmhg=pressures[0] if pressures else None)
    oldest_s = state.treat_s - session.limits.balance_window_s
    return replace(state, balance_window=(*(b for b in window if b.at_s >= oldest_s), now))


def missing_ml(state: State) -> tuple[float, bool] | None:
    """What has left the reservoir unexplained within the window, and whether it is in the abdomen.

    None before there is anything to compare, and while the scale tells nothing to believe.
    """
    window, session = state.balance_window, state.session
    if session is None or len(window) < SUSTAINED or not is_known(state):
        return None
    read = [balance.ml for balance in window]
    now_ml = max(read[-SUSTAINED:])
    lost = [ml - now_ml for ml in map(min, *(read[n:] for n in range(SUSTAINED)))]
    oldest_s = window[0].at_s - WRITTEN_WITHIN_S
    if entries := [one for one in session.moved if one.at_s >= oldest_s]:
        lost = [ml + added for ml, added in zip(lost, _written_ml(window, entries), strict=True)]
    most = max(lost)
    then_mmhg, now_mmhg = window[lost.index(most)].iap_mmhg, window[-1].iap_mmhg
    risen = then_mmhg is not None and now_mmhg is not None and now_mmhg - then_mmhg > IAP_RISE_MMHG
    return max(0.0, most), risen


def _written_ml(window: Sequence[Balance], entries: Sequence[Moved]) -> Iterator[float]:
    """What was written down adds to each loss between some samples in a row and the last ones."""
    counted = [(one, _counted_ml(window, one, entries)) for one in entries]
    now = (window[-SUSTAINED].at_s, window[-1].at_s)
    for first, last in zip(window, window[SUSTAINED - 1 :], strict=False):
        then = (first.at_s, last.at_s)
        yield sum(_explained_ml(one, shown_ml, then, now) for one, shown_ml in counted)


def is_known(state: State) -> bool:
    """Whether the scale gives a level to believe now."""
    return bool(channels.valid_values(state, Role.LEVEL))


def _counted_ml(window: Sequence[Balance], entry: Moved, entries: Sequence[Moved]) -> float:
    """What the scale showed of an entry about when it was written down, together with others that
    were written then: at most what was written (ml); all of what went out."""
    if entry.kind not in IN_KINDS:
        return entry.ml
    lowest, rose = inf, 0.0
    for held in window:
        if abs(held.at_s - entry.at_s) <= WRITTEN_WITHIN_S:
            lowest = min(lowest, held.ml)
            rose = max(rose, held.ml - lowest)
    together = sum(
        one.ml
        for one in entries
        if one.kind in IN_KINDS and abs(one.at_s - entry.at_s) <= WRITTEN_WITHIN_S
    )
    return entry.ml * min(1.0, rose / together) if together else 0.0


def _explained_ml(
    entry: Moved, counted_ml: float, then: tuple[float, float], now: tuple[float, float]
) -> float:
    """What an entry adds to the loss between two spans of time (s); in doubt, less (ml)."""
    before_it, after_it = entry.at_s - WRITTEN_WITHIN_S, entry.at_s + WRITTEN_WITHIN_S
    if entry.kind not in IN_KINDS:
        return -counted_ml if then[0] < after_it and now[1] > before_it else 0.0
    surely = then[1] < before_it and now[0] > after_it
    return counted_ml if surely else 0.0
