"""The room's state as the pages need it: from the core's tree to one JSON object.

The shape is `service.wire.state.State`; nothing is decided here.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from service.control import for_anesthesia
from service.control.labels import utc
from service.core import (
    alarms,
    channels,
    clocks,
    control,
    dips,
    displays,
    drives,
    guarding,
    interlocks,
    ledger,
    phases,
    timers,
)
from service.core.model import Channel, Controller, DeviceClass, DriveStatus, Phase, Role
from service.core.outlook import HORIZONS_S
from service.core.state import Alarm, Drive, PastAlarm, Session, Side, State
from service.core.trust import comparison

Json = dict[str, Any]
SHOWN_COMMANDS = 20


def snapshot(state: State, sent: Mapping[str, tuple[int, int]]) -> Json:
    """The whole state; `sent` gives each alarm occurrence's message number and send time (ns)."""
    return {
        "at_ns": state.now.mono_ns,
        "at_utc": utc(state.now.utc_ns),
        "speed": state.room.speed,
        "channels": _channels(state),
        "devices": _devices(state),
        "figures": _figures(state),
        "alarms": [_alarm(alarm, sent) for alarm in alarms.ranked(state)],
        "audible": sounding.occurrence if (sounding := alarms.audible(state)) else None,
        "audio_paused_s": alarms.audio_paused_s(state),
        "control": _control(state),
        "commands": _commands(state),
        "guarded": [asdict(entry) for entry in guarding.guarded(state)],
        "timers": [asdict(timer) for timer in timers.timers(state)],
        "dip": _dip(state),
        "outlook": _outlook(state),
        "compared": _compared(state),
        "ledger": asdict(lines) if (lines := ledger.ledger(state)) else None,
        "past_alarms": [_past_alarm(past) for past in reversed(state.past_alarms)],
        "not_guarded": [asdict(entry) for entry in guarding.not_guarded(state)],
        "events": _events(state),
        **for_anesthesia.parts(state),
        **_session(state),
    }


def _channels(state: State) -> Json:
    return {
        channel.id: {
            **_value(state, channel),
            "role": channel.role,
            "site": channel.site,
            "device": channel.device,
            "input": channel.input,
            "interval_s": channel.interval_s,
            "grey_s": channels.grey_s(channel),
            "gone_s": channels.gone_s(channel),
            "measured": channels.is_measured(state, channel),
        }
        for channel in state.room.channels
    }


def _value(state: State, channel: Channel) -> Json:
    """A channel's newest sample as a page reads it: an old one has no value, only its time."""
    sample = state.samples.get(channel.id)
    if sample is None:
        never = {"value": None, "validity": "not_available", "reason": "no reading yet"}
        return {**never, "unit": channel.unit, "at_ns": None, "at_utc": None}
    stamp = {
        "unit": sample.unit,
        "at_ns": sample.at.mono_ns,
        "at_utc": utc(sample.at.utc_ns),
    }
    if channels.fresh(state, channel) is None:
        reason = f"no reading for {state.now.seconds_since(sample.at):.0f} s"
        return {"value": None, "validity": "not_available", "reason": reason, **stamp}
    shown = {"value": sample.value, "validity": sample.validity, "reason": sample.reason}
    return {**shown, **stamp}


def _devices(state: State) -> Json:
    found: Json = {}
    for device in state.room.devices:
        link, drive = state.links[device.name], _drive_status(state, device.name)
        found[device.name] = {
            "class": device.device_class,
            "driver": device.driver,
            "link": link.state,
            "reason": link.reason,
            "identity": link.identity,
            "running": drive.running if drive else None,
            "setpoint": drive.setpoint if drive else None,
            "fault": drive.fault if drive else "",
        }
    return found


def _drive_status(state: State, device: str) -> DriveStatus | None:
    """What a drive says of itself, None when it has not said so lately."""
    status = state.statuses.get(device)
    if status is None or state.now.seconds_since(status.at) > channels.STATUS_GONE_S:
        return None
    return status.drive


def _figures(state: State) -> Json:
    sites = channels.valid_values(state, Role.SITE)
    return {
        "sites_mean_c": round(sum(sites) / len(sites), 2) if sites else None,
        "sites_min_c": min(sites, default=None),
        "sites_max_c": max(sites, default=None),
    }


