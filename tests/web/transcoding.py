"""What tests of transcoded live video share: a house with real cameras, and what a client sees of a picture."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING

import av

from appliance.base.clock import SystemClock
from appliance.sites.opening import Sources
from tests.web.appliance import open_house

if TYPE_CHECKING:
    import numpy as np

    from tests.web.listening import LiveView

open_real = functools.partial(open_house, openers=Sources(SystemClock(), demo=None))  # type: ignore[arg-type]
AVC, HEVC = "avc1.640028", "hvc1.1.6.L120.B0"


def decode(jpeg: bytes) -> np.ndarray:
    with av.open(io.BytesIO(jpeg), format="jpeg_pipe") as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


async def pictures(view: LiveView, count: int) -> list[tuple[int, bytes]]:
    """The next so many pictures: UTC in milliseconds, and JPEG."""
    return [(int.from_bytes(message[:8], "big"), message[8:]) for message in await view.fragments(count)]
