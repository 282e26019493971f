"""How a camera is reached, where that has to be said: options behind the ``#`` of its address.

``rtsp://camera/live#transport=udp`` · ``rtsps://camera/live#fingerprint=5f1c…`` · ``http://camera/jpg#fps=5``.  A
fragment never belongs to what is sent to a server; yet some RTSP cameras have a ``#`` in their paths, so one that holds
anything else stays in the path.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DIGITS = 64  # of a SHA-256 fingerprint
#: Of RTSP and of HTTP addresses.
_KEYS = ("transport", "fingerprint")
_HTTP_KEYS = ("fps", "fingerprint")
FPS_RANGE = (1, 30)


class Way(StrEnum):
    """On which way the packets come."""

    AUTO = "auto"  # inside of the connection, over UDP where the camera refuses that
    TCP = "tcp"
    UDP = "udp"
    HTTP = "http"  # everything inside of a pair of HTTP requests, for what lies behind a web proxy


@dataclass(frozen=True, slots=True)
class Options:
    """``fingerprint``: SHA-256 of the only certificate that the camera may show, as 64 hexadecimal digits.

    ``fps``: how often a second a camera is asked that gives one picture at a time; None: as usual.
    """

    way: Way = Way.AUTO
    fingerprint: str | None = None
    fps: int | None = None

    def __str__(self) -> str:
        """What stands behind the address; empty where nothing has to be said."""
        said = []
        if self.way is not Way.AUTO:
            said.append(f"transport={self.way.value}")
        if self.fps is not None:
            said.append(f"fps={self.fps}")
        if self.fingerprint is not None:
            said.append(f"fingerprint={self.fingerprint}")
        return "#" + "&".join(said) if said else ""


DEFAULT = Options()


def split_options(text: str) -> tuple[str, Options]:
    """An address, or what stands behind its host, without its options; and they.

    Raises ValueError with a sentence, for a known option that says nothing known.
    """
    rest, mark, fragment = text.rpartition("#")
    parts = [part.partition("=") for part in fragment.split("&")]
    if not mark or not all(key in _KEYS and equals for key, equals, _ in parts):
        return text, DEFAULT
    said = {key: value for key, _, value in parts}
    fingerprint = said.get("fingerprint")
    return rest, Options(
        read_way(said.get("transport", Way.AUTO.value)),
        None if fingerprint is None else read_fingerprint(fingerprint),
    )


def split_http_options(text: str) -> tuple[str, Options]:
    """The same of an HTTP address, where nothing else can stand behind a ``#`` (RFC 9110 §4.2)."""
    rest, mark, fragment = text.partition("#")
    parts = [part.partition("=") for part in fragment.split("&")]
    if not mark:
        return text, DEFAULT
    if not all(key in _HTTP_KEYS and equals for key, equals, _ in parts):
        raise ValueError(f"Behind the # only {' and '.join(f'{key}=' for key in _HTTP_KEYS)} have a meaning.")
    said = {key: value for key, _, value in parts}
    fingerprint, fps = said.get("fingerprint"), said.get("fps")
    return rest, Options(
        fingerprint=None if fingerprint is None else read_fingerprint(fingerprint),
        fps=None if fps is None else _read_fps(fps),
    )


def _read_fps(text: str) -> int:
    least, most = FPS_RANGE
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 3 and least <= int(digits) <= most):
        raise ValueError(f"fps= is a whole number from {least} to {most}.")
    return int(digits)


def read_way(text: str) -> Way:
    """Raises ValueError with a sentence."""
    try:
        return Way(text.strip().lower())
    except ValueError:
        raise ValueError(f"The transport is one of {', '.join(way.value for way in Way)}.") from None


def read_fingerprint(text: str) -> str:
    """A SHA-256 fingerprint as people copy it: with colons or spaces, in any case.  Raises ValueError."""
    digits = text.strip().lower().removeprefix("sha256:").removeprefix("sha-256:")
    digits = "".join(char for char in digits if char not in ": -")
    if len(digits) != DIGITS or not set(digits) <= set("0123456789abcdef"):
        raise ValueError(f"A SHA-256 fingerprint has {DIGITS} hexadecimal digits.")
    return digits


def show_fingerprint(digits: str) -> str:
    """As openssl and the web pages of cameras show it."""
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()
