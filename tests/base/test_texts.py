from __future__ import annotations

import pytest

from appliance.base.texts import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gate “Süd” 門 🚪", "gate “Süd” 門 🚪"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202etxt", "abc\\u202etxt"),
        ("two\u2028lines", "two\\u2028lines"),
        ("lone \ud800", "lone \\ud800"),
    ],
)
def test_what_does_not_show_is_written_out_on_one_line(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(text).encode()
