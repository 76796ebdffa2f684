"""What makes a protocol sound, beyond types and ranges; each rule names what is allowed instead.

Rules look at the table as read, so that all problems of a file are found in one go: a number that
is missing or of the wrong type is the reader's problem, and every rule passes over it.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from protocols.locate import Field, Problem
from protocols.lookup import Table, at, numbers_at, numbers_in, rows_at, table_at, texts_at
from protocols.schema import MATRIX_EVENTS, Envelope

PHASES = (
    "setup",
    "prime",
    "fill",
    "heat_up",
    "drug_addition",
    "perfuse",
    "drain",
    "rinse",
    "complete",
)
"""The phases that a protocol's heat table and checklist speak of, in their order."""

TEMPERATURE_ROLES = ("inflow", "outflow", "reservoir", "exchanger", "bath", "site", "core")
SWITCH_ROLES = ("bubble", "level_low", "cut_out", "emergency_stop")
ROLES = (
    *TEMPERATURE_ROLES,
    *("line_in", "line_out", "iap", "flow", "level", "speed", "power"),
    *SWITCH_ROLES,
)
"""The roles that a channel of a room can have."""

HEAT_NEEDS: Mapping[str, frozenset[str]] = {
    "prime": frozenset({"flow", "inflow", "reservoir"}),
    "fill": frozenset({"flow", "inflow", "reservoir"}),
    "heat_up": frozenset({"flow", "inflow", "site"}),
    "drug_addition": frozenset({"flow", "inflow", "site"}),
    "perfuse": frozenset({"flow", "inflow", "site"}),
}
"""The least that heat needs in the phases in which it may run at all."""

OFF, AS_IS = ("off",), ("as_is",)
STOP, PERSON = ("stop",), ("person", "surgeon")
MATRIX: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    event: {"heat": heat, "pump": pump, "resumed_by": resumed_by}
    for event, heat, pump, resumed_by in (
        ("no_flow", OFF, ("check_then_stop", "stop"), PERSON),
        ("line_pressure_high", OFF, STOP, PERSON),
        ("iap_high", OFF, STOP, PERSON),
        ("iap_not_monitored", AS_IS, AS_IS, AS_IS),
        ("bubble_or_reservoir_low", OFF, STOP, PERSON),
        ("outflow_blocked", OFF, ("minimum_then_stop", "stop"), PERSON),
        ("leak", OFF, STOP, PERSON),
        ("temperature_ceiling", OFF, ("on", "minimum_then_stop", "stop"), PERSON),
        ("inflow_isolate", OFF, STOP, PERSON),
        ("patient_unstable", OFF, STOP, ("surgeon",)),
        ("control_process_dead", OFF, ("never_faster",), ("person",)),
        ("host_dead", OFF, ("watchdog_off",), ("person",)),
        ("stop_or_abort", OFF, STOP, PERSON),
    )
}
"""What each event may do: where there is one value, the event's meaning or this service's own
processes (supervisor, watchdog, the strip of what is not guarded) leave no other."""

STRIP_ITEM = "not_guarded"
"""The checklist item with which two people sign what is not guarded today."""

CLOCK_ENDS = ("elapsed", "in_band")

LINE_LOSS_C = 0.5
"""The most by which the bath's maximum may exceed the inflow ceiling: what a warm line can lose."""

ROUNDING = 1e-6

