"""A reading that plays about its limit is one alarm: it clears only beyond its dead-band."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from service.core.alarm_table import RULES
from service.core.findings import FLOW_OVER_SHARE
from tests.core.bench import at

ORDERED_ML_MIN = 1500.0
PROTOCOL = at().protocol
LIMITS = PROTOCOL.limits
LEAST_ML_MIN = LIMITS.flow_low_share * ORDERED_ML_MIN
MOST_ML_MIN = PROTOCOL.perfusate.flow_max_ml_min * FLOW_OVER_SHARE
DIFFERS_ML_MIN = (1 - PROTOCOL.trust.flow_share) * ORDERED_ML_MIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What a channel reads beyond its limit, just inside it, and past the dead-band."""

    channel: str
    beyond: float
    inside: float
    past: float


def edge(channel: str, limit: float, step: float, dead_band: float) -> Edge:
    """`step` leads beyond the limit; half of it and the dead-band lead back inside."""
    sign = 1.0 if step > 0 else -1.0
    return Edge(
        channel=channel,
        beyond=limit + step,
        inside=limit - sign * dead_band / 2,
        past=limit - sign * (dead_band + abs(step)),
    )


EDGES: Mapping[str, Edge] = {
    "suction_high": edge("line_out", LIMITS.line_out_min_mmhg, -1.0, 2.0),
    "reservoir_low": edge("level", LIMITS.reservoir_low_ml, -10.0, 50.0),
    "leak": edge("level", 900.0 - LIMITS.leak_ml, -10.0, 50.0),
    "no_flow": edge("flow", LIMITS.no_flow_ml_min, -5.0, 25.0),
    "flow_low": edge("flow", LEAST_ML_MIN, -5.0, 25.0),
    "flow_differs": edge("flow", DIFFERS_ML_MIN, -5.0, 25.0),
    "flow_high": edge("flow", MOST_ML_MIN, 5.0, 25.0),
}


@pytest.mark.requirement("RC-245")
@pytest.mark.parametrize("rule", EDGES)
def test_what_plays_about_its_limit_stays_one_alarm(rule: str) -> None:
    reads, bench = EDGES[rule], at()
    assert bench.pump == ORDERED_ML_MIN
    bench.flow_follows = reads.channel != "flow"
    bench.run(20)
    bench.values[reads.channel] = reads.beyond
    for _ in range(25):
        bench.run(1)
        if rule in bench.raised():
            break
    assert rule in bench.raised()
    bench.values[reads.channel] = reads.inside
    bench.run(3)
    assert rule in bench.raised(), "inside its limit, and not past the dead-band"
    bench.values[reads.channel] = reads.past
    bench.run(15 if rule == "leak" else 3)
    assert rule not in bench.raised()
    assert bench.alarms().count(rule) == 1


@pytest.mark.requirement("RC-245")
@pytest.mark.parametrize("rule", EDGES)
def test_inside_its_limit_nothing_is_raised_by_its_dead_band(rule: str) -> None:
    reads, bench = EDGES[rule], at()
    bench.flow_follows = reads.channel != "flow"
    bench.run(20)
    bench.values[reads.channel] = reads.inside
    bench.run(25)
    assert rule not in bench.alarms()


def test_the_table_of_alarms_says_each_dead_band() -> None:
    said = {rule.id: rule.hysteresis for rule in RULES}
    assert all(said[rule] for rule in EDGES)
