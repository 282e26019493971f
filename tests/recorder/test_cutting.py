"""Where streams are cut into files, what is kept at hand before an event, and who may hold how much."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import to_rfc3339
from appliance.media.units import AccessUnit, Run
from appliance.recorder.cutting import HELD, Cutter, Item, Part
from appliance.recorder.files import name_of, start_of
from appliance.recorder.memory import Memory
from appliance.recorder.roll import Roll
from tests.media.clips import encode_aac, encode_h264, encode_h265
from tests.recorder.made import endless, items_of
from tests.recorder.studio import CLIP, START

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from appliance.media.units import Unit

LARGE = encode_h264(50, (320, 180), gop=25)
HEVC = encode_h265(50, (160, 90), gop=25)
SOUND, SOUNDS = encode_aac(2.0)
FRAME = S // 25


def cut(units: Iterable[Unit], *, batch: int = 25, final: bool = True) -> list[list[Part]]:
    """The parts of each file, as they come of batches."""
    cutter, parts = Cutter(), []
    items = list(items_of(units))
    for at in range(0, len(items), batch):
        parts += cutter.take(items[at : at + batch])
    parts += cutter.take((), final=final)
    made: list[list[Part]] = []
    for part in parts:
        if part.begin is not None:
            made.append([])
        made[-1].append(part)
    return made


def ends(files: Sequence[Sequence[Part]]) -> list[tuple[float, float]]:
    found = []
    for parts in files:
        begin, end = parts[0].begin, parts[-1].ends
        assert begin is not None
        assert end is not None
        found.append(((begin.start - START) / S, (end - START) / S))
    return found


def test_a_file_ends_with_the_first_key_picture_after_a_minute() -> None:
    assert ends(cut(endless(CLIP, START, 150))) == [(0, 60), (60, 120), (120, 150)]
    # key pictures every seven seconds
    every = [replace_idr(unit, n % 175 == 0) for n, unit in enumerate(endless(CLIP, START, 150))]
    assert ends(cut(every)) == [(0, 63), (63, 126), (126, 150)]


def replace_idr(unit: Unit, is_idr: bool) -> Unit:
    assert isinstance(unit, AccessUnit)
    return replace(unit, is_idr=is_idr)


def test_whatever_the_batches_nothing_is_missing_and_nothing_twice() -> None:
    units = list(endless(CLIP, START, 70, sounds=SOUNDS))
    whole = [fragment.message for parts in cut(units) for part in parts for fragment in part.fragments]
    for batch in (1, 7, 100, 5000):
        files = cut(units, batch=batch)
        assert [parts[-1].ends for parts in files] == [START + 60 * S, START + 70 * S]
        found = [fragment for parts in files for part in parts for fragment in part.fragments]
        assert sorted(fragment.message for fragment in found) == sorted(whole)
    pictures = sum(isinstance(unit, AccessUnit) for unit in units)
    assert len(whole) == len(units)
    assert pictures == 70 * 25


def test_another_format_another_run_and_a_gap_begin_a_file() -> None:
    run, next_run = Run(START - S), Run(START + 8 * S)
    units = [
        *endless(CLIP, START, 4, run=run),
        *endless(LARGE, START + 4 * S, 4, run=run),
        *endless(HEVC, START + 9 * S, 4, run=next_run),
        *endless(HEVC, START + 20 * S, 4, run=next_run),
    ]
    files = cut(units)
    assert ends(files) == [(0, 4), (4, 8), (9, 13), (20, 24)]
    begins = [parts[0].begin for parts in files]
    assert [begin.follows for begin in begins if begin] == [False, True, False, False]
    assert [begin.video for begin in begins if begin] == [CLIP.format, LARGE.format, HEVC.format, HEVC.format]


def test_sound_is_in_the_first_file_although_it_comes_after_the_first_picture() -> None:
    (parts,) = cut(endless(CLIP, START, 10, sounds=SOUNDS))
    assert parts[0].begin is not None
    assert parts[0].begin.audio == SOUND


def test_sound_that_joins_or_leaves_begins_a_file_with_the_next_key_picture() -> None:
    run = Run(START - S)
    units = [
        *endless(CLIP, START, 4.4, run=run),
        *(unit for unit in endless(CLIP, START, 10, sounds=SOUNDS, run=run) if unit.pts >= START + 4.4 * S),
    ]
    assert ends(cut(units)) == [(0, 4), (4, 10)]  # so soon that the group's beginning is still there: with that one
    files = cut(units, batch=10)
    assert ends(files) == [(0, 5), (5, 10)]
    assert [parts[0].begin.audio for parts in files if parts[0].begin] == [None, SOUND]
    items = list(items_of(endless(CLIP, START, 10, sounds=SOUNDS, run=run)))
    silent = [
        item if item.fragment.dts < START + 4.4 * S else Item(item.fragment, item.video, None)
        for item in items
        if not item.fragment.is_audio or item.fragment.dts < START + 4.4 * S
    ]
    cutter = Cutter()
    begins = [part.begin for part in cutter.take(silent, final=True) if part.begin is not None]
    assert [(begin.start - START, begin.audio) for begin in begins] == [(0, SOUND), (5 * S, None)]


def test_sound_that_comes_late_goes_into_the_file_of_its_time() -> None:
    """Cameras send it a moment after the picture that it goes with."""
    items = list(items_of(endless(CLIP, START, 70, sounds=SOUNDS)))
    late = sorted(items, key=lambda item: item.fragment.dts + (S // 5 if item.fragment.is_audio else 0))
    cutter, parts = Cutter(), []
    for at in range(0, len(late), 10):
        parts += cutter.take(late[at : at + 10])
    parts += cutter.take((), final=True)
    border = next(n for n, part in enumerate(parts) if n and part.begin is not None)
    heard = [fragment.dts for part in parts[:border] for fragment in part.fragments if fragment.is_audio]
    assert max(heard) < START + 60 * S <= max(heard) + SOUNDS[0].duration
    after = [fragment.dts for part in parts[border:] for fragment in part.fragments if fragment.is_audio]
    assert min(after) == max(heard) + SOUNDS[0].duration
    assert len(heard) + len(after) == sum(item.fragment.is_audio for item in items)
    assert HELD > S // 5


def test_what_cannot_be_decoded_is_in_no_file() -> None:
    units = list(endless(CLIP, START, 4))
    assert ends(cut(units[3:])) == [(1, 4)]
    cutter = Cutter()
    items = list(items_of(units))
    parts = cutter.take(items[:40]) + cutter.interrupt() + cutter.take(items[45:], final=True)
    assert [part.begin.start for part in parts if part.begin] == [START, START + 2 * S]
    assert [part.ends for part in parts if part.ends] == [START + 40 * FRAME, START + 4 * S]


def test_the_roll_reaches_back_as_far_as_asked_and_no_further() -> None:
    roll = Roll()
    for n, item in enumerate(items_of(endless(CLIP, START, 20, sounds=SOUNDS))):
        roll.push(item, 5 * S)
        kept = list(roll._items)
        assert roll.size == sum(len(each.fragment.message) for each in kept)
        now = item.fragment.dts
        if n and now > START + 7 * S:
            assert kept[0].fragment.is_idr
            assert 4.9 * S <= now - kept[0].fragment.dts <= 6.1 * S  # sound is a little ahead
    items = roll.take()
    assert roll.size == 0
    assert items[-1].fragment.dts - items[0].fragment.dts > 5 * S
    small = Roll(most=items[0].fragment.body.nbytes * 3)
    for item in items:
        small.push(item, 5 * S)
        assert small.size <= items[0].fragment.body.nbytes * 3
    for item in items_of(endless(CLIP, START, 1)):
        small.push(item, 5 * S)  # another run: what was is forgotten
    assert {each.fragment.run for each in small._items} <= {item.fragment.run}


def test_memory_is_bounded_and_shared() -> None:
    memory = Memory(1000)
    assert memory.take("a", 900)
    assert not memory.take("a", 101)
    assert memory.take("a", 100)
    assert not memory.take("b", 1)
    memory.keep("a", 400)
    assert not memory.take("a", 200, again=True)  # after a refusal half has to be free first
    assert memory.take("b", 300)
    assert memory.total == 700
    assert not memory.take("a", 200)  # has more than its share, once half is gone
    assert memory.take("b", 150)
    memory.keep("a", 0)
    memory.keep("b", 0)
    assert memory.total == 0


@given(st.integers(0, 4_000_000_000 * S))
def test_the_name_of_a_file_is_its_time(start: int) -> None:
    name = name_of(start)
    assert name == to_rfc3339(start).replace("-", "").replace(":", "") + ".mp4"
    found = start_of(name)
    assert found is not None
    assert 0 <= start - found < S // 1000


def test_other_names_are_none_of_ours() -> None:
    for name in ("index.db", "20260101T000000Z.mp4", "20261301T000000.000Z.mp4", "20260101T000000.000Z.mp4.part", ""):
        assert start_of(name) is None
