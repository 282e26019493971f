"""G.711 becomes AAC: what is heard is what was said, when it was said; and what a camera may send at worst."""

from __future__ import annotations

import subprocess

import av
import numpy as np
import pytest
import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.aac import AUDIO_RATE, LARGEST_FRAME, SILENCE, audio_format
from appliance.workers.crew import open_crew
from appliance.workers.pool import open_pool
from appliance.workers.sound import SoundPipeline
from appliance.workers.wire import SoundHeard, SoundOpen, SoundPiece

BEGIN = 1_000 * TICKS_PER_SECOND
TICK = "0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.05)"


def say(codec: str, rate: int, channels: int, seconds: int = 3) -> bytes:
    """A tick a second, as ffmpeg codes it."""
    name = {"pcmu": "mulaw", "pcma": "alaw"}[codec]
    source = "aevalsrc=" + "|".join([TICK.replace(",", r"\,")] * channels) + f":s={rate}:d={seconds}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-c:a", f"pcm_{name}", "-f", name, "-"]
    return subprocess.run(command, capture_output=True, check=True, timeout=30).stdout


def pieces(data: bytes, rate: int, channels: int, size: int, begin: int = BEGIN) -> list[SoundPiece]:
    second = rate * channels
    return [
        SoundPiece(data[at : at + size], begin + at * TICKS_PER_SECOND // second) for at in range(0, len(data), size)
    ]


def hear(heard: list[SoundHeard]) -> list[tuple[float, float]]:
    """Each frame's time in seconds, and the first loud sample in it or NaN."""
    decoder = av.AudioCodecContext.create("aac", "r")
    decoder.extradata = heard[-1].config
    found = []
    for answer in heard:
        for data, pts in answer.frames:
            packet = av.Packet(data)
            packet.pts = pts
            for frame in decoder.decode(packet):
                at = (frame.pts - BEGIN) / TICKS_PER_SECOND
                loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.2)
                found.append((at, at + loud[0] / AUDIO_RATE if loud.size else np.nan))
    return found


def ticks(heard: list[SoundHeard]) -> list[float]:
    loud = [at for _, at in hear(heard) if not np.isnan(at)]
    return [at for n, at in enumerate(loud) if n == 0 or at - loud[n - 1] > 0.5]


@pytest.mark.peer
@pytest.mark.parametrize(
    ("codec", "rate", "channels", "size"),
    [("pcmu", 8000, 1, 160), ("pcma", 8000, 1, 240), ("pcmu", 16_000, 1, 1000), ("pcma", 8000, 2, 8000)],
)
def test_it_ticks_on_the_second(codec: str, rate: int, channels: int, size: int) -> None:
    pipeline = SoundPipeline(SoundOpen(codec, rate, channels))
    heard = [pipeline.work(each) for each in pieces(say(codec, rate, channels), rate, channels, size)]
    form = audio_format(heard[-1].config)
    assert (form.codec_string, form.sample_rate, form.channels) == ("mp4a.40.2", AUDIO_RATE, channels)
    assert np.abs(np.array(ticks(heard)) - [0, 1, 2]).max() < 0.003
    starts = [pts for answer in heard for _, pts in answer.frames]
    assert set(np.diff(starts)) <= {2879, 2880, 2881}
    assert max(len(data) for answer in heard for data, _ in answer.frames) <= LARGEST_FRAME


def test_what_is_missing_for_a_moment_is_silence_and_the_rest_stays_in_its_place() -> None:
    data = b"\xff" * 8000 * 2 + b"\x80\x00" * 400 + b"\xff" * 8000
    told = [each for n, each in enumerate(pieces(data, 8000, 1, 160)) if not 20 <= n < 50]
    heard = [SoundPipeline(SoundOpen("pcmu", 8000, 1))]
    answers = [heard[0].work(each) for each in told]
    assert abs(ticks(answers)[0] - 2) < 0.003
    starts = [pts for answer in answers for _, pts in answer.frames]
    assert set(np.diff(starts)) <= {2879, 2880, 2881}


@pytest.mark.parametrize("jump", [-3600, 3600, 5, -1])
def test_after_a_jump_it_goes_on_at_the_new_time(jump: int) -> None:
    pipeline = SoundPipeline(SoundOpen("pcma", 8000, 1))
    for each in pieces(b"\xd5" * 8000, 8000, 1, 160):
        pipeline.work(each)
    later = BEGIN + (1 + jump) * TICKS_PER_SECOND
    heard = [pipeline.work(each) for each in pieces(b"\xd5" * 8000, 8000, 1, 160, later)]
    starts = [pts for answer in heard for _, pts in answer.frames]
    assert all(later - 2880 <= pts < later + TICKS_PER_SECOND for pts in starts)
    assert len(starts) > 25


def test_silence_is_silence() -> None:
    for channels, frame in SILENCE.items():
        encoder = av.AudioCodecContext.create("aac", "w")
        encoder.sample_rate, encoder.format = AUDIO_RATE, "fltp"
        encoder.layout = {1: "mono", 2: "stereo"}[channels]
        encoder.open()
        decoder = av.AudioCodecContext.create("aac", "r")
        decoder.extradata = bytes(encoder.extradata)
        (shown,) = decoder.decode(av.Packet(frame))
        assert (shown.samples, np.abs(shown.to_ndarray()).max()) == (1024, 0)


async def test_nothing_that_a_camera_sends_ends_the_worker_or_is_more_than_there_may_be() -> None:
    noise = np.random.default_rng(1).integers(0, 256, 8000, np.uint8).tobytes()
    worst = [
        SoundPiece(noise, BEGIN), SoundPiece(b"\0", BEGIN + 1), SoundPiece(noise, BEGIN + TICKS_PER_SECOND),
        SoundPiece(noise * 2, TICKS_PER_SECOND), SoundPiece(noise[:1], 1 << 61), SoundPiece(b"", BEGIN),
        SoundPiece(noise, BEGIN + 2 * TICKS_PER_SECOND),
    ]  # fmt: skip
    async with open_pool(1) as pool, open_crew(pool) as crew:
        news, answers = trio.Event(), []

        def told() -> None:
            news.set()

        with trio.fail_after(20):
            async with crew.seat(1.0, told) as seat:
                seat.open_sound(SoundOpen("pcmu", 8000, 1))
                while len(answers) < len(worst):
                    while seat.has_credit and len(answers) + seat.in_flight < len(worst):
                        seat.hear(worst[len(answers) + seat.in_flight])
                    await news.wait()
                    news = trio.Event()
                    answers += seat.answers()
        assert (crew.died, crew.hung) == (0, 0)
    assert len(answers[-1].frames) > 25
