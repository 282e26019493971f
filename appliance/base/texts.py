"""What people may call things: names as text, never as anything else (abuse A17)."""

from __future__ import annotations

import re
import unicodedata

from appliance.base.faults import invalid

NAME_LIMIT = 64
#: Signs that compose become one: what is so much longer than allowed is refused before work that grows with its length
#: squared, as sorting a run of combining signs does.
_COMPOSED = 4
#: No text that is searched for or in is longer.
_SEARCHED = 4000
# Control characters, bidi and zero-width signs, lone surrogates, line separators: none may forge a line, command a
# terminal or show text as another.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")
# Cc control, Cf format (bidi overrides, zero width), Cs surrogates, Co private use, Zl/Zp line separators
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def clean_name(text: str, *, field: str = "name", limit: int = NAME_LIMIT) -> str:
    """A name as it is stored: NFC, trimmed, inner white space single.

    Raises `Fault` ``invalid_name`` for an empty or too long one, or one with characters that do not show.
    """
    return _clean(text, "name", field, limit)


def clean_text(text: str, *, field: str = "text", limit: int) -> str:
    """What somebody writes about something, on one line: the same rules.  Raises `Fault` ``invalid_text``."""
    return _clean(text, "text", field, limit)


def fold(name: str) -> str:
    """The form in which names are compared: two names that fold alike are the same name."""
    return unicodedata.normalize("NFKC", name).casefold()


def searchable(text: str) -> str:
    """The form in which texts are searched: neither case nor accents count, nor how white space is written.

    What is longer than a text may be is cut off first.
    """
    apart = unicodedata.normalize("NFKD", fold(text[:_SEARCHED]))
    bare = "".join(sign for sign in apart if unicodedata.category(sign) != "Mn")
    return " ".join(unicodedata.normalize("NFC", bare.casefold()).split())


def visible(text: str) -> str:
    """The text on one line, what does not show in it written out: for terminals and logs."""
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _clean(text: str, what: str, field: str, limit: int) -> str:
    code = f"invalid_{what}"
    if len(text) > limit * _COMPOSED:
        raise invalid(code, f"The {what} has {len(text)} characters.", f"Use {limit} at most.", field=field)
    cleaned = " ".join(part for part in unicodedata.normalize("NFC", text).split(" ") if part)
    bad = next((sign for sign in cleaned if unicodedata.category(sign) in _REFUSED), None)
    if bad is not None:
        message = f"A {what} cannot contain the character U+{ord(bad):04X}."
        raise invalid(code, message, "Use letters, digits and signs that show.", field=field)
    if not cleaned:
        raise invalid(code, f"The {what} is empty.", f"Give it one to {limit} characters.", field=field)
    if len(cleaned) > limit:
        raise invalid(code, f"The {what} has {len(cleaned)} characters.", f"Use {limit} at most.", field=field)
    return cleaned
