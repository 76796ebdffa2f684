"""The clocks: what is counted as in band, out of band or unobserved, and what never pauses."""

import pytest

from service.core import clocks
from service.core.effects import Recorded
from service.core.events import Tick
from service.core.model import CommandState, Instant
from tests.core.bench import Bench, at
from tests.core.room import SITES


def set_sites(bench: Bench, value: float | None) -> None:
    bench.values.update(dict.fromkeys(SITES, value))


def account(bench: Bench) -> tuple[float, float, float]:
    c = bench.session.clocks
    assert c.elapsed_s == c.in_band_s + c.out_of_band_s + c.unobserved_s
    return (c.in_band_s, c.out_of_band_s, c.unobserved_s)


def jump(bench: Bench, seconds: float) -> None:
    """Nobody asks the core for this long."""
    now = bench.now
    later = Instant(mono_ns=now.mono_ns + int(seconds * 1e9), utc_ns=now.utc_ns)
    bench.feed(Tick(at=later))


@pytest.mark.requirement("RC-023")
def test_minutes_in_the_band_out_of_it_and_without_a_reading_add_up_to_the_time_elapsed() -> None:
    bench = at()
    start = account(bench)
    for value, seconds in ((43.0, 12), (42.0, 15), (43.6, 8), (None, 10)):
        set_sites(bench, value)
        bench.frames()
        bench.run(seconds)
    gained = [after - before for after, before in zip(account(bench), start, strict=True)]
    assert gained == pytest.approx([12, 23, 10], abs=1e-6)


@pytest.mark.requirement("RC-023")
def test_the_band_looks_at_the_mean_of_the_valid_sites_and_its_edges_belong_to_it() -> None:
    bench = at()
    bench.values.update(dict(zip(SITES, (41.0, 44.0, None, None), strict=True)))
    bench.frames()
    before = account(bench)
    bench.run(5)
    assert account(bench)[0] - before[0] == pytest.approx(5), "42.5 °C is in the band"


@pytest.mark.requirement("RC-023")
def test_five_minutes_without_a_pass_of_the_core_are_unobserved() -> None:
    bench = at()
    before = account(bench)
    jump(bench, 300)
    gained = [after - was for after, was in zip(account(bench), before, strict=True)]
    assert gained == pytest.approx([0, 0, 300])


@pytest.mark.requirement("RC-023")
def test_two_seconds_without_a_pass_are_unobserved_although_the_readings_are_still_young() -> None:
    bench = at()
    before = account(bench)
    jump(bench, 2)
    gained = [after - was for after, was in zip(account(bench), before, strict=True)]
    assert gained == pytest.approx([0, 0, 2])


@pytest.mark.requirement("RC-023")
def test_a_wall_clock_that_steps_moves_no_timer() -> None:
    bench = at()
    before = bench.session.clocks.elapsed_s
    bench._utc_ns += 3600 * 10**9
    bench.run(5)
    assert bench.session.clocks.elapsed_s - before == pytest.approx(5)


@pytest.mark.requirement("RC-023")
def test_an_event_that_comes_late_turns_no_clock_back() -> None:
    bench = at()
    before, now = bench.session.clocks, bench.state.now
    bench.feed(Tick(at=Instant(mono_ns=now.mono_ns - 10**9, utc_ns=now.utc_ns)))
    assert bench.session.clocks == before and bench.state.now == now


@pytest.mark.requirement("RC-024")
def test_the_treatment_clock_ends_the_heat_by_itself_and_calls_for_the_drain() -> None:
    bench = at(protocol_id="closed-oxaliplatin-30", speed=20)
    bench.run(90)
    assert bench.state.heater.wanted is None
    assert bench.session.heat.waits_for == "treatment time is over"
    assert bench.session.clocks.elapsed_s == pytest.approx(1800)
    assert any("drain" in text for text in bench.recorded("clock"))
    assert bench.pump == 1500.0, "the pump goes on until a person drains"
    bench.run(3)
    assert "overtime" not in bench.signalled()
    bench.run(6)
    assert "overtime" in bench.raised()
    bench.run(15)
    assert "contact_overtime" in bench.raised()


