"""A short look at a source: what is measured, and how it ends in time whatever the source does."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import trio

from appliance.sites.probe import MEASURE_S, ProbeResult, probe_source
from appliance.sites.rtsp.steps import Steps
from appliance.sites.source import SourceError, SourceStatistics, Trouble
from tests.streams.scripted import CLIP, picture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from appliance.media.units import Unit
    from appliance.sites.source import Source


class Paced:
    """25 pictures a second from number ``first`` on; after ``last`` silence, or an error."""

    video, audio, notes = CLIP.format, None, ("a note",)

    def __init__(self, first: int = 0, last: int = 10_000, error: SourceError | None = None) -> None:
        self.statistics = SourceStatistics(oddities={"cseq_missing"})
        self.closed = False
        self._next, self._last, self._error = first, last, error

    async def receive(self) -> list[Unit]:
        if self._next > self._last:
            if self._error is not None:
                raise self._error
            await trio.sleep_forever()
        await trio.sleep(1 / 25)
        self._next += 1
        return [picture(self._next - 1)]


async def probed(source: Paced, delay_s: float = 0.0, **limits: float) -> ProbeResult:
    @asynccontextmanager
    async def open_it() -> AsyncIterator[Source]:
        await trio.sleep(delay_s)
        try:
            yield source
        finally:
            source.closed = True

    return await probe_source(open_it, Steps(trio.current_time), **limits)


async def test_pictures_are_measured_up_to_the_next_key_frame(autojump_clock) -> None:
    source = Paced(first=20)
    result = await probed(source)
    assert result.error is None
    assert result.measured.key_picture is not None
    assert result.measured.key_picture.seq == 25
    assert (result.measured.fps, result.measured.gop_s) == (25, 1)
    size = sum(len(picture(n).data) for n in range(25, 50))
    assert result.measured.kbps == round(size * 8 / 1000)
    assert [(step.name, step.ok) for step in result.steps] == [("picture", True)]
    assert (result.notes, result.oddities, source.closed) == (("a note",), ["cseq_missing"], True)


async def test_a_key_frame_that_does_not_come_again_soon_is_not_waited_for(autojump_clock) -> None:
    began = trio.current_time()
    result = await probed(Paced(last=20))
    assert trio.current_time() - began == pytest.approx(MEASURE_S + 1 / 25, abs=0.01)
    assert result.error is None
    assert (result.measured.fps, result.measured.gop_s) == (25, None)


async def test_one_picture_has_no_rate(autojump_clock) -> None:
    result = await probed(Paced(last=0))
    assert (result.error, result.measured.fps, result.measured.kbps) == (None, None, None)
    assert result.measured.key_picture is not None


async def test_a_source_that_breaks_after_its_first_picture_is_broken(autojump_clock) -> None:
    result = await probed(Paced(last=3, error=SourceError(Trouble.CAMERA_LOST, "It hung up.")))
    assert result.error is not None
    assert [(step.name, step.ok) for step in result.steps] == [("picture", True), ("measure", False)]
    assert result.measured.key_picture is not None


async def test_packets_without_a_key_frame_are_an_error(autojump_clock) -> None:
    result = await probed(Paced(first=1, last=20), picture_within_s=9)
    assert result.error is not None
    assert result.error.trouble is Trouble.TIMEOUT
    assert "no key frame in 9 s" in result.error.message


@pytest.mark.parametrize(("delay_s", "steps"), [(100, 0), (0, 1)], ids=["opening", "the first picture"])
async def test_it_ends_in_time_whatever_takes_long(delay_s: float, steps: int, autojump_clock) -> None:
    began = trio.current_time()
    source = Paced(first=1)
    result = await probed(source, delay_s, picture_within_s=15, within_s=0.5)
    assert trio.current_time() - began == 0.5
    assert result.error is not None
    assert result.error.trouble is Trouble.TIMEOUT
    assert [step.ok for step in result.steps] == [False] * steps


async def test_a_picture_that_came_at_the_last_moment_counts(autojump_clock) -> None:
    result = await probed(Paced(first=15), within_s=0.45)
    assert result.error is None
    assert result.measured.key_picture is not None
