"""What each command of a person does to the session, or why it is refused.

Facts (notes, volumes, a drug that was given) are never refused because of the session's state;
only actuators are.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from service.core import alarms, channels, control, drives, interlocks, phases
from service.core.authority import refusal
from service.core.effects import (
    CommandChanged,
    ControllerChanged,
    Effect,
    Recorded,
    SessionClosed,
    SessionOpened,
)
from service.core.events import Command
from service.core.model import CommandState, Controller, DeviceClass, Phase, Role
from service.core.state import (
    CommandRecord,
    Confirmed,
    Drive,
    Given,
    Patient,
    Session,
    Side,
    State,
)

KEPT_COMMANDS = 100
OPEN = (CommandState.REQUESTED, CommandState.SENT)
LOWEST_INFLOW_C = 20.0
UTC_LABEL = "%Y%m%dT%H%M%SZ"


class Refusal(Exception):
    """A command is refused; the text tells the person why and what would help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An accepted command: the new state, what to record, and which drives it may move."""

    state: State
    effects: tuple[Effect, ...] = ()
    requested: float | None = None
    granted: float | None = None
    limited_by: str = ""
    drives: tuple[str, ...] = ()


Handler = Callable[[State, Command], Done]


def handle(state: State, command: Command) -> tuple[State, list[Effect]]:
    """Carry out one command, or refuse it with a reason; a key is executed once only."""
    if any(record.key == command.key for record in state.commands):
        return state, []
    try:
        if why := refusal(command.name, command.by):
            raise Refusal(why)
        done = HANDLERS[command.name](state, command)
    except Refusal as refused:
        record = _record(command, CommandState.REFUSED, reason=str(refused))
        return _kept(state, record), [_changed(state, record)]
    record = _record(
        command,
        CommandState.REQUESTED,
        requested=done.requested,
        granted=done.granted,
        limited_by=done.limited_by,
        waits=done.drives,
    )
    return _kept(done.state, record), [*done.effects, _changed(state, record)]


def settled(state: State) -> tuple[State, list[Effect]]:
    """Move every sent command on by the outcome of its orders, before any newer order is given."""
    return _moved_on(state, partial(_settled, state))


def follow(before: State, state: State) -> tuple[State, list[Effect]]:
    """Move every command on by the orders of this pass: sent, or overtaken by a newer one."""
    return _moved_on(state, lambda record: _settled(state, _sent(before, state, record)))


def _moved_on(
    state: State, move: Callable[[CommandRecord], CommandRecord]
) -> tuple[State, list[Effect]]:
    if not any(record.state in OPEN for record in state.commands):
        return state, []
    moved = tuple(move(record) for record in state.commands)
    effects: list[Effect] = [
        _changed(state, record)
        for record, was in zip(moved, state.commands, strict=True)
        if record.state is not was.state
    ]
    return replace(state, commands=moved), effects


def _sent(before: State, state: State, record: CommandRecord) -> CommandRecord:
    """A requested command waits for the orders that this pass has issued for its drives."""
    if record.state is not CommandState.REQUESTED:
        return record
    orders = []
    for name in record.waits:
        drive, was = _drive(state, name), _drive(before, name)
        pending = drive.outcome is CommandState.REQUESTED
        if drive.order != was.order or pending:
            orders.append(f"{name}:{drive.order}")
    if orders:
        return replace(record, state=CommandState.SENT, waits=tuple(orders))
    reason = state.session.heat.waits_for if state.session and "heater" in record.waits else ""
    reason = f"kept; heat waits: {reason}" if reason and record.granted is not None else ""
    return replace(record, state=CommandState.CONFIRMED, waits=(), reason=reason)


def _settled(state: State, record: CommandRecord) -> CommandRecord:
    if record.state is not CommandState.SENT:
        return record
    outcomes = []
    for wait in record.waits:
        name, _, order = wait.partition(":")
        drive = _drive(state, name)
        newer = drive.order != int(order)
        overtaken = (CommandState.REFUSED, f"overtaken by a newer order to the {name}")
        outcomes.append(overtaken if newer else (drive.outcome, drive.reason))
    for worst in (CommandState.UNKNOWN, CommandState.REFUSED):
        for outcome, reason in outcomes:
            if outcome is worst:
                return replace(record, state=worst, reason=reason)
    if all(outcome is CommandState.CONFIRMED for outcome, _ in outcomes):
        return replace(record, state=CommandState.CONFIRMED)
    return record


def _drive(state: State, name: str) -> Drive:
    return state.heater if name == "heater" else state.pump


def _kept(state: State, record: CommandRecord) -> State:
    return replace(state, commands=(record, *state.commands)[:KEPT_COMMANDS])


def _record(
    command: Command,
    state: CommandState,
    *,
    requested: float | None = None,
    granted: float | None = None,
    limited_by: str = "",
    reason: str = "",
    waits: tuple[str, ...] = (),
) -> CommandRecord:
    return CommandRecord(
        key=command.key,
        name=command.name,
        state=state,
        at=command.at,
        requested=requested,
        granted=granted,
        limited_by=limited_by,
        reason=reason,
        waits=waits,
    )


def _changed(state: State, record: CommandRecord) -> CommandChanged:
    return CommandChanged(
        at=state.now,
        key=record.key,
        name=record.name,
        state=record.state,
        requested=record.requested,
        granted=record.granted,
        limited_by=record.limited_by,
        reason=record.reason,
    )


def who(command: Command) -> str:
    """The person (or the station) that gave a command, with the second name where there is one."""
    name = command.by.user or command.by.station or command.by.role
    return f"{name} and {command.second}" if command.second else name


def _fact(state: State, command: Command, kind: str, text: str) -> Recorded:
    said = f"{text} ({command.reason})" if command.reason else text
    return Recorded(at=state.now, kind=kind, text=said, by=who(command))


def _session(state: State) -> Session:
    if state.session is None:
        raise Refusal("no session is open: open one first")
    return state.session


def _number(command: Command, name: str, low: float, high: float) -> float:
    value = command.args.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refusal(f"{name} must be a number")
    if not low <= value <= high:
        raise Refusal(f"{name} {value:g} is outside {low:g} to {high:g}")
    return float(value)


def _optional(command: Command, name: str, low: float, high: float) -> float | None:
    return None if command.args.get(name) is None else _number(command, name, low, high)


def _text(command: Command, name: str) -> str:
    value = command.args.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refusal(f"{name} must be given")
    return value.strip()


def _open_session(state: State, command: Command) -> Done:
    protocol = command.protocol
    if state.session is not None:
        raise Refusal(f"session {state.session.id} is open: close it first")
    if protocol is None:
        raise Refusal(f"there is no protocol {command.args.get('protocol')!r}")
    low, high = protocol.clock.duration_range_min
    minutes = _optional(command, "duration_min", low, high) or protocol.clock.duration_min
    carrier = str(command.args.get("carrier") or protocol.perfusate.carrier)
    if protocol.drug is not None and carrier not in protocol.drug.carriers:
        allowed = ", ".join(protocol.drug.carriers)
        raise Refusal(f"carrier {carrier!r} is not allowed for {protocol.drug.name}: {allowed}")
    patient = Patient(
        height_cm=_optional(command, "height_cm", 100, 220),
        weight_kg=_optional(command, "weight_kg", 30, 200),
        bsa_m2=_optional(command, "bsa_m2", 0.5, 4),
        dose_mg=_dose_mg(command, protocol.drug.dose_tolerance if protocol.drug else 0.0),
        carrier=carrier,
    )
    stamp = datetime.fromtimestamp(state.now.utc_ns // 10**9, UTC).strftime(UTC_LABEL)
    session = Session(
        id=f"{stamp}-{state.room.id}",
        protocol=protocol,
        limits=protocol.limits,
        opened=state.now,
        duration_s=60.0 * minutes,
        patient=patient,
        phase_from_s=state.treat_s,
    )
    opened = SessionOpened(at=state.now, session=session.id, protocol=protocol.id, by=who(command))
    effects: list[Effect] = [opened]
    if envelope := protocol.envelope.name:
        text = f"Envelope widened: {envelope}, approved by {protocol.envelope.approved_by}"
        effects.append(_fact(state, command, "envelope", text))
    state = replace(
        state,
        session=session,
        heater=Drive(order=state.heater.order),
        pump=Drive(order=state.pump.order),
        over_ceiling={},
        iap_window=(),
    )
    return Done(state=state, effects=tuple(effects))


def _dose_mg(command: Command, tolerance: float) -> float | None:
    """The pharmacist's dose from the label; far from the arithmetic only with a second name."""
    dose = _optional(command, "dose_mg", 0, 10_000)
    expected = _optional(command, "expected_mg", 0, 10_000)
    if dose is None or not expected:
        return dose
    share = abs(dose - expected) / expected
    if share > tolerance and not _second(command):
        raise Refusal(
            f"label says {dose:g} mg, arithmetic says {expected:.1f} mg: "
            f"{share:.0%} apart needs a second name"
        )
    return dose


