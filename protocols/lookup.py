"""Looks into a table as read from TOML by dotted paths, without trusting its shape."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from protocols.locate import Field

Table = Mapping[str, Any]


def at(node: Any, dotted: str) -> Any:
    """The value at a dotted path (elements of lists by number), None when there is none."""
    for part in dotted.split("."):
        if isinstance(node, list) and part.isdigit():
            node = node[int(part)] if int(part) < len(node) else None
        else:
            node = node.get(part) if isinstance(node, Mapping) else None
    return node


def numbers_at(table: Table, *dotted: str) -> tuple[float, ...]:
    """The finite numbers at all these paths, or nothing at all when one of them is not there."""
    values = [at(table, path) for path in dotted]
    usable = all(_is_number(value) and math.isfinite(value) for value in values)
    return tuple(float(value) for value in values) if usable else ()


def table_at(table: Table, dotted: str) -> Table:
    """The table at a path, an empty one when there is none."""
    found = at(table, dotted)
    return found if isinstance(found, Mapping) else {}


def rows_at(table: Table, dotted: str) -> list[Table]:
    """The tables of the list at a path, an empty list when there is none."""
    found = at(table, dotted)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def texts_at(table: Any, dotted: str) -> list[str]:
    """The texts of the list at a path, an empty list when there is none."""
    found = at(table, dotted)
    return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []


def numbers_in(node: Any, field: Field = ()) -> Iterator[Field]:
    """The fields of all numbers in a table."""
    if isinstance(node, Mapping):
        for name, child in node.items():
            yield from numbers_in(child, (*field, name))
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from numbers_in(child, (*field, str(number)))
    elif _is_number(node):
        yield field


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
