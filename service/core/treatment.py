"""Opening and closing a session, and what the treatment walks through: checklist, phases, drug."""

from datetime import UTC, datetime

from protocols.schema import Protocol
from service.core import dips, displays, dose, drives, guarding, phases, timers
from service.core.asked import (
    Done,
    Refusal,
    number_arg,
    optional_arg,
    recorded,
    second_name,
    session_of,
    text_arg,
    who,
)
from service.core.changing import replace
from service.core.effects import Effect, SessionClosed, SessionOpened
from service.core.events import Command
from service.core.model import Controller, Phase
from service.core.state import Confirmed, Dose, Drive, Given, Patient, Session, Side, State
from service.core.trust import comparison
from service.core.trust.memory import Past

STRIP_ITEM = "not_guarded"
"""The checklist item with which two people sign the strip of what is not guarded today."""

UTC_LABEL = "%Y%m%dT%H%M%SZ"


def open_session(state: State, command: Command) -> Done:
    """Open a session on a protocol, with what the dose arithmetic needs."""
    protocol = command.protocol
    if state.session is not None:
        raise Refusal(f"session {state.session.id} is open: close it first")
    if protocol is None:
        raise Refusal(f"there is no protocol {command.args.get('protocol')!r}")
    low, high = protocol.clock.duration_range_min
    minutes = optional_arg(command, "duration_min", low, high) or protocol.clock.duration_min
    carrier = str(command.args.get("carrier") or protocol.perfusate.carrier)
    if protocol.drug is not None and carrier not in protocol.drug.carriers:
        allowed = ", ".join(protocol.drug.carriers)
        raise Refusal(f"carrier {carrier!r} is not allowed for {protocol.drug.name}: {allowed}")
    bsa_m2 = optional_arg(command, "bsa_m2", 0.5, 4)
    expected_mg = _arithmetic_mg(protocol, bsa_m2)
    patient = Patient(
        height_cm=optional_arg(command, "height_cm", 100, 220),
        weight_kg=optional_arg(command, "weight_kg", 30, 200),
        bsa_m2=bsa_m2,
        dose_mg=_dose_mg(command, protocol, expected_mg),
        carrier=carrier,
    )
    stamp = datetime.fromtimestamp(state.now.utc_ns // 10**9, UTC).strftime(UTC_LABEL)
    session = Session(
        id=f"{stamp}-{state.room.id}",
        protocol=protocol,
        limits=protocol.limits,
        opened=state.now,
        opened_s=state.treat_s,
        duration_s=60.0 * minutes,
        patient=patient,
        phase_from_s=state.treat_s,
    )
    opened = SessionOpened(at=state.now, session=session.id, protocol=protocol.id, by=who(command))
    effects: list[Effect] = [opened]
    if envelope := protocol.envelope.name:
        text = f"Envelope widened: {envelope}, approved by {protocol.envelope.approved_by}"
        effects.append(recorded(state, command, "envelope", text))
    if doubt := _dose_doubt(protocol, patient.dose_mg, expected_mg):
        text = f"Dose taken with a second name: {doubt.rstrip(':')}"
        effects.append(recorded(state, command, "deviation", text))
    state = replace(
        state,
        session=session,
        heater=Drive(order=state.heater.order),
        pump=Drive(order=state.pump.order),
        over_ceiling={},
        iap_window=(),
        dose=Dose(),
        core_window=(),
        past=Past(),
        displays=displays.present(state),
    )
    return Done(state=state, effects=tuple(effects))


def _arithmetic_mg(protocol: Protocol, bsa_m2: float | None) -> float | None:
    drug = protocol.drug
    return None if drug is None or bsa_m2 is None else drug.dose_mg_m2 * bsa_m2


def _dose_mg(command: Command, protocol: Protocol, expected_mg: float | None) -> float | None:
    """The pharmacist's dose from the label; without the arithmetic, or far from it, only with a
    second name."""
    dose = optional_arg(command, "dose_mg", 0, 10_000)
    if dose is None or second_name(command) or not _dose_doubt(protocol, dose, expected_mg):
        return dose
    raise Refusal(f"{_dose_doubt(protocol, dose, expected_mg)} needs a second name")


def _dose_doubt(protocol: Protocol, dose: float | None, expected_mg: float | None) -> str:
    """What stands against the dose on the label ("" for nothing)."""
    drug = protocol.drug
    if dose is None or drug is None:
        return ""
    if not expected_mg:
        return f"label says {dose:g} mg, without height and weight no arithmetic beside it:"
    share = abs(dose - expected_mg) / expected_mg
    if share <= drug.dose_tolerance:
        return ""
    return f"label says {dose:g} mg, arithmetic says {expected_mg:.1f} mg: {share:.0%} apart"


def close_session(state: State, command: Command) -> Done:
    """Close the record of a session that is over or never began."""
    session = session_of(state)
    if session.phase not in (Phase.SETUP, Phase.COMPLETE):
        raise Refusal(f"finish the treatment first: phase is {session.phase}")
    figures = dose.recorded(state, session)
    closed = SessionClosed(at=state.now, session=session.id, by=who(command))
    state = replace(state, session=None, dose=Dose())
    return Done(state=state, effects=(figures, closed) if figures else (closed,))


def confirm_checklist(state: State, command: Command) -> Done:
    """Confirm one line of the checklist, with a second name where it asks for one."""
    session = session_of(state)
    wanted = text_arg(command, "item")
    item = next((i for i in session.protocol.checklist if i.id == wanted), None)
    if item is None:
        known = ", ".join(i.id for i in session.protocol.checklist)
        raise Refusal(f"there is no checklist item {wanted!r}: {known}")
    if item.names == 2 and not second_name(command):
        raise Refusal(f"{item.text!r} needs a second name")
    skipped = comparison.skipped(state, item.id, command.reason) or displays.skipped_sound(
        state, item.id, command.reason
    )
    by = command.by.user or command.by.station
    confirmed = Confirmed(at=state.now, by=by, second=second_name(command), skipped=skipped)
    session = replace(session, checklist={**session.checklist, item.id: confirmed})
    text = f"Skipped: {item.text}" if skipped else item.text + displays.heard_at(state, item.id)
    if item.id == STRIP_ITEM:
        open_hazards = "; ".join(f"{u.hazard} ({u.why})" for u in guarding.not_guarded(state))
        text = f"{text}. Not guarded: {open_hazards or 'nothing'}"
    fact = recorded(state, command, "deviation" if skipped else "checklist", text)
    state = comparison.confirmed_again(state, item.id)
    return Done(state=replace(state, session=session), effects=(fact,))


def start_phase(state: State, command: Command) -> Done:
    """Go on to a phase whose needs are met; leaving early needs a reason."""
    session = session_of(state)
    name = text_arg(command, "phase")
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
    if target in drives.PUMPING and session.heat.controller is Controller.STOPPED:
        raise Refusal(f"everything was stopped, and {target} runs the pump: resume first")
    if missing := phases.needs(state, session, step):
        raise Refusal(f"{target} needs: {'; '.join(missing)}")
    if phases.asks_reason(session, step) and not command.reason:
        raise Refusal(f"{target} now leaves {session.phase} early: give a reason")
    early = phases.asks_reason(session, step)
    session, effects = phases.entered(state, session, target, who(command))
    if command.reason:
        kind, text = ("deviation", f"{target} started early") if early else ("note", str(target))
        effects.append(recorded(state, command, kind, text))
    return Done(state=replace(state, session=session), effects=tuple(effects))


def confirm_drug(state: State, command: Command) -> Done:
    """A fraction was given, now or at an earlier time with a reason: a fact, never refused."""
    session = session_of(state)
    number = int(number_arg(command, "fraction", 1, 20))
    age_s = optional_arg(command, "ago_s", 0, 24 * 3600) or 0.0
    if any(entry.fraction == number for entry in session.given):
        raise Refusal(f"fraction {number} is already recorded")
    if age_s and not command.reason:
        raise Refusal("an earlier time needs a reason")
    said_s = age_s * state.room.speed
    late_s = min(said_s, state.treat_s - session.opened_s)
    at_s = state.treat_s - late_s
    utc_ns = state.now.utc_ns - int(age_s * 1e9)
    dip = dips.predicted(state, session)
    given = Given(fraction=number, at_utc_ns=utc_ns, at_s=at_s, by=who(command), dip=dip)
    effects: list[Effect] = [recorded(state, command, "drug", f"Drug fraction {number} given")]
    deviations = (
        "Drug said to be in before the session was opened: its clock starts with the session"
        if said_s > late_s
        else "",
        _drug_deviation(state, session, number),
        timers.fraction_deviation(session, number, at_s),
        _without_reminders(session),
    )
    effects += [recorded(state, command, "deviation", text) for text in deviations if text]
    session = replace(session, given=(*session.given, given))
    if session.clocks.contact_from_s is None:
        session = replace(session, clocks=replace(session.clocks, contact_from_s=at_s))
    if session.phase in (Phase.HEAT_UP, Phase.DRUG_ADDITION):
        by = who(command)
        session, moved = phases.entered(state, session, Phase.PERFUSE, by, late_s=late_s)
        effects += moved
    return Done(state=replace(state, session=session), effects=tuple(effects))


def confirm_reminder(state: State, command: Command) -> Done:
    """An intravenous drug that anesthesia was reminded of was given: a fact, never refused."""
    session = session_of(state)
    count = len(session.protocol.reminders)
    if not count:
        raise Refusal("this protocol has no intravenous drugs")
    number = int(number_arg(command, "reminder", 1, count))
    if number in session.reminded:
        raise Refusal(f"reminder {number} is already confirmed")
    session = replace(session, reminded=(*session.reminded, number))
    drug = session.protocol.reminders[number - 1].drug
    fact = recorded(state, command, "drug", f"{drug} intravenously: given by anesthesia")
    return Done(state=replace(state, session=session), effects=(fact,))


def _without_reminders(session: Session) -> str:
    """The intravenous drugs that the first fraction goes in without ("" for none)."""
    if session.given:
        return ""
    open_drugs = [
        reminder.drug
        for number, reminder in enumerate(session.protocol.reminders, start=1)
        if reminder.at_min < 0 and number not in session.reminded
    ]
    return f"Drug-in before {' and '.join(open_drugs)} was confirmed" if open_drugs else ""


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
