"""How long the loop is held: many streams, many viewers, and all cameras coming back at once."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from bench.common import load
from bench.common.camera import running_camera
from bench.common.cli import Options, say, script
from bench.common.late import percentile, watched_appliance
from bench.common.report import Section

if TYPE_CHECKING:
    from bench.common.appliance import Server

STREAMS, VIEWERS, TRANSCODES = 64, 200, 4
TARGET_MS = 20
BACK_WITHIN_S = 60.0


def measure(options: Options) -> Section:
    """A timer's lateness in the appliance, while it serves and while all its cameras come back."""
    section = Section(
        "stall",
        "How long the loop is held",
        f"How late a timer of one millisecond is inside the appliance, with {STREAMS} camera streams of 4 Mbit/s and "
        f"{VIEWERS} viewers spread over them, plain; the same with {TRANSCODES} of the cameras transcoded to 640x360 "
        "at 25 a second, too. "
        "Then every camera hangs up at the same moment: the lateness while "
        "all of them are opened again, and how long until the last gives pictures. On a machine whose cores are all "
        "busy, what is late is often the machine.",
    )
    seconds = options.pick(20, 8)
    with contextlib.ExitStack() as stack:
        camera = stack.enter_context(running_camera())
        urls = [camera.url(number + 1) for number in range(STREAMS)]
        watched = stack.enter_context(watched_appliance(urls))
        server = watched.server
        say("stall: the viewers come")
        share, more = divmod(VIEWERS, STREAMS)
        for number in range(STREAMS):
            stack.enter_context(load.watching(server.live(number), share + (number < more)))
        _until_all_are_well(server)
        say("stall: serving")
        late = watched.lateness(lambda: time.sleep(seconds))
        section.find("while serving, p99", percentile(late, 99), "ms", target=TARGET_MS)
        section.find("while serving, longest", max(late), "ms")
        say(f"stall: serving, {TRANSCODES} cameras transcoded too")
        with contextlib.ExitStack() as more_viewers:
            for number in range(TRANSCODES):
                more_viewers.enter_context(load.watching(server.live(number, load.WANT_JPEG), 1))
            _until_transcoded(server)
            late = watched.lateness(lambda: time.sleep(seconds))
        section.find(
            f"while serving and with {TRANSCODES} transcodes, p99", percentile(late, 99), "ms", target=TARGET_MS
        )
        section.find(f"while serving and with {TRANSCODES} transcodes, longest", max(late), "ms")
        say("stall: every camera hangs up")
        began = time.monotonic()

        def reconnect() -> None:
            camera.drop()
            time.sleep(0.5)
            _until_all_are_well(server)

        late = watched.lateness(reconnect)
        section.find(f"{STREAMS} cameras back at once, p99", percentile(late, 99), "ms", target=TARGET_MS)
        section.find(f"{STREAMS} cameras back at once, longest", max(late), "ms")
        section.find("until the last gave pictures again", time.monotonic() - began, "s")
    return section


def _until_transcoded(server: Server) -> None:
    """Until every transcoder has made pictures for a moment."""
    end = time.monotonic() + BACK_WITHIN_S
    while True:
        made = [one["encoded"] for one in server.api.get("status")["transcoders"]]
        if len(made) == TRANSCODES and min(made) >= 25:
            return
        if time.monotonic() > end:
            raise RuntimeError(f"after {BACK_WITHIN_S:.0f} s the transcoders have made: {made}")
        time.sleep(0.2)


def _until_all_are_well(server: Server) -> None:
    end = time.monotonic() + BACK_WITHIN_S
    while True:
        counts = server.api.get("status")["cameras"]
        if counts["ok"] == STREAMS:
            return
        if time.monotonic() > end:
            raise RuntimeError(f"after {BACK_WITHIN_S:.0f} s the cameras are: {counts}")
        time.sleep(0.2)


if __name__ == "__main__":
    script(measure, __doc__)
