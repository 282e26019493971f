"""Header values are cut where their quotes allow it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sites.rtsp.fields import is_number, parameter, quote, split_quoted, unquote


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        (" , ,", []),
        ("a, b ,c", ["a", "b", "c"]),
        ('a="1,2", b', ['a="1,2"', "b"]),
        (r'a="\",", b', [r'a="\","', "b"]),
        ('a="open, b', ['a="open, b']),
    ],
)
def test_lists_are_cut_outside_of_quotes(text, parts) -> None:
    assert split_quoted(text, ",") == parts


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("Name = value", ("name", "value")),
        ('a="x\\"y"', ("a", 'x"y')),
        ("unicast", ("unicast", None)),
        ("a=", ("a", "")),
    ],
)
def test_parameters_have_a_name_and_perhaps_a_value(text, pair) -> None:
    assert parameter(text) == pair


@given(st.text())
def test_what_was_quoted_comes_back(text: str) -> None:
    assert unquote(quote(text)) == text
    assert split_quoted(quote(text) + ";" + quote(text), ";") == [quote(text)] * 2


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", " 1", "¹", "٣", "1" * 21, "0x1"])
def test_only_plain_digits_are_numbers(text) -> None:
    assert not is_number(text)
    assert is_number("0123456789")
