"""Answers in parts (RFC 9110 §13, §14) and their names (RFC 6266): read and written, nothing else."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

_RANGE: Final = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)
#: What no file system takes, what means something in a path, and what does not show.
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*%]')
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_NAME_LIMIT: Final = 120


class UnsatisfiableError(Exception):
    """A range that the file does not have: 416."""


def wanted_part(headers: Headers, etag: str, length: int) -> tuple[int, int] | None:
    """The bytes that are asked for, as the first and the one behind the last; None: the whole.

    Several ranges at once are answered with the whole, as is one of another version of the file.  Raises
    `UnsatisfiableError`.
    """
    found = _RANGE.fullmatch(headers.get("Range", "").replace(" ", ""))
    if found is None or found[0] == "bytes=-" or headers.get("If-Range", etag) != etag:
        return None
    first, last = found[1], found[2]
    if not first:
        size = min(int(last), length)
        if not size:
            raise UnsatisfiableError
        return length - size, length
    if last and int(last) < int(first):
        return None  # no range at all
    if int(first) >= length:
        raise UnsatisfiableError
    return int(first), min(length, int(last) + 1) if last else length


def disposition(name: str) -> str:
    """``Content-Disposition`` of a file to be saved under this name; of which nothing can become a path."""
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", name)).strip(" .")[-_NAME_LIMIT:] or "recording"
    if _RESERVED.match(safe):
        safe = f"_{safe}"
    plain = unicodedata.normalize("NFKD", safe).encode("ascii", "ignore").decode()
    plain = _UNSAFE.sub("_", plain).strip(" .") or "recording"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"
