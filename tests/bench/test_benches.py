"""The benches run and say what they found; how fast anything is, is not judged here."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import av
import numpy as np
import pytest
import simplejpeg

from bench import transcode
from bench.__main__ import document
from bench.common import load
from bench.common.appliance import running_appliance
from bench.common.camera import running_camera
from bench.common.cli import Options
from bench.common.footage import footage
from bench.common.load import STATS
from bench.common.measure import cpu_s, pss_kb
from bench.common.paths import ROOT
from bench.common.psnr import mean_psnr, split
from bench.common.report import Section
from bench.kernels import measure as measure_kernels


def test_kernels_and_their_peers_are_timed() -> None:
    section = measure_kernels(Options(quick=True))
    assert len(section.findings) == 9 + 9  # what reads and writes, what scales
    assert all(0 < each.measured < math.inf and 0 < each.target <= 1.0 for each in section.findings)
    page = section.markdown()
    assert all(each.what in page for each in section.findings)


@pytest.mark.peer
def test_transcoding_is_timed_beside_ffmpeg_and_the_pictures_are_compared(monkeypatch) -> None:
    monkeypatch.setattr(transcode, "CASES", transcode.CASES[2:3])
    section = transcode.measure(Options(quick=True))
    (found,) = section.findings
    assert 0 < found.measured < math.inf
    ours, theirs = (float(cell) for cell in section.tables[0].rows[0][-2:])
    assert 30 < ours < 60
    assert 30 < theirs < 60


def test_pictures_are_as_near_as_they_are() -> None:
    """A picture's ratio is that of its definition, and the right neighbour is found."""
    film = footage("640x360", kbits=800)
    (key,) = {n for n, (_, is_idr) in enumerate(film.access_units) if is_idr and n < film.gop}
    with av.open(str(film.path)) as container:
        frame = next(container.decode(video=0)).reformat(format="gray")
    exact = simplejpeg.encode_jpeg(np.ascontiguousarray(frame.to_ndarray()[:, :, None]), colorspace="GRAY", quality=100)
    poor = simplejpeg.encode_jpeg(np.ascontiguousarray(frame.to_ndarray()[:, :, None]), colorspace="GRAY", quality=5)
    assert mean_psnr(film, (640, 360), [(key, exact)]) > 45 > mean_psnr(film, (640, 360), [(key, poor)])
    assert (
        mean_psnr(film, (640, 360), [(key + 3, exact)], near=3) > 45 > mean_psnr(film, (640, 360), [(key + 3, exact)])
    )
    assert split(exact + poor) == [exact, poor]


def test_a_report_says_what_was_missed() -> None:
    section = Section("made", "Made up", "By hand.")
    section.find("low enough", [0.2, 0.1, 0.3], "×", target=0.25)
    section.find("too high", 0.3, "×", target=0.25)
    section.find("too few", 999, "", target=1000, at_least=True)
    section.find("just a number", 7, "ms")
    failed = Section("lost", "Lost", "", failure="OSError: no")
    page = document([section, failed], quick=False, seconds=60, busy_before=0)
    assert "**lost could not be measured.**" in page
    assert "Not measured. OSError: no" in page
    assert "1 of 3 targets reached" in page
    assert "| low enough | 0.20 × | 0.10 – 0.30 | ≤ 0.25 × | reached |" in page
    assert "| too high | 0.30 × |  | ≤ 0.25 × | **missed** |" in page
    assert "| too few | 999 |  | ≥ 1000 | **missed** |" in page


@pytest.mark.peer
def test_viewers_of_the_appliance_are_counted_and_accounted() -> None:
    with running_camera(begin="key") as camera, running_appliance([camera.url()]) as server:
        found = load.run(server.live(), 3, 1.0, pids=(server.pid,), warm=0.2, tell=STATS)
        assert found.found["open"] == 3
        assert 0 < found.messages < 3 * 25 * (found.seconds + 4)  # a beginning is a group of pictures at once
        assert len(found.found["first_ms"]) == 3
        assert 0 < found.cpu_s < cpu_s(server.pid)
        assert pss_kb(server.pid) > 10_000


@pytest.mark.peer
@pytest.mark.parametrize("who", ["ours", "pyav"])
def test_a_reader_of_cameras_is_counted(who: str) -> None:
    with running_camera() as camera:
        urls = [camera.url(1), camera.url(2)]
        command = [sys.executable, "-m", "bench.ingest", "--child", who, "--seconds", "3", *urls]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    found = json.loads(done.stdout)
    assert 0 < found["units"] < 2 * 25 * 10  # how many, a busy machine decides
    assert found["cpu_s"] > 0
