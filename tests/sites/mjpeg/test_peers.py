"""Servers and coders that others wrote: ffmpeg, GStreamer, Python's web server; libjpeg as the judge of what came."""

from __future__ import annotations

import hashlib
import http.server
import ssl
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import trio
import trustme

from appliance.base.clock import SystemClock
from appliance.base.secrets import Secret
from appliance.sites.mjpeg.multipart import MultipartReader
from appliance.sites.mjpeg.probe import probe_mjpeg
from appliance.sites.mjpeg.source import open_mjpeg
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.target import RtspTarget
from appliance.sites.rtsp.tls import Trust
from appliance.sites.source import SourceError, Trouble
from tests.media.jpegs import jpeg, libav_size, pixels
from tests.peers.cameras import FOOTAGE, FPS, HERE, PYTHON, free_port, running_cameras
from tests.sites.mjpeg.camera import take

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.peer

COUNT = 12


@contextmanager
def ffmpeg_serves(port: int, *arguments: str) -> Iterator[None]:
    """ffmpeg as a server of one client, a numbered picture every tenth of a second."""
    source = "testsrc=size=320x240:rate=10"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", source, "-c:v", "mjpeg", "-q:v", "3"]
    process = subprocess.Popen([*command, *arguments, "-listen", "1", f"http://127.0.0.1:{port}/live"])
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


async def opened_soon(url: str, count: int, **how):
    """Pictures of a server that is about to listen: every refusal is a reason to ask again."""
    with trio.fail_after(20):
        while True:
            try:
                async with open_mjpeg(RtspTarget.from_url(url), SystemClock(), **how) as source:
                    return await take(source, count), source
            except SourceError as error:
                if error.trouble != Trouble.REFUSED:
                    raise
                await trio.sleep(0.1)


def frames_of_ffmpeg(count: int, folder: Path) -> list[np.ndarray]:
    """The same pictures, by another way out of ffmpeg: files."""
    source = "testsrc=size=320x240:rate=10"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", source, "-frames:v", str(count)]
    subprocess.run([*command, "-c:v", "mjpeg", "-q:v", "3", f"{folder}/%03d.jpg"], check=True, timeout=30)
    return [pixels((folder / f"{n + 1:03}.jpg").read_bytes()) for n in range(count)]


async def test_the_pictures_of_ffmpeg_are_those_that_it_coded(tmp_path: Path) -> None:
    port = free_port()
    with ffmpeg_serves(port, "-f", "mpjpeg"):
        units, source = await opened_soon(f"http://127.0.0.1:{port}/live", COUNT)
    expected = frames_of_ffmpeg(COUNT, tmp_path)
    assert [bool((pixels(unit.data) == frame).all()) for unit, frame in zip(units, expected, strict=True)] == [
        True
    ] * COUNT
    assert (source.video.width, source.video.height) == (320, 240) == libav_size(units[0].data)
    # its HTTP server says nothing of the type, or that of bytes
    assert source.statistics.oddities <= {Oddity.STREAM_TYPE_WRONG, Oddity.BOUNDARY_MISSING}
    assert source.statistics.units_dropped == 0


async def test_a_type_that_ffmpeg_is_told_is_read() -> None:
    port = free_port()
    kind = "multipart/x-mixed-replace;boundary=ffmpeg"
    with ffmpeg_serves(port, "-f", "mpjpeg", "-content_type", kind):
        units, source = await opened_soon(f"http://127.0.0.1:{port}/live", COUNT)
    assert source.statistics.oddities == set()
    steps = [(later.dts - earlier.dts) / 9000 for earlier, later in pairwise(units[3:])]
    assert np.mean(steps) == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("step", [1, 1500, 1 << 20])
def test_what_gstreamer_multiplexes_is_read(step: int, tmp_path: Path) -> None:
    pipeline = (
        "videotestsrc num-buffers=6 pattern=ball ! video/x-raw,width=320,height=240,framerate=10/1 ! jpegenc ! "
        f"tee name=t ! queue ! multifilesink location={tmp_path}/%d.jpg t. ! queue ! multipartmux boundary=some-end ! "
        f"filesink location={tmp_path}/stream"
    )
    subprocess.run([PYTHON, str(HERE / "pipeline.py"), pipeline], check=True, timeout=40)
    data, oddities = (tmp_path / "stream").read_bytes(), Oddities()
    reader, parts = MultipartReader("some-end", oddities), []
    for at in range(0, len(data), step):
        reader.receive_data(data[at : at + step])
        while (part := reader.next_part()) is not None:
            parts.append(part)
    assert [part.data for part in parts] == [(tmp_path / f"{n}.jpg").read_bytes() for n in range(6)]
    assert {part.type for part in parts} == {"image/jpeg"}
    assert oddities.names == set()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Python's own file server; HTTP/1.0 or 1.1."""

    def log_message(self, *_args) -> None:
        pass


