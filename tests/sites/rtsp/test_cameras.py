"""The driver on cameras that others wrote: GStreamer's RTSP server, libav as the judge of what came."""

from __future__ import annotations

import time
from itertools import pairwise

import av
import pytest
import trio
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext

from appliance._native.nal import avcc_to_annexb, find_nals, split_avcc
from appliance.base.clock import SystemClock
from appliance.base.secrets import Secret
from appliance.media.units import AccessUnit, AudioUnit
from appliance.sites.rtsp.oddities import Oddity
from appliance.sites.rtsp.probe import describe_rtsp, probe_rtsp
from appliance.sites.rtsp.source import open_rtsp
from appliance.sites.rtsp.target import RtspTarget
from appliance.sites.source import SourceError, Trouble
from tests.media.jpegs import pixels
from tests.peers.cameras import FOOTAGE, FPS, GOP, Cameras, cameras, running_cameras

pytestmark = pytest.mark.peer
__all__ = ["cameras"]  # the fixture

PICTURE = 90_000 // FPS


def target(url: str, username: str = "", password: str | None = None) -> RtspTarget:
    return RtspTarget.from_url(url, username, Secret(password) if password is not None else None)


async def take(source, pictures: int) -> tuple[list[AccessUnit], list[AudioUnit]]:
    """Units until that many pictures are there, and no more of those: a read may complete several."""
    video: list[AccessUnit] = []
    audio: list[AudioUnit] = []
    while len(video) < pictures:
        for unit in await source.receive():
            (video if isinstance(unit, AccessUnit) else audio).append(unit)
    return video[:pictures], audio


async def trouble_of(where: RtspTarget) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await watch(where)
    return caught.value


async def watch(where: RtspTarget) -> None:
    async with open_rtsp(where, SystemClock()) as source:
        while True:
            await source.receive()


def decode(units: list[AccessUnit]) -> list[av.VideoFrame]:
    """What libav makes of the units; it complains about every flaw."""
    codec = VideoCodecContext.create({"h264": "h264", "h265": "hevc"}[units[0].format.codec], "r")
    codec.extradata = units[0].format.configuration
    codec.options = {"err_detect": "explode"}
    frames = []
    for unit in units:
        frames += codec.decode(av.Packet(unit.data))
    return [*frames, *codec.decode(None)]


def nals(annexb: bytes) -> tuple[bytes, ...]:
    """The NAL units that belong into an access unit of ours."""
    return tuple(annexb[a:b] for a, b in find_nals(annexb) if annexb[a] & 31 not in (7, 8, 9))


def libav_reads(url: str, count: int) -> list[tuple[int, tuple[bytes, ...]]]:
    """Pictures as libav's own RTSP client gets them: (time in ticks, NAL units)."""
    found = []
    with av.open(url, options={"rtsp_transport": "tcp", "fpsprobesize": "0"}, timeout=(5, 5)) as container:
        for unit in container.demux(video=0):
            if unit.pts is not None and unit.time_base is not None:
                found.append((round(unit.pts * unit.time_base * 90_000), nals(bytes(unit))))
            if len(found) == count:
                break
    return found


async def test_picture_and_sound_of_the_main_stream_can_be_decoded(cameras: Cameras) -> None:
    async with open_rtsp(target(cameras.url()), SystemClock()) as source:
        assert source.video is not None
        assert (source.video.width, source.video.height, source.video.codec_string) == (1280, 720, "avc1.4d401f")
        assert source.audio is not None
        assert source.audio.sample_rate == 16_000
        began = SystemClock().utc_90k()
        video, audio = await take(source, 25)
        assert (list(source.notes), source.statistics.oddities) == ([], set())
        assert (source.statistics.packets_lost, source.statistics.units_dropped) == (0, 0)
    assert [unit.seq for unit in video] == list(range(25))
    assert [n for n, unit in enumerate(video) if unit.is_idr][:2] == [0, GOP]
    frames = decode(video)
    assert [(frame.width, frame.height) for frame in frames] == [(1280, 720)] * 25
    assert {abs(one.pts + PICTURE - other.pts) <= 90 for one, other in pairwise(video)} == {True}
    assert all(abs(unit.pts - began) < 10 * 90_000 for unit in video)
    codec = AudioCodecContext.create("aac", "r")
    codec.extradata = audio[0].format.configuration
    sound = [frame for unit in audio for frame in codec.decode(av.Packet(unit.data))]
    assert len(sound) >= len(audio) - 1
    assert {frame.sample_rate for frame in sound} == {16_000}
    assert {abs(one.pts + one.duration - other.pts) <= 90 for one, other in pairwise(audio)} == {True}


