"""Which samples an AVI takes, and between which of them it has chunks without content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from appliance.media.sample_table import AUDIO
from appliance.media.virtual import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from appliance.media.avi_slots import Slots
    from appliance.media.selection import Selection

    Ints = npt.NDArray[np.int64]
    Numbers = npt.NDArray[np.intp]
    Bytes = npt.NDArray[np.uint8]

#: Behind all samples.
_FAR: Final = 1 << 62


def streams_of(flags: Bytes, formats: Bytes) -> Bytes:
    """The stream of each sample: 0 for pictures, then sound by its format."""
    return (formats + np.uint8(1)) * (flags & np.uint8(AUDIO))


def numbers_in(flags: Bytes, formats: Bytes, stream: int) -> Iterator[Numbers]:
    """The numbers of a stream's samples, some at a time."""
    for first in range(0, len(flags), CHUNK):
        some = slice(first, first + CHUNK)
        numbers = np.flatnonzero(streams_of(flags[some], formats[some]) == stream)
        numbers += first
        yield numbers


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """The samples that are taken, in the order of the files; columns as those of `Selection`."""

    files: Ints
    firsts: Ints
    offset: npt.NDArray[np.integer]
    size: npt.NDArray[np.int32]
    flags: Bytes
    format: Bytes

    def __len__(self) -> int:
        return len(self.size)


def taken(selection: Selection, slots: Sequence[Slots]) -> Taken:
    """Without those that have no turn: mostly none, or the first."""
    left_out = np.sort(np.concatenate([
        _numbers_of(selection, stream, each.left_out) for stream, each in enumerate(slots)
    ]))  # fmt: skip
    count = len(selection)
    before = int(np.argmax(np.append(left_out, count) != np.arange(len(left_out) + 1)))  # of them, at the beginning
    behind = int(np.argmax(np.append(left_out[::-1], -1) != count - 1 - np.arange(len(left_out) + 1)))
    kept: slice | npt.NDArray[np.bool_]
    if before + behind >= len(left_out):
        kept = slice(before, count - behind)
    else:
        kept = np.ones(count, np.bool_)
        kept[left_out] = False
    firsts = selection.firsts - np.searchsorted(left_out, selection.firsts)
    used = np.diff(firsts, append=count - len(left_out)) > 0
    return Taken(
        selection.files[used],
        firsts[used],
        selection.offset[kept],
        selection.size[kept],
        selection.flags[kept],
        selection.format[kept],
    )


def _numbers_of(selection: Selection, stream: int, wanted: Numbers) -> Numbers:
    """Of samples of a stream, given by what number they are in it, in order: the numbers among all."""
    found, so_far = [wanted[:0]], 0
    if len(wanted):
        for numbers in numbers_in(selection.flags, selection.format, stream):
            a, b = np.searchsorted(wanted, (so_far, so_far + len(numbers)))
            found.append(numbers[wanted[a:b] - so_far])
            so_far += len(numbers)
            if b == len(wanted):
                break
    return np.concatenate(found)


@dataclass(frozen=True, slots=True, eq=False)
class Added:
    """Rows without content: which ones they are, in order, and of which stream each is."""

    rows: Numbers
    streams: Bytes

    def before(self, samples: Ints) -> Ints:
        """How many of them come before these samples."""
        return np.searchsorted(self.rows - np.arange(len(self.rows)), samples, "right")


def added(samples: Taken, slots: Sequence[Slots]) -> Added:
    """A row for each turn at which there is none: behind the sample of its stream that it follows, before the next one,
    between others by time."""
    if not any(each.empty_turns for each in slots):
        return Added(np.empty(0, np.intp), np.empty(0, np.uint8))
    places = [_Places(samples, stream) for stream in range(len(slots))]
    at, times = np.empty((2, sum(each.empty_turns for each in slots)), np.int64)
    done = 0
    for own, mine in zip(places, slots, strict=True):
        for first in range(0, mine.empty_turns, CHUNK):
            empty, following = mine.empty(first, min(first + CHUNK, mine.empty_turns))
            when = mine.ticks(empty)
            # all that come before its time come before it; of one stream each comes later than the last
            by_time, least, most = own.of(mine.first_at(when), following - 1, following)
            for other, theirs in zip(places, slots, strict=True):
                if other is not own:
                    np.minimum(by_time, other.of(theirs.first_at(when))[0], out=by_time)
            rows = slice(done, done + len(when))
            at[rows], times[rows] = np.clip(by_time, least + 1, most), when
            done = rows.stop
    order = np.lexsort((times, at))
    streams = np.repeat(np.arange(len(slots), dtype=np.uint8), [each.empty_turns for each in slots])[order]
    return Added(at[order] + np.arange(len(at)), streams)


class _Places:
    """Where the samples of one stream are among all."""

    def __init__(self, samples: Taken, stream: int) -> None:
        self._samples, self._stream = samples, stream
        counts = [np.count_nonzero(self._is_mine(first)) for first in range(0, len(samples), CHUNK)]
        self._before = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.array(counts, np.int64))))

    def _is_mine(self, first: int) -> npt.NDArray[np.bool_]:
        some = slice(first, first + CHUNK)
        found: npt.NDArray[np.bool_] = streams_of(self._samples.flags[some], self._samples.format[some]) == self._stream
        return found

    def of(self, *wanted: Ints) -> list[Ints]:
        """Of its samples, each time in order: -1 before its first one, far behind all others behind its last one."""
        found = [np.where(each < 0, -1, _FAR) for each in wanted]
        ends = [np.searchsorted(each, self._before).tolist() for each in wanted]
        first = min(np.searchsorted(self._before, max(0, int(each[0])), "right") for each in wanted) - 1
        last = max(np.searchsorted(self._before, each[-1], "right") for each in wanted)
        for number in range(int(first), min(int(last), len(self._before) - 1)):
            if any(end[number] < end[number + 1] for end in ends):
                mine = np.flatnonzero(self._is_mine(number * CHUNK)) + number * CHUNK
                for places, each, end in zip(found, wanted, ends, strict=True):
                    some = slice(end[number], end[number + 1])
                    places[some] = mine[each[some] - self._before[number]]
        return found
