from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.faults import Fault
from appliance.base.texts import clean_name, clean_text, searchable, visible


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


@pytest.mark.parametrize("clean", [clean_name, lambda text: clean_text(text, limit=500)])
def test_a_text_that_takes_long_to_compose_is_refused_at_once(clean) -> None:
    began = time.process_time()
    with pytest.raises(Fault) as caught:
        clean("a" + "\u0301\u0327" * 500_000)
    assert time.process_time() - began < 1
    assert "1000001 characters" in caught.value.message


def test_what_composes_to_a_name_is_one() -> None:
    assert clean_name("e\u0301" * 64) == "é" * 64
    with pytest.raises(Fault) as caught:
        clean_name("e\u0301" * 65)
    assert (caught.value.code, caught.value.message) == ("invalid_name", "The name has 65 characters.")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [("", "invalid_text", "empty"), ("x" * 11, "invalid_text", "11"), ("a\nb", "invalid_text", "U\\+000A")],
)
def test_a_text_that_is_refused_is_told_why(text: str, code: str, words: str) -> None:
    with pytest.raises(Fault, match=words) as caught:
        clean_text(text, field="remark", limit=10)
    assert (caught.value.code, caught.value.field) == (code, "remark")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Façade, ÉCOLE", "facade, ecole"),
        ("Straße", "strasse"),
        ("İzmir", "izmir"),
        ("Ω ﬁn ｗｉｄｅ", "ω fin wide"),
        ("각", "각"),
        ("  two \t\n spaces\u00a0", "two spaces"),
    ],
)
def test_case_accents_and_white_space_do_not_count_in_a_search(text: str, form: str) -> None:
    assert searchable(text) == form


@given(st.text(max_size=30))
def test_a_text_is_found_however_it_is_composed_or_written(text: str) -> None:
    form = searchable(text)
    assert searchable(form) == form
    for how in ("NFC", "NFD"):
        assert searchable(unicodedata.normalize(how, text)) == form
