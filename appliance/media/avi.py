"""AVI as a virtual file, with the indexes of OpenDML 1.02 for files over 1 GB and the old one for the first of them.

H.264 and H.265 stand in it with start codes, which are as long as the lengths that are recorded, and with their
parameter sets before every picture at which decoding can start: AVI has no other place for them that all players read.
It begins with such a picture.  Pictures stand in the order of decoding; with B-frames a player puts them into the
order of showing by what is in the stream.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from appliance.base.clock import TICKS_PER_SECOND, to_datetime
from appliance.media.aac_silence import silence
from appliance.media.avi_slots import Slots, picture_slots, sound_slots
from appliance.media.virtual import LayoutError, Rows, Virtual
from appliance.media.virtual_sets import inserted_sets, start_codes_before

if TYPE_CHECKING:
    import numpy.typing as npt

    from appliance.media.selection import Selection
    from appliance.media.units import AudioFormat, VideoFormat
    from appliance.media.virtual import Piece

    Ints = npt.NDArray[np.int64]
    Numbers = npt.NDArray[np.intp]
    Bytes = npt.NDArray[np.uint8]
    Bools = npt.NDArray[np.bool_]

T = TypeVar("T", bound=np.generic)

_CODECS: Final = {"h264": b"H264", "h265": b"HEVC", "mpeg4": b"FMP4", "mjpeg": b"MJPG"}
#: Those whose parameter sets stand in the stream; those of MPEG-4 stand in the header, as players expect.
_IN_STREAM: Final = ("h264", "h265")
#: Bytes of rows and their indexes in one RIFF; some players count to 2 ** 30 only.
_RIFF: Final = (1 << 30) - (1 << 20)
_INDEXED: Final = 16 + 8  # what a row costs in both indexes
_HAS_INDEX, _INTERLEAVED, _TRUST_KINDS = 0x10, 0x100, 0x800
_KEY: Final = 0x10
_NO_KEY: Final = 1 << 31
_AAC: Final = 0x00FF
_STREAMS_LIMIT: Final = 9


@dataclass(frozen=True, eq=False)
class _Plan:
    """Rows in their order: of which stream each is, and whether decoding can start there."""

    rows: Rows
    stream: npt.NDArray[np.uint8]
    is_key: npt.NDArray[np.bool_]


def lay_out(selection: Selection) -> Virtual:
    """The file.  Raises `LayoutError`."""
    handler = _CODECS[selection.codec]
    pictures = selection.pictures
    origin = int(selection.dts[pictures[0]])
    samples = [pictures]
    slots = [picture_slots(selection.dts[pictures] - origin)]
    for number, audio in enumerate(selection.sounds):
        samples.append(selection.sounds_of(number))
        slots.append(sound_slots(audio, selection.pts[samples[-1]] - origin))
    if len(samples) > _STREAMS_LIMIT:
        raise LayoutError("format_changed", "The camera's sound changed too often.", "Ask for a shorter time.")
    plan = _plan(selection, samples, slots)
    return _Writer(selection, handler, slots, plan).write(origin)


def _plan(selection: Selection, samples: list[Numbers], slots: list[Slots]) -> _Plan:
    """The samples in the order of the files, and between them what has no content."""
    kept = [mine[each.taken] for mine, each in zip(samples, slots, strict=True)]
    used = np.zeros(len(selection), np.bool_)
    for mine in kept:
        used[mine] = True
    source = _chosen(used)
    if not any(each.has_empty for each in slots):  # nothing to be put between
        return _rows(selection, source, np.empty(0, np.intp), np.empty(0, np.uint8))
    turns = np.zeros(len(selection), np.int64)
    for mine, each in zip(kept, slots, strict=True):
        turns[mine] = each.ticks(each.turn)
    reached = turns[source]
    np.maximum.accumulate(reached, out=reached)
    place = np.cumsum(used, dtype=np.int32)  # of each sample among those that are used, from 1 on
    places, times, streams = [], [], []
    for stream, (each, mine) in enumerate(zip(slots, kept, strict=True)):
        empty = each.empty
        following = np.searchsorted(each.turn, empty)
        # behind the sample of its stream that it follows, before the next one, between others by time
        least = np.where(following > 0, place[mine[following - 1]], 0)
        most = place[mine[following]] - 1
        times.append(each.ticks(empty))
        places.append(np.clip(np.searchsorted(reached, times[-1]), least, most))
        streams.append(np.full(len(empty), stream, np.uint8))
    at = np.concatenate(places)
    order = np.lexsort((np.concatenate(times), at))
    return _rows(selection, source, at[order], np.concatenate(streams)[order])


def _chosen(used: Bools) -> slice | Bools:
    """These samples, for an index: mostly all of them, or all but the first or the last."""
    left_out = np.flatnonzero(~used)
    if len(left_out) <= 2 and set(left_out.tolist()) <= {0, len(used) - 1}:
        return slice(int(not used[0]), len(used) - int(not used[-1]))
    return used


def _streams(selection: Selection) -> Bytes:
    return (selection.format + np.uint8(1)) * selection.is_audio


def _rows(selection: Selection, source: slice | Bools, places: Numbers, missing: Bytes) -> _Plan:
    """The rows: a sample each, and before the samples with these numbers one of no content, of these streams."""

    is_new, order = _spread(len(selection.file[source]), places) if len(places) else (places, places)

    def column(of: npt.NDArray[T], instead: npt.NDArray[Any] | int | None = None) -> npt.NDArray[T]:
        """``instead``: of what has no content; None: as the row before."""
        found = of[source]
        if not len(places):
            return found
        spread = found.take(order, mode="clip")
        if instead is not None:
            spread[is_new] = instead
        return spread

    insert_of, inserts = inserted_sets(selection, start_codes_before, always=selection.codec in _IN_STREAM)
    silences = tuple(_silence(audio) for audio in selection.sounds) if len(places) else ()
    has_lengths = ~selection.is_audio if selection.codec in _IN_STREAM else np.zeros(len(selection), np.bool_)
    stream = column(_streams(selection), missing)
    rows = Rows(
        column(selection.file),
        column(selection.offset),
        column(selection.size, 0),
        _heads(stream),
        column(insert_of, np.where(missing > 0, len(inserts) + missing - 1, 0)),
        inserts + silences,
        column(has_lengths, 0).view(np.uint8),
        align=2,
    )
    rows.heads.view("<u4")[:, 1] = rows.bodies
    return _Plan(rows, stream, (stream > 0) | column(selection.is_sync, 0))


def _spread(count: int, places: Numbers) -> tuple[Numbers, Numbers]:
    """Where the rows stand that are put before the samples with these numbers, and of all rows which sample each is, or
    which one is before it."""
    is_new = places + np.arange(len(places))
    steps = np.ones(count + len(places), np.intp)
    steps[is_new] = 0
    np.cumsum(steps, out=steps)
    steps -= 1
    return is_new, steps


def _heads(stream: npt.NDArray[np.uint8]) -> Bytes:
    """``00dc``, ``01wb`` …; the sizes behind them are still missing."""
    kinds = [_chunk(number) for number in range(int(stream.max()) + 1)]
    heads = np.zeros((len(stream), 2), "<u4")
    heads[:, 0] = np.frombuffer(b"".join(kinds), "<u4")[stream]
    return heads.view(np.uint8)


def _silence(audio: AudioFormat) -> bytes:
    try:
        return silence(audio.channels)
    except KeyError:
        raise LayoutError(
            "not_in_this_form", "An AVI file cannot have sound of so many channels.", "Ask for MP4 or MKV."
        ) from None


class _Writer:
    """Puts RIFFs round the rows."""

    def __init__(self, selection: Selection, handler: bytes, slots: list[Slots], plan: _Plan) -> None:
        self._selection, self._handler, self._slots, self._plan = selection, handler, slots, plan
        rows = plan.rows
        self._sizes = rows.bodies
        self._largest = int(self._sizes.max())
        starts, numbers = rows.starts, range(len(rows) + 1)

        def cost(row: int) -> int:
            """Of all before this row."""
            return int(starts[row]) + row * _INDEXED

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
        for number, (first, last) in enumerate(zip(self._firsts, self._lasts, strict=True)):
            riff = at
            movi = before if number == 0 else at + 12  # the LIST
            data = movi + 12
            starts = self._plan.rows.starts
            at = data + int(starts[last] - starts[first])
            indexes = []
            for stream in range(len(self._slots)):
                index = self._standard_index(stream, first, last, data)
                turns = (len(index) - 32) // 8
                entries[stream].append((at, len(index), turns))
                indexes.append(index)
                at += len(index)
            head = b"LIST" + struct.pack("<I", at - movi - 8) + b"movi"
            old = self._old_index(first, last) if number == 0 else b""
            at += len(old)
            sizes.append(at - riff - 8)
            if number:
                head = b"RIFF" + struct.pack("<I", sizes[-1]) + b"AVIX" + head
            pieces += [head, (first, last), *indexes, old]
        header = self._header(origin, entries, sizes[0])
        assert len(header) == first_movi
        return Virtual(self._plan.rows, [header, *pieces])

    def _standard_index(self, stream: int, first: int, last: int, base: int) -> bytes:
        """``ix##``: where the chunks of one stream are in one RIFF."""
        mine = np.flatnonzero(self._plan.stream[first:last] == stream) + first
        starts = self._plan.rows.starts
        table = np.empty((len(mine), 2), "<u4")
        table[:, 0] = starts[mine] - (starts[first] - 8)
        table[:, 1] = self._sizes[mine]
        table[~self._plan.is_key[mine], 1] |= _NO_KEY
        said = struct.pack("<HBBI4sQI", 2, 0, 1, len(mine), _chunk(stream), base, 0)
        return _table(b"ix%02d" % stream, said, table)

    def _old_index(self, first: int, last: int) -> bytes:
        """``idx1``: all chunks of the first RIFF, counted from the word ``movi``."""
        plan = self._plan
        table = np.empty((last - first, 4), "<u4")
        table[:, 0] = plan.rows.heads[first:last, :4].copy().view("<u4").reshape(-1)
        table[:, 1] = np.where(plan.is_key[first:last], _KEY, 0)
        table[:, 2] = plan.rows.starts[first:last] - plan.rows.starts[first] + 4
        table[:, 3] = self._sizes[first:last]
        return _table(b"idx1", b"", table)

    def _header(self, origin: int, entries: list[list[tuple[int, int, int]]], riff: int = 0) -> bytes:
        selection, plan = self._selection, self._plan
        video, pictures = selection.videos[0], self._slots[0]
        largest = self._largest
        in_first = int((plan.stream[: self._lasts[0]] == 0).sum())
        seconds = max(1e-3, (selection.end - origin) / TICKS_PER_SECOND)
        rate = min(0xFFFFFFFF, int(int(plan.rows.starts[-1]) / seconds))
        main = struct.pack(
            "<14I",
            pictures.scale * 100 // 9, rate, 0, _HAS_INDEX | _INTERLEAVED | _TRUST_KINDS, in_first, 0,
            len(self._slots), largest, video.width, video.height, 0, 0, 0, 0,
        )  # fmt: skip
        streams = [self._video(video, largest)]
        streams += [self._sound(number, audio) for number, audio in enumerate(selection.sounds, 1)]
        lists = [_list(b"strl", stream, _super_index(number, entries[number])) for number, stream in enumerate(streams)]
        total = sum(turns for _, _, turns in entries[0])
        extended = _list(b"odml", _box(b"dmlh", struct.pack("<I244x", total)))
        moment = to_datetime(origin)
        date = _box(b"ICRD", f"{moment:%Y-%m-%d %H:%M:%S} UTC\0".encode())
        about = _list(b"INFO", date, _box(b"ISFT", b"Fanal\0"))
        lists_ = _list(b"hdrl", _box(b"avih", main), *lists, extended) + about
        return b"RIFF" + struct.pack("<I", riff) + b"AVI " + lists_

    def _video(self, video: VideoFormat, largest: int) -> bytes:
        slots = self._slots[0]
        header = struct.pack(
            "<4s4sIHHIIIIIIII4h",
            b"vids", self._handler, 0, 0, 0, 0, slots.scale, slots.rate, 0, int(slots.turn[-1]) + 1, largest,
            0xFFFFFFFF, 0, 0, 0, min(0x7FFF, video.width), min(0x7FFF, video.height),
        )  # fmt: skip
        more = b"" if video.codec in _IN_STREAM else video.configuration
        bitmap = struct.pack(
            "<IiiHH4sIiiII", 40 + len(more), video.width, video.height, 1, 24, self._handler,
            video.width * video.height * 3, 0, 0, 0, 0,
        )  # fmt: skip
        return _box(b"strh", header) + _box(b"strf", bitmap + more)

    def _sound(self, number: int, audio: AudioFormat) -> bytes:
        slots = self._slots[number]
        most = 768 * audio.channels  # bytes of a piece of AAC (ISO/IEC 14496-3 §4.5.3.1: 6144 bits a channel)
        turns = int(slots.turn[-1]) + 1 if len(slots.turn) else 0
        header = struct.pack(
            "<4sIIHHIIIIIIII4h",
            b"auds", 0, 0, 0, 0, 0, slots.scale, slots.rate, 0, turns, most, 0xFFFFFFFF, 0, 0, 0, 0, 0,
        )  # fmt: skip
        mine = self._sizes[self._plan.stream == number]
        bytes_per_second = int(mine.mean() * slots.rate / slots.scale) if len(mine) else 0
        form = struct.pack(
            "<HHIIHHH", _AAC, audio.channels, audio.sample_rate, bytes_per_second, most, 16, len(audio.configuration)
        )
        return _box(b"strh", header) + _box(b"strf", form + audio.configuration)


def _super_index(stream: int, entries: list[tuple[int, int, int]]) -> bytes:
    """``indx``: where the indexes of one stream are."""
    body = struct.pack("<HBBI4s12x", 4, 0, 0, len(entries), _chunk(stream))
    return _box(b"indx", body + b"".join(struct.pack("<QII", *entry) for entry in entries))


def _chunk(stream: int) -> bytes:
    return b"%02d" % stream + (b"wb" if stream else b"dc")


def _box(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def _table(kind: bytes, said: bytes, table: npt.NDArray[np.uint32]) -> bytes:
    """A box of rows, of an even length; they are copied only once."""
    return b"".join((kind, struct.pack("<I", len(said) + table.nbytes), said, table.data))


def _list(kind: bytes, *parts: bytes) -> bytes:
    return _box(b"LIST", kind + b"".join(parts))
