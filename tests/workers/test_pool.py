"""The pool with real workers: they decode, they die, they hang, they are confined."""

from __future__ import annotations

import io
import os
import signal

import av
import msgspec
import numpy as np
import psutil
import pytest
import trio

from appliance.base.faults import Fault
from appliance.media.jpeg import video_format
from appliance.workers.pool import Pool, open_pool
from appliance.workers.wire import DemoDone, DemoJob, Kind, SnapshotDone, SnapshotJob
from tests.media.clips import Clip, encode_h264, encode_h265, picture
from tests.media.jpegs import jpeg


def job(clip: Clip, **changes) -> SnapshotJob:
    form = clip.format
    values = {
        "codec": form.codec, "configuration": form.configuration, "units": [unit.data for unit in clip.units],
        "full_range": form.full_range, "pixel_aspect": form.pixel_aspect, "width": None, "quality": 90,
    }  # fmt: skip
    return SnapshotJob(**values | changes)


async def ask(pool: Pool, what: SnapshotJob, patience_s: float = 20) -> SnapshotDone:
    return await pool.run(Kind.SNAPSHOT, what, SnapshotDone, patience_s=patience_s)


def decode(jpeg: bytes) -> np.ndarray:
    with av.open(io.BytesIO(jpeg), format="jpeg_pipe") as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


@pytest.mark.parametrize("encode", [encode_h264, encode_h265])
async def test_a_snapshot_is_the_last_picture_of_the_group(encode) -> None:
    clip = encode(10, (640, 360))
    async with open_pool(1) as pool:
        done = await ask(pool, job(clip))
    assert (done.width, done.height) == (640, 360)
    assert np.abs(decode(done.jpeg).astype(int) - picture(9, 640, 360)).mean() < 8


@pytest.mark.parametrize("encode", [encode_h264, encode_h265])
async def test_a_snapshot_of_4k_fits_into_a_worker(encode) -> None:
    clip = encode(2, (3840, 2160))
    async with open_pool(1) as pool:
        done = await ask(pool, job(clip))
    assert (done.width, done.height) == (3840, 2160)


async def test_a_snapshot_of_a_jpeg_picture_keeps_its_colours() -> None:
    sent = jpeg(640, 360, quality=95)
    form = video_format(640, 360)
    what = SnapshotJob("mjpeg", form.configuration, [sent], form.full_range, form.pixel_aspect, None, 95)
    async with open_pool(1) as pool:
        done = await ask(pool, what)
        smaller = await ask(pool, msgspec.structs.replace(what, width=320))
    assert (done.width, done.height, smaller.width, smaller.height) == (640, 360, 320, 180)
    assert np.abs(decode(done.jpeg).astype(int) - decode(sent)).mean() < 2


async def test_a_snapshot_of_ten_bits_is_a_picture_like_any_other() -> None:
    clip = encode_h265(3, (320, 180), pixels="yuv420p10le")
    async with open_pool(1) as pool:
        shown = decode((await ask(pool, job(clip))).jpeg)
    assert np.abs(shown.astype(int) - picture(2, 320, 180)).mean() < 8


@pytest.mark.parametrize("full_range", [False, True])
async def test_black_and_white_stay_black_and_white_in_either_range(full_range: bool) -> None:
    clip = encode_h264(1, (320, 180), full_range=full_range)
    async with open_pool(1) as pool:
        shown = decode((await ask(pool, job(clip))).jpeg)
    assert abs(int(shown[20, 40].mean()) - 40) < 8
    clip = encode_h264(256, (64, 64), full_range=full_range, gop=256)
    async with open_pool(1) as pool:
        shown = decode((await ask(pool, job(clip))).jpeg)
    assert abs(int(shown[:28, 2:62].mean()) - 220) < 8  # picture 255: all columns white


async def test_a_snapshot_is_made_smaller_and_never_larger_and_with_square_pixels() -> None:
    clip = encode_h264(3, (720, 576), **{"x264-params": "sar=16/11"})
    async with open_pool(1) as pool:
        assert ((done := await ask(pool, job(clip))).width, done.height) == (1046, 576)
        assert ((done := await ask(pool, job(clip, width=320))).width, done.height) == (320, 176)
        assert ((done := await ask(pool, job(clip, width=4000))).width, done.height) == (1046, 576)


