"""The line of every field of a TOML text is known, however it is written."""

from protocols.locate import lines_of

TEXT = '''\
# a comment
title = "x"
text = """
[not a table]
value = 1
"""
a.b = 1

[clock]
cap = 3                 # [neither]
"odd.name" = 4
list = [
    1,
    2,
]
row = { heat = "off", pump = "stop" }

[[device]]
name = "one"

[[device]]
name = "two"
[device.more]
depth = 1
[[device.part]]
n = 1
[[device.part]]
n = 2
'''


def test_plain_dotted_and_quoted_keys_are_found():
    lines = lines_of(TEXT)

    assert lines["title",] == 2
    assert lines["a", "b"] == 7
    assert lines["clock",] == 9
    assert lines["clock", "odd.name"] == 11


def test_text_over_several_lines_hides_no_keys_and_makes_none():
    lines = lines_of(TEXT)

    assert lines["text",] == 3
    assert ("value",) not in lines
    assert ("not a table",) not in lines


def test_lists_and_inline_tables_lie_where_they_begin():
    lines = lines_of(TEXT)

    assert lines["clock", "list"] == 12
    assert lines["clock", "row", "pump"] == 16


def test_repeated_tables_are_told_apart_by_their_number():
    lines = lines_of(TEXT)

    assert lines["device", "0", "name"] == 19
    assert lines["device", "1", "name"] == 22
    assert lines["device", "1", "more", "depth"] == 24
    assert lines["device", "1", "part", "1", "n"] == 28


def test_windows_line_ends_change_nothing():
    assert lines_of(TEXT.replace("\n", "\r\n")) == lines_of(TEXT)