@contextmanager
def files_served(folder: Path, version: str = "HTTP/1.0", tls: ssl.SSLContext | None = None) -> Iterator[int]:
    handler = type("Handler", (Quiet,), {"protocol_version": version})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
async def test_snapshots_of_a_web_server(version: str, tmp_path: Path) -> None:
    picture = tmp_path / "a snapshot.jpg"
    first, second = jpeg(seed=1), jpeg(320, 240, seed=2)
    picture.write_bytes(first)
    with files_served(tmp_path, version) as port, trio.fail_after(20):
        target = RtspTarget.from_url(f"http://127.0.0.1:{port}/a snapshot.jpg#fps=10")
        async with open_mjpeg(target, SystemClock()) as source:
            units = await take(source, COUNT)
            picture.write_bytes(second)
            changed = await take(source, 3)
    assert [unit.data for unit in units] == [first] * COUNT
    assert changed[-1].data == second
    assert (changed[-1].format.width, changed[-1].format.height) == (320, 240)
    steps = [(later.dts - earlier.dts) / 9000 for earlier, later in pairwise(units[1:])]
    assert np.mean(steps) == pytest.approx(1, abs=0.3)
    assert source.statistics.oddities == set()


async def test_what_a_web_server_does_not_have_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>")
    with files_served(tmp_path) as port:
        for path, trouble in [("nothing.jpg", Trouble.NOT_FOUND), ("page.html", Trouble.UNSUPPORTED_CODEC)]:
            result = await probe_mjpeg(RtspTarget.from_url(f"http://127.0.0.1:{port}/{path}"), SystemClock())
            assert result.error is not None
            assert result.error.trouble == trouble


async def test_certificates_are_verified_or_pinned(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    fingerprint = hashlib.sha256(der).hexdigest()

    def trusting() -> ssl.SSLContext:
        made = ssl.create_default_context()
        authority.configure_trust(made)
        return made

    with files_served(tmp_path, "HTTP/1.1", context) as port, trio.fail_after(20):
        url = f"https://127.0.0.1:{port}/a.jpg"
        for target, trust in [(url, Trust(trusting)), (f"{url}#fingerprint={fingerprint}", None)]:
            async with open_mjpeg(RtspTarget.from_url(target), SystemClock(), trust=trust) as source:
                await take(source, 2)
        result = await probe_mjpeg(RtspTarget.from_url(url), SystemClock())
        assert [(step.name, step.ok) for step in result.steps] == [("connect", True), ("TLS", False)]
        assert result.fingerprint == fingerprint
        wrong = await probe_mjpeg(RtspTarget.from_url(f"{url}#fingerprint={'00' * 32}"), SystemClock())
        assert wrong.error is not None
        assert "another certificate than the pinned one" in wrong.error.message
    with files_served(tmp_path) as port:
        plain = await probe_mjpeg(RtspTarget.from_url(f"https://127.0.0.1:{port}/a.jpg"), SystemClock())
        assert plain.error is not None
        assert "HTTPS is usually on 443" in str(plain.error)


@pytest.mark.calm
async def test_a_camera_with_both_ways_and_a_password() -> None:
    coded = next(FOOTAGE.glob("*.mjpeg")).read_bytes()
    with running_cameras(user="admin", password="pass word") as cameras, trio.fail_after(30):
        stream, snapshot = (f"http://127.0.0.1:{cameras.http_port}/cam1/{path}" for path in ("mjpeg", "snapshot.jpg"))
        for url, fps in [(stream, FPS), (snapshot, 2)]:
            target = RtspTarget.from_url(url, "admin", Secret("pass word"))
            result = await probe_mjpeg(target, SystemClock())
            assert result.error is None
            assert result.measured.fps == pytest.approx(fps, rel=0.2)
            assert result.measured.key_picture is not None
            assert result.measured.key_picture.data in coded
            wrong = await probe_mjpeg(RtspTarget.from_url(url, "admin", Secret("canary")), SystemClock())
            assert wrong.error is not None
            assert wrong.error.trouble == Trouble.BAD_CREDENTIALS


async def test_metadata_addresses_are_not_asked() -> None:
    target = RtspTarget.from_url("http://127.0.0.1:1/x")
    with pytest.raises(SourceError, match="may not be used: it is a test"):
        async with open_mjpeg(target, SystemClock(), check_address=lambda _: "it is a test"):
            pytest.fail("it cannot be open")
