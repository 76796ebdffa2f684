"""The reservoir's balance, the switches of the room, and the contactors of heater and pump."""

import pytest

from service.core.effects import ContactorDrop, ContactorHold, Effect
from service.core.events import Outcome
from service.core.model import CommandState
from tests.core.bench import Bench, at


def contactor_orders(effects: list[Effect]) -> list[type[Effect]]:
    return [type(e) for e in effects if isinstance(e, ContactorDrop | ContactorHold)]


def everything_is_off(bench: Bench) -> bool:
    return bench.heater is None and bench.pump is None


@pytest.mark.requirement("RC-043")
@pytest.mark.parametrize(
    ("switch", "alarm"), [("bubble", "bubble"), ("level_low", "reservoir_empty")]
)
def test_air_or_an_empty_reservoir_stops_pump_and_heater_until_a_person_resumes(
    switch: str, alarm: str
) -> None:
    bench = at()
    bench.values[switch] = 1.0
    bench.run(1)
    assert bench.raised() == {alarm}
    assert everything_is_off(bench)
    bench.values[switch] = 0.0
    bench.run(60)
    assert everything_is_off(bench)
    bench.command("resume")
    bench.run(2)
    assert bench.pump == 1500.0


@pytest.mark.requirement("RC-043")
def test_a_reservoir_below_its_least_volume_stops_the_pump_after_two_seconds() -> None:
    bench = at()
    bench.values["level"] = 149.0
    bench.run(1)
    assert bench.pump is not None
    bench.run(3)
    assert bench.raised() == {"reservoir_low"} and everything_is_off(bench)


@pytest.mark.requirement("RC-044")
def test_300_ml_missing_within_five_minutes_is_a_leak_and_stops_the_pump() -> None:
    bench = at()
    bench.run(10)
    bench.values["level"] = 650.0
    bench.run(20)
    assert bench.raised() == set()
    bench.values["level"] = 590.0
    bench.run(16)
    assert bench.raised() == {"leak"} and everything_is_off(bench)


@pytest.mark.requirement("RC-216")
@pytest.mark.parametrize(
    ("kind", "written_s"), [("in", -42), ("in", 12), ("in", 48), ("out", -42), ("out", 0)]
)
def test_writing_down_what_is_moved_stops_no_circulation_whether_before_or_after(
    kind: str, written_s: int
) -> None:
    bench = at()
    for passed_s in range(-60, 120, 6):
        if passed_s == 0:
            bench.values["level"] = 1400.0 if kind == "in" else 400.0
        if passed_s == written_s:
            bench.command("volume", kind=kind, ml=500.0)
        bench.run(6)
    assert bench.alarms() == [] and bench.pump is not None


@pytest.mark.requirement("RC-216")
def test_a_volume_that_is_written_down_twice_is_no_leak() -> None:
    bench = at()
    bench.run(30)
    bench.command("volume", kind="in", ml=500.0)
    bench.values["level"] = 1400.0
    bench.run(10)
    bench.command("volume", kind="in", ml=500.0)
    bench.run(150)
    assert bench.alarms() == [] and bench.pump is not None


@pytest.mark.requirement("RC-216")
@pytest.mark.parametrize("knocked_ml", [400.0, 1400.0])
def test_a_scale_that_is_knocked_once_is_no_leak(knocked_ml: float) -> None:
    bench = at()
    bench.run(20)
    bench.values["level"] = knocked_ml
    bench.run(6)
    bench.values["level"] = 900.0
    bench.run(60)
    assert bench.alarms() == [] and bench.pump is not None


@pytest.mark.requirement("RC-044")
def test_a_leak_that_is_filled_up_again_and_again_is_found_all_the_same() -> None:
    bench = at()
    bench.run(20)
    for second in range(0, 360, 6):
        level = bench.values["level"]
        assert level is not None
        bench.values["level"] = level - 10.0
        if second % 120 == 60:
            bench.values["level"] = level + 190.0
            bench.command("volume", kind="in", ml=200.0)
        bench.run(6)
    assert "leak" in bench.alarms() and bench.pump is None


@pytest.mark.requirement("RC-044")
def test_volume_that_stays_in_the_abdomen_is_a_blocked_outflow_and_slows_then_stops_the_pump() -> (
    None
):
    bench = at()
    bench.run(10)
    bench.values.update(level=380.0, iap=18.0)
    bench.run(16)
    assert bench.raised() == {"volume_shift"}
    assert bench.heater is None and bench.pump == 1000.0
    bench.run(12)
    assert bench.pump is None