def _close_session(state: State, command: Command) -> Done:
    session = _session(state)
    if session.phase not in (Phase.SETUP, Phase.COMPLETE):
        raise Refusal(f"finish the treatment first: phase is {session.phase}")
    closed = SessionClosed(at=state.now, session=session.id, by=who(command))
    return Done(state=replace(state, session=None), effects=(closed,))


def _confirm_checklist(state: State, command: Command) -> Done:
    session = _session(state)
    wanted = _text(command, "item")
    item = next((i for i in session.protocol.checklist if i.id == wanted), None)
    if item is None:
        known = ", ".join(i.id for i in session.protocol.checklist)
        raise Refusal(f"there is no checklist item {wanted!r}: {known}")
    if item.names == 2 and not _second(command):
        raise Refusal(f"{item.text!r} needs a second name")
    by = command.by.user or command.by.station
    confirmed = Confirmed(at=state.now, by=by, second=_second(command))
    session = replace(session, checklist={**session.checklist, item.id: confirmed})
    fact = _fact(state, command, "checklist", item.text)
    return Done(state=replace(state, session=session), effects=(fact,))


def _start_phase(state: State, command: Command) -> Done:
    session = _session(state)
    name = _text(command, "phase")
    if name not in set(Phase):
        raise Refusal(f"there is no phase {name!r}: {', '.join(Phase)}")
    target = Phase(name)
    step = phases.step_to(session, target)
    if step is None:
        raise Refusal(f"{target} does not follow {session.phase}")
    if session.side is Side.PAUSE and target not in (Phase.DRAIN, Phase.COMPLETE):
        raise Refusal("the session is paused: resume first, or drain")
    if session.side is Side.ABORT and target not in (Phase.DRAIN, Phase.RINSE, Phase.COMPLETE):
        raise Refusal("the session was aborted: drain")
    if missing := phases.needs(state, session, step):
        raise Refusal(f"{target} needs: {'; '.join(missing)}")
    if phases.asks_reason(session, step) and not command.reason:
        raise Refusal(f"{target} now leaves {session.phase} early: give a reason")
    early = phases.asks_reason(session, step)
    session, effects = phases.entered(state, session, target, who(command))
    if command.reason:
        kind, text = ("deviation", f"{target} started early") if early else ("note", str(target))
        effects.append(_fact(state, command, kind, text))
    return Done(state=replace(state, session=session), effects=tuple(effects))


