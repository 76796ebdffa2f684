"""The child timers beside the treatment clock: fractions, intravenous reminders, end, contact.

`timers(state)` is a value that a page can show; alarms and deviations look at the same table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from protocols.schema import BloodTest, Fraction
from service.core import clocks
from service.core.model import Phase
from service.core.state import Session, State


class TimerState(StrEnum):
    """How a timer stands. A late one is past its window, or past its time where it has none."""

    WAITING = "waiting"
    DUE = "due"
    LATE = "late"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One thing that has a time. `due_in_s` are treatment seconds from now, negative when past;
    None while its time is not known. `window_s` is how far from its time it may be done."""

    id: str
    text: str
    state: TimerState
    due_in_s: float | None
    window_s: float = 0.0


def timers(state: State) -> tuple[Timer, ...]:
    """Every timer of the session, none without one."""
    session = state.session
    if session is None:
        return ()
    return (
        *_reminders(state, session),
        *_fractions(state, session),
        *_blood_tests(state, session),
        *_ends(state, session),
    )


def reminder_is_due(state: State, session: Session, number: int) -> bool:
    """Whether anesthesia is to give this intravenous drug now (numbers count from 1).

    What is due before drug-in is due when heat-up begins: the gate opens 10-20 minutes later
    (CHIPOFIL 14 min in the median, PMID 31667330).
    """
    at_s = 60.0 * session.protocol.reminders[number - 1].at_min
    contact_s = clocks.contact_s(state, session)
    if contact_s is not None:
        return contact_s >= at_s
    return at_s < 0 and Phase.HEAT_UP in session.began_s


def fraction_state(state: State, session: Session, number: int, fraction: Fraction) -> TimerState:
    """How a fraction of the dose stands (numbers count from 1)."""
    contact_s = clocks.contact_s(state, session)
    if any(entry.fraction == number for entry in session.given):
        return TimerState.DONE
    if contact_s is None or contact_s < 60.0 * fraction.at_min:
        return TimerState.WAITING
    late = contact_s > 60.0 * (fraction.at_min + fraction.window_min)
    return TimerState.LATE if late else TimerState.DUE


def fraction_deviation(session: Session, number: int, at_s: float) -> str:
    """What is wrong with a fraction that was given at this time ("" when it is in its window)."""
    drug, from_s = session.protocol.drug, session.clocks.contact_from_s
    if drug is None or from_s is None or not 1 <= number <= len(drug.fractions):
        return ""
    fraction = drug.fractions[number - 1]
    off_min = (at_s - from_s) / 60.0 - fraction.at_min
    if abs(off_min) <= fraction.window_min:
        return ""
    word = "late" if off_min > 0 else "early"
    return (
        f"Drug fraction {number} given {abs(off_min):.1f} min {word}: due at "
        f"{fraction.at_min:g} min, window {fraction.window_min:g} min"
    )


def _fractions(state: State, session: Session) -> Iterator[Timer]:
    drug, contact_s = session.protocol.drug, clocks.contact_s(state, session)
    if drug is None:
        return
    for number, fraction in enumerate(drug.fractions, start=1):
        yield Timer(
            id=f"fraction_{number}",
            text=f"{drug.name}, fraction {number} of {len(drug.fractions)}",
            state=fraction_state(state, session, number, fraction),
            due_in_s=None if contact_s is None else 60.0 * fraction.at_min - contact_s,
            window_s=60.0 * fraction.window_min,
        )


def _reminders(state: State, session: Session) -> Iterator[Timer]:
    contact_s = clocks.contact_s(state, session)
    for number, reminder in enumerate(session.protocol.reminders, start=1):
        due = reminder_is_due(state, session, number)
        done = number in session.reminded
        yield Timer(
            id=f"reminder_{number}",
            text=f"{reminder.drug} intravenously, over {reminder.infusion_min:g} min",
            state=TimerState.DONE if done else TimerState.DUE if due else TimerState.WAITING,
            due_in_s=None if contact_s is None else 60.0 * reminder.at_min - contact_s,
        )


def blood_test(session: Session) -> BloodTest | None:
    """The blood tests that belong to the session's carrier."""
    carrier = session.patient.carrier
    return next((b for b in session.protocol.blood_tests if b.carrier == carrier), None)


def _blood_tests(state: State, session: Session) -> Iterator[Timer]:
    """Again and again from drug-in on, counted from the last one that was confirmed."""
    blood, from_s = blood_test(session), session.clocks.contact_from_s
    if blood is None:
        return
    drained = session.clocks.contact_until_s is not None
    since_s = from_s if session.blood_tested_s is None else session.blood_tested_s
    due_in_s = None if since_s is None else since_s + 60.0 * blood.every_min - state.treat_s
    due = due_in_s is not None and due_in_s <= 0.0
    yield Timer(
        id="blood_test",
        text=f"Blood: {', '.join(blood.tests)}",
        state=TimerState.DONE if drained else TimerState.DUE if due else TimerState.WAITING,
        due_in_s=due_in_s,
    )


def _ends(state: State, session: Session) -> Iterator[Timer]:
    account = session.clocks
    if not (account.running or account.ended):
        return
    left_s = clocks.left_s(session)
    ended_s = account.ended_s
    past_s = 0.0 if ended_s is None else state.treat_s - ended_s
    done = session.phase not in (Phase.DRUG_ADDITION, Phase.PERFUSE)
    before_end = TimerState.DONE if account.ended or done else TimerState.DUE
    yield Timer(
        id="five_minutes_left",
        text="Five minutes left",
        state=before_end if left_s <= clocks.LAST_MINUTES_S else TimerState.WAITING,
        due_in_s=left_s - clocks.LAST_MINUTES_S - past_s,
    )
    at_end = TimerState.DONE if done else TimerState.DUE if account.ended else TimerState.WAITING
    overtime_s = 60.0 * session.protocol.clock.overtime_alarm_min
    late = at_end is TimerState.DUE and past_s > overtime_s
    yield Timer(
        id="end",
        text="End of treatment: heat off, drain",
        state=TimerState.LATE if late else at_end,
        due_in_s=left_s - past_s,
        window_s=overtime_s,
    )
    yield from _contact(state, session)


def _contact(state: State, session: Session) -> Iterator[Timer]:
    contact_s = clocks.contact_s(state, session)
    if contact_s is None:
        return
    cap_s = session.duration_s + 60.0 * session.protocol.clock.contact_cap_extra_min
    drained = session.clocks.contact_until_s is not None
    over = TimerState.LATE if contact_s > cap_s else TimerState.WAITING
    yield Timer(
        id="contact_cap",
        text="Longest drug contact",
        state=TimerState.DONE if drained else over,
        due_in_s=cap_s - contact_s,
    )
