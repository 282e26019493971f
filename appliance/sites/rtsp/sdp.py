"""Session descriptions (RFC 8866, in RTSP: RFC 2326 appendix C) as cameras write them.

Only what a player needs is read; the rest, of which there is much, is passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from appliance.sites.rtsp.errors import BadMessage
from appliance.sites.rtsp.fields import is_number
from appliance.sites.rtsp.oddities import Oddities, Oddity

if TYPE_CHECKING:
    from collections.abc import Iterable

LINES_LIMIT = 1000
MEDIA_LIMIT = 32
FORMATS_LIMIT = 32
NAME_LIMIT = 256

Direction = Literal["sendrecv", "recvonly", "sendonly", "inactive"]

# payload types with a fixed meaning: name and clock rate (RFC 3551 §6)
STATIC_TYPES: dict[int, tuple[str, int]] = {
    0: ("PCMU", 8000), 3: ("GSM", 8000), 4: ("G723", 8000), 5: ("DVI4", 8000), 6: ("DVI4", 16000), 7: ("LPC", 8000),
    8: ("PCMA", 8000), 9: ("G722", 8000), 10: ("L16", 44100), 11: ("L16", 44100), 12: ("QCELP", 8000),
    13: ("CN", 8000), 14: ("MPA", 90000), 15: ("G728", 8000), 16: ("DVI4", 11025), 17: ("DVI4", 22050),
    18: ("G729", 8000), 25: ("CELB", 90000), 26: ("JPEG", 90000), 28: ("NV", 90000), 31: ("H261", 90000),
    32: ("MPV", 90000), 33: ("MP2T", 90000), 34: ("H263", 90000),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Format:
    """One way in which a medium is coded."""

    payload_type: int
    encoding: str  # upper case, "H264"; "" where nothing says it
    clock_rate: int  # Hz; 0 where nothing says it
    channels: int | None
    parameters: dict[str, str]  # of a=fmtp, names in lower case


@dataclass(frozen=True, slots=True)
class Media:
    """One ``m=`` section."""

    kind: str  # "video", "audio", "application"…
    formats: tuple[Format, ...]  # in the camera's order
    control: str | None
    direction: Direction  # as the camera writes it; ``sendonly`` sound is a way back to the camera (ONVIF)
    framerate: float | None
    size: tuple[int, int] | None = None  # of pictures; of JPEG over 2040 samples nothing else tells it


@dataclass(frozen=True, slots=True)
class Description:
    control: str | None
    media: tuple[Media, ...]
    name: str = ""  # of the session, as the camera writes it


@dataclass(slots=True)
class _Section:
    """One section's lines while they are read."""

    kind: str = ""
    payload_types: list[int] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def first(self, name: str) -> str | None:
        return next((value for key, value in self.attributes if key == name), None)


def parse_sdp(data: bytes, oddities: Oddities) -> Description:
    """Read a description.  Raises `BadMessage` for what is none, or announces nothing."""
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").decode("utf-8", "replace").split("\n")
    if len(lines) > LINES_LIMIT:
        raise BadMessage(f"The camera's description has {len(lines)} lines; the limit is {LINES_LIMIT}.")
    session = section = _Section()
    sections: list[_Section] = []
    session_name = ""
    for line in lines:
        if not line:
            continue
        kind, equals, value = line[0], line[1:2], line[2:]
        if equals != "=" or not ("a" <= kind <= "z"):
            oddities.note(Oddity.SDP_STRAY_LINE)
        elif kind == "s" and not sections:
            session_name = session_name or value.strip()
        elif kind == "m":
            section = _media_line(value)
            sections.append(section)
            if len(sections) > MEDIA_LIMIT:
                raise BadMessage(f"The camera announces over {MEDIA_LIMIT} media.")
        elif kind == "a":
            name, _, content = value.partition(":")
            section.attributes.append((name.strip().lower(), content))
    if not sections:
        raise BadMessage("The camera's description announces no media.")
    media = tuple(_media(part, session, oddities) for part in sections)
    return Description(_control(session), media, session_name[:NAME_LIMIT])


