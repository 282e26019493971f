"""The peer for the fan-out: quart-trio on Hypercorn as they come, each viewer a task that awaits ``websocket.send``.

The same footage in the same messages, made once for all viewers, from memory: no camera is read.

    python -m bench.peers.quart_send [--tls]      prints ``ready PORT``; live views are at /live
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import logging
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio
import trustme
from hypercorn.config import Config
from hypercorn.trio import serve
from quart import websocket
from quart_trio import QuartTrio

from appliance.base.clock import SystemClock
from appliance.media.fmp4 import Muxer, init_segment
from appliance.media.h264 import video_format
from appliance.media.units import AccessUnit, Run
from bench.common.footage import FPS, Footage, footage
from bench.common.load import Target
from bench.common.process import running

if TYPE_CHECKING:
    from collections.abc import Iterator

WAITING = 50  # messages a viewer may be behind; what comes beyond is lost to it


class Stage:
    """Who watches, and what they are sent."""

    def __init__(self, film: Footage) -> None:
        sps, pps = film.parameter_sets
        self._format = video_format([sps], [pps])
        self._units = film.access_units
        self._clock = SystemClock()
        self._run = Run(self._clock.utc_90k(), "made")
        self._viewers: set[trio.MemorySendChannel[bytes]] = set()

    async def play(self) -> None:
        muxer = Muxer(lambda _: b"")
        began, began_90k = trio.current_time(), self._clock.utc_90k()
        number = 0
        while True:
            await trio.sleep_until(began + number / FPS)
            data, is_idr = self._units[number % len(self._units)]
            at = began_90k + number * 90_000 // FPS
            message = muxer.video(AccessUnit(data, at, at, is_idr, number, self._format, self._run)).message
            for viewer in tuple(self._viewers):
                with contextlib.suppress(trio.WouldBlock):
                    viewer.send_nowait(message)
            number += 1

    async def watch(self) -> None:
        await websocket.accept()
        send, receive = trio.open_memory_channel[bytes](WAITING)
        await websocket.send(f'{{"type":"stream","utc_zero":{self._run.utc_zero}}}')
        await websocket.send(init_segment(self._format))
        self._viewers.add(send)
        try:
            async for message in receive:
                await websocket.send(message)
        finally:
            self._viewers.discard(send)


async def run(*, tls: bool) -> None:
    stage = Stage(footage())
    app = QuartTrio("peer")
    app.add_websocket("/live", "live", stage.watch)
    with tempfile.TemporaryDirectory(prefix="fanal-bench-") as folder:
        config = _config(Path(folder), tls=tls)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.play)
            # Hypercorn's signature has no room for a nursery's task_status
            bound: Any = await nursery.start(functools.partial(serve, app, config))
            print("ready", bound[0].rpartition(":")[2], flush=True)


def _config(folder: Path, *, tls: bool) -> Config:
    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.alpn_protocols = ["http/1.1"]
    config.loglevel = "WARNING"
    config.errorlog = logging.getLogger("hypercorn")
    if tls:
        certificate = trustme.CA().issue_cert("127.0.0.1", "localhost")
        config.certfile, config.keyfile = str(folder / "cert.pem"), str(folder / "key.pem")
        for n, blob in enumerate(certificate.cert_chain_pems):
            blob.write_to_path(config.certfile, append=n > 0)
        certificate.private_key_pem.write_to_path(config.keyfile)
    return config


@contextlib.contextmanager
def running_quart(*, tls: bool) -> Iterator[tuple[int, Target]]:
    """The peer as a child: its process, and its live view."""
    with running([sys.executable, "-m", "bench.peers.quart_send", *(["--tls"] if tls else [])]) as child:
        yield child.pid, Target(int(child.ready[0]), "/live", tls)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        trio.run(functools.partial(run, tls=options.tls))


if __name__ == "__main__":
    main()
