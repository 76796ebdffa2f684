"""Loads protocol files and refuses every one that is not sound, with all its problems at once."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from protocols.locate import Problem, TomlFileError, read_document
from protocols.reader import read_table
from protocols.rules import problems_in
from protocols.schema import DEFAULT_ENVELOPE, Envelope, Protocol

SHIPPED = Path(__file__).parent
"""The folder of the protocols that come with the software."""

NO_ENVELOPES: Mapping[str, Envelope] = {}


class ProtocolError(TomlFileError):
    """A protocol that cannot be used: per line the file, line, field and what is allowed."""


def load(path: Path, envelopes: Mapping[str, Envelope] = NO_ENVELOPES) -> Protocol:
    """Load and check one protocol file.

    It must lie within `DEFAULT_ENVELOPE`, or within the one of `envelopes` that its own
    `envelope = "NAME"` asks for. Raises `ProtocolError` with every problem of the file.
    """
    document = read_document(path, ProtocolError)
    table = dict(document.table)
    problems: list[Problem] = []
    envelope = _envelope(table.pop("envelope", ""), envelopes, problems)
    given = {"envelope": envelope, "sha256": hashlib.sha256(document.raw).hexdigest()}
    protocol = read_table(Protocol, table, (), problems, given)
    problems.extend(problems_in(table, envelope))
    if problems or not isinstance(protocol, Protocol):
        raise ProtocolError(document.report(problems))
    return protocol


def load_all(
    directory: Path = SHIPPED, envelopes: Mapping[str, Envelope] = NO_ENVELOPES
) -> Mapping[str, Protocol]:
    """Load every `*.toml` of a folder by protocol id; raises `ProtocolError` for all that fail."""
    found: dict[str, Protocol] = {}
    trouble: list[str] = []
    for path in protocol_files(directory):
        try:
            protocol = load(path, envelopes)
        except ProtocolError as error:
            trouble.extend(error.lines)
            continue
        if protocol.id in found:
            trouble.append(f'{path}: id: "{protocol.id}" is used by another file of this folder')
        found[protocol.id] = protocol
    if trouble:
        raise ProtocolError(trouble)
    return found


def protocol_files(directory: Path) -> list[Path]:
    """The protocol files of a folder by name; raises `ProtocolError` when there is no such one."""
    if not directory.is_dir():
        raise ProtocolError([f"{directory}: is not a folder; name the folder of the protocols"])
    return sorted(directory.glob("*.toml"))


def _envelope(name: object, envelopes: Mapping[str, Envelope], problems: list[Problem]) -> Envelope:
    if name == "":
        return DEFAULT_ENVELOPE
    if isinstance(name, str) and name in envelopes:
        return envelopes[name]
    known = ", ".join(envelopes) or "none"
    problems.append(
        Problem(
            field=("envelope",),
            text=f"{name!r} is not an envelope of this site (known: {known}); add "
            "[envelope.NAME] to site.toml or leave the line out",
        )
    )
    return DEFAULT_ENVELOPE