BELOW = "below"
AT_MOST = "at most"
ORDER: tuple[tuple[str, str, str], ...] = (
    ("target.low_c", BELOW, "target.high_c"),
    ("target.high_c", AT_MOST, "limits.site_low_priority_c"),
    ("gate.threshold_c", AT_MOST, "target.high_c"),
    ("limits.site_low_priority_c", BELOW, "limits.site_medium_c"),
    ("limits.site_medium_c", BELOW, "limits.site_ceiling_c"),
    ("limits.site_ceiling_c", BELOW, "limits.inflow_ceiling_c"),
    ("limits.inflow_ceiling_c", BELOW, "limits.inflow_isolate_c"),
    ("limits.core_cool_c", BELOW, "limits.core_shown_c"),
    ("limits.core_rise_above_c", BELOW, "limits.core_medium_c"),
    ("limits.line_in_warn_mmhg", BELOW, "limits.line_in_max_mmhg"),
    ("limits.core_shown_c", BELOW, "limits.core_medium_c"),
    ("limits.core_medium_c", BELOW, "limits.core_high_c"),
    ("limits.core_high_c", BELOW, "limits.core_ceiling_c"),
    ("limits.core_ceiling_c", AT_MOST, "limits.core_by_site_ceiling_c"),
    ("limits.core_by_site_ceiling_c", BELOW, "limits.site_ceiling_c"),
    ("limits.bath_max_c", AT_MOST, "limits.bath_ceiling_c"),
    ("perfusate.inflow_c", AT_MOST, "limits.bath_max_c"),
    ("perfusate.preheat_c", BELOW, "limits.reservoir_ceiling_c"),
    ("limits.iap_warn_mmhg", BELOW, "limits.iap_stop_mmhg"),
    ("limits.no_flow_ml_min", BELOW, "perfusate.flow_min_ml_min"),
    ("perfusate.flow_min_ml_min", AT_MOST, "perfusate.flow_ml_min"),
    ("perfusate.flow_ml_min", AT_MOST, "perfusate.flow_max_ml_min"),
    ("clock.duration_range_min.0", AT_MOST, "clock.duration_min"),
    ("clock.duration_min", AT_MOST, "clock.duration_range_min.1"),
    ("clock.duration_range_min.1", AT_MOST, "clock.cap_min"),
)
"""Pairs of numbers whose order physics or sense demands."""


def problems_in(table: Table, envelope: Envelope) -> list[Problem]:
    """Every rule that the protocol breaks."""
    return [problem for rule in RULES for problem in rule(table, envelope)]


def inside_envelope(table: Table, envelope: Envelope) -> Iterator[Problem]:
    """The target band and every duration lie within the envelope."""
    name = f'envelope "{envelope.name}"' if envelope.name else "envelope"
    for fields, (low, high), unit in (
        (("target.low_c", "target.high_c"), envelope.target_c, "°C"),
        (
            (
                "clock.duration_min",
                "clock.duration_range_min.0",
                "clock.duration_range_min.1",
                "clock.cap_min",
            ),
            envelope.duration_min,
            "min",
        ),
    ):
        for dotted in fields:
            for value in numbers_at(table, dotted):
                if not low <= value <= high:
                    yield _problem(
                        dotted,
                        f"{value:g} {unit} is outside the {name}; allowed is {low:g} to {high:g} "
                        f"{unit}, a site widens it by a named [envelope.NAME] in site.toml",
                    )


def in_order(table: Table, _: Envelope) -> Iterator[Problem]:
    """Ceilings lie above the band, warnings before stops, and so on down the table."""
    for lower, relation, upper in ORDER:
        match numbers_at(table, lower, upper):
            case (low, high) if low > high or (relation == BELOW and low == high):
                yield _problem(lower, f"{low:g} must be {relation} {upper}, which is {high:g}")


def inflow_keeps_its_margin(table: Table, _: Envelope) -> Iterator[Problem]:
    """The ordinary inflow stays its margin under the ceiling, and the bath near the ceiling."""
    match numbers_at(
        table, "perfusate.inflow_c", "limits.inflow_ceiling_c", "limits.inflow_margin_c"
    ):
        case (inflow, ceiling, margin) if inflow > ceiling - margin + ROUNDING:
            yield _problem(
                "perfusate.inflow_c",
                f"{inflow:g} °C is too near the inflow ceiling; allowed is at most "
                f"{ceiling - margin:g} °C, the ceiling less its margin",
            )
    match numbers_at(table, "limits.bath_max_c", "limits.inflow_ceiling_c"):
        case (bath, ceiling) if bath > ceiling + LINE_LOSS_C + ROUNDING:
            yield _problem(
                "limits.bath_max_c",
                f"{bath:g} °C is not safe if it stays for ever; allowed is at most "
                f"{ceiling + LINE_LOSS_C:g} °C, the inflow ceiling and the loss of the line",
            )


