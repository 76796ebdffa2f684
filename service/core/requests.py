"""What anesthesia asks of the pump, and what it enters: timed, recorded, never an order.

A request moves nothing. It calls at the perfusionist's page until it is answered; one that waits
for a minute is an alarm.
"""

from collections.abc import Iterator, Mapping

from service.core import timers
from service.core.alarms import Finding
from service.core.asked import Done, Refusal, recorded, session_of, text_arg, who
from service.core.changing import replace
from service.core.events import Command
from service.core.state import Cooling, Request, Session, State

KINDS: Mapping[str, str] = {
    "reduce_heat": "reduce heat",
    "heat_hold": "heat hold",
    "lower_pressure": "lower pressure",
    "pause": "pause",
}
"""What may be asked, in words."""

KEPT_REQUESTS = 20
UNANSWERED_S = 60.0
"""An open request that waits so long (real seconds) is an alarm (this project's figure)."""


def request(state: State, command: Command) -> Done:
    """Ask for one of `KINDS`; a request that is open already goes on waiting."""
    session, kind = session_of(state), _kind(command)
    if any(one.kind == kind and one.accepted is None for one in session.requests):
        raise Refusal(f"{KINDS[kind]!r} was asked already and waits for its answer")
    number = session.requests[-1].number + 1 if session.requests else 1
    asked = Request(number=number, kind=kind, at=state.now, by=who(command))
    session = replace(session, requests=(*session.requests, asked)[-KEPT_REQUESTS:])
    fact = recorded(state, command, "request", f"Request to the pump: {KINDS[kind]}")
    return Done(state=replace(state, session=session), effects=(fact,))


def answer(state: State, command: Command) -> Done:
    """Accept or decline the open request of this kind; declining needs a reason."""
    session, kind = session_of(state), _kind(command)
    accepted = command.args.get("accepted", True)
    if not isinstance(accepted, bool):
        raise Refusal("accepted must be true or false")
    asked = next((r for r in session.requests if r.kind == kind and r.accepted is None), None)
    if asked is None:
        raise Refusal(f"no request {KINDS[kind]!r} is open")
    if not accepted and not command.reason.strip():
        raise Refusal("say why you decline: anesthesia reads the reason")
    answered = replace(
        asked,
        accepted=accepted,
        answered=state.now,
        answered_by=who(command),
        reason=command.reason.strip(),
    )
    kept = tuple(answered if one is asked else one for one in session.requests)
    waited_s = state.now.seconds_since(asked.at)
    word = "accepted" if accepted else "declined"
    text = f"Request {KINDS[kind]!r} {word} after {waited_s:.0f} s"
    fact = recorded(state, command, "answer", text)
    return Done(state=replace(state, session=replace(session, requests=kept)), effects=(fact,))


def cooling(state: State, command: Command) -> Done:
    """Anesthesia has begun or ended to cool the patient: a fact, never refused."""
    session, on = session_of(state), command.args.get("on")
    if not isinstance(on, bool):
        raise Refusal("on must be true or false")
    entered = Cooling(on=on, at=state.now, by=who(command))
    fact = recorded(state, command, "cooling", f"Cooling of the patient {'on' if on else 'off'}")
    return Done(state=replace(state, session=replace(session, cooling=entered)), effects=(fact,))


def confirm_blood_test(state: State, command: Command) -> Done:
    """Blood was drawn for the tests of this carrier: a fact; the next is due from now on."""
    session = session_of(state)
    blood = timers.blood_test(session)
    if blood is None:
        raise Refusal("this protocol names no blood tests for its carrier")
    fact = recorded(state, command, "blood_test", f"Blood drawn: {', '.join(blood.tests)}")
    session = replace(session, blood_tested_s=state.treat_s)
    return Done(state=replace(state, session=session), effects=(fact,))


def unanswered(state: State, session: Session) -> Iterator[Finding]:
    """A request that nobody has answered for a minute."""
    for asked in session.requests:
        if asked.accepted is not None:
            continue
        waited_s = state.now.seconds_since(asked.at)
        if waited_s >= UNANSWERED_S:
            text = f"Anesthesia's request {KINDS[asked.kind]!r} has no answer"
            yield Finding(source=asked.kind, raw=True, text=text, limit=UNANSWERED_S)


def _kind(command: Command) -> str:
    kind = text_arg(command, "kind")
    if kind not in KINDS:
        raise Refusal(f"there is no request {kind!r}: {', '.join(KINDS)}")
    return kind
