"""MP4 as a virtual file (ISO/IEC 14496-12): index first, then the samples, so that every player can seek in it.

The edit list begins with the picture that was on screen at the time that was asked for; what is needed to decode that
stands before it and is not shown.  A picture before a gap lasts until the next one, so that times inside are those of
the recording.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.fmp4 import UNITY_MATRIX, audio_entry, box, full_box, shown_size, video_entry
from appliance.media.virtual import ROWS_LIMIT, Columns, LayoutError, Rows, Virtual, starts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from appliance.media.selection import Selection

    Ints = npt.NDArray[np.int64]
    Numbers = npt.NDArray[np.intp]

#: From 1904, where the times of a movie begin (§8.2.2), to 1970.
_SINCE_1904: Final = 2_082_844_800
#: More than an index of `ROWS_LIMIT` samples takes.
_LARGEST_INDEX: Final = 40 * ROWS_LIMIT
_UINT32: Final = 0xFFFF_FFFF
_LANGUAGE_UNDETERMINED: Final = 0x55C4


def lay_out(selection: Selection) -> Virtual:
    """The file.  Raises `LayoutError`."""
    codec = selection.codec
    rows = Rows(starts_of(selection.size), selection.files, selection.firsts, _columns(selection), (b"",))
    tracks = [_Track(selection, selection.pictures, rows)]
    tracks += [
        _Track(selection, selection.sounds_of(number), rows, sound=number) for number in range(len(selection.sounds))
    ]
    brand = b"hvc1" if codec == "h265" else b"avc1"
    ftyp = box(b"ftyp", b"isom" + struct.pack(">I", 0x200), b"isomiso2", brand, b"mp41")
    body = int(rows.starts[-1])
    head = (
        struct.pack(">I4s", 8 + body, b"mdat") if 8 + body <= _UINT32 else struct.pack(">I4sQ", 1, b"mdat", 16 + body)
    )
    # the index says where the samples are, and stands before them: its length does not depend on where that is
    before = len(ftyp) + len(head)
    wide = before + body + _LARGEST_INDEX > _UINT32
    at = before + len(_movie(selection, tracks, 0, wide=wide))
    return Virtual(rows, [ftyp + _movie(selection, tracks, at, wide=wide) + head, (0, len(rows))])


def _columns(selection: Selection) -> Callable[[int, int], Columns]:
    """Nothing stands between the samples."""
    offset, size = selection.offset, selection.size  # and nothing else is kept of the selection

    def columns(first: int, last: int) -> Columns:
        count = last - first
        nothing = np.zeros(count, np.uint8)
        heads = np.empty((count, 0), np.uint8)
        return Columns(offset[first:last].astype(np.int64), size[first:last], heads, nothing, nothing)

    return columns


def _movie(selection: Selection, tracks: Sequence[_Track], at: int, *, wide: bool) -> bytes:
    """``moov``, if the first sample is at this place in the file."""
    created = selection.start // TICKS_PER_SECOND + _SINCE_1904
    header = struct.pack(">QQIQ", created, created, TICKS_PER_SECOND, selection.end - selection.start)
    header += struct.pack(">IH10x", 0x10000, 0x100) + UNITY_MATRIX + bytes(24) + struct.pack(">I", len(tracks) + 1)
    boxes = [track.box(number, at, wide=wide) for number, track in enumerate(tracks, 1)]
    return box(b"moov", full_box(b"mvhd", 1, 0, header), *boxes)


class _Track:
    """The index of one track."""

    def __init__(self, selection: Selection, samples: Numbers, rows: Rows, sound: int | None = None) -> None:
        self._selection = selection
        self._sound = sound
        dts, composition = selection.dts[samples], selection.composition[samples]
        self._first = int(dts[0])
        steps = np.diff(dts, append=dts[-1] + max(1, int(selection.duration[samples[-1]])))
        if steps.max() > _UINT32:
            raise LayoutError(
                "gap_too_long",
                "A gap in it is longer than the format can say.",
                "Ask for what is before it, and after it.",
            )
        self._length = int(steps.sum())
        self._until = int((dts + composition + selection.duration[samples]).max())
        self._tables = self._times(steps, composition, selection, samples)
        self._chunks(selection, samples, rows)

    def _times(
        self, steps: Ints, composition: npt.NDArray[np.int32], selection: Selection, samples: Numbers
    ) -> list[bytes]:
        tables = [full_box(b"stts", 0, 0, _runs(">u4", steps))]
        if composition.any():
            tables.append(full_box(b"ctts", int(composition.min() < 0), 0, _runs(">u4", composition)))
        sync = np.flatnonzero(selection.is_sync[samples]) + 1
        if len(sync) < len(samples):
            tables.append(full_box(b"stss", 0, 0, struct.pack(">I", len(sync)), sync.astype(">u4").tobytes()))
        sizes = selection.size[samples].astype(">u4").tobytes()
        tables.append(full_box(b"stsz", 0, 0, struct.pack(">II", 0, len(samples)), sizes))
        return tables

    def _chunks(self, selection: Selection, samples: Numbers, rows: Rows) -> None:
        """A chunk ends where another track comes, the format changes, or decoding can start."""
        entry = selection.format[samples] if self._sound is None else np.zeros(len(samples), np.uint8)
        begins = np.ones(len(samples), np.bool_)
        begins[1:] = (np.diff(samples) != 1) | (np.diff(entry.astype(np.int16)) != 0)
        if self._sound is None:
            begins |= selection.is_sync[samples]
        chunks = np.flatnonzero(begins)
        counts = np.diff(chunks, append=len(samples))
        entries = entry[chunks].astype(np.int64) + 1
        changes = np.ones(len(chunks), np.bool_)
        changes[1:] = (np.diff(counts) != 0) | (np.diff(entries) != 0)
        kinds = np.flatnonzero(changes)
        table = np.stack((kinds + 1, counts[kinds], entries[kinds]), axis=1).astype(">u4")
        self._tables.insert(-1, full_box(b"stsc", 0, 0, struct.pack(">I", len(kinds)), table.tobytes()))
        self._offsets = rows.starts[samples[chunks]]

    def box(self, number: int, at: int, *, wide: bool) -> bytes:
        selection = self._selection
        created = selection.start // TICKS_PER_SECOND + _SINCE_1904
        edits, length = self._edits()
        volume = 0 if self._sound is None else 0x100
        size = shown_size(selection.videos[0]) if self._sound is None else (0, 0)
        header = struct.pack(">QQIIQ8x4H", created, created, number, 0, length, 0, 0, volume, 0)
        header += UNITY_MATRIX + struct.pack(">2I", *size)
        media = struct.pack(">QQIQ2H", created, created, TICKS_PER_SECOND, self._length, _LANGUAGE_UNDETERMINED, 0)
        if self._sound is None:
            handler, media_header = b"vide", full_box(b"vmhd", 0, 1, bytes(8))
            entries = [video_entry(video) for video in selection.videos]
        else:
            handler, media_header = b"soun", full_box(b"smhd", 0, 0, bytes(4))
            entries = [audio_entry(selection.sounds[self._sound])]
        kind, column = (b"co64", ">u8") if wide else (b"stco", ">u4")
        offsets = (self._offsets + at).astype(column).tobytes()
        tables = box(
            b"stbl",
            full_box(b"stsd", 0, 0, struct.pack(">I", len(entries)), *entries),
            *self._tables,
            full_box(kind, 0, 0, struct.pack(">I", len(self._offsets)), offsets),
        )
        data = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
        return box(
            b"trak",
            full_box(b"tkhd", 1, 3, header),
            box(b"edts", full_box(b"elst", 1, 0, struct.pack(">I", len(edits)), *edits)),
            box(
                b"mdia",
                full_box(b"mdhd", 1, 0, media),
                full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"Fanal\0"),
                box(b"minf", media_header, data, tables),
            ),
        )

    def _edits(self) -> tuple[list[bytes], int]:
        """What of the track is shown, from when on (§8.6.6), and how long all of that lasts."""
        start, end = self._selection.start, self._selection.end
        edits, length = [], 0
        begins = start
        if self._first > start:  # nothing for a while
            begins = min(self._first, end)
            length = begins - start
            edits.append(struct.pack(">QqI", length, -1, 0x10000))
        shown = max(0, min(end, self._until) - begins)
        if shown:
            edits.append(struct.pack(">QqI", shown, begins - self._first, 0x10000))
        return edits, length + shown


def _runs(kind: str, values: npt.NDArray[np.integer]) -> bytes:
    """How many are alike, and which: a table of two columns behind its length."""
    begins = np.flatnonzero(np.concatenate((np.ones(1, np.bool_), np.diff(values) != 0)))
    counts = np.diff(begins, append=len(values))
    table = np.stack((counts, values[begins]), axis=1).astype(kind)
    return struct.pack(">I", len(begins)) + table.tobytes()
