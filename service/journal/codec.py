"""Canonical JSON of the core's events, effects and state, exact in both directions.

Keys are sorted, nothing is padded, floats are their shortest text, the encoding is UTF-8; NaN and
infinity are refused. An integer in a field of floats is written as the float that it stands for.
"""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, ValidationError

from service.core.effects import Effect
from service.core.events import Event
from service.core.state import State
from service.journal.rows import JOURNAL_KINDS, JournalError

STATE = "State"
"""The kind of the core's state from which a session's record can be replayed."""

SCHEMA = 2
"""The version of every row written now. Rows are never migrated, only read by their version.

1: frames packed value by value. 2: frames packed so that they become columns. JSON is the same.
"""


def canonical_json(plain: Any) -> bytes:
    """The only text that this value has; ValueError for NaN and infinity."""
    return json.dumps(
        plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


@cache
def _adapter(cls: type) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


class Codec:
    """The table of kinds (class names) that a journal may hold, and their encoding."""

    def __init__(self, *, events: Iterable[type], effects: Iterable[type], state: type) -> None:
        """`state` is the class of the core's state, which opens a session under kind "State"."""
        self.events = {cls.__name__: cls for cls in events}
        self.effects = {cls.__name__: cls for cls in effects}
        journal = {cls.__name__: cls for cls in JOURNAL_KINDS}
        self.kinds = self.events | self.effects | journal | {STATE: state}
        self._names = {cls: name for name, cls in self.kinds.items()}

    def kind(self, item: object) -> str:
        """The kind of an event, effect or state; JournalError for anything else."""
        try:
            return self._names[type(item)]
        except KeyError:
            raise JournalError(
                f"The journal has no kind for {type(item).__name__}; add it to its table of kinds."
            ) from None

    def encode(self, item: object) -> bytes:
        """Canonical JSON; JournalError for NaN, infinity, or a value that its field forbids."""
        kind = self.kind(item)
        try:
            plain = _adapter(self.kinds[kind]).dump_python(item, mode="json", warnings="error")
            return canonical_json(plain)
        except (PydanticSerializationError, TypeError, ValueError) as error:
            raise JournalError(f"A {kind} cannot be written to the journal: {error}.") from error

    def decode(self, kind: str | type, body: bytes, schema: int = SCHEMA) -> Any:
        """The object that `encode` was given; JournalError says why a body cannot be one."""
        name = kind if isinstance(kind, str) else self._names.get(kind, kind.__name__)
        if not 1 <= schema <= SCHEMA:
            raise JournalError(
                f"A row of kind {name} has schema version {schema}; this program reads versions 1"
                f" to {SCHEMA}. Open the record with the version of hipec-monitor that wrote it."
            )
        if name not in self.kinds:
            raise JournalError(f"This program does not know rows of kind {name}.")
        try:
            return _adapter(self.kinds[name]).validate_json(body, strict=True)
        except ValidationError as error:
            raise JournalError(f"A row of kind {name} is damaged: {error}.") from error

    def canonical(self, item: Any) -> Any:
        """The item as it will be read back: mappings in sorted order, floats as floats.

        What the core is given live must be this, where its mappings are ever iterated; otherwise
        a replay could meet them in another order.
        """
        return self.decode(self.kind(item), self.encode(item))


CODEC = Codec(events=get_args(Event), effects=get_args(Effect), state=State)
"""The codec of the core's events, effects and state."""