def _alarm(alarm: Alarm, sent: Mapping[str, tuple[int, int]]) -> Json:
    seq, sent_ns = sent.get(alarm.occurrence, (0, None))
    return {
        "id": alarm.id,
        "source": alarm.source,
        "occurrence": alarm.occurrence,
        "priority": alarm.priority,
        "presence": alarms.PRESENCE[alarm.state],
        "text": alarm.text,
        "do": alarm.do,
        "value": alarm.value,
        "limit": alarm.limit,
        "since_utc": utc(alarm.since_utc_ns),
        "sampled_ns": alarm.sampled.mono_ns if alarm.sampled else None,
        "decided_ns": alarm.decided_ns,
        "sent_ns": sent_ns,
        "seq": seq,
        "seen_by": alarm.seen_by,
        "for_anesthesia": alarm.id in displays.CONCERNS_ANESTHESIA,
    }


def _past_alarm(past: PastAlarm) -> Json:
    return {
        "id": past.id,
        "source": past.source,
        "occurrence": past.occurrence,
        "priority": past.priority,
        "text": past.text,
        "since_utc": utc(past.since_utc_ns),
        "until_utc": utc(past.until_utc_ns),
    }


def _dip(state: State) -> Json | None:
    dip = dips.predicted(state, state.session) if state.session else None
    return asdict(dip) if dip else None


def _control(state: State) -> Json:
    holder = state.holder
    return {
        "holder": holder.user if holder else None,
        "station": holder.station if holder else "",
        "since_utc": utc(holder.since.utc_ns) if holder else None,
        "offered_to": holder.offered_to if holder else "",
    }


def _outlook(state: State) -> Json | None:
    """The observer's newest look ahead, as the core has made it (every ten treatment seconds)."""
    session = state.session
    foresight = session.foresight if session else None
    if foresight is None:
        return None
    outlook = foresight.outlook
    return {
        "at_s": state.now.mono_ns / 1e9 * state.room.speed - (state.treat_s - outlook.at_s),
        "horizons_s": list(HORIZONS_S),
        "ahead": {
            name: [{"value_c": one.value_c, "within_c": one.within_c} for one in found]
            for name, found in outlook.ahead.items()
        },
        "gate_in_s": outlook.gate_in_s,
        "band_in_s": outlook.band_in_s,
        "core_high_in_s": outlook.core_high_in_s,
        "steady_mean_c": outlook.steady_mean_c,
        "steady_hottest_c": outlook.steady_hottest_c,
        "steady_coldest_c": outlook.steady_coldest_c,
        "goal_c": outlook.goal_c,
        "wanted_c": foresight.wanted_c,
        "patient_w": outlook.patient_w,
        "field_w": outlook.field_w,
        "tubing_w": outlook.tubing_w,
        "doubted": list(outlook.doubted),
        "limit": outlook.limit,
    }


def _compared(state: State) -> list[Json]:
    """Every probe's last comparison with the reference, before use."""
    session = state.session
    if session is None:
        return []
    return [
        {
            "channel": name,
            "value_c": one.value_c,
            "reference_c": one.reference_c,
            "within": not comparison.is_off(session, one),
        }
        for name, one in session.compared.items()
    ]


def _commands(state: State) -> list[Json]:
    return [
        {
            "key": record.key,
            "name": record.name,
            "state": record.state,
            "requested": record.requested,
            "granted": record.granted,
            "limited_by": record.limited_by,
            "reason": record.reason,
            "at_utc": utc(record.at.utc_ns),
        }
        for record in state.commands[:SHOWN_COMMANDS]
    ]


def _events(state: State) -> list[Json]:
    return [
        {"at_utc": utc(line.at.utc_ns), "kind": line.kind, "text": line.text, "by": line.by}
        for line in state.notes
    ]


