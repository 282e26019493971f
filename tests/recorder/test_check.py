"""The check of the recordings: what it finds, what it does about it, and what it leaves alone."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from appliance._native.fmp4 import OVERHEAD
from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import ManualClock
from appliance.base.faults import Fault
from appliance.media.fmp4_read import read_samples
from appliance.recorder import rows, upkeep
from appliance.recorder.check import Check
from appliance.recorder.cutting import Cutter
from appliance.recorder.differences import Kind, Remark, Report
from appliance.recorder.files import Span
from appliance.recorder.writing import Writer
from tests.media.clips import encode_aac, encode_h264
from tests.recorder.made import endless, items_of, make_recording, open_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from appliance.recorder.index import Index

CAMERA = "11111111-2222-4333-8444-555555555555"
START = 1_790_000_000 * S
CLIP = encode_h264(20, (64, 64), fps=5, gop=5, b=1)
SOUND, SOUNDS = encode_aac(2.0)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files of the main stream, a gap, one with sound; one of the sub stream."""
    folder = tmp_path_factory.mktemp("recorded")
    make_recording(folder, endless(CLIP, START, 125, fps=5))
    make_recording(folder, endless(CLIP, START + 600 * S, 10, fps=5, sounds=SOUNDS))
    make_recording(folder, endless(CLIP, START, 10, fps=5), stream="sub")
    return folder


@pytest.fixture
def folder(recorded: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    shutil.copytree(recorded / "recordings", tmp_path / "recordings")
    return tmp_path


def check(folder: Path, *, repair: bool = False, thorough: bool = False, index: Index | None = None) -> Report:
    """A whole check."""
    used = index or open_index(folder)
    try:
        made = Check(used, {CAMERA}, repair=repair, thorough=thorough)
        for _ in made.steps():
            pass
    finally:
        if index is None:
            used.database.close()
    assert made.report.left == sum(not each.mended for each in made.report.differences)
    return made.report


def mended(folder: Path, *, thorough: bool = False) -> list[tuple[Kind, str]]:
    """What is found: the same by a check that changes nothing, and one that repairs; then nothing is left."""
    open_index(folder).database.close()  # an index that is lost is begun anew by whoever opens it
    before = contents(folder)
    found = check(folder, thorough=thorough)
    assert contents(folder) == before, "a check without repair changed something"
    assert found.left == found.found
    assert not any(each.action for each in found.differences)
    repaired = check(folder, repair=True, thorough=thorough)
    assert repaired.left == 0, repaired.differences
    assert all(each.action for each in repaired.differences)
    again = check(folder, thorough=True)
    assert again.found == 0, again.differences
    kinds = [(each.kind, each.path.rpartition("/")[2]) for each in found.differences]
    assert {kind for kind, _ in kinds} >= {each.kind for each in repaired.differences} - {Kind.SUMS_WRONG}
    return kinds


def contents(folder: Path) -> dict[str, bytes]:
    """All files but the index, and what is in that."""
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted((folder / "recordings").rglob("*"))
        if path.is_file() and not path.name.startswith("index.db")
    }
    try:
        with sql(folder) as connection:
            return files | {"index": "\n".join(connection.iterdump()).encode()}
    except sqlite3.DatabaseError:
        return files


@contextmanager
def sql(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "recordings" / "index.db")) as connection, connection:
        yield connection


def files(folder: Path, stream: str = "main") -> list[Path]:
    return sorted((folder / "recordings" / CAMERA / stream).glob("*.mp4"))


def indexed(folder: Path, stream: str = "main") -> list[Any]:
    index = open_index(folder)
    try:
        return index.files(CAMERA, stream, 0, 1 << 62)
    finally:
        index.database.close()


def ranges(folder: Path) -> list[Span]:
    index = open_index(folder)
    try:
        return index.sequences(CAMERA, "main", 0, 1 << 62)[0]
    finally:
        index.database.close()


def put_aside(folder: Path) -> list[str]:
    aside = folder / "recordings" / "damaged"
    return sorted(path.name for path in aside.rglob("*") if path.is_file())


def test_what_was_recorded_in_order_is_in_order(folder: Path) -> None:
    for thorough in (False, True):
        report = check(folder, thorough=thorough)
        assert (report.found, report.noticed, report.files) == (0, 0, 5)
        assert report.size == sum(path.stat().st_size for path in files(folder) + files(folder, "sub"))


