"""What ends a treatment, what a pause does to its clock, and the timers beside it."""

from dataclasses import replace

import pytest

from protocols.schema import Clock, Protocol
from service.core import clocks
from service.core.model import CommandState
from service.core.timers import Timer, TimerState, timers
from tests.core.bench import Bench, at
from tests.core.room import SITES


def with_clock(bench: Bench, **changes: object) -> Bench:
    """The same session under a protocol whose clock says something else."""
    protocol: Protocol = bench.session.protocol
    clock: Clock = replace(protocol.clock, **changes)  # type: ignore[arg-type]
    session = replace(bench.session, protocol=replace(protocol, clock=clock))
    bench.state = replace(bench.state, session=session)
    return bench


def set_sites(bench: Bench, value: float | None) -> None:
    bench.values.update(dict.fromkeys(SITES, value))
    bench.frames()


def timer(bench: Bench, name: str) -> Timer:
    return next(entry for entry in timers(bench.state) if entry.id == name)


ENDS = [
    ("elapsed", 43.0, 30.0, (30, 0, 0)),
    ("elapsed", 41.0, 30.0, (0, 30, 0)),
    ("elapsed", None, 30.0, (0, 0, 30)),
    ("in_band", 43.0, 30.0, (30, 0, 0)),
    ("in_band", 41.0, 40.0, (0, 40, 0)),
    ("in_band", None, 40.0, (0, 0, 40)),
]


@pytest.mark.requirement("RC-064")
@pytest.mark.parametrize(("ends_on", "sites_c", "minutes", "accounts"), ENDS)
def test_the_protocol_says_which_time_ends_the_treatment_and_a_cap_ends_it_for_sure(
    ends_on: str, sites_c: float | None, minutes: float, accounts: tuple[int, int, int]
) -> None:
    bench = with_clock(
        at(protocol_id="closed-oxaliplatin-30", speed=20), ends_on=ends_on, cap_min=40
    )
    set_sites(bench, sites_c)
    bench.run(150)
    account = bench.session.clocks
    assert account.ended
    assert account.elapsed_s == pytest.approx(60 * minutes, abs=1e-6)
    told = (account.in_band_s, account.out_of_band_s, account.unobserved_s)
    assert [seconds / 60 for seconds in told] == pytest.approx(list(accounts), abs=3.2)
    assert sum(told) == account.elapsed_s


@pytest.mark.requirement("RC-064")
@pytest.mark.parametrize("stops", [True, False])
@pytest.mark.parametrize("ends_on", ["elapsed", "in_band"])
@pytest.mark.parametrize("command", ["pause", "abort", "stop"])
def test_what_a_pause_does_to_the_clock_is_the_protocols_word(
    command: str, ends_on: str, stops: bool
) -> None:
    bench = with_clock(at(), ends_on=ends_on, pause_stops_clock=stops)
    before, contact = bench.session.clocks, clocks.contact_s(bench.state, bench.session)
    bench.command(command)
    bench.run(10)
    after = bench.session.clocks
    assert after.elapsed_s - before.elapsed_s == pytest.approx(0 if stops else 10)
    assert after.in_band_s - before.in_band_s == pytest.approx(0 if stops else 10)
    assert clocks.contact_s(bench.state, bench.session) == pytest.approx((contact or 0) + 10)


@pytest.mark.requirement("RC-064")
def test_a_heat_hold_is_no_pause() -> None:
    bench = with_clock(at(), pause_stops_clock=True)
    before = bench.session.clocks.elapsed_s
    bench.command("heater_off")
    bench.run(10)
    assert bench.session.clocks.elapsed_s - before == pytest.approx(10)


@pytest.mark.requirement("RC-064")
def test_leaving_early_for_the_drain_stops_the_treatment_clock() -> None:
    bench = at()
    bench.command("start_phase", phase="drain", reason="test")
    before = bench.session.clocks.elapsed_s
    bench.run(10)
    assert bench.session.clocks.elapsed_s == before


@pytest.mark.requirement("RC-065")
def test_a_fraction_waits_is_due_in_its_window_and_late_after_it() -> None:
    bench = at(speed=20)
    second = timer(bench, "fraction_2")
    assert (timer(bench, "fraction_1").state, second.state) == (TimerState.DONE, TimerState.WAITING)
    assert second.due_in_s == pytest.approx(1800, abs=120)
    assert second.window_s == 300
    bench.run(91)
    assert timer(bench, "fraction_2").state is TimerState.DUE
    assert "fraction_due" in bench.raised()
    bench.run(16)
    assert timer(bench, "fraction_2").state is TimerState.LATE
    assert "fraction_late" in bench.raised() and "fraction_due" not in bench.raised()
    bench.command("confirm_drug", fraction=2)
    bench.run(0.2)
    assert timer(bench, "fraction_2").state is TimerState.DONE
    assert "fraction_late" not in bench.raised()
    assert any("2 given" in text and "late" in text for text in bench.recorded("deviation"))


@pytest.mark.requirement("RC-065")
def test_a_fraction_before_its_window_is_a_deviation_and_one_within_it_is_none() -> None:
    bench = at(speed=20)
    bench.run(60)
    bench.command("confirm_drug", fraction=2)
    assert any("2 given" in text and "early" in text for text in bench.recorded("deviation"))
    bench.run(116)
    bench.command("confirm_drug", fraction=3)
    assert not any("3 given" in text for text in bench.recorded("deviation"))


@pytest.mark.requirement("RC-065")
def test_intravenous_drugs_are_called_in_heat_up_and_missed_at_drug_in() -> None:
    bench = at("heat_up", "closed-oxaliplatin-30")
    bench.run(1)
    assert [timer(bench, f"reminder_{n}").state for n in (1, 2)] == [TimerState.DUE] * 2
    alarm = next(a for a in bench.state.alarms.values() if a.id == "reminder_due")
    assert alarm.text == "Intravenous now: leucovorin, fluorouracil"
    bench.command("confirm_reminder", reminder=1)
    assert timer(bench, "reminder_1").state is TimerState.DONE
    assert bench.command("confirm_reminder", reminder=1).state is CommandState.REFUSED
    bench.command("confirm_drug", fraction=1)
    assert "Drug-in before fluorouracil was confirmed" in bench.recorded("deviation")
    assert timer(bench, "reminder_2").due_in_s == pytest.approx(-1200, abs=2)
    bench.command("confirm_reminder", reminder=2)
    bench.run(1)
    assert "reminder_due" not in bench.signalled()


@pytest.mark.requirement("RC-065")
def test_five_minutes_left_is_said_once_and_the_end_becomes_overtime() -> None:
    bench = at(protocol_id="closed-oxaliplatin-30", speed=20)
    assert timer(bench, "five_minutes_left").state is TimerState.WAITING
    bench.run(76)
    assert bench.recorded("timer") == ["Five minutes of treatment left"]
    assert timer(bench, "five_minutes_left").state is TimerState.DUE
    assert timer(bench, "end").due_in_s == pytest.approx(275, abs=70)
    bench.run(16)
    assert timer(bench, "five_minutes_left").state is TimerState.DONE
    assert timer(bench, "end").state is TimerState.DUE
    assert timer(bench, "contact_cap").state is TimerState.WAITING
    bench.run(8)
    assert timer(bench, "end").state is TimerState.LATE
    bench.run(10)
    assert timer(bench, "contact_cap").state is TimerState.LATE
    bench.command("start_phase", phase="drain")
    assert timer(bench, "end").state is TimerState.DONE
    assert len(bench.recorded("timer")) == 1


def test_without_a_session_there_are_no_timers() -> None:
    assert timers(Bench().state) == ()
