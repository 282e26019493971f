"""JPEG over RTP becomes the pictures that were coded (RFC 2435)."""

from __future__ import annotations

import socket
import subprocess
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.clock import ManualClock
from appliance.media.timeline import Timeline
from appliance.media.units import AccessUnit, Unit
from appliance.sites.rtsp.codecs import choose
from appliance.sites.rtsp.errors import UnsupportedCodec
from appliance.sites.rtsp.jpeg import UNUSABLE_LIMIT, JpegReceiver, make_tables
from appliance.sites.rtsp.messages import Packets
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.sdp import parse_sdp
from appliance.sites.source import SourceStatistics
from tests.media.jpegs import jpeg, jpeg_with_restarts, libav_size, parts, pixels
from tests.peers.cameras import HERE as PEERS_FOLDER
from tests.peers.cameras import PYTHON
from tests.reference import packets as made
from tests.sites.rtsp.talk import MJPEG, sdp

if TYPE_CHECKING:
    from pathlib import Path

STEP = 3000
PIPELINE = PEERS_FOLDER / "pipeline.py"


class Camera:
    """A receiver, and what it gave out.  Every picture arrives when it is due."""

    def __init__(self, announced: str = "", payload_type: int = 26) -> None:
        media = MJPEG.replace("26", str(payload_type)) + announced
        self.clock = ManualClock()
        self.oddities = Oddities()
        self.statistics = SourceStatistics()
        plan = choose(parse_sdp(sdp(media), Oddities()), self.oddities, audio=False)
        self.receiver = JpegReceiver(plan.video, Timeline(self.clock).track(90_000), self.statistics, self.oddities)
        self.begun = self.clock.now
        self.units: list[AccessUnit] = []
        self.sequence = 0
        self.time = 0

    def picture(self, data: bytes, *, size: int = 1000, lose: int | None = None, segments: bytes = b"", **said) -> None:
        """Send a picture as RTP carries it; ``said`` changes what its headers say."""
        found = parts(data)
        said.setdefault("kind", {0x21: 0, 0x22: 1}[found.sampling] + (64 if found.restart else 0))
        said.setdefault("restart", found.restart)
        if said.setdefault("q", 255) >= 128:
            said.setdefault("tables", found.tables)
        payloads = made.jpeg(found.scan, size, **said)
        for n, payload in enumerate(payloads):
            extension = {"extension": segments, "profile": 0xFFD8} if segments and n == 0 else {}
            packet = made.rtp(
                payload, sequence=self.sequence, time=self.time, marker=n == len(payloads) - 1, payload_type=26,
                **extension,
            )  # fmt: skip
            self.sequence += 1
            if n != lose:
                self.receive(packet)
        self.time += STEP

    def receive(self, data: bytes) -> None:
        self.clock.now = self.begun + self.time
        new: list[Unit] = []
        packets = Packets(bytearray(data), [(0, 0, len(data))])
        self.receiver.packets(packets, 0, self.clock.now, self.clock.now / 90_000, new)
        self.units += [unit for unit in new if isinstance(unit, AccessUnit)]


def same(unit: AccessUnit, data: bytes) -> bool:
    """Whether it decodes to the same picture, to the last bit."""
    return bool((pixels(unit.data) == pixels(data)).all())


def test_the_tables_are_those_of_libjpeg_for_every_quality() -> None:
    for quality in range(1, 100):
        assert make_tables(quality) == parts(jpeg(16, 16, quality=quality)).tables, quality


@pytest.mark.parametrize("sampling", ["420", "422"])
@pytest.mark.parametrize("quality", [1, 20, 50, 80, 99])
@pytest.mark.parametrize("in_band", [False, True])
def test_pictures_come_out_as_they_were_coded(sampling, quality, in_band) -> None:
    camera = Camera()
    data = jpeg(quality=quality, sampling=sampling)
    camera.picture(data, q=255 if in_band else quality)
    (unit,) = camera.units
    assert same(unit, data)
    assert libav_size(unit.data) == (640, 480) == (unit.format.width, unit.format.height)
    assert (unit.is_idr, unit.seq, unit.format.codec) == (True, 0, "mjpeg")
    assert camera.oddities.names == set()


def test_restart_markers() -> None:
    data = jpeg_with_restarts()
    assert parts(data).restart
    camera = Camera()
    camera.picture(data)
    assert same(camera.units[0], data)


