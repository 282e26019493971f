"""The demo camera's clip: coded once, in a worker, then looped for ever.

A camera's footage is made rather than shipped: some seconds of work at the first start instead of megabytes
in every package, and nobody's rights in it.
"""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

from appliance.workers.scene import TURN_S, Scene
from appliance.workers.wire import DemoDone, DemoJob, DemoPicture

TONE_HZ, TICK_HZ = 220, 880


def make_demo(job: DemoJob) -> DemoDone:
    """Pictures in each size and the sound, so that the end joins the beginning."""
    pictures = _pictures(job)
    sound, config = _sound(job)
    return DemoDone(pictures, sound, config)


def _pictures(job: DemoJob) -> list[list[DemoPicture]]:
    width, height, _ = job.sizes[0]
    scene = Scene(width, height, job.fps)
    turn = round(TURN_S * job.fps)
    turns = job.seconds * job.fps // turn
    # Only the stopwatch tells one turn of the beam from the next: each turn has its encoders, fed side by side.
    encoders = [[_encoder(size, job.fps) for size in job.sizes] for _ in range(turns)]
    made: list[list[list[DemoPicture]]] = [[[] for _ in job.sizes] for _ in range(turns)]

    def take(number: int, which: int, packets: list[av.Packet[av.VideoStream]]) -> None:
        for packet in packets:
            assert packet.pts is not None
            made[number][which].append(DemoPicture(bytes(packet), number * turn + packet.pts, packet.is_keyframe))

    for n in range(turn):
        backdrop = scene.backdrop(n)
        for number in range(turns):
            image = backdrop.copy() if number < turns - 1 else backdrop
            scene.draw_stopwatch(image, number * turn + n)
            shown = av.VideoFrame.from_ndarray(image, format="rgb24")
            for which, (wide, high, _) in enumerate(job.sizes):  # each from the one before: the largest is first
                shown = shown.reformat(width=wide, height=high, format="yuv420p", interpolation="AREA", threads=1)
                shown.pts = n
                take(number, which, encoders[number][which].encode(shown))
    for number in range(turns):
        for which in range(len(job.sizes)):
            take(number, which, encoders[number][which].encode(None))
    return [[unit for number in range(turns) for unit in made[number][which]] for which in range(len(job.sizes))]


def _encoder(size: tuple[int, int, int], fps: int) -> av.VideoCodecContext:
    width, height, bit_rate = size
    encoder = av.VideoCodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    encoder.gop_size, encoder.max_b_frames, encoder.thread_count = fps, 0, 1
    encoder.bit_rate = bit_rate
    encoder.options = {
        "preset": "superfast",
        "profile": "high",
        "x264-params": f"scenecut=0:keyint={fps}:min-keyint={fps}:bframes=0:repeat-headers=1:rc-lookahead=0"
        f":vbv-maxrate={bit_rate // 1000 * 2}:vbv-bufsize={bit_rate // 1000 * 2}",
    }
    return encoder


def _sound(job: DemoJob) -> tuple[list[bytes], bytes]:
    rate, loop = job.sample_rate, job.seconds * job.sample_rate
    assert loop % 1024 == 0, "the loop has to be a whole number of AAC frames"
    at = np.arange(loop) / rate
    tone = 0.06 * np.sin(2 * np.pi * TONE_HZ * at) * (0.7 + 0.3 * np.sin(2 * np.pi * at / TURN_S))
    tick = 0.35 * np.sin(2 * np.pi * TICK_HZ * at) * np.exp(-(at % 1.0) * 60)
    samples = (tone + tick).astype(np.float32)
    encoder = av.AudioCodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", "fltp"
    encoder.time_base, encoder.bit_rate = Fraction(1, rate), 48_000
    encoder.open()
    packets: list[bytes] = []
    for n in range(3 * loop // 1024):
        piece = samples[n * 1024 % loop :][:1024]
        frame = av.AudioFrame.from_ndarray(piece[None], "fltp", "mono")
        frame.sample_rate, frame.pts = rate, n * 1024
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    # One frame of priming comes first; the second round overlaps with itself on both sides.
    first = loop // 1024 + 1
    return packets[first : first + loop // 1024], bytes(encoder.extradata or b"")
