"""Pipelines in real workers: the right pixels, the right rates, and what a camera may send at worst."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import av
import msgspec
import numpy as np
import pytest
import simplejpeg
import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.fmp4 import Muxer, init_segment
from appliance.media.jpeg import video_format
from appliance.media.ladder import shown_size
from appliance.workers import crew as crew_module
from appliance.workers.crew import CREDITS, Crew, SeatLostError, open_crew
from appliance.workers.pool import open_pool
from appliance.workers.wire import (
    Kind,
    PipelineOpen,
    PipelinePicture,
    PipelineRung,
    PipelineRungs,
    PipelineUnit,
    PipelineWorked,
)
from tests.media.clips import START, Clip, encode_h264, encode_h265
from tests.media.clips import picture as drawn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


async def run(
    crew: Crew,
    clip: Clip,
    rungs: Sequence[PipelineRung],
    units: Sequence[PipelineUnit] | None = None,
    *,
    skip: bool = False,
    reduce: int = 1,
) -> list[PipelineWorked]:
    """Everything that a pipeline answers to a clip's units."""
    form, news = clip.format, trio.Event()

    def told() -> None:
        news.set()

    if units is None:
        units = [PipelineUnit(unit.data, unit.pts) for unit in clip.units]
    answers: list[PipelineWorked] = []
    with trio.fail_after(30):
        async with crew.seat(1.0, told) as seat:
            seat.open(
                PipelineOpen(form.codec, form.configuration, form.full_range, skip, reduce), PipelineRungs(list(rungs))
            )
            left = list(units)
            while len(answers) < len(units):
                answers += seat.answers()
                while left and seat.has_credit:
                    seat.work(left.pop(0))
                assert seat.in_flight <= CREDITS
                if len(answers) < len(units):
                    await news.wait()
                    news = trio.Event()
    return answers


def made(answers: Sequence[PipelineWorked]) -> list[PipelinePicture]:
    return [picture for worked in answers for picture in worked.pictures]


def decode(jpeg: bytes) -> np.ndarray:
    with av.open(io.BytesIO(jpeg), format="jpeg_pipe") as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def by_ffmpeg(clip: Clip, size: tuple[int, int], folder: Path) -> np.ndarray:
    """The same pictures, decoded, scaled and made RGB by ffmpeg."""
    muxer, file = Muxer(lambda _: b""), folder / "clip.mp4"
    file.write_bytes(init_segment(clip.format) + b"".join(muxer.video(unit).message for unit in clip.units))
    scale = f"scale={size[0]}:{size[1]}:flags=area+accurate_rnd+full_chroma_int"
    command = ["ffmpeg", "-v", "error", "-i", str(file), "-vf", scale, "-fps_mode", "passthrough"]
    done = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True, timeout=60
    )
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, size[1], size[0], 3)


CLIPS = {
    "h264": lambda: encode_h264(12, (640, 360)),
    "h264 in full range": lambda: encode_h264(12, (640, 360), full_range=True),
    "h264 with B pictures": lambda: encode_h264(12, (640, 360), b=2),
    "h264 in the colours of HDTV": lambda: encode_h264(12, (640, 360), **{"x264-params": "colormatrix=bt709"}),
    "h264, samples wider than high": lambda: encode_h264(12, (352, 288), **{"x264-params": "sar=16/11"}),
    "h265": lambda: encode_h265(12, (640, 360)),
    "h265 of 4:2:2": lambda: encode_h265(12, (640, 360), pixels="yuv422p"),
    "h265 of ten bits": lambda: encode_h265(12, (640, 360), pixels="yuv420p10le"),
}  # fmt: skip


