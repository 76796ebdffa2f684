"""Where the perfusate is: the reservoir's balance over the last minutes, for leaks and shifts.

In circulation the reservoir keeps its level. What leaves it unexplained is either lost (a leak, a
spill) or stays in the abdomen because the outflow is blocked; in the closed technique the abdominal
pressure tells which.
"""

from service.core import channels
from service.core.changing import replace
from service.core.model import Phase, Role
from service.core.state import Balance, Session, State

CIRCULATING = frozenset({Phase.HEAT_UP, Phase.DRUG_ADDITION, Phase.PERFUSE})
SAMPLE_S = 5.0
IAP_RISE_MMHG = 3.0
"""A rise beyond this over the window says that the missing volume is in the abdomen (derived: a
compliance of about 100-200 ml/mmHg at the pressures of closed perfusion)."""


def remembered(state: State, session: Session) -> State:
    """Keep one balance every few seconds while the perfusate circulates, none otherwise."""
    levels_ml = channels.valid_values(state, Role.LEVEL)
    if not levels_ml or session.phase not in CIRCULATING:
        return replace(state, balance_window=()) if state.balance_window else state
    window = state.balance_window
    if window and state.treat_s - window[-1].at_s < SAMPLE_S:
        return state
    now = Balance(
        at_s=state.treat_s,
        ml=levels_ml[0] + session.volume_out_ml - session.volume_in_ml,
        iap_mmhg=next(iter(channels.valid_values(state, Role.IAP)), None),
    )
    oldest_s = state.treat_s - session.limits.balance_window_s
    return replace(state, balance_window=(*(b for b in window if b.at_s >= oldest_s), now))


def missing_ml(state: State) -> tuple[float, bool] | None:
    """What has left the reservoir unexplained within the window, and whether it is in the abdomen.

    None before there is anything to compare.
    """
    window = state.balance_window
    if len(window) < 2:
        return None
    most, now = max(window, key=lambda balance: balance.ml), window[-1]
    risen = (
        most.iap_mmhg is not None
        and now.iap_mmhg is not None
        and now.iap_mmhg - most.iap_mmhg > IAP_RISE_MMHG
    )
    return most.ml - now.ml, risen
