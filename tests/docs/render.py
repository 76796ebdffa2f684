"""Renders the core's tables into `docs/`: `python -m tests.docs.render` writes them anew.

What a command answers in each phase is asked of the core itself, not written down by hand.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from service.core import alarms, phases
from service.core.alarm_table import ROOM_RULES, RULES, Rule, what_to_do
from service.core.authority import AT_THE_STATION, MAY
from service.core.drives import PUMPING
from service.core.events import SupervisorLink
from service.core.guarding import HAZARDS
from service.core.model import CommandState, Phase, Priority
from service.core.state import Side
from tests.core.bench import Bench, at
from tests.core.room import protocol

DOCS = Path(__file__).parents[2] / "docs"
PROTOCOL = "closed-mmc-90"
ARGS: Mapping[str, Mapping[str, str | float]] = {
    "open_session": {},
    "confirm_checklist": {"item": "identity", "second": "S. Two"},
    "compare_probes": {"c": 42.0, "channels": "inflow", "second": "S. Two"},
    "hand_over": {"to": "P. Two"},
    "confirm_drug": {"fraction": 2},
    "set_controller": {"mode": "manual"},
    "set_inflow": {"c": 44.0},
    "set_flow": {"ml_min": 1100.0},
    "note": {"text": "said"},
    "volume": {"kind": "in", "ml": 100.0},
    "enter_core": {"c": 37.0},
    "request": {"kind": "reduce_heat"},
    "answer": {"kind": "reduce_heat"},
    "cooling": {"on": True},
    "confirm_reminder": {"reminder": 1},
}
OF_AN_ALARM = ("acknowledge", "seen")
"""Commands that need an alarm; that of a lost supervisor can be there in any phase."""

ALARMS = """\
# Alarms

Rendered from `service/core/alarm_table.py` by `python -m tests.docs.render`; a test fails when it
is out of date. Limits in `code` are the protocol's. Delays are treatment seconds.

- **Latching**: only physiological and energy conditions, once they reached high, sound until a
  person acknowledges them. A technical one falls silent with its cause. Both stay in the list.
- **Escalation**: where it says so, one priority up after {escalation_s:g} s unanswered.
- **Acknowledged** alarms that go on unchanged are announced again: high after {high_s:g} s, medium
  after {medium_min:g} min, low not ([why](decisions/0011-how-long-an-acknowledgement-holds.md)).
  What grows worse is a higher alarm of its own. An audio pause lasts {pause_s:g} s and ends at any
  new medium or high alarm.
- **Source lost**: an alarm whose data goes missing stands, and the record says when.
- Missing data raises nothing here but the alarm about itself, and clears nothing: what raised an
  alarm and is lost, silent or doubted keeps it raised, even where another instrument says less.
"""
STRIP = """\
The strip "Not guarded today" says of each whether it is armed now, not armed, or without a sensor.
It is read aloud and signed by two people before the drug goes in.
"""
PHASES = """\
# Phases, side states and commands

Rendered from the core's tables, and by asking the core itself what it answers to each command, by
`python -m tests.docs.render`; a test fails when it is out of date. The protocol is `{protocol}`;
others differ in their numbers.

