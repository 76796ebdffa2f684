"""Which protocol is meant: its id, its file, or its id without the technique."""

from functools import cache
from pathlib import Path

from protocols.loader import ProtocolError, load, load_all
from protocols.schema import Protocol, Technique


@cache
def protocol_of(name: str, technique: str = "") -> Protocol:
    """The shipped protocol of this id (`closed-mmc-90`, or `mmc-90` with a technique) or of this
    file. Raises `ProtocolError` with what there is, or when the technique is another one.
    """
    path = Path(name)
    protocol = load(path) if path.suffix == ".toml" else _shipped(name, technique)
    if technique and protocol.technique.value != technique:
        raise ProtocolError(
            [
                f"{name} is a protocol for the {protocol.technique.value} technique, not the "
                f"{technique} one; name its twin, such as {_twin(name, technique)}"
            ]
        )
    return protocol


def _shipped(name: str, technique: str) -> Protocol:
    shipped = load_all()
    found = shipped.get(name) or shipped.get(f"{technique}-{name}")
    if found is None:
        known = ", ".join(shipped)
        raise ProtocolError([f"there is no protocol {name!r}; there are {known}, or name a file"])
    return found


def _twin(name: str, technique: str) -> str:
    for other in Technique:
        name = name.removeprefix(f"{other.value}-")
    return f"{technique}-{name}"
