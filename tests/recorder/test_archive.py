"""What was recorded is found and read again; players that nobody here wrote play it."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.faults import Fault
from appliance.media.fmp4_read import read_samples
from appliance.recorder.archive import Archive
from appliance.recorder.files import Span
from tests.media.clips import encode_aac, encode_h264
from tests.recorder.made import endless, make_recording, open_index

if TYPE_CHECKING:
    from pathlib import Path

CAMERA = "11111111-2222-4333-8444-555555555555"
CLIP = encode_h264(50, (160, 90), gop=25)
BACK = encode_h264(50, (160, 90), gop=25, b=2)
SOUND, SOUNDS = encode_aac(2.0)
START = 1_790_000_000 * S
FRAME = S // 25


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """130 s with sound, a gap of an hour, 10 s without."""
    make_recording(tmp_path, endless(CLIP, START, 130, sounds=SOUNDS))
    make_recording(tmp_path, endless(CLIP, START + 3600 * S, 10))
    return tmp_path


async def test_ranges_files_and_neighbours(recorded: Path) -> None:
    index = open_index(recorded)
    archive = Archive(index)
    everything, _ = await archive.ranges(CAMERA, 0, 1 << 62)
    assert everything == [Span(START, START + 130 * S), Span(START + 3600 * S, START + 3610 * S)]
    assert (await archive.ranges(CAMERA, START + S, START + 3601 * S))[0] == [
        Span(START + S, START + 130 * S),
        Span(START + 3600 * S, START + 3601 * S),
    ]
    whole = [Span(START, START + 3610 * S)]
    assert await archive.ranges(CAMERA, 0, 1 << 62, resolution=3600 * S, most=9) == (whole, 3600 * S)
    assert await archive.ranges(CAMERA, START, START + 3610 * S, most=1) == (whole, 3610 * S)
    assert await archive.ranges(CAMERA, 0, 1 << 62, stream="sub") == ([], 0)
    assert await archive.streams(CAMERA) == ["main"]
    assert await archive.bounds(CAMERA) == Span(START, START + 3610 * S)
    assert await archive.bounds("nobody") is None
    files = await archive.files(CAMERA, "main", 0, 1 << 62)
    assert [file.start - START for file in files] == [0, 60 * S, 120 * S, 3600 * S]
    assert [file.end - file.start for file in files] == [60 * S, 60 * S, 10 * S, 10 * S]
    assert all(file.path.stat().st_size == file.size for file in files)
    assert await archive.files(CAMERA, "main", START + 60 * S, START + 60 * S + 1) == [files[1]]
    assert await archive.file_at(CAMERA, "main", START + 125 * S) == files[2]
    assert await archive.file_at(CAMERA, "main", START + 131 * S) is None
    assert await archive.neighbours(CAMERA, "main", START + 140 * S) == (START + 130 * S, START + 3600 * S)
    assert await archive.neighbours(CAMERA, "main", START - 1) == (None, START)
    assert await archive.neighbours(CAMERA, "main", START + 3611 * S) == (START + 3610 * S, None)
    index.database.close()


async def test_a_file_is_opened_from_the_index_and_says_where_everything_is(recorded: Path) -> None:
    index = open_index(recorded)
    archive = Archive(index)
    file = (await archive.files(CAMERA, "main", 0, 1 << 62))[1]
    opened = await archive.open(file)
    assert (opened.video, opened.audio) == (CLIP.format, SOUND)
    assert opened.table.file_size == file.size
    content = file.path.read_bytes()
    assert content.startswith(opened.init)
    assert len(opened.init) == opened.table.init_size
    found = list(read_samples(content))
    assert [(each.start, each.dts) for each in found] == list(
        zip(opened.table.offset.tolist(), opened.table.dts.tolist(), strict=True)
    )
    assert len(opened.table.pictures) == 60 * 25
    assert abs(len(opened.table.sounds) * SOUNDS[0].duration - 60 * S) <= SOUNDS[0].duration
    at, size = int(opened.table.offset[7]), int(opened.table.size[7])
    assert await archive.read(file, at, size) == content[at : at + size]
    file.path.unlink()
    with pytest.raises(Fault) as gone:
        await archive.read(file, 0, 1)
    assert gone.value.code == "recording_gone"
    index.database.close()


async def test_many_files_are_opened_as_one_is(recorded: Path) -> None:
    index = open_index(recorded)
    archive = Archive(index)
    files = await archive.files(CAMERA, "main", 0, 1 << 62)
    one_by_one = [await archive.open(file) for file in files[:2]]  # and these are at hand
    opening = await archive.open_all(files)
    together = list(opening.opened)
    assert opening.samples == sum(len(each.table) for each in together[2:])
    assert [each.file for each in together] == files
    assert together[:2] == one_by_one
    assert [len(each.table.pictures) for each in together] == [1500, 1500, 250, 250]
    assert [each.audio for each in together] == [SOUND, SOUND, SOUND, None]
    assert list((await archive.open_all([])).opened) == []
    index.content = lambda _: None  # type: ignore[method-assign]  # as of an index that was lost
    index.contents = lambda _: {}  # type: ignore[method-assign]
    files[3].path.unlink()
    with pytest.raises(Fault) as gone:
        list((await archive.open_all(files)).opened)
    assert gone.value.code == "recording_gone"
    index.database.close()


async def test_sound_goes_on_over_the_border_of_files(recorded: Path) -> None:
    index = open_index(recorded)
    archive = Archive(index)
    heard = []
    for file in await archive.files(CAMERA, "main", START, START + 130 * S):
        table = (await archive.open(file)).table
        heard += [file.zero + dts for dts in table.dts[table.sounds].tolist()]
    steps = {after - before for before, after in pairwise(heard)}
    assert steps == {SOUNDS[0].duration}
    index.database.close()


@pytest.mark.parametrize("clip", [CLIP, BACK], ids=["in order", "with pictures that overtake"])
def test_ffprobe_finds_every_picture_at_its_time(tmp_path: Path, clip: object) -> None:
    make_recording(tmp_path, endless(clip, START, 62, sounds=SOUNDS))  # type: ignore[arg-type]
    first = min((tmp_path / "recordings" / CAMERA / "main").glob("*.mp4"))
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames,duration"]
    done = subprocess.run([*command, "-of", "json", str(first)], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    video, audio = json.loads(done.stdout)["streams"]
    assert (video["codec_name"], audio["codec_name"]) == ("h264", "aac")
    assert int(video["nb_read_frames"]) == 60 * 25
    assert abs(int(audio["nb_read_frames"]) - 60 * 90_000 / SOUNDS[0].duration) <= 2