def _confirm_drug(state: State, command: Command) -> Done:
    session = _session(state)
    number = int(_number(command, "fraction", 1, 20))
    age_s = _optional(command, "ago_s", 0, 24 * 3600) or 0.0
    if any(entry.fraction == number for entry in session.given):
        raise Refusal(f"fraction {number} is already recorded")
    if age_s and not command.reason:
        raise Refusal("an earlier time needs a reason")
    late_s = age_s * state.room.speed
    at_s = state.treat_s - late_s
    utc_ns = state.now.utc_ns - int(age_s * 1e9)
    given = Given(fraction=number, at_utc_ns=utc_ns, at_s=at_s, by=who(command))
    effects: list[Effect] = [_fact(state, command, "drug", f"Drug fraction {number} given")]
    if deviation := _drug_deviation(state, session, number):
        effects.append(_fact(state, command, "deviation", deviation))
    session = replace(session, given=(*session.given, given))
    if session.clocks.contact_from_s is None:
        session = replace(session, clocks=replace(session.clocks, contact_from_s=at_s))
    if session.phase in (Phase.HEAT_UP, Phase.DRUG_ADDITION):
        by = who(command)
        session, moved = phases.entered(state, session, Phase.PERFUSE, by, late_s=late_s)
        effects += moved
    return Done(state=replace(state, session=session), effects=tuple(effects))