@pytest.mark.peer
@pytest.mark.parametrize("what", CLIPS)
async def test_the_pixels_are_those_that_ffmpeg_sees(what: str, tmp_path: Path) -> None:
    clip = CLIPS[what]()
    whole = shown_size(clip.format.width, clip.format.height, clip.format.pixel_aspect)
    sizes = [
        (whole[0] // 2 * 2, whole[1]),
        (whole[0] // 4 * 2, whole[1] // 4 * 2),
        (whole[0] // 6 * 2, whole[1] // 6 * 2),
    ]
    async with open_pool(1) as pool, open_crew(pool) as crew:
        pictures = made(await run(crew, clip, [PipelineRung(*size, None, 95) for size in sizes]))
    late = clip.format.reorder_depth or 0
    assert len(pictures) >= 12 - late
    for number, size in enumerate(sizes):
        judged = by_ffmpeg(clip, size, tmp_path)
        for at, picture in enumerate(pictures):
            assert picture.pts == START + at * TICKS_PER_SECOND // 25
            shown = decode(picture.jpegs[dict(picture.rungs)[number]])
            assert shown.shape == judged[at].shape
            # levels, not edges: JPEG halves the colours' sides, ffmpeg filters chroma in its own way
            assert np.abs(np.median(shown, (0, 1)) - np.median(judged[at], (0, 1))).max() <= 3, (what, size)
            difference = np.abs(shown.astype(int) - judged[at])
            assert difference.mean() < 3, (what, size)
            red = judged[at][..., 0].astype(int) - judged[at][..., 1] > 100
            if number == 0:
                assert red.sum() > 1000
                assert difference[red].mean() < 8, (what, difference[red].mean(0))


@pytest.mark.parametrize(("reduce", "size"), [(1, (320, 180)), (4, (160, 90)), (8, (80, 45)), (8, (40, 22))])
async def test_jpeg_is_decoded_at_a_part_of_its_size(reduce: int, size: tuple[int, int]) -> None:
    units = [
        PipelineUnit(simplejpeg.encode_jpeg(drawn(n, 640, 360), quality=95), START + n * 3600, alone=True)
        for n in range(5)
    ]
    clip = Clip(video_format(640, 360), [])
    even = (size[0] // 2 * 2, size[1] // 2 * 2)
    async with open_pool(1) as pool, open_crew(pool) as crew:
        answers = await run(crew, clip, [PipelineRung(*even, None, 95)], units, reduce=reduce)
    assert [worked.decoded for worked in answers] == [1] * 5
    for n, shown in enumerate(made(answers)):
        whole = av.VideoFrame.from_ndarray(drawn(n, 640, 360), format="rgb24")
        small = whole.reformat(width=even[0], height=even[1], interpolation="AREA").to_ndarray(format="rgb24")
        assert np.abs(decode(shown.jpegs[0]).astype(int) - small).mean() < 6


async def test_without_the_loop_filter_a_small_picture_looks_the_same() -> None:
    clip = encode_h264(25, (1280, 720), gop=25)
    async with open_pool(1) as pool, open_crew(pool) as crew:
        rung = [PipelineRung(640, 360, None, 90)]
        with_it, without = [made(await run(crew, clip, rung, skip=skip)) for skip in (False, True)]
    assert len(with_it) == len(without) == 25
    for one, other in zip(with_it, without, strict=True):
        assert np.abs(decode(one.jpegs[0]).astype(int) - decode(other.jpegs[0])).mean() < 2


async def test_each_rung_has_its_rate_and_equal_ones_share_their_jpeg() -> None:
    clip = encode_h264(50)
    rungs = [PipelineRung(320, 180, None, 75), PipelineRung(320, 180, 10.0, 75), PipelineRung(160, 90, 2.0, 75)]
    async with open_pool(1) as pool, open_crew(pool) as crew:
        answers = await run(crew, clip, rungs)
    pictures = made(answers)
    assert sum(worked.decoded for worked in answers) == 50
    counts = [sum(number in dict(picture.rungs) for picture in pictures) for number in range(3)]
    assert counts[0] == 50
    assert abs(counts[1] - 20) <= 1
    assert abs(counts[2] - 4) <= 1
    assert sum(len(picture.jpegs) for picture in pictures) == 50 + counts[2]


async def test_units_that_are_not_shown_are_decoded_for_those_that_are() -> None:
    clip = encode_h264(10)
    units = [PipelineUnit(unit.data, unit.pts, number == 9) for number, unit in enumerate(clip.units)]
    async with open_pool(1) as pool, open_crew(pool) as crew:
        answers = await run(crew, clip, [PipelineRung(320, 180, None, 75)], units)
        whole = made(await run(crew, clip, [PipelineRung(320, 180, None, 75)]))
    (picture,) = made(answers)
    assert picture.pts == clip.units[9].pts
    assert picture.jpegs == whole[9].jpegs


async def test_units_that_waited_are_decoded_before_the_one_that_is_shown() -> None:
    clip, rungs = encode_h264(30, gop=10), [PipelineRung(320, 180, 5.0, 75)]
    coded = [(unit.data, unit.pts) for unit in clip.units]
    units = [
        PipelineUnit(*coded[at], starts=at % 10 == 0, before=[] if at % 10 == 0 else coded[at - 4 : at])
        for at in range(0, 30, 5)
    ]
    async with open_pool(1) as pool, open_crew(pool) as crew:
        answers = await run(crew, clip, rungs, units)
        one_by_one = made(await run(crew, clip, rungs))
    assert made(answers) == one_by_one
    assert [worked.decoded for worked in answers] == [1, 5] * 3
    assert all(worked.at_once for worked in answers)


@pytest.mark.parametrize(("b", "at_once"), [(0, True), (2, False)])
async def test_it_says_whether_pictures_come_out_as_they_are_given(b, at_once) -> None:
    clip = encode_h264(30, gop=10, b=b)
    units = [PipelineUnit(unit.data, unit.pts, starts=unit.is_idr) for unit in clip.units]
    damaged = replace_data(units[14], b"nonsense")
    async with open_pool(1) as pool, open_crew(pool) as crew:
        answers = await run(crew, clip, [PipelineRung(320, 180, 5.0, 75)], [*units[:14], damaged, *units[15:]])
    said = [worked.at_once for worked in answers]
    assert said[:10] == ([True] * 10 if at_once else [False] * 10)
    assert said[14:20] == [False] * 6  # what was damaged is none that came
    assert said[20:] == [at_once] * 10


@pytest.mark.parametrize("encode", [encode_h264, encode_h265])
async def test_key_frames_alone_come_at_once(encode) -> None:
    clip = encode(30, gop=10, b=2)
    keys = [PipelineUnit(unit.data, unit.pts, alone=True) for unit in clip.units if unit.is_idr]
    async with open_pool(1) as pool, open_crew(pool) as crew:
        answers = await run(crew, clip, [PipelineRung(320, 180, None, 75)], keys)
    assert [len(worked.pictures) for worked in answers] == [1] * len(keys)


async def test_a_damaged_unit_is_not_the_end() -> None:
    clip = encode_h264(30, gop=10)
    units = [PipelineUnit(unit.data, unit.pts) for unit in clip.units]
    units[5] = replace_data(units[5], b"\0\0\0\5hello")
    units[10] = replace_data(units[10], b"\xff" * 100)
    async with open_pool(1) as pool, open_crew(pool) as crew:
        answers = await run(crew, clip, [PipelineRung(320, 180, None, 75)], units)
        assert (crew.died, crew.hung) == (0, 0)
    assert sum(worked.damaged for worked in answers) >= 1
    assert [picture.pts for picture in made(answers)][-10:] == [unit.pts for unit in clip.units[20:]]


async def test_a_pipeline_that_cannot_be_opened_is_not_the_end_of_others() -> None:
    clip = encode_h264(10)
    unknown = Clip(replace(clip.format, codec="nothing"), clip.units)
    rungs = [PipelineRung(320, 180, None, 75)]
    async with open_pool(1) as pool, open_crew(pool) as crew:
        assert len(made(await run(crew, clip, rungs))) == 10
        answers = await run(crew, unknown, rungs)
        assert all(worked.damaged and not worked.pictures for worked in answers)
        assert len(made(await run(crew, clip, rungs))) == 10
        assert (crew.died, crew.hung) == (0, 0)


async def test_a_worker_with_nothing_to_do_is_let_go_and_the_spare_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew_module, "IDLE_S", 0.5)
    clip, rungs = encode_h264(10), [PipelineRung(320, 180, None, 75)]
    async with open_pool(2) as pool, open_crew(pool) as crew:
        async with crew.seat(1.0, lambda: None) as seat:
            first = seat.pid
            await trio.sleep(1)  # it may be needed at any time
            assert first in pool.workers
        with trio.fail_after(20):
            while first in pool.workers or not pool.workers:  # noqa: ASYNC110 (nobody tells a test)
                await trio.sleep(0.05)
        assert len(pool.workers) == 1
        assert (crew.died, crew.hung, pool.replaced) == (0, 0, 0)
        assert len(made(await run(crew, clip, rungs))) == 10


def replace_data(unit: PipelineUnit, data: bytes) -> PipelineUnit:
    return PipelineUnit(data, unit.pts)


@pytest.mark.parametrize("encode", [encode_h264, encode_h265])
async def test_a_hostile_stream_ends_no_worker(encode) -> None:
    """A12: bits turned, pieces missing, doubled and exchanged, in the units and in what the decoder is told of them."""
    chance = random.Random(4)
    clip = encode(60, (320, 180), gop=12, b=2)
    async with open_pool(1) as pool, open_crew(pool) as crew:
        for turn in range(12):
            units = []
            for unit in clip.units:
                data = bytearray(unit.data)
                for _ in range(chance.choice((0, 0, 1, 4, 40))):
                    data[chance.randrange(4, len(data))] ^= 1 << chance.randrange(8)
                if chance.random() < 0.1:
                    data = data[: chance.randrange(1, len(data))]
                units.append(PipelineUnit(bytes(data), unit.pts * chance.choice((1, 1, 1, -1, 0))))
            chance.shuffle(units) if turn % 3 == 2 else None
            told = bytearray(clip.format.configuration)
            if turn % 2:
                told[chance.randrange(len(told))] ^= 1 << chance.randrange(8)
            form = replace(clip.format, configuration=bytes(told))
            await run(crew, Clip(form, clip.units), [PipelineRung(160, 90, None, 75)], units)
        good = await run(crew, clip, [PipelineRung(160, 90, None, 75)])
        assert (crew.died, crew.hung) == (0, 0)
    assert len(made(good)) >= 57


async def test_the_owners_of_pipelines_hear_that_their_worker_is_gone_and_who_is_to_blame() -> None:
    clip = encode_h264(2)
    async with open_pool(1) as pool, open_crew(pool) as crew:
        news = trio.Event()
        async with crew.seat(1.0, news.set) as innocent, crew.seat(1.0, lambda: None) as guilty:
            assert innocent.pid == guilty.pid
            for seat in (innocent, guilty):
                form = clip.format
                seat.open(
                    PipelineOpen(form.codec, form.configuration, form.full_range, False),
                    PipelineRungs([PipelineRung(320, 180, None, 75)]),
                )
            os.kill(guilty.pid, signal.SIGSTOP)
            guilty.work(PipelineUnit(clip.units[0].data, clip.units[0].pts))
            with trio.fail_after(5):
                await news.wait()
            lost = []
            for seat in (innocent, guilty):
                with pytest.raises(SeatLostError) as caught:
                    seat.answers()
                lost.append((caught.value.blamed, caught.value.hung))
            assert lost == [(False, True), (True, True)]
        with trio.fail_after(1):  # the spare takes over
            async with crew.seat(1.0, lambda: None, at_once=True) as another:
                assert another.pid != guilty.pid


def test_a_picture_may_not_take_the_processor_for_long() -> None:
    code = "from appliance.workers.isolation import cpu_limit\nwith cpu_limit(0.1):\n    while True: pass"
    done = subprocess.run([sys.executable, "-c", code], timeout=30, check=False)
    assert done.returncode == -signal.SIGPROF


@pytest.mark.parametrize(
    ("decoded", "pts", "rung", "jpeg"), [(1, 0, 1, 0), (1, 0, 0, 1), (1, -1, 0, 0), (1, 0, -1, 0), (-1, 0, 0, 0)]
)
async def test_a_worker_that_answers_what_was_not_asked_is_ended(decoded: int, pts: int, rung: int, jpeg: int) -> None:
    """Whoever has taken over a worker can say what he likes; the main process believes none of it."""
    clip, news = encode_h264(2), trio.Event()
    answer = PipelineWorked(decoded, [PipelinePicture(pts, [b"jpeg"], [(rung, jpeg)])])
    async with open_pool(1) as pool, open_crew(pool) as crew, crew.seat(1.0, news.set) as seat:
        form = clip.format
        seat.open(
            PipelineOpen(form.codec, form.configuration, form.full_range, False),
            PipelineRungs([PipelineRung(320, 180, None, 75)]),
        )
        (hand,) = crew._hands
        real = hand.worker.receive

        async def receive() -> tuple[Kind, int, bytes]:
            kind, number, _ = await real()
            return kind, number, msgspec.msgpack.encode(answer)

        hand.worker.receive = receive  # type: ignore[method-assign]
        # the first answer is waited for already
        for unit in clip.units:
            seat.work(PipelineUnit(unit.data, unit.pts))
        with trio.fail_after(5):
            while crew.died == 0:
                await news.wait()
                news = trio.Event()
                await trio.sleep(0.01)
        with pytest.raises(SeatLostError) as caught:
            seat.answers()
        assert caught.value.blamed
