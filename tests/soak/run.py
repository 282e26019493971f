"""The soak: a real child, one steady viewer, a churn of others; what is held before, between and after."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.cli.api import _LocalConnection
from bench.common.appliance import Server, running_appliance
from bench.common.camera import running_camera
from bench.common.measure import rss_kb
from tests.soak.churn import Churn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: The warm-up ends with all addresses at once for this share of it: how many are there at the same time depends on how
#: busy the machine is, and what that many take is not what is looked for.
CROWDED = 0.2
#: After the last has left: closing hand-shakes, lingering sockets.
SETTLING_S = 15.0


@dataclass(frozen=True)
class Held:
    """What the server holds at a moment.  ``at``: seconds of churn so far."""

    at: float
    connects: int
    rss_mb: float
    files: int
    tasks: int

    def no_more_than(self, other: Held) -> bool:
        """Whether nothing was left behind that ``other`` did not hold."""
        return self.files <= other.files and self.tasks <= other.tasks


@dataclass
class Soak:
    """``held``: while nobody but the steady viewer was there, the first after the warm-up."""

    held: list[Held] = field(default_factory=list)
    connects: int = 0
    failed: list[str] = field(default_factory=list)
    slowest_s: float = 0.0

    @property
    def slope_mb_per_h(self) -> float:
        """Growth of resident memory by least squares."""
        count = len(self.held)
        middle = sum(each.at for each in self.held) / count
        mean = sum(each.rss_mb for each in self.held) / count
        across = sum((each.at - middle) ** 2 for each in self.held)
        return 3600 * sum((each.at - middle) * (each.rss_mb - mean) for each in self.held) / across

    @property
    def rate(self) -> float:
        return self.connects / max(1e-9, self.held[-1].at - self.held[0].at)

    def markdown(self) -> str:
        lines = [
            "| minutes | viewers that came and went | resident MB | open files | tasks |",
            "|---:|---:|---:|---:|---:|",
        ]
        lines += [
            f"| {each.at / 60:.1f} | {each.connects} | {each.rss_mb:.1f} | {each.files} | {each.tasks} |"
            for each in self.held
        ]
        return "\n".join(lines)


@contextmanager
def soaking(*, tls: bool = True) -> Iterator[Server]:
    """The child with one camera."""
    with running_camera() as camera, running_appliance([camera.url()], tls=tls) as server:
        yield server


def soak(
    server: Server,
    seconds: float,
    *,
    warm_s: float,
    rate: float = 100.0,
    parts: int = 10,
    tell: Callable[[Held], object] = lambda _: None,
) -> Soak:
    """Churn for ``seconds`` in equal parts after a warm-up.  One viewer stays all the time, and with it the hub.

    ``tell`` hears of each part, so that not all is lost with a run that is cut off.
    """
    churn = Churn(server.live(), rate)
    with churn.steady() as left:
        churn.run((1 - CROWDED) * warm_s)
        churn.run(CROWDED * warm_s, rate=math.inf)
        result = Soak([settled(server, 0.0, 0)])
        for part in range(1, parts + 1):
            count = churn.run(seconds / parts)
            result.connects += count.done
            result.failed += count.failed
            result.slowest_s = max(result.slowest_s, count.slowest_s)
            result.held.append(settled(server, part * seconds / parts, result.connects, result.held[0]))
            tell(result.held[-1])
    result.failed += left
    return result


def settled(server: Server, at: float, connects: int, like: Held | None = None) -> Held:
    """What is held once it does not change any more, or is what it was at ``like``."""
    end = time.monotonic() + SETTLING_S
    before: list[Held] = []
    while True:
        told = metrics(server)
        held = Held(at, connects, rss_kb(server.pid) / 1000, int(told["fanal_open_files"]), int(told["fanal_tasks"]))
        before = [*before[-2:], held]
        calm = len(before) == 3 and len({(each.files, each.tasks) for each in before}) == 1
        if (held.no_more_than(like) if like else calm) or time.monotonic() > end:
            return held
        time.sleep(1.0)


def metrics(server: Server) -> dict[str, float]:
    """The metrics without labels, asked over the local socket as an administrator."""
    connection = _LocalConnection(server.api._path)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    rows = (line.split() for line in text.splitlines() if not line.startswith("#") and "{" not in line)
    return {name: float(value) for name, value in rows}
