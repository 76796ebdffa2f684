"""docs/fault-matrix.md, written from the tables that the tests hold the core to.

After a row has changed: python -m tests.matrix.page > docs/fault-matrix.md
"""

from collections.abc import Iterator
from math import inf, isinf

from service.virtual.faults import READING_FAULTS
from simulator.plant import SITES
from tests.matrix.events import EVENTS, EventRow
from tests.matrix.faults import CHANNELS, INSTRUMENTS, KINDS, OUTSIDE, PHASES, PROBES, ROWS, Row
from tests.matrix.story import CONSEQUENCES

HEAD = """\
# Faults, and what becomes of each

Written by `python -m tests.matrix.page > docs/fault-matrix.md` from the tables in `tests/matrix/`.
A virtual treatment (closed and open, automatic control, nobody acts) is run to each phase once,
continued with one fault, and watched: `make campaign` runs every fault of every instrument and
probe in every phase and every event of the response matrix, `make test` some of each row. A test
fails where this page and the tables differ.

In every cell: the pump is not started and not made faster; one fault is one alarm at a time, but
for what stands under "Beside it" below; neither the true inflow nor a true site
passes its ceiling by more than 0.3 °C, or than the bound that is stated. An alarm that has come
stays as long as its cause does, unless "may come and go" is written. First the alarms of which one
must come and its time; where nothing must come, what bounds the error. A row holds for what no row
above it has told.
"""

BESIDE_HEAD = """\
## Beside it

These may stand beside the alarm of a fault, because they ask for something else to be done:
"""

EVENTS_HEAD = """\
## Events and responses

The rows of every protocol's event × response matrix, and what else the drives can do. When the
cause is gone, nothing that was taken away comes back before a person resumes.
"""

NAMED = {CHANNELS: "every other channel", INSTRUMENTS: "every instrument", PROBES: "every probe"}


def rendered() -> str:
    """The whole page."""
    return "\n".join(_page())


def _page() -> Iterator[str]:
    yield HEAD
    for kind in KINDS:
        yield f"## {kind.capitalize()}\n"
        yield f"{READING_FAULTS[kind].capitalize()}.\n"
        rows = [
            [_targets(row), _phases(row.phases), *_promise(row)] for row in ROWS if row.kind == kind
        ]
        yield from _table(["what", "phases", "found by", "within", "heat off", "bound"], rows)
        yield ""
    yield BESIDE_HEAD
    yield from _table(["alarm", "why"], [[f"`{a}`", why] for a, why in CONSEQUENCES.items()])
    yield ""
    for row in ROWS:
        if row.together:
            yield f"{row.kind.capitalize()} {_targets(row)}: {_alarms(row.together)}.\n"
    yield EVENTS_HEAD
    rows = [[row.event, _phases(row.phases), *_response(row)] for row in EVENTS]
    yield from _table(["event", "phases", "alarm", "within", "heat off", "pump stands"], rows)
    yield ""


def _promise(row: Row) -> list[str]:
    if not row.alarms:
        return ["–", "–", "–", row.bound]
    stays = "; may come and go" if isinf(row.stands_from_s) else ""
    if not stays and row.stands_from_s > row.within_s:
        stays = f"; stays from {row.stands_from_s:g} s on"
    return [_alarms(row.alarms), f"{row.within_s:g} s{stays}", _seconds(row.heat_off_s), row.bound]


def _response(row: EventRow) -> list[str]:
    if row.proven_in:
        return [f"see {row.proven_in}", "–", "–", "–"]
    alarm = _alarms(row.alarms) if row.alarms else "a person's command"
    within = f"{row.within_s:g} s" if row.alarms else "–"
    pump = "goes on" if row.pump_goes_on else _seconds(row.pump_stops_s)
    return [alarm, within, _seconds(row.heat_off_s), pump]


def _seconds(seconds: float) -> str:
    return "–" if seconds == inf else f"{seconds:g} s"


def _alarms(alarms: tuple[str, ...]) -> str:
    return " or ".join(f"`{alarm}`" for alarm in alarms)


def _targets(row: Row) -> str:
    if row.phases == OUTSIDE and row.targets == CHANNELS:
        return "every channel"
    if row.targets in NAMED:
        return NAMED[row.targets]
    sites = set(SITES) <= set(row.targets)
    rest = [target for target in row.targets if not (sites and target in SITES)]
    return ", ".join((["every site"] if sites else []) + rest)


def _phases(phases: tuple[str, ...]) -> str:
    if phases == PHASES:
        return "all"
    return ", ".join(phase.replace("_", " ") for phase in phases)


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    print(rendered(), end="")
