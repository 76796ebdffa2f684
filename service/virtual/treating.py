"""One virtual patient treated by the real core, from the fill to the end of the treatment clock.

A treatment is a generator: at each `yield` its plant is to be moved on by one second.
"""

from collections.abc import Generator

import numpy as np

from protocols.schema import Protocol
from service.core.model import Controller, Phase
from service.virtual.cohort import VirtualPatient
from service.virtual.figures import Course, Figures, figures
from service.virtual.log import TRACED
from service.virtual.session import Setup, VirtualSession
from simulator.plant import SITES, AnyPlant

AFTER_END_S = 60.0
"""How long a treatment goes on after its clock, for the alarms that then sound."""


Treatment = Generator[None, None, Figures]


def treatment(
    plant: AnyPlant, patient: VirtualPatient, protocol: Protocol, controller: Controller
) -> Treatment:
    """The figures of one patient's treatment under one mode of the heat controller."""
    session = VirtualSession(
        Setup(
            protocol=protocol,
            parameters=plant.parameters,
            seed=patient.seed,
            controller=controller,
        ),
        plant,
    )
    while not _treated(session) and not session.over:
        session.begin_second()
        yield
        session.end_second()
    sounded = [line.id for line in session.log.alarms if line.audible]
    return figures(
        course(session),
        protocol,
        index=patient.index,
        controller=controller.value,
        audible=len(sounded),
        alarms=" ".join(sounded),
    )


def course(session: VirtualSession) -> Course:
    """What happened from the beginning of heat-up on; raises ValueError when it never began."""
    log = session.log
    began_s = log.began_s(Phase.HEAT_UP)
    if began_s is None:
        raise ValueError("heat-up never began, so there is nothing to take figures of")
    trace = np.array(log.trace[int(began_s) :])
    column = {name: TRACED.index(name) for name in TRACED}
    clocks = session.state.session.clocks if session.state.session else None
    ended_s = clocks.ended_s if clocks else None
    drain_s = log.began_s(Phase.DRAIN)
    end_s = ended_s if ended_s is not None else drain_s
    gate_s = log.began_s(Phase.DRUG_ADDITION) or log.began_s(Phase.PERFUSE)
    return Course(
        sites_c=trace[:, : len(SITES)],
        core_c=trace[:, column["nasopharynx"]],
        inflow_c=trace[:, column["inflow"]],
        reservoir_c=trace[:, column["reservoir"]],
        bath_c=trace[:, column["bath"]],
        gate_s=_since(began_s, gate_s),
        from_s=_since(began_s, log.began_s(Phase.PERFUSE)),
        to_s=_since(began_s, end_s),
        foretold=tuple((at_s - began_s, in_s) for at_s, in_s in log.foretold),
    )


def _since(began_s: float, at_s: float | None) -> int | None:
    return None if at_s is None else int(at_s - began_s)


def _treated(session: VirtualSession) -> bool:
    room = session.state.session
    if room is None:
        return False
    ended_s = room.clocks.ended_s
    over = ended_s is not None and session.state.treat_s - ended_s >= AFTER_END_S
    return over or room.phase is Phase.DRAIN
