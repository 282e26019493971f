"""The turns, rows and indexes of AVI files against plain twins, also where work is cut into pieces."""

from __future__ import annotations

import struct
from bisect import bisect_left
from dataclasses import replace
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media import avi, avi_index, avi_order, avi_rows, avi_slots
from appliance.media.avi_slots import picture_slots, sound_slots
from appliance.media.sample_table import SampleTable
from appliance.media.selection import select
from appliance.media.virtual import Made
from tests.media.clips import encode_aac
from tests.media.recorded import long_parts
from tests.media.test_virtual import formats, random_selection

if TYPE_CHECKING:
    from appliance.media.avi_slots import Slots
    from appliance.media.selection import Selection

T = TICKS_PER_SECOND
MODULES = (avi, avi_index, avi_order, avi_rows, avi_slots)


@pytest.fixture(params=[7, 64, None])
def _pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of few rows each."""
    for module in MODULES:
        if request.param is not None and hasattr(module, "CHUNK"):
            monkeypatch.setattr(module, "CHUNK", request.param)


def turns_of_pictures(times: list[int], scale: int) -> list[int]:
    turns: list[int] = []
    for time in times:
        turn = (time + scale // 2) // scale
        turns.append(max(turn, turns[-1] + 1) if turns else turn)
    return turns


def turns_of_sound(times: list[int], unit: Fraction) -> tuple[list[int], list[int]]:
    """Also the numbers of those that are left out."""
    turns: list[int] = []
    left_out = []
    for number, time in enumerate(times):
        wanted = time * unit.denominator / unit.numerator
        turn = max(floor(wanted - len(turns) + 0.5) + len(turns), turns[-1] + 1 if turns else 0)
        if wanted <= -0.5 or turn - wanted > 1.5:
            left_out.append(number)
        else:
            turns.append(turn)
    return turns, left_out


def agree(slots: Slots, turns: list[int], left_out: list[int]) -> None:
    assert slots.count == len(turns)
    assert slots.left_out.tolist() == left_out
    assert slots.turn(0, slots.count).tolist() == turns
    for first in (0, slots.count // 3, slots.count):
        for last in (first, (first + slots.count) // 2, slots.count):
            assert slots.turn(first, last).tolist() == turns[first:last]
    empty, following = slots.empty(0, slots.empty_turns)
    assert sorted([*empty.tolist(), *turns]) == list(range(slots.turns))
    assert following.tolist() == [bisect_left(turns, each) for each in empty.tolist()]
    ticks = slots.ticks(np.array(turns, np.int64)).tolist()
    asked = [0, *ticks, *(each + 1 for each in ticks), *(each - 1 for each in ticks)]
    assert slots.first_at(np.array(asked)).tolist() == [bisect_left(ticks, each) for each in asked]


TIMES = st.lists(st.just(3600) | st.integers(1, 12_000), max_size=200).map(
    lambda steps: np.concatenate((np.zeros(1, np.int64), np.cumsum(np.array(steps, np.int64)))).astype(np.int64)
)


@pytest.mark.usefixtures("_pieces")
@given(TIMES)
@settings(max_examples=60)
def test_pictures_take_the_turns_of_the_twin(times: Any) -> None:
    slots = picture_slots(times)
    agree(slots, turns_of_pictures(times.tolist(), slots.scale), [])


@pytest.mark.usefixtures("_pieces")
@given(TIMES, st.floats(0.3, 1.5), st.integers(-20_000, 20_000))
@settings(max_examples=60)
def test_sound_takes_the_turns_of_the_twin(times: Any, skew: float, early: int) -> None:
    audio = encode_aac(0.1)[0]
    times = (times * skew).astype(np.int64) + early
    slots = sound_slots(audio, times)
    agree(slots, *turns_of_sound(times.tolist(), Fraction(audio.samples_per_unit * T, audio.sample_rate)))


def expected_rows(selection: Selection, slots: list[Slots]) -> list[tuple[int, int]]:
    """Of each row the stream, and the number of its sample; -1: it has no content."""
    streams = [int(selection.format[n]) + 1 if selection.is_audio[n] else 0 for n in range(len(selection))]
    mine = [[n for n, each in enumerate(streams) if each == stream] for stream in range(len(slots))]
    kept = [
        [n for at, n in enumerate(own) if at not in set(each.left_out.tolist())]
        for own, each in zip(mine, slots, strict=True)
    ]
    came = {}
    for own, each in zip(kept, slots, strict=True):
        came.update(zip(own, each.ticks(each.turn(0, each.count)).tolist(), strict=True))
    source = sorted(came)
    reached = np.maximum.accumulate([came[n] for n in source]).tolist()
    added = []
    for stream, (own, each) in enumerate(zip(kept, slots, strict=True)):
        turns = each.turn(0, each.count).tolist()
        for empty in sorted(set(range(each.turns)) - set(turns)):
            time, following = int(each.ticks(np.array([empty]))[0]), bisect_left(turns, empty)
            least = source.index(own[following - 1]) + 1 if following else 0
            at = max(least, min(bisect_left(reached, time), source.index(own[following])))
            added.append((at, time, stream))
    rows = [(at, 1, 0, streams[n], n) for at, n in enumerate(source)]
    rows += [(at, 0, number, stream, -1) for number, (at, _, stream) in enumerate(sorted(added))]
    return [(stream, n) for _, _, _, stream, n in sorted(rows)]


@pytest.mark.usefixtures("_pieces")
@given(st.integers(0, 2**32))
@settings(max_examples=25)
def test_rows_are_those_of_the_twin(seed: int) -> None:
    selection = random_selection(seed)
    origin = int(selection.dts[selection.pictures[0]])
    slots = [picture_slots(selection.dts[selection.pictures] - origin)]
    slots += [sound_slots(each, selection.pts[selection.sounds_of(n)] - origin)
              for n, each in enumerate(selection.sounds)]  # fmt: skip
    rows = avi_rows.AviRows(selection, slots)
    wanted = expected_rows(selection, slots)
    chunks = rows.chunks(0, len(rows))
    assert chunks.stream.tolist() == [stream for stream, _ in wanted]
    assert chunks.size.tolist() == [int(selection.size[n]) if n >= 0 else 0 for _, n in wanted]
    files = np.repeat(selection.files, np.diff(selection.firsts, append=len(selection)))
    found = rows.rows()
    assert [found.run_of(row)[0] for row, (_, n) in enumerate(wanted) if n >= 0] == [
        files[n] for _, n in wanted if n >= 0
    ]
    for row in (0, len(rows) // 2, len(rows)):
        for stream in range(len(slots)):
            assert rows.before(stream, row) == int(np.count_nonzero(chunks.stream[:row] == stream))


@pytest.mark.usefixtures("_pieces")
@given(st.integers(0, 2**32), st.data())
@settings(max_examples=25)
def test_any_stretch_of_an_index_is_a_slice_of_it(seed: int, data: st.DataObject) -> None:
    selection = random_selection(seed)
    virtual = avi.lay_out(selection)
    made = [piece for piece in virtual.pieces if isinstance(piece, Made)]
    assert len(made) == len(selection.sounds) + 2  # an index a stream, and the old one
    for piece in made:
        whole = piece.make(0, len(piece))
        assert len(whole) == len(piece) == 8 + struct.unpack_from("<I", whole, 4)[0]
        start = data.draw(st.integers(0, len(piece)))
        end = data.draw(st.integers(start, len(piece)))
        assert piece.make(start, end) == whole[start:end]


# ── hours ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_indexes_of_several_riffs_say_where_chunks_are() -> None:
    video, audio = formats()
    parts = long_parts(0.8, video, audio)
    selection = select(parts, parts[0].zero, parts[-1].zero + 60 * T)
    assert selection is not None
    virtual = avi.lay_out(selection)
    columns, starts = virtual.rows.columns(0, len(virtual.rows)), virtual.rows.starts
    found: dict[bytes, list[int]] = {b"00dc": [], b"01wb": []}
    at, content, first = 0, 0, 0
    for piece in virtual.pieces:
        if isinstance(piece, tuple):
            content, first = at, piece[0]
            at += int(starts[piece[1]] - starts[piece[0]])
            continue
        if isinstance(piece, Made) and (whole := piece.make(0, len(piece)))[:2] == b"ix":
            _, _, _, count, name, base, _ = struct.unpack_from("<HBBI4sQI", whole, 8)
            assert base == content
            lines = np.frombuffer(whole, "<u4", count * 2, 32).reshape(-1, 2)
            rows = np.searchsorted(starts, lines[:, 0].astype(np.int64) - 8 + starts[first])
            assert (starts[rows] - starts[first] + 8 == lines[:, 0]).all()
            assert (columns.heads.view("<u4")[rows, 1] == lines[:, 1] & 0x7FFF_FFFF).all()
            found[name] += rows.tolist()
        at += len(piece)
    assert sum(isinstance(piece, tuple) for piece in virtual.pieces) == 2
    assert sorted(found[b"00dc"] + found[b"01wb"]) == list(range(len(virtual.rows)))


def test_columns_grow_and_widen_as_they_have_to() -> None:
    video, audio = formats()
    parts = long_parts(0.2, video, audio)
    large = parts[5].table
    size = large.size.copy()
    size[:3] = 0x7FFF_0000
    table = SampleTable(large.init_size, large.flags, large.dts, large.duration, large.composition, size)
    parts[5] = replace(parts[5], table=table)
    once, often = (select(parts, parts[0].zero, parts[-1].zero + 60 * T, expected=expected) for expected in (10**5, 1))
    assert once is not None
    assert often is not None
    assert once.offset.dtype == often.offset.dtype == np.int64
    assert once.offset.tolist() == np.concatenate([part.table.offsets() for part in parts]).tolist()
    for name in ("size", "flags", "dts", "duration", "composition", "format", "files", "firsts", "offset"):
        assert np.array_equal(getattr(once, name), getattr(often, name)), name
