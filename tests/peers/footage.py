"""Footage for the simulated cameras: coded once with ffmpeg, kept in a folder, cut into pictures and pieces of sound.

The sound is a tick at each whole second; a white square flashes in the top left corner of the picture at the same
instants.  Only the standard library: the simulator runs under the system's Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_X264 = "-x264-params aud=1:repeat-headers=1:scenecut=0"
_X265 = "-x265-params aud=1:repeat-headers=1:bframes=0:scenecut=0:log-level=none"

#: name: size, ffmpeg's video arguments, container
VIDEO = {
    "main": (
        "1280x720",
        f"-c:v libx264 -preset veryfast -profile:v main -b:v 1500k -maxrate 2000k -bufsize 2000k -bf 0 {_X264}",
        "h264",
    ),
    "sub": (
        "640x360",
        f"-c:v libx264 -preset veryfast -profile:v baseline -b:v 350k -maxrate 500k -bufsize 500k -bf 0 {_X264}",
        "h264",
    ),
    "h265": ("1280x720", f"-c:v libx265 -preset ultrafast -b:v 900k {_X265}", "hevc"),
    "h265sub": ("640x360", f"-c:v libx265 -preset ultrafast -b:v 250k {_X265}", "hevc"),
    "mjpeg": ("640x360", "-c:v mjpeg -huffman default -q:v 6 -pix_fmt yuvj420p", "mjpeg"),
    "mpeg4": ("640x360", "-c:v mpeg4 -q:v 8 -bf 0", "m4v"),
}
AUDIO = {
    "aac": "-c:a aac -profile:a aac_low -b:a 32k -ar 16000 -f adts",
    "pcmu": "-c:a pcm_mulaw -ar 8000 -f mulaw",
    "pcma": "-c:a pcm_alaw -ar 8000 -f alaw",
}
#: seconds that one unit of sound lasts
SOUND_STEP = {"aac": 1024 / 16000, "pcmu": 0.02, "pcma": 0.02}
_TICK = "0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.05)+0.02*sin(2*PI*220*t)"


@dataclass(frozen=True)
class Recipe:
    folder: Path
    clip: Path  # any video file that ffmpeg reads; where it is not there a test picture is used
    seconds: int = 24  # a multiple of eight, so that AAC frames and pictures end the loop together
    fps: int = 10
    gop: int = 20

    @property
    def tag(self) -> str:
        return f"{self.clip.name}-{self.seconds}s-{self.fps}-{self.gop}"


def units(recipe: Recipe) -> dict[str, list[bytes]]:
    """The pictures (in Annex B form, or JPEG) and the pieces of sound by name; codes what is not there yet."""
    recipe.folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[bytes]] = {}
    for name, (_, _, kind) in VIDEO.items():
        data = _coded(recipe, name, _video_arguments(recipe, name))
        cut = {"mjpeg": _jpegs, "m4v": _planes}.get(kind)
        found[name] = cut(data) if cut else _pictures(data, kind)
        if len(found[name]) != recipe.fps * recipe.seconds:
            raise RuntimeError(f"{name}: {len(found[name])} pictures; empty {recipe.folder} and try again")
    for name, arguments in AUDIO.items():
        source = f"aevalsrc='{_TICK}':s=16000:d={recipe.seconds}"
        data = _coded(recipe, name, ["-f", "lavfi", "-i", source, "-ac", "1", *arguments.split()])
        if name == "aac":  # the last ones: without the encoder's priming frame
            found[name] = _adts_frames(data)[-(recipe.seconds * 16000 // 1024) :]
        else:
            found[name] = [data[at : at + 160] for at in range(0, recipe.seconds * 8000, 160)]
    return found


def _video_arguments(recipe: Recipe, name: str) -> list[str]:
    size, coder, kind = VIDEO[name]
    if recipe.clip.exists():
        source = ["-stream_loop", "-1", "-i", str(recipe.clip)]
    else:
        source = ["-f", "lavfi", "-i", f"testsrc2=s=1280x720:r={recipe.fps}"]
    flash = f"drawbox=x=0:y=0:w=48:h=48:color=white:t=fill:enable='lt(mod(t,1),{0.5 / recipe.fps})'"
    filters = f"fps={recipe.fps},scale={size.replace('x', ':')},setsar=1,{flash}"
    count = str(recipe.fps * recipe.seconds)
    return [*source, "-an", "-vf", filters, "-frames:v", count, "-g", str(recipe.gop), *coder.split(), "-f", kind]


def _coded(recipe: Recipe, name: str, arguments: list[str]) -> bytes:
    path = recipe.folder / f"{recipe.tag}.{name}"
    if not path.exists():
        part = path.with_name(f"{path.name}.{os.getpid()}.part")  # two may begin at once
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments, str(part)], check=True)
        part.replace(path)
    return path.read_bytes()


def _pictures(data: bytes, kind: str) -> list[bytes]:
    """Cut at the access unit delimiters."""
    cuts = []
    at = data.find(b"\0\0\0\1")
    while at >= 0:
        if data[at + 4] & 31 == 9 if kind == "h264" else data[at + 4] >> 1 & 63 == 35:
            cuts.append(at)
        at = data.find(b"\0\0\0\1", at + 4)
    return [data[start:end] for start, end in pairwise([*cuts, len(data)])]


def _jpegs(data: bytes) -> list[bytes]:
    cuts = []
    at = data.find(b"\xff\xd8\xff")
    while at >= 0:
        cuts.append(at)
        at = data.find(b"\xff\xd8\xff", at + 3)
    return [data[start:end] for start, end in pairwise([*cuts, len(data)])]


def _planes(data: bytes) -> list[bytes]:
    """Cut before the video object planes (ISO/IEC 14496-2 §6.2.5), with their headers before the first."""
    cuts = []
    at = data.find(b"\0\0\1\xb6")
    while at >= 0:
        cuts.append(at)
        at = data.find(b"\0\0\1\xb6", at + 4)
    return [data[start:end] for start, end in pairwise([0, *cuts[1:], len(data)])]


def _adts_frames(data: bytes) -> list[bytes]:
    frames = []
    at = 0
    while at + 7 <= len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        frames.append(data[at : at + size])
        at += size
    return frames


def is_key(kind: str, unit: bytes) -> bool:
    """Whether a picture is an IDR (H.265: any random access picture)."""
    at = unit.find(b"\0\0\1")
    while at >= 0:
        if unit[at + 3] & 31 == 5 if kind == "h264" else 16 <= unit[at + 3] >> 1 & 63 <= 21:
            return True
        at = unit.find(b"\0\0\1", at + 3)
    return False


if __name__ == "__main__":
    units(Recipe(Path(sys.argv[1]), Path(sys.argv[2])))
