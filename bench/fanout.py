"""What a viewer costs: CPU for the same bytes, beside quart-trio's own send and node-media-server.

Ours is the appliance as it is run: a camera over RTSP, muxing, sessions.  The peers get less to do: the footage from
memory (quart-trio), ready-made FLV over RTMP (node-media-server).  Where it is compared, clients only read; how many
viewers a core serves is measured with clients that report once a second, as browsers do.
"""

from __future__ import annotations

import contextlib
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.common import load
from bench.common.appliance import running_appliance
from bench.common.camera import running_camera
from bench.common.cli import Options, say, script
from bench.common.footage import FPS
from bench.common.load import STATS, Load
from bench.common.report import Section
from bench.peers.node_media_server import NoNodeError, running_node_media_server
from bench.peers.quart_send import running_quart

if TYPE_CHECKING:
    from bench.common.load import Target

OURS, REPORTING, QUART, NODE = "Fanal", "Fanal, viewers report", "quart-trio", "node-media-server"
VIEWERS = (50, 300)
WARM_S = 1.5  # the bursts that a view begins with are over
#: At most; against quart-trio's send, and against node-media-server.
QUART_TARGET = {"plain": 0.25, "TLS": 0.35}
NODE_TARGET = 0.90
PER_CORE_TARGET = {"plain": 1000, "TLS": 500}  # at least


@dataclass(frozen=True)
class Contender:
    """A server that plays, and what its viewers say each second."""

    pid: int
    target: Target
    tell: str | None = None
    loads: dict[int, list[Load]] = field(default_factory=lambda: {count: [] for count in VIEWERS})

    def costs(self, viewers: int) -> list[float]:
        return [each.ms_per_1000 for each in self.loads[viewers]]

    def each_more(self) -> list[float]:
        """What the viewers between the few and the many cost: serving alone, whatever comes before it."""
        few, many = VIEWERS
        pairs = zip(self.costs(few), self.costs(many), strict=True)
        return [(many * more - few * less) / (many - few) for less, more in pairs]


def measure(options: Options) -> Section:
    """Rounds of all that serve plainly, then of all that serve over TLS."""
    section = Section(
        "fanout",
        "Fan-out",
        "One camera of 4 Mbit/s (25 messages a second of about 20 KB) to 50 and 300 viewers over WebSocket, read by "
        "one client written in C. CPU is user and system time of the server's processes over the window, divided by "
        "the bytes that arrived: milliseconds for 1000 messages of 20 KB. *Fanal* is the appliance (`fanal run`) with "
        "RTSP ingest and muxing; *viewers report* what they have in their buffers once a second, as browsers do; "
        "*quart-trio* awaits `websocket.send` for each viewer with the same messages from memory, Hypercorn as it "
        "comes; *node-media-server* sends the same pictures as FLV over WebSocket. They take turns within each round; "
        "ratios are medians over rounds.",
    )
    table = section.table(
        "transport", "viewers", "server", "CPU ms / 1000 messages", "% of a core", "delivered", "delay p50 / p99 ms"
    )
    for transport in ("plain", "TLS"):
        contenders = _run(options, section, tls=transport == "TLS")
        for viewers in VIEWERS:
            _compare(section, transport, viewers, contenders)
            for name, contender in _at(viewers, contenders):
                table.add(transport, str(viewers), name, *_row(contender.loads[viewers], viewers))
        if NODE in contenders:
            ours, theirs = contenders[OURS].each_more(), contenders[NODE].each_more()
            ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
            section.find(f"CPU over {NODE}'s, {transport}, each further viewer", ratios, "×", target=NODE_TARGET)
        cost = contenders[REPORTING].costs(VIEWERS[-1])
        section.find(
            f"viewers per core, {transport} (from the CPU at {VIEWERS[-1]} who report)",
            [1000 / (each / 1000 * FPS) for each in cost],
            "",
            target=PER_CORE_TARGET[transport],
            at_least=True,
        )
    section.notes.append(
        "*Delivered*: messages that arrived over those that were due. A peer that has more to send than a core can do "
        "drops the rest; its CPU is counted for what arrived. *Each further viewer*: of those between 50 and 300, so "
        "serving alone; the camera's side (ours: RTSP and muxing; theirs: ready-made FLV over RTMP) is in the other "
        "rows and does not grow with viewers. *Delay*: from the camera's sender report to the last byte in the client."
    )
    return section


def _run(options: Options, section: Section, *, tls: bool) -> dict[str, Contender]:
    rounds, seconds = options.count(5, 1), options.pick(3.0, 2.0)
    with contextlib.ExitStack() as stack:
        camera = stack.enter_context(running_camera())
        server = stack.enter_context(running_appliance([camera.url()], tls=tls))
        contenders = {OURS: Contender(server.pid, server.live())}
        contenders[QUART] = Contender(*stack.enter_context(running_quart(tls=tls)))
        contenders[REPORTING] = Contender(server.pid, server.live(), STATS)
        if not tls:
            try:
                contenders[NODE] = Contender(*stack.enter_context(running_node_media_server()))
            except NoNodeError as error:
                section.notes.append(str(error))
        for viewers in VIEWERS:
            for number in range(rounds):
                say(f"fanout: {'TLS' if tls else 'plain'}, {viewers} viewers, round {number + 1} of {rounds}")
                for _, contender in _at(viewers, contenders):
                    found = load.run(
                        contender.target, viewers, seconds, pids=(contender.pid,), warm=WARM_S, tell=contender.tell
                    )
                    contender.loads[viewers].append(found)
                    _check(found)
    return contenders


def _at(viewers: int, contenders: dict[str, Contender]) -> list[tuple[str, Contender]]:
    """Who is measured with so many viewers."""
    return [(name, each) for name, each in contenders.items() if name != REPORTING or viewers == VIEWERS[-1]]


def _check(found: Load) -> None:
    """A ratio to somebody who serves nobody says nothing."""
    if found.found["open"] != found.found["viewers"] or not found.found["least"]:
        raise RuntimeError(f"not everybody was served: {found.found}")


def _compare(section: Section, transport: str, viewers: int, contenders: dict[str, Contender]) -> None:
    ours = contenders[OURS].costs(viewers)
    targets = {QUART: QUART_TARGET[transport], NODE: None}
    for name, contender in contenders.items():
        if name in targets:
            ratios = [a / b for a, b in zip(ours, contender.costs(viewers), strict=True)]
            section.find(f"CPU over {name}'s, {transport}, {viewers} viewers", ratios, "×", target=targets[name])


def _row(loads: list[Load], viewers: int) -> list[str | float]:
    def middle(values: list[float]) -> float:
        return statistics.median(values)

    delays = [[each.latency(which) for each in loads] for which in ("p50", "p99")]
    delay = " / ".join(f"{middle([d for d in each if d is not None]):.1f}" for each in delays if None not in each)
    delivered = middle([each.messages / (viewers * FPS * each.seconds) for each in loads])
    cost, cores = middle([each.ms_per_1000 for each in loads]), middle([each.cores for each in loads])
    return [cost, f"{cores * 100:.0f}", f"{delivered:.0%}", delay or "–"]


if __name__ == "__main__":
    script(measure, __doc__)
