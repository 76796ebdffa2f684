"""Packed measurements are small, exact, and refuse to be read when a byte is missing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.events import Frame
from service.core.model import DriveStatus, Reading, Unit, Validity
from service.journal.frames import VALIDITIES, layout_of, pack_frame, unpack_frame
from service.journal.rows import JournalError, Layout
from tests.journal.material import at, frame

VALUES = (
    st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-3_000_000_000, 3_000_000_000).map(lambda thousandths: thousandths / 1000)
)
READINGS = st.builds(
    Reading,
    channel=st.text(),
    value=VALUES,
    unit=st.sampled_from(Unit),
    validity=st.sampled_from(Validity),
    reason=st.text(max_size=20),
)
STATUSES = st.builds(
    DriveStatus,
    running=st.sampled_from((None, False, True)),
    setpoint=VALUES,
    remote=st.sampled_from((None, False, True)),
    fault=st.text(max_size=20),
)
FRAMES = st.builds(
    Frame,
    at=st.just(at(1)),
    device=st.text(),
    readings=st.lists(READINGS, max_size=12).map(tuple),
    status=st.none() | STATUSES,
    errors=st.just(0) | st.integers(0, 0xFFFF),
)


def layout(of: Frame) -> Layout:
    device, channels = layout_of(of)
    return Layout(id=7, device=device, channels=channels)


@settings(deadline=None)
@given(packed=FRAMES)
def test_a_frame_comes_back_exactly(packed: Frame) -> None:
    again = unpack_frame(pack_frame(packed, 7), layout(packed), packed.at)
    assert repr(again) == repr(packed)


@settings(deadline=None, max_examples=30)
@given(packed=FRAMES)
def test_a_frame_that_is_cut_or_continued_is_refused(packed: Frame) -> None:
    body = pack_frame(packed, 7)
    for damaged in [body[:length] for length in range(len(body))] + [body + b"\0"]:
        with pytest.raises(JournalError, match="damaged"):
            unpack_frame(damaged, layout(packed), packed.at)


def test_twelve_temperatures_take_less_than_eighty_bytes() -> None:
    assert len(pack_frame(frame(0, *[42.71] * 12), 0)) < 80


def test_every_validity_has_its_code() -> None:
    assert set(VALIDITIES) == set(Validity)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(JournalError, match="an unknown value is None"):
        pack_frame(frame(0, value), 0)


@pytest.mark.parametrize(
    "body",
    [b"\0\7\0\7", b"\0\7\1\0\3\0\0\0\0", b"\0\7\0\x40\0\1\xff"],
    ids=["validity", "status", "text"],
)
def test_a_frame_with_a_code_that_does_not_exist_is_refused(body: bytes) -> None:
    one = Layout(id=7, device="sites", channels=(("pelvis", Unit.DEG_C),))
    with pytest.raises(JournalError, match="damaged"):
        unpack_frame(body, one, at(0))
