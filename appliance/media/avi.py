"""AVI as a virtual file, with the indexes of OpenDML 1.02 for files over 1 GB and the old one for the first of them.

H.264 and H.265 stand in it with start codes, which are as long as the lengths that are recorded, and with their
parameter sets before every picture at which decoding can start: AVI has no other place for them that all players read.
It begins with such a picture.  Pictures stand in the order of decoding; with B-frames a player puts them into the
order of showing by what is in the stream.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

import numpy as np

from appliance.base.clock import TICKS_PER_SECOND, to_datetime
from appliance.media.avi_index import INDEXED, old_index, standard_index
from appliance.media.avi_order import numbers_in
from appliance.media.avi_rows import IN_STREAM, AviRows, chunk_name
from appliance.media.avi_slots import picture_slots, sound_slots
from appliance.media.virtual import LayoutError, Virtual

if TYPE_CHECKING:
    import numpy.typing as npt

    from appliance.media.avi_slots import Slots
    from appliance.media.selection import Selection
    from appliance.media.units import AudioFormat, VideoFormat
    from appliance.media.virtual import Piece

    Ints = npt.NDArray[np.int64]

_CODECS: Final = {"h264": b"H264", "h265": b"HEVC", "mpeg4": b"FMP4", "mjpeg": b"MJPG"}
#: Bytes of rows and their indexes in one RIFF; some players count to 2 ** 30 only.
_RIFF: Final = (1 << 30) - (1 << 20)
_HAS_INDEX, _INTERLEAVED, _TRUST_KINDS = 0x10, 0x100, 0x800
_AAC: Final = 0x00FF
_STREAMS_LIMIT: Final = 9


def lay_out(selection: Selection) -> Virtual:
    """The file.  Raises `LayoutError`."""
    handler = _CODECS[selection.codec]
    room = np.empty(len(selection), np.int64)  # for the times of one stream after the other
    times = _times(selection, 0, room)
    origin = int(times[0])
    times -= origin
    slots = [picture_slots(times)]
    for number, audio in enumerate(selection.sounds, 1):
        times = _times(selection, number, room)
        times -= origin
        slots.append(sound_slots(audio, times))
    if len(slots) > _STREAMS_LIMIT:
        raise LayoutError("format_changed", "The camera's sound changed too often.", "Ask for a shorter time.")
    return _Writer(selection, handler, slots, AviRows(selection, slots)).write(origin)


def _times(selection: Selection, stream: int, room: Ints) -> Ints:
    """When the samples of a stream come: pictures in the order of decoding."""
    count = 0
    for numbers in numbers_in(selection.flags, selection.format, stream):
        times = room[count : count + len(numbers)]
        np.take(selection.dts, numbers, out=times, mode="clip")
        if stream:
            times += selection.composition[numbers]
        count += len(numbers)
    return room[:count]


class _Writer:
    """Puts RIFFs round the rows."""

    def __init__(self, selection: Selection, handler: bytes, slots: list[Slots], rows: AviRows) -> None:
        self._selection, self._handler, self._slots, self._rows = selection, handler, slots, rows
        starts, numbers = rows.starts, range(len(rows) + 1)

        def cost(row: int) -> int:
            """Of all before this row."""
            return int(starts[row]) + row * INDEXED

        # a RIFF ends before the row that would make it too large
        self._firsts = [0]
        while (end := bisect_right(numbers, cost(self._firsts[-1]) + _RIFF, key=cost) - 1) < len(rows):
            self._firsts.append(max(end, self._firsts[-1] + 1))
        self._lasts = [*self._firsts[1:], len(rows)]

    def write(self, origin: int) -> Virtual:
        """All of it: the header says where the indexes are, and is as long wherever they are."""
        before = len(self._header(origin, [[(0, 0, 0)] * len(self._firsts)] * len(self._slots)))
        pieces: list[Piece] = []
        entries: list[list[tuple[int, int, int]]] = [[] for _ in self._slots]  # of each stream: where, bytes, turns
        first_movi, at = before, 0
        sizes = []
        starts = self._rows.starts
        for number, (first, last) in enumerate(zip(self._firsts, self._lasts, strict=True)):
            riff = at
            movi = before if number == 0 else at + 12  # the LIST
            data = movi + 12
            at = data + int(starts[last] - starts[first])
            indexes = []
            for stream, told in enumerate(entries):
                index, turns = standard_index(self._rows, stream, first, last, data)
                told.append((at, len(index), turns))
                indexes.append(index)
                at += len(index)
            head = b"LIST" + struct.pack("<I", at - movi - 8) + b"movi"
            old = [old_index(self._rows, first, last)] if number == 0 else []
            at += sum(len(index) for index in old)
            sizes.append(at - riff - 8)
            if number:
                head = b"RIFF" + struct.pack("<I", sizes[-1]) + b"AVIX" + head
            pieces += [head, (first, last), *indexes, *old]
        header = self._header(origin, entries, sizes[0])
        assert len(header) == first_movi
        return Virtual(self._rows.rows(), [header, *pieces])

    def _header(self, origin: int, entries: list[list[tuple[int, int, int]]], riff: int = 0) -> bytes:
        selection, rows = self._selection, self._rows
        video, pictures = selection.videos[0], self._slots[0]
        in_first = rows.before(0, self._lasts[0])
        seconds = max(1e-3, (selection.end - origin) / TICKS_PER_SECOND)
        rate = min(0xFFFFFFFF, int(int(rows.starts[-1]) / seconds))
        main = struct.pack(
            "<14I",
            pictures.scale * 100 // 9, rate, 0, _HAS_INDEX | _INTERLEAVED | _TRUST_KINDS, in_first, 0,
            len(self._slots), rows.largest, video.width, video.height, 0, 0, 0, 0,
        )  # fmt: skip
        streams = [self._video(video)]
        streams += [self._sound(number, audio) for number, audio in enumerate(selection.sounds, 1)]
        lists = [_list(b"strl", stream, _super_index(number, entries[number])) for number, stream in enumerate(streams)]
        total = sum(turns for _, _, turns in entries[0])
        extended = _list(b"odml", _box(b"dmlh", struct.pack("<I244x", total)))
        moment = to_datetime(origin)
        date = _box(b"ICRD", f"{moment:%Y-%m-%d %H:%M:%S} UTC\0".encode())
        about = _list(b"INFO", date, _box(b"ISFT", b"Fanal\0"))
        lists_ = _list(b"hdrl", _box(b"avih", main), *lists, extended) + about
        return b"RIFF" + struct.pack("<I", riff) + b"AVI " + lists_

    def _video(self, video: VideoFormat) -> bytes:
        slots = self._slots[0]
        header = struct.pack(
            "<4s4sIHHIIIIIIII4h",
            b"vids", self._handler, 0, 0, 0, 0, slots.scale, slots.rate, 0, slots.turns, self._rows.largest,
            0xFFFFFFFF, 0, 0, 0, min(0x7FFF, video.width), min(0x7FFF, video.height),
        )  # fmt: skip
        more = b"" if video.codec in IN_STREAM else video.configuration
        bitmap = struct.pack(
            "<IiiHH4sIiiII", 40 + len(more), video.width, video.height, 1, 24, self._handler,
            video.width * video.height * 3, 0, 0, 0, 0,
        )  # fmt: skip
        return _box(b"strh", header) + _box(b"strf", bitmap + more)

    def _sound(self, number: int, audio: AudioFormat) -> bytes:
        slots = self._slots[number]
        most = 768 * audio.channels  # bytes of a piece of AAC (ISO/IEC 14496-3 §4.5.3.1: 6144 bits a channel)
        header = struct.pack(
            "<4sIIHHIIIIIIII4h",
            b"auds", 0, 0, 0, 0, 0, slots.scale, slots.rate, 0, slots.turns, most, 0xFFFFFFFF, 0, 0, 0, 0, 0,
        )  # fmt: skip
        count = self._rows.before(number, len(self._rows))
        bytes_per_second = int(self._rows.total[number] / count * slots.rate / slots.scale) if count else 0
        form = struct.pack(
            "<HHIIHHH", _AAC, audio.channels, audio.sample_rate, bytes_per_second, most, 16, len(audio.configuration)
        )
        return _box(b"strh", header) + _box(b"strf", form + audio.configuration)


def _super_index(stream: int, entries: list[tuple[int, int, int]]) -> bytes:
    """``indx``: where the indexes of one stream are."""
    body = struct.pack("<HBBI4s12x", 4, 0, 0, len(entries), chunk_name(stream))
    return _box(b"indx", body + b"".join(struct.pack("<QII", *entry) for entry in entries))


def _box(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def _list(kind: bytes, *parts: bytes) -> bytes:
    return _box(b"LIST", kind + b"".join(parts))
