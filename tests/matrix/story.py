"""One cell: a treatment run to a phase once, continued with one fault, and what became of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from protocols.loader import SHIPPED, load
from service.core.alarms import is_raised
from service.core.state import AlarmState
from service.virtual.faults import Fault
from service.virtual.session import Setup, VirtualSession
from simulator.plant import SITES
from tests.matrix.faults import PHASES, Row

PROTOCOLS = {"closed": "closed-oxaliplatin-30", "open": "open-oxaliplatin-30"}
"""One treatment of each technique."""

CONSEQUENCES: Mapping[str, str] = {
    "automatic_lost": "what it needs is gone for 15 s or an interlock acts: a person has to resume",
    "core_lost": "no deciding core for 60 s: heat is held",
    "heater_not_off": "off is ordered and cannot be confirmed",
    **dict.fromkeys(
        ("inflow_high", "inflow_isolate", "reservoir_high", "bath_high", "site_ceiling"),
        "ceilings look at doubted readings too",
    ),
    **dict.fromkeys(
        ("core_ceiling", "core_high", "core_warm", "site_hot"),
        "ceilings look at doubted readings too",
    ),
}
"""Alarms that may stand beside the one of a fault, and why: they say something else to do."""

SETTLES_S = {"heat_up": 60.0, "perfuse": 60.0}
LOOKS_S = 30.0
AFTER_S = 20.0
"""How long a cell goes on after its alarm has to stand."""

SHORTEST_S, MARGIN = 40.0, 1e-6


@dataclass(slots=True)
class Seen:
    """What was seen of one cell, in seconds from the fault on."""

    alarms: dict[str, float] = field(default_factory=dict)
    missing_s: list[float] = field(default_factory=list)
    heat_off_s: float | None = None
    pump_stopped_s: float | None = None
    over_c: float = 0.0
    pump_faster: bool = False
    together: tuple[str, ...] = ()
    texts: list[str] = field(default_factory=list)


@cache
def _walk(technique: str) -> dict[str, VirtualSession]:
    """The treatment some time into each phase."""
    session = VirtualSession(Setup(protocol=load(SHIPPED / f"{PROTOCOLS[technique]}.toml")))
    found = {}
    for phase in PHASES:
        session.run_until(lambda s, phase=phase: s.phase == phase)
        found[phase] = session.copy()
        found[phase].team = None
        found[phase].run_until(session.now_s + SETTLES_S.get(phase, LOOKS_S))
    return found


def at_phase(phase: str, technique: str = "closed") -> VirtualSession:
    """A session of its own in this phase, in which people do nothing any more."""
    return _walk(technique)[phase].copy()


def in_cell(row: Row, target: str, phase: str, technique: str = "closed") -> Seen:
    """What becomes of a row's fault in this cell."""
    until_s = max(row.within_s, 0.0 if row.stands_from_s > 1e6 else row.stands_from_s)
    session = at_phase(phase, technique)
    session.inject(Fault(kind=row.kind, target=target, value=row.value))
    heat_s = 0.0 if row.heat_off_s > 1e6 else row.heat_off_s
    return watch(session, row.alarms, max(until_s, heat_s, SHORTEST_S) + AFTER_S, row.stands_from_s)


Running = tuple[float | None, float | None]
"""At what heater (°C) and pump (ml/min) run, None when off."""


def running(session: VirtualSession) -> Running:
    """What heater and pump do now."""
    return session.heater_runs_at, session.instruments.pump.runs_at


def watch(
    session: VirtualSession,
    alarms: tuple[str, ...],
    last_s: float,
    stands_s: float,
    drives: Running | None = None,
) -> Seen:
    """Let it run; note alarms, drives, and how far the truth passes its ceilings.

    `drives` is what ran before the event, where that is over already.
    """
    seen, began_s = Seen(), session.now_s
    heated, pumped = drives or running(session)
    before = {name for name, _ in _signalled(session)}
    while session.now_s < began_s + last_s:
        session.second()
        passed_s = session.now_s - began_s
        raised = {alarm.id for alarm in session.state.alarms.values() if is_raised(alarm)}
        together = tuple(sorted(raised.difference(before, CONSEQUENCES)))
        seen.together = max(seen.together, together, key=len)
        for name, text in _signalled(session):
            if name not in seen.alarms:
                seen.alarms[name] = passed_s
                seen.texts.append(text)
        if alarms and passed_s >= stands_s - MARGIN and not raised.intersection(alarms):
            seen.missing_s.append(passed_s)
        _note_drives(session, seen, passed_s, (heated, pumped))
        seen.over_c = max(seen.over_c, _over_c(session))
    return seen


def _signalled(session: VirtualSession) -> Iterator[tuple[str, str]]:
    for alarm in session.state.alarms.values():
        if is_raised(alarm) or alarm.state is AlarmState.LATCHED:
            yield alarm.id, alarm.text


def _note_drives(session: VirtualSession, seen: Seen, passed_s: float, drives: Running) -> None:
    heated, pumped = drives
    pump = session.instruments.pump.runs_at
    if heated is not None and session.heater_runs_at is None and seen.heat_off_s is None:
        seen.heat_off_s = passed_s
    if pumped is not None and pump is None and seen.pump_stopped_s is None:
        seen.pump_stopped_s = passed_s
    seen.pump_faster |= pump is not None and pump > (pumped or 0.0)


def _over_c(session: VirtualSession) -> float:
    """How far the true inflow or hottest site is above its ceiling (°C, 0 when below)."""
    room, limits = session.state.session, session.instruments.values
    if room is None:
        return 0.0
    inflow_over = limits["inflow"] - room.limits.inflow_ceiling_c
    site_over = max(limits[site] for site in SITES) - room.limits.site_ceiling_c
    return max(0.0, inflow_over, site_over)
