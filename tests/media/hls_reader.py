"""A small reader of HLS playlists, written from RFC 8216 and rfc8216bis: it complains about what they forbid.

It shares nothing with the product: tags are taken apart by the grammar of §4.2, and what a live playlist may turn into
is held to §6.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^,\s"]+)(?:,|$)')
KNOWN = {
    "EXTM3U", "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-SERVER-CONTROL", "EXT-X-PART-INF", "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-DISCONTINUITY", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME", "EXT-X-PART",
    "EXTINF", "EXT-X-PRELOAD-HINT",
}  # fmt: skip


@dataclass
class ReadPart:
    uri: str
    duration: float
    independent: bool


@dataclass
class ReadSegment:
    """``uri`` empty: it is not whole yet."""

    number: int
    map_uri: str
    era: int  # discontinuity sequence number
    begins: str = ""
    duration: float = 0.0
    uri: str = ""
    parts: list[ReadPart] = field(default_factory=list)


@dataclass
class ReadPlaylist:
    target: int
    part_target: float
    hold_back: float
    segments: list[ReadSegment]
    hint: str

    @property
    def whole(self) -> list[ReadSegment]:
        return [segment for segment in self.segments if segment.uri]


def attributes(text: str) -> dict[str, str]:
    found = {match[1]: match[2].strip('"') for match in _ATTRIBUTE.finditer(text)}
    assert "".join(match[0] for match in _ATTRIBUTE.finditer(text)) == text, text
    return found


def read(text: str) -> ReadPlaylist:
    """The playlist.  Raises AssertionError for one that is not as it has to be."""
    assert text.endswith("\n")
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U"
    once: dict[str, str] = {}
    segments: list[ReadSegment] = []
    era = number = 0
    map_uri, hint, extinf, begins, parts = "", "", None, "", list[ReadPart]()
    for line in lines:
        name, _, value = line.removeprefix("#").partition(":")
        if not line.startswith("#"):
            assert extinf is not None, f"{line} without EXTINF"
            assert map_uri, f"{line} without EXT-X-MAP"
            segments.append(ReadSegment(number, map_uri, era, begins, extinf, line, parts))
            number, extinf, begins, parts = number + 1, None, "", []
            continue
        assert name in KNOWN, line
        if name == "EXT-X-DISCONTINUITY":
            assert not parts, "a discontinuity inside of a segment"
            era += 1
        elif name == "EXT-X-MAP":
            assert not parts
            map_uri = attributes(value)["URI"]
        elif name == "EXT-X-PROGRAM-DATE-TIME":
            begins = value
        elif name == "EXT-X-PART":
            told = attributes(value)
            parts.append(ReadPart(told["URI"], float(told["DURATION"]), told.get("INDEPENDENT") == "YES"))
        elif name == "EXTINF":
            assert value.endswith(",")
            extinf = float(value[:-1])
        elif name == "EXT-X-PRELOAD-HINT":
            assert attributes(value)["TYPE"] == "PART"
            hint = attributes(value)["URI"]
        else:
            assert name not in once, f"{name} twice"
            assert not segments, f"{name} behind the first segment"
            once[name] = value
            number = int(once.get("EXT-X-MEDIA-SEQUENCE", "0"))
            era = int(once.get("EXT-X-DISCONTINUITY-SEQUENCE", "0"))
    assert once["EXT-X-VERSION"] == "9"
    if parts or begins:
        segments.append(ReadSegment(number, map_uri, era, begins, sum(part.duration for part in parts), "", parts))
    control = attributes(once["EXT-X-SERVER-CONTROL"])
    assert control["CAN-BLOCK-RELOAD"] == "YES"
    part_target = float(attributes(once["EXT-X-PART-INF"])["PART-TARGET"])
    playlist = ReadPlaylist(
        int(once["EXT-X-TARGETDURATION"]), part_target, float(control["PART-HOLD-BACK"]), segments, hint
    )
    _check(playlist)
    return playlist


def _check(playlist: ReadPlaylist) -> None:
    assert playlist.hold_back >= 3 * playlist.part_target - 1e-6  # §4.4.3.8
    for segment in playlist.whole:
        assert int(segment.duration + 0.5) <= playlist.target  # §4.4.3.1
        if segment.parts:
            assert abs(sum(part.duration for part in segment.parts) - segment.duration) < 1e-3
    for segment in playlist.segments:
        for part in segment.parts:
            assert 0 < part.duration <= playlist.part_target + 1e-5, part  # §4.4.4.9
        for part in segment.parts[:-1]:
            assert part.duration >= 0.85 * playlist.part_target - 2e-3, part


def check_follows(before: ReadPlaylist, after: ReadPlaylist) -> None:
    """What a playlist may turn into (§6.2.1, §6.2.2): more at the end, less at the beginning, nothing else."""
    assert (after.target, after.part_target) == (before.target, before.part_target)
    old = {segment.number: segment for segment in before.segments}
    assert after.segments[0].number >= before.segments[0].number
    assert after.segments[-1].number >= before.segments[-1].number
    if after.segments[0].number != before.segments[0].number:  # §6.2.2; durations are told to five places
        assert sum(segment.duration for segment in after.whole) >= 3 * after.target - 1e-3
    for segment in after.segments:
        if (known := old.get(segment.number)) is None:
            continue
        assert (segment.map_uri, segment.era, segment.begins) == (known.map_uri, known.era, known.begins)
        if known.uri:
            assert (segment.uri, segment.duration) == (known.uri, known.duration)
        both = min(len(segment.parts), len(known.parts))
        assert segment.parts[:both] == known.parts[:both]
        assert len(segment.parts) >= len(known.parts) or not segment.parts  # parts of old segments leave together
