"""What cameras' encoders can do, coded and sent by ffmpeg, judged by libav: B pictures, open groups of pictures,
slices, recovery points, 4K.  What we make of it holds the very pictures that were coded, in their order, and no others.
"""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import pytest

from appliance._native import gop
from appliance.media.fmp4 import Muxer, init_segment
from appliance.media.fmp4_read import read_formats
from appliance.media.ring import GopRing
from appliance.sites.rtsp.oddities import Oddity
from tests.peers.announcer import Announced, announced
from tests.sites.rtsp.test_video import Camera

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.media.fmp4 import Fragment
    from appliance.media.units import AccessUnit

pytestmark = pytest.mark.peer

X264 = "-c:v libx264 -preset veryfast -x264-params scenecut=0:keyint=20:min-keyint=20:threads=1:"
X265 = (
    "-c:v libx265 -preset ultrafast -x265-params log-level=none:scenecut=0:keyint=20:min-keyint=20:pools=1:b-adapt=0:"
)
KINDS = {
    "h264": f"{X264}bframes=0",
    "h264-in-band": f"{X264}bframes=0",
    "h264-b": f"{X264}bframes=3:b-pyramid=normal:b-adapt=0",
    "h264-open": f"{X264}bframes=3:open-gop=1:b-adapt=0",
    "h264-slices": f"{X264}bframes=0:slices=4",
    "h264-refresh": f"{X264}bframes=0:intra-refresh=1",
    "h264-baseline": f"{X264}bframes=0 -profile:v baseline",
    "h264-high10": f"{X264}bframes=2 -pix_fmt yuv420p10le",
    "hevc": f"{X265}bframes=0:open-gop=0",
    "hevc-in-band": f"{X265}bframes=0:open-gop=0:repeat-headers=1",
    "hevc-b": f"{X265}bframes=3:b-pyramid=1:open-gop=0",
    "hevc-open": f"{X265}bframes=3:b-pyramid=1:open-gop=1",
    "hevc-slices": f"{X265}bframes=0:open-gop=0:slices=4",
    "hevc-refresh": f"{X265}bframes=0:open-gop=0:intra-refresh=1",
    "hevc-main10": f"{X265}bframes=2:open-gop=1 -pix_fmt yuv420p10le",
}
PICTURES = 60


@dataclass
class Footage:
    sent: Announced
    pictures: list[bytes]  # digests of what was coded, as it is shown

    def camera(self) -> Camera:
        text = self.sent.sdp.decode()
        return Camera(text[text.index("m=video") :])


def digest(frame: av.VideoFrame) -> bytes:
    return sha256(frame.to_ndarray().tobytes()).digest()


def shown(movie: bytes | str) -> list[tuple[int | None, bytes]]:
    """Times and digests of the pictures as libav shows them; a flaw is an error."""
    with av.open(io.BytesIO(movie) if isinstance(movie, bytes) else movie) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"err_detect": "explode"}
        stream.codec_context.thread_count = 1
        return [(frame.pts, digest(frame)) for frame in container.decode(stream)]


def code(folder: Path, kind: str, size: str = "320x180", pictures: int = PICTURES) -> Footage:
    kept = folder / f"{kind}.{kind.partition('-')[0]}"
    source = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r=25", "-frames:v", str(pictures)]
    pixels = [] if "pix_fmt" in KINDS[kind] else ["-pix_fmt", "yuv420p"]
    sets = [] if "in-band" in kind else ["-flags", "+global_header"]
    sent = announced(*source, *KINDS[kind].split(), *pixels, *sets, kept=kept)
    return Footage(sent, [each for _, each in shown(str(kept))])


