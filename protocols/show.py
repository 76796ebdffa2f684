"""The text of `hipec protocols list | show ID | check FILE`: what a person approves, in full.

Each function gives the exit code (0 good, 1 not) and the text to print.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from protocols.loader import NO_ENVELOPES, SHIPPED, ProtocolError, load, protocol_files
from protocols.schema import Drug, Envelope, Protocol

UNITS: Mapping[str, str] = {
    "_mg_m2": "mg/m²",
    "_ml_min": "ml/min",
    "_mmhg": "mmHg",
    "_min": "min",
    "_ml": "ml",
    "_c": "°C",
    "_c_per_s": "°C/s",
    "_kj_k": "kJ/K",
    "_w_k": "W/K",
    "_k": "°C",
    "_w": "W",
    "_s": "s",
}


def list_text(
    directory: Path = SHIPPED, envelopes: Mapping[str, Envelope] = NO_ENVELOPES
) -> tuple[int, str]:
    """One line per protocol of the folder, then the problems of files that cannot be used."""
    found, problems = _usable(directory, envelopes)
    lines = [f"{each.id:<24} version {each.version:<3} {each.title}" for each in found]
    return (1 if problems else 0), "\n".join([*lines, *problems]) or f"{directory}: no protocols"


def show_text(
    identity: str,
    directory: Path = SHIPPED,
    envelopes: Mapping[str, Envelope] = NO_ENVELOPES,
) -> tuple[int, str]:
    """Everything that one protocol says, with its sources at the end."""
    found, problems = _usable(directory, envelopes)
    for protocol in found:
        if protocol.id == identity:
            return 0, protocol_text(protocol)
    known = ", ".join(each.id for each in found) or "none"
    return 1, "\n".join([f'There is no protocol "{identity}"; known are {known}.', *problems])


def check_text(path: Path, envelopes: Mapping[str, Envelope] = NO_ENVELOPES) -> tuple[int, str]:
    """Whether a protocol file can be used; else every problem with file, line and field."""
    try:
        protocol = load(path, envelopes)
    except ProtocolError as error:
        return 1, str(error)
    return 0, f"{path}: good ({protocol.id} version {protocol.version}, sha256 {protocol.sha256})"


def protocol_text(protocol: Protocol) -> str:
    """One protocol as text for the people who approve it."""
    return "\n".join(
        (
            *_head(protocol),
            *_numbers(protocol),
            *_trust(protocol),
            *_drug(protocol),
            *_rest(protocol),
        )
    )


def _usable(directory: Path, envelopes: Mapping[str, Envelope]) -> tuple[list[Protocol], list[str]]:
    found: list[Protocol] = []
    problems: list[str] = []
    try:
        paths = protocol_files(directory)
    except ProtocolError as error:
        return [], list(error.lines)
    for path in paths:
        try:
            found.append(load(path, envelopes))
        except ProtocolError as error:
            problems.extend(error.lines)
    return found, problems


def _head(protocol: Protocol) -> Iterator[str]:
    yield protocol.title
    yield f"{protocol.id} version {protocol.version}, {protocol.technique} technique"
    yield f"sha256 {protocol.sha256}"
    if protocol.envelope.name:
        yield (
            f"runs under the widened envelope {protocol.envelope.name}, approved by "
            f"{protocol.envelope.approved_by}"
        )
    yield ""
    yield protocol.description.strip()


def _numbers(protocol: Protocol) -> Iterator[str]:
    for name in ("target", "gate", "clock", "perfusate", "limits"):
        yield ""
        yield name
        yield from _table(getattr(protocol, name))


def _trust(protocol: Protocol) -> Iterator[str]:
    """When readings are doubted, each figure with its source where the file names none."""
    yield ""
    yield "trust"
    named = protocol.sources.keys()
    for field, line in zip(fields(protocol.trust), _table(protocol.trust), strict=True):
        own = "trust" in named or f"trust.{field.name}" in named
        yield line if own else f"{line}  ({field.metadata['source']})"


def _drug(protocol: Protocol) -> Iterator[str]:
    yield ""
    if isinstance(drug := protocol.drug, Drug):
        yield f"drug: {drug.name} {drug.dose_mg_m2:g} mg/m² in {' or '.join(drug.carriers)}"
        for part in drug.fractions:
            yield f"  {part.share:6.1%} at {part.at_min:g} min, within {part.window_min:g} min"
        yield f"  another dose than the arithmetic by > {drug.dose_tolerance:.0%}: second name"
    else:
        yield "drug: none is named"
    for reminder in protocol.reminders:
        yield (
            f"intravenous {reminder.drug} {reminder.dose_mg_m2:g} mg/m² over "
            f"{reminder.infusion_min:g} min, at {reminder.at_min:g} min from drug-in"
        )
    for blood in protocol.blood_tests:
        yield f"blood with {blood.carrier}: {', '.join(blood.tests)}, every {blood.every_min:g} min"


def _rest(protocol: Protocol) -> Iterator[str]:
    yield ""
    yield "heat may run"
    for phase, heat in protocol.heat.items():
        yield f"  {phase:<14} {'needs ' + ', '.join(heat.needs) if heat.allowed else 'no'}"
    yield f"core sites that decide: {', '.join(protocol.core_decides)}"
    yield ""
    yield f"{'event':<24} {'heat':<6} {'inflow pump':<18} {'return':<15} resumed by"
    for event, row in protocol.matrix.items():
        yield f"{event:<24} {row.heat:<6} {row.pump:<18} {row.returns:<15} {row.resumed_by}"
    yield ""
    yield "checklist"
    for item in protocol.checklist:
        yield f"  before {item.before}, {item.names} name(s): {item.text}"
    yield ""
    yield "sources"
    for field, source in protocol.sources.items():
        yield f"  {field}: {source}"


def _table(table: Any) -> Iterator[str]:
    for field in fields(table):
        unit = next((unit for end, unit in UNITS.items() if field.name.endswith(end)), "")
        yield f"  {field.name:<28} {_shown(getattr(table, field.name))} {unit}".rstrip()


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " to ".join(_shown(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
