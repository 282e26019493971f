"""Snapshots: the newest picture of a camera as JPEG, or a recorded one, decoded in a worker, once for all who ask."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import trio

from appliance.base.faults import Fault, Kind
from appliance.media.adaptive import Wish, choose
from appliance.media.choice import Admission
from appliance.media.offer import Offer
from appliance.recorder.player import Strip
from appliance.recorder.spool import Spool
from appliance.sites.source import Trouble
from appliance.streams.beginning import no_picture
from appliance.workers.wire import Kind as Job
from appliance.workers.wire import SnapshotDone, SnapshotJob

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from appliance.media.masks import Mask
    from appliance.media.units import VideoFormat
    from appliance.recorder.archive import Archive
    from appliance.recorder.player import Group
    from appliance.sites.cameras import Camera, StreamConfig
    from appliance.streams.directory import Directory
    from appliance.streams.hub import Hub, Segment
    from appliance.workers.pool import Pool

log = logging.getLogger(__name__)

#: A picture so young is given to the next who asks.
FRESH_S = 0.5
#: A camera that is not watched has to be opened and to send a key frame first.
PATIENCE_S = 10.0
DECODING_S = 10.0
QUALITY = 88
#: What waiting does not mend.
HOPELESS = (Trouble.BAD_CREDENTIALS, Trouble.NOT_FOUND, Trouble.REFUSED, Trouble.UNSUPPORTED_CODEC)


class _Key(NamedTuple):
    """What is the same for all who share a picture: of a stream, or of a recorded stream, a key picture."""

    stream: str
    at: int | None
    width: int | None
    mask: Mask


@dataclass(eq=False)
class _Taking:
    """A snapshot that is being made, or was a moment ago."""

    done: trio.Event = field(default_factory=trio.Event)
    picture: SnapshotDone | None = None
    fault: Fault | None = None


class Snapshots:
    """See `open_snapshots`."""

    def __init__(self, nursery: trio.Nursery, directory: Directory, archive: Archive, pool: Pool) -> None:
        self._nursery = nursery
        self._directory = directory
        self._archive = archive
        self._pool = pool
        self._takings: dict[_Key, _Taking] = {}

    async def take(self, camera: Camera, width: int | None, mask: Mask) -> SnapshotDone:
        """The newest picture, at most ``width`` samples wide, with ``mask`` hidden.

        Raises `Fault`: ``no_picture`` and those of the pool.
        """
        stream = self._choose(camera, width)
        key = _Key(stream.id, None, width, mask)
        return await self._shared(key, camera.name, partial(self._decode, camera, stream, key))

    async def recorded(self, camera: Camera, at: int, width: int | None, mask: Mask) -> tuple[SnapshotDone, int]:
        """The key picture that was on the screen at a time, or was the last one before, and when it was shown first.

        Raises `Fault`: ``no_recording``, those of the archive and the pool.
        """
        groups = {}
        for name in await self._archive.streams(camera.id):
            group = await Strip(self._archive, camera.id, name).group_at(at)
            if group is not None:
                groups[name] = group
        if not groups:
            raise Fault(Kind.NOT_FOUND, "no_recording", "Nothing was recorded at that time.", field="at")
        name, group = list(groups.items())[_smallest([group.opened.video for group in groups.values()], width)]
        key = _Key(f"{camera.id} {name}", group.key_at, width, mask)
        return await self._shared(key, camera.name, partial(self._develop, group, key)), group.key_at

    async def _shared(self, key: _Key, camera: str, make: Callable[[], Awaitable[SnapshotDone]]) -> SnapshotDone:
        """What is being made for somebody else is made once."""
        taking = self._takings.get(key)
        if taking is None:
            taking = self._takings[key] = _Taking()
            self._nursery.start_soon(self._make, key, taking, camera, make)
        await taking.done.wait()
        if taking.picture is None:
            raise taking.fault or Fault(Kind.UNAVAILABLE, "stopping", "The server stops.")
        return taking.picture

    def _choose(self, camera: Camera, width: int | None) -> StreamConfig:
        videos = [self._directory.facts(stream.id).video for stream in camera.streams]
        return camera.streams[_smallest(videos, width)]

    async def _make(self, key: _Key, taking: _Taking, camera: str, make: Callable[[], Awaitable[SnapshotDone]]) -> None:
        try:
            taking.picture = await make()
        except Fault as fault:
            taking.fault = fault
        except Exception:  # of one picture: the others, and the appliance, go on
            log.exception("%s: no snapshot", camera)
            taking.fault = Fault(Kind.INTERNAL, "internal", "Something went wrong inside; the log says more.")
        finally:
            taking.done.set()
        await trio.sleep(FRESH_S)
        self._takings.pop(key, None)

    async def _decode(self, camera: Camera, stream: StreamConfig, key: _Key) -> SnapshotDone:
        with self._directory.lease(camera, stream) as hub:
            segment = await _beginning(hub)
            if segment is None:
                raise no_picture(hub.state.value.reason, camera.name)
            units = [bytes(fragment.sample) for fragment in hub.burst() if not fragment.is_audio]
        return await self._work(segment.video, units, key)

    async def _develop(self, group: Group, key: _Key) -> SnapshotDone:
        unit = await Spool(self._archive).sample(group.opened, group.first, ahead=False)
        return await self._work(group.opened.video, [unit], key)

    async def _work(self, video: VideoFormat, units: list[bytes], key: _Key) -> SnapshotDone:
        job = SnapshotJob(
            video.codec, video.configuration, units, video.full_range, video.pixel_aspect, key.width, QUALITY, key.mask
        )
        return await self._pool.run(Job.SNAPSHOT, job, SnapshotDone, patience_s=DECODING_S)


def _smallest(videos: Sequence[VideoFormat | None], width: int | None) -> int:
    """Which of these streams is large enough, and no larger than it has to be."""
    offers = [Offer(None if video is None else (video.width, video.height)) for video in videos]
    choice = choose(offers, [Admission.YES] * len(offers), Wish(None if width is None else (width, 0)))
    assert choice.stream is not None  # all are decoded
    return choice.stream


async def _beginning(hub: Hub) -> Segment | None:
    """What the hub's stream begins with, or None: not in time, or not before somebody mends something."""
    segment = None
    with trio.move_on_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:

            async def give_up() -> None:
                await hub.state.wait_value(lambda now: now.state == "lost" and now.reason in HOPELESS)
                nursery.cancel_scope.cancel()

            nursery.start_soon(give_up)
            segment = await hub.wait_beginning()
            nursery.cancel_scope.cancel()
    return segment


@asynccontextmanager
async def open_snapshots(directory: Directory, archive: Archive, pool: Pool) -> AsyncIterator[Snapshots]:
    """Snapshots whose work lives at most as long as the block."""
    async with trio.open_nursery() as nursery:
        yield Snapshots(nursery, directory, archive, pool)
        nursery.cancel_scope.cancel()
