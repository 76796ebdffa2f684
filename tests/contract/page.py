"""docs/instruments.md, written from what the contract tests see.

After a driver or a fault has changed: python -m tests.contract.page > docs/instruments.md
"""

from collections.abc import Iterator

from service.core.model import DeviceClass
from simulator.faults import FAULTS, Level
from tests.contract.bench import bench
from tests.contract.expected import EXCEPTIONS
from tests.contract.pairs import PAIRS
from tests.contract.story import Outcome, possible, story

HEAD = """\
# Instruments, and what becomes of each fault

Written by `python -m tests.contract.page > docs/instruments.md` from the contract tests
(`tests/contract/`): each driver is connected to its simulated instrument, the fault is set for some
seconds while it is live, and then cleared. A test fails where this page and the drivers differ.

For every driver and every fault: nothing is shown before the first whole answer; a loss is logged
once and the return once; after one spoiled answer the next reading is right; when the fault is
over the device comes back by itself.
"""
MEANING = {
    Outcome.GOES_ON: "live, and all values are right",
    Outcome.LOST: "the link is lost and says why; back when the fault is over",
    Outcome.BACK: "the link is lost, and back before anybody does anything",
    Outcome.FAULT: "live, and the device's fault is shown",
    Outcome.NO_VALUE: "live, but this input has no value and says why",
    Outcome.DOUBTED: "live, the value is marked as questionable",
    Outcome.AS_SENT: "the value changes: the instrument itself says so, and no byte tells why",
}
LEVELS = {
    Level.BYTES: "On the bytes",
    Level.CABLE: "At the cable",
    Level.DEVICE: "In the instrument",
}
NOT_POSSIBLE = "·"


def rendered() -> str:
    """The whole page."""
    return "\n".join(_page())


def _page() -> Iterator[str]:
    yield HEAD
    yield from _table(["word", "meaning"], [[word, MEANING[word]] for word in Outcome])
    yield f"\nA {NOT_POSSIBLE} is a fault that the instrument cannot have. How a driver comes"
    yield "into these tables: [Adding a device](adding-a-device.md).\n"
    for kind in DeviceClass:
        names = [name for name in PAIRS if bench(name).driver().device_class is kind]
        if names:
            yield f"## {kind.value.capitalize()}\n"
            yield from _drivers(names)
            yield from _faults(names)
    yield "## Where an instrument differs\n"
    bare = [name for name in PAIRS if not bench(name).twin.instrument.has_checksum]
    yield "Without a check sum, what is spoiled and still well formed is read as it stands."
    yield f"These have none: {', '.join(bare)}.\n"
    for (name, fault), (_, why) in EXCEPTIONS.items():
        yield f"- {name}, {fault}: {why}."
    yield ""


def _drivers(names: list[str]) -> Iterator[str]:
    for name in names:
        driver = bench(name).driver()
        bound = f"; off on the wire within {driver.stop_bound_s:g} s" * bool(driver.stop_bound_s)
        yield f"- **{name}**: {driver.manual} (revision: {driver.revision}){bound}."
    yield ""


def _faults(names: list[str]) -> Iterator[str]:
    rows = []
    able = {name: possible(name) for name in names}
    for level, title in LEVELS.items():
        for fault, kind in FAULTS.items():
            cells = [_cell(name, fault, able[name]) for name in names]
            if kind.level is level and set(cells) != {NOT_POSSIBLE}:
                rows.append([title, f"{fault}: {kind.text}", *cells])
                title = ""
    yield from _table(["", "fault", *names], rows)
    yield ""


def _cell(name: str, fault: str, able: list[str]) -> str:
    return story(name, fault).outcome.value if fault in able else NOT_POSSIBLE


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    print(rendered(), end="")
