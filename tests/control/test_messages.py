"""What displays are told of readings that the core doubts or has refused."""

from dataclasses import replace

import pytest

from service.control.messages import Messages
from service.core.model import Instant
from service.wire import LIVE, WhatIfAsked
from tests.core.bench import Bench, at


@pytest.mark.requirement("RC-050")
def test_a_doubted_reading_goes_out_as_questionable_with_what_was_seen() -> None:
    bench = at()
    bench.values["pelvis"] = 25.0
    bench.run(1)
    frame = bench.read("sites")
    message = Messages(bench.state.room, "b").frame(frame, bench.state)
    assert message is not None
    shown = message["channels"]["pelvis"]
    assert (shown["value"], shown["validity"]) == (25.0, "questionable")
    assert shown["reason"].startswith("Pelvis jumped by -18")
    assert message["channels"]["mid_abdomen"]["validity"] == "valid"


@pytest.mark.requirement("RC-058")
def test_a_refused_frame_is_not_shown() -> None:
    bench = at()
    late = Instant(mono_ns=bench.now.mono_ns + 10**13, utc_ns=bench.now.utc_ns)
    frame = replace(bench.read("sites"), at=late)
    bench.feed(frame)
    assert Messages(bench.state.room, "b").frame(frame, bench.state) is None


@pytest.mark.requirement("RC-160")
def test_the_snapshot_carries_the_outlook_on_the_clock_of_the_readings() -> None:
    bench = at()
    bench.run(60)
    message = Messages(bench.state.room, "b").snapshot(bench.state)
    LIVE.validate_python(message)
    outlook = message["state"]["outlook"]
    assert outlook["horizons_s"] == [120.0, 600.0]
    assert {"core", "mean", "pelvis"} <= set(outlook["ahead"])
    assert all(len(found) == 2 for found in outlook["ahead"].values())
    age_s = message["state"]["at_ns"] / 1e9 - outlook["at_s"]
    assert 0 <= age_s <= 10, "made within the last ten treatment seconds"


def test_a_question_about_another_inflow_is_answered_and_changes_nothing() -> None:
    bench = at()
    bench.run(60)
    before = bench.state
    asked = WhatIfAsked(type="what_if", key="1", inflow_c=43.0)
    found = Messages(before.room, "b").what_if(asked, before)["found"]
    assert found["inflow_c"] == 43.0
    assert found["changed"]["mean_c"] < found["planned"]["mean_c"]
    assert bench.state is before


def test_before_the_patient_is_perfused_nothing_can_be_foretold() -> None:
    bench = Bench()
    messages = Messages(bench.state.room, "b")
    asked = WhatIfAsked(type="what_if", key="1", flow_ml_min=1500)
    assert messages.what_if(asked, bench.state)["found"] is None
    assert messages.snapshot(bench.state)["state"]["outlook"] is None


def test_the_snapshot_says_how_far_each_compared_probe_lay_from_the_reference() -> None:
    bench = Bench()
    assert Messages(bench.state.room, "b").snapshot(bench.state)["state"]["compared"] == []
    bench = at("prime")
    bench.values |= dict.fromkeys(("inflow", "reservoir", "exchanger"), 42.0) | {"outflow": 42.5}
    bench.run(5)
    bench.command("compare_probes", c=42.0)
    told = Messages(bench.state.room, "b").snapshot(bench.state)["state"]["compared"]
    assert {one["channel"]: one["within"] for one in told} == {
        "inflow": True, "outflow": False, "reservoir": True, "exchanger": True,
    }  # fmt: skip
