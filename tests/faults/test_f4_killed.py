"""F4: kill -9 of the appliance while it records.

At most the last group of pictures is lost, index and files agree after the next start, the time between is a gap, and
recording goes on by itself.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from appliance.base.clock import TICKS_PER_SECOND as S
from tests.cli.program import running, until
from tests.faults.recorded import GOP_S, agreeing, clip_camera, files, grown
from tests.media.recorded import table_of
from tests.web.scenes import judge

if TYPE_CHECKING:
    from pathlib import Path

#: Recording goes on so soon after a start.
AGAIN_S = 3.0


def test_f4_a_server_that_is_killed_loses_at_most_a_group_of_pictures(tmp_path: Path) -> None:
    data, recordings = tmp_path / "data", tmp_path / "data" / "recordings"
    with running(data) as server:
        clip_camera(server, tmp_path)
        until(lambda: grown(recordings, 1, 800_000), 30)
        server.process.send_signal(signal.SIGKILL)
        killed = time.time()
        server.process.wait(10)
    (first,) = files(recordings)
    whole = table_of(first.read_bytes()).file_size
    # a source begins with the group of pictures that is under way: one from before the end is none of the next start's
    until(lambda: time.time() > killed + GOP_S)
    with running(data) as server:
        ready = time.monotonic()
        until(lambda: grown(recordings, 2, 1000), 20)
        assert time.monotonic() - ready < AGAIN_S
        until(lambda: grown(recordings, 2, 300_000), 20)
        assert server.stop() == 0
    assert first.stat().st_size == whole  # half a fragment is cut off
    before, after = agreeing(data)
    assert before.path == first
    assert killed - before.end / S < GOP_S + 0.5
    assert after.start / S > killed
    for path in files(recordings):
        assert judge(path) == ["aac", "h264,640"]
