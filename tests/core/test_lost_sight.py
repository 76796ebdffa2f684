"""What was raised stays raised while its instrument tells nothing: missing data clears no alarm."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from service.core.alarm_table import DOUBT_RULES, RULES
from service.core.effects import AlarmChanged
from service.core.model import CommandState
from tests.core.bench import NO_CONTACTORS, Bench, at
from tests.core.room import NONE, SITES

FLOWS = ("flow", "pump_flow")
COMMANDS: Mapping[str, Mapping[str, str | float]] = {
    "set_inflow": {"c": 42.0},
    "volume": {"kind": "out", "ml": 250},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How an alarm comes about on the bench, and which channels then tell nothing any more.

    It runs `run_s` to be raised; then the channels are `lost`.
    """

    values: Mapping[str, float]
    lost: tuple[str, ...]
    run_s: float = 3.0
    first_s: float = 1.0
    speed: float = 1.0
    command: str = ""
    stubborn: str = ""
    flow_follows: bool = True


CASES: Mapping[str, Case] = {
    "inflow_isolate": Case(values={"inflow": 48.5}, lost=("inflow",), run_s=5),
    "inflow_still_high": Case(values={"inflow": 46.2}, lost=("inflow",), run_s=125),
    "inflow_high": Case(values={"inflow": 46.2}, lost=("inflow",)),
    "inflow_above_set": Case(
        values={"inflow": 45.5, "exchanger": 45.5},
        lost=("inflow",),
        run_s=20,
        speed=20,
        command="set_inflow",
    ),
    "site_still_high": Case(values={"pelvis": 44.1}, lost=("pelvis",), run_s=125),
    "site_ceiling": Case(values={"pelvis": 44.1}, lost=("pelvis",)),
    "site_hot": Case(values={"pelvis": 43.9}, lost=("pelvis",), run_s=15),
    "site_warm": Case(values={"pelvis": 43.6}, lost=("pelvis",), run_s=4, speed=20),
    "sites_low": Case(values=dict.fromkeys(SITES, 42.0), lost=SITES, run_s=40, speed=20),
    "core_ceiling": Case(values={"nasopharynx": 40.2}, lost=("nasopharynx",), run_s=5),
    "core_high": Case(values={"nasopharynx": 39.6}, lost=("nasopharynx",), run_s=5),
    "core_warm": Case(values={"nasopharynx": 39.1}, lost=("nasopharynx",), run_s=5),
    "core_by_site": Case(values={"bladder": 42.8}, lost=("bladder",), run_s=20),
    "bath_high": Case(values={"bath": 60.0}, lost=("bath",), run_s=15),
    "reservoir_high": Case(values={"reservoir": 47.5}, lost=("reservoir",), run_s=5),
    "line_pressure_high": Case(values={"line_in": 400.0}, lost=("line_in",)),
    "line_pressure_warn": Case(values={"line_in": 230.0}, lost=("line_in",), run_s=8),
    "iap_high": Case(values={"iap": 27.0}, lost=("iap",), run_s=8),
    "iap_warn": Case(values={"iap": 22.0}, lost=("iap",), run_s=15),
    "suction_high": Case(values={"line_out": -150.0}, lost=("line_out",)),
    "emergency_stop": Case(values={"emergency_stop": 1.0}, lost=("emergency_stop",)),
    "bubble": Case(values={"bubble": 1.0}, lost=("bubble",)),
    "reservoir_empty": Case(values={"level_low": 1.0}, lost=("level_low",)),
    "reservoir_low": Case(values={"level": 100.0}, lost=("level",), run_s=5),
    "volume_shift": Case(
        values={"level": 380.0, "iap": 18.0}, lost=("level",), run_s=16, first_s=15
    ),
    "leak": Case(values={"level": 500.0}, lost=("level",), run_s=16, first_s=15),
    "cut_out": Case(values={"cut_out": 1.0}, lost=("cut_out",)),
    "flow_high": Case(values={"flow": 3000.0}, lost=("flow",), run_s=5, flow_follows=False),
    "flow_low": Case(values={"flow": 1000.0}, lost=("flow",), run_s=15, flow_follows=False),
    "no_flow": Case(values={"flow": 0.0}, lost=("flow",), run_s=4, flow_follows=False),
    "flow_differs": Case(values={"flow": 1950.0}, lost=FLOWS, run_s=15, flow_follows=False),
    "heater_not_off": Case(values={}, lost=("heater",), run_s=8, command="stop", stubborn="heater"),
    "pump_not_off": Case(values={}, lost=("pump",), run_s=8, command="stop", stubborn="pump"),
    "core_rising": Case(
        values={"nasopharynx": 38.9}, lost=("nasopharynx",), run_s=10, first_s=4, speed=20
    ),
    "scale_stuck": Case(values={}, lost=("level",), run_s=5, first_s=2, speed=20, command="volume"),
}
"""Every alarm that is decided on what an instrument reads."""

