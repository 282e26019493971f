"""A camera that is a real clip, the files that a server makes of it, and whether its index agrees with them."""

from __future__ import annotations

import sqlite3
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.recorder.archive import Archive
from tests.media.recorded import table_of
from tests.recorder.made import open_index

if TYPE_CHECKING:
    from appliance.recorder.files import RecordedFile
    from tests.cli.program import Server

#: Of the clip's picture.
GOP_S = 1.0


def clip_camera(server: Server, folder: Path) -> None:
    """Camera Gate: some 2 Mbit/s with sound, and recorded all the time."""
    clip = folder / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi", "-i", "sine=1000:sample_rate=16000"]
    video = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-b:v", "2M", "-minrate", "2M", "-maxrate", "2M"]
    more = ["-bufsize", "1M", "-x264-params", "nal-hrd=cbr:scenecut=0", "-pix_fmt", "yuv420p", "-c:a", "aac", "-t", "4"]
    subprocess.run(["ffmpeg", "-v", "error", *source, *video, *more, str(clip)], check=True, timeout=60)
    assert server.command("camera", "add", "Gate", f"file:{clip}").code == 0
    record(server, "continuous")


def record(server: Server, mode: str) -> None:
    done = server.command("camera", "set", "Gate", f"recording={mode}")
    assert done.code == 0, done.err


def files(recordings: Path) -> list[Path]:
    return sorted(recordings.glob("*/main/*.mp4"))


def grown(recordings: Path, count: int, size: int = 0) -> bool:
    """Whether there are so many files, and the last one has so many bytes."""
    found = files(recordings)
    return len(found) >= count and found[-1].stat().st_size > size


def agreeing(folder: Path) -> list[RecordedFile]:
    """All recorded files of a data folder; the index says of each what is in it, and of none that is not there."""
    index = open_index(folder)
    try:
        with sqlite3.connect(folder / "recordings" / "index.db") as database:
            (grows,) = database.execute("SELECT count(*) FROM files WHERE grows").fetchone()
            rows = database.execute('SELECT stream, start, "end" FROM sequences ORDER BY stream, start').fetchall()
        database.close()
        assert grows == 0
        found: list[RecordedFile] = []
        for stream in index.streams():
            own = index.files(stream.camera_id, stream.name, 0, 1 << 62)
            assert stream.bytes == sum(file.size for file in own)
            for file in own:
                assert file.path.stat().st_size == file.size
                told, read = Archive(index)._open(file).table, table_of(file.path.read_bytes())
                assert told.offset.tolist() == read.offset.tolist()
                assert told.dts.tolist() == read.dts.tolist()
                assert file.end <= file.zero + int((read.pts + read.duration)[read.pictures].max()) + 1
            assert all(before.end <= after.start for before, after in pairwise(own))
            spans = [(start, end) for key, start, end in rows if key == stream.key]
            assert spans[0][0] == own[0].start
            assert spans[-1][1] == own[-1].end
            found += own
        assert sorted(file.path for file in found) == sorted((folder / "recordings").glob("*/*/*.mp4"))
        return found
    finally:
        index.database.close()
