"""The ways to a camera that others wrote: GStreamer's RTSP server over UDP, over TLS and through HTTP."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.base.clock import SystemClock
from appliance.sites.rtsp.oddities import Oddity
from appliance.sites.rtsp.options import show_fingerprint
from appliance.sites.rtsp.probe import probe_rtsp
from appliance.sites.rtsp.source import open_rtsp
from appliance.sites.rtsp.tls import Trust
from appliance.sites.source import SourceError, Trouble
from tests.media.movies import make_movie
from tests.peers.cameras import GOP, Cameras, running_cameras
from tests.peers.rtsp_streaming_server import running_streaming_server
from tests.sites.rtsp.test_cameras import decode, take, target

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.peer


# ---- UDP


@pytest.fixture(scope="module")
def over_udp() -> Iterator[Cameras]:
    with running_cameras(transport="udp") as running:
        yield running


@pytest.mark.parametrize("options", ["", "#transport=udp"])
async def test_picture_and_sound_come_over_udp(over_udp: Cameras, options: str) -> None:
    async with open_rtsp(target(over_udp.url() + options), SystemClock()) as source:
        video, audio = await take(source, 12)
        assert (source.statistics.packets_lost, source.statistics.units_dropped) == (0, 0)
        assert source.statistics.oddities == set()
        assert audio
    assert [unit.seq for unit in video] == list(range(12))
    assert len(decode(video)) == 12


async def test_tcp_that_is_asked_for_is_not_replaced(over_udp: Cameras) -> None:
    with pytest.raises(SourceError, match="461") as caught:
        async with open_rtsp(target(over_udp.url("#transport=tcp")), SystemClock()):
            pytest.fail("it cannot be open")
    assert caught.value.trouble == Trouble.REFUSED


async def test_what_udp_loses_is_counted_and_pictures_go_on_at_the_next_key_frame(over_udp: Cameras) -> None:
    async with open_rtsp(target(over_udp.url("/sub")), SystemClock(), audio=False) as source:
        video, _ = await take(source, 2)
        over_udp.order("loss", "cam1", "15")
        try:
            with trio.fail_after(30):
                while source.statistics.packets_lost < 3 or not source.statistics.units_dropped:
                    video += (await take(source, 1))[0]
        finally:
            over_udp.order("loss", "cam1", "0")
        video += (await take(source, 2 * GOP))[0]
    assert len(decode(video)) == len(video)


async def test_another_server_that_only_does_udp_is_watched(tmp_path: Path) -> None:
    movie = tmp_path / "movie.mp4"
    movie.write_bytes(make_movie(seconds=4, sound=False))
    with running_streaming_server(movie) as url:
        result = await probe_rtsp(target(url), SystemClock())
        assert result.error is None
        assert ("SETUP", "1 over UDP") in [(step.name, step.detail) for step in result.steps]
        async with open_rtsp(target(url), SystemClock()) as source:
            video, _ = await take(source, 50)
            assert (source.statistics.packets_lost, source.statistics.units_dropped) == (0, 0)
    assert len(decode(video)) == 50
    assert (video[0].format.width, video[0].format.height) == (160, 96)


# ---- TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("127.0.0.1")


@pytest.fixture(scope="module")
def over_tls(certificate: trustme.LeafCert, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cameras]:
    path: Path = tmp_path_factory.mktemp("tls") / "camera.pem"
    certificate.private_key_and_cert_chain_pem.write_to_path(path)
    with running_cameras(tls=path, user="admin", password="pass") as running:
        yield running


def fingerprint(certificate: trustme.LeafCert) -> str:
    found = x509.load_pem_x509_certificate(certificate.cert_chain_pems[0].bytes())
    return hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest()


def trusting(authority: trustme.CA) -> Trust:
    def make() -> ssl.SSLContext:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return context

    return Trust(make)


@pytest.mark.parametrize("way", ["", "#transport=http"])
async def test_a_camera_with_a_certificate_of_a_known_authority_is_watched(over_tls, authority, way: str) -> None:
    where = target(over_tls.url(way), "admin", "pass")
    async with open_rtsp(where, SystemClock(), trust=trusting(authority)) as source:
        video, audio = await take(source, 12)
        assert source.statistics.oddities == {Oddity.SCHEME_OTHER}  # GStreamer says rtsp:// inside of TLS
    assert len(decode(video)) == 12
    assert audio


async def test_another_certificate_is_told_with_its_fingerprint_and_can_be_pinned(over_tls, certificate) -> None:
    digits = fingerprint(certificate)
    with pytest.raises(SourceError) as caught:
        async with open_rtsp(target(over_tls.url(), "admin", "pass"), SystemClock()):
            pytest.fail("it cannot be open")
    assert caught.value.trouble == Trouble.REFUSED
    assert show_fingerprint(digits) in caught.value.message
    async with open_rtsp(target(over_tls.url(f"#fingerprint={digits}"), "admin", "pass"), SystemClock()) as source:
        await take(source, 1)
    other = "0" * 64
    with pytest.raises(SourceError, match="another certificate than the pinned one"):
        async with open_rtsp(target(over_tls.url(f"#fingerprint={other}"), "admin", "pass"), SystemClock()):
            pytest.fail("it cannot be open")


# ---- HTTP


async def test_a_camera_is_watched_through_http() -> None:
    with running_cameras(user="admin", password="pass") as running:
        where = target(running.url("#transport=http"), "admin", "pass")
        result = await probe_rtsp(where, SystemClock())
        assert result.error is None
        assert result.steps[0].detail.endswith(", through HTTP")
        async with open_rtsp(where, SystemClock()) as source:
            video, audio = await take(source, 12)
            assert source.statistics.oddities == set()
        assert len(decode(video)) == 12
        assert audio