def _drug_deviation(state: State, session: Session, number: int) -> str:
    drug = session.protocol.drug
    if drug is None or number > len(drug.fractions):
        return f"Fraction {number} is not in the protocol"
    if session.phase is Phase.HEAT_UP:
        addition = phases.step_to(session, Phase.DRUG_ADDITION)
        missing = phases.needs(state, session, addition) if addition else []
        return f"Drug given before: {'; '.join(missing)}" if missing else ""
    if session.phase not in (Phase.HEAT_UP, Phase.DRUG_ADDITION, Phase.PERFUSE):
        return f"Drug given in phase {session.phase}"
    return ""


def _set_controller(state: State, command: Command) -> Done:
    session = _session(state)
    mode = _text(command, "mode")
    allowed = (Controller.MANUAL, Controller.ADVISORY, Controller.AUTOMATIC)
    if mode not in {controller.value for controller in allowed}:
        raise Refusal(f"mode must be one of {', '.join(allowed)}")
    wanted = Controller(mode)
    if wanted is Controller.AUTOMATIC:
        _automatic_conditions(state, session)
    heat = replace(session.heat, controller=wanted, integral_c=0.0)
    changed = ControllerChanged(at=state.now, to=wanted, reason=f"by {who(command)}")
    state = replace(state, session=replace(session, heat=heat))
    return Done(state=state, effects=(changed,))


def _automatic_conditions(state: State, session: Session) -> None:
    """What automatic needs before a person may switch it on."""
    checks: Mapping[str, bool] = {
        f"heat is not allowed in phase {session.phase}": (
            session.protocol.heat[session.phase].allowed
        ),
        "an interlock or pause is on: resume first": (
            not session.blocks and session.side is Side.NONE
        ),
        "automatic needs an independent flow meter": channels.flow_meter(state) is not None,
        "automatic needs two valid sites": len(channels.valid_values(state, Role.SITE)) >= 2,
        "automatic needs a valid inflow": bool(channels.valid_values(state, Role.INFLOW)),
    }
    if failed := [text for text, holds in checks.items() if not holds]:
        raise Refusal("; ".join(failed))


def _set_inflow(state: State, command: Command) -> Done:
    session = _session(state)
    asked = _number(command, "c", LOWEST_INFLOW_C, 60)
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


def _set_flow(state: State, command: Command) -> Done:
    session = _session(state)
    asked = _number(command, "ml_min", 0, 20_000)
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


def _stop(state: State, command: Command) -> Done:
    """Everything off, in any phase or none, without a guard; a person resumes."""
    effects: list[Effect] = [_fact(state, command, "stop", "Stop")]
    if (session := state.session) is not None:
        side = Side.ABORT if session.side is Side.ABORT else Side.PAUSE
        heat = replace(session.heat, controller=Controller.STOPPED, enabled=False)
        state = replace(state, session=replace(session, side=side, heat=heat))
        to = Controller.STOPPED
        effects.append(ControllerChanged(at=state.now, to=to, reason="stop"))
    state = drives.off_anew(state, pump=True)
    return Done(state=state, effects=tuple(effects), drives=("heater", "pump"))


def _heater_off(state: State, command: Command) -> Done:
    """The heater off, in any phase or none; a person resumes."""
    fact = _fact(state, command, "heater_off", "Heater off")
    if (session := state.session) is not None:
        side = Side.HEAT_HOLD if session.side is Side.NONE else session.side
        session = replace(session, side=side, heat=replace(session.heat, enabled=False))
        state = replace(state, session=session)
    state = drives.off_anew(state, pump=False)
    return Done(state=state, effects=(fact,), drives=("heater",))


def _pause(state: State, command: Command) -> Done:
    session = _session(state)
    if session.side is Side.ABORT:
        raise Refusal("the session was aborted")
    session = replace(session, side=Side.PAUSE)
    fact = _fact(state, command, "pause", "Pause")
    return Done(state=replace(state, session=session), effects=(fact,), drives=("heater", "pump"))


