"""The makers' worked bytes, shared with the simulator's tests."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "transcripts"


@dataclass(frozen=True)
class Exchange:
    name: str
    tx: bytes
    rx: bytes
    decoded: dict[str, Any]
    echo: bool = False


def exchanges(family: str) -> list[Exchange]:
    file = tomllib.loads((FOLDER / f"{family}.toml").read_text(encoding="utf-8"))
    return [
        Exchange(
            name=one["name"],
            tx=_bytes(one, "tx"),
            rx=_bytes(one, "rx"),
            decoded=one.get("decoded", {}),
            echo=one.get("echo", False),
        )
        for one in file["exchange"]
    ]


def exchange(family: str, name: str) -> Exchange:
    return next(one for one in exchanges(family) if one.name == name)


def _bytes(one: dict[str, Any], key: str) -> bytes:
    return bytes.fromhex(one[key]) if key in one else one[f"{key}_text"].encode("ascii")
