"""Commands that move heat and flow, and those that take them away."""

from service.core import channels, conditions, control, drives, interlocks, phases
from service.core.asked import (
    Done,
    Refusal,
    number_arg,
    recorded,
    session_of,
    text_arg,
    who,
)
from service.core.changing import replace
from service.core.conditions import Condition
from service.core.effects import ControllerChanged, Effect, Recorded
from service.core.events import Command
from service.core.model import Controller, DeviceClass
from service.core.state import Heat, Session, Side, State

LOWEST_INFLOW_C = 20.0


def set_controller(state: State, command: Command) -> Done:
    """Choose who moves the heat; automatic has its conditions."""
    session = session_of(state)
    mode = text_arg(command, "mode")
    allowed = (Controller.MANUAL, Controller.ADVISORY, Controller.AUTOMATIC)
    if mode not in {controller.value for controller in allowed}:
        raise Refusal(f"mode must be one of {', '.join(allowed)}")
    wanted = Controller(mode)
    if session.side is Side.ABORT:
        raise Refusal("the session was aborted: heat stays off, drain")
    if session.heat.controller is Controller.STOPPED:
        raise Refusal("everything was stopped: resume first, then choose who moves the heat")
    effects: list[Effect] = []
    if wanted is Controller.AUTOMATIC:
        effects.append(_conditions_for_automatic(state, session))
    heat = replace(
        session.heat, controller=wanted, integral_c=0.0, requested_c=_kept_c(session.heat, wanted)
    )
    effects.append(ControllerChanged(at=state.now, to=wanted, reason=f"by {who(command)}"))
    state = replace(state, session=replace(session, heat=heat))
    return Done(state=state, effects=tuple(effects))


def _kept_c(heat: Heat, wanted: Controller) -> float | None:
    """Automatic finds the inflow anew; who takes over from it goes on with what it last gave."""
    was, automatic = heat.controller, Controller.AUTOMATIC
    if was is wanted or automatic not in (was, wanted):
        return heat.requested_c
    return None if wanted is automatic else heat.granted_c


def _conditions_for_automatic(state: State, session: Session) -> Recorded:
    """Every condition with its reading, for the record; refused when one does not hold."""
    found = conditions.for_automatic(state, session)
    if failed := _failed(found):
        raise Refusal(f"automatic needs: {failed}")
    return _as_read(state, found)


def _failed(found: tuple[Condition, ...]) -> str:
    return "; ".join(f"{c.name} ({c.reading})" for c in found if not c.holds)


def _as_read(state: State, found: tuple[Condition, ...]) -> Recorded:
    return Recorded(
        at=state.now,
        kind="automatic_conditions",
        text="; ".join(f"{c.name}: {c.reading}" for c in found),
        data={c.name: c.reading for c in found},
    )


def set_inflow(state: State, command: Command) -> Done:
    """Ask for an inflow temperature; granted up to the ceiling less its margin."""
    session = session_of(state)
    asked = number_arg(command, "c", LOWEST_INFLOW_C, 60)
    if not session.protocol.heat[session.phase].allowed:
        raise Refusal(f"no heat in phase {session.phase}")
    if blocked := [block.text for block in session.blocks.values() if block.heat]:
        raise Refusal(f"heat is off: {'; '.join(blocked)}. Remove the cause, then resume")
    if session.side is not Side.NONE:
        raise Refusal(f"session is in {session.side}: resume first")
    ceiling, why = control.inflow_limit(session)
    granted = min(asked, ceiling)
    heat = replace(session.heat, requested_c=asked, enabled=True, integral_c=0.0)
    return Done(
        state=drives.decided_anew(replace(state, session=replace(session, heat=heat))),
        requested=asked,
        granted=granted,
        limited_by=why if granted < asked else "",
        drives=("heater",),
    )


def set_flow(state: State, command: Command) -> Done:
    """Ask for a flow; a standing pump starts only where no hot fluid has stood."""
    session = session_of(state)
    asked = number_arg(command, "ml_min", 0, 20_000)
    perfusate = session.protocol.perfusate
    if session.phase not in drives.PUMPING:
        raise Refusal(f"no flow in phase {session.phase}")
    if blocked := [block.text for block in session.blocks.values() if block.pump]:
        raise Refusal(f"pump is stopped: {'; '.join(blocked)}. Remove the cause, then resume")
    if session.side in (Side.PAUSE, Side.ABORT):
        raise Refusal(f"session is in {session.side}: resume first")
    if _pump_stands(state) and asked > 0 and (soaked := phases.not_soaked(state, session)):
        raise Refusal(soaked)
    granted = min(asked, perfusate.flow_max_ml_min)
    limited_by = f"highest flow {perfusate.flow_max_ml_min:g} ml/min" if granted < asked else ""
    session = replace(session, flow_ml_min=granted or None)
    flow, slowed_by = drives.wanted_flow_ml_min(session)
    return Done(
        state=drives.decided_anew(replace(state, session=session)),
        requested=asked,
        granted=flow or 0.0,
        limited_by=(slowed_by if flow else "") or limited_by,
        drives=("pump",),
    )


def stop(state: State, command: Command) -> Done:
    """Everything off, in any phase or none, without a guard; a person resumes."""
    return _all_off(state, command, Side.PAUSE)


def abort(state: State, command: Command) -> Done:
    """End the treatment: everything off, in any phase or none, without a guard; then drain."""
    return _all_off(state, command, Side.ABORT)