def words_are_known(table: Table, _: Envelope) -> Iterator[Problem]:
    """Roles, phases and the end of the clock are words that the room knows."""
    ends = at(table, "clock.ends_on")
    if isinstance(ends, str) and ends not in CLOCK_ENDS:
        yield _problem("clock.ends_on", f'"{ends}" is unknown; one of {", ".join(CLOCK_ENDS)}')
    for dotted in ("target.role", "gate.role"):
        role = at(table, dotted)
        if isinstance(role, str) and role not in TEMPERATURE_ROLES:
            yield _problem(
                dotted, f'"{role}" is no temperature; one of {", ".join(TEMPERATURE_ROLES)}'
            )
    identity = at(table, "id")
    if isinstance(identity, str) and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", identity):
        yield _problem("id", f'"{identity}" is no id; lower-case letters, digits and hyphens')
    if at(table, "core_decides") == []:
        yield _problem("core_decides", "is empty; name at least one core site, as nasopharynx")


def heat_is_proven(table: Table, _: Envelope) -> Iterator[Problem]:
    """Every phase says whether heat may run, and heat never runs without what proves it safe."""
    heat = table_at(table, "heat")
    for phase in PHASES:
        if phase not in heat:
            yield _problem(f"heat.{phase}", "is missing; say whether heat may run in this phase")
    for phase, row in heat.items():
        if phase not in PHASES:
            yield _problem(f"heat.{phase}", f"is no phase; one of {', '.join(PHASES)}")
            continue
        needs = texts_at(row, "needs")
        for role in needs:
            if role not in ROLES:
                yield _problem(
                    f"heat.{phase}.needs", f'"{role}" is no role; one of {", ".join(ROLES)}'
                )
        if at(row, "allowed") is not True:
            continue
        if phase not in HEAT_NEEDS:
            yield _problem(f"heat.{phase}.allowed", "heat must be off in this phase: allowed=false")
        for role in sorted(HEAT_NEEDS.get(phase, frozenset()) - set(needs)):
            yield _problem(f"heat.{phase}.needs", f'"{role}" is missing; heat is not safe without')


def matrix_is_full(table: Table, _: Envelope) -> Iterator[Problem]:
    """Every event has its row, and every cell says what the event may do and will be obeyed."""
    matrix = table_at(table, "matrix")
    for event in MATRIX_EVENTS:
        if event not in matrix:
            yield _problem(f"matrix.{event}", "the row is missing; say what this event does")
    for event, row in matrix.items():
        if event not in MATRIX:
            yield _problem(
                f"matrix.{event}", f"is no event; allowed are {', '.join(MATRIX_EVENTS)}"
            )
            continue
        for cell, allowed in MATRIX[event].items():
            said = at(row, cell)
            if isinstance(said, str) and said not in allowed:
                words = " or ".join(f'"{word}"' for word in allowed)
                yield _problem(f"matrix.{event}.{cell}", f"must be {words} for this event")


def carrier_is_allowed(table: Table, _: Envelope) -> Iterator[Problem]:
    """The perfusate is one of the carriers that the drug may be given in."""
    carrier, carriers = at(table, "perfusate.carrier"), texts_at(table, "drug.carriers")
    if "drug" in table and isinstance(carrier, str) and carrier not in carriers:
        yield _problem(
            "perfusate.carrier",
            f'"{carrier}" is not allowed for this drug; one of {", ".join(carriers)}',
        )


