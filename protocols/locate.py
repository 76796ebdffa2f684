"""TOML files with the line of every field, so that a problem can be named by file, line and field.

`tomllib` gives no positions and no well-kept library does; each statement is therefore parsed once
more by itself, which lets `tomllib` decide where a statement ends and what its keys are.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Field = tuple[str, ...]
"""The keys that lead to a value; elements of arrays by their number from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with one field, and what is allowed there instead."""

    field: Field
    text: str


class TomlFileError(ValueError):
    """A file that cannot be used; one line per problem, each with file, line and field."""

    def __init__(self, lines: Sequence[str]) -> None:
        """Keep the lines apart, so that a caller can count or list them."""
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A TOML file as read: its table, its bytes, and the line (from 1) on which a field stands."""

    path: Path
    raw: bytes
    table: dict[str, Any]
    lines: Mapping[Field, int]

    def line(self, field: Field) -> int:
        """The line of the field, or of the nearest table around it when it is not there."""
        around = (field[:length] for length in range(len(field), 0, -1))
        return next((self.lines[part] for part in around if part in self.lines), 1)

    def report(self, problems: Iterable[Problem]) -> list[str]:
        """One line per problem, in the order of the file."""
        return [
            f"{self.path}:{line}: {'.'.join(problem.field) or 'the file'}: {problem.text}"
            for line, problem in sorted(
                ((self.line(problem.field), problem) for problem in problems),
                key=lambda located: located[0],
            )
        ]


def read_document(path: Path, error: type[TomlFileError]) -> Document:
    """Read a TOML file; raises `error` when it cannot be read or is not TOML."""
    try:
        raw = path.read_bytes()
        text = raw.decode()
        table = tomllib.loads(text)
    except OSError as trouble:
        raise error([f"{path}: cannot be read ({trouble.strerror}); check the path"]) from None
    except UnicodeDecodeError:
        raise error([f"{path}: is not UTF-8 text; save it as UTF-8"]) from None
    except tomllib.TOMLDecodeError as trouble:
        raise error([_syntax_problem(path, text, str(trouble))]) from None
    return Document(path=path, raw=raw, table=table, lines=lines_of(text))


def lines_of(text: str) -> dict[Field, int]:
    """The line (from 1) on which each field of a valid TOML text stands."""
    found: dict[Field, int] = {}
    latest: dict[Field, int] = {}
    table: Field = ()
    statement, start = "", 1
    for number, line in enumerate(text.split("\n"), start=1):
        statement, start = (statement + line + "\n", start) if statement else (line + "\n", number)
        try:
            parsed = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if statement.lstrip().startswith("["):
            table = _header(parsed, latest)
            found.setdefault(table, start)
        else:
            found.update(dict.fromkeys(_fields(parsed, table), start))
        statement = ""
    return found


def _header(parsed: dict[str, Any], latest: dict[Field, int]) -> Field:
    field: Field = ()
    node: Any = parsed
    while node:
        ((name, node),) = node.items()
        field += (name,)
        if isinstance(node, list):
            latest[field] = latest.get(field, -1) + 1
            node = node[0]
        if field in latest:
            field += (str(latest[field]),)
    return field


def _fields(node: Any, field: Field) -> Iterator[Field]:
    if isinstance(node, dict):
        children = list(node.items())
    else:
        children = list(enumerate(node)) if isinstance(node, list) else []
    for name, child in children:
        inner = (*field, str(name))
        yield inner
        yield from _fields(child, inner)


def _syntax_problem(path: Path, text: str, trouble: str) -> str:
    found = re.search(r"at line (\d+)", trouble)
    line = int(found[1]) if found else text.count("\n") + 1
    return f"{path}:{line}: is not valid TOML: {trouble}"
