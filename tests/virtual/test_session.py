"""A virtual treatment walks its phases through the real core, and can be branched and broken."""

import pytest

from protocols.loader import SHIPPED, load
from service.core.model import CommandState, Controller, LinkState
from service.virtual.faults import FaultError, parse
from service.virtual.session import Setup, VirtualSession
from simulator.plant import Parameters


def alarms(room: VirtualSession, event: str = "onset") -> set[tuple[str, str]]:
    return {(line.id, line.source) for line in room.log.alarms if line.event == event}


def broken(room: VirtualSession, *specs: str, for_s: float) -> VirtualSession:
    for spec in specs:
        room.inject(parse(spec))
    return room.run_until(room.now_s + for_s)


def test_the_team_primes_fills_and_heats_up_without_an_alarm(room: VirtualSession) -> None:
    assert [phase for _, phase in room.log.phases] == ["prime", "fill", "heat_up"]
    assert room.log.alarms == []
    assert room.plant.cavity_ml > 2900
    session = room.state.session
    assert session is not None
    assert session.heat.controller is Controller.AUTOMATIC
    assert room.heater_runs_at is not None
    assert room.instruments.pump.runs_at == session.protocol.perfusate.flow_ml_min


def test_a_branch_goes_its_own_way_and_the_same_way_is_the_same_to_the_last_bit(
    room: VirtualSession,
) -> None:
    twin = room.copy()
    room.run_until(room.now_s + 20)
    branch = broken(twin.copy(), "inflow_kink@0s", for_s=20)
    twin.run_until(twin.now_s + 20)
    assert twin.state == room.state
    assert twin.log.trace == room.log.trace
    assert twin.plant.core_c == room.plant.core_c
    assert branch.state != room.state
    assert len(branch.log.trace) == len(room.log.trace)


def test_frames_show_no_more_than_an_instruments_resolution(room: VirtualSession) -> None:
    values = room.instruments.values
    assert values["pelvis"] == round(values["pelvis"], 2)
    assert values["flow"] == round(values["flow"])
    assert values["pelvis"] == pytest.approx(room.plant.probe_c("pelvis"), abs=0.005)


def test_a_kinked_inflow_stops_the_pump_and_the_team_resumes_when_it_is_open_again(
    room: VirtualSession,
) -> None:
    broken(room, "inflow_kink@0s for 20s", for_s=10)
    assert ("line_pressure_high", "line_in") in alarms(room)
    assert room.instruments.pump.runs_at is None
    assert room.heater_runs_at is None
    room.run_until(room.now_s + 110)
    assert room.instruments.pump.runs_at is not None
    assert room.heater_runs_at is not None
    session = room.state.session
    assert session is not None and not session.blocks


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("probe_open:pelvis@0s", lambda value, true: value is None),
        ("offset:pelvis=2.5@0s", lambda value, true: value == pytest.approx(true + 2.5)),
        ("displaced:pelvis=1@0s", lambda value, true: value < true - 1.0),
        ("drift:pelvis=6@0s", lambda value, true: value == pytest.approx(true + 1.0, abs=0.15)),
        ("swapped:pelvis=inflow@0s", lambda value, true: value > true + 1.0),
        ("garbage:pelvis@0s", lambda value, true: abs(value - true) > 0.5),
    ],
)
def test_a_channels_fault_spoils_that_channel_alone(room: VirtualSession, spec, shown) -> None:
    broken(room, spec, for_s=10)
    sample, other = (room.state.samples[name] for name in ("pelvis", "mid_abdomen"))
    assert shown(sample.value, room.instruments.values["pelvis"])
    assert other.value == room.instruments.values["mid_abdomen"]


def test_stuck_slow_and_delayed_readings_stay_behind_those_that_warm_up(
    room: VirtualSession,
) -> None:
    shown = {}
    for kind in ("stuck", "slow", "delayed"):
        branch = broken(room.copy(), f"{kind}:mid_abdomen@0s", for_s=40)
        shown[kind] = branch.state.samples["mid_abdomen"].value
    now = broken(room, for_s=40).state.samples["mid_abdomen"].value
    assert shown["stuck"] < shown["slow"] < now - 0.05
    assert shown["stuck"] < shown["delayed"] < now - 0.2


