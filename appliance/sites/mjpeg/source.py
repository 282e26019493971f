"""A camera's JPEG pictures over HTTP, as the source contract wants them (`appliance.sites.source`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.jpeg import LARGEST_PICTURE, START, JpegError
from appliance.media.timeline import Timeline
from appliance.sites.mjpeg.asking import Asking
from appliance.sites.mjpeg.kinds import Kind, kind_of, whole_picture
from appliance.sites.mjpeg.multipart import MultipartReader, Part, boundary_of
from appliance.sites.pictures import JpegPictures
from appliance.sites.rtsp.connection import dial_tcp
from appliance.sites.rtsp.conversation import OPEN_WITHIN_S
from appliance.sites.rtsp.errors import BadMessage, Ended, NameNotAnswered, NoAnswer, UnsupportedCodec
from appliance.sites.rtsp.line import Line
from appliance.sites.rtsp.oddities import Oddity
from appliance.sites.rtsp.steps import Steps
from appliance.sites.rtsp.tls import Trust
from appliance.sites.rtsp.trouble import FAILURES, explain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from appliance.base.clock import Clock
    from appliance.media.units import Unit, VideoFormat
    from appliance.sites.mjpeg.exchange import Answer
    from appliance.sites.rtsp.connection import CheckAddress, Dial
    from appliance.sites.rtsp.target import RtspTarget
    from appliance.sites.source import SourceError

#: How often a second a camera is asked that gives one picture at a time.
POLLED_FPS: Final = 2
#: So long bytes may come without a picture getting whole.
STUCK_S: Final = 30.0
#: Parts one after the other that are no pictures, before we say so.
UNUSABLE_LIMIT: Final = 20


@asynccontextmanager
async def open_mjpeg(
    target: RtspTarget,
    clock: Clock,
    *,
    check_address: CheckAddress | None = None,
    dial: Dial = dial_tcp,
    trust: Trust | None = None,
    steps: Steps | None = None,
) -> AsyncIterator[MjpegSource]:
    """Ask a camera for its pictures.  The arguments are those of `open_rtsp`.  Raises `SourceError`."""
    asking = Asking(Line(dial, check_address, trust or Trust()), target)
    try:
        yield await _begin(asking, target, clock, steps or Steps(trio.current_time))
    finally:
        await asking.aclose()


async def _begin(asking: Asking, target: RtspTarget, clock: Clock, steps: Steps) -> MjpegSource:
    try:
        began = trio.current_time()
        with trio.move_on_after(OPEN_WITHIN_S):
            answer = await asking.ask(steps)
            beginning = b""
            while len(beginning.lstrip(b"\r\n")) < len(START) and (data := await asking.read()):
                beginning += data
            kind = kind_of(answer.content_type, beginning, asking.oddities)
            fps = target.options.fps
            said = _type(answer) or "no type"
            if kind is Kind.ONE:
                steps.end(f"{said}, asked for {fps or POLLED_FPS} times a second")
                return PolledSource(asking, clock, answer, beginning, 1 / (fps or POLLED_FPS), began)
            steps.end(said)
            return StreamSource(asking, clock, answer, beginning, fps)
    except FAILURES as error:
        if isinstance(error, NameNotAnswered):
            steps.rename("name")
        raise explain(error, asking.url) from error
    raise explain(NoAnswer("The camera takes too long to answer.", "Check that it is not overloaded."), asking.url)


def _type(answer: Answer) -> str:
    return answer.content_type.partition(";")[0].strip().lower()


class MjpegSource(ABC):
    """What both kinds share: from parts to units."""

    audio = None

    def __init__(self, asking: Asking, clock: Clock) -> None:
        self.statistics = asking.statistics
        self.notes: Sequence[str] = ()
        self._asking = asking
        self._clock = clock
        self._track = Timeline(clock).track(TICKS_PER_SECOND)
        self._pictures = JpegPictures(asking.statistics)
        self._unusable = 0
        self._failure: SourceError | None = None

    @property
    def video(self) -> VideoFormat | None:
        return self._pictures.format

    async def receive(self) -> list[Unit]:
        """The next units.  Raises `SourceError`, from then on always."""
        if self._failure is not None:
            raise self._failure
        units: list[Unit] = []
        try:
            with trio.move_on_after(STUCK_S):
                while not units:
                    for part in await self._next_parts():
                        self._take(part, units)
                return units
            raise NoAnswer(f"The camera sends, and no picture gets whole in {STUCK_S:g} s.", "Check the network.")
        except FAILURES as error:
            self._failure = explain(error, self._asking.url)
            raise self._failure from error

    @abstractmethod
    async def _next_parts(self) -> list[Part]:
        """What came with one read; may be none."""

    def _take(self, part: Part, units: list[Unit]) -> None:
        oddities = self._asking.oddities
        try:
            data, size = whole_picture(part.data, part.type, oddities)
        except JpegError as error:
            oddities.note(Oddity.PART_NO_PICTURE)
            self._pictures.lost(1)
            self._unusable += 1
            if self._unusable == UNUSABLE_LIMIT:
                raise UnsupportedCodec(
                    f"What the camera sends is no JPEG picture that can be used: {error}.",
                    "Enter the address of its MJPEG stream, or of its snapshot.",
                ) from None
            return
        self._unusable = 0
        arrival_90k = self._clock.utc_90k()
        # the clock of the pictures is this machine's steady one: no camera says when they were taken
        pts, run = self._track.place(round(trio.current_time() * TICKS_PER_SECOND) % (1 << 32), arrival_90k)
        unit = self._pictures.take(data, size, pts, run, arrival_90k)
        if unit is not None:
            units.append(unit)
        elif self._pictures.changes_too_often:
            oddities.note(Oddity.FORMAT_CHANGES_TOO_OFTEN)


class StreamSource(MjpegSource):
    """An answer that does not end."""

    def __init__(self, asking: Asking, clock: Clock, answer: Answer, beginning: bytes, fps: int | None) -> None:
        super().__init__(asking, clock)
        self._reader = MultipartReader(boundary_of(answer.content_type), asking.oddities)
        self._reader.receive_data(beginning)
        if fps is not None:
            self.notes = ("fps: the camera sends pictures by itself; how often is set there",)

    async def _next_parts(self) -> list[Part]:
        parts: list[Part] = []
        while (part := self._reader.next_part()) is not None:
            parts.append(part)
        if not parts:
            data = await self._asking.read()
            if not data:
                raise Ended("The camera ended the stream.")
            self._reader.receive_data(data)
        return parts


class PolledSource(MjpegSource):
    """A picture an answer, asked for again and again."""

    def __init__(
        self, asking: Asking, clock: Clock, answer: Answer, beginning: bytes, every_s: float, began: float
    ) -> None:
        super().__init__(asking, clock)
        self._answer: Answer | None = answer  # whose picture was not read yet
        self._beginning = beginning
        self._every_s = every_s
        self._due = began  # when the picture at hand was due

    async def _next_parts(self) -> list[Part]:
        answer, data = self._answer, bytearray(self._beginning)
        self._answer, self._beginning = None, b""
        if answer is None:
            # from one beginning to the next; what a slow camera missed is not made up for
            self._due = max(self._due + self._every_s, trio.current_time())
            await trio.sleep_until(self._due)
            answer = await self._asking.ask()
        while piece := await self._asking.read():
            data += piece
            if len(data) > LARGEST_PICTURE:
                raise BadMessage(f"The camera sends a picture without end; the limit is {LARGEST_PICTURE} bytes.")
        return [Part(_type(answer), bytes(data))]