async def test_libav_reads_the_same_from_the_same_camera(cameras: Cameras) -> None:
    url = cameras.url("/sub")
    theirs: list[tuple[int, tuple[bytes, ...]]] = []
    async with trio.open_nursery() as nursery, open_rtsp(target(url), SystemClock()) as source:
        assert list(source.notes) == []
        assert source.audio is not None
        assert source.audio.codec == "pcmu"

        async def read() -> None:
            theirs.extend(await trio.to_thread.run_sync(libav_reads, url, 8))

        await source.receive()
        nursery.start_soon(read)
        video, _ = await take(source, 24)
    ours = {nals(avcc_to_annexb(unit.data)): unit for unit in video}
    common = [(at, ours[units]) for at, units in theirs if units in ours]
    assert len(common) >= 6
    offsets = [unit.pts - at for at, unit in common]
    assert max(offsets) - min(offsets) <= 180
    assert all(len(split_avcc(unit.data)) == len(units) for units, unit in ours.items())


@pytest.mark.parametrize(("path", "size"), [("/h265", (1280, 720)), ("/h265sub", (640, 360))])
async def test_a_stream_of_h265_can_be_decoded(cameras: Cameras, path: str, size: tuple[int, int]) -> None:
    async with open_rtsp(target(cameras.url(path)), SystemClock()) as source:
        assert source.video is not None
        assert (source.video.codec, source.video.width, source.video.height) == ("h265", *size)
        assert list(source.notes) == []
        assert (source.audio and source.audio.codec) == ("pcma" if path == "/h265" else None)
        video, _ = await take(source, 25)
        assert source.statistics.oddities == set()
    assert [n for n, unit in enumerate(video) if unit.is_idr][:2] == [0, GOP]
    assert [(frame.width, frame.height) for frame in decode(video)] == [size] * 25


async def test_after_a_loss_h265_goes_on_where_it_can_be_decoded(cameras: Cameras) -> None:
    async with open_rtsp(target(cameras.url("/h265sub", camera=2)), SystemClock(), audio=False) as source:
        video, _ = await take(source, 2)
        cameras.order("loss", "cam2", "15")
        try:
            with trio.fail_after(30):
                while source.statistics.packets_lost < 3 or not source.statistics.units_dropped:
                    video += (await take(source, 1))[0]
        finally:
            cameras.order("loss", "cam2", "0")
        video += (await take(source, 2 * GOP))[0]
    gaps = [(one, other) for one, other in pairwise(video) if other.seq != one.seq + 1]
    assert gaps
    assert all(other.is_idr for _, other in gaps)
    assert len(decode(video)) == len(video)


@pytest.mark.parametrize("auth", ["basic", "digest"])
async def test_who_we_are_is_proved_and_wrong_passwords_are_told(auth: str) -> None:
    with running_cameras(user="admin", password='p"ä s', auth=auth) as guarded:
        async with open_rtsp(target(guarded.url(), "admin", 'p"ä s'), SystemClock()) as source:
            await take(source, 1)
        wrong = await trouble_of(target(guarded.url(), "admin", "canary"))
        missing = await trouble_of(target(guarded.url()))
    assert (wrong.trouble, missing.trouble) == (Trouble.BAD_CREDENTIALS, Trouble.BAD_CREDENTIALS)
    assert wrong.message == "The camera refused the user name or password."
    assert missing.message == "The camera asks for a user name and password."