def _all_off(state: State, command: Command, side: Side) -> Done:
    """Heat and pump off; the return as the protocol's row for it says."""
    effects: list[Effect] = []
    text = command.name.capitalize()
    if (session := state.session) is not None:
        row = session.protocol.matrix["stop_or_abort"]
        text = f"{text}: heat off, pump stopped, return {row.returns.replace('_', ' ')}"
        side = Side.ABORT if session.side is Side.ABORT else side
        heat = replace(session.heat, controller=Controller.STOPPED, enabled=False)
        state = replace(state, session=replace(session, side=side, heat=heat))
        to = Controller.STOPPED
        effects.append(ControllerChanged(at=state.now, to=to, reason=command.name))
    effects.insert(0, recorded(state, command, command.name, text))
    state = drives.off_anew(state, pump=True)
    return Done(state=state, effects=tuple(effects), drives=("heater", "pump"))


def patient_unstable(state: State, command: Command) -> Done:
    """Cardiac arrest or an unstable patient: everything off until the surgeon agrees to go on."""
    if state.session is None:
        return _all_off(state, command, Side.PAUSE)
    says = "Patient unstable: heat and pump off, drain"
    fact = recorded(state, command, "patient_unstable", says)
    text = f"Patient unstable, said by {who(command)}"
    state, effects = interlocks.declare(state, state.session, "patient_unstable", text)
    state = drives.off_anew(state, pump=True)
    return Done(state=state, effects=(fact, *effects), drives=("heater", "pump"))


def heater_off(state: State, command: Command) -> Done:
    """The heater off, in any phase or none; a person resumes."""
    fact = recorded(state, command, "heater_off", "Heater off")
    if (session := state.session) is not None:
        side = Side.HEAT_HOLD if session.side is Side.NONE else session.side
        session = replace(session, side=side, heat=replace(session.heat, enabled=False))
        state = replace(state, session=session)
    state = drives.off_anew(state, pump=False)
    return Done(state=state, effects=(fact,), drives=("heater",))


def pause(state: State, command: Command) -> Done:
    """Pump and heater off until a person resumes."""
    session = session_of(state)
    if session.side is Side.ABORT:
        raise Refusal("the session was aborted")
    session = replace(session, side=Side.PAUSE)
    fact = recorded(state, command, "pause", "Pause")
    return Done(state=replace(state, session=session), effects=(fact,), drives=("heater", "pump"))


def resume(state: State, command: Command) -> Done:
    """A person takes the session on: pause, heat hold, stop and interlocks whose cause is gone."""
    session = session_of(state)
    if session.side is Side.ABORT:
        raise Refusal("the session was aborted: drain")
    overridden, roles = interlocks.to_resume(state, session)
    blocks = interlocks.standing(state, session)
    if fixed := [block.text for block in blocks if block.cause not in overridden]:
        raise Refusal(f"the cause is still there: {'; '.join(fixed)}")
    agreed = _agreed(command, roles, [block.text for block in blocks])
    pumping = session.phase in drives.PUMPING and session.flow_ml_min
    if pumping and _pump_stands(state) and (soaked := phases.not_soaked(state, session)):
        raise Refusal(soaked)
    stopped = session.heat.controller in (Controller.STOPPED, Controller.FALLBACK)
    heat = replace(
        session.heat,
        enabled=session.protocol.heat[session.phase].allowed,
        controller=Controller.ADVISORY if stopped else session.heat.controller,
        integral_c=0.0,
        missing_since=None,
    )
    session = replace(
        session,
        side=Side.NONE,
        blocks={},
        overridden=tuple(sorted({*session.overridden, *overridden})),
        heat=heat,
    )
    state = drives.decided_anew(state)
    effects: list[Effect] = [recorded(state, command, "resume", f"Resume{agreed}")]
    if stopped:
        to = Controller.ADVISORY
        effects.append(ControllerChanged(at=state.now, to=to, reason=f"by {who(command)}"))
    session, checked = _automatic_goes_on(state, session)
    return Done(
        state=replace(state, session=session),
        effects=(*effects, *checked),
        drives=("heater", "pump"),
    )


def _automatic_goes_on(state: State, session: Session) -> tuple[Session, list[Effect]]:
    """Automatic that was interrupted is looked at again: what it needs and has not makes it
    advisory."""
    if session.heat.controller is not Controller.AUTOMATIC:
        return session, []
    found = conditions.to_go_on(state, session)
    if not (failed := _failed(found)):
        return session, [_as_read(state, found)]
    to = Controller.ADVISORY
    changed = ControllerChanged(at=state.now, to=to, reason=f"automatic needs: {failed}")
    return replace(session, heat=replace(session.heat, controller=to)), [changed]


def _agreed(command: Command, roles: tuple[str, ...], standing: list[str]) -> str:
    """Who agrees, by role and name, for the record; refused when somebody is missing."""
    if not roles:
        return ""
    names = {role: str(command.args.get(role) or "").strip() for role in roles}
    people = {name.casefold() for name in (*names.values(), command.by.user.strip())}
    if not command.reason.strip() or "" in names.values() or len(people) <= len(roles):
        why = f"the cause is still there: {'; '.join(standing)}. " if standing else ""
        raise Refusal(
            f"{why}To go on needs a reason and, by name, {' and '.join(roles)}: "
            "each another person, and not you"
        )
    return f", agreed: {', '.join(f'{role} {name}' for role, name in names.items())}"


def _pump_stands(state: State) -> bool:
    """Whether running the pump would start it: the fluid that stood would reach the patient."""
    return state.pump.wanted is None or channels.runs(state, DeviceClass.PUMP) is not True
