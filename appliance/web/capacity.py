"""What this machine can carry (row BEY-3): kept when `fanal bench` has measured it, told with the load."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec
import trio

from appliance.auth.rights import Right
from appliance.settings.tabs import PerformanceTab
from appliance.status.capacity import Capacity, Transcoding, room
from appliance.store.folder import write_whole
from appliance.web.table import Route

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.media.ladder import Limit
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

log = logging.getLogger(__name__)

NAME = "capacity.json"
#: Samples of the load: half a minute.
EVENED_OUT = 6
EXAMPLE = {
    "measured_at": "2026-03-12T14:03:27.120Z",
    "cores": 4,
    "direct_cpu_ms": 1.4,
    "direct_kbps": 4000,
    "source": "1920x1080, 25 pictures a second, 4 Mbit/s",
    "transcoding": [{"codec": "h264", "width": 640, "height": 360, "fps": 25, "cpu_ms": 90}],
    "busy_cores": 0.1,
}


class CapacityView(msgspec.Struct):
    """``direct``, ``transcoded``: viewers and camera streams at most, where nothing else is done; ``more_…``: by the
    load as it is, None while it is not known.  What is transcoded is counted as the dearest of what the settings
    allow, which is ``codec``, ``width`` and so on.  ``was_busy``: measured while the machine had other things to do.
    """

    measured_at: str
    was_busy: bool
    codec: str
    width: int
    height: int
    fps: float
    direct: int
    transcoded: int
    more_direct: int | None
    more_transcoded: int | None


def read_capacity(folder: Path, cores: int) -> Capacity | None:
    """What is kept; None: nothing, nothing of use, or of another machine (a folder that was moved)."""
    try:
        found = msgspec.json.decode((folder / NAME).read_bytes(), type=Capacity)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        log.warning("what was measured of this machine cannot be read: %s", error)
        return None
    return found if found.cores == cores else None


class CapacityRoutes:
    """The route of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "capacity_keep",
                "PUT",
                "/api/v1/admin/capacity",
                Right.ADMINISTER,
                self.keep,
                "Keep what `fanal bench` has measured",
                body=Capacity,
                status=204,
                example=EXAMPLE,
            )
        )

    async def keep(self, call: Call) -> None:
        data = msgspec.json.format(msgspec.json.encode(call.body), indent=1)
        await trio.to_thread.run_sync(write_whole, self._services.folder / NAME, data)
        self._services.capacity = call.body


def capacity_view(services: Services) -> CapacityView | None:
    """None: it has not been measured yet."""
    capacity = services.capacity
    if capacity is None:
        return None
    dearest = _dearest(capacity, services.levels.limit)
    left = None
    load = services.load.mean(EVENED_OUT)
    if load is not None:
        most = services.settings.tab(PerformanceTab).viewers_per_server - len(services.audience)
        left = room(capacity, load, dearest, most)
    return CapacityView(
        measured_at=capacity.measured_at,
        was_busy=capacity.was_busy,
        codec=dearest.codec,
        width=dearest.width,
        height=dearest.height,
        fps=dearest.fps,
        direct=capacity.direct,
        transcoded=capacity.streams(dearest),
        more_direct=None if left is None else left.direct,
        more_transcoded=None if left is None else left.transcoded,
    )


def _dearest(capacity: Capacity, limit: Limit) -> Transcoding:
    found = None
    if limit.max_fps is not None and limit.max_size is not None:
        found = capacity.dearest(limit.max_fps, limit.max_size)
    return found or max(capacity.transcoding, key=lambda one: one.cpu_ms)
