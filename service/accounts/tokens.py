"""What a browser or a program carries to say who it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A person's token and a screen's, as cookies; or a program's (`bearer`)."""

    person: str = ""
    screen: str = ""
    bearer: str = ""