def _resume(state: State, command: Command) -> Done:
    """A person takes the session on: pause, heat hold, stop and interlocks whose cause is gone."""
    session = _session(state)
    if session.side is Side.ABORT:
        raise Refusal("the session was aborted: drain")
    blocks = interlocks.standing(state, session)
    overridden = [b.cause for b in blocks if b.surgeon and command.reason and _second(command)]
    if standing := [block.text for block in blocks if block.cause not in overridden]:
        raise Refusal(f"the cause is still there: {'; '.join(standing)}")
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
        overridden=session.overridden.union(overridden),
        heat=heat,
    )
    state = drives.decided_anew(state)
    effects: list[Effect] = [_fact(state, command, "resume", "Resume")]
    if stopped:
        to = Controller.ADVISORY
        effects.append(ControllerChanged(at=state.now, to=to, reason=f"by {who(command)}"))
    return Done(
        state=replace(state, session=session), effects=tuple(effects), drives=("heater", "pump")
    )


def _pump_stands(state: State) -> bool:
    """Whether running the pump would start it: the fluid that stood would reach the patient."""
    return state.pump.wanted is None or channels.runs(state, DeviceClass.PUMP) is not True


def _second(command: Command) -> str:
    """The name of the second person; empty when there is none but the one who commands."""
    second = command.second.strip()
    first = (command.by.user or command.by.station).strip()
    return "" if second.casefold() == first.casefold() else second


def _abort(state: State, command: Command) -> Done:
    session = _session(state)
    heat = replace(session.heat, controller=Controller.STOPPED, enabled=False)
    session = replace(session, side=Side.ABORT, heat=heat)
    fact = _fact(state, command, "abort", "Abort")
    changed = ControllerChanged(at=state.now, to=Controller.STOPPED, reason="abort")
    state = drives.off_anew(replace(state, session=session), pump=True)
    return Done(state=state, effects=(fact, changed), drives=("heater", "pump"))


def _acknowledge(state: State, command: Command) -> Done:
    found = alarms.acknowledge(state, _text(command, "occurrence"), who(command))
    if found is None:
        raise Refusal("this alarm is not sounding any more")
    state, effect = found
    return Done(state=state, effects=(effect,))


def _pause_audio(state: State, command: Command) -> Done:
    until = state.now.mono_ns + int(alarms.AUDIO_PAUSE_S * 1e9)
    fact = _fact(state, command, "audio_pause", f"Audio paused {alarms.AUDIO_PAUSE_S:.0f} s")
    return Done(state=replace(state, audio_paused_until_ns=until), effects=(fact,))


def _note(state: State, command: Command) -> Done:
    return Done(state=state, effects=(_fact(state, command, "note", _text(command, "text")),))


def _volume(state: State, command: Command) -> Done:
    session = _session(state)
    ml = _number(command, "ml", 0, 20_000)
    kind = _text(command, "kind")
    if kind not in ("in", "out"):
        raise Refusal("kind must be in or out")
    if kind == "in":
        session = replace(session, volume_in_ml=session.volume_in_ml + ml)
    else:
        session = replace(session, volume_out_ml=session.volume_out_ml + ml)
    fact = _fact(state, command, "volume", f"Volume {kind}: {ml:.0f} ml")
    return Done(state=replace(state, session=session), effects=(fact,))


def _enter_core(state: State, command: Command) -> Done:
    value = _number(command, "c", 30, 43)
    return Done(
        state=state, effects=(_fact(state, command, "core", f"Core read by hand {value:.1f} °C"),)
    )


def _say(kind: str) -> Handler:
    """A request from anesthesia, or the pump's answer to it: recorded and shown."""

    def handler(state: State, command: Command) -> Done:
        text = _text(command, "kind").replace("_", " ")
        return Done(state=state, effects=(_fact(state, command, kind, text),))

    return handler


HANDLERS: Mapping[str, Handler] = {
    "open_session": _open_session,
    "close_session": _close_session,
    "confirm_checklist": _confirm_checklist,
    "start_phase": _start_phase,
    "confirm_drug": _confirm_drug,
    "set_controller": _set_controller,
    "set_inflow": _set_inflow,
    "set_flow": _set_flow,
    "stop": _stop,
    "heater_off": _heater_off,
    "pause": _pause,
    "resume": _resume,
    "abort": _abort,
    "acknowledge": _acknowledge,
    "pause_audio": _pause_audio,
    "note": _note,
    "volume": _volume,
    "enter_core": _enter_core,
    "request": _say("request"),
    "answer": _say("answer"),
}