@pytest.mark.parametrize("way", ["", "#transport=udp"])
async def test_jpeg_pictures_are_those_that_were_coded(way: str, cameras: Cameras) -> None:
    coded = next(FOOTAGE.glob("*.mjpeg")).read_bytes().split(b"\xff\xd8\xff")[1:]
    pictures = [pixels(b"\xff\xd8\xff" + data) for data in coded]
    async with open_rtsp(target(cameras.url(f"/mjpeg{way}")), SystemClock()) as source:
        units, _ = await take(source, FPS)
        assert source.video is not None
        assert (source.video.codec, source.video.width, source.video.height) == ("mjpeg", 640, 360)
        assert source.statistics.oddities == set()
    numbers = []
    for unit in units:
        decoded = pixels(unit.data)
        numbers.append(next(n for n, picture in enumerate(pictures) if (picture == decoded).all()))
    assert {(after - before) % len(coded) for before, after in pairwise(numbers)} == {1}
    assert [unit.seq for unit in units][:FPS] == list(range(FPS))
    assert all(abs(after.pts - before.pts - PICTURE) < PICTURE // 10 for before, after in pairwise(units))


async def test_a_look_at_jpeg_counts_its_pictures(cameras: Cameras) -> None:
    result = await probe_rtsp(target(cameras.url("/mjpeg")), SystemClock())
    assert (result.error, result.measured.gop_s) == (None, None)
    assert result.measured.fps == pytest.approx(FPS, rel=0.1)
    assert result.measured.kbps is not None
    assert {step.name: step.detail for step in result.steps}["picture"] == "640x360, mp4v.6C"


async def test_pictures_of_mpeg4_are_whole_and_go_on_after_a_loss_with_one_that_stands_alone(cameras: Cameras) -> None:
    async with open_rtsp(target(cameras.url("/mpeg4", camera=2)), SystemClock()) as source:
        assert source.video is not None
        assert (source.video.codec, source.video.width, source.video.height) == ("mpeg4", 640, 360)
        assert source.video.codec_string == "mp4v.20.1"
        video, _ = await take(source, 25)
        assert source.statistics.oddities == {Oddity.TIME_REPEATED}
        assert [n for n, unit in enumerate(video) if unit.is_idr][:2] == [0, GOP]
        assert all(abs(later.pts - sooner.pts - PICTURE) <= 200 for sooner, later in pairwise(video[1:]))
        cameras.order("loss", "cam2", "20")
        lossy, _ = await take(source, 15)
        cameras.order("loss", "cam2", "0")
    gaps = [later for sooner, later in pairwise(lossy) if later.seq != sooner.seq + 1]
    assert gaps
    assert all(unit.is_idr for unit in gaps)
    (coded,) = FOOTAGE.glob(f"*-{FPS}-{GOP}.mpeg4")
    assert all(unit.data in coded.read_bytes() for unit in video + lossy)  # whole, as they were coded


async def test_a_stream_that_is_not_there_is_not_found(cameras: Cameras) -> None:
    assert (await trouble_of(target(cameras.url("/canary")))).trouble == Trouble.NOT_FOUND


async def test_a_killed_camera_is_lost_at_once_and_found_when_it_is_back() -> None:
    with running_cameras() as first:
        async with open_rtsp(target(first.url()), SystemClock()) as source:
            await take(source, 2)
            first.kill()
            began = time.monotonic()
            with pytest.raises(SourceError) as caught:
                await take(source, 100)
            assert caught.value.trouble == Trouble.CAMERA_LOST
        assert time.monotonic() - began < 1
        assert (await trouble_of(target(first.url()))).trouble == Trouble.REFUSED
        with running_cameras(port=first.port) as second:
            async with open_rtsp(target(second.url()), SystemClock()) as source:
                video, _ = await take(source, 1)
                assert video[0].is_idr


async def test_a_stalled_camera_is_noticed_though_it_keeps_the_session(cameras: Cameras) -> None:
    async with open_rtsp(target(cameras.url(camera=2)), SystemClock()) as source:
        await take(source, 2)
        cameras.order("stall", "cam2", "6")
        began = time.monotonic()
        with pytest.raises(SourceError) as caught:
            await take(source, 100)
        assert caught.value.trouble == Trouble.TIMEOUT
        assert time.monotonic() - began <= 5.5  # what was under way when it stalled comes before


async def test_a_loss_is_counted_and_what_comes_can_be_decoded(cameras: Cameras) -> None:
    async with open_rtsp(target(cameras.url("/sub"), "", None), SystemClock(), audio=False) as source:
        video, _ = await take(source, 2)
        cameras.order("loss", "cam1", "15")
        try:
            with trio.fail_after(30):
                while source.statistics.packets_lost < 3 or not source.statistics.units_dropped:
                    video += (await take(source, 1))[0]
        finally:
            cameras.order("loss", "cam1", "0")
        video += (await take(source, 2 * GOP))[0]
    gaps = [(one, other) for one, other in pairwise(video) if other.seq != one.seq + 1]
    assert gaps
    assert all(other.is_idr for _, other in gaps)
    assert len(decode(video)) == len(video)


async def test_without_key_frames_nothing_comes_until_one_does(cameras: Cameras) -> None:
    where = target(cameras.url(camera=2))
    async with open_rtsp(where, SystemClock()) as first:  # which keeps the camera going
        await take(first, 1)
        cameras.order("nokey", "cam2", "2")
        began = time.monotonic()
        async with open_rtsp(where, SystemClock()) as source:
            video, _ = await take(source, 3)
            assert time.monotonic() - began > 1.5
    assert video[0].is_idr
    assert source.statistics.units_dropped == 0
    assert len(decode(video)) == 3


async def test_the_test_of_a_camera_and_the_check_of_one_say_what_there_is(cameras: Cameras) -> None:
    result = await probe_rtsp(target(cameras.url()), SystemClock())
    assert [step.name for step in result.steps if step.ok] == [
        "connect", "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "picture",
    ]  # fmt: skip
    assert result.error is None
    found = await describe_rtsp(target(cameras.url("/sub")))
    assert found.video is not None
    assert (found.video.width, found.framerate, found.notes) == (640, FPS, ())
