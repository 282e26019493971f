"""What people may call things: names as text, never as anything else (abuse A17)."""

from __future__ import annotations

import re
import unicodedata

from appliance.base.faults import Fault, invalid

NAME_LIMIT = 64
# Control characters, bidi and zero-width signs, lone surrogates, line separators: none may forge a line, command a
# terminal or show text as another.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")
# Cc control, Cf format (bidi overrides, zero width), Cs surrogates, Co private use, Zl/Zp line separators
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def clean_name(text: str, *, field: str = "name", limit: int = NAME_LIMIT) -> str:
    """A name as it is stored: NFC, trimmed, inner white space single.

    Raises `Fault` ``invalid_name`` for an empty or too long one, or one with characters that do not show.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split(" ")).strip()
    name = " ".join(part for part in name.split(" ") if part)
    bad = next((ch for ch in name if unicodedata.category(ch) in _REFUSED), None)
    if bad is not None:
        raise _fault(
            f"A name cannot contain the character U+{ord(bad):04X}.", "Use letters, digits and signs that show.", field
        )
    if not name:
        raise _fault("The name is empty.", "Give it one to 64 characters.", field)
    if len(name) > limit:
        raise _fault(f"The name has {len(name)} characters.", f"Use {limit} at most.", field)
    return name


def fold(name: str) -> str:
    """The form in which names are compared: two names that fold alike are the same name."""
    return unicodedata.normalize("NFKC", name).casefold()


def visible(text: str) -> str:
    """The text on one line, what does not show in it written out: for terminals and logs."""
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _fault(message: str, hint: str, field: str) -> Fault:
    return invalid("invalid_name", message, hint, field=field)
