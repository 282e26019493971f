"""What the recorder is fed with: the fragments of hubs, which stay open for it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from appliance.recorder.cutting import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from appliance.media.fmp4 import Fragment
    from appliance.sites.camera import Camera, StreamConfig
    from appliance.streams.directory import Directory


class HubFeeds:
    """The feeds of the recorder, from the directory of hubs."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    @contextmanager
    def feed(self, camera: Camera, stream: StreamConfig, tap: Callable[[Item], None]) -> Iterator[None]:
        """Whoever records hears too: sound that players do not take as it is is made into AAC."""
        with self._directory.lease(camera, stream) as hub:

            def take(fragment: Fragment) -> None:
                segment = hub.segment
                assert segment is not None  # it is told of nothing before it has one
                tap(Item(fragment, segment.video, segment.audio))

            for fragment in hub.burst():
                take(fragment)
            with hub.hearing(), hub.tapped(take, sound=True):
                yield