def test_a_file_that_is_gone_leaves_the_index(folder: Path) -> None:
    gone = files(folder)[1]
    gone.unlink()
    assert mended(folder) == [(Kind.FILE_MISSING, gone.name)]
    assert ranges(folder) == [
        Span(START, START + 60 * S),
        Span(START + 120 * S, START + 125 * S),
        Span(START + 600 * S, START + 610 * S),
    ]


def test_a_file_that_the_index_does_not_know_is_taken_in_as_it_was(folder: Path) -> None:
    before, spans = indexed(folder), ranges(folder)
    with sql(folder) as connection:
        connection.execute("DELETE FROM files WHERE stream = 1")
        connection.execute("DELETE FROM contents")
        connection.execute("DELETE FROM sequences WHERE stream = 1")
        connection.execute("UPDATE streams SET bytes = 0 WHERE id = 1")
    found = mended(folder)
    assert found[:4] == [(Kind.NOT_INDEXED, path.name) for path in files(folder)]
    assert [(each.zero, each.start, each.size) for each in indexed(folder)] == [
        (each.zero, each.start, each.size) for each in before
    ]
    assert ranges(folder) == spans


def test_the_tail_of_a_process_that_was_killed_is_cut_off_and_kept(folder: Path) -> None:
    last = files(folder)[-1]
    whole = last.read_bytes()
    end = [each.end for each in read_samples(whole)][200]
    last.write_bytes(whole[: end + 150])
    with sql(folder) as connection:
        connection.execute("UPDATE files SET grows = 1, length = 0, size = 0 WHERE start = ?", (START + 600 * S,))
        connection.execute("UPDATE contents SET samples = NULL WHERE id = 4")
        connection.execute("UPDATE streams SET bytes = (SELECT sum(size) FROM files WHERE stream = 1) WHERE id = 1")
    assert (Kind.UNFINISHED, last.name) in mended(folder)
    assert last.read_bytes() == whole[:end]
    aside = folder / "recordings" / "damaged" / CAMERA / "main" / f"{last.name}.tail"
    assert aside.read_bytes() == whole[end : end + 150]
    assert indexed(folder)[-1].size == end


@pytest.mark.parametrize("change", [-1000, -1, 1, 5000], ids=lambda change: f"{change:+}")
def test_a_file_of_another_size_is_indexed_up_to_its_last_whole_picture(folder: Path, change: int) -> None:
    path = files(folder)[0]
    whole = path.read_bytes()
    path.write_bytes(whole + b"\x68" * change if change > 0 else whole[:change])
    assert mended(folder)[0] == (Kind.SIZE_DIFFERS, path.name)
    left = path.read_bytes()
    assert whole.startswith(left)
    ends = [each.end for each in read_samples(whole)]
    assert len(left) == (len(whole) if change > 0 else max(end for end in ends if end <= len(whole) + change))
    assert put_aside(folder) == ([] if len(left) == len(whole) + change else [f"{path.name}.tail"])


def test_an_empty_file_and_one_of_something_else_go_aside(folder: Path) -> None:
    first, second = files(folder)[:2]
    first.write_bytes(b"")
    second.write_bytes(os.urandom(second.stat().st_size))
    assert mended(folder, thorough=True)[:2] == [(Kind.UNREADABLE, first.name), (Kind.UNREADABLE, second.name)]
    assert put_aside(folder) == [first.name, second.name]
    assert [file.path.name for file in indexed(folder)] == [path.name for path in files(folder)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE contents SET samples = x'0102' WHERE id = 2",
        "UPDATE contents SET samples = (SELECT samples FROM contents WHERE id = 4) WHERE id = 2",
        "UPDATE contents SET format = 99 WHERE id = 2",
        "DELETE FROM contents WHERE id = 2",
        "UPDATE formats SET init = zeroblob(length(init)) WHERE id = 1",
    ],
)
def test_nonsense_in_the_index_is_replaced_by_what_is_in_the_file(folder: Path, statement: str) -> None:
    before = [path.read_bytes() for path in files(folder)]
    with sql(folder) as connection:
        connection.execute(statement)
    found = mended(folder)
    assert {kind for kind, _ in found} == {Kind.SAMPLES_DAMAGED}
    assert files(folder)[1].name in {name for _, name in found}
    assert [path.read_bytes() for path in files(folder)] == before
    assert [file.start - START for file in indexed(folder)] == [0, 60 * S, 120 * S, 600 * S]


