"""What the control process notices of its own computer."""

from dataclasses import replace
from pathlib import Path

from service.control.host import Host, differences, disk_text
from service.core.events import HostNoticed
from tests.core.bench import at
from tests.core.room import room


def test_a_folder_that_cannot_be_asked_says_nothing(tmp_path: Path) -> None:
    assert disk_text(tmp_path / "nowhere") == ""


def test_the_disk_is_looked_at_now_and_then_and_only_a_change_is_told(tmp_path: Path) -> None:
    told: list[HostNoticed] = []
    host, bench = Host(tmp_path, told.append), at()
    bench.feed(HostNoticed(at=bench.now, what="disk", text="Disk nearly full: 90 MB left"))
    for now_s in (0.0, 10.0, 31.0):
        host.look(bench.state, bench.now, now_s)
    assert [event.text for event in told] == [disk_text(tmp_path)] * 2


def test_what_is_configured_otherwise_is_named() -> None:
    now = room()
    first, *others = now.channels
    moved = replace(now, channels=(replace(first, input=9), *others), limits={"iap_stop_mmhg": 20})
    assert differences(now, moved) == ["inflow", "limits"]
    assert differences(now, now) == []