def test_a_lost_packet_costs_its_picture_and_no_other() -> None:
    camera = Camera()
    pictures = [jpeg(seed=seed) for seed in range(5)]
    for n, data in enumerate(pictures):
        camera.picture(data, lose=1 if n == 2 else None)
    assert [unit.seq for unit in camera.units] == [0, 1, 3, 4]
    assert [same(unit, pictures[unit.seq]) for unit in camera.units] == [True] * 4
    assert camera.statistics.units_dropped == 1
    assert [later.dts - earlier.dts for earlier, later in pairwise(camera.units)] == [STEP, 2 * STEP, STEP]
    assert all(unit.pts == unit.dts for unit in camera.units)


def test_tables_that_came_once_are_kept_by_q() -> None:
    fine, coarse = jpeg(quality=90), jpeg(quality=10)
    camera = Camera()
    camera.picture(fine, q=200)
    camera.picture(coarse, q=130)
    camera.picture(fine, q=200, tables=b"")
    camera.picture(coarse, q=130, tables=b"")
    assert [same(unit, data) for unit, data in zip(camera.units, [fine, coarse] * 2, strict=True)] == [True] * 4


def test_tables_that_have_not_come_yet_are_waited_for() -> None:
    camera = Camera()
    data = jpeg()
    camera.picture(data, q=200, tables=b"")
    camera.picture(data, q=200)
    camera.picture(data, q=200, tables=b"")
    assert [unit.pts - camera.begun for unit in camera.units] == [STEP, 2 * STEP]
    assert camera.statistics.units_dropped == 0  # nobody missed the first


def test_tables_of_sixteen_bits() -> None:
    data = jpeg(quality=80)
    wide = b"".join(bytes((0, value)) for value in parts(data).tables)
    camera = Camera()
    camera.picture(data, tables=wide, precision=3)
    assert same(camera.units[0], data)


def test_one_table_serves_all_components() -> None:
    data = jpeg()
    one = parts(data).tables[:64]
    camera = Camera()
    camera.picture(data, tables=one)
    camera.picture(data, tables=one + one)
    assert same(camera.units[0], camera.units[1].data)


@pytest.mark.parametrize("line", ["x-dimensions:2592,1944", "framesize:26 2592-1944", "cliprect:0,0,1944,2592"])
def test_pictures_over_2040_samples_are_as_large_as_announced(line) -> None:
    data = jpeg(2592, 1944)
    camera = Camera(f"a={line}\r\n")
    assert camera.receiver.format is not None
    camera.picture(data, width=0, height=1944)
    camera.picture(data, width=0, height=0)
    assert [same(unit, data) for unit in camera.units] == [True, True]


def test_a_size_that_is_no_multiple_of_eight_is_as_announced() -> None:
    data = jpeg(636, 358)
    announced, plain = Camera("a=x-dimensions:636,358\r\n"), Camera()
    for camera in (announced, plain):
        camera.picture(data, width=640, height=360)
    assert same(announced.units[0], data)
    assert (plain.units[0].format.width, plain.units[0].format.height) == (640, 360)


def test_a_size_that_the_pictures_contradict_does_not_count() -> None:
    camera = Camera("a=x-dimensions:1920,1080\r\n")
    data = jpeg()
    camera.picture(data)
    assert same(camera.units[0], data)


def test_fields_have_half_of_the_lines() -> None:
    camera = Camera()
    camera.picture(jpeg(640, 240), height=240, specific=1)
    assert camera.units[0].format.pixel_aspect == (1, 2)


def test_the_onvif_extension_counts_before_the_headers() -> None:
    data = jpeg(2592, 1944, quality=33)
    segments = parts(data).segments
    extension = segments[0xDB] + segments[0xC0] + segments[0xC4]
    extension += b"\xff" * (-len(extension) % 4)
    camera = Camera()
    camera.picture(data, width=0, height=0, q=90, segments=extension)
    camera.picture(data, width=0, height=0, q=90, segments=b"\xff\xd8" + extension + b"\xff\xff")
    assert [same(unit, data) for unit in camera.units] == [True, True]
    assert camera.units[0].data == camera.units[1].data


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"width": 0, "height": 0}, "larger than 2040"),
        ({"kind": 5}, "of type 5"),
        ({"kind": 130}, "of type 130"),
        ({"q": 0}, "Q of 0 has no meaning"),
        ({"q": 120}, "Q of 120 has no meaning"),
        ({"q": 255, "tables": b""}, "tables did not come"),
        ({"tables": bytes(100)}, "tables are cut off"),
        ({"segments": b"\xff\xc0\0\xff"}, "extension of its RTP header is damaged"),
        ({"segments": b"\xff\xc0\0\x05\x08\0\x10\xff"}, "frame header is damaged"),
    ],
)
def test_pictures_that_nothing_can_decode_are_said_to_be_so(said, why) -> None:
    camera = Camera()
    data = jpeg(64, 64)
    for _ in range(UNUSABLE_LIMIT - 1):
        camera.picture(data, **said)
    assert camera.units == []
    with pytest.raises(UnsupportedCodec, match=why):
        camera.picture(data, **said)


