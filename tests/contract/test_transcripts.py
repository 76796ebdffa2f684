"""Each driver has its maker's bytes on file, and what was said on the wire means the same again."""

import tomllib
from itertools import count
from pathlib import Path

import pytest

from drivers.registry import DRIVERS
from tests.contract.bench import Bench, bench
from tests.contract.pairs import PAIRS
from tests.drivers.memory import MemoryLine, scripted

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts"
POLLED = [name for name in PAIRS if not bench(name).driver().pushes]


@pytest.mark.parametrize("driver", sorted(DRIVERS))
def test_each_driver_has_a_transcript_with_answers_and_its_manual(driver: str) -> None:
    file = tomllib.loads((TRANSCRIPTS / f"{driver}.toml").read_text("utf-8"))
    assert any("rx" in one or one.get("rx_text") for one in file["exchange"])


async def recorded(here: Bench):
    """One reading, and what was asked and answered for it."""
    line, driver = await here.connected()
    begun = len(line.traffic())
    polled = await line.run(driver.poll())
    said: list[tuple[bytes, bytes]] = []
    for chunk in line.traffic()[begun:]:
        if chunk.sent:
            said.append((chunk.data, b""))
        elif said:
            said[-1] = (said[-1][0], said[-1][1] + chunk.data)
    return driver, polled, said


@pytest.mark.parametrize("name", POLLED)
def test_the_driver_reads_the_same_from_what_its_twin_said(name: str) -> None:
    driver, polled, said = bench(name).play(recorded)
    line = MemoryLine(scripted(dict(said)))
    assert line.run(driver.poll()).measured == polled.measured
    assert line.sent == [asked for asked, _ in said]


@pytest.mark.parametrize("name", POLLED)
def test_what_its_driver_asks_means_the_same_to_the_twin_without_a_wire(name: str) -> None:
    _, polled, said = bench(name).play(recorded)
    twin, driver = bench(name).twin, bench(name).driver()
    seconds = count(100.0)

    def answer(heard: bytes) -> bytes:
        return b"".join(send.data for send in twin.receive(heard, next(seconds)))

    line = MemoryLine(answer)
    line.run(driver.identify())
    line.sent.clear()
    assert line.run(driver.poll()).measured == polled.measured
    assert line.sent == [asked for asked, _ in said]
