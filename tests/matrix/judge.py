"""What a cell may do, whatever its fault, and what its row promises."""

from collections.abc import Iterator
from math import inf, isinf

from service.virtual.faults import parse
from service.virtual.session import VirtualSession
from tests.matrix.events import EventRow
from tests.matrix.faults import Row
from tests.matrix.story import at_phase, in_cell, running, watch

LASTS_S, GONE_S = 3600.0, 60.0


def faults_of(row: Row, target: str, phase: str, technique: str = "closed") -> Iterator[str]:
    """Every way in which this cell is not as its row says; nothing when it is."""
    seen = in_cell(row, target, phase, technique)
    heated = at_phase(phase, technique).heater_runs_at is not None
    if len(seen.together) > 1 and not set(seen.together) <= set(row.together):
        yield f"one fault, several alarms at once: {', '.join(seen.together)}"
    if seen.pump_faster:
        yield "the pump was started or made faster"
    if seen.over_c > row.bound_c:
        yield f"the truth was {seen.over_c:.2f} °C above a ceiling, at most {row.bound_c:g}"
    if row.alarms:
        first_s = min((seen.alarms[a] for a in row.alarms if a in seen.alarms), default=None)
        if first_s is None or first_s > row.within_s:
            yield f"none of {row.alarms} within {row.within_s:g} s: {seen.alarms}"
        elif seen.missing_s:
            yield f"{row.alarms} did not stand at {seen.missing_s[0]:.0f} s: {seen.alarms}"
    if heated and _is_late(seen.heat_off_s, row.heat_off_s):
        yield f"heat off at {seen.heat_off_s}, due by {row.heat_off_s:g} s"


def event_faults(row: EventRow, phase: str) -> Iterator[str]:
    """Every way in which the response to an event is not as written; nothing when it is."""
    session = at_phase(phase)
    drives = heats, pumps = running(session)
    if row.fault:
        session.inject(parse(f"{row.fault} for {LASTS_S:g}s"))
    if row.fault and row.command:
        session.second()
    if row.command:
        session.command(row.command)
    due_s = max(t for t in (row.within_s, row.heat_off_s, row.pump_stops_s) if not isinf(t))
    seen = watch(session, row.alarms, due_s + 5, inf, drives)
    first_s = min((seen.alarms[a] for a in row.alarms if a in seen.alarms), default=inf)
    if row.alarms and first_s > row.within_s:
        yield f"none of {row.alarms} within {row.within_s:g} s: {seen.alarms}"
    if heats is not None and _is_late(seen.heat_off_s, row.heat_off_s):
        yield f"heat off at {seen.heat_off_s}, due by {row.heat_off_s:g} s"
    if pumps is not None and _is_late(seen.pump_stopped_s, row.pump_stops_s):
        yield f"pump stopped at {seen.pump_stopped_s}, due by {row.pump_stops_s:g} s"
    if row.pump_goes_on and seen.pump_stopped_s is not None:
        yield f"the pump stopped at {seen.pump_stopped_s:.0f} s, it was to go on"
    if seen.pump_faster:
        yield "the pump was started or made faster"
    yield from _comes_back_by_itself(row, session, heats, pumps)


def _is_late(off_s: float | None, due_s: float) -> bool:
    return not isinf(due_s) and (off_s is None or off_s > due_s)


def _comes_back_by_itself(
    row: EventRow, session: VirtualSession, heats: float | None, pumps: float | None
) -> Iterator[str]:
    """Nothing of what was taken away comes back before a person resumes, its cause gone or not."""
    session.instruments.troubles.clear()
    heat_off = heats is not None and not isinf(row.heat_off_s)
    pump_off = pumps is not None and not row.pump_goes_on
    until_s = session.now_s + GONE_S
    while session.now_s < until_s:
        session.second()
        if heat_off and session.heater_runs_at is not None:
            yield "heat came back by itself"
            return
        if pump_off and session.instruments.pump.runs_at is not None:
            yield "the pump started by itself"
            return
