"""What a stream begins with, for whoever can send nothing before there is a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from appliance.base.faults import Fault, Kind

if TYPE_CHECKING:
    from appliance.streams.hub import Hub, Segment

#: How long the first picture is waited for.
PATIENCE_S = 15.0


async def wait_beginning(hub: Hub, camera: str) -> Segment:
    """What the stream begins with.  Raises `Fault` where nothing comes."""
    with trio.move_on_after(PATIENCE_S):
        return await hub.wait_beginning()
    raise no_picture(hub.state.value.reason, camera)


def no_picture(reason: str | None, camera: str) -> Fault:
    """``reason``: what is wrong, if that is known."""
    # not in the words of the state: they hold the camera's address, and viewers ask too
    return Fault(Kind.UNAVAILABLE, reason or "no_picture", f"“{camera}” gives no picture.")