def _session(state: State) -> Json:
    session = state.session
    if session is None:
        return _NO_SESSION | {
            "heat": _NO_SESSION["heat"] | {"on": channels.runs(state, DeviceClass.HEATER) is True},
            "pump": _NO_SESSION["pump"] | {"on": channels.runs(state, DeviceClass.PUMP) is True},
        }
    protocol = session.protocol
    return {
        "session": session.id,
        "protocol": protocol.id,
        "phase": session.phase,
        "controller": session.heat.controller,
        "title": protocol.title,
        "technique": protocol.technique,
        "envelope": protocol.envelope.name,
        "side_state": session.side,
        "clocks": _clocks(state, session),
        "target": asdict(protocol.target),
        "gate": _gate(state, session),
        "limits": asdict(session.limits),
        "heat": _heat(state, session),
        "pump": _pump(state, session),
        "steps": _steps(state, session),
        "next_action": _next_action(state, session),
        "checklist": _checklist(session),
        "drug": _drug(state, session),
        "reminders": _reminders(state, session),
        "volumes": {
            "in_ml": session.volume_in_ml,
            "out_ml": session.volume_out_ml,
            "retained_ml": session.volume_in_ml - session.volume_out_ml,
        },
    }


_NO_SESSION: Json = {
    "session": None,
    "protocol": None,
    "phase": None,
    "controller": Controller.ADVISORY,
    "title": "",
    "technique": None,
    "envelope": "",
    "side_state": Side.NONE,
    "clocks": {
        "elapsed_s": 0.0,
        "in_band_s": 0.0,
        "out_of_band_s": 0.0,
        "unobserved_s": 0.0,
        "left_s": 0.0,
        "duration_s": 0.0,
        "contact_s": None,
        "phase_s": 0.0,
        "next_fraction_s": None,
        "total_pumped_ml": 0.0,
    },
    "target": None,
    "gate": None,
    "limits": {},
    "heat": {
        "on": False,
        "requested_c": None,
        "granted_c": None,
        "limited_by": "",
        "bath_set_c": None,
        "waits_for": "",
        "advice": "",
    },
    "pump": {"on": False, "flow_set_ml_min": None, "requested_ml_min": None, "limited_by": ""},
    "steps": [],
    "next_action": None,
    "checklist": [],
    "drug": None,
    "reminders": [],
    "volumes": {"in_ml": 0.0, "out_ml": 0.0, "retained_ml": 0.0},
}


def _clocks(state: State, session: Session) -> Json:
    account = session.clocks
    return {
        "elapsed_s": account.elapsed_s,
        "in_band_s": account.in_band_s,
        "out_of_band_s": account.out_of_band_s,
        "unobserved_s": account.unobserved_s,
        "left_s": clocks.left_s(session),
        "duration_s": session.duration_s,
        "contact_s": clocks.contact_s(state, session),
        "phase_s": state.treat_s - session.phase_from_s,
        "next_fraction_s": _next_fraction_s(state, session),
        "total_pumped_ml": account.pumped_ml,
    }


def _next_fraction_s(state: State, session: Session) -> float | None:
    drug, contact = session.protocol.drug, clocks.contact_s(state, session)
    if drug is None or contact is None:
        return None
    given = {entry.fraction for entry in session.given}
    due = [60 * f.at_min - contact for n, f in enumerate(drug.fractions, 1) if n not in given]
    return min(due, default=None)


def _gate(state: State, session: Session) -> Json:
    gate = session.protocol.gate
    return {
        "held_s": session.clocks.gate_held_s,
        "hold_s": gate.hold_s,
        "threshold_c": gate.threshold_c,
        "value_c": clocks.gate_value(state, session),
        "open": clocks.gate_is_open(session),
        "text": f"{gate.role} {gate.statistic} at {gate.threshold_c:g} °C for {gate.hold_s:g} s",
    }


def _on(drive: Drive) -> bool:
    return drive.wanted is not None


def _heat(state: State, session: Session) -> Json:
    heat = session.heat
    asked = heat.requested_c
    return {
        "on": _on(state.heater),
        "requested_c": control.default_inflow_c(session) if asked is None else asked,
        "granted_c": heat.granted_c,
        "limited_by": heat.limited_by,
        "bath_set_c": state.heater.wanted,
        "waits_for": heat.waits_for,
        "advice": control.advice(state, session),
    }


