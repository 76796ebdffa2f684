"""The simulated team: commands that walk a session through its phases, and what people then do.

People look at the room every few seconds and do what is due, the way the page would show it: the
checklist before a phase, the next phase when its needs are met, a fraction when it is called, an
acknowledgement some seconds after an alarm began to sound, resume when its cause may be gone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.core import channels, clocks, timers
from service.core.model import Actor, CommandState, Controller, PersonRole, Phase, Role
from service.core.state import AlarmState, Session, Side

if TYPE_CHECKING:
    from service.virtual.session import VirtualSession

PERFUSIONIST = Actor(user="Simulated perfusionist", role=PersonRole.PERFUSIONIST, station="virtual")
ANESTHESIA = Actor(user="Simulated anesthetist", role=PersonRole.ANESTHESIA, station="virtual")
SECOND = "Simulated second"
LOOK_S = 5
OPENS_AFTER_S = 10.0
WARM_WITHIN_C = 0.5
RETURNS_SHARE = 0.8
DRUG_AFTER_S = 30.0
DRAINED_ML = 50.0
DRAIN_S, RINSE_S, CALL_S = 600.0, 180.0, 30.0
ACKNOWLEDGES_AFTER_S = 15.0
TRIES_AGAIN_S = 30.0
GIVES_UP_S = 3600.0
EASES_S, EASES_C, BELOW_EDGE_C = 60.0, 0.2, 0.15


@dataclass(slots=True, kw_only=True)
class Team:
    """Walks one session from opening to closing with one heat controller.

    `resumes`: whether it tries to resume after an interlock, every half minute.
    """

    controller: Controller = Controller.AUTOMATIC
    resumes: bool = True
    done: bool = False
    _tried_s: float = 0.0
    _eased_s: float = 0.0

    def act(self, room: "VirtualSession") -> None:
        """Do what is due at this look."""
        if self.done or int(room.now_s) % LOOK_S:
            return
        session = room.state.session
        if session is None:
            if room.now_s >= OPENS_AFTER_S:
                room.command("open_session", height_cm=170, weight_kg=70)
            return
        if room.state.alarms:
            self._acknowledge(room)
        if session.protocol.reminders:
            self._intravenous(room)
        if (session.blocks or session.side is not Side.NONE) and session.phase in HEATED:
            self._resume(room, session)
        in_phase_s = room.state.treat_s - session.phase_from_s
        DUTIES[session.phase](self, room, session, in_phase_s)

    def _acknowledge(self, room: "VirtualSession") -> None:
        now_ns = room.state.now.mono_ns
        for alarm in room.state.alarms.values():
            sounding = alarm.state in (AlarmState.ACTIVE, AlarmState.LATCHED)
            if sounding and now_ns - alarm.active_since_ns >= ACKNOWLEDGES_AFTER_S * 1e9:
                room.command("acknowledge", occurrence=alarm.occurrence)

    def _resume(self, room: "VirtualSession", session: Session) -> None:
        if not self.resumes or room.now_s - self._tried_s < TRIES_AGAIN_S:
            return
        since_s = [block.since_s for block in session.blocks.values()]
        if since_s and room.state.treat_s - max(since_s) < TRIES_AGAIN_S:
            return
        self._tried_s = room.now_s
        if room.command("resume") is not CommandState.REFUSED:
            self._take_controller(room)

    def _take_controller(self, room: "VirtualSession") -> None:
        session = room.state.session
        if session is not None and session.heat.controller is not self.controller:
            room.command("set_controller", mode=self.controller.value)

    def _go(self, room: "VirtualSession", target: Phase, reason: str = "") -> None:
        room.go(target, reason=reason)

    def _setup(self, room: "VirtualSession", session: Session, in_phase_s: float) -> None:
        self._go(room, Phase.PRIME)

    def _prime(self, room: "VirtualSession", session: Session, in_phase_s: float) -> None:
        warm_c = session.protocol.perfusate.preheat_c - WARM_WITHIN_C
        values = channels.valid_values(room.state, Role.RESERVOIR)
        if values and max(values) >= warm_c:
            self._go(room, Phase.FILL)
        elif in_phase_s > GIVES_UP_S:
            self._go(room, Phase.DRAIN, "the circuit does not get warm")

    def _fill(self, room: "VirtualSession", session: Session, in_phase_s: float) -> None:
        plant = room.plant
        if plant.outflow_ml_min >= RETURNS_SHARE * plant.flow_ml_min > 0.0:
            self._go(room, Phase.HEAT_UP)
        elif in_phase_s > GIVES_UP_S:
            self._go(room, Phase.DRAIN, "nothing returns")

    def _heat_up(self, room: "VirtualSession", session: Session, in_phase_s: float) -> None:
        self._take_controller_when_clear(room, session)
        if clocks.gate_is_open(session):
            drug = session.protocol.drug is not None
            self._go(room, Phase.DRUG_ADDITION if drug else Phase.PERFUSE)
        elif in_phase_s > GIVES_UP_S:
            self._go(room, Phase.DRAIN, "the gate is not reached")

    def _drug_addition(self, room: "VirtualSession", session: Session, in_phase_s: float) -> None:
        self._take_controller_when_clear(room, session)
        if in_phase_s >= DRUG_AFTER_S:
            room.command("confirm_drug", fraction=1)

    def _intravenous(self, room: "VirtualSession") -> None:
        """Anesthesia gives what it is reminded of, and confirms it."""
        for timer in timers.timers(room.state):
            if timer.id.startswith("reminder_") and timer.state is timers.TimerState.DUE:
                number = int(timer.id.removeprefix("reminder_"))
                room.command("confirm_reminder", by=ANESTHESIA, reminder=number)

    def _perfuse(self, room: "VirtualSession", session: Session, in_phase_s: float) -> None:
        self._take_controller_when_clear(room, session)
        for alarm in room.state.alarms.values():
            if alarm.id == "fraction_due" and alarm.state is not AlarmState.PENDING:
                room.command("confirm_drug", fraction=int(alarm.source))
        ended_s = session.clocks.ended_s
        if ended_s is not None and room.state.treat_s - ended_s >= CALL_S:
            self._go(room, Phase.DRAIN)
        elif self.controller is not Controller.AUTOMATIC:
            self._ease(room, session)

    def _drain(self, room: "VirtualSession", session: Session, in_phase_s: float) -> None:
        if room.plant.cavity_ml < DRAINED_ML or in_phase_s > DRAIN_S:
            aborted = session.side is Side.ABORT
            self._go(room, Phase.COMPLETE if aborted else Phase.RINSE, "drained")

    def _rinse(self, room: "VirtualSession", session: Session, in_phase_s: float) -> None:
        if in_phase_s >= RINSE_S:
            self._go(room, Phase.COMPLETE)

    def _complete(self, room: "VirtualSession", session: Session, in_phase_s: float) -> None:
        self.done = room.command("close_session") is not CommandState.REFUSED

    def _take_controller_when_clear(self, room: "VirtualSession", session: Session) -> None:
        if not session.blocks and session.side is Side.NONE:
            self._take_controller(room)

    def _ease(self, room: "VirtualSession", session: Session) -> None:
        """A little less inflow before a site reaches the band's edge, at most once a minute."""
        sites = channels.valid_values(room.state, Role.SITE)
        granted_c = session.heat.granted_c
        edge_c = session.protocol.target.high_c - BELOW_EDGE_C
        if not sites or granted_c is None or max(sites) <= edge_c:
            return
        if room.now_s - self._eased_s >= EASES_S:
            self._eased_s = room.now_s
            room.command("set_inflow", c=granted_c - EASES_C)


HEATED = frozenset({Phase.PRIME, Phase.FILL, Phase.HEAT_UP, Phase.DRUG_ADDITION, Phase.PERFUSE})

Duty = Callable[[Team, "VirtualSession", Session, float], None]
DUTIES: Mapping[Phase, Duty] = {
    Phase.SETUP: Team._setup,
    Phase.PRIME: Team._prime,
    Phase.FILL: Team._fill,
    Phase.HEAT_UP: Team._heat_up,
    Phase.DRUG_ADDITION: Team._drug_addition,
    Phase.PERFUSE: Team._perfuse,
    Phase.DRAIN: Team._drain,
    Phase.RINSE: Team._rinse,
    Phase.COMPLETE: Team._complete,
}
"""What is due in each phase."""
