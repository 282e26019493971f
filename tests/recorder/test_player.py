"""A stream's recordings as one strip: groups of pictures over the borders of files, and what is on the screen when."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from appliance.base.faults import Fault
from appliance.media.units import AccessUnit
from appliance.recorder.archive import Archive
from appliance.recorder.player import GAP, Strip
from appliance.recorder.spool import Cursor, Spool
from tests.media.clips import encode_aac, encode_h264
from tests.recorder.made import endless, make_recording, open_index
from tests.streams.recordings import FRAME, with_leading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.recorder.player import Group

CAMERA = "11111111-2222-4333-8444-555555555555"
S = 90_000
START = 1_790_000_000 * S
#: Pictures that overtake others; open groups: pictures before a key picture that refer to what was before that.
OPEN = with_leading(
    encode_h264(175, (160, 90), gop=25, b=2, **{"x264-params": "open-gop=1:scenecut=0:keyint=25:bframes=2"})
)
SOUND, SOUNDS = encode_aac(2.0)
#: 65 s with sound in two files, a hole of a second, 10 s, a gap, 10 s.
UNITS = [
    list(endless(OPEN, START + start * S, seconds, sounds=SOUNDS)) for start, seconds in ((0, 65), (66, 10), (3600, 10))
]
#: When each picture is shown.
PIECES = [sorted(unit.pts for unit in units if isinstance(unit, AccessUnit)) for units in UNITS]
TIMES = [at for piece in PIECES for at in piece]


@pytest.fixture(scope="module")
def strip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strip]:
    folder = tmp_path_factory.mktemp("strip")
    index = open_index(folder)
    for units in UNITS:
        make_recording(folder, units, index=index)
    yield Strip(Archive(index), CAMERA, "main")
    index.database.close()


async def test_every_picture_is_on_the_screen_at_its_time_until_the_next(strip: Strip) -> None:
    for at in random.Random(1).sample(TIMES, 60) + TIMES[:3] + TIMES[-3:] + TIMES[60 * 25 - 3 : 60 * 25 + 3]:
        follower = min((each for each in TIMES if each > at), default=at + FRAME)
        for later in (0, 1, min(follower - at, FRAME) - 1):
            scene = await strip.scene_at(at + later)
            assert scene is not None
            assert scene.upto(at + later) == at


async def test_a_scene_has_what_is_needed_for_each_of_its_pictures_and_begins_with_a_key_picture(strip: Strip) -> None:
    scene = await strip.scene_at(START + 60 * S - FRAME)  # before the border of two files
    assert scene is not None
    assert len(scene.parts) == 2, "what leads the first key picture of the next file is shown before it"
    for at in scene.times:
        needed = scene.needed((at,))
        assert needed[-1][2] == at
        opened, number, _ = needed[0]
        assert number in opened.table.key_pictures
    assert scene.needed(()) == []


async def test_groups_follow_each_other_both_ways_over_files_and_gaps(strip: Strip) -> None:
    group: Group | None = await strip.group_at(START)
    keys, shown = [], []
    while group is not None:
        keys.append(group.key_at)
        shown += (await strip.scene(group)).times
        last, group = group, await strip.after(group)
    assert shown == TIMES
    back = []
    group = last
    while group is not None:
        back.append(group.key_at)
        group = await strip.before(group)
    assert back == keys[::-1]


async def test_steps_go_to_the_next_picture_and_back_over_everything(strip: Strip) -> None:
    known = TIMES
    ends = len(PIECES[0]), len(PIECES[0]) + len(PIECES[1])
    for place in (0, 1, 7, *(each + n for each in (60 * 25, *ends) for n in (-3, -2, -1, 0, 1)), len(known) - 1):
        at = known[place]
        assert await strip.step(at, 1) == (known[place + 1] if place + 1 < len(known) else None)
        assert await strip.step(at, -1) == (known[place - 1] if place else None)
    gap = START + 100 * S
    assert (await strip.step(gap, 1), await strip.step(gap, -1)) == (PIECES[2][0], PIECES[1][-1])
    assert (await strip.step(START - S, -1), await strip.step(START + 4000 * S, 1)) == (None, None)


async def test_a_hole_is_no_gap_and_a_gap_is_one(strip: Strip) -> None:
    assert GAP > S
    hole = await strip.scene_at(START + 65 * S + S // 2)
    assert hole is not None
    assert hole.upto(START + 65 * S + S // 2) == PIECES[0][-1]
    assert await strip.scene_at(START + 77 * S) is None
    before, after = await strip.neighbours(START + 100 * S)
    assert before is not None
    assert (before - PIECES[1][-1] <= 3 * FRAME, after) == (True, PIECES[2][0])


async def test_a_file_that_was_deleted_is_a_hole_that_is_got_over(strip: Strip) -> None:
    archive = strip.archive
    index = archive._index
    files = await archive.files(CAMERA, "main", START, START + 70 * S)
    with index.database.write() as connection:
        row = connection.execute("SELECT * FROM files WHERE start = ?", (files[0].start,)).fetchone()
        connection.execute("DELETE FROM files WHERE start = ?", (files[0].start,))
    try:
        inside = START + 30 * S
        assert await strip.group_at(inside) is None
        assert await strip.neighbours(inside) == (None, files[1].start)
        first = await strip.group_at(files[1].start)
        assert first is not None
        assert await strip.before(first) is None
    finally:
        with index.database.write() as connection:
            connection.execute(f"INSERT INTO files VALUES ({', '.join('?' * len(row))})", tuple(row))


async def test_a_cursor_goes_through_all_samples_and_a_spool_reads_them(strip: Strip) -> None:
    group = await strip.group_at(START + 55 * S)
    assert group is not None
    cursor, spool = Cursor(strip, group), Spool(strip.archive)
    pictures, heard, files = [], [], {cursor.opened.file.id}
    while cursor.dts < START + 64 * S:
        fragment = await spool.fragment(cursor.opened, cursor.number)
        content = cursor.opened.file.path.read_bytes()
        end = int(cursor.opened.table.offset[cursor.number] + cursor.opened.table.size[cursor.number])
        assert content[end - len(fragment) : end] == fragment
        assert fragment[4:8] == b"moof"
        (heard if cursor.is_audio else pictures).append(cursor.pts)
        assert await cursor.advance()
        files.add(cursor.opened.file.id)
    assert len(files) == 2
    first = TIMES.index(min(pictures))
    assert sorted(pictures)[:-3] == TIMES[first : first + len(pictures) - 3]
    assert {after - before for before, after in pairwise(heard)} == {SOUNDS[0].duration}


async def test_what_is_deleted_while_it_is_read_is_told(strip: Strip) -> None:
    group = await strip.group_at(START + 3600 * S)
    assert group is not None
    away = group.file.path.with_suffix(".away")
    group.file.path.rename(away)
    try:
        with pytest.raises(Fault) as gone:
            await Spool(strip.archive).sample(group.opened, group.first)
        assert gone.value.code == "recording_gone"
    finally:
        away.rename(group.file.path)


async def test_what_is_damaged_is_got_over(strip: Strip) -> None:
    files = await strip.archive.files(CAMERA, "main", START, START + 70 * S)
    path, good = files[1].path, await strip.group_at(START + 10 * S)
    index = strip.archive._index
    strip.archive._opened.clear()
    with index.database.write() as connection:
        (blob,) = connection.execute("SELECT samples FROM contents WHERE id = ?", (files[1].id,)).fetchone()
        connection.execute("UPDATE contents SET samples = ? WHERE id = ?", (b"nonsense", files[1].id))
    try:
        assert await strip.group_at(START + 62 * S) is None
        assert await strip.neighbours(START + 62 * S) == (files[0].end, PIECES[1][0])
        assert good is not None
        last = await strip.group_at(files[0].end - 1)
        assert last is not None
        follower = await strip.after(last)
        assert follower is not None
        assert follower.key_at == PIECES[1][0]
        back = await strip.before(follower)
        assert back is not None
        assert back.key_at == last.key_at
    finally:
        with index.database.write() as connection:
            connection.execute("UPDATE contents SET samples = ? WHERE id = ?", (blob, files[1].id))
        assert path.exists()