async def test_units_that_no_decoder_understands_are_a_fault_and_the_worker_lives() -> None:
    clip = encode_h264(2)
    async with open_pool(1) as pool:
        with pytest.raises(Fault) as caught:
            await ask(pool, job(clip, units=[b"\0\0\0\5hello"]))
        assert caught.value.code == "no_picture"
        await ask(pool, job(clip))
        assert pool.replaced == 0


async def test_a_worker_that_dies_is_replaced_and_the_job_is_done() -> None:
    clip = encode_h264(2)
    async with open_pool(1) as pool:
        await pool.warm()
        os.kill(pool.workers[0], signal.SIGKILL)
        done = await ask(pool, job(clip))
        assert done.width == 320
        assert pool.replaced == 1


async def test_a_worker_that_hangs_is_killed() -> None:
    clip = encode_h264(2)
    async with open_pool(1) as pool:
        await pool.warm()
        stuck = pool.workers[0]
        os.kill(stuck, signal.SIGSTOP)
        with pytest.raises(Fault) as caught:
            await ask(pool, job(clip), patience_s=0.5)
        assert caught.value.code == "worker_stuck"
        assert not psutil.pid_exists(stuck)
        await ask(pool, job(clip))


@pytest.mark.parametrize(("number", "said"), [(signal.SIGPROF, "SIGPROF"), (None, "")])
async def test_the_log_says_what_ended_a_worker_that_was_not_ended(number, said, caplog) -> None:
    async with open_pool(1) as pool:
        worker = await pool.hire()
        if number is not None:
            os.kill(worker.process.pid, number)
        await pool.retire(worker)
    assert [record.getMessage().rpartition(" ")[2] for record in caplog.records] == [said] * bool(said)


async def test_jobs_beyond_the_workers_wait_and_beyond_the_bound_are_refused() -> None:
    clip = encode_h264(2)
    codes: list[str] = []
    async with open_pool(2) as pool:

        async def one() -> None:
            try:
                await ask(pool, job(clip))
                codes.append("done")
            except Fault as fault:
                codes.append(fault.code)

        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(one)
        assert len(pool.workers) <= 2
    assert codes.count("done") == 34
    assert codes.count("worker_busy") == 16


async def test_cancelling_leaves_no_worker_behind() -> None:
    pids: list[int] = []
    with trio.move_on_after(20):
        async with open_pool(2) as pool, trio.open_nursery() as nursery:
            await pool.warm()
            pids += pool.workers
            os.kill(pids[0], signal.SIGSTOP)
            nursery.start_soon(ask, pool, job(encode_h264(2)))
            await trio.testing.wait_all_tasks_blocked(0.05)
            nursery.cancel_scope.cancel()
    assert pids
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_what_a_worker_gave_up_is_really_gone() -> None:
    async with open_pool(1) as pool:
        await pool.warm()
        assert set(pool.isolation) == {"network", "privileges", "limits", "files"}
        assert pool.isolation["privileges"] is None
        assert pool.isolation["limits"] is None
        assert "NoNewPrivs:\t1" in await trio.Path(f"/proc/{pool.workers[0]}/status").read_text()
        if pool.isolation["network"] is None:
            ours, theirs = [str(await trio.Path(f"/proc/{pid}/ns/net").readlink()) for pid in ("self", pool.workers[0])]
            assert ours != theirs


async def test_a_key_pressed_at_the_terminal_does_not_reach_a_worker() -> None:
    """Not even one that is just starting: it is in a process group of its own."""
    async with open_pool(1) as pool:
        await pool.warm()
        assert os.getpgid(pool.workers[0]) == pool.workers[0] != os.getpgrp()


async def test_the_demo_loops_without_a_seam() -> None:
    async with open_pool(1) as pool:
        wanted = DemoJob(20, 5, [(320, 180, 200_000), (160, 90, 60_000)], 32_000)
        done = await pool.run(Kind.DEMO, wanted, DemoDone, patience_s=60)
    assert [len(stream) for stream in done.pictures] == [100, 100]
    assert [unit.pts for unit in done.pictures[0]] == list(range(100))
    assert [unit.pts for unit in done.pictures[0] if unit.is_key] == list(range(0, 100, 5))
    assert len(done.sound) == 625
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = done.sound_config
    samples = [frame.to_ndarray()[0] for unit in done.sound * 2 for frame in decoder.decode(av.Packet(unit))]
    seam = np.concatenate(samples)[625 * 1024 - 2048 : 625 * 1024 + 2048]
    assert np.abs(np.diff(seam)).max() < 0.2