NOT_READ = {
    "core_forecast": "tests/core/test_foresight.py",
    "core_cool": "only at the end: test_core_and_dips.py",
    "core_lost": "about what is missing",
    "probe_lost": "about what is missing",
    "site_lost": "about what is missing",
    "sites_few": "about what is missing",
    "heater_not_gaining": "test_heater_check.py",
    "heats_unasked": "test_heater_check.py",
    "pump_stopped": "stands as a block",
    "heater_stopped": "stands as a block",
    "contactor_open": "stands as a block",
    **{rule.id: "test_trust.py" for rule in DOUBT_RULES},
    **dict.fromkeys(
        ("probe_bias", "patient_unstable", "display_lost", "audio_lost", "not_seen"), "by people"
    ),
    **dict.fromkeys(("request_unanswered", "configuration_differs", "automatic_lost"), "by people"),
    **dict.fromkeys(("treatment_over", "contact_overtime", "overtime"), "by the clock"),
    **dict.fromkeys(("fraction_due", "fraction_late", "reminder_due"), "by the clock"),
}


def test_every_alarm_is_in_one_of_the_two_tables() -> None:
    assert {*CASES, *NOT_READ} >= {rule.id for rule in RULES}
    assert not {*CASES} & {*NOT_READ}


def brought_about(rule: str) -> Bench:
    case = CASES[rule]
    bench = at(speed=case.speed, without=NO_CONTACTORS if case.stubborn else NONE)
    if rule == "core_rising":
        bench.values["nasopharynx"] = 36.0
    bench.run(case.first_s)
    if case.stubborn:
        setattr(bench, f"{case.stubborn}_obeys", False)
    if case.command:
        bench.command(case.command, **COMMANDS.get(case.command, {}))
    bench.flow_follows = case.flow_follows
    bench.values.update(case.values)
    bench.run(case.run_s)
    assert rule in bench.raised(), bench.raised()
    return bench


@pytest.mark.requirement("RC-222")
@pytest.mark.parametrize("rule", CASES)
def test_the_onset_tells_when_what_it_was_decided_on_was_read(rule: str) -> None:
    bench = brought_about(rule)
    onset = next(e for e in bench.effects if isinstance(e, AlarmChanged) and e.id == rule)
    assert onset.sampled is not None and onset.at.seconds_since(onset.sampled) < 2.0


@pytest.mark.requirement("RC-222")
def test_a_core_by_hand_a_drive_a_pulled_cable_and_silence_tell_when_that_was_as_well() -> None:
    bench = at(without=NO_CONTACTORS)
    bench.command("enter_core", c=39.2)
    bench.run(1)
    bench.pump = None
    bench.pull("scale")
    bench.silent.add("sites")
    bench.run(5)
    onsets = (e for e in bench.effects if isinstance(e, AlarmChanged) and e.event == "onset")
    delays_s = {e.id: round(e.at.seconds_since(e.sampled), 1) for e in onsets if e.sampled}
    assert delays_s == {
        "core_warm": 0.0,
        "pump_stopped": 0.0,
        "link_lost": 0.0,
        "channel_stale": 3.1,
    }


@pytest.mark.requirement("RC-215")
@pytest.mark.parametrize("how", ["gives no value", "is silent"])
@pytest.mark.parametrize("rule", CASES)
def test_an_alarm_stays_while_the_instrument_that_raised_it(rule: str, how: str) -> None:
    bench, lost = brought_about(rule), CASES[rule].lost
    if how == "is silent" or lost[0] in ("heater", "pump"):
        known = {channel.id: channel.device for channel in bench.state.room.channels}
        bench.silent |= {known.get(name, name) for name in lost}
    bench.values.update(dict.fromkeys(lost))
    bench.run(5)
    assert rule in bench.raised(), f"cleared by missing data: {bench.raised()}"


@pytest.mark.requirement("RC-215")
@pytest.mark.parametrize("how", ["gives no value", "is silent", "is not sure"])
def test_no_circulation_is_resumed_over_a_leak_because_the_scale(how: str) -> None:
    bench = brought_about("leak")
    bench.acknowledge_all()
    if how == "is not sure":
        bench.questionable.add("level")
    elif how == "is silent":
        bench.silent.add("scale")
    else:
        bench.values["level"] = None
    bench.run(30)
    answer = bench.command("resume")
    assert answer.state is CommandState.REFUSED and "missing from the reservoir" in answer.reason
    assert bench.pump is None