@pytest.fixture(scope="module", params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def footage(kind: str, tmp_path_factory) -> Footage:
    made = code(tmp_path_factory.mktemp(kind), kind)
    assert len(set(made.pictures)) == PICTURES
    return made


def fragments(units: list[AccessUnit]) -> list[Fragment]:
    muxer = Muxer(lambda length: b"")
    return [muxer.video(unit) for unit in units]


def movie(units: list[AccessUnit], parts: list[Fragment] | None = None) -> bytes:
    parts = fragments(units) if parts is None else parts
    return init_segment(units[0].format) + b"".join(part.message for part in parts)


def test_everything_that_was_coded_is_shown_in_its_order(footage: Footage, kind: str) -> None:
    camera = footage.camera()
    assert (camera.receiver.format is None) == ("in-band" in kind)
    units = camera.push(*footage.sent.packets)
    assert len(units) == PICTURES
    assert camera.oddities.names == set()
    assert (camera.statistics.units_dropped, camera.receiver.reports.counters.lost) == (0, 0)
    assert all(one.dts < other.dts for one, other in pairwise(units))
    assert all(unit.dts <= unit.pts for unit in units)
    result = shown(movie(units))
    assert [each for _, each in result] == footage.pictures
    times = [time for time, _ in result]
    assert [other - one for one, other in pairwise(times)] == [3600] * (PICTURES - 1)
    starts = [n for n, unit in enumerate(units) if unit.is_idr]
    assert starts[0] == 0
    assert len(starts) == (1 if "refresh" in kind else PICTURES // 20)
    assert any(unit.leading for unit in units) == ("open" in kind or kind == "hevc-main10")


def test_ffprobe_finds_nothing_to_complain_about(footage: Footage, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    units = footage.camera().push(*footage.sent.packets)
    path.write_bytes(movie(units))
    done = subprocess.run(
        ["ffprobe", "-v", "warning", "-count_frames", "-show_packets", "-show_streams", "-of", "json", str(path)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    found = json.loads(done.stdout)
    (stream,) = found["streams"]
    assert (stream["width"], stream["height"], int(stream["nb_read_frames"])) == (320, 180, PICTURES)
    assert stream["codec_tag_string"] == ("hvc1" if kind.startswith("hevc") else "avc1")
    assert [packet["dts"] for packet in found["packets"]] == [u.dts - u.run.utc_zero for u in units]
    assert [packet["pts"] for packet in found["packets"]] == [u.pts - u.run.utc_zero for u in units]
    assert read_formats(path.read_bytes()) == (units[0].format, None)


@pytest.mark.parametrize("first", [3, 30])
def test_who_joins_late_begins_with_a_whole_picture_and_sees_only_true_ones(
    footage: Footage, kind: str, first: int
) -> None:
    """``first``: where in the stream we join, in pictures; packets of the one at hand have been missed."""
    camera, earlier = footage.camera(), footage.camera()
    came = [len(earlier.push(packet)) for packet in footage.sent.packets]
    joined = next(n for n in range(len(came)) if sum(came[:n]) == first) + 1
    units = camera.push(*footage.sent.packets[joined:])
    if "refresh" in kind:
        assert units == []
        assert camera.oddities.names == ({Oddity.REFRESH_GRADUAL} if kind.startswith("h264") else set())
        return
    assert units[0].is_idr
    assert not any(unit.leading for unit in units[:6])
    pictures = [each for _, each in shown(movie(units))]
    assert len(pictures) == len(units)
    assert pictures == footage.pictures[-len(pictures) :]
    assert PICTURES - len(pictures) in (20, 40)


def test_a_viewer_who_joins_by_the_ring_sees_only_true_pictures(footage: Footage, kind: str) -> None:
    units = footage.camera().push(*footage.sent.packets)
    ring = GopRing()
    for number, part in enumerate(fragments(units)):
        ring.push(part)
        if number in (15, 27, 44, 59):
            pictures = [each for _, each in shown(movie(units, ring.fragments))]
            begin = footage.pictures.index(pictures[0])
            assert pictures == [each for each in footage.pictures[begin:] if each in pictures]
            assert len(pictures) == len(ring.fragments)


def test_a_lost_packet_costs_what_needs_it_and_nothing_else(footage: Footage, kind: str) -> None:
    camera, packets = footage.camera(), list(footage.sent.packets)
    lost = next(n for n in range(10, len(packets)) if packets[n][1] & 0x80)  # the end of a picture
    units = camera.push(*packets[:lost], *packets[lost + 1 :])
    assert camera.receiver.reports.counters.lost == 1
    assert camera.statistics.units_dropped > 0
    gaps = [other for one, other in pairwise(units) if other.seq != one.seq + 1]
    if "refresh" in kind:
        assert gaps == []
        return
    assert [unit.is_idr for unit in gaps] == [True]
    # A recovery point is a start for a decoder that begins there; over the gap, libav is confused by its frame_num.
    at = units.index(gaps[0])
    parts = [units[:at], units[at:]] if kind == "h264-open" else [units]
    pictures = [each for part in parts for _, each in shown(movie(part))]
    assert pictures == [each for each in footage.pictures if each in pictures]
    assert len(pictures) == len(units) >= 20


def test_recovery_points_are_those_that_the_encoder_set(footage: Footage, kind: str) -> None:
    if not kind.startswith("h264"):
        return
    found = [gop.describe(unit.data) for unit in footage.camera().push(*footage.sent.packets)]
    whole = [flags for flags, recovery in found if recovery == 0 and not flags & gop.IS_IDR]
    gradual = [recovery for _, recovery in found if recovery > 0]
    assert (len(whole) > 0, len(gradual) > 0) == ("open" in kind, "refresh" in kind)
    assert all(flags & gop.INTRA for flags in whole)


@pytest.mark.parametrize("kind", ["h264", "hevc"])
def test_four_thousand_samples_wide(kind: str, tmp_path: Path) -> None:
    made = code(tmp_path, kind, "3840x2160", 6)
    units = made.camera().push(*made.sent.packets)
    assert (units[0].format.width, units[0].format.height) == (3840, 2160)
    assert [each for _, each in shown(movie(units))] == made.pictures