def fractions_add_up(table: Table, _: Envelope) -> Iterator[Problem]:
    """The fractions are the whole dose, in order, and within the shortest treatment."""
    count = len(rows_at(table, "drug.fractions"))
    rows = [f"drug.fractions.{index}" for index in range(count)]
    shares = numbers_at(table, *(f"{row}.share" for row in rows))
    times = numbers_at(table, *(f"{row}.at_min" for row in rows))
    if "drug" in table and len(shares) == count and abs(math.fsum(shares) - 1) > ROUNDING:
        yield _problem(
            "drug.fractions", f"the shares add up to {math.fsum(shares):g}; they must add up to 1"
        )
    if times and (times[0] != 0 or list(times) != sorted(set(times))):
        yield _problem("drug.fractions", "at_min must start at 0 and rise with each fraction")
    for shortest in numbers_at(table, "clock.duration_range_min.0"):
        for row, at_min in zip(rows, times, strict=False):
            if at_min >= shortest:
                yield _problem(
                    f"{row}.at_min",
                    f"{at_min:g} min is after the shortest treatment; allowed is below "
                    f"{shortest:g} min",
                )


def checklist_has_the_stop_point(table: Table, _: Envelope) -> Iterator[Problem]:
    """Items have their own ids and a known phase, and two people stop before the drug goes in."""
    items = rows_at(table, "checklist")
    seen: list[Any] = []
    for index, item in enumerate(items):
        if item.get("before") not in (*PHASES, None):
            yield _problem(
                f"checklist.{index}.before",
                f'"{item["before"]}" is no phase; one of {", ".join(PHASES)}',
            )
        if item.get("id") in seen:
            yield _problem(f"checklist.{index}.id", f'"{item["id"]}" is used twice; ids differ')
        seen.append(item.get("id"))
    signed = [
        item.get("id")
        for item in items
        if item.get("before") == "drug_addition" and item.get("names") == 2
    ]
    if all(name == STRIP_ITEM for name in signed):
        yield _problem(
            "checklist", "has no item before drug_addition with names = 2, the stop point"
        )
    if STRIP_ITEM not in signed:
        yield _problem(
            "checklist",
            f'has no item "{STRIP_ITEM}" before drug_addition with names = 2: the strip of what is '
            "not guarded today is signed before the drug goes in",
        )


def doubts_make_sense(table: Table, _: Envelope) -> Iterator[Problem]:
    """A plausible range has its lower end first; no more readings are bad than are looked at."""
    for name in table_at(table, "trust"):
        match numbers_at(table, f"trust.{name}.0", f"trust.{name}.1"):
            case (first, last) if first > last or (first == last and "range" in name):
                yield _problem(f"trust.{name}", f"{first:g} must be below {last:g}")


def every_number_has_a_source(table: Table, _: Envelope) -> Iterator[Problem]:
    """Each number is named in `sources`, by itself or by a table around it, and nothing else is."""
    sources = table_at(table, "sources")
    known = {name for name, text in sources.items() if isinstance(text, str) and text.strip()}
    without: dict[Field, None] = {}
    for field in numbers_in(table):
        around = {".".join(field[:length]) for length in range(1, len(field) + 1)}
        if field != ("version",) and not around & known:
            without[tuple(part for part in field if not part.isdigit())] = None
    for field in without:
        yield Problem(
            field=field, text=f'has no source; add "{".".join(field)}" (or its table) to [sources]'
        )
    for name in sources:
        if at(table, name) is None:
            yield Problem(
                field=("sources", name), text="names no field of this protocol; correct or drop it"
            )


RULES: tuple[Callable[[Table, Envelope], Iterator[Problem]], ...] = (
    inside_envelope,
    in_order,
    inflow_keeps_its_margin,
    words_are_known,
    heat_is_proven,
    matrix_is_full,
    carrier_is_allowed,
    fractions_add_up,
    checklist_has_the_stop_point,
    doubts_make_sense,
    every_number_has_a_source,
)


def _problem(dotted: str, text: str) -> Problem:
    return Problem(field=tuple(dotted.split(".")), text=text)
