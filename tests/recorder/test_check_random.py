"""Random damage to a real folder of recordings: the check finds it, repairs it, and loses nothing that can be read.

What was damaged, and what can be read of it, is known here without the product: from the bytes that were written.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance._native.fmp4 import OVERHEAD
from appliance.media.fmp4_read import read_samples
from tests.recorder.test_check import CAMERA, check, contents, open_index, recorded

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["recorded"]

HEAD_BYTES = [at for at in range(OVERHEAD) if not 20 <= at < 24]  # but the number of the fragment, which nobody reads


@dataclass
class Original:
    """A file as it was written."""

    name: str  # below the folder of recordings
    data: bytes
    init: bytes
    fragments: list[bytes]
    starts: list[int]
    keys: list[bool]
    pictures: list[bool]


@dataclass
class Scene:
    """A damaged copy.  ``noticed``: whether something was done that a thorough check has to find."""

    root: Path
    originals: list[Original]
    noticed: bool = False

    def path(self, number: int) -> Path:
        return self.root / self.originals[number % len(self.originals)].name

    def sql(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.root / "index.db")) as connection, connection:
            connection.execute(statement, values)


def originals(root: Path) -> list[Original]:
    found = []
    for path in sorted(root.rglob("*.mp4")):
        data = path.read_bytes()
        samples = list(read_samples(data))
        starts = [each.start - OVERHEAD for each in samples]
        found.append(
            Original(
                str(path.relative_to(root)),
                data,
                data[: starts[0]],
                [data[each.start - OVERHEAD : each.end] for each in samples],
                starts,
                [each.is_sync and not each.is_audio for each in samples],
                [not each.is_audio for each in samples],
            )
        )
    return found


# ── what happens to a folder ────────────────────────────────────────────────────────────────────────────────────────


def delete(scene: Scene, number: int, _: int) -> None:
    path = scene.path(number)
    scene.noticed |= path.exists()
    path.unlink(missing_ok=True)


def cut(scene: Scene, number: int, at: int) -> None:
    path = scene.path(number)
    if path.exists():
        size = path.stat().st_size
        scene.noticed |= size > 0
        with path.open("r+b") as file:
            file.truncate(at % max(1, size))


def append(scene: Scene, number: int, length: int) -> None:
    path = scene.path(number)
    if path.exists():
        with path.open("ab") as file:
            file.write(b"\x00\x00\x00\x68moof" * (1 + length % 99))
        scene.noticed = True


def flip_head(scene: Scene, number: int, where: int) -> None:
    path, original = scene.path(number), scene.originals[number % len(scene.originals)]
    at = original.starts[where % len(original.starts)] + HEAD_BYTES[where // 7 % len(HEAD_BYTES)]
    if path.exists() and at < path.stat().st_size:
        data = bytearray(path.read_bytes())
        data[at] ^= 1 << where % 8
        path.write_bytes(data)
        # twice the same bit is none; and with no index a time that is possible is believed


def wipe(scene: Scene, number: int, at: int) -> None:
    path = scene.path(number)
    if path.exists():
        data = bytearray(path.read_bytes())
        at %= max(1, len(data))
        data[at : at + 700] = bytes(len(data[at : at + 700]))
        path.write_bytes(data)


def copy_in(scene: Scene, number: int, _: int) -> None:
    (scene.root / "not ours.txt").write_text("x")


def forget_row(scene: Scene, number: int, _: int) -> None:
    scene.sql("DELETE FROM files WHERE content = ?", 1 + number % 5)
    scene.noticed |= True


def spoil_samples(scene: Scene, number: int, _: int) -> None:
    scene.sql("UPDATE contents SET samples = x'01' || samples WHERE id = ?", 1 + number % 5)


def change_size(scene: Scene, number: int, by: int) -> None:
    scene.sql("UPDATE files SET size = size + ? WHERE content = ?", 1 + by % 1000, 1 + number % 5)


def kill(scene: Scene, number: int, _: int) -> None:
    scene.sql("UPDATE files SET grows = 1, length = 0, size = 0 WHERE content = ?", 1 + number % 5)


def spoil_sums(scene: Scene, number: int, by: int) -> None:
    scene.sql("UPDATE streams SET bytes = bytes + ?", 1 + by)


def lose_index(scene: Scene, number: int, _: int) -> None:
    for ending in ("", "-wal", "-shm"):
        (scene.root / f"index.db{ending}").unlink(missing_ok=True)
    if number % 2:
        (scene.root / "index.db").write_bytes(b"nonsense" * 999)
    open_index(scene.root.parent).database.close()
    scene.noticed |= any((scene.root / each.name).exists() for each in scene.originals)


def wipe_index(scene: Scene, number: int, at: int) -> None:
    scene.sql("SELECT 1")
    path = scene.root / "index.db"
    data = bytearray(path.read_bytes())
    page = at % max(1, len(data) // 4096 - 1) + 1
    data[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
    path.write_bytes(data)


FILES = (delete, cut, append, flip_head, wipe)
ROWS = (forget_row, spoil_samples, change_size, kill, spoil_sums)
DAMAGE = st.lists(
    st.tuples(st.sampled_from((*FILES, *FILES, *ROWS, copy_in)), st.integers(0, 9), st.integers(0, 100_000)),
    min_size=1,
    max_size=4,
)
LAST = st.none() | st.sampled_from((lose_index, wipe_index))


def readable(damaged: bytes, original: Original) -> set[bytes]:
    """The fragments of a damaged file that are as they were written, behind a key picture with nothing missing."""
    kept: set[bytes] = set()
    whole = True  # everything since the beginning
    decodable = False
    for at, fragment, key, picture in zip(
        original.starts, original.fragments, original.keys, original.pictures, strict=True
    ):
        there = damaged[at : at + len(fragment)] == fragment
        decodable = there and (decodable or key or (whole and not picture)) if picture or not there else decodable
        whole = whole and there
        if there and decodable:
            kept.add(fragment)
    return kept


def in_index(root: Path) -> bytes:
    """Everything that is in the files of the index."""
    index = open_index(root.parent)
    try:
        found = [
            file.path.read_bytes()[: file.size]
            for stream in index.streams()
            for file in index.files(stream.camera_id, stream.name, 0, 1 << 62)
        ]
    finally:
        index.database.close()
    return b"".join(found)


@pytest.fixture(scope="session")
def written(recorded: Path) -> Callable[[], list[Original]]:
    found = originals(recorded / "recordings")
    return lambda: found  # a megabyte, that nobody wants to see printed


@settings(max_examples=25, deadline=None)
@given(DAMAGE, LAST)
def test_whatever_happened_is_found_and_repaired_and_nothing_that_can_be_read_is_lost(
    recorded: Path, written: Callable[[], list[Original]], damage: list[Any], last: Callable[..., None] | None
) -> None:
    with tempfile.TemporaryDirectory(prefix="fanal-check-") as name:
        root = Path(name) / "recordings"
        shutil.copytree(recorded / "recordings", root)
        scene = Scene(root, written())
        for act, number, where in damage:
            act(scene, number, where)
        if last is not None:
            last(scene, damage[0][1], damage[0][2])
        damaged = {
            each.name: (root / each.name).read_bytes() for each in scene.originals if (root / each.name).exists()
        }
        # what it says
        before = contents(root.parent)
        found = check(root.parent, thorough=True)
        assert contents(root.parent) == before
        if scene.noticed:
            assert found.found
        # what it does
        repaired = check(root.parent, repair=True, thorough=True)
        assert repaired.left == 0, repaired.differences
        assert bool(repaired.found) == bool(found.found)
        again = check(root.parent, thorough=True)
        assert again.found == 0, (repaired.differences, again.differences)
        # what is left
        indexed = in_index(root)
        everything = b"".join(path.read_bytes() for path in root.rglob("*.mp4*"))
        for original in scene.originals:
            left = damaged.get(original.name, b"")
            has_init = left.startswith(original.init)
            for fragment in readable(left, original):
                assert fragment in everything
                assert fragment in indexed or not has_init, (original.name, repaired.differences)
        assert (root / "not ours.txt").exists() == any(act is copy_in for act, _, _ in damage)
        assert {str(path.relative_to(root)).split("/", 1)[0] for path in root.rglob("*.mp4")} <= {CAMERA, "damaged"}