@pytest.mark.requirement("RC-044")
def test_what_a_person_took_out_and_wrote_down_is_not_missing() -> None:
    bench = at()
    bench.run(10)
    bench.command("volume", kind="out", ml=400.0)
    bench.values["level"] = 500.0
    bench.run(20)
    assert bench.raised() == set()


@pytest.mark.requirement("RC-044")
def test_a_slow_loss_over_more_than_five_minutes_is_no_leak_yet() -> None:
    bench = at()
    for _ in range(8):
        bench.values["level"] = (bench.values["level"] or 0.0) - 50.0
        bench.run(60)
    assert "leak" not in bench.raised()


@pytest.mark.requirement("RC-045")
def test_the_emergency_stop_takes_everything_and_the_power_away() -> None:
    bench = at()
    bench.values["emergency_stop"] = 1.0
    effects = bench.run(1)
    assert everything_is_off(bench) and bench.contactor is None
    assert ContactorDrop in contactor_orders(effects)
    assert bench.command("resume").state == "refused"
    bench.values["emergency_stop"] = 0.0
    bench.run(60)
    assert everything_is_off(bench) and bench.contactor is None
    bench.command("resume")
    bench.run(2)
    assert bench.contactor is not None and bench.pump is not None


@pytest.mark.requirement("RC-045")
def test_contactors_close_with_the_first_phase_that_needs_them_and_are_renewed() -> None:
    bench = at("setup")
    assert bench.contactor is None
    bench.checklist("prime")
    bench.command("start_phase", phase="prime")
    assert bench.contactor is not None
    held = contactor_orders(bench.run(10))
    assert 4 <= held.count(ContactorHold) <= 6 and ContactorDrop not in held


@pytest.mark.requirement("RC-045")
def test_contactors_that_opened_by_themselves_stay_open_until_a_person_resumes() -> None:
    bench = at()
    bench.contactor, bench.faults["switches"] = None, "the host watchdog has opened them"
    bench.run(2)
    assert bench.raised() == {"contactor_open"} and everything_is_off(bench)
    assert ContactorHold not in contactor_orders(bench.run(30))
    bench.faults["switches"] = ""
    bench.command("resume")
    bench.run(2)
    assert bench.contactor is not None


@pytest.mark.requirement("RC-045")
def test_after_a_restart_the_contactors_wait_for_a_person() -> None:
    bench = at()
    bench.contactor = None
    assert ContactorHold not in contactor_orders(bench.restart())
    assert ContactorHold not in contactor_orders(bench.run(30))
    assert bench.command("resume").state != "refused"
    bench.run(2)
    assert bench.contactor is not None


@pytest.mark.requirement("RC-045")
def test_a_heater_that_is_not_confirmed_off_loses_its_power() -> None:
    bench = at()
    bench.heater_obeys = False
    bench.command("heater_off")
    bench.run(7)
    assert bench.contactor is None
    assert "heater_not_off" in bench.signalled(), "latched, although the heater has no power now"


@pytest.mark.requirement("RC-045")
def test_heater_and_pump_are_ordered_only_once_they_have_power_and_can_hear() -> None:
    bench = at("setup")
    bench.checklist("prime")
    bench.pull("pump")
    bench.pull("heater")
    bench.run(5)
    assert "drive_link_lost" not in bench.raised(), "without power they are silent by design"
    bench.command("start_phase", phase="prime")
    bench.run(2)
    assert bench.contactor is not None and everything_is_off(bench)
    assert "drive_unknown" not in bench.raised()
    bench.plug("pump")
    bench.plug("heater")
    bench.run(3)
    assert bench.pump is not None and bench.heater is not None


@pytest.mark.requirement("RC-029", "RC-045")
def test_a_refused_hold_is_ordered_anew_by_the_person_who_resumes() -> None:
    bench = at()
    bench.contactor_obeys = False
    order = bench.state.contactor.order
    refused = CommandState.REFUSED
    bench.feed(Outcome(at=bench.now, drive="contactor", order=order, state=refused, reason="open"))
    bench.run(1)
    bench.command("pause")
    bench.run(1)
    bench.command("resume")
    assert bench.state.contactor.order > order