def _media_line(value: str) -> _Section:
    """``video 0 RTP/AVP 96``"""
    words = value.split()
    if len(words) < 3:
        raise BadMessage("The camera's description has a medium without a form.")
    numbers = [int(word) for word in words[3 : 3 + FORMATS_LIMIT] if is_number(word) and int(word) <= 127]
    return _Section(words[0].lower(), numbers)


def _control(section: _Section) -> str | None:
    control = section.first("control")
    return control.strip() if control is not None else None


def _media(section: _Section, session: _Section, oddities: Oddities) -> Media:
    maps = _by_payload_type(section, "rtpmap")
    parameters = _by_payload_type(section, "fmtp")
    return Media(
        section.kind,
        tuple(_format(number, maps.get(number), parameters.get(number), oddities) for number in section.payload_types),
        _control(section),
        _direction(section.attributes) or _direction(session.attributes) or "sendrecv",
        _framerate(section, oddities),
        _size(section) or _size(session),
    )


def _by_payload_type(section: _Section, name: str) -> dict[int, str]:
    """The values of ``a=rtpmap:96 …`` or ``a=fmtp:96 …``; of several for one number the first counts."""
    found: dict[int, str] = {}
    for key, value in section.attributes:
        if key == name:
            number, _, content = value.strip(" ").partition(" ")
            if is_number(number):
                trailing = len(value) - len(value.rstrip())
                found.setdefault(int(number), content.strip() + " " * (1 if trailing and name == "rtpmap" else 0))
    return found


def _format(number: int, mapped: str | None, parameters: str | None, oddities: Oddities) -> Format:
    encoding, clock_rate = STATIC_TYPES.get(number, ("", 0))
    channels: int | None = None
    if mapped is not None:
        if mapped.endswith(" "):
            oddities.note(Oddity.SDP_TRAILING_SPACE)
        name, *rest = (part.strip() for part in mapped.split("/"))
        if encoding and name.upper() != encoding:
            oddities.note(Oddity.STATIC_PAYLOAD_TYPE_REMAPPED)
        encoding = name.upper()
        if rest and is_number(rest[0]):
            clock_rate = min(int(rest[0]), 1_000_000)
        if len(rest) > 1 and is_number(rest[1]):
            channels = min(int(rest[1]), 255)
    return Format(number, encoding, clock_rate, channels, _parameters(parameters or ""))


def _parameters(text: str) -> dict[str, str]:
    """``a=1; b=2``: names in any case, values as they are (base64 has ``=`` inside)."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name.strip():
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _direction(attributes: Iterable[tuple[str, str]]) -> Direction | None:
    for name, _ in attributes:
        match name:
            case "sendrecv" | "recvonly" | "sendonly" | "inactive":
                return name
    return None


def _framerate(section: _Section, oddities: Oddities) -> float | None:
    """The first ``a=framerate`` that is one."""
    for name, value in section.attributes:
        if name != "framerate":
            continue
        digits = value.strip()
        if is_number(digits.replace(".", "", 1)) and 0 < float(digits) <= 1000:
            return float(digits)
        oddities.note(Oddity.FRAMERATE_UNREADABLE)
    return None


def _size(section: _Section) -> tuple[int, int] | None:
    """Width and height, in the ways in which they are written: ``x-dimensions:1920,1080`` (GStreamer, Hikvision),
    ``framesize:96 1920-1080`` (RFC 6064 §3), ``cliprect:0,0,1080,1920`` (QuickTime)."""
    for name, value in section.attributes:
        match name:
            case "x-dimensions":
                numbers = value.split(",")
            case "framesize":
                numbers = value.strip().partition(" ")[2].split("-")
            case "cliprect":
                numbers = value.split(",")[:1:-1]
            case _:
                continue
        words = [number.strip() for number in numbers]
        if len(words) == 2 and all(is_number(word) and 0 < int(word) < 0x10000 for word in words):
            return int(words[0]), int(words[1])
    return None
