"""Footage as a camera sends it: 1280x720, 25 fps, 4 Mbit/s at a constant rate, a key frame every two seconds.

Moving test patterns under noise, so that the rate is real.  Coded once with ffmpeg and kept.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from appliance._native import nal
from bench.common.paths import CACHE

if TYPE_CHECKING:
    from pathlib import Path

FPS, GOP, SECONDS = 25, 50, 12
SIZE, KBITS = "1280x720", 4000
SPS, PPS, IDR, DELIMITER = 7, 8, 5, 9


@dataclass(frozen=True)
class Footage:
    """Coded pictures that end where they begin; played round and round."""

    path: Path  # H.264 in Annex B form
    gop: int = GOP

    @cached_property
    def pictures(self) -> list[list[bytes]]:
        """The NAL units of each access unit, without delimiters."""
        data = self.path.read_bytes()
        nals = [data[start:end] for start, end in nal.find_nals(data, 1 << 20)]
        cuts = [n for n, unit in enumerate(nals) if unit[0] & 31 == DELIMITER]
        return [nals[start + 1 : end] for start, end in pairwise([*cuts, len(nals)])]

    @cached_property
    def parameter_sets(self) -> tuple[bytes, bytes]:
        first = self.pictures[0]
        sps = next(unit for unit in first if unit[0] & 31 == SPS)
        return sps, next(unit for unit in first if unit[0] & 31 == PPS)

    @cached_property
    def access_units(self) -> list[tuple[bytes, bool]]:
        """Each picture in AVCC form without parameter sets, and whether it is an IDR picture."""
        made = []
        for picture in self.pictures:
            kept = [unit for unit in picture if unit[0] & 31 not in (SPS, PPS)]
            made.append((b"".join(len(unit).to_bytes(4, "big") + unit for unit in kept), _is_idr(kept)))
        return made

    @property
    def mp4(self) -> Path:
        """The same as a file, for peers that are fed by ffmpeg."""
        path = self.path.with_suffix(".mp4")
        if not path.exists():
            _ffmpeg(["-r", str(FPS), "-i", str(self.path), "-c", "copy"], path)
        return path


def footage(size: str = SIZE, *, kbits: int = KBITS, gop: int = GOP) -> Footage:
    """Make the footage if it is not there.  Raises CalledProcessError or FileNotFoundError where ffmpeg fails."""
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / f"footage-601-{size}-{FPS}-{gop}-{kbits}-{SECONDS}.h264"
    if not path.exists():
        rate = f"{kbits}k"
        coder = f"aud=1:repeat-headers=1:scenecut=0:bframes=0:keyint={gop}:min-keyint={gop}:force-cfr=1"
        coder += ":colormatrix=smpte170m"  # as JPEG has it: ffmpeg would convert no other, and ours does
        source = f"testsrc2=s={size}:r={FPS}:d={SECONDS},noise=alls=12:allf=t"
        arguments = ["-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high"]
        arguments += ["-pix_fmt", "yuv420p", "-b:v", rate, "-minrate", rate, "-maxrate", rate]
        arguments += ["-bufsize", f"{kbits // 2}k"]
        _ffmpeg([*arguments, "-x264-params", coder], path)
    return Footage(path, gop)


def _ffmpeg(arguments: list[str], path: Path) -> None:
    part = path.with_name(f"part-{os.getpid()}-{path.name}")
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments, str(part)], check=True)
    part.replace(path)


def _is_idr(nals: list[bytes]) -> bool:
    return any(unit[0] & 31 == IDR for unit in nals)
