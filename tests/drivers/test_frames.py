"""What arrives is stamped once, echoes are stripped once, and nothing half is taken for whole."""

import pytest

from drivers.dialogue import BadReply
from drivers.frames import INBOX_BYTES, Inbox, arrived, line_of_text, text_of
from service.core.model import Instant


def at(second: int) -> Instant:
    return Instant(mono_ns=second, utc_ns=second)


def test_a_reply_carries_the_stamp_of_the_chunk_that_completed_it() -> None:
    inbox = Inbox()
    inbox.feed(b"41.", at(1))
    assert inbox.take(line_of_text) is None
    inbox.feed(b"50\r", at(2))
    inbox.feed(b"\n99", at(3))
    reply = inbox.take(line_of_text)
    assert reply is not None
    assert (reply.data, reply.at) == (b"41.50\r", at(2))


def test_of_two_lines_in_one_chunk_the_second_stays_for_the_next_question() -> None:
    inbox = Inbox()
    inbox.feed(b"1\r\n2\r\n", at(1))
    taken = [inbox.take(line_of_text), inbox.take(line_of_text), inbox.take(line_of_text)]
    assert [text_of(one.data) for one in taken if one] == ["1", "2"]


@pytest.mark.parametrize("cut", range(1, 14))
def test_an_echo_is_stripped_once_however_it_is_cut(cut: int) -> None:
    inbox = Inbox()
    inbox.discard(echo=b"IN_PV\r")
    for chunk in (b"IN_PV\r41.50\r\n"[:cut], b"IN_PV\r41.50\r\n"[cut:]):
        inbox.feed(chunk, at(1))
        reply = inbox.take(line_of_text)
        if reply:
            break
    assert reply is not None
    assert text_of(reply.data) == "41.50"


def test_what_is_echoed_twice_is_an_answer_the_second_time() -> None:
    inbox = Inbox()
    inbox.discard(echo=b"1RS\r")
    inbox.feed(b"1RS\r1RS\r", at(1))
    reply = inbox.take(line_of_text)
    assert reply is not None
    assert text_of(reply.data) == "1RS"


def test_an_answer_that_starts_like_the_echo_is_not_taken_for_it() -> None:
    inbox = Inbox()
    inbox.discard(echo=b"1RT\r")
    inbox.feed(b"1", at(1))
    assert inbox.take(line_of_text) is None
    inbox.feed(b"57810\r", at(2))
    reply = inbox.take(line_of_text)
    assert reply is not None
    assert text_of(reply.data) == "157810"


def test_a_flood_that_nobody_wants_does_not_grow() -> None:
    inbox = Inbox()
    for _ in range(100):
        inbox.feed(b"x" * 1000, at(1))
    assert len(inbox) <= INBOX_BYTES + 1000


def test_a_line_without_an_end_is_told() -> None:
    inbox = Inbox()
    inbox.feed(b"x" * 400, at(1))
    with pytest.raises(BadReply, match=r'"xxx.*…  ?arrived without an end of line'):
        inbox.take(line_of_text)
    assert len(inbox) == 0


def test_arrived_bytes_are_shown_as_text_or_hexadecimal() -> None:
    assert arrived(b"LAUDA\r\n") == '"LAUDA"'
    assert arrived(b"\x01\x84\x02") == "01 84 02"


def test_bytes_of_a_wrong_baud_rate_are_no_text() -> None:
    with pytest.raises(BadReply, match="check baud rate and parity"):
        text_of(b"\xe1\x80\xff\r")
