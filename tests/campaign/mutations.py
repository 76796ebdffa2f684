"""The removals of risk controls as data, and one of them applied in a copy of the tree."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("mutations.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One control taken away: the text that is replaced, and the tests that must notice."""

    control: str
    removes: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, text: str) -> str:
        """The file without the control. Raises ValueError when its text is not there just once."""
        found = text.count(self.old)
        if found != 1:
            raise ValueError(
                f"{self.control}: the text to replace stands {found} times in {self.file}, not "
                f"once. Bring mutations.toml up to date with the code:\n{self.old}"
            )
        return text.replace(self.old, self.new)


def mutations() -> tuple[Mutation, ...]:
    """Every row of the table, in its order."""
    rows = tomllib.loads(TABLE.read_text("utf-8"))["mutation"]
    return tuple(Mutation(**row | {"tests": tuple(row["tests"])}) for row in rows)


@contextmanager
def removed(mutation: Mutation, tree: Path) -> Iterator[None]:
    """The tree without this control, while the block runs."""
    file = tree / mutation.file
    text = file.read_text("utf-8")
    file.write_text(mutation.applied(text), "utf-8")
    try:
        yield
    finally:
        file.write_text(text, "utf-8")
