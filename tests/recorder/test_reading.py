"""A file read by its own bytes, against a reader that goes from box to box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from appliance._native.fmp4 import OVERHEAD, fragment
from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.faults import Fault
from appliance.media.fmp4 import VIDEO_TRACK, init_segment
from appliance.media.fmp4_read import Mp4Error
from appliance.recorder import reading, upkeep
from appliance.recorder.archive import Archive
from appliance.recorder.files import name_of
from appliance.recorder.reading import Reading, read_recording
from appliance.recorder.recovering import adopt, unknown_files
from tests.media.clips import encode_aac, encode_h264
from tests.media.recorded import table_of
from tests.recorder.made import endless, make_recording, open_index
from tests.recorder.studio import CLIP, GATE, START

if TYPE_CHECKING:
    from pathlib import Path

BACK = encode_h264(50, (160, 90), gop=25, b=2)
_, SOUNDS = encode_aac(2.0)


def reading_of(content: bytes) -> Reading:
    return read_recording(lambda offset, size: content[offset : offset + size], len(content))


@pytest.mark.parametrize("clip", [CLIP, BACK], ids=["in order", "with pictures that overtake"])
def test_two_readers_find_the_same(tmp_path: Path, clip: object) -> None:
    make_recording(tmp_path, endless(clip, START, 6, sounds=SOUNDS), camera_id=GATE)  # type: ignore[arg-type]
    (path,) = (tmp_path / "recordings" / GATE / "main").glob("*.mp4")
    content = path.read_bytes()
    found, wanted = reading_of(content).table(), table_of(content)
    assert found.init_size == wanted.init_size
    for column in ("flags", "dts", "duration", "composition", "size", "offset"):
        assert getattr(found, column).tolist() == getattr(wanted, column).tolist()


def test_what_leads_a_key_picture_is_known() -> None:
    rows = [(0, 0, True), (3600, 7200, False), (7200, 7200, True), (10800, 0, False), (14400, 3600, False)]
    content = init_segment(CLIP.format, None) + b"".join(
        fragment(b"", b"x" * 50, VIDEO_TRACK, 1, dts, 3600, composition, sync=sync) for dts, composition, sync in rows
    )
    for table in (reading_of(content).table(), table_of(content)):
        assert [bool(flag & 4) for flag in table.flags.tolist()] == [False, False, False, True, False]


def test_a_time_that_no_clock_has_is_damage() -> None:
    """Where it is all that there is of pictures, too; found by damaging files at random."""
    init = init_segment(CLIP.format, None)
    good = fragment(b"", b"x" * 50, VIDEO_TRACK, 1, 3600, 3600, 0, sync=True)
    bad = good[:60] + b"\xff" * 8 + good[68:]  # its base decode time
    table = reading_of(init + bad + good).table()
    assert (table.dts.tolist(), table.size.tolist()) == ([3600], [50])
    with pytest.raises(Mp4Error):
        reading_of(init + bad)


@pytest.mark.parametrize("tail", [500, 1 << 20])
def test_a_file_that_begins_later_is_taken_into_the_index_with_its_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tail: int
) -> None:
    """As a repair leaves it, when its beginning was damaged: decode times go on counting from the old one."""
    monkeypatch.setattr(reading, "_TAIL", tail)
    index = open_index(tmp_path)
    make_recording(tmp_path, endless(CLIP, START, 4), camera_id=GATE, index=index)
    (before,) = index.files(GATE, "main", START, START + 4 * S)
    content = before.path.read_bytes()
    table = table_of(content)
    upkeep.remove(index, before)
    before.path.unlink()
    later = before.path.with_name(name_of(START + 2 * S))
    later.write_bytes(content[: table.init_size] + content[int(table.offset[50]) - OVERHEAD :] + b"half a head")
    assert list(unknown_files(index, everything=True)) == [later]
    assert adopt(index, later)
    (file,) = index.files(GATE, "main", START, START + 8 * S)
    assert (file.start, file.end, file.zero) == (START + 2 * S, START + 4 * S, START)
    assert file.size == later.stat().st_size - len(b"half a head")
    index.database.close()


async def test_of_a_damaged_file_that_the_index_has_not_read_what_is_before_the_damage_is_played(
    tmp_path: Path,
) -> None:
    index = open_index(tmp_path)
    make_recording(tmp_path, endless(CLIP, START, 4), camera_id=GATE, index=index)
    (file,) = index.files(GATE, "main", START, START + 4 * S)
    content = file.path.read_bytes()
    whole = table_of(content)
    index.put(file, init=content[: whole.init_size], table=None)
    head = int(whole.offset[60]) - OVERHEAD
    file.path.write_bytes(content[:head] + bytes(40) + content[head + 40 :])
    table = (await Archive(index).open(file)).table
    assert table.offset.tolist() == whole.offset[:60].tolist()
    first = int(whole.offset[0]) - OVERHEAD
    file.path.write_bytes(content[:first] + bytes(40) + content[first + 40 :])
    with pytest.raises(Mp4Error, match="no picture"):
        reading_of(file.path.read_bytes()).up_to_damage()
    with pytest.raises(Fault) as damaged:
        await Archive(index).open(file)
    assert damaged.value.code == "recording_damaged"
    file.path.unlink()
    with pytest.raises(Fault) as gone:
        await Archive(index).open(file)
    assert gone.value.code == "recording_gone"
    index.database.close()
