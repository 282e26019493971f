"""What a crash leaves is put right, wherever it struck; an index that is lost is found again in the files."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from appliance._native.fmp4 import OVERHEAD
from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import ManualClock
from appliance.base.faults import Fault
from appliance.recorder.archive import Archive
from appliance.recorder.cutting import Cutter
from appliance.recorder.files import Span
from appliance.recorder.recovering import adopt, recover, unknown_files
from appliance.recorder.writing import Writer
from tests.media.clips import encode_aac, encode_h264
from tests.media.recorded import table_of
from tests.recorder.made import endless, items_of, make_recording, open_index
from tests.recorder.studio import CLIP, GATE, START

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from appliance.recorder.index import Index

BACK = encode_h264(50, (160, 90), gop=25, b=2)
_, SOUNDS = encode_aac(2.0)
EVER = (0, 1 << 62)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    found = open_index(tmp_path)
    yield found
    found.database.close()


def test_f4_a_file_cut_anywhere_is_recovered_to_its_last_whole_picture(tmp_path: Path, index: Index) -> None:
    """As `kill -9` leaves it: a row without an end, and bytes up to anywhere."""
    writer, cutter = Writer(index, ManualClock(), GATE, "main"), Cutter()
    for part in cutter.take(items_of(endless(CLIP, START, 4, sounds=SOUNDS))):
        assert writer.write(part)
    writer.abandon()
    (file,) = index.unfinished(GATE, "main")
    content = file.path.read_bytes()
    whole = table_of(content)
    borders = [0, whole.init_size, *(whole.offset + whole.size).tolist()]
    for length in (0, 1, whole.init_size, whole.init_size + 50, 40_000, len(content) - 1, len(content)):
        file.path.write_bytes(content[:length])
        recover(index, GATE, "main")
        end = max(border for border in borders if border <= length)
        if end <= whole.init_size:
            assert not file.path.exists()
            assert index.files(GATE, "main", *EVER) == []
            assert index.sequences(GATE, "main", *EVER)[0] == []
        else:
            (found,) = index.files(GATE, "main", *EVER)
            assert found.path.stat().st_size == found.size == end
            held = int((whole.offset + whole.size <= length).sum())
            shown = whole.pictures[whole.pictures < held]
            assert found.end - found.zero == int((whole.pts + whole.duration)[shown].max())
            assert index.sequences(GATE, "main", *EVER)[0] == [Span(found.start, found.end)]
            assert index.streams()[0].bytes == found.size
        assert index.unfinished(GATE, "main") == []
        # and as it was before
        with index.database.write() as connection:
            for table in ("files", "sequences", "contents"):
                connection.execute(f"DELETE FROM {table}")
            connection.execute("UPDATE streams SET bytes = 0")
        index.leave(index.begin(GATE, "main", zero=file.zero, start=file.start, init=b"", arrived=0))


@pytest.mark.parametrize("damage", ["its init segment", "its first head", "a head in the middle"])
def test_f4_what_is_behind_damage_is_not_given_up(tmp_path: Path, index: Index, damage: str) -> None:
    writer, cutter = Writer(index, ManualClock(), GATE, "main"), Cutter()
    for part in cutter.take(items_of(endless(CLIP, START, 4))):
        assert writer.write(part)
    writer.abandon()
    (file,) = index.unfinished(GATE, "main")
    content = file.path.read_bytes()
    whole = table_of(content)
    heads = whole.offset - OVERHEAD
    at, left = {
        "its init segment": (content.index(b"avcC"), range(len(whole))),
        "its first head": (int(heads[0]), range(25, len(whole))),  # up to the next key picture nothing can be decoded
        "a head in the middle": (int(heads[30]), [*range(30), *range(50, len(whole))]),
    }[damage]
    file.path.write_bytes(content[:at] + bytes(20) + content[at + 20 :] + b"half a head")
    recover(index, GATE, "main")
    assert index.unfinished(GATE, "main") == []
    (found,) = index.files(GATE, "main", *EVER)
    mended = found.path.read_bytes()
    assert len(mended) == found.size
    datas = [content[at : at + size] for at, size in zip(whole.offset.tolist(), whole.size.tolist(), strict=True)]
    table = table_of(mended)
    assert [mended[at : at + size] for at, size in zip(table.offset.tolist(), table.size.tolist(), strict=True)] == [
        datas[number] for number in left
    ]
    assert mended[: table.init_size] == content[: whole.init_size]
    assert (found.zero, found.end) == (file.zero, file.zero + whole.ends_at)


def test_recording_goes_on_behind_what_was_recovered(tmp_path: Path, index: Index) -> None:
    writer, cutter = Writer(index, ManualClock(), GATE, "main"), Cutter()
    for part in cutter.take(items_of(endless(CLIP, START, 4))):
        assert writer.write(part)
    writer.abandon()
    recover(index, GATE, "main")
    make_recording(tmp_path, endless(CLIP, START + 9 * S, 4), camera_id=GATE, index=index)
    make_recording(tmp_path, endless(CLIP, START + 11 * S, 4), camera_id=GATE, index=index)  # the clock was set back
    assert index.sequences(GATE, "main", *EVER)[0] == [
        Span(START, START + 4 * S),
        Span(START + 9 * S, START + 17 * S),
    ]


@pytest.mark.parametrize("clip", [CLIP, BACK], ids=["in order", "with pictures that overtake"])
async def test_a_lost_index_is_found_again(tmp_path: Path, clip: object) -> None:
    index = open_index(tmp_path)
    make_recording(tmp_path, endless(clip, START, 130, sounds=SOUNDS), camera_id=GATE, index=index)  # type: ignore[arg-type]
    make_recording(tmp_path, endless(clip, START + 3600 * S, 5), camera_id=GATE, stream="sub", index=index)  # type: ignore[arg-type]
    before = [file for stream in ("main", "sub") for file in index.files(GATE, stream, *EVER)]
    index.database.close()
    for path in tmp_path.joinpath("recordings").glob("index.db*"):
        path.unlink()
    (tmp_path / "recordings" / GATE / "main" / "notes.txt").write_text("mine")
    (tmp_path / "recordings" / GATE / "main" / "20260101T000000.000Z.mp4").write_bytes(b"no recording")
    index = open_index(tmp_path)
    assert index.database.lost
    found = list(unknown_files(index, everything=True))
    assert [path for path in found if not adopt(index, path)] == [
        tmp_path / "recordings" / GATE / "main" / "20260101T000000.000Z.mp4"
    ]
    after = [file for stream in ("main", "sub") for file in index.files(GATE, stream, *EVER)]
    archive = Archive(index)
    for one, other in zip(before, after, strict=True):
        assert (one.path, one.size) == (other.path, other.size)
        assert 0 <= one.start - other.start < 90  # the name is exact to a millisecond
        assert one.zero - other.zero == one.start - other.start
        assert abs(one.end - other.end) < 90 + S // 25 * 3
        assert (await archive.open(other)).table.file_size == other.size
    spans = index.sequences(GATE, "main", *EVER)[0]
    assert [round((span.end - span.start) / S) for span in spans] == [130]
    assert [path.name for path in unknown_files(index, everything=True)] == ["20260101T000000.000Z.mp4"]
    index.database.close()


async def test_a_damaged_index_is_put_aside_and_begun_anew(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    make_recording(tmp_path, endless(CLIP, START, 5), camera_id=GATE, index=index)
    index.database.close()
    path = tmp_path / "recordings" / "index.db"
    size = path.stat().st_size
    path.write_bytes(b"SQLite format 3\0" + b"\xa5" * (size - 16))
    index = open_index(tmp_path)
    assert index.files(GATE, "main", *EVER) == []
    assert index.database.lost
    assert (tmp_path / "recordings" / "index.db.damaged-1").stat().st_size == size
    (found,) = unknown_files(index, everything=True)
    assert adopt(index, found)
    assert len(index.files(GATE, "main", *EVER)) == 1
    index.database.close()


async def test_damage_that_shows_later_is_mended_too(tmp_path: Path) -> None:
    """The file that is being written meanwhile gets its row when it is complete."""
    index = open_index(tmp_path)
    archive = Archive(index)
    make_recording(tmp_path, endless(CLIP, START - 60 * S, 3), camera_id=GATE, stream="sub", index=index)
    make_recording(tmp_path, endless(CLIP, START, 5), camera_id=GATE, index=index)
    for stream in ("sub", "main"):
        await archive.open(index.files(GATE, stream, *EVER)[0])
    writer, cutter = Writer(index, ManualClock(), GATE, "main"), Cutter()
    parts = cutter.take(items_of(endless(CLIP, START + 20 * S, 5)), final=True)
    ends, parts[-1].ends = parts[-1].ends, None
    for part in parts:
        writer.write(part)
    index.database.lost = False
    path = tmp_path / "recordings" / "index.db"
    for each in (index.database._writer, index.database._reader):
        each.execute("PRAGMA cache_size = 0")
    index.database._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as content:
        content.seek(4096)
        content.write(b"\xa5" * (path.stat().st_size - 4096))
    with pytest.raises(Fault) as damaged:
        index.files(GATE, "main", *EVER)
    assert damaged.value.code == "recording_index_damaged"
    assert index.files(GATE, "main", *EVER) == []
    assert index.database.lost
    parts[-1].ends = ends
    writer.write(parts[-1])
    for found in unknown_files(index, everything=True):
        assert adopt(index, found)
    files = index.files(GATE, "main", *EVER)
    for file in [*files, *index.files(GATE, "sub", *EVER)]:  # their numbers are others now
        assert (await archive.open(file)).table.file_size == file.size
    assert [round((file.start - START) / S) for file in files] == [0, 20]
    assert all(file.end - file.start == 5 * S for file in files)
    assert all(before.end <= after.start for before, after in pairwise(files))
    index.database.close()