def test_the_format_follows_the_pictures_twice_a_second() -> None:
    camera = Camera()
    sizes = [(64, 64), (96, 64), (64, 64), (96, 64), (96, 64), (64, 64)]
    for width, height in sizes:
        camera.picture(jpeg(width, height), width=width, height=height)
    assert [(unit.format.width, unit.seq) for unit in camera.units] == [(64, 0), (96, 1), (64, 2), (64, 5)]
    assert camera.oddities.names == {Oddity.FORMAT_CHANGES_TOO_OFTEN}


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 11), st.integers(0, 255)), max_size=12))
def test_whatever_is_changed_what_comes_out_has_a_head_and_an_end(changes) -> None:
    camera = Camera()
    found = parts(jpeg(64, 64))
    packets = [
        made.rtp(payload, sequence=n * 2 + m, time=n * STEP, marker=m == 1, payload_type=26)
        for n in range(6)
        for m, payload in enumerate(made.jpeg(found.scan, (len(found.scan) + 1) // 2, width=64, height=64))
    ]
    for packet, at, byte in changes:
        if packet < len(packets):
            data = bytearray(packets[packet])
            data[12 + at] = byte
            packets[packet] = bytes(data)
    for packet in packets:
        camera.receive(packet)
    assert all(unit.data.startswith(b"\xff\xd8\xff\xe0") and unit.data.endswith(b"\xff\xd9") for unit in camera.units)
    assert all(later.dts > earlier.dts for earlier, later in pairwise(camera.units))


PEERS = {
    "tables in band": ("I420", (640, 480), 85, 255, ""),
    "tables by Q": ("I420", (640, 480), 30, 30, ""),
    "4:2:2": ("Y42B", (320, 240), 70, 70, ""),
    "large": ("I420", (2592, 1944), 50, 255, "a=x-dimensions:2592,1944\r\n"),
}


def received(command: list[str], count: int, announced: str = "") -> Camera:
    """What comes of the pictures that a sender sends to the port that stands for PORT in its command."""
    camera = Camera(announced)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(20)
        port = str(sock.getsockname()[1])
        with subprocess.Popen([word.replace("PORT", port) for word in command], stdout=subprocess.DEVNULL) as sender:
            while len(camera.units) < count:
                data = sock.recv(65536)  # TimeoutError: some were lost on the way, and no more come
                camera.time = int.from_bytes(data[4:8], "big")
                camera.receive(data)
            assert sender.wait(20) == 0
    return camera


@pytest.mark.parametrize("name", PEERS)
def test_what_gstreamer_sends_is_what_it_coded(name: str, tmp_path: Path) -> None:
    pixel_format, (width, height), quality, q, announced = PEERS[name]
    pipeline = (
        f"videotestsrc num-buffers=5 pattern=ball ! video/x-raw,format={pixel_format},width={width},"
        f"height={height},framerate=10/1 ! jpegenc quality={quality} ! tee name=t ! queue ! "
        f"multifilesink location={tmp_path}/%d.jpg t. ! queue ! rtpjpegpay quality={q} pt=26 ! "
        "udpsink host=127.0.0.1 port=PORT sync=true"
    )
    camera = received([PYTHON, str(PIPELINE), pipeline], 5, announced)
    coded = [(tmp_path / f"{n}.jpg").read_bytes() for n in range(5)]
    assert [same(unit, data) for unit, data in zip(camera.units, coded, strict=True)] == [True] * 5
    assert camera.oddities.names == set()
    assert camera.statistics.units_dropped == 0


def test_what_ffmpeg_sends_is_what_it_coded(tmp_path: Path) -> None:
    coder = ["-c:v", "mjpeg", "-huffman", "default", "-q:v", "4", "-pix_fmt", "yuvj420p", "-frames:v", "5"]
    command = ["ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc=size=640x480:rate=10", *coder]
    camera = received([*command, "-f", "rtp", "rtp://127.0.0.1:PORT"], 5)
    subprocess.run([*command, f"{tmp_path}/%d.jpg"], check=True, timeout=40)
    coded = [(tmp_path / f"{n + 1}.jpg").read_bytes() for n in range(5)]
    assert [same(unit, data) for unit, data in zip(camera.units, coded, strict=True)] == [True] * 5
    assert camera.statistics.units_dropped == 0
