"""Splitting header values: lists and parameters with quoted strings in them (RFC 2326 §15, RFC 7235 §2.1)."""

from __future__ import annotations


def split_quoted(text: str, separator: str) -> list[str]:
    """Split at ``separator`` where it is not between double quotes; parts are stripped, empty ones left out."""
    parts: list[str] = []
    start = 0
    quoted = escaped = False
    for at, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [part for part in (part.strip() for part in parts) if part]


def parameter(text: str) -> tuple[str, str | None]:
    """``name=value`` or ``name="value"`` as (name in lower case, value), the value None without ``=``."""
    name, equals, value = text.partition("=")
    return name.strip().lower(), unquote(value.strip()) if equals else None


def unquote(text: str) -> str:
    """A quoted string's content, with its escapes resolved; other text as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    text = text[1:-1]
    if "\\" not in text:
        return text
    out: list[str] = []
    escaped = False
    for char in text:
        if char == "\\" and not escaped:
            escaped = True
            continue
        out.append(char)
        escaped = False
    return "".join(out)


def quote(text: str) -> str:
    """Text as a quoted string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def is_number(text: str) -> bool:
    """Whether the text is decimal digits of ASCII and nothing else, few enough for any field of ours."""
    return 0 < len(text) <= 20 and text.isascii() and text.isdigit()
