"""Whatever the core says is written in one way only and is read back exactly."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.core.effects import HeaterRun, Recorded
from service.journal.codec import CODEC, SCHEMA
from service.journal.rows import JournalError
from tests.journal.material import at


def _mappings(cls: type) -> st.SearchStrategy[dict[Any, Any]]:
    keys, values = (st.from_type(argument) for argument in get_args(cls))
    return st.dictionaries(keys, values, max_size=2)


def _tuples(cls: type) -> st.SearchStrategy[tuple[Any, ...]]:
    arguments = get_args(cls)
    if arguments[-1] is ...:
        return st.lists(st.from_type(arguments[0]), max_size=2).map(tuple)
    return st.tuples(*map(st.from_type, arguments))


st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(Mapping, _mappings)
st.register_type_strategy(tuple, _tuples)
FEW = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("cls", CODEC.kinds.values(), ids=CODEC.kinds)
@FEW
@given(data=st.data())
def test_every_event_effect_and_state_comes_back_exactly(cls: type, data: st.DataObject) -> None:
    item = data.draw(st.from_type(cls))
    body = CODEC.encode(item)
    again = CODEC.decode(CODEC.kind(item), body)
    assert again == item
    assert CODEC.encode(again) == body


def test_json_is_sorted_unpadded_and_utf_8() -> None:
    fact = Recorded(at=at(0), kind="note", text="43 °C", data={"b": 0.1, "a": 1e300})
    assert (
        CODEC.encode(fact)
        == (
            '{"at":{"mono_ns":0,"utc_ns":1767261600000000000},"by":"",'
            '"data":{"a":1e+300,"b":0.1},"kind":"note","text":"43 °C"}'
        ).encode()
    )


@pytest.mark.parametrize("value", [True, 1, 1.0, "1", None])
def test_values_that_are_equal_but_of_different_types_keep_their_type(value: object) -> None:
    fact = Recorded(at=at(0), kind="note", text="", data={"value": value})
    assert repr(CODEC.canonical(fact).data["value"]) == repr(value)


def test_a_whole_number_of_degrees_is_written_as_the_float_that_it_stands_for() -> None:
    assert b'"bath_c":45.0' in CODEC.encode(HeaterRun(order=1, bath_c=45, lease_s=3))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), "45"])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(JournalError, match="A HeaterRun cannot be written"):
        CODEC.encode(HeaterRun(order=1, bath_c=value, lease_s=3))


@pytest.mark.parametrize(
    ("kind", "body", "schema", "says"),
    [
        ("HeaterOff", b'{"order":1}', SCHEMA, "damaged"),
        ("HeaterOff", b'{"order":"1","reason":""}', SCHEMA, "damaged"),
        ("HeaterOff", b"\xff", SCHEMA, "damaged"),
        ("HeaterOn", b"{}", SCHEMA, "does not know rows of kind HeaterOn"),
        ("HeaterOff", b"{}", SCHEMA + 1, "schema version 3; this program reads versions 1 to 2"),
    ],
)
def test_a_row_that_cannot_be_read_says_why(kind: str, body: bytes, schema: int, says: str) -> None:
    with pytest.raises(JournalError, match=says):
        CODEC.decode(kind, body, schema)


def test_an_object_of_no_kind_is_refused() -> None:
    with pytest.raises(JournalError, match="no kind for dict"):
        CODEC.encode({})