def test_bytes_that_changed_on_the_disk_are_restored_from_the_index(folder: Path) -> None:
    path = files(folder)[0]
    whole = path.read_bytes()
    starts = [each.start - OVERHEAD for each in read_samples(whole)]
    damaged = bytearray(whole)
    damaged[40] ^= 1  # in the init segment
    damaged[starts[3] + 64] ^= 0x40  # a decoding time
    path.write_bytes(damaged)
    assert check(folder).found == 0, "nobody reads files unless asked to"
    assert mended(folder, thorough=True) == [(Kind.CONTENT_DAMAGED, path.name)]
    assert path.read_bytes() == whole


def test_another_file_in_the_place_of_one_is_believed_and_not_the_index(folder: Path) -> None:
    path = files(folder)[0]
    with sql(folder) as connection:
        blob, size = connection.execute(
            "SELECT samples, files.size FROM contents JOIN files ON content = id WHERE id = 1"
        ).fetchone()
    shifted = bytearray(path.read_bytes())
    for each in read_samples(bytes(shifted)):
        at = each.start - OVERHEAD + 60
        shifted[at : at + 8] = (each.dts + 7).to_bytes(8, "big")
    path.write_bytes(shifted)
    assert blob
    assert size == len(shifted)
    assert mended(folder, thorough=True) == [(Kind.SAMPLES_DAMAGED, path.name)]
    assert path.read_bytes() == shifted


def test_a_hole_in_a_file_that_nothing_else_knows_costs_the_pictures_in_it(folder: Path) -> None:
    """No index, and damage in the middle: what can be decoded before and behind it stays, the rest is put aside."""
    path = files(folder)[0]
    whole = path.read_bytes()
    found = list(read_samples(whole))
    damaged = bytearray(whole)
    hole = found[23].start - OVERHEAD
    damaged[hole : hole + 300] = bytes(300)
    path.write_bytes(damaged)
    for name in ("index.db", "index.db-wal", "index.db-shm"):
        (folder / "recordings" / name).unlink(missing_ok=True)
    assert {kind for kind, _ in mended(folder)} == {Kind.NOT_INDEXED}
    assert put_aside(folder) == [path.name]
    assert (folder / "recordings" / "damaged" / CAMERA / "main" / path.name).read_bytes() == damaged
    left = path.read_bytes()
    kept = [whole[each.start - OVERHEAD : each.end] for n, each in enumerate(found) if n < 23 or n >= 25]
    assert left == whole[: found[0].start - OVERHEAD] + b"".join(kept)
    assert (indexed(folder)[0].start, indexed(folder)[0].end) == (START, START + 60 * S)
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "json"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert int(json.loads(done.stdout)["streams"][0]["nb_read_frames"]) == len(kept)


def test_a_file_whose_first_pictures_are_gone_is_called_by_those_that_are_left(folder: Path) -> None:
    path = files(folder)[2]
    whole = path.read_bytes()
    found = list(read_samples(whole))
    path.write_bytes(whole[: found[0].start - OVERHEAD] + bytes(100) + whole[found[0].start :])
    with sql(folder) as connection:
        connection.execute("DELETE FROM files WHERE start = ?", (START + 120 * S,))
        connection.execute("DELETE FROM contents WHERE id = 3")
    mended(folder)
    third = indexed(folder)[2]
    assert (third.start, third.path.name) == (START + 121 * S, "20260921T141521.000Z.mp4")
    assert third.path.exists()
    assert not path.exists()
    assert put_aside(folder) == [path.name]