@pytest.mark.requirement("RC-024")
def test_drug_contact_runs_from_the_first_fraction_to_drained_and_never_pauses() -> None:
    bench = at()
    contact = clocks.contact_s(bench.state, bench.session)
    bench.command("pause")
    bench.run(60)
    bench.command("start_phase", phase="drain", reason="test")
    bench.run(30)
    assert clocks.contact_s(bench.state, bench.session) == pytest.approx((contact or 0) + 90)
    bench.command("start_phase", phase="rinse")
    bench.run(30)
    assert clocks.contact_s(bench.state, bench.session) == pytest.approx((contact or 0) + 90)


@pytest.mark.parametrize(("protocol", "stops"), [("closed", True), ("closed-mmc-90", False)])
def test_a_pause_stops_the_treatment_clock_only_where_the_protocol_says_so(
    protocol: str, stops: bool
) -> None:
    bench = at(protocol_id=protocol)
    bench.command("pause")
    before = bench.session.clocks.elapsed_s
    bench.run(10)
    assert bench.session.clocks.elapsed_s - before == pytest.approx(0 if stops else 10)


@pytest.mark.requirement("RC-021")
def test_the_gate_is_held_without_a_break_and_starts_anew_after_a_dip_or_a_gap() -> None:
    bench = at("heat_up")
    set_sites(bench, 42.4)
    bench.frames()
    bench.run(2)
    assert bench.session.clocks.gate_held_s == 0
    set_sites(bench, 42.5)
    bench.frames()
    bench.run(40)
    assert bench.session.clocks.gate_held_s == pytest.approx(40)
    jump(bench, 30)
    assert bench.session.clocks.gate_held_s == 0, "nobody saw those seconds"


def test_drug_that_is_recorded_late_starts_the_treatment_clock_when_it_was_given() -> None:
    bench = at("drug_addition")
    answer = bench.command("confirm_drug", fraction=1, ago_s=60, reason="hands were full")
    assert answer.state is CommandState.CONFIRMED
    assert bench.session.clocks.elapsed_s == pytest.approx(60)
    assert bench.session.clocks.unobserved_s == pytest.approx(60)
    assert clocks.contact_s(bench.state, bench.session) == pytest.approx(60)


@pytest.mark.requirement("RC-210")
def test_a_slip_in_the_time_of_drug_in_cannot_end_the_treatment_it_begins() -> None:
    bench = at("drug_addition")
    bench.command("confirm_drug", fraction=1, ago_s=80_000, reason="was given before")
    bench.run(2)
    assert bench.phase == "perfuse" and not bench.session.clocks.ended
    open_s = bench.state.treat_s - bench.session.opened_s
    assert bench.session.clocks.elapsed_s == pytest.approx(open_s)
    assert bench.session.clocks.contact_from_s == bench.session.opened_s
    given = bench.session.given[0]
    assert (bench.now.utc_ns - given.at_utc_ns) / 1e9 > 80_000, "what was said stays on record"
    assert "before the session was opened" in bench.recorded("deviation")[0]


def test_the_volume_pumped_counts_the_lower_flow_and_nothing_over_a_gap() -> None:
    bench = at()
    before = bench.session.clocks.pumped_ml
    bench.run(10)
    assert bench.session.clocks.pumped_ml - before == pytest.approx(250)
    jump(bench, 60)
    assert bench.session.clocks.pumped_ml - before == pytest.approx(250)


@pytest.mark.requirement("RC-037")
def test_speed_scales_clocks_and_delays_but_not_ages() -> None:
    bench = at(speed=20)
    before = bench.session.clocks.elapsed_s
    bench.values["pelvis"] = 43.9
    bench.run(2)
    assert bench.session.clocks.elapsed_s - before == pytest.approx(40)
    assert "site_hot" in bench.raised(), "10 s of treatment are half a real second"
    bench.silent.add("flow")
    bench.run(2.9)
    assert bench.state.heater.wanted is not None, "an age is three real seconds at any speed"
    bench.run(0.4)
    assert bench.state.heater.wanted is None


def test_the_end_of_the_treatment_is_recorded_once() -> None:
    bench = at(protocol_id="closed-oxaliplatin-30", speed=20)
    bench.run(100)
    ended = [e for e in bench.effects if isinstance(e, Recorded) and e.kind == "clock"]
    assert len(ended) == 1
