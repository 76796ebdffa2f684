"""What displays are told of readings that the core doubts or has refused."""

from dataclasses import replace

import pytest

from service.control.messages import Messages
from service.core.model import Instant
from tests.core.bench import at


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