@pytest.mark.parametrize("how", ["deleted", "nonsense", "a page of it"])
def test_an_index_that_is_lost_is_made_anew_from_the_files(folder: Path, how: str) -> None:
    before, spans = indexed(folder), ranges(folder)
    database = folder / "recordings" / "index.db"
    with sql(folder) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if how == "deleted":
        database.unlink()
    elif how == "nonsense":
        database.write_bytes(b"nonsense" * 1000)
    else:
        content = bytearray(database.read_bytes())
        content[3 * 4096 : 4 * 4096] = os.urandom(4096)
        database.write_bytes(content)
    check(folder, repair=True)
    assert check(folder, thorough=True).found == 0
    assert [(each.zero, each.start, each.size) for each in indexed(folder)] == [
        (each.zero, each.start, each.size) for each in before
    ]
    assert ranges(folder) == spans
    if how != "deleted":
        assert [each.name for each in database.parent.glob("index.db.damaged-*")] == ["index.db.damaged-1"]


def test_an_index_that_is_lost_is_said_to_be(folder: Path) -> None:
    (folder / "recordings" / "index.db").write_bytes(b"nonsense" * 1000)
    report = check(folder)
    assert report.counts[Kind.INDEX_LOST] == 1
    assert report.counts[Kind.NOT_INDEXED] == 5
    assert report.left == report.found == 6
    assert [(each.remark, each.path) for each in report.notices] == [(Remark.PUT_ASIDE, "index.db.damaged-1")]


def test_damage_inside_of_an_index_is_found_and_said(folder: Path) -> None:
    database = folder / "recordings" / "index.db"
    with sql(folder) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'files'").fetchone()
    content = bytearray(database.read_bytes())
    content[(root - 1) * 4096 : root * 4096] = bytes(4096)
    database.write_bytes(content)
    report = check(folder)
    assert report.counts[Kind.INDEX_DAMAGED] == 1
    assert database.read_bytes() == content
    repaired = check(folder, repair=True)
    assert repaired.left == 0
    assert repaired.counts[Kind.INDEX_DAMAGED] == 1
    assert check(folder, thorough=True).found == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE streams SET bytes = bytes + 1 WHERE id = 1",
        "DELETE FROM sequences WHERE stream = 1",
        f"INSERT INTO sequences VALUES (1, {START + 200 * S}, {START + 210 * S})",
        f'UPDATE sequences SET "end" = "end" + {3 * S} WHERE stream = 1 AND start = {START}',
    ],
)
def test_wrong_sums_are_computed_again(folder: Path, statement: str) -> None:
    spans = ranges(folder)
    with sql(folder) as connection:
        connection.execute(statement)
    assert mended(folder) == [(Kind.SUMS_WRONG, "main")]
    assert ranges(folder) == spans


def test_an_index_whose_damage_shows_when_sums_are_compared_is_put_aside(folder: Path) -> None:
    index = open_index(folder)
    index.database._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with index.database.path.open("r+b") as content:
        size = content.seek(0, os.SEEK_END)
        content.seek(4096)
        content.write(b"\xa5" * (size - 4096))
    with pytest.raises(Fault) as damaged:
        rows.sums(index, CAMERA, "main")
    assert damaged.value.code == "recording_index_damaged"
    assert index.streams() == []
    assert index.database.lost
    index.database.close()


def test_what_is_not_ours_is_named_and_left_alone(folder: Path) -> None:
    root = folder / "recordings"
    other = root / "99999999-2222-4333-8444-555555555555"
    shutil.copytree(root / CAMERA, other)
    (root / "notes.txt").write_text("mine")
    (root / CAMERA / "holiday").mkdir()
    (root / CAMERA / "main" / "film.mp4").write_bytes(b"x")
    (root / CAMERA / "main" / "20260921T000000.000Z.mp4").symlink_to("/etc/hostname")
    (root / "88888888-2222-4333-8444-555555555555").symlink_to(other)
    report = check(folder, repair=True)
    assert {(each.remark, each.path) for each in report.notices} == {
        (Remark.UNKNOWN_CAMERA, other.name),
        (Remark.FOREIGN, "notes.txt"),
        (Remark.FOREIGN, f"{CAMERA}/holiday"),
        (Remark.FOREIGN, f"{CAMERA}/main/film.mp4"),
        (Remark.FOREIGN, f"{CAMERA}/main/20260921T000000.000Z.mp4"),
        (Remark.FOREIGN, "88888888-2222-4333-8444-555555555555"),
    }
    assert {each.kind for each in report.differences} == {Kind.NOT_INDEXED}
    assert report.left == 0
    assert (root / "notes.txt").read_text() == "mine"
    assert (root / CAMERA / "main" / "film.mp4").read_bytes() == b"x"