## From phase to phase
"""
MOVES = """\
Every other move is refused: "X does not follow Y". What a step still needs is named in the refusal.
After a stop or an abort the pump of a rinse waits for `resume`, which the drain allows; draining
and ending need none.
"""
ANSWERS = """\
`yes` is carried out; a text is the reason of the refusal. Facts are never refused for a state, stop
and abort never at all.
"""

SIDES = {Side.PAUSE: "pause", Side.HEAT_HOLD: "heater_off", Side.ABORT: "abort"}
WALKED = tuple(Phase)


def documents() -> Mapping[str, str]:
    """Every rendered document by its file name."""
    return {"alarms.md": alarms_text(), "phases.md": phases_text()}


def alarms_text() -> str:
    """The alarm table."""
    return "\n".join([*_alarms(), ""])


def phases_text() -> str:
    """The phases, the side states, and what each command answers in them."""
    return "\n".join([*_steps(), *_sides(), *_commands(), ""])


def _alarms() -> Iterator[str]:
    yield ALARMS.format(
        escalation_s=alarms.ESCALATION_S,
        high_s=alarms.ACKNOWLEDGE_TIMEOUT_S[Priority.HIGH],
        medium_min=alarms.ACKNOWLEDGE_TIMEOUT_S[Priority.MEDIUM] / 60.0,
        pause_s=alarms.AUDIO_PAUSE_S,
    )
    head = ("alarm", "condition", "armed in", "priority", "delay", "dead-band", "latches")
    rows = [_alarm(rule) for rule in RULES]
    yield from _table((*head, "escalates", "sets off", "hidden by", "what to do now"), rows)
    yield ""
    yield "## Of the room, with or without a session"
    yield ""
    room = [
        (f"`{r.id}`", r.condition, r.priority, f"{r.delay_s:g} s" if r.delay_s else "none", r.do)
        for r in ROOM_RULES
    ]
    yield from _table(("alarm", "condition", "priority", "delay", "what to do now"), room)
    yield ""
    yield "## Hazards and what watches them"
    yield ""
    yield STRIP
    hazards = [(h.text, ", ".join(f"`{rule}`" for rule in h.rules)) for h in HAZARDS]
    yield from _table(("hazard", "alarms"), hazards)


def _alarm(rule: Rule) -> tuple[str, ...]:
    delay = f"`{rule.delay}`" if isinstance(rule.delay, str) else f"{rule.delay:g} s"
    return (
        f"`{rule.id}`",
        rule.condition,
        _armed(rule),
        rule.priority,
        delay if rule.delay else "none",
        rule.hysteresis or "none",
        "no" if rule.technical else "when high",
        "yes" if rule.escalates else "no",
        f"`{rule.event}`" if rule.event else "",
        ", ".join(f"`{by}`" for by in (*rule.hidden_by, *rule.hidden_by_any)),
        what_to_do(rule),
    )


def _armed(rule: Rule) -> str:
    named = [phase for phase in Phase if phase in rule.phases]
    text = "any phase" if len(named) == len(Phase) else _span(named)
    return f"{text}, {rule.technique} only" if rule.technique else text


def _span(named: Sequence[Phase]) -> str:
    """Phases in a row as "from to", others one by one."""
    order = list(Phase)
    first, last = order.index(named[0]), order.index(named[-1])
    if len(named) > 2 and last - first + 1 == len(named):
        return f"{named[0]} to {named[-1]}"
    return ", ".join(named)


def _steps() -> Iterator[str]:
    yield PHASES.format(protocol=PROTOCOL)
    rows = [
        (
            step.source,
            step.target,
            "; ".join(_said(guard) for guard in step.guards) or "nothing",
            _leaving(step),
            " or ".join(sorted(MAY["start_phase"])),
        )
        for step in phases.STEPS
    ]
    yield from _table(("from", "to", "needs", "reason", "who may"), rows)
    yield ""
    yield MOVES
    yield "## What runs in each phase"
    yield ""
    heat = protocol(PROTOCOL).heat
    runs = [
        (
            phases.PHASE_TITLES[phase],
            f"`{phase}`",
            "may run" if phase in PUMPING else "stopped",
            f"needs {', '.join(heat[phase].needs)}" if heat[phase].allowed else "off",
        )
        for phase in Phase
    ]
    yield from _table(("phase", "name", "inflow pump", "heat"), runs)
    yield ""


def _leaving(step: phases.Step) -> str:
    if step.early:
        return "yes, it leaves the ordinary way"
    return "before the clock has ended" if step.source is Phase.PERFUSE else "no"


def _said(guard: phases.Guard) -> str:
    return " ".join((guard.__doc__ or "").split()).rstrip(".")


def _sides() -> Iterator[str]:
    yield "## Side states, beside the phase"
    yield ""
    heat, pump = "heat off", "pump stopped"
    rows = [
        ("pause", "`pause`, `stop`", f"{heat}, {pump}", "`resume` or drain"),
        ("heat_hold", "`heater_off`, any restart", f"{heat}, pump as it was", "`resume`"),
        ("abort", "`abort`", f"{heat}, {pump}", "drain only"),
        ("interlock", "an alarm that sets off a row", "as the matrix says", "`resume`, cause gone"),
    ]
    yield from _table(("state", "entered by", "what it does", "left by"), rows)
    yield ""


def _commands() -> Iterator[str]:
    yield "## What each command answers"
    yield ""
    yield ANSWERS
    names = list(MAY)
    rows = [(f"`{name}`", _who(name), *(_answer(name, p, None) for p in WALKED)) for name in names]
    yield from _table(("command", "who may", *WALKED), rows)
    yield ""
    yield "In perfusion, beside a side state:"
    yield ""
    rows = [(f"`{name}`", *(_answer(name, "perfuse", side) for side in SIDES)) for name in names]
    yield from _table(("command", *SIDES), rows)


def _who(name: str) -> str:
    roles = ", ".join(sorted(MAY[name]))
    return f"{roles}; the station" if name in AT_THE_STATION else roles


def _answer(name: str, phase: str, side: Side | None) -> str:
    bench = _at(phase)
    if side is not None:
        bench.command(SIDES[side])
        bench.run(0.1)
    answer = bench.command(name, **_args(bench, name))
    return answer.reason if answer.state is CommandState.REFUSED else "yes"


def _at(phase: str) -> Bench:
    """A treatment in this phase; after the perfusion it goes on by its ordinary steps."""
    after = (Phase.DRAIN, Phase.RINSE, Phase.COMPLETE)
    if phase not in after:
        return at(phase, PROTOCOL)
    bench = at("perfuse", PROTOCOL)
    for target in after[: after.index(Phase(phase)) + 1]:
        bench.command("start_phase", phase=target, reason="ended early")
        bench.run(1)
    return bench


def _args(bench: Bench, name: str) -> Mapping[str, str | float]:
    """What the command is asked with here: the step that comes next, the alarm that is there."""
    if name == "start_phase":
        step = phases.next_step(bench.session)
        return {"phase": step.target if step else Phase.SETUP}
    if name in OF_AN_ALARM:
        bench.feed(SupervisorLink(at=bench.now, present=False))
        alarm = next(a for a in bench.state.alarms.values() if a.id == "supervisor_lost")
        return {"occurrence": alarm.occurrence}
    return ARGS.get(name, {})


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' for _ in head)}|"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |"


if __name__ == "__main__":
    for name, text in documents().items():
        (DOCS / name).write_text(text, encoding="utf-8")
