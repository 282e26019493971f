"""JPEG over RTP (RFC 2435): the packets hold the coded content alone, and what it takes to make the rest of a picture.

Quantisation tables are computed from Q, or come with the pictures; Huffman tables are those of the standard; sizes over
2040 come in the description.  What ONVIF's extension of the RTP header says counts before all of it (Streaming
Specification §5.1.5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from appliance._native import rtp
from appliance.media.jpeg import END, HUFFMAN_TABLES, START, JpegError, read_head
from appliance.sites.pictures import JpegPictures
from appliance.sites.rtsp.codecs import VIDEO_CLOCK
from appliance.sites.rtsp.errors import UnsupportedCodec
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.receiver import TrackReports

if TYPE_CHECKING:
    from appliance.media.timeline import TrackClock
    from appliance.media.units import Unit, VideoFormat
    from appliance.sites.rtsp.codecs import JpegPlan
    from appliance.sites.rtsp.messages import Packets
    from appliance.sites.source import SourceStatistics

#: Pictures that may come without anything to decode them by before we say so.
UNUSABLE_LIMIT: Final = 50
#: From here on tables come with the pictures; those of this one are new in every picture (§4.2).
IN_BAND, DYNAMIC = 128, 255
_TABLE = 64  # bytes; twice as many where its values have 16 bits
_TABLES_LIMIT = 4
_SOF, _DHT, _DQT, _DRI, _SOS = 0xC0, 0xC4, 0xDB, 0xDD, 0xDA
_APPLICATION = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"  # JFIF: the components are Y, Cb, Cr
_SCAN = b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"
#: Sampling of the first component by type (§4.1): 4:2:2, 4:2:0.
_SAMPLING = {0: 0x21, 1: 0x22}

# tables K.1 and K.2 in zigzag order (RFC 2435, appendix A)
_LUMA = bytes.fromhex(
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d51575f626768673e4d7179"
    "7064785c656763"
)
_CHROMA = bytes.fromhex(
    "1112121815182f1a1a2f6342384263636363636363636363636363636363636363636363636363636363636363636363636363636363636363"
    "63636363636363"
)


def make_tables(q: int) -> bytes:
    """Both tables for a quality of 1 to 99 (RFC 2435, appendix A)."""
    factor = 5000 // q if q < 50 else 200 - 2 * q
    return bytes(min(max((value * factor + 50) // 100, 1), 255) for value in _LUMA + _CHROMA)


class Head(NamedTuple):
    """A picture's segments before its content, and what they say."""

    data: bytes
    size: tuple[int, int]
    aspect: tuple[int, int]  # of a pixel: of an interlaced picture one field comes at a time, with half of the lines


class Heads:
    """Makes them for one stream; ``announced``: the size that the description says."""

    def __init__(self, announced: tuple[int, int] | None = None) -> None:
        self._announced = announced
        self._tables: dict[int, tuple[int, bytes]] = {}  # by Q: precision, tables
        self._last: tuple[rtp.JpegHeader, Head] | None = None  # they are the same picture after picture

    def head(self, header: rtp.JpegHeader) -> Head:
        """Raises `JpegError` where nothing can be decoded by it."""
        if self._last is None or self._last[0] != header:
            self._last = header, self._make(header)
        return self._last[1]

    def _make(self, header: rtp.JpegHeader) -> Head:
        specific, kind, q, wide, high, restart, precision, in_band, extension = header
        segments = _segments(extension)
        sampling = _SAMPLING.get(kind & 0x3F) if kind < 128 else None
        if sampling is None and _SOF not in segments:
            raise JpegError(f"it is of type {kind}")
        tables = segments.get(_DQT) or self._quantisation(q, precision, in_band)
        frame = segments.get(_SOF) or _frame(self._size(wide, high), sampling or 0, two=tables.two)
        interval = _segment(_DRI, restart.to_bytes(2, "big")) if restart else b""
        data = b"".join((
            START, _APPLICATION, tables.data, segments[_DRI].data if _DRI in segments else interval, frame.data,
            segments[_DHT].data if _DHT in segments else HUFFMAN_TABLES,
            segments[_SOS].data if _SOS in segments else _SCAN,
        ))  # fmt: skip
        read = read_head(data)
        return Head(data, (read.width, read.height), (1, 2) if 1 <= specific <= 3 else (1, 1))

    def _quantisation(self, q: int, precision: int, in_band: bytes | None) -> _Segment:
        if in_band is None:
            if not 1 <= q <= 99:
                raise JpegError(f"its Q of {q} has no meaning")
            return _tables(0, make_tables(q))
        if in_band:
            if q != DYNAMIC:
                self._tables[q] = precision, in_band
            return _tables(precision, in_band)
        if q not in self._tables:
            raise JpegError("its quantisation tables did not come")
        return _tables(*self._tables[q])

    def _size(self, wide: int, high: int) -> tuple[int, int]:
        """As announced where the picture's header, which counts in blocks of eight, does not contradict."""
        width, height = wide * 8, high * 8
        if self._announced is not None:
            fits = [
                not blocks or (said + 7) // 8 == blocks
                for blocks, said in zip((wide, high), self._announced, strict=True)
            ]
            if all(fits):
                return self._announced
        if not width or not height:
            raise JpegError("it is larger than 2040 samples, and the camera does not say how large")
        return width, height