def _pump(state: State, session: Session) -> Json:
    _, limited_by = drives.wanted_flow_ml_min(session)
    return {
        "on": _on(state.pump),
        "flow_set_ml_min": state.pump.wanted,
        "requested_ml_min": session.flow_ml_min,
        "limited_by": limited_by,
    }


def _steps(state: State, session: Session) -> list[Json]:
    ahead = phases.next_step(session)
    order = list(Phase)
    here = order.index(session.phase)
    steps = []
    for index, phase in enumerate(order):
        is_next = ahead is not None and phase is ahead.target
        name = "done" if index < here else "current" if index == here else "later"
        needs = phases.needs(state, session, ahead) if is_next and ahead else []
        title = phases.PHASE_TITLES[phase]
        shown = "next" if is_next else name
        steps.append({"phase": phase, "title": title, "state": shown, "needs": needs})
    return steps


def _next_action(state: State, session: Session) -> Json | None:
    if session.phase is Phase.COMPLETE:
        return _action("close_session", {}, "Close the session", [])
    stopped = session.heat.controller is Controller.STOPPED and session.phase is Phase.DRAIN
    if session.side in (Side.PAUSE, Side.HEAT_HOLD) or session.blocks or stopped:
        return _resume(state, session)
    if session.phase is Phase.DRUG_ADDITION:
        return _action("confirm_drug", {"fraction": 1}, "Drug is in: start the clock", [])
    step = phases.next_step(session)
    if step is None:
        return None
    needs = phases.needs(state, session, step)
    if phases.asks_reason(session, step):
        needs = [*needs, f"{clocks.left_s(session) / 60:.0f} min left: a reason to leave early"]
    label = f"Start: {phases.PHASE_TITLES[step.target].lower()}"
    return _action("start_phase", {"phase": step.target}, label, needs)


def _resume(state: State, session: Session) -> Json:
    """To resume, and whose names that needs (with a reason), as roles."""
    overridden, names = interlocks.to_resume(state, session)
    there = interlocks.standing(state, session)
    standing = [block.text for block in there if block.cause not in overridden]
    return {**_action("resume", {}, "Resume", standing), "names": list(names)}


def _action(name: str, args: Json, label: str, needs: list[str]) -> Json:
    return {"name": name, "args": args, "label": label, "enabled": not needs, "needs": needs}


def _checklist(session: Session) -> list[Json]:
    found = []
    for item in session.protocol.checklist:
        done = session.checklist.get(item.id)
        found.append(
            {
                "id": item.id,
                "text": item.text,
                "before": item.before,
                "names": item.names,
                "done": done is not None,
                "by": done.by if done else "",
                "second": done.second if done else "",
                "skipped": done.skipped if done else "",
            }
        )
    return found


def _drug(state: State, session: Session) -> Json | None:
    drug, patient = session.protocol.drug, session.patient
    if drug is None:
        return None
    computed = None if patient.bsa_m2 is None else drug.dose_mg_m2 * patient.bsa_m2
    dose_mg = computed if patient.dose_mg is None else patient.dose_mg
    given = {entry.fraction: entry for entry in session.given}
    fractions = [
        {
            "number": number,
            "share": fraction.share,
            "due_s": 60 * fraction.at_min,
            "given_utc": utc(given[number].at_utc_ns) if number in given else None,
            "mg": None if dose_mg is None else round(fraction.share * dose_mg, 2),
        }
        for number, fraction in enumerate(drug.fractions, start=1)
    ]
    return {
        "name": drug.name,
        "dose_mg_m2": drug.dose_mg_m2,
        "bsa_m2": patient.bsa_m2,
        "dose_mg": None if dose_mg is None else round(dose_mg, 2),
        "carrier": patient.carrier,
        "fractions": fractions,
    }


def _reminders(state: State, session: Session) -> list[Json]:
    contact, bsa = clocks.contact_s(state, session), session.patient.bsa_m2
    return [
        {
            "drug": reminder.drug,
            "dose_mg_m2": reminder.dose_mg_m2,
            "dose_mg": None if bsa is None else round(reminder.dose_mg_m2 * bsa, 1),
            "due_s": None if contact is None else 60 * reminder.at_min - contact,
            "infusion_min": reminder.infusion_min,
        }
        for reminder in session.protocol.reminders
    ]
