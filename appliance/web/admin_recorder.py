"""What has been recorded, in numbers, for administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from appliance.base.clock import to_rfc3339
from appliance.recorder.stream import RecordingState
from appliance.web.admin import add_route
from appliance.web.recording_views import RecordingStateView, state_of_recording

if TYPE_CHECKING:
    from appliance.recorder.stock import CameraStock
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services


class RecordedCamera(msgspec.Struct):
    """``name`` is null where the camera was removed since.  ``oldest`` and ``newest``: RFC 3339; null: nothing yet."""

    id: str
    name: str | None
    state: RecordingStateView
    oldest: str | None
    newest: str | None
    bytes: int
    bytes_per_second: float


class RecorderView(msgspec.Struct):
    """``bytes_per_second``: as in the last ten minutes.  ``disk_bytes``, ``free_bytes``: of the disk that it is on."""

    bytes: int
    bytes_per_second: float
    oldest: str | None
    disk_bytes: int
    free_bytes: int
    cameras: list[RecordedCamera]


class RecorderFigures:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        add_route(
            gate, "recorder", "GET", "recorder", self.figures, "What has been recorded, in numbers", answer=RecorderView
        )

    async def figures(self, _call: Call) -> RecorderView:
        found = await self._services.stock.figures()
        stock = {each.camera_id: each for each in found.cameras}
        cameras = self._services.cameras.list()
        recorded = [camera.id for camera in cameras if camera.recording.on or camera.id in stock]
        removed = sorted(stock.keys() - {camera.id for camera in cameras})
        views = [self._camera(camera_id, stock.get(camera_id)) for camera_id in [*recorded, *removed]]
        return RecorderView(
            sum(each.bytes for each in views),
            sum(each.bytes_per_second for each in views),
            min((each.oldest for each in views if each.oldest is not None), default=None),
            found.disk,
            found.free,
            views,
        )

    def _camera(self, camera_id: str, stock: CameraStock | None) -> RecordedCamera:
        camera = self._services.cameras.find(camera_id)
        state = RecordingState() if camera is None else self._services.recorder.state(camera_id).value
        return RecordedCamera(
            camera_id,
            None if camera is None else camera.name,
            state_of_recording(state),
            None if stock is None else to_rfc3339(stock.oldest),
            None if stock is None else to_rfc3339(stock.newest),
            0 if stock is None else stock.bytes,
            0.0 if stock is None else stock.bytes_per_second,
        )
