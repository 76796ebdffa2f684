"""Which instruments there are drivers for."""

import inspect
import json
import textwrap

from drivers.classes import Driver
from drivers.registry import DRIVERS

WIDTH = 98


def list_text() -> str:
    """Per driver: its class, what it measures, its line, settings, manual and its revision."""
    return "\n\n".join(_text(make()) for make in DRIVERS.values())


def list_json() -> str:
    """The same as a JSON array."""
    return json.dumps([_json(make()) for make in DRIVERS.values()], indent=2)


def _text(driver: Driver) -> str:
    inputs = [f"{one.number} {one.name} ({one.unit}, {one.resolution:g})" for one in driver.inputs]
    rows = [
        ("measures", ", ".join(inputs) or "what its settings say"),
        ("line", str(driver.serial) + (", speaks unasked" if driver.pushes else "")),
        ("about", " ".join((inspect.getdoc(type(driver)) or "").split())),
        ("manual", driver.manual),
        ("revision", driver.revision),
    ]
    told = [_wrapped(name, text) for name, text in rows]
    return "\n".join([f"{driver.name}  ({driver.device_class})", *told])


def _wrapped(name: str, text: str) -> str:
    indent = " " * 11
    return textwrap.fill(text, WIDTH, initial_indent=f"  {name:<9}", subsequent_indent=indent)


def _json(driver: Driver) -> dict[str, object]:
    return {
        "driver": driver.name,
        "class": driver.device_class,
        "measures": [
            {"input": i.number, "name": i.name, "unit": i.unit, "resolution": i.resolution}
            for i in driver.inputs
        ],
        "line": str(driver.serial),
        "pushes": driver.pushes,
        "stop_bound_s": driver.stop_bound_s,
        "manual": driver.manual,
        "revision": driver.revision,
    }
