"""Snapshots: the newest picture of a camera as JPEG, decoded in a worker, once for all who ask at the same time."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import trio

from appliance.base.faults import Fault, Kind
from appliance.media.adaptive import Wish, choose
from appliance.media.choice import Admission
from appliance.media.offer import Offer
from appliance.sites.source import Trouble
from appliance.streams.beginning import no_picture
from appliance.workers.wire import Kind as Job
from appliance.workers.wire import SnapshotDone, SnapshotJob

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from appliance.media.masks import Mask
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
    """What is the same for all who share a picture."""

    stream: str
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

    def __init__(self, nursery: trio.Nursery, directory: Directory, pool: Pool) -> None:
        self._nursery = nursery
        self._directory = directory
        self._pool = pool
        self._takings: dict[_Key, _Taking] = {}

    async def take(self, camera: Camera, width: int | None, mask: Mask) -> SnapshotDone:
        """The newest picture, at most ``width`` samples wide, with ``mask`` hidden.

        Raises `Fault`: ``no_picture`` and those of the pool.
        """
        stream = self._choose(camera, width)
        key = _Key(stream.id, width, mask)
        taking = self._takings.get(key)
        if taking is None:
            taking = self._takings[key] = _Taking()
            self._nursery.start_soon(self._make, key, taking, camera, stream)
        await taking.done.wait()
        if taking.picture is None:
            raise taking.fault or Fault(Kind.UNAVAILABLE, "stopping", "The server stops.")
        return taking.picture

    def _choose(self, camera: Camera, width: int | None) -> StreamConfig:
        videos = [self._directory.facts(stream.id).video for stream in camera.streams]
        offers = [Offer(None if video is None else (video.width, video.height)) for video in videos]
        choice = choose(offers, [Admission.YES] * len(offers), Wish(None if width is None else (width, 0)))
        assert choice.stream is not None  # all are decoded
        return camera.streams[choice.stream]

    async def _make(self, key: _Key, taking: _Taking, camera: Camera, stream: StreamConfig) -> None:
        try:
            taking.picture = await self._decode(camera, stream, key)
        except Fault as fault:
            taking.fault = fault
        except Exception:  # of one picture: the others, and the appliance, go on
            log.exception("%s: no snapshot", camera.name)
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
        video = segment.video
        job = SnapshotJob(
            video.codec, video.configuration, units, video.full_range, video.pixel_aspect, key.width, QUALITY, key.mask
        )
        return await self._pool.run(Job.SNAPSHOT, job, SnapshotDone, patience_s=DECODING_S)


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
async def open_snapshots(directory: Directory, pool: Pool) -> AsyncIterator[Snapshots]:
    """Snapshots whose work lives at most as long as the block."""
    async with trio.open_nursery() as nursery:
        yield Snapshots(nursery, directory, pool)
        nursery.cancel_scope.cancel()
