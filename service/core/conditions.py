"""What automatic needs before a person may switch it on: each condition with what was read."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from service.core import channels, core_course
from service.core.model import DeviceClass, LinkState, Role
from service.core.state import Session, Side, State

LEAST_SITES = 2
"""A reading may raise heat only where at least two sites agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition: its name, whether it holds, and the reading that says so."""

    name: str
    holds: bool
    reading: str


def for_automatic(state: State, session: Session) -> tuple[Condition, ...]:
    """All conditions for automatic as they are now."""
    return tuple(look(state, session) for look in LOOKS)


def to_go_on(state: State, session: Session) -> tuple[Condition, ...]:
    """What automatic needs where a person resumes: not the flow, which is only to start again."""
    return tuple(look(state, session) for look in LOOKS if look is not _flow_runs)


def sites_agree(state: State, session: Session) -> bool:
    """Whether two valid sites say the same, within what a site may drift from the others."""
    sites, within_k = (
        sorted(channels.valid_values(state, Role.SITE)),
        session.protocol.trust.drift_k,
    )
    return any(warmer - colder <= within_k for colder, warmer in pairwise(sites))


def least_flow_ml_min(session: Session) -> float:
    """The flow below which nothing is heated."""
    return session.limits.flow_low_share * session.protocol.perfusate.flow_min_ml_min


def _phase(_: State, session: Session) -> Condition:
    allowed = session.protocol.heat[session.phase].allowed
    return Condition(name="heat is allowed in this phase", holds=allowed, reading=session.phase)


def _nothing_held(_: State, session: Session) -> Condition:
    held = [block.text for block in session.blocks.values()]
    side = [str(session.side)] if session.side is not Side.NONE else []
    reading = "; ".join((*side, *held)) or "none"
    return Condition(
        name="no interlock or pause is on: resume first",
        holds=not held and not side,
        reading=reading,
    )


def _supervised(state: State, _: Session) -> Condition:
    reading = "there" if state.supervised else "gone"
    return Condition(name="the supervisor is there", holds=state.supervised, reading=reading)


def _heater(state: State, _: Session) -> Condition:
    name = channels.device_of_class(state, DeviceClass.HEATER)
    link = state.links.get(name) if name else None
    live = link is not None and link.state is LinkState.LIVE
    reading = link.state.value if link else "the room has none"
    return Condition(name="the heater is connected", holds=live, reading=reading)


def _flow(state: State, _: Session) -> Condition:
    measured, _calculated = channels.flows_ml_min(state)
    reading = "no reading" if measured is None else f"{measured:.0f} ml/min"
    if channels.flow_meter(state) is None:
        reading = "the room has no flow meter"
    return Condition(
        name="an independent flow meter reads", holds=measured is not None, reading=reading
    )


def _flow_runs(state: State, session: Session) -> Condition:
    flow, least = channels.heat_flow_ml_min(state), least_flow_ml_min(session)
    reading = "not known" if flow is None else f"{flow:.0f} ml/min"
    return Condition(
        name=f"a flow of {least:.0f} ml/min",
        holds=flow is not None and flow >= least,
        reading=reading,
    )


def _sites(state: State, _: Session) -> Condition:
    sites = channels.valid_values(state, Role.SITE)
    mean = f", mean {sum(sites) / len(sites):.1f} °C" if sites else ""
    return Condition(
        name=f"{LEAST_SITES} valid sites",
        holds=len(sites) >= LEAST_SITES,
        reading=f"{len(sites)} valid{mean}",
    )


def _agreement(state: State, session: Session) -> Condition:
    sites = channels.valid_values(state, Role.SITE)
    reading = f"{min(sites):.1f} to {max(sites):.1f} °C" if sites else "no valid reading"
    return Condition(
        name=f"two sites within {session.protocol.trust.drift_k:g} °C of each other",
        holds=sites_agree(state, session),
        reading=reading,
    )


def _inflow(state: State, _: Session) -> Condition:
    inflow = channels.valid_values(state, Role.INFLOW)
    reading = f"{max(inflow):.1f} °C" if inflow else "no valid reading"
    return Condition(name="a valid inflow", holds=bool(inflow), reading=reading)


def _core(state: State, session: Session) -> Condition:
    needed = Role.CORE in session.protocol.heat[session.phase].needs
    core_c = core_course.core_c(state, session)
    return Condition(
        name="a valid core temperature",
        holds=core_c is not None or not needed,
        reading="no valid reading" if core_c is None else f"{core_c:.1f} °C",
    )


LOOKS: tuple[Callable[[State, Session], Condition], ...] = (
    _phase,
    _nothing_held,
    _supervised,
    _heater,
    _flow,
    _flow_runs,
    _sites,
    _agreement,
    _inflow,
    _core,
)