def test_an_intermittent_probe_comes_and_goes_and_ends_with_its_fault(
    room: VirtualSession,
) -> None:
    room.inject(parse("intermittent:pelvis=3@0s for 12s"))
    seen = []
    for _ in range(16):
        room.second()
        seen.append(room.state.samples["pelvis"].value is not None)
    assert [seen.count(False), seen[-4:]] == [6, [True] * 4]


@pytest.mark.parametrize("kind", ["off", "garbage"])
def test_a_heater_that_cannot_be_heard_goes_on_and_its_orders_stay_unknown(
    room: VirtualSession, kind: str
) -> None:
    broken(room, f"{kind}:heater@0s", for_s=4)
    assert room.state.links["heater"].state is LinkState.LOST
    runs = room.heater_runs_at
    room.team = None
    assert room.command("stop") is CommandState.UNKNOWN
    obeys = {"off": runs, "garbage": None}
    assert room.heater_runs_at == obeys[kind]


def test_a_stuck_pump_answers_and_does_not_stop(room: VirtualSession) -> None:
    broken(room, "stuck:pump@0s", for_s=3)
    room.team = None
    assert room.command("stop") is CommandState.UNKNOWN
    assert room.plant.flow_ml_min > 1000
    assert room.state.links["pump"].state is LinkState.LIVE


def test_a_late_pump_stops_as_much_later(room: VirtualSession) -> None:
    broken(room, "delayed:pump=4@0s", for_s=6)
    room.team = None
    room.command("stop")
    room.run_until(room.now_s + 3)
    assert room.instruments.pump.runs_at is not None
    room.run_until(room.now_s + 2)
    assert room.instruments.pump.runs_at is None


def test_drives_stop_by_themselves_when_nobody_renews_their_lease(room: VirtualSession) -> None:
    room.team = None
    for _ in range(31):
        room.now_s += 1.0
        room.instruments.begin(room.plant, room.now, room.now_s)
        room.plant.advance(1.0)
    assert room.instruments.pump.runs_at is None
    assert room.heater_runs_at is None
    assert room.plant.flow_ml_min == 0.0


def test_a_pump_that_delivers_more_than_it_says_is_seen_by_the_flow_meter_only(
    room: VirtualSession,
) -> None:
    broken(room, "offset:pump=250@0s", for_s=5)
    samples = room.state.samples
    assert samples["flow"].value == pytest.approx(samples["pump_flow"].value + 250, abs=15)


def test_a_fault_waits_for_its_phase() -> None:
    protocol = load(SHIPPED / "closed-mmc-90.toml")
    setup = Setup(protocol=protocol, faults=(parse("pump_stop@fill+20s"),))
    room = VirtualSession(setup).run_until(lambda s: s.phase == "fill")
    room.run_until(room.now_s + 19)
    assert room.instruments.pump.runs_at is not None
    room.run_until(room.now_s + 3)
    assert ("pump_stopped", "pump") in alarms(room)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("nothing@1m", "no fault is called 'nothing'"),
        ("off:spleen@1m", "'spleen' is none of"),
        ("off@1m", "needs a target"),
        ("inflow_kink:pelvis@1m", "has no target"),
        ("swapped:pelvis@1m", "needs the other channel after ="),
        ("displaced:heater@1m", "of one channel, not of the heater"),
        ("offset:pelvis=warm@1m", "'warm' is not a number"),
        ("off:pelvis@soon", "'soon' is no time"),
        ("off:pelvis@lunch+5m", "'lunch' is no phase"),
        ("pelvis is off", "is no fault; write KIND"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_what_is_allowed(spec: str, says: str) -> None:
    with pytest.raises(FaultError, match=says):
        parse(spec)


@pytest.mark.integration
@pytest.mark.requirement("RC-036")
@pytest.mark.parametrize(
    ("protocol", "technique", "controller"),
    [
        ("closed-mmc-90", "closed", "automatic"),
        ("open-mmc-90", "open", "automatic"),
        ("closed-mmc-90", "closed", "advisory"),
    ],
)
def test_a_clean_treatment_in_virtual_time_sounds_at_most_three_alarms(
    protocol: str, technique, controller: str
) -> None:
    cool = Parameters(
        technique=technique, reservoir_start_c=42.0, bath_start_c=42.6, core_start_c=35.6
    )
    room = VirtualSession(
        Setup(
            protocol=load(SHIPPED / f"{protocol}.toml"),
            parameters=cool,
            controller=Controller(controller),
        )
    ).run()
    assert room.team is not None and room.team.done
    assert sum(line.audible for line in room.log.alarms) <= 3
    assert room.state.session is None