def test_a_file_that_is_being_written_or_about_to_be_deleted_is_none_of_its_business(folder: Path) -> None:
    index = open_index(folder)
    writer = Writer(index, ManualClock(START + 900 * S), CAMERA, "main")
    parts = Cutter().take(items_of(endless(CLIP, START + 900 * S, 30, fps=5)), final=True)
    parts[0].ends = None
    assert writer.write(parts[0])
    with index.database.write() as connection:
        connection.execute("INSERT INTO doomed VALUES (1, ?)", (START,))
        connection.execute("DELETE FROM files WHERE start = ? AND stream = 1", (START,))
        connection.execute("DELETE FROM contents WHERE id = 1")
    report = check(folder, repair=True, thorough=True, index=index)
    assert {each.kind for each in report.differences} == {Kind.SUMS_WRONG}
    writer.close()
    assert check(folder, thorough=True, index=index).found == 0
    assert index.files(CAMERA, "main", START + 900 * S, START + 930 * S)[0].end == START + 930 * S
    index.database.close()


def test_a_folder_that_may_not_be_read_is_said_and_not_repaired(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files(folder)[0]
    with sql(folder) as connection:
        connection.execute("UPDATE files SET size = size + 1 WHERE start = ? AND stream = 1", (START,))
        connection.execute("UPDATE streams SET bytes = bytes + 1 WHERE id = 1")
    opened = os.open

    def refuse(name: Any, *arguments: Any, **more: Any) -> int:
        if str(name) == str(path):
            raise PermissionError(13, "Permission denied")
        return opened(name, *arguments, **more)

    monkeypatch.setattr(os, "open", refuse)
    report = check(folder, repair=True)
    assert [(each.kind, each.path) for each in report.differences] == [
        (Kind.INACCESSIBLE, f"{CAMERA}/main/{path.name}")
    ]
    assert report.left == 1


def test_what_is_deleted_to_make_room_leaves_no_difference(tmp_path: Path) -> None:
    """Also where files have gaps between them that count as none."""
    index = open_index(tmp_path)
    for number in range(6):
        start = START + number * 11 * S + number % 3 * S // 2
        make_recording(tmp_path, endless(CLIP, start, 10, fps=5), camera_id=CAMERA, index=index)
    assert len(ranges(tmp_path)) == 1
    (stream,) = index.streams()
    for number in (0, 3, 1, 5, 4, 2):
        found = upkeep.oldest(index, stream.key, -1, 10)
        row = next(each for each in found if (each.start - START) // (11 * S) == number)
        upkeep.doom(index, [row])
        assert check(tmp_path, thorough=True, index=index).found == 0, "what is doomed is still there"
        upkeep.path_of_row(index, row.key, row.start).unlink()
        upkeep.buried(index, [(row.key, row.start)])
        assert check(tmp_path, thorough=True, index=index).found == 0
    index.database.close()


def test_a_file_that_is_written_while_the_index_is_made_anew_is_in_the_new_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_index(folder)
    writer = Writer(index, ManualClock(START + 900 * S), CAMERA, "main")
    (part,) = Cutter().take(items_of(endless(CLIP, START + 900 * S, 30, fps=5)), final=True)
    part.ends = None
    assert writer.write(part)
    monkeypatch.setattr(rows, "damage", lambda *_: "torn")
    report = check(folder, repair=True, index=index)
    assert (report.counts[Kind.INDEX_DAMAGED], report.counts[Kind.NOT_INDEXED], report.left) == (1, 5, 0)
    assert not index.database.lost
    monkeypatch.undo()
    writer.close()
    assert check(folder, thorough=True, index=index).found == 0
    assert [each.start for each in index.files(CAMERA, "main", START + 900 * S, 1 << 62)] == [START + 900 * S]
    index.database.close()


def test_a_check_that_is_stopped_leaves_a_lost_index_lost(folder: Path) -> None:
    (folder / "recordings" / "index.db").unlink()
    index = open_index(folder)
    steps = Check(index, {CAMERA}, repair=True, thorough=False).steps()
    for _ in range(3):
        next(steps)
    steps.close()
    assert index.database.lost
    assert check(folder, repair=True, index=index).left == 0
    assert not index.database.lost
    index.database.close()
