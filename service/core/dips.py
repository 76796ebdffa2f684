"""How far a cold drug dose will cool the perfusate, and when it is expected to be warm again."""

from math import log

from service.core import channels
from service.core.model import Role
from service.core.state import Dip, Session, State

RECOVERED_C = 0.1
"""Warm again: this near to where it was, the dead-band of the low alarm."""


def mixed_c(perfusate_ml: float, perfusate_c: float, dose_ml: float, dose_c: float) -> float:
    """The temperature after mixing: 250 ml at 20 °C into 4 l at 43 °C give 41.65 °C."""
    return (perfusate_ml * perfusate_c + dose_ml * dose_c) / (perfusate_ml + dose_ml)


def predicted(state: State, session: Session) -> Dip | None:
    """The dip that the next fraction will make now; None without a drug or a temperature.

    The volume is what people wrote down as in, or the protocol's. It recovers as the volume is
    exchanged through the heater: first order with volume over flow (derived; the inflow is taken
    to stay as it is).
    """
    drug, target = session.protocol.drug, session.protocol.target
    values = channels.valid_values(state, Role(target.role))
    now_c = channels.statistic(values, target.statistic)
    if drug is None or now_c is None:
        return None
    perfusate = session.protocol.perfusate
    volume_ml = session.volume_in_ml - session.volume_out_ml
    volume_ml = volume_ml if volume_ml > 0 else perfusate.volume_ml
    to_c = mixed_c(volume_ml, now_c, drug.fraction_ml, drug.fraction_c)
    exchange_s = 60.0 * volume_ml / (session.flow_ml_min or perfusate.flow_ml_min)
    times = max(0.0, log((now_c - to_c) / RECOVERED_C)) if now_c > to_c else 0.0
    return Dip(from_c=now_c, to_c=to_c, recovers_s=exchange_s * times)


def recovering(state: State, session: Session) -> bool:
    """Whether a fraction that was given has not had its time to grow warm again."""
    return any(
        given.dip is not None and state.treat_s < given.at_s + given.dip.recovers_s
        for given in session.given
    )
