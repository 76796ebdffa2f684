"""What the core alone costs: one recorded treatment of a virtual patient, replayed.

    python benchmarks/core.py [PROTOCOL] [RUNS]

A whole virtual session is run once and its events are kept: at 1 Hz one frame of each of its four
instruments and one tick, the team's commands, the drives' answers. Then the same events go through
the core again and again, without plant, room or journal. The floor, measured beside each run, is a
step that only copies the state with the new time: what a pure core in this language costs at least.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence

from protocols.loader import SHIPPED, load
from service.core.changing import replace
from service.core.effects import Effect
from service.core.events import Event
from service.core.session import step
from service.core.state import State
from service.virtual import session as virtual
from service.virtual.session import WARM, Setup

WANTED_HOURS, NEXT_HOURS = 2.0, 5.0
Step = Callable[[State, Event], tuple[State, list[Effect]]]


def recorded(setup: Setup) -> tuple[State, list[Event], float]:
    """The state before the first event of a whole session, its events, and its seconds."""
    events: list[Event] = []
    starts: list[State] = []

    def noted(state: State, event: Event) -> tuple[State, list[Effect]]:
        if not starts:
            starts.append(state)
        events.append(event)
        return step(state, event)

    virtual.step = noted  # the room's own step, which writes down what it is given
    session = virtual.VirtualSession(setup).run()
    return starts[0], events, session.now_s


def floor(state: State, event: Event) -> tuple[State, list[Effect]]:
    """The least that a step can do: the same state at the event's time."""
    return replace(state, now=event.at, processed=state.processed + 1), []


def cost_us(what: Step, start: State, events: Sequence[Event]) -> float:
    """Processor time of one event (µs), the mean over all of them."""
    state, began_ns = start, time.process_time_ns()
    for event in events:
        state, _ = what(state, event)
    return (time.process_time_ns() - began_ns) / 1e3 / len(events)


def main(protocol: str = "closed-mmc-90", runs: int = 7) -> None:
    loaded = load(SHIPPED / f"{protocol}.toml")
    parameters = replace(WARM, technique=loaded.technique.value)
    setup = Setup(protocol=loaded, parameters=parameters)
    start, events, lasted_s = recorded(setup)
    pairs = [(cost_us(step, start, events), cost_us(floor, start, events)) for _ in range(runs)]
    core_us, floor_us = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(core / least for core, least in pairs)
    per_s = len(events) / lasted_s
    hours = 1e6 / core_us / per_s / 3600.0
    print(f"{protocol}: {lasted_s / 60:.0f} min, {len(events)} events, {per_s:.1f} per second")
    print(f"core   {core_us:6.1f} µs per event, {1e6 / core_us:8.0f} events per CPU-second")
    print(f"floor  {floor_us:6.1f} µs per event; ratio {ratio:.0f}")
    print(f"{hours:.2f} patient-hours per CPU-second at 1 Hz, the core alone")
    for wanted in (WANTED_HOURS, NEXT_HOURS):
        print(f"for {wanted:g} an event may cost {1e6 / wanted / per_s / 3600.0:.1f} µs")


if __name__ == "__main__":
    main(*sys.argv[1:2], *(int(word) for word in sys.argv[2:3]))
