"""Reads TOML tables into frozen dataclasses and notes every problem by its field.

Knows types and physical ranges only; what makes a protocol sound is in `rules`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from dataclasses import Field as DataclassField
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from protocols.locate import Field, Problem


@dataclass(frozen=True, slots=True)
class Range:
    """What a quantity can physically be, limits included, in the unit of its name."""

    low: float
    high: float
    unit: str

    def __str__(self) -> str:
        """The range as a person writes it."""
        return f"from {self.low:g} to {self.high:g} {self.unit}".rstrip()


RANGES: Mapping[str, Range] = {
    "range_c": Range(-20.0, 100.0, "°C"),
    "range_mmhg": Range(-800.0, 2000.0, "mmHg"),
    "range_ml_min": Range(-10_000.0, 20_000.0, "ml/min"),
    "range_ml": Range(-2000.0, 50_000.0, "ml"),
    "c_per_s": Range(0.01, 20.0, "°C/s"),
    "bad_of": Range(1, 20, "readings"),
    "contact_losses": Range(2, 20, "times"),
    "look_s": Range(1.0, 60.0, "s"),
    "loss_w_k": Range(0.0, 50.0, "W/K"),
    "kj_k": Range(1.0, 500.0, "kJ/K"),
    "balance_w": Range(50.0, 3000.0, "W"),
    "flat_mmhg": Range(0.001, 10.0, "mmHg"),
    "flat_others": Range(1.0, 100.0, "times"),
    "noise_ml_min": Range(10.0, 5000.0, "ml/min"),
    "noise_ml": Range(5.0, 2000.0, "ml"),
    "noise_times": Range(1.0, 100.0, "times"),
    "line_out_min_mmhg": Range(-300.0, 0.0, "mmHg"),
    "margin_c": Range(0.0, 5.0, "°C"),
    "above_set_c": Range(0.0, 5.0, "°C"),
    "rise_c": Range(0.1, 5.0, "°C"),
    "fraction_c": Range(2.0, 43.0, "°C"),
    "fraction_ml": Range(1.0, 2000.0, "ml"),
    "site_lost_keep": Range(1, 16, "sites"),
    "dose_mg_m2": Range(0.1, 2000.0, "mg/m²"),
    "ml_min": Range(0.0, 5000.0, "ml/min"),
    "at_min": Range(-240.0, 240.0, "min"),
    "mmhg": Range(0.0, 400.0, "mmHg"),
    "names": Range(1, 2, "people"),
    "version": Range(1, 10_000, ""),
    "tolerance": Range(0.0, 1.0, ""),
    "share": Range(0.0, 1.0, ""),
    "_k": Range(0.001, 20.0, "°C"),
    "_ml": Range(100.0, 10_000.0, "ml"),
    "_min": Range(0.0, 240.0, "min"),
    "_c": Range(30.0, 55.0, "°C"),
    "_s": Range(0.0, 3600.0, "s"),
}
"""By the end of a field's name, first match decides: wide enough for any treatment, narrow enough
to catch a wrong unit or a lost decimal point. Derived; the clinical limits are in each protocol."""


def range_of(field: Field) -> Range | None:
    """The range that the end of the field's name asks for."""
    name = next((part for part in reversed(field) if not part.isdigit()), "")
    return next((found for ending, found in RANGES.items() if name.endswith(ending)), None)


