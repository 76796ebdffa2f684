"""After a crash, a restart or a reboot: what goes on, what is off, and what waits for a person."""

import pytest

from service.core.drives import safe_pump_ml_min
from service.core.effects import HeaterOff
from service.core.events import Durability, SupervisorAct
from service.core.model import CommandState, Controller
from service.core.state import Side
from tests.core.bench import NO_CONTACTORS, at, heater_runs, pump_runs


@pytest.mark.requirement("RC-028")
def test_after_a_restart_the_loop_is_advisory_and_the_heater_off_until_a_person_confirms() -> None:
    bench = at(without=NO_CONTACTORS)
    bench.command("set_controller", mode="automatic")
    bench.run(2)
    effects = bench.restart()
    assert any(isinstance(effect, HeaterOff) for effect in effects)
    assert bench.heater is None
    assert bench.session.heat.controller is Controller.ADVISORY
    after = bench.run(30)
    assert not heater_runs(after) and not list(pump_runs(after))
    assert bench.pump == 1500.0, "the pump goes on as it was"
    assert bench.session.side is Side.HEAT_HOLD
    assert bench.command("resume").state is not CommandState.REFUSED
    bench.run(1)
    assert bench.heater is not None and bench.pump == 1500.0


@pytest.mark.requirement("RC-015", "RC-028")
def test_a_restart_orders_the_heater_off_even_where_it_was_off() -> None:
    bench = at()
    bench.command("pause")
    bench.run(2)
    bench.heater_obeys = False
    effects = bench.restart()
    assert any(isinstance(effect, HeaterOff) for effect in effects)
    bench.silent.add("heater")
    again = [effect for effect in bench.run(16) if isinstance(effect, HeaterOff)]
    assert len(again) >= 2, "and again until it is confirmed, though the heater says nothing"


@pytest.mark.requirement("RC-028")
def test_a_pump_that_the_supervisor_stopped_is_not_started_by_the_restart() -> None:
    bench = at(without=NO_CONTACTORS)
    bench.pump = None
    bench.feed(SupervisorAct(at=bench.now, act="pump stopped"))
    bench.restart(later_s=20)
    bench.run(10)
    assert bench.pump is None
    assert "pump_stopped" in bench.raised()
    assert bench.recorded("supervisor") == ["pump stopped"]


@pytest.mark.requirement("RC-023", "RC-028")
@pytest.mark.parametrize("rebooted", [False, True])
def test_the_time_without_a_control_process_is_unobserved_even_across_a_boot(
    rebooted: bool,
) -> None:
    bench = at()
    before = bench.session.clocks
    bench.restart(later_s=90, rebooted=rebooted)
    after = bench.session.clocks
    assert after.unobserved_s - before.unobserved_s == pytest.approx(90)
    assert after.in_band_s == before.in_band_s
    bench.run(5)
    assert bench.session.clocks.in_band_s - before.in_band_s == pytest.approx(5)


@pytest.mark.requirement("RC-019", "RC-028")
@pytest.mark.parametrize("rebooted", [False, True])
def test_alarms_outlive_a_restart_and_no_pause_of_their_sound_does(rebooted: bool) -> None:
    bench = at()
    bench.values["line_in"] = 300.0
    bench.run(2)
    bench.values["line_in"] = 80.0
    bench.run(2)
    bench.command("pause_audio")
    bench.restart(rebooted=rebooted)
    assert "line_pressure_high" in bench.signalled()
    assert bench.state.audio_paused_until_ns is None
    assert bench.session.blocks, "and so does what they keep off"
    bench.acknowledge_all()
    bench.run(10)
    assert bench.pump is None and bench.heater is None


@pytest.mark.requirement("RC-027")
def test_a_command_s_key_is_remembered_over_a_restart() -> None:
    bench = at()
    bench.command("volume", kind="in", ml=100)
    bench.restart()
    bench._keys -= 1
    bench.command("volume", kind="in", ml=100)
    assert bench.session.volume_in_ml == 100


@pytest.mark.requirement("RC-016")
@pytest.mark.parametrize(
    ("phase", "then", "safe"),
    [
        ("setup", None, 0.0),
        ("perfuse", None, 1500.0),
        ("perfuse", "pause", 0.0),
        ("perfuse", "stop", 0.0),
        ("perfuse", "drain", 0.0),
    ],
)
def test_what_the_supervisor_may_leave_the_pump_at(
    phase: str, then: str | None, safe: float
) -> None:
    bench = at(phase)
    if then == "drain":
        bench.command("start_phase", phase="drain", reason="test")
    elif then:
        bench.command(then)
    assert safe_pump_ml_min(bench.state) == safe


@pytest.mark.requirement("RC-016")
def test_a_flow_above_the_protocol_s_is_not_what_is_left_unwatched() -> None:
    bench = at()
    bench.command("set_flow", ml_min=1900)
    assert safe_pump_ml_min(bench.state) == 1500.0


@pytest.mark.requirement("RC-040")
def test_a_disk_that_fails_is_an_alarm_and_stops_nothing() -> None:
    bench = at()
    bench.feed(Durability(at=bench.now, durable=False, reason="no space left"))
    bench.run(3)
    assert "not_durable" in bench.raised()
    assert bench.heater is not None and bench.pump == 1500.0
    bench.feed(Durability(at=bench.now, durable=True))
    assert "not_durable" not in bench.signalled()
