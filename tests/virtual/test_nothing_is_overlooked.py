"""With instruments in trouble, too, the core decides as it would if it looked at everything."""

import pytest

from service.core.changing import replace
from service.core.effects import Effect
from service.core.events import Event
from service.core.session import step
from service.core.state import State
from service.virtual.faults import parse
from service.virtual.session import VirtualSession

FAULTS = (
    ("off:pelvis@2m for 40s", "outflow_block@4m"),
    ("stuck:inflow@30s", "pump_stop@4m"),
    ("garbage:thermometer@60s for 30s", "leak=400@3m"),
    ("intermittent:analog@30s", "heater_runaway@3m"),
    ("swapped:inflow=outflow@30s", "delayed:heater=8@2m"),
    ("drift:flow=200@30s", "pump_stall@3m"),
    ("slow:pump=6@30s", "heater_stop@3m"),
    ("displaced:pelvis@30s", "inflow_kink@4m"),
)
WATCHED_S = 360.0


def forgetful(state: State) -> State:
    """The same state without what the core keeps beside it."""
    return replace(state, room=replace(state.room), samples=dict(state.samples))


def doubted_step(state: State, event: Event) -> tuple[State, list[Effect]]:
    """The core's step, and once more with nothing kept."""
    after, effects = step(state, event)
    looked, told = step(forgetful(state), event)
    assert effects == told, f"other effects when everything is looked at: {event}"
    assert after == looked, f"another state when everything is looked at: {event}"
    return after, effects


@pytest.fixture(autouse=True)
def _doubts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.virtual.session.step", doubted_step)


def watched(room: VirtualSession, faults: tuple[str, ...]) -> None:
    until_s = room.now_s + WATCHED_S
    for fault in faults:
        room.inject(parse(fault))
    room.run_until(until_s)


@pytest.mark.requirement("RC-038")
def test_a_lost_probe_and_a_blocked_outflow_are_answered_as_if_all_were_looked_at(
    room: VirtualSession,
) -> None:
    watched(room, FAULTS[0])


@pytest.mark.integration
@pytest.mark.parametrize("faults", FAULTS[1:], ids=", ".join)
def test_every_kind_of_trouble_is_answered_as_if_all_were_looked_at(
    room: VirtualSession, faults: tuple[str, ...]
) -> None:
    watched(room, faults)
