"""Secrets that do not print themselves, and the removal of those that others print."""

from __future__ import annotations

import re
from hmac import compare_digest
from typing import Final
from urllib.parse import urlsplit, urlunsplit

HIDDEN: Final = "•••"

# user:password@ in any URL, in the middle of any text
_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]{0,20}://)(?P<userinfo>[^\s/@]*(?:@[^\s/@]+)*)@(?=[^\s/@]+)")
# Authorization: Basic xxx · Digest …, response="…" · Bearer xxx · ?ticket=… · token=… · password=…
_HEADER = re.compile(r"(?i)\b(authorization|cookie|set-cookie|x-csrf-token)(\s*[:=]\s*)[^\r\n]+")
_FIELD = re.compile(
    # "_" counts as a gap: cameras have paths like /user=admin_password=x_channel=1
    r"(?i)(?P<name>[\"']?(?<![a-z0-9])"
    r"(?:ticket|token|csrf|password|passwd|pwd|secret|api[_-]?key|nonce|cnonce|response)[\"']?"
    r"\s*[:=]\s*)(?P<quote>[\"']?)(?P<value>[^\s\"'&,;}]+)"
)


class Secret:
    """A text that is safe to print by accident: only ``reveal()`` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Secret({HIDDEN!r})"

    def __str__(self) -> str:
        return HIDDEN

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and compare_digest(
            self._text.encode("utf-8", "surrogatepass"), other._text.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self._text)


def redact(text: str) -> str:
    """``text`` without user names and passwords in URLs, credentials in headers, tokens in queries."""
    text = _USERINFO.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    return _FIELD.sub(rf"\g<name>\g<quote>{HIDDEN}", text)


def without_userinfo(url: str) -> str:
    """The same address with user name and password left out."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
