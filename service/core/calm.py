"""Single looks that tell of several rules at once that none of them would find anything.

Each is as strict as its rules: where it says calm, none of them is true, held by its dead-band, or
without the data that it needs. Where it does not, every rule looks for itself.
"""

from dataclasses import dataclass
from math import inf

from service.core import channels, clocks, findings
from service.core.model import Phase, Role
from service.core.outlook import CORE
from service.core.state import Drive, Given, Session, State


def flows(state: State, session: Session) -> bool:
    """Both flows are known and agree with each other, the order and the protocol."""
    measured, calculated = channels.flows_ml_min(state)
    if measured is None or calculated is None:
        return False
    limits, wanted = session.limits, state.pump.wanted
    least, most = limits.no_flow_ml_min, session.protocol.perfusate.flow_max_ml_min
    most *= findings.FLOW_OVER_SHARE
    share, dead = session.protocol.trust.flow_share, findings.DEAD_BAND_ML_MIN
    return (
        measured >= least + dead
        and (wanted is None or measured >= limits.flow_low_share * wanted + dead)
        and calculated * (1 - share) + dead <= measured <= calculated * (1 + share) + least - dead
        and measured <= most - dead
        and calculated <= most - dead
    )


def nothing_off(state: State, session: Session) -> bool:
    """Neither heater nor pump was told to stop."""
    return _is_not_off(state.heater) and _is_not_off(state.pump)


def _is_not_off(drive: Drive) -> bool:
    return drive.wanted is not None or drive.ordered is None


def nothing_asked(state: State, session: Session) -> bool:
    """Anesthesia has asked for nothing."""
    return not session.requests


def forecast(state: State, session: Session) -> bool:
    """The forecast of the core is young, and stays below its limit."""
    seen = session.foresight
    if seen is None or CORE not in seen.outlook.ahead:
        return True
    outlook = seen.outlook
    young = state.treat_s - outlook.at_s <= findings.FORECAST_HOLDS_S
    edge = session.limits.core_high_c - findings.DEAD_BAND_C
    return young and outlook.ahead[CORE][-1].value_c < edge


def suction(state: State, session: Session) -> bool:
    """The return line's pressure is known, and above its limit."""
    return _at_least(
        state, Role.LINE_OUT, session.limits.line_out_min_mmhg + findings.DEAD_BAND_MMHG
    )


def reservoir(state: State, session: Session) -> bool:
    """The reservoir's level is known, and high enough."""
    return _at_least(state, Role.LEVEL, session.limits.reservoir_low_ml + findings.DEAD_BAND_ML)


def _at_least(state: State, role: Role, least: float) -> bool:
    seen = channels.figures(state, role)
    return seen.complete and (not seen.believed or min(seen.believed) >= least)


def abdomen(state: State, session: Session) -> bool:
    """The abdominal pressure is known, and was low enough in the whole window."""
    window, limit = state.iap_window, session.limits.iap_warn_mmhg - findings.DEAD_BAND_MMHG
    if not window or not channels.figures(state, Role.IAP).complete:
        return False
    return all([mmhg <= limit for _, mmhg in window])


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The first drug contact (s) at which something may be due, of what is still to be given.

    `before_contact` says that something may be due before there is any.
    """

    given: tuple[Given, ...]
    reminded: tuple[int, ...]
    duration_s: float
    from_s: float
    before_contact: bool


def nothing_due(state: State, session: Session) -> bool:
    """No fraction, reminder or end of the drug's contact is due yet."""
    kept = channels.tables(state.room).kept
    known = kept.get("due")
    due = known[1] if known is not None and known[0] is session.protocol else None
    if due is None or due.given is not session.given or not _is_same(due, session):
        due = _due(session)
        kept["due"] = (session.protocol, due)
    contact_s = clocks.contact_s(state, session)
    if contact_s is None:
        return not (due.before_contact and Phase.HEAT_UP in session.began_s)
    return bool(contact_s < due.from_s)


def _is_same(due: Due, session: Session) -> bool:
    return due.reminded == session.reminded and due.duration_s == session.duration_s


def _due(session: Session) -> Due:
    protocol, drug = session.protocol, session.protocol.drug
    given = {entry.fraction for entry in session.given}
    fractions = enumerate(drug.fractions if drug else (), start=1)
    fraction_s = [60.0 * part.at_min for number, part in fractions if number not in given]
    reminders = enumerate(protocol.reminders, start=1)
    reminder_s = [60.0 * r.at_min for number, r in reminders if number not in session.reminded]
    cap_s = session.duration_s + 60.0 * protocol.clock.contact_cap_extra_min
    return Due(
        given=session.given,
        reminded=session.reminded,
        duration_s=session.duration_s,
        from_s=min((*fraction_s, *reminder_s, cap_s), default=inf),
        before_contact=any(at_s < 0 for at_s in reminder_s),
    )
