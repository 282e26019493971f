"""The playlist of a live stream for HLS players, with low latency (RFC 8216 and its second edition, rfc8216bis).

Fragments go in as they come; out come *segments*, each from one IDR picture to another, and *parts* of them of about a
third of a second, as bytes, and the text that lists them.  Pure: no waiting, no clock.

How long segments and parts are has to be said once and be kept (EXT-X-TARGETDURATION, PART-TARGET), and cameras differ.
So the first segment is looked at before anything is told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.base.clock import TICKS_PER_SECOND, to_rfc3339
from appliance.media.hls_names import init_name, part_name, segment_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from appliance.media.fmp4 import Fragment

#: Parts are so long, as near as whole pictures allow; all but the last of a segment at least so much of what is said.
PART_S, FULL_PART = 0.33, 0.85
#: What is said of parts is so much more than they have: pictures do not come as regularly as a clock ticks.
JITTER = 1.08
#: A segment ends with the first group of pictures that ends after so long.
SEGMENT_TICKS = TICKS_PER_SECOND * 9 // 10
#: The first segment is cut here where no IDR picture comes; groups are then taken to be as long as `LONG_S`.
LOOKED_AT_TICKS, LONG_S = 4 * TICKS_PER_SECOND, 10
#: No longer than said; groups of pictures may become so much longer than the first.
ROOM, LEAST_TARGET_S = 1.25, 2
#: The playlist lists so many target durations (RFC 8216 §6.2.2), and as much before that can still be fetched.
LISTED = 3
#: Whole segments whose parts are listed too: players that are behind these take them whole.
IN_PARTS = 3
#: Players wait behind the newest picture for so many parts.
HOLD_BACK = 3
#: All of it, whatever a camera sends.  A segment of a quarter of that is cut.
WINDOW_BYTES = 32 << 20
#: Stands in the text where the query of each address goes.
_QUERY = "\0"


@dataclass(frozen=True, slots=True)
class Part:
    """Some fragments.  ``duration`` in ticks; ``independent``: it begins with an IDR picture."""

    data: bytes = field(repr=False)
    duration: int
    independent: bool


@dataclass(slots=True, eq=False)
class Segment:
    """``begins``: UTC in ticks.  ``independent``: with an IDR picture.  ``init``: number of its init segment;
    ``discontinuity``: it does not follow on the segment before."""

    number: int
    begins: int
    independent: bool
    init: int
    discontinuity: bool
    parts: list[Part] = field(default_factory=list)

    @property
    def duration(self) -> int:
        return sum(part.duration for part in self.parts)

    @property
    def size(self) -> int:
        return sum(len(part.data) for part in self.parts)

    @property
    def data(self) -> bytes:
        return b"".join(part.data for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Rates:
    """What is said of durations, in ticks."""

    target: int
    part: int
    interval: int  # between two pictures


class Playlist:
    """See the module.  ``first``: the number of the first segment."""

    def __init__(self, first: int = 0) -> None:
        self._next = first
        self._rates: _Rates | None = None
        self._early: list[Fragment] = []  # until it is known how long things are
        self._inits: dict[int, bytes] = {}
        self._made_inits = 0
        self._segments: list[Segment] = []  # whole ones, those that are listed no more too
        self._discontinuities = 0  # of segments that can no longer be fetched
        self._open: Segment | None = None
        self._part: list[Fragment] = []  # what will be the next; the first of it is a picture
        self._part_begins = 0
        self._breaks = False  # the next picture begins with a new init segment
        self._text: str | None = None

    # --- what comes -----------------------------------------------------------------------------------------------

    def begin(self, init: bytes) -> None:
        """The picture that comes next, an IDR picture, needs this init segment, and times begin anew with it."""
        if self._rates is None:
            self._early.clear()
            self._inits.clear()
        self._inits[self._made_inits] = init
        self._made_inits += 1
        self._breaks = self._rates is not None

    def push(self, fragment: Fragment) -> bool:
        """Take the next fragment; whether there is more to be fetched than before."""
        if self._rates is not None:
            return self._take(fragment)
        if not self._early and (fragment.is_audio or not fragment.is_idr):
            return False
        self._early.append(fragment)
        self._rates = _learn(self._early)
        if self._rates is None:
            return False
        early, self._early = self._early, []
        for each in early:
            self._take(each)
        return True

    def _take(self, fragment: Fragment) -> bool:
        more = False
        if not fragment.is_audio:
            self._look_for_gap(fragment)
        if self._breaks and (fragment.is_audio or not fragment.is_idr):
            return False  # no player could begin anew with it
        if not fragment.is_audio:
            more = self._cut(fragment)
        if self._part or not fragment.is_audio:
            self._part.append(fragment)
        return more

    def _look_for_gap(self, fragment: Fragment) -> None:
        """Where nothing came for a while, no picture is shown for so long: players begin anew, with the same init
        segment under another name, since some take no notice otherwise."""
        if self._part and not self._breaks and fragment.dts - self._shown_until() > self._said.target // 2:
            self.begin(self._inits[self._made_inits - 1])

    def _shown_until(self) -> int:
        """When the last picture has been shown, if nothing follows."""
        return max(each.dts for each in self._part if not each.is_audio) + self._said.interval

    @property
    def _said(self) -> _Rates:
        assert self._rates is not None
        return self._rates

    def _cut(self, fragment: Fragment) -> bool:
        """End the part, and the segment, where this picture begins the next."""
        rates, newest = self._said, self._open
        if newest is None:
            self._begin_segment(fragment)
            return False
        elapsed = fragment.dts - newest.begins
        if (
            self._breaks
            or (fragment.is_idr and (elapsed >= SEGMENT_TICKS or not newest.independent))
            or elapsed + rates.interval > rates.target
            or (elapsed >= LOOKED_AT_TICKS and not self._segments)  # the first player waits
            or newest.size > WINDOW_BYTES // 4
        ):
            self._end_part(newest, self._shown_until() if self._breaks else fragment.dts)
            self._segments.append(newest)
            self._begin_segment(fragment)
            self._forget(rates)
        elif fragment.dts - self._part_begins >= FULL_PART * rates.part:
            self._end_part(newest, fragment.dts)
            self._part_begins = fragment.dts
        else:
            return False
        self._text = None
        return True

    def _begin_segment(self, fragment: Fragment) -> None:
        self._open = Segment(self._next, fragment.dts, fragment.is_idr, self._made_inits - 1, self._breaks)
        self._next += 1
        self._breaks = False
        self._part_begins = fragment.dts

    def _end_part(self, segment: Segment, end: int) -> None:
        data = b"".join(fragment.body for fragment in self._part)
        segment.parts.append(Part(data, end - self._part_begins, self._part[0].is_idr))
        self._part = []

    def _forget(self, rates: _Rates) -> None:
        """What is too old, or too much."""
        kept = sum(segment.duration for segment in self._segments)
        size = sum(segment.size for segment in self._segments)
        while len(self._segments) > 1:
            oldest = self._segments[0]
            kept, size = kept - oldest.duration, size - oldest.size
            if kept < 2 * LISTED * rates.target and size + oldest.size <= WINDOW_BYTES:
                break
            del self._segments[0]
            self._discontinuities += oldest.discontinuity
        needed = {segment.init for segment in self._segments} | {self._made_inits - 1}
        self._inits = {number: init for number, init in self._inits.items() if number in needed}

    # --- what is asked for ----------------------------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        """Whether there is a segment to begin with."""
        return bool(self._segments)

    def has(self, number: int, part: int | None = None) -> bool:
        """Whether this is listed: a whole segment, or a part of one or whatever came after that (§6.2.5.2)."""
        newest = self._open
        if newest is None or part is None:
            return newest is not None and number < newest.number
        if number < newest.number:
            whole = next((segment for segment in self._segments if segment.number == number), None)
            return whole is None or part < len(whole.parts) or self.has(number + 1, 0)
        return number == newest.number and part < len(newest.parts)

    def is_beyond(self, number: int) -> bool:
        """Whether this is further in the future than anybody may wait for."""
        return self._open is not None and number > self._open.number + 1

    def is_next(self, number: int, part: int) -> bool:
        """Whether this is the part that the text announces."""
        return self._open is not None and (number, part) == (self._open.number, len(self._open.parts))

    def init(self, number: int) -> bytes | None:
        return self._inits.get(number)

    def segment(self, number: int) -> bytes | None:
        found = next((segment for segment in self._segments if segment.number == number), None)
        return None if found is None else found.data

    def part(self, number: int, part: int) -> bytes | None:
        all_of_them: Iterable[Segment] = self._segments if self._open is None else (*self._segments, self._open)
        found = next((segment for segment in all_of_them if segment.number == number), None)
        return found.parts[part].data if found is not None and part < len(found.parts) else None

    def text(self, query: str = "") -> str:
        """The playlist, each address with this query."""
        if self._text is None:
            self._text = "\n".join(self._lines()) + "\n"
        return self._text.replace(_QUERY, query)

    def _lines(self) -> Iterator[str]:
        rates, newest = self._said, self._open
        assert newest is not None
        listed = self._listed(rates)
        gone = self._segments[: len(self._segments) - len(listed)]
        part_target = math.ceil(rates.part * 1000 / TICKS_PER_SECOND) / 1000
        yield "#EXTM3U"
        yield "#EXT-X-VERSION:9"
        yield f"#EXT-X-TARGETDURATION:{rates.target // TICKS_PER_SECOND}"
        yield f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={HOLD_BACK * part_target:.3f}"
        yield f"#EXT-X-PART-INF:PART-TARGET={part_target:.3f}"
        yield f"#EXT-X-MEDIA-SEQUENCE:{listed[0].number}"
        yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{self._discontinuities + sum(each.discontinuity for each in gone)}"
        init = -1
        for number, segment in enumerate([*listed, newest]):
            if segment.discontinuity:
                yield "#EXT-X-DISCONTINUITY"
            if segment.init != init:
                init = segment.init
                yield f'#EXT-X-MAP:URI="{init_name(init)}{_QUERY}"'
            yield f"#EXT-X-PROGRAM-DATE-TIME:{to_rfc3339(segment.begins)}"
            if len(listed) - number <= IN_PARTS:
                for which, part in enumerate(segment.parts):
                    alone = ",INDEPENDENT=YES" if part.independent else ""
                    name = part_name(segment.number, which)
                    yield f'#EXT-X-PART:DURATION={_seconds(part.duration)},URI="{name}{_QUERY}"{alone}'
            if segment is not newest:
                yield f"#EXTINF:{_seconds(segment.duration)},"
                yield segment_name(segment.number) + _QUERY
        yield f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{part_name(newest.number, len(newest.parts))}{_QUERY}"'

    def _listed(self, rates: _Rates) -> list[Segment]:
        """The newest whole segments: at least three, as long as three target durations together."""
        duration, count = 0, 0
        for segment in reversed(self._segments):
            if count >= LISTED and duration >= LISTED * rates.target:
                break
            duration, count = duration + segment.duration, count + 1
        return self._segments[len(self._segments) - count :]


def _learn(early: list[Fragment]) -> _Rates | None:
    """How long segments and parts are to be; None: look at more."""
    times = [fragment.dts for fragment in early if not fragment.is_audio]
    elapsed = times[-1] - times[0]
    is_whole = early[-1].is_idr and not early[-1].is_audio and elapsed >= SEGMENT_TICKS
    if len(times) < 2 or not (is_whole or elapsed >= LOOKED_AT_TICKS):
        return None
    interval = max(1, elapsed // (len(times) - 1))
    pictures = max(1, int(PART_S * TICKS_PER_SECOND / interval))
    if is_whole:  # parts of about the same length: none of a single picture at the end
        count = len(times) - 1
        pictures = math.ceil(count / max(1, round(count / pictures)))
    part = math.ceil(pictures * interval * JITTER)
    group_s = elapsed / TICKS_PER_SECOND if is_whole else LONG_S
    target_s = max(LEAST_TARGET_S, math.ceil(ROOM * max(group_s, part / TICKS_PER_SECOND)))
    return _Rates(target_s * TICKS_PER_SECOND, part, interval)


def _seconds(ticks: int) -> str:
    return f"{ticks / TICKS_PER_SECOND:.5f}"