class _Segment(NamedTuple):
    data: bytes
    two: bool = True  # quantisation tables: there is one for the colours


def _segment(code: int, body: bytes) -> bytes:
    return bytes((0xFF, code)) + (len(body) + 2).to_bytes(2, "big") + body


def _tables(precision: int, data: bytes) -> _Segment:
    found: list[bytes] = []
    at = 0
    while at < len(data) and len(found) < _TABLES_LIMIT:
        wide = precision >> len(found) & 1
        table = data[at : at + (_TABLE << wide)]
        if len(table) < _TABLE << wide:
            raise JpegError("its quantisation tables are cut off")
        found.append(_segment(_DQT, bytes((wide << 4 | len(found),)) + table))
        at += len(table)
    return _Segment(b"".join(found), len(found) > 1)


def _frame(size: tuple[int, int], sampling: int, *, two: bool) -> _Segment:
    width, height = size
    body = b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x03"
    chroma = 1 if two else 0
    body += bytes((1, sampling, 0, 2, 0x11, chroma, 3, 0x11, chroma))
    return _Segment(_segment(_SOF, body))


def _segments(extension: bytes) -> dict[int, _Segment]:
    """The segments of ONVIF's extension by marker, those of one marker together; frames of any kind under SOF0.

    Raises `JpegError` where they make no sense.
    """
    found: dict[int, bytes] = {}
    at = 0
    while at < len(extension):
        if extension[at : at + 2] in (b"\xff\xff", b"\xff", START):  # padding; some begin like a file
            at += 2 if extension[at : at + 2] == START else 1
            continue
        length = int.from_bytes(extension[at + 2 : at + 4], "big")
        if extension[at] != 0xFF or length < 2 or at + 2 + length > len(extension):
            raise JpegError("the extension of its RTP header is damaged")
        code = extension[at + 1]
        key = _SOF if code in (_SOF, _SOF + 1, _SOF + 2) else code
        found[key] = found.get(key, b"") + extension[at : at + 2 + length]
        at += 2 + length
    return {code: _Segment(data) for code, data in found.items()}


class JpegReceiver:
    """One track of JPEG.  Pictures stand alone, so a loss costs only what was lost."""

    def __init__(self, plan: JpegPlan, clock: TrackClock, statistics: SourceStatistics, oddities: Oddities) -> None:
        self._depacketizer = rtp.JpegDepacketizer(plan.payload_type)
        self._push_run = self._depacketizer.push_run
        self.reports = TrackReports(self._depacketizer, clock, VIDEO_CLOCK, oddities)
        self._clock = clock
        self._oddities = oddities
        self._pictures = JpegPictures(statistics, plan.format)
        self._heads = Heads(plan.media.size)
        self._dropped_before = 0
        self._unusable = 0  # one after the other

    @property
    def format(self) -> VideoFormat | None:
        """What was announced, then what came."""
        return self._pictures.format

    def packets(self, packets: Packets, at: int, arrival_90k: int, now: float, out: list[Unit]) -> int:
        """Take RTP packets from ``packets.spans[at]`` on, append the units they complete, and say where to go on.

        Raises `UnsupportedCodec` when pictures come that nothing can decode.
        """
        pictures, at = self._push_run(packets.data, packets.spans, at)
        if pictures is None:
            return at
        self.reports.note_oddities()
        for scan, rtp_time, flags, header in pictures:
            pts, run = self._clock.place(rtp_time, arrival_90k)
            self.reports.arrived(rtp_time, now)
            if flags & rtp.LOSS:
                self._pictures.lost(max(1, self._depacketizer.dropped - self._dropped_before))
            self._dropped_before = self._depacketizer.dropped
            try:
                head = self._heads.head(header)
            except JpegError as error:
                self._refuse(error)
                continue
            self._unusable = 0
            whole = scan.rstrip(b"\0").endswith(END)
            data = b"".join((head.data, scan) if whole else (head.data, scan, END))
            unit = self._pictures.take(data, head.size, pts, run, arrival_90k, head.aspect)
            if unit is not None:
                out.append(unit)
            elif self._pictures.changes_too_often:
                self._oddities.note(Oddity.FORMAT_CHANGES_TOO_OFTEN)
        return at

    def _refuse(self, error: JpegError) -> None:
        self._pictures.lost(1)
        self._unusable += 1
        if self._unusable >= UNUSABLE_LIMIT:
            raise UnsupportedCodec(
                f"The camera's JPEG pictures cannot be put together: {error}.",
                "Choose another resolution, or H.264, in the camera.",
            )