def read_table(
    kind: type, table: Any, field: Field, problems: list[Problem], given: Mapping[str, Any]
) -> Any:
    """Make a `kind` of a table; `given` are fields that the file does not hold.

    Returns None when there is a problem anywhere in it; each is added to `problems`.
    """
    before = len(problems)
    if not isinstance(table, dict):
        problems.append(Problem(field=field, text=f"a table is needed here, not {table!r}"))
        return None
    hints = {name: hint for name, hint in get_type_hints(kind).items() if name not in given}
    optional = {part.name for part in fields(kind) if _has_default(part)}
    if field and not table:
        problems.append(Problem(field=field, text=f"is empty; it needs {', '.join(hints)}"))
        return None
    problems.extend(
        Problem(field=(*field, key), text=f"is not known here; allowed are {', '.join(hints)}")
        for key in table
        if key not in hints
    )
    values = dict(given)
    for name, hint in hints.items():
        inner = (*field, name)
        if name in table:
            values[name] = _read(hint, table[name], inner, problems)
        elif (default := _absent(hint)) is not MISSING:
            values[name] = default
        elif name not in optional:
            problems.append(Problem(field=inner, text=f"is missing; {_needed(hint, inner)}"))
    return kind(**values) if len(problems) == before else None


def _read(hint: Any, value: Any, field: Field, problems: list[Problem]) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return _read(inner[0], value, field, problems)
    if origin is tuple:
        return _read_list(inner, value, field, problems)
    if origin is Mapping:
        return _read_mapping(inner[1], value, field, problems)
    if isinstance(hint, type) and is_dataclass(hint):
        return read_table(hint, value, field, problems, {})
    fitting = SCALARS[_scalar(hint)](hint, value, range_of(field))
    if fitting is None:
        problems.append(
            Problem(field=field, text=f"{_shown(value)} cannot be used; {_needed(hint, field)}")
        )
    return fitting


def _read_list(inner: Any, value: Any, field: Field, problems: list[Problem]) -> Any:
    several = inner[-1] is Ellipsis
    if not isinstance(value, list) or (not several and len(value) != len(inner)):
        count = "" if several else f" of {len(inner)} values"
        problems.append(Problem(field=field, text=f"a list{count} is needed here, not {value!r}"))
        return ()
    return tuple(
        _read(inner[0], element, (*field, str(number)), problems)
        for number, element in enumerate(value)
    )


def _read_mapping(inner: Any, value: Any, field: Field, problems: list[Problem]) -> Any:
    if not isinstance(value, dict):
        problems.append(Problem(field=field, text=f"a table is needed here, not {value!r}"))
        return {}
    return {key: _read(inner, element, (*field, key), problems) for key, element in value.items()}


def _has_default(part: DataclassField[Any]) -> bool:
    return part.default is not MISSING or part.default_factory is not MISSING


def _absent(hint: Any) -> Any:
    """What an absent key stands for: no drug, or an empty list of tables; else it must be there."""
    if get_origin(hint) is UnionType:
        return None
    listed = get_origin(hint) is tuple and is_dataclass(get_args(hint)[0])
    return () if listed else MISSING


def _number(_: type, value: Any, allowed: Range | None) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    inside = allowed is None or allowed.low <= value <= allowed.high
    return float(value) if inside else None


def _whole(_: type, value: Any, allowed: Range | None) -> int | None:
    inside = isinstance(value, int) and _number(int, value, allowed) is not None
    return value if inside else None


def _truth(_: type, value: Any, __: Range | None) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(_: type, value: Any, __: Range | None) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _choice(kind: type[StrEnum], value: Any, __: Range | None) -> StrEnum | None:
    return kind(value) if value in list(kind) else None


SCALARS: Mapping[type, Callable[[Any, Any, Range | None], Any]] = {
    float: _number,
    int: _whole,
    bool: _truth,
    str: _text,
    StrEnum: _choice,
}


def _scalar(hint: type) -> type:
    return StrEnum if issubclass(hint, StrEnum) else hint


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _needed(hint: Any, field: Field) -> str:
    if is_dataclass(hint):
        return f"needed is a table with {', '.join(part.name for part in fields(hint))}"
    if get_origin(hint) is not None:
        kind = "table" if get_origin(hint) is Mapping else "list"
        return f"needed is a {kind}"
    if issubclass(hint, StrEnum):
        return f"needed is one of {', '.join(hint)}"
    words = {float: "a number", int: "a whole number", bool: "true or false", str: "some text"}
    return f"needed is {words[hint]} {range_of(field) or ''}".rstrip()
